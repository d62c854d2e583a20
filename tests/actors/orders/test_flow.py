"""The main road and the trouble beside it, one statement a test."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from actors.orders import Leftovers
from actors.orders.cancels import SAME_ANSWER_MAX
from bus.messages import (
    Alert,
    BalancesReported,
    CancelCommand,
    CancelOrder,
    CommandDropped,
    Control,
    Fill,
    ForeignTraded,
    IdsReserved,
    Message,
    OperatorCommand,
    OrderRefused,
    OrdersQuiet,
    OrdersReady,
    OrderStatus,
    OrdersUnready,
    OrderUpdate,
    Outcome,
    PrivateStreamDown,
    QueryKind,
    Refusal,
    ReportKind,
    RequestKind,
    StopRequested,
    StoreQuery,
    SubmitOrder,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    MILLISECOND,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    approved,
    canceled,
    every,
    history,
    listing,
    new,
    only,
    reply,
    report,
    sent,
    snapshot,
    traded,
)
from tests.support.ids import id_of


@pytest.fixture
def bench() -> Bench:
    return Bench().ready()


def cancel_command(key: str) -> CancelCommand:
    return CancelCommand(1, 2, 7, "maker", key, 40)


def test_the_door_hears_of_an_order_before_anyone_else(bench: Bench) -> None:
    out = bench.feed(approved(command=5))
    assert [type(message) for message in out[:2]] == [SubmitOrder, OrderUpdate]
    submit, update = out[0], out[1]
    assert isinstance(submit, SubmitOrder)
    assert isinstance(update, OrderUpdate)
    assert (submit.command, submit.epoch, submit.received_ns, submit.post_only) == (5, 1, 40, True)
    assert (update.status, update.leaves_lots, update.number) == (OrderStatus.PENDING_NEW, 10, 1)
    assert submit.client_order_id == update.client_order_id


def test_ids_are_reserved_before_the_first_order_and_ahead_of_need() -> None:
    bench = Bench().ready()
    block = SETTINGS.ids_block
    for command in range(block):
        bench.feed(approved(command=command))
    reserved = [message.below for message in every(bench.said, IdsReserved)]
    assert reserved == [block, 2 * block]
    ids = [message.client_order_id for message in every(bench.said, SubmitOrder)]
    assert len(set(ids)) == block


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"instrument": 8}, Refusal.UNKNOWN_INSTRUMENT), ({"version": 2}, Refusal.INSTRUMENT_VERSION)],
)
def test_an_order_that_cannot_be_is_refused(bench: Bench, changes: dict[str, int], reason: Refusal) -> None:
    assert bench.feed(approved(**changes)) == (OrderRefused(changes.get("instrument", 7), "maker", 1, 1, reason),)


def test_no_order_passes_before_the_venue_was_looked_at() -> None:
    bench = Bench()
    bench.start()
    assert only(bench.feed(approved()), OrderRefused).reason is Refusal.NOT_CONNECTED


def test_accepted_partly_filled_filled(bench: Bench) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    assert only(bench.feed(new(key)), OrderUpdate).status is OrderStatus.ACCEPTED
    fill, update = bench.feed(traded(key, 1, 4, 4))
    assert isinstance(fill, Fill)
    assert (fill.quantity, fill.quantity_lots, fill.late, fill.number) == (4 * UNIT, 4, False, 1)
    assert isinstance(update, OrderUpdate)
    assert (update.status, update.cumulative_lots, update.leaves_lots) == (OrderStatus.PARTIALLY_FILLED, 4, 6)
    assert only(bench.feed(traded(key, 2, 6, 10)), OrderUpdate).status is OrderStatus.FILLED


def test_a_fill_before_the_acknowledgement_counts_and_new_comes_too_late(bench: Bench) -> None:
    key = bench.order()
    bench.feed(traded(key, 1, 10, 10))
    assert bench.status(key) == "FILLED"
    assert bench.feed(new(key)) == ()
    bench.feed(reply(key, Outcome.RESULT))
    assert bench.status(key) == "FILLED"


def test_an_execution_is_booked_once(bench: Bench) -> None:
    key = bench.working()
    assert len(every(bench.feed(traded(key, 1, 4, 4)), Fill)) == 1
    assert bench.feed(traded(key, 1, 4, 4)) == ()
    assert bench.orders.view()["counts"]["execution_repeated"] == 1


def test_a_known_execution_with_other_content_is_kept_aside(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 1, 4, 4))
    out = bench.feed(traded(key, 1, 5, 4))
    assert only(out, Alert).event == "execution_corrected"
    assert every(out, Fill) == []


def test_a_fill_after_cancel_still_counts_and_says_so(bench: Bench) -> None:
    key = bench.working()
    bench.feed(canceled(key))
    fill = only(bench.feed(traded(key, 1, 4, 4)), Fill)
    assert fill.late
    assert bench.status(key) == "CANCELED"


def test_a_cancel_is_sent_once_while_it_is_in_flight(bench: Bench) -> None:
    key = bench.working()
    out = bench.feed(cancel_command(key))
    cancel = only(out, CancelOrder)
    assert (cancel.venue_order_id, cancel.attempt, cancel.cancel_id) == (900, 1, key + "01")
    assert only(out, OrderUpdate).status is OrderStatus.PENDING_CANCEL
    assert bench.feed(cancel_command(key)) == ()
    assert bench.orders.view()["counts"]["cancel_repeated"] == 1


def test_a_cancel_of_what_is_not_ours_or_done_goes_nowhere(bench: Bench) -> None:
    key = bench.working()
    bench.feed(canceled(key))
    assert bench.feed(cancel_command(key)) == ()
    assert bench.feed(cancel_command("web_17")) == ()


def test_an_order_may_be_canceled_before_its_acknowledgement(bench: Bench) -> None:
    key = bench.order()
    assert only(bench.feed(cancel_command(key)), CancelOrder).venue_order_id == 0
    assert bench.status(key) == "PENDING_CANCEL"
    bench.feed(new(key))
    assert bench.status(key) == "PENDING_CANCEL"
    bench.feed(canceled(key))
    assert bench.status(key) == "CANCELED"


def test_a_cancel_that_is_done_ends_nothing_before_the_report_says_how_much_was_executed(bench: Bench) -> None:
    key = bench.working()
    bench.feed(cancel_command(key))
    bench.feed(reply(key, Outcome.RESULT, request=RequestKind.CANCEL))
    assert bench.status(key) == "PENDING_CANCEL"
    query = only(bench.wait(SETTINGS.backoff_min_ns), VenueQuery)
    assert query.kind is QueryKind.ORDER
    bench.feed(answer(query, bench.now_ns, snapshot(key, VenueState.DONE_CANCELED)))
    assert bench.status(key) == "CANCELED"


def test_a_refused_cancel_is_evidence_to_query(bench: Bench) -> None:
    key = bench.working()
    bench.feed(cancel_command(key))
    out = bench.feed(reply(key, Outcome.REFUSED, -2011, RequestKind.CANCEL))
    assert only(out, VenueQuery).kind is QueryKind.ORDER
    assert only(out, OrderUpdate).status is OrderStatus.SUSPECT
    bench.feed(answer(only(out, VenueQuery), bench.now_ns, snapshot(key, VenueState.DONE_FILLED, 10)))
    assert bench.status(key) == "SUSPECT", "filled by the venue's word, and the executions are not booked yet"
    trades = only(bench.wait(SECOND), VenueQuery)
    assert trades.kind is QueryKind.TRADES
    bench.feed(answer(trades, bench.now_ns, history(1, 10)))
    assert bench.status(key) == "FILLED"


def test_the_same_refusal_three_times_ends_the_repeating(bench: Bench) -> None:
    key = bench.working()
    bench.feed(cancel_command(key))
    for _ in range(20):
        pending = [query for query in every(bench.said, VenueQuery) if query.client_order_id == key]
        bench.said.clear()
        bench.feed(reply(key, Outcome.REFUSED, -2011, RequestKind.CANCEL))
        pending += every(bench.said, VenueQuery)
        for query in pending:
            bench.feed(answer(query, bench.now_ns, snapshot(key, VenueState.WORKING)))
        bench.wait(SECOND)
        if not every(bench.said, CancelOrder):
            break
    order = bench.orders.desk.register.open[key]
    assert order.attempt == SAME_ANSWER_MAX
    assert bench.orders.view()["counts"]["cancel_refused_repeatedly"] == 1
    assert bench.status(key) == "ACCEPTED"


@pytest.mark.parametrize(
    "word",
    [OperatorCommand(Control.CANCEL_ALL, -1, "me"), StopRequested("over", 100 * SECOND)],
)
def test_a_persons_word_and_a_stop_cancel_what_was_refused_too_often(bench: Bench, word: Message) -> None:
    """The alarm says to type it: it may not be held back by what raised the alarm."""
    key = bench.working()
    order = bench.orders.desk.register.open[key]
    order.cancel_refusals, order.cancel_code = SAME_ANSWER_MAX, -2011
    assert every(bench.feed(cancel_command(key)), CancelOrder) == []
    assert only(bench.feed(word), CancelOrder).client_order_id == key


def test_a_refused_order_is_rejected(bench: Bench) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    update = only(bench.feed(reply(key, Outcome.REFUSED, -2010, reason="no money")), OrderUpdate)
    assert (update.status, update.refusal, update.leaves_lots) == (OrderStatus.REJECTED, Refusal.VENUE_REJECTED, 0)


def test_what_our_own_door_refuses_was_never_sent(bench: Bench) -> None:
    key = bench.order()
    update = only(bench.feed(reply(key, Outcome.REFUSED, refusal=Refusal.WRITE_BUFFER)), OrderUpdate)
    assert (update.status, update.refusal) == (OrderStatus.NEVER_SENT, Refusal.WRITE_BUFFER)


def test_a_refusal_of_an_order_that_works_is_a_contradiction_and_is_asked_about(bench: Bench) -> None:
    key = bench.working()
    out = bench.feed(reply(key, Outcome.REFUSED, -2010))
    assert only(out, OrderUpdate).status is OrderStatus.SUSPECT
    query = only(bench.wait(SECOND), VenueQuery)
    bench.feed(answer(query, bench.now_ns, snapshot(key, VenueState.WORKING)))
    assert bench.status(key) == "ACCEPTED"


def test_a_report_after_a_refusal_brings_the_order_back(bench: Bench) -> None:
    key = bench.order()
    bench.feed(reply(key, Outcome.REFUSED, -2010))
    assert only(bench.feed(new(key)), OrderUpdate).status is OrderStatus.ACCEPTED
    assert key in bench.orders.desk.register.open


def test_a_duplicate_refusal_means_that_an_earlier_attempt_lives(bench: Bench) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    bench.feed(reply(key, Outcome.REFUSED, -2010, reason="Duplicate order sent."))
    assert bench.status(key) == "UNKNOWN_NEW"


@pytest.mark.parametrize("silent", [True, False])
def test_an_ambiguous_submit_keeps_its_risk_and_is_asked_about_with_a_growing_pause(bench: Bench, silent: bool) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    asked_at: list[int] = []
    if silent:
        bench.said.clear()
        bench.wait(SETTINGS.answer_timeout_ns)
    else:
        bench.said.clear()
        bench.feed(reply(key, Outcome.AMBIGUOUS))
        bench.wait(SETTINGS.backoff_min_ns)
    assert bench.status(key) == "UNKNOWN_NEW"
    for _ in range(12):
        for query in every(bench.said, VenueQuery):
            asked_at.append(bench.now_ns)
            bench.said.remove(query)
            bench.feed(answer(query, bench.now_ns, outcome=Outcome.AMBIGUOUS))
        due = min(timer.fires_ns for timer in bench.timers.values())
        bench.wait(due - bench.now_ns)
    provable_ns = bench.orders.desk.provable_ns(bench.orders.desk.register.open[key].sent_ns) + 1
    assert provable_ns in asked_at  # sooner than its turn
    gaps = [later - earlier for earlier, later in pairwise(asked_at) if later != provable_ns]
    assert gaps == sorted(gaps)
    assert gaps[-1] == SETTINGS.backoff_max_ns
    assert bench.status(key) == "UNKNOWN_NEW"
    assert bench.orders.desk.register.open[key].leaves_lots == 10


def test_network_trouble_for_ten_minutes_closes_no_order(bench: Bench) -> None:
    """LESSONS 1: failed questions are no evidence, however many."""
    key = bench.order()
    bench.feed(reply(key, Outcome.AMBIGUOUS))
    end = bench.now_ns + 600 * SECOND
    bench.said.clear()
    while bench.now_ns < end:
        queries = every(bench.said, VenueQuery)
        bench.said.clear()
        for query in queries:
            bench.feed(answer(query, bench.now_ns, outcome=Outcome.AMBIGUOUS))
        bench.wait(SECOND)
    assert bench.status(key) == "UNKNOWN_NEW"


def not_found_until_closed(bench: Bench, key: str, *trades: object, rounds: int = 40) -> int:
    """Answer every question with "does not exist" until the order is done; returns when that was, or 0."""
    bench.said.clear()
    for _ in range(rounds):
        bench.wait(SECOND)
        queries = every(bench.said, VenueQuery)
        bench.said.clear()
        for query in queries:
            if query.kind is QueryKind.TRADES:
                bench.feed(answer(query, bench.now_ns, *trades))  # type: ignore[arg-type]
            else:
                bench.feed(answer(query, bench.now_ns, found=query.kind is not QueryKind.ORDER))
        if key not in bench.orders.desk.register.open:
            return bench.now_ns
    return 0


def test_not_found_counts_only_after_the_requests_own_deadline_and_the_processing_bound(bench: Bench) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    sent_ns = bench.now_ns
    bench.feed(reply(key, Outcome.AMBIGUOUS))
    closed_ns = not_found_until_closed(bench, key)
    assert closed_ns > sent_ns + SETTINGS.recv_window_ns + SETTINGS.processing_bound_ns
    assert bench.status(key) == "REJECTED"
    assert bench.orders.view()["counts"]["not_found_too_early"] > 0


def test_an_order_that_never_was_is_over_as_soon_as_that_can_be_proven(bench: Bench) -> None:
    """The back-off does not stretch beyond the first moment at which "does not exist" counts, nor between the answers that do."""
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    provable_ns = bench.now_ns + SETTINGS.recv_window_ns + SETTINGS.processing_bound_ns
    bench.feed(reply(key, Outcome.AMBIGUOUS))
    asked = 0
    while key in bench.orders.desk.register.open:
        if queries := every(bench.said, VenueQuery):
            asked += 1
            bench.said.remove(queries[0])
            bench.feed(answer(queries[0], bench.now_ns, found=queries[0].kind is not QueryKind.ORDER))
        else:
            bench.wait(min(timer.fires_ns for timer in bench.timers.values()) - bench.now_ns)
    assert bench.status(key) == "REJECTED"
    assert 0 < bench.now_ns - provable_ns < SECOND
    assert asked < 20  # no more of them than a growing pause makes


def test_a_trade_that_nobody_can_explain_keeps_the_order_unknown(bench: Bench) -> None:
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    bench.feed(reply(key, Outcome.AMBIGUOUS))
    strange = history(77, 3, venue_order_id=5_555, venue_ns=bench.now_ns)
    assert not_found_until_closed(bench, key, strange) == 0
    assert bench.status(key) == "UNKNOWN_NEW"


def test_missing_executions_are_asked_for_and_never_invented(bench: Bench) -> None:
    key = bench.working()
    out = bench.feed(traded(key, 12, 3, 7))
    assert only(out, Fill).quantity == 3 * UNIT
    assert only(out, OrderUpdate).cumulative_lots == 3
    assert bench.orders.view()["shortfalls"] == {key: 4 * UNIT}
    query = only(bench.wait(SECOND), VenueQuery)
    assert (query.kind, query.from_id) == (QueryKind.TRADES, 0)
    page = answer(query, bench.now_ns, history(11, 1), complete=False)
    following = only(bench.feed(page), VenueQuery)
    assert following.from_id == 12
    rows = [history(number, lots) for number, lots in ((12, 3), (13, 3))]
    out = bench.feed(answer(following, bench.now_ns, *rows))
    assert [fill.trade_id for fill in every(out, Fill)] == [13]
    assert bench.orders.view()["shortfalls"] == {}


def test_canceled_with_more_executed_than_booked_is_not_released(bench: Bench) -> None:
    key = bench.working()
    bench.feed(cancel_command(key))
    update = only(bench.feed(canceled(key, lots=4)), OrderUpdate)
    assert (update.status, update.cumulative_lots, update.leaves_lots) == (OrderStatus.SUSPECT, 0, 4)
    update = only(bench.feed(traded(key, 1, 4, 4)), OrderUpdate)
    assert (update.status, update.cumulative_lots, update.leaves_lots) == (OrderStatus.CANCELED, 4, 0)


def test_an_unknown_status_changes_nothing_but_certainty(bench: Bench) -> None:
    key = bench.working()
    out = bench.feed(report(key, ReportKind.OTHER, VenueState.NONE, status="FROZEN"))
    assert only(out, Alert).event == "unknown_order_status"
    assert bench.status(key) == "SUSPECT"
    query = only(bench.wait(SECOND), VenueQuery)
    bench.feed(answer(query, bench.now_ns, snapshot(key, VenueState.WORKING)))
    assert bench.status(key) == "ACCEPTED"


def test_an_answer_asked_before_the_doubt_proves_nothing(bench: Bench) -> None:
    key = bench.working()
    look = listing(bench.wait(SETTINGS.reconcile_interval_ns))
    asked_ns = bench.now_ns
    bench.wait(MILLISECOND)
    bench.feed(report(key, ReportKind.OTHER, VenueState.NONE, status="FROZEN"))
    bench.feed(answer(look, asked_ns, snapshot(key, VenueState.WORKING)))
    assert bench.status(key) == "SUSPECT"


def test_more_of_the_same_trouble_does_not_put_the_question_off(bench: Bench) -> None:
    key = bench.working()
    bench.feed(traded(key, 12, 1, 7))
    due_ns = bench.orders.desk.register.open[key].query_due_ns
    bench.feed(snapshot(key, VenueState.WORKING, 8))
    order = bench.orders.desk.register.open[key]
    assert (order.query_due_ns, order.backoff_ns) == (due_ns, SETTINGS.backoff_min_ns)


def test_an_order_that_comes_back_is_in_one_place_only(bench: Bench) -> None:
    key = bench.order()
    bench.feed(reply(key, Outcome.REFUSED, -2010))
    bench.feed(new(key))
    register = bench.orders.desk.register
    assert (key in register.open, key in register.done, key in register.archive) == (True, False, False)


def test_foreign_orders_are_counted_alerted_once_and_never_touched(bench: Bench) -> None:
    first = bench.feed(new("web_1", venue_order_id=1))
    assert "side=BUY client_order_id=web_1 venue_order_id=1" in only(first, Alert).detail
    moved = only(bench.feed(traded("web_1", 5, 1, 1, venue_order_id=1)), ForeignTraded)
    assert (moved.number, moved.client_order_id, moved.quantity) == (1, "web_1", UNIT)
    assert bench.orders.view()["counts"]["external_report"] == 2


def test_an_orphan_is_canceled_and_its_fills_count(bench: Bench) -> None:
    key = id_of(0)
    out = bench.feed(new(key))
    assert only(out, Alert).event == "orphan_order"
    assert only(out, CancelOrder).client_order_id == key
    assert only(bench.feed(traded(key, 9, 2, 2)), Fill).owner == "orphan"


def test_a_report_of_an_unknown_symbol_is_kept_aside(bench: Bench) -> None:
    out = bench.feed(new("x", instrument=-1, venue_symbol="DOGEUSDT"))
    assert only(out, Alert).event == "report_of_unknown_instrument"
    assert bench.orders.view()["quarantined"] == 1


def test_a_report_without_our_id_is_matched_by_the_venues(bench: Bench) -> None:
    key = bench.working()
    assert only(bench.feed(traded("", 1, 2, 2)), Fill).client_order_id == key


def test_a_dropped_submit_ends_and_a_written_one_does_not(bench: Bench) -> None:
    lost, written = bench.order(command=1), bench.order(command=2)
    bench.feed(sent(written, bench.now_ns))
    bench.feed(CommandDropped(7, "maker", 1, lost))
    bench.feed(CommandDropped(7, "maker", 2, written))
    assert (bench.status(lost), bench.status(written)) == ("NEVER_SENT", "PENDING_NEW")


def test_a_dropped_cancel_is_sent_again(bench: Bench) -> None:
    key = bench.working()
    bench.feed(cancel_command(key))
    bench.feed(CommandDropped(7, "maker", -1, key))
    assert bench.status(key) == "ACCEPTED"
    assert only(bench.wait(SECOND), CancelOrder).attempt == 2


def test_a_lost_stream_makes_everything_suspect_and_stops_new_orders(bench: Bench) -> None:
    key = bench.working()
    out = bench.feed(PrivateStreamDown(1, 1, "closed"))
    assert only(out, OrdersUnready).reason == "closed"
    assert bench.status(key) == "SUSPECT"
    assert only(bench.feed(approved()), OrderRefused).reason is Refusal.NOT_CONNECTED


def test_cancel_all_cancels_everything_of_the_instrument(bench: Bench) -> None:
    keys = [bench.working(command=number, venue=2) for number in (1, 2)]
    out = bench.feed(OperatorCommand(Control.CANCEL_ALL, 7, "me"))
    assert [cancel.client_order_id for cancel in every(out, CancelOrder)] == keys
    assert bench.feed(OperatorCommand(Control.HALT, -1, "me")) == ()


def test_a_stop_cancels_and_says_quiet_when_the_venue_has_confirmed(bench: Bench) -> None:
    key = bench.working()
    out = bench.feed(StopRequested("operator", bench.now_ns + SECOND))
    assert only(out, CancelOrder).client_order_id == key
    assert every(out, OrdersQuiet) == []
    assert only(bench.feed(approved()), OrderRefused).reason is Refusal.TRADING_STATE
    assert only(bench.empty(bench.feed(canceled(key))), OrdersQuiet).unresolved == 0
    assert every(bench.wait(2 * SECOND), OrdersQuiet) == []


def test_a_stop_says_what_it_could_not_resolve(bench: Bench) -> None:
    bench.working()
    bench.feed(StopRequested("operator", bench.now_ns + SECOND))
    assert only(bench.wait(2 * SECOND), OrdersQuiet).unresolved == 1


def test_the_periodic_look_asks_about_an_order_that_the_venue_does_not_list(bench: Bench) -> None:
    key = bench.working()
    look = listing(bench.wait(SETTINGS.reconcile_interval_ns))
    query = only(bench.feed(answer(look, bench.now_ns)), VenueQuery)
    assert (query.kind, query.client_order_id) == (QueryKind.ORDER, key)
    bench.feed(answer(query, bench.now_ns, snapshot(key, VenueState.DONE_EXPIRED)))
    assert bench.status(key) == "EXPIRED"


def test_the_periodic_look_leaves_alone_what_is_listed(bench: Bench) -> None:
    key = bench.working()
    said = bench.wait(SETTINGS.reconcile_interval_ns)
    look = listing(said)
    assert bench.feed(answer(look, bench.now_ns, snapshot(key, VenueState.WORKING))) == ()


def test_a_done_order_that_is_listed_is_said_loudly(bench: Bench) -> None:
    key = bench.working()
    bench.feed(canceled(key))
    look = listing(bench.wait(SETTINGS.reconcile_interval_ns))
    out = bench.feed(answer(look, bench.now_ns, snapshot(key, VenueState.WORKING)))
    assert only(out, Alert).event == "done_order_listed"
    assert only(out, VenueQuery).client_order_id == key


def test_done_orders_are_forgotten_oldest_first_and_not_booked_twice() -> None:
    bench = Bench(replace(SETTINGS, done_orders_max=3)).ready()
    keys = [bench.working(command=number) for number in range(5)]
    for number, key in enumerate(keys):
        bench.feed(traded(key, number, 10, 10, venue_order_id=900 + number))
    assert bench.orders.view()["done"] == 3
    out = bench.feed(traded(keys[0], 0, 10, 10, venue_order_id=99_900))
    assert every(out, Fill) == []
    assert only(out, StoreQuery).client_order_id == keys[0]


def test_open_orders_have_a_limit() -> None:
    bench = Bench(replace(SETTINGS, open_orders_max=1)).ready()
    bench.order()
    assert only(bench.feed(approved(command=2)), OrderRefused).reason is Refusal.OPEN_ORDERS


def test_adopted_orders_stay_and_are_counted() -> None:
    bench = Bench(replace(SETTINGS, leftovers=Leftovers.ADOPT)).ready()
    key = bench.working()
    bench.feed(PrivateStreamDown(1, 1, "closed"))
    queue = list(every(bench.start(), VenueQuery))
    bench.said.clear()
    while queue:
        query = queue.pop(0)
        bench.now_ns += MILLISECOND
        rows = [snapshot(key, VenueState.WORKING)] if query.kind is not QueryKind.BALANCES else []
        queue.extend(every(bench.feed(answer(query, bench.now_ns, *rows)), VenueQuery))
    assert only(bench.said, OrdersReady).adopted == 1
    assert [told.quiet for told in every(bench.said, BalancesReported)] == [False]
    assert bench.status(key) == "ACCEPTED"
