"""Orders that this run did not send: whose they are by their id, and what the configuration makes of them."""

from typing import Any

import pytest
from msgspec.structs import replace

from actors.orders import External, Leftovers, Orders, OrdersSettings, Orphans
from actors.orders.ids import recognize
from bus.messages import (
    Alert,
    AlertLevel,
    CancelOrder,
    Control,
    EngineStarted,
    Fill,
    OperatorCommand,
    OrdersReady,
    OrderUpdate,
    PrivateStreamUp,
    QueryKind,
    StopRequested,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    INSTRUMENT,
    MILLISECOND,
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
    snapshot,
    traded,
)
from tests.support.ids import id_of

WEB, NUMBER = "web_1a2b3c", 77
CLAIM = replace(SETTINGS, external=External.CLAIM)
KEY = "EXT7N77"


def looks(bench: Bench, said: Any, *listed: tuple[str, int]) -> None:
    """Answer every question: (client id, venue id) of `listed` work at the venue until we cancel them."""
    queue = every(said, VenueQuery)
    for _ in range(100):
        if not queue:
            if bench.orders.view()["phase"] == "READY":
                return
            queue += every(bench.wait(200 * MILLISECOND), VenueQuery)
            continue
        query = queue.pop(0)
        bench.now_ns += MILLISECOND
        gone = {cancel.client_order_id for cancel in every(bench.said, CancelOrder)}
        rows = []
        for key, number in listed:
            ended = key in gone or f"EXT7N{number}" in gone
            meant = query.client_order_id == key or query.venue_order_id == number
            if meant if query.kind is QueryKind.ORDER else query.kind is QueryKind.OPEN_ORDERS and not ended:
                state = VenueState.DONE_CANCELED if ended else VenueState.WORKING
                rows.append(snapshot(key, state, venue_order_id=number))
        queue += every(bench.feed(answer(query, bench.now_ns, *rows)), VenueQuery)


def started(settings: OrdersSettings, *listed: tuple[str, int], epoch: int = 2) -> Bench:
    bench = Bench(settings)
    looks(bench, bench.start(epoch=epoch), *listed)
    return bench


@pytest.mark.parametrize(
    ("policy", "canceled_ones", "kept"), [(Orphans.CANCEL, 1, 0), (Orphans.ADOPT, 0, 1), (Orphans.LEAVE, 0, 0)]
)
def test_an_orphan_by_policy(policy: Orphans, canceled_ones: int, kept: int) -> None:
    bench = started(replace(SETTINGS, orphans=policy), (id_of(1), 900))
    assert len(every(bench.said, OrdersReady)) == 1
    assert len(every(bench.said, CancelOrder)) == canceled_ones
    assert bench.orders.view()["working"] == kept


@pytest.mark.parametrize("leftovers", Leftovers)
def test_orphans_and_leftovers_have_each_their_own_policy(leftovers: Leftovers) -> None:
    """A predecessor's order that our journal knows goes by `leftovers`, one that it does not know by `orphans`."""
    before = Bench().ready()
    left = before.working()
    bench = Bench(replace(SETTINGS, leftovers=leftovers, orphans=Orphans(1 - leftovers)), now_ns=before.now_ns)
    for fact in before.said:
        if type(fact) in bench.orders.recovers():
            bench.orders.recovers()[type(fact)](fact, before.now_ns)
    lost = id_of(1, 50)
    looks(bench, bench.start(epoch=2), (left, 900), (lost, 901))
    [cancel] = every(bench.said, CancelOrder)
    assert cancel.client_order_id == (left if leftovers is Leftovers.CANCEL else lost)
    assert list(bench.orders.desk.register.open) == [lost if leftovers is Leftovers.CANCEL else left]


def test_an_orphan_that_is_left_alone_is_said_once_and_its_fills_are_none_of_ours() -> None:
    bench = Bench(replace(SETTINGS, orphans=Orphans.LEAVE)).ready(epoch=2)
    key = id_of(1)
    alert = only(bench.feed(new(key)), Alert)
    assert (alert.event, alert.level) == ("orphan_left", AlertLevel.WARNING)
    assert every(bench.feed(traded(key, 9, 2, 2)), Fill) == []
    assert bench.orders.view()["counts"]["orphan_report"] == 2


