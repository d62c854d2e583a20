"""What is asked of the venue, when, and what its answer is a proof of."""

import msgspec
import pytest

from bus.messages import (
    BalancesJudged,
    Fill,
    OrdersQuiet,
    PrivateStreamDown,
    PrivateStreamUp,
    QueryKind,
    ReportKind,
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
    report,
    snapshot,
    traded,
)


def test_a_stop_before_the_venue_was_looked_at_knows_nothing() -> None:
    bench = Bench()
    bench.feed(INSTRUMENT)
    bench.feed(StopRequested("early", bench.now_ns + SECOND))
    assert only(bench.wait(2 * SECOND), OrdersQuiet).unresolved == -1


def test_a_stop_amid_the_first_look_knows_nothing() -> None:
    bench = Bench()
    bench.start()
    bench.feed(StopRequested("early", bench.now_ns + SECOND))
    assert only(bench.wait(2 * SECOND), OrdersQuiet).unresolved == -1


def test_missing_executions_of_an_order_the_venue_named_are_asked_for_by_its_id() -> None:
    bench = Bench().ready()
    key = bench.working()
    bench.feed(canceled(key, 3))
    query = only(bench.wait(SECOND), VenueQuery)
    assert (query.kind, query.venue_order_id) == (QueryKind.TRADES, 900)
    following = only(bench.feed(answer(query, bench.now_ns, history(5, 1), complete=False)), VenueQuery)
    assert (following.venue_order_id, following.from_id) == (900, 6)


def test_the_looks_ask_for_trades_of_all_orders() -> None:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    queries = every(bench.feed(PrivateStreamUp(1, 2, 0)), VenueQuery)
    assert [query.venue_order_id for query in queries] == [0, 0]


def test_the_periodic_look_books_a_fill_that_the_stream_lost() -> None:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    second, third = bench.order(command=2), bench.order(command=3)
    bench.feed(new(second, venue_order_id=901))
    bench.feed(traded(third, 12, 10, 10, venue_order_id=902))
    looks = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    assert looks[QueryKind.TRADES].from_id == 0
    rows = [history(10, 10), history(11, 4, venue_order_id=901)]
    fill = only(bench.feed(answer(looks[QueryKind.TRADES], bench.now_ns, *rows)), Fill)
    assert (fill.client_order_id, fill.trade_id, fill.quantity) == (second, 11, 4 * UNIT)


def test_the_periodic_look_reads_again_what_was_traded_since_the_look_before() -> None:
    """The lost one may be older than the newest that was booked, by that look or by this one."""
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    bench.empty(tuple(bench.wait(SETTINGS.reconcile_interval_ns)))
    bench.feed(BalancesJudged(1, 0, again=False))
    key = bench.working(command=2)
    bench.feed(new(key, venue_order_id=901))
    bench.feed(traded(key, 15, 10, 10, venue_order_id=901))
    looks = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    assert looks[QueryKind.TRADES].from_id == 10


@pytest.mark.parametrize("killed", [False, True])
def test_a_fill_that_neither_stream_nor_history_showed_in_time_is_found_when_the_ledger_differs(killed: bool) -> None:
    """The stream lost 12 and told 15; the history was behind when it was read from 10 on, and shows it later. A restart between
    forgets nothing of it.
    """
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    bench.empty(tuple(bench.wait(SETTINGS.reconcile_interval_ns)))
    bench.feed(BalancesJudged(1, 0, again=False))
    lost, told = bench.order(command=2), bench.order(command=3)
    bench.feed(canceled(lost, 0, venue_order_id=901))
    bench.feed(traded(told, 15, 10, 10, venue_order_id=902))
    for _ in range(2):
        bench.empty(tuple(bench.wait(SETTINGS.reconcile_interval_ns)))
        bench.feed(BalancesJudged(1, 0, again=False))
    if killed:
        bench.orders.restore(bench.orders.checkpoint())
    looks = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    assert looks[QueryKind.TRADES].from_id == 15
    bench.empty(tuple(looks.values()))
    bench.feed(BalancesJudged(1, 0, again=True))
    again = next(one for one in every(bench.wait(SECOND), VenueQuery) if one.kind is QueryKind.TRADES)
    assert again.from_id <= 10
    fill = only(bench.feed(answer(again, bench.now_ns, history(10, 10), history(12, 4, venue_order_id=901))), Fill)
    assert (fill.client_order_id, fill.trade_id) == (lost, 12)


