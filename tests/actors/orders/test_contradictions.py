"""What contradicts itself is never acted on: each row is kept or counted, shown with its reason, and asked about."""

from typing import Any

import msgspec
import pytest

from actors.orders import Orders
from actors.orders.desk import STRANGE_MAX
from actors.orders.quarantine import CONTESTS_MAX
from actors.orders.recovery import OrdersState
from bus.messages import (
    Alert,
    AlertLevel,
    CancelCommand,
    CancelOrder,
    Fill,
    OrderUpdate,
    Outcome,
    QueryKind,
    Refusal,
    ReportKind,
    RequestAnswered,
    RequestKind,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    LOT,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    canceled,
    every,
    history,
    new,
    only,
    reply,
    report,
    sent,
    snapshot,
    traded,
)


@pytest.fixture
def bench() -> Bench:
    return Bench().ready()


def rejected(key: str, **changes: Any) -> Any:
    return report(key, ReportKind.REJECTED, VenueState.DONE_REJECTED, **changes)


def reasons(bench: Bench) -> list[str]:
    return [row["why"] for row in bench.orders.view()["strange"]]


# -- corrections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [False, True])
def test_a_corrected_execution_stays_as_booked_and_its_trades_are_asked_for(bench: Bench, done: bool) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 4, 4))
    if done:
        bench.feed(canceled(key, 4))
    out = bench.feed(traded(key, 1, 5, 4))
    assert every(out, Fill) == []
    assert (only(out, Alert).event, only(out, Alert).level) == ("execution_corrected", AlertLevel.CRITICAL)
    query = only(out, VenueQuery)
    assert (query.kind, query.venue_order_id, query.from_id) == (QueryKind.TRADES, 900, 0)
    assert reasons(bench)[0] == "execution_corrected"
    assert bench.orders.view()["quarantined"] == 1
    assert bench.feed(answer(query, bench.now_ns, history(1, 4))) == (), "the venue holds what we booked"


def test_a_venue_that_corrects_for_ever_is_not_asked_for_ever(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 4, 4))
    asked = 0
    for _ in range(10):
        queue = every(bench.feed(traded(key, 1, 5, 4)), VenueQuery)
        while queue:
            asked += 1
            queue += every(bench.feed(answer(queue.pop(0), bench.now_ns, history(1, 6))), VenueQuery)
    assert asked == CONTESTS_MAX


# -- rejected, and yet executed ---------------------------------------------------------------------------------------


def test_a_reject_of_an_order_with_fills_ends_nothing_and_is_asked_about(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 4, 4))
    out = bench.feed(rejected(key))
    assert (bench.status(key), bench.orders.desk.register.open[key].leaves_lots) == ("SUSPECT", 6)
    assert only(out, VenueQuery).kind is QueryKind.ORDER
    assert reasons(bench) == ["rejected_order_executed"]
    bench.feed(answer(only(out, VenueQuery), bench.now_ns, snapshot(key, VenueState.DONE_CANCELED, 4)))
    assert bench.status(key) == "CANCELED"


def test_a_fill_of_a_rejected_order_brings_it_back_as_a_question(bench: Bench) -> None:
    key = bench.working()
    bench.feed(rejected(key))
    assert bench.status(key) == "REJECTED"
    out = bench.feed(traded(key, 1, 4, 4))
    assert only(out, Fill).late
    assert only(out, OrderUpdate).leaves_lots == 6
    assert bench.status(key) == "SUSPECT"
    bench.feed(answer(only(out, VenueQuery), bench.now_ns, snapshot(key, VenueState.WORKING, 4)))
    assert bench.status(key) == "PARTIALLY_FILLED"


def test_a_venue_that_insists_on_both_is_asked_until_a_person_comes(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 4, 4))
    bench.said.clear()
    bench.feed(rejected(key))
    for _ in range(60):
        queries = every(bench.said, VenueQuery)
        bench.said.clear()
        for query in queries:
            rows = [rejected(key, cumulative=4 * LOT)] if query.kind is QueryKind.ORDER else []
            bench.feed(answer(query, bench.now_ns, *rows))
        bench.wait(SECOND)
    assert bench.status(key) == "SUSPECT"
    assert bench.orders.desk.register.open[key].leaves_lots == 6


def test_a_reject_without_fills_is_the_end(bench: Bench) -> None:
    key = bench.working()
    assert only(bench.feed(rejected(key)), OrderUpdate).leaves_lots == 0
    assert bench.status(key) == "REJECTED"