def test_an_adopted_orphan_is_canceled_by_a_stop_like_ours() -> None:
    bench = started(replace(SETTINGS, orphans=Orphans.ADOPT), (id_of(1), 900))
    bench.feed(StopRequested("end", bench.now_ns + SECOND))
    assert only(bench.said, CancelOrder).client_order_id == id_of(1)


# -- of others --------------------------------------------------------------------------------------------------------


def test_others_orders_are_left_alone_unless_told_otherwise() -> None:
    bench = started(SETTINGS, (WEB, NUMBER))
    assert every(bench.said, OrderUpdate) == every(bench.said, CancelOrder) == []
    assert [alert.event for alert in every(bench.said, Alert)] == ["external_order"]
    bench.feed(OperatorCommand(Control.CANCEL_ALL, -1, "me"))
    bench.feed(StopRequested("end", bench.now_ns + SECOND))
    assert every(bench.said, CancelOrder) == []


def test_each_of_others_orders_is_said_once() -> None:
    bench = Bench().ready()
    for number in (1, 2, 1, 2):
        bench.feed(new(f"web_{number}", venue_order_id=number))
    assert bench.orders.view()["counts"]["external_order"] == 2


def test_a_claimed_order_reserves_risk_under_a_key_of_its_own() -> None:
    bench = started(CLAIM, (WEB, NUMBER))
    update = every(bench.said, OrderUpdate)[-1]
    assert (update.client_order_id, update.owner, update.leaves_lots) == (KEY, "external", 10)
    assert (update.status.name, update.venue_order_id) == ("ACCEPTED", NUMBER)
    assert len(every(bench.said, OrdersReady)) == 1
    assert every(bench.said, CancelOrder) == []
    assert recognize("tl", KEY) is None


def test_its_fills_are_booked_once_whatever_they_name_it_by() -> None:
    bench = Bench(CLAIM).ready()
    bench.feed(new(WEB, venue_order_id=NUMBER))
    fill = only(bench.feed(traded(WEB, 1, 4, 4, venue_order_id=NUMBER)), Fill)
    assert (fill.owner, fill.client_order_id, fill.quantity) == ("external", KEY, 4 * UNIT)
    assert bench.feed(history(1, 4, venue_order_id=NUMBER)) == ()
    assert only(bench.feed(history(2, 6, venue_order_id=NUMBER)), Fill).quantity == 6 * UNIT
    assert bench.status(KEY) == "FILLED"


def test_two_orders_of_others_under_one_id_are_two() -> None:
    """Ids are unique among open orders only: a person's tool may use one again and again."""
    bench = Bench(CLAIM).ready()
    bench.feed(traded("again", 1, 10, 10, venue_order_id=1))
    bench.feed(traded("again", 2, 10, 10, venue_order_id=2))
    assert {fill.client_order_id for fill in every(bench.said, Fill)} == {"EXT7N1", "EXT7N2"}


def test_it_is_asked_about_and_canceled_by_the_venues_id() -> None:
    bench = Bench(CLAIM).ready()
    bench.feed(new(WEB, venue_order_id=NUMBER))
    bench.feed(OperatorCommand(Control.CANCEL_ALL, -1, "me"))
    cancel = only(bench.said, CancelOrder)
    assert (cancel.client_order_id, cancel.venue_order_id, cancel.by_venue_id) == (KEY, NUMBER, True)
    assert (KEY + cancel.cancel_id).isalnum()
    query = next(q for q in every(bench.wait(3 * SECOND), VenueQuery) if q.kind is QueryKind.ORDER)
    assert (query.client_order_id, query.venue_order_id) == ("", NUMBER)
    bench.feed(answer(query, bench.now_ns, snapshot(WEB, VenueState.DONE_CANCELED, venue_order_id=NUMBER)))
    assert bench.status(KEY) == "CANCELED"


def test_one_that_was_executed_before_it_was_seen_is_asked_for_its_trades() -> None:
    bench = Bench(CLAIM).ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    bench.feed(snapshot(WEB, VenueState.WORKING, 3, venue_order_id=NUMBER))
    query = next(q for q in every(bench.wait(SECOND), VenueQuery) if q.kind is QueryKind.TRADES)
    assert query.venue_order_id == NUMBER
    fill = only(bench.feed(answer(query, bench.now_ns, history(12, 3, venue_order_id=NUMBER))), Fill)
    assert (fill.owner, fill.quantity) == ("external", 3 * UNIT)