def test_after_a_week_trades_are_asked_for_by_time_window_by_window() -> None:
    """From an hour before the last look that read them, and from where each answer ends; then by id as before."""
    week = 7 * 86_400 * SECOND
    bench = Bench(msgspec.structs.replace(SETTINGS, trades_window_ns=week)).ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    bench.empty(tuple(bench.wait(SETTINGS.reconcile_interval_ns)))
    bench.feed(BalancesJudged(1, 0, again=False))
    looked_ns = bench.now_ns
    bench.feed(PrivateStreamDown(1, 1, "off"))
    bench.now_ns += 2 * week
    asked = {query.kind: query for query in every(bench.feed(PrivateStreamUp(1, 2, 0)), VenueQuery)}
    query = asked[QueryKind.TRADES]
    assert 0 <= looked_ns - 3_600 * SECOND - query.since_ns < SECOND
    until_ns = query.since_ns + week
    for _ in range(2):
        page = answer(query, bench.now_ns, complete=False)
        query = only(bench.feed(msgspec.structs.replace(page, until_ns=until_ns)), VenueQuery)
        assert (query.kind, query.since_ns) == (QueryKind.TRADES, until_ns)
        until_ns += week
    stuck = msgspec.structs.replace(answer(query, bench.now_ns, complete=False), until_ns=query.since_ns)
    assert QueryKind.TRADES not in {one.kind for one in every(bench.feed(stuck), VenueQuery)}
    again = next(one for one in every(bench.wait(SECOND), VenueQuery) if one.kind is QueryKind.TRADES)
    assert again.since_ns == query.since_ns


def test_a_report_that_came_before_the_doubt_proves_nothing_however_late_it_is_read() -> None:
    """The loss of the stream overtakes reports that wait in a lower class of inputs."""
    bench = Bench().ready()
    key = bench.working()
    received_ns = bench.now_ns
    bench.wait(MILLISECOND)
    bench.feed(PrivateStreamDown(1, 1, "cut"))
    bench.wait(MILLISECOND)
    bench.feed(new(key, received_ns=received_ns))
    assert bench.status(key) == "SUSPECT"
    bench.feed(new(key, received_ns=bench.now_ns))
    assert bench.status(key) == "ACCEPTED"


@pytest.mark.parametrize("kind", [ReportKind.TRADE, ReportKind.CANCELED])
def test_a_report_from_before_the_doubt_still_counts_for_what_it_says(kind: ReportKind) -> None:
    bench = Bench().ready()
    key = bench.working()
    received_ns = bench.now_ns
    bench.wait(MILLISECOND)
    bench.feed(PrivateStreamDown(1, 1, "cut"))
    if kind is ReportKind.TRADE:
        assert only(bench.feed(traded(key, 1, 4, 4, received_ns=received_ns)), Fill).quantity == 4 * UNIT
    else:
        bench.feed(report(key, kind, VenueState.DONE_CANCELED, received_ns=received_ns))
        assert bench.status(key) == "CANCELED"


def test_an_order_sent_by_a_clock_that_was_ahead_can_still_be_proven_absent_in_time() -> None:
    """The wall clock went back an hour between two runs: nothing of the earlier one lies in the future."""
    before = Bench(now_ns=10_000 * SECOND).ready()
    key = before.order()
    bench = Bench(now_ns=6_400 * SECOND)
    folders = bench.orders.recovers()
    for fact in before.said:
        if type(fact) in folders:
            folders[type(fact)](fact, before.now_ns)
    bench.start(epoch=2)
    for _ in range(60):
        queries = every(bench.said, VenueQuery)
        bench.said.clear()
        for query in queries:
            bench.feed(answer(query, bench.now_ns, found=query.kind is not QueryKind.ORDER))
        bench.wait(SECOND)
    assert bench.status(key) == "NEVER_SENT"


def test_a_snapshot_in_the_look_is_a_proof_from_when_it_was_asked() -> None:
    bench = Bench().ready()
    key = bench.working()
    looks = {query.kind: query for query in every(bench.feed(PrivateStreamUp(1, 2, 0)), VenueQuery)}
    bench.feed(answer(looks[QueryKind.TRADES], bench.now_ns))
    bench.feed(answer(looks[QueryKind.OPEN_ORDERS], bench.now_ns, snapshot(key, VenueState.WORKING)))
    assert bench.status(key) == "PENDING_CANCEL"
