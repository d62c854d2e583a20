"""From a stream that comes up to orders ready: phases as a table, and nothing concluded from a failed question."""

from msgspec.structs import replace

from actors.orders.phases import PHASES, Phase, Step
from bus.messages import (
    Alert,
    Balance,
    BalancesReported,
    CancelOrder,
    EngineStarted,
    Fill,
    Instrument,
    Message,
    OrdersReady,
    OrdersUnready,
    Outcome,
    PrivateStreamUp,
    QueryKind,
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
    listing,
    only,
    snapshot,
    traded,
)
from tests.support.ids import id_of


def test_the_stream_decides_from_every_phase() -> None:
    assert {PHASES[phase, Step.STREAM_UP] for phase in Phase} == {Phase.LOOK}
    assert {PHASES[phase, Step.STREAM_DOWN] for phase in Phase} == {Phase.DOWN}


def test_ready_is_reached_only_through_a_second_look_that_agrees() -> None:
    assert [row for row, phase in PHASES.items() if phase is Phase.READY] == [(Phase.VERIFY, Step.AGREED)]


def test_the_questions_come_in_their_order() -> None:
    bench = Bench()
    bench.empty(bench.start())
    kinds = [(query.kind, query.from_id) for query in every(bench.said, VenueQuery)]
    looked = [(QueryKind.OPEN_ORDERS, 0), (QueryKind.TRADES, -1)]
    assert kinds == [*looked, (QueryKind.BALANCES, 0), (QueryKind.OPEN_ORDERS, 0)]
    assert only(bench.said, OrdersReady) == OrdersReady(1, 1, 0, 0, 0)


def test_the_stream_may_be_up_before_the_engine_started() -> None:
    bench = Bench()
    bench.feed(INSTRUMENT)
    assert bench.feed(PrivateStreamUp(1, 1, 0)) == ()
    assert listing(bench.feed(EngineStarted(1, 1))).instrument == 7


def test_every_instrument_is_looked_at() -> None:
    bench = Bench()
    bench.feed(replace(INSTRUMENT, instrument=8, venue_symbol="ETHUSDT"))
    assert [query.instrument for query in every(bench.start(), VenueQuery)] == [8, 7]


def test_balances_are_quiet_when_nothing_works() -> None:
    bench = Bench()
    query = only(bench.feed(answer(only(bench.start(), VenueQuery), bench.now_ns)), VenueQuery)
    told = replace(answer(query, bench.now_ns), balances=(Balance("BTC", 5, 0),))
    reported = BalancesReported(1, 2, True, (Balance("BTC", 5, 0),), ((7, -1),), steady=True)
    assert only(bench.feed(told), BalancesReported) == reported


def test_failed_looks_are_asked_again_with_pauses_and_alerts_and_nothing_is_concluded() -> None:
    bench = Bench()
    query = only(bench.start(), VenueQuery)
    start_ns = bench.now_ns
    for _ in range(25):
        bench.feed(answer(query, bench.now_ns, outcome=Outcome.REFUSED))
        while not (again := every(bench.wait(10 * MILLISECOND), VenueQuery)):
            assert bench.orders.view()["phase"] == "LOOK"
        query = again[0]
    assert bench.now_ns - start_ns > 15 * SETTINGS.backoff_max_ns
    assert [alert.event for alert in every(bench.said, Alert)] == ["look_failed"] * 3
    bench.empty(bench.feed(answer(query, bench.now_ns)))
    assert bench.orders.view()["phase"] == "READY"


def test_an_orphan_is_canceled_before_anything_is_ready_and_its_past_lies_in_the_baseline() -> None:
    bench = Bench()
    key = id_of(0)
    look = only(bench.start(), VenueQuery)
    out = bench.feed(answer(look, bench.now_ns, snapshot(key, VenueState.WORKING, 3)))
    assert only(out, CancelOrder).client_order_id == key
    assert bench.orders.view()["shortfalls"] == {}
    out = bench.feed(canceled(key, 3))
    assert only(out, VenueQuery).kind is QueryKind.BALANCES
    bench.empty(out)
    assert only(bench.said, OrdersReady).canceled == 1
    assert every(bench.said, Fill) == []