def test_a_trade_of_others_that_only_the_history_shows_is_claimed_too() -> None:
    bench = Bench(CLAIM).ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    looked = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    row = history(12, 3, venue_order_id=NUMBER)
    whose = only(bench.feed(answer(looked[QueryKind.TRADES], bench.now_ns, row)), VenueQuery)
    assert (whose.kind, whose.venue_order_id) == (QueryKind.ORDER, NUMBER)
    bench.feed(answer(whose, bench.now_ns, snapshot(WEB, VenueState.DONE_CANCELED, 3, venue_order_id=NUMBER)))
    query = next(q for q in every(bench.wait(SECOND), VenueQuery) if q.kind is QueryKind.TRADES)
    assert only(bench.feed(answer(query, bench.now_ns, row)), Fill).owner == "external"
    assert bench.status(KEY) == "CANCELED"


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_claimed_order_is_known_after_a_restart(checkpoint: bool) -> None:
    before = Bench(CLAIM).ready()
    before.feed(new(WEB, venue_order_id=NUMBER))
    before.feed(traded(WEB, 1, 4, 4, venue_order_id=NUMBER))
    bench = Bench(CLAIM, now_ns=before.now_ns)
    if checkpoint:
        bench.orders = Orders(CLAIM)
        bench.orders.restore(before.orders.checkpoint())
    else:
        for fact in before.said:
            if type(fact) in bench.orders.recovers():
                bench.orders.recovers()[type(fact)](fact, before.now_ns)
    bench.start(epoch=2)
    assert every(bench.feed(traded(WEB, 1, 4, 4, venue_order_id=NUMBER)), Fill) == []
    assert only(bench.feed(traded(WEB, 2, 6, 10, venue_order_id=NUMBER)), Fill).client_order_id == KEY


def test_others_orders_may_be_canceled_on_sight() -> None:
    bench = started(replace(SETTINGS, external=External.CANCEL), (WEB, NUMBER))
    assert only(bench.said, CancelOrder).venue_order_id == NUMBER
    events = [alert.event for alert in every(bench.said, Alert)]
    assert ("external_order_canceled" in events, "external_order_claimed" in events) == (True, False)
    bench.feed(canceled(WEB, venue_order_id=NUMBER))
    assert bench.orders.view()["working"] == 0
    out = bench.feed(new("web_2", venue_order_id=78))
    assert only(out, CancelOrder).by_venue_id


def test_what_another_configuration_left_alone_is_looked_at_anew() -> None:
    before = Bench().ready()
    before.feed(traded(before.working(), 10, 10, 10))
    before.feed(new(WEB, venue_order_id=NUMBER))
    bench = Bench(CLAIM, now_ns=before.now_ns)
    bench.orders.restore(before.orders.checkpoint())
    bench.feed(INSTRUMENT)
    bench.feed(EngineStarted(1, 2))
    said = bench.feed(PrivateStreamUp(1, 2, bench.now_ns))
    trades = next(query for query in every(said, VenueQuery) if query.kind is QueryKind.TRADES)
    asked = only(bench.feed(answer(trades, bench.now_ns, history(12, 3, venue_order_id=NUMBER))), VenueQuery)
    assert asked.venue_order_id == NUMBER


# -- of the venue -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client_id", ["autoclose-1699", "adl_autoclose", "settlement_autoclose-1"])
@pytest.mark.parametrize("external", External)
def test_a_liquidation_is_ours_whatever_is_configured(client_id: str, external: External) -> None:
    """Binance USDⓈ-M: the exchange closes a position of ours by an order of its own."""
    bench = Bench(replace(SETTINGS, external=external)).ready()
    out = bench.feed(traded(client_id, 1, 10, 10, venue_order_id=NUMBER))
    fill = only(out, Fill)
    assert (fill.owner, fill.client_order_id) == ("venue", KEY)
    alert = only(out, Alert)
    assert (alert.event, alert.level) == ("order_of_the_venue", AlertLevel.CRITICAL)
    assert bench.orders.view()["strange"][0]["why"] == "order_of_the_venue"


def test_nobody_cancels_the_venues_own_order() -> None:
    bench = Bench().ready()
    bench.feed(new("autoclose-1699", venue_order_id=NUMBER))
    bench.feed(OperatorCommand(Control.CANCEL_ALL, -1, "me"))
    bench.feed(StopRequested("end", bench.now_ns + SECOND))
    bench.wait(SECOND)
    assert every(bench.said, CancelOrder) == []
