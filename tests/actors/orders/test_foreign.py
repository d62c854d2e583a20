"""Executions of orders that are left alone: each is said once for the ledger, whichever way it becomes known."""

import msgspec
import pytest

from actors.orders import Orders
from actors.orders.recovery import OrdersState
from bus.messages import (
    BalancesJudged,
    ExecutionReport,
    Fill,
    ForeignTraded,
    Message,
    QueryKind,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    SETTINGS,
    UNIT,
    Bench,
    answer,
    every,
    history,
    only,
    snapshot,
    traded,
)

WEB, NUMBER = "web_1a2b3c", 77


@pytest.fixture
def bench() -> Bench:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    bench.said.clear()
    return bench


def settle(bench: Bench, out: tuple[Message, ...]) -> list[VenueQuery]:
    """Answer what ends a look; the other questions."""
    asked = every(out, VenueQuery)
    for query in asked:
        if query.kind is QueryKind.BALANCES:
            bench.feed(answer(query, bench.now_ns))
    return [query for query in asked if query.kind is not QueryKind.BALANCES]


def look(bench: Bench, *rows: ExecutionReport) -> list[VenueQuery]:
    """The periodic look reads these trades; what it asks then. The one before it was judged."""
    bench.feed(BalancesJudged(1, 0, again=False))
    queries = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    bench.feed(answer(queries[QueryKind.OPEN_ORDERS], bench.now_ns))
    return settle(bench, bench.feed(answer(queries[QueryKind.TRADES], bench.now_ns, *rows)))


def test_a_trade_that_the_stream_tells_is_said_once(bench: Bench) -> None:
    told = only(bench.feed(traded(WEB, 12, 3, 3, venue_order_id=NUMBER)), ForeignTraded)
    assert (told.number, told.trade_id, told.quantity, told.quote) == (1, 12, 3 * UNIT, 3_000)
    bench.feed(traded(WEB, 12, 3, 3, venue_order_id=NUMBER))
    assert look(bench, history(10, 10), history(12, 3, venue_order_id=NUMBER)) == []
    assert len(every(bench.said, ForeignTraded)) == 1
    assert every(bench.said, Fill) == []


def test_a_trade_that_only_the_history_shows_is_said_when_it_is_known_whose_it_is(bench: Bench) -> None:
    [whose] = look(bench, history(12, 3, venue_order_id=NUMBER))
    assert (whose.kind, whose.venue_order_id) == (QueryKind.ORDER, NUMBER)
    gone = snapshot(WEB, VenueState.DONE_FILLED, 3, venue_order_id=NUMBER)
    trades = only(bench.feed(answer(whose, bench.now_ns, gone)), VenueQuery)
    assert (trades.kind, trades.venue_order_id) == (QueryKind.TRADES, NUMBER)
    out = bench.feed(answer(trades, bench.now_ns, history(12, 3, venue_order_id=NUMBER)))
    assert only(out, ForeignTraded).quantity == 3 * UNIT
    assert settle(bench, out) == []
    assert look(bench, history(12, 3, venue_order_id=NUMBER)) == []
    assert len(every(bench.said, ForeignTraded)) == 1


def test_a_trade_of_an_order_that_is_ours_by_its_id_is_never_taken_for_anothers(bench: Bench) -> None:
    """Of a later epoch: another engine's. We stop being ready, and its executions are in nobody's ledger of ours."""
    [whose] = look(bench, history(12, 3, venue_order_id=NUMBER))
    theirs = bench.orders.desk.ids
    theirs.set(9, 0, 10)
    key = theirs.make()
    theirs.set(1, 1, 1_000)
    bench.feed(answer(whose, bench.now_ns, snapshot(key, VenueState.DONE_FILLED, 3, venue_order_id=NUMBER)))
    assert every(bench.said, ForeignTraded) == []
    assert (7, NUMBER) not in bench.orders.desk.foreign


def test_what_lies_in_the_baseline_is_not_said(bench: Bench) -> None:
    bench.orders.desk.baseline[7] = 12
    assert every(bench.feed(traded(WEB, 12, 3, 3, venue_order_id=NUMBER)), ForeignTraded) == []


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_restart_says_none_of_them_again(bench: Bench, checkpoint: bool) -> None:
    bench.feed(traded(WEB, 12, 3, 3, venue_order_id=NUMBER))
    again = Bench(now_ns=bench.now_ns)
    if checkpoint:
        saved = msgspec.msgpack.encode(bench.orders.checkpoint())
        again.orders = Orders(SETTINGS)
        again.orders.restore(msgspec.msgpack.decode(saved, type=OrdersState))
    else:
        for fact in bench.said:
            if type(fact) in again.orders.recovers():
                again.orders.recovers()[type(fact)](fact, bench.now_ns)
    again.start(epoch=2)
    again.feed(traded(WEB, 12, 3, 3, venue_order_id=NUMBER))
    assert every(again.said, ForeignTraded) == []
    assert only(again.feed(traded(WEB, 13, 1, 4, venue_order_id=NUMBER)), ForeignTraded).number == 2


def test_balances_are_not_compared_across_one(bench: Bench) -> None:
    """It came between question and answer: the venue's totals may have it or not."""
    bench.feed(answer(next(q for q in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)), bench.now_ns))
    moves = bench.orders.desk.account_moves
    bench.feed(traded(WEB, 12, 3, 3, venue_order_id=NUMBER))
    assert bench.orders.desk.account_moves == moves + 1