# -- quantities -------------------------------------------------------------------------------------------------------


def test_more_executed_than_ordered_is_booked_said_and_asked_about(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 10, 10))
    out = bench.feed(traded(key, 2, 3, 13))
    assert only(out, Fill).quantity == 3 * UNIT, "what was traded is ours, wanted or not"
    assert (only(out, Alert).event, only(out, Alert).level) == ("overfill", AlertLevel.CRITICAL)
    assert only(out, VenueQuery).kind is QueryKind.TRADES
    assert reasons(bench) == ["overfill"]


def test_less_executed_than_before_is_an_old_word(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 4, 4))
    assert bench.feed(snapshot(key, VenueState.WORKING, 2)) == ()
    assert bench.orders.desk.register.open[key].cumulative == 4 * UNIT


# -- somebody else's hand ---------------------------------------------------------------------------------------------


def test_an_amended_order_has_the_quantity_of_the_latest_amend(bench: Bench) -> None:
    key = bench.working()
    at = bench.now_ns
    out = bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, quantity=6 * LOT, venue_ns=at + 2))
    update = only(out, OrderUpdate)
    assert (update.quantity_lots, update.leaves_lots) == (6, 6)
    assert only(out, VenueQuery).kind is QueryKind.ORDER
    assert reasons(bench) == ["order_amended_elsewhere"]
    bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, quantity=8 * LOT, venue_ns=at + 1))
    assert bench.orders.desk.register.open[key].quantity_lots == 6
    bench.feed(new(key, venue_ns=at))
    assert bench.orders.desk.register.open[key].quantity_lots == 6


def test_of_one_millisecond_the_higher_execution_id_is_the_later_amend(bench: Bench) -> None:
    key = bench.working()
    for execution_id, lots in ((7, 6), (9, 5), (8, 8)):
        amended = report(
            key, ReportKind.REPLACED, VenueState.WORKING, quantity=lots * LOT, execution_id=execution_id, venue_ns=5
        )
        bench.feed(msgspec.structs.replace(amended, venue_ns=bench.now_ns))
    assert bench.orders.desk.register.open[key].quantity_lots == 5


def test_an_amend_that_a_query_shows_counts_like_one_that_was_told(bench: Bench) -> None:
    key = bench.working()
    look = next(q for q in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery))
    seen = snapshot(key, VenueState.WORKING, quantity=6 * LOT, venue_ns=bench.now_ns)
    assert only(bench.feed(answer(look, bench.now_ns, seen)), OrderUpdate).leaves_lots == 6


def test_amended_down_to_what_was_executed_it_is_filled(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 6, 6))
    bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, quantity=6 * LOT, venue_ns=bench.now_ns))
    assert bench.status(key) == "FILLED"


def test_amended_down_below_what_comes_late_all_of_it_is_booked(bench: Bench) -> None:
    key = bench.working()
    bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, quantity=4 * LOT, venue_ns=bench.now_ns))
    out = bench.feed(traded(key, 1, 6, 6, quantity=4 * LOT, venue_ns=bench.now_ns))
    assert only(out, Fill).quantity == 6 * UNIT
    assert bench.status(key) == "FILLED"
    assert reasons(bench)[0] == "overfill"


def test_amended_up_after_it_seemed_filled_it_works_again(bench: Bench) -> None:
    key = bench.working()
    bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, quantity=6 * LOT, venue_ns=bench.now_ns))
    bench.feed(traded(key, 1, 6, 6, quantity=6 * LOT))
    assert bench.status(key) == "FILLED"
    bench.wait(SECOND)
    out = bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, quantity=9 * LOT, venue_ns=bench.now_ns))
    assert (bench.status(key), only(out, OrderUpdate).leaves_lots) == ("PARTIALLY_FILLED", 3)


@pytest.mark.parametrize("restored", [False, True])
def test_a_replaced_order_is_found_by_its_old_id_and_its_new_one(bench: Bench, restored: bool) -> None:
    key = bench.working()
    moved = report(
        key, ReportKind.REPLACED, VenueState.WORKING, quantity=6 * LOT, venue_order_id=901, venue_ns=bench.now_ns
    )
    assert only(bench.feed(moved), OrderUpdate).venue_order_id == 901
    if restored:
        saved = msgspec.msgpack.encode(bench.orders.checkpoint())
        bench.orders = Orders(SETTINGS)
        bench.orders.restore(msgspec.msgpack.decode(saved, type=OrdersState))
    old, fresh = traded("", 1, 2, 2, venue_order_id=900), traded("", 2, 2, 4, venue_order_id=901)
    assert [only(bench.feed(one), Fill).client_order_id for one in (old, fresh)] == [key, key]