def test_an_orphans_fills_since_the_last_known_trade_are_booked() -> None:
    """The journal's tail was lost with the power: trades from the last known one on are ours to book."""
    before = Bench().ready()
    known = before.working()
    before.feed(traded(known, 10, 10, 10))
    bench = Bench(now_ns=before.now_ns)
    folders = bench.orders.recovers()
    for fact in before.said:
        if type(fact) in folders:
            folders[type(fact)](fact, 0)
    key = id_of(1, 500)
    queries = {query.kind: query for query in every(bench.start(epoch=2), VenueQuery)}
    assert queries[QueryKind.TRADES].from_id == 10
    rows = [history(10, 10), history(11, 2, venue_order_id=950)]
    bench.feed(answer(queries[QueryKind.TRADES], bench.now_ns, *rows))
    resting = snapshot(key, VenueState.WORKING, 2, venue_order_id=950)
    bench.feed(answer(queries[QueryKind.OPEN_ORDERS], bench.now_ns, resting))
    bench.feed(canceled(key, 2, venue_order_id=950))
    trades = next(query for query in every(bench.wait(SECOND), VenueQuery) if query.kind is QueryKind.TRADES)
    bench.feed(answer(trades, bench.now_ns, *rows))
    assert [(fill.trade_id, fill.quantity) for fill in every(bench.said, Fill)] == [(11, 2 * UNIT)]
    assert [fill.recovered for fill in every(before.said, Fill) + every(bench.said, Fill)] == [False, True]
    assert bench.status(key) == "CANCELED"


def test_a_second_look_that_differs_starts_the_looks_again() -> None:
    bench = Bench()
    key = id_of(0)
    out: tuple[Message, ...] = bench.start()
    for _ in range(2):
        out = bench.feed(answer(only(out, VenueQuery), bench.now_ns))
    out = bench.feed(answer(only(out, VenueQuery), bench.now_ns, snapshot(key, VenueState.WORKING)))
    assert "start_looks_differ" in [alert.event for alert in every(out, Alert)]
    assert bench.orders.view()["phase"] == "PAUSE"
    bench.feed(canceled(key))
    bench.empty(tuple(bench.wait(SECOND)))
    assert bench.orders.view()["phase"] == "READY"


def test_trades_are_read_page_by_page() -> None:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    queries = {query.kind: query for query in every(bench.feed(PrivateStreamUp(1, 2, 0)), VenueQuery)}
    rows = [history(number, 1, venue_order_id=1) for number in (11, 12)]
    following = only(bench.feed(answer(queries[QueryKind.TRADES], bench.now_ns, *rows, complete=False)), VenueQuery)
    assert (following.kind, following.from_id) == (QueryKind.TRADES, 13)


def test_a_stream_that_comes_again_unreadies_first_and_disowns_what_was_asked() -> None:
    bench = Bench().ready()
    look = every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)[0]
    out = bench.feed(PrivateStreamUp(1, 2, 0))
    assert isinstance(out[0], OrdersUnready)
    assert bench.feed(answer(look, bench.now_ns)) == ()
    assert bench.orders.view()["counts"]["query_answer_disowned"] == 1


def test_an_instrument_added_while_ready_is_looked_at_before_it_trades() -> None:
    bench = Bench().ready()
    added: Instrument = replace(INSTRUMENT, instrument=8, venue_symbol="ETHUSDT")
    out = bench.feed(added)
    assert isinstance(out[0], OrdersUnready)
    assert {query.instrument for query in every(out, VenueQuery)} == {7, 8}
    assert bench.feed(replace(INSTRUMENT, version=2)) == ()