def test_its_cancel_names_the_new_id(bench: Bench) -> None:
    key = bench.working()
    bench.feed(report(key, ReportKind.REPLACED, VenueState.WORKING, venue_order_id=901, venue_ns=bench.now_ns))
    assert only(bench.feed(CancelCommand(1, 2, 7, "maker", key, 0)), CancelOrder).venue_order_id == 901


@pytest.mark.parametrize("kind", [ReportKind.CANCELED, ReportKind.EXPIRED])
def test_an_end_that_nobody_of_ours_wanted_is_said(bench: Bench, kind: ReportKind) -> None:
    key = bench.working()
    state = VenueState.DONE_CANCELED if kind is ReportKind.CANCELED else VenueState.DONE_EXPIRED
    alert = only(bench.feed(report(key, kind, state, reason="expiry_reason=1")), Alert)
    assert (alert.event, alert.level) == ("order_ended_by_venue", AlertLevel.WARNING)
    assert "reason=expiry_reason=1" in alert.detail
    assert reasons(bench) == ["ended_by_venue"]


def test_an_end_that_we_asked_for_is_not(bench: Bench) -> None:
    key = bench.working()
    bench.feed(CancelCommand(1, 2, 7, "maker", key, 0))
    assert every(bench.feed(canceled(key)), Alert) == []
    assert reasons(bench) == []


# -- answers ----------------------------------------------------------------------------------------------------------


def test_a_refused_order_keeps_the_venues_code(bench: Bench) -> None:
    key = bench.order()
    update = only(bench.feed(reply(key, Outcome.REFUSED, -2010)), OrderUpdate)
    assert (update.refusal, update.code) == (Refusal.VENUE_REJECTED, -2010)
    mine = bench.order(command=2)
    update = only(bench.feed(reply(mine, Outcome.REFUSED, refusal=Refusal.DISK)), OrderUpdate)
    assert (update.refusal, update.code) == (Refusal.DISK, 0)


def test_the_code_survives_a_restart(bench: Bench) -> None:
    key = bench.order()
    bench.feed(reply(key, Outcome.REFUSED, -2010))
    again = Orders(SETTINGS)
    for fact in bench.said:
        if type(fact) in again.recovers():
            again.recovers()[type(fact)](fact, bench.now_ns)
    order = again.desk.register.find(key)
    assert order is not None
    assert order.code == -2010


def test_a_cancel_that_comes_too_often_waits_as_long_as_the_venue_says(bench: Bench) -> None:
    """A rate limit says nothing of the order: it is not asked about, and three of them do not end the canceling."""
    key = bench.working()
    bench.feed(CancelCommand(1, 2, 7, "maker", key, 0))
    for _ in range(5):
        until_ns = bench.now_ns + 3 * SECOND
        late = RequestAnswered(
            RequestKind.CANCEL, 7, key, Outcome.REFUSED, Refusal.VENUE_REJECTED, -1003, 0, 0, "", until_ns
        )
        assert every(bench.feed(late), VenueQuery) == []
        assert every(bench.wait(3 * SECOND - 1), CancelOrder) == []
        assert len(every(bench.wait(1), CancelOrder)) == 1
    assert bench.orders.view()["counts"]["cancel_held_up_by_venue"] == 5


def test_a_refusal_of_what_works_is_shown(bench: Bench) -> None:
    key = bench.working()
    bench.feed(reply(key, Outcome.REFUSED, -2010))
    assert reasons(bench) == ["refusal_contradicted"]


# -- the list ---------------------------------------------------------------------------------------------------------


def test_what_is_shown_is_bounded_and_youngest_first(bench: Bench) -> None:
    for number in range(STRANGE_MAX + 3):
        bench.feed(new("x", instrument=-1, venue_symbol="DOGEUSDT", venue_order_id=number))
    rows = bench.orders.view()["strange"]
    assert len(rows) == STRANGE_MAX
    assert rows[0]["venue_order_id"] == STRANGE_MAX + 2


def test_what_is_shown_survives_a_checkpoint(bench: Bench) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    bench.feed(new("x", instrument=-1))
    saved = msgspec.msgpack.encode(bench.orders.checkpoint())
    other = Orders(SETTINGS)
    other.restore(msgspec.msgpack.decode(saved, type=OrdersState))
    assert other.view()["strange"] == bench.orders.view()["strange"] != []
