"""The private stream's own trust: what it must tell, how long it may take, what is done when it does not."""

import msgspec
import pytest
from msgspec.structs import replace

from actors.orders import Orders
from actors.orders.private_stream import LATE_NS, LEARNT_MIN
from actors.orders.recovery import OrdersState
from actors.orders.state import TRUST, Sign, Trust
from bus.messages import (
    Alert,
    CancelCommand,
    OrderRefused,
    OrdersReady,
    OrdersUnready,
    Outcome,
    PrivateStreamDown,
    PrivateStreamSuspected,
    PrivateStreamUp,
    QueryKind,
    Reconciled,
    RequestKind,
    StopRequested,
    TimerFired,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    MILLISECOND,
    SECOND,
    SETTINGS,
    Bench,
    answer,
    approved,
    canceled,
    every,
    history,
    new,
    only,
    reply,
    sent,
    snapshot,
    traded,
)

FIRST, LEAST, MOST = SETTINGS.stream_lag_first_ns, SETTINGS.stream_lag_min_ns, SETTINGS.stream_lag_max_ns


def accepted(bench: Bench, command: int = 1) -> str:
    """An order that the venue took, by its answer alone."""
    key = bench.order(command=command)
    bench.feed(sent(key, bench.now_ns))
    bench.feed(reply(key, Outcome.RESULT, venue_order_id=899 + command))
    return key


def learn(bench: Bench, delay_ns: int, count: int = LEARNT_MIN, first: int = 100) -> None:
    """So many orders whose events come that much after their answers; all of them end at once."""
    for command in range(first, first + count):
        key = accepted(bench, command)
        bench.wait(delay_ns)
        bench.feed(new(key, venue_order_id=899 + command))
        bench.feed(canceled(key, venue_order_id=899 + command))


def looked(bench: Bench, *listed: str) -> None:
    """Answer what a look asks, and what follows: only `listed` work at the venue, and were never traded."""
    queue = every(bench.said, VenueQuery)
    bench.said = [message for message in bench.said if not isinstance(message, VenueQuery)]
    while queue:
        query = queue.pop(0)
        rows = [snapshot(key, VenueState.WORKING) for key in listed if query.client_order_id in ("", key)]
        rows = rows if query.kind in (QueryKind.OPEN_ORDERS, QueryKind.ORDER) else []
        found = bool(rows) or query.kind is not QueryKind.ORDER
        queue += every(bench.feed(answer(query, bench.now_ns, *rows, found=found)), VenueQuery)


def suspicions(bench: Bench) -> list[bool]:
    """Of each word on the stream, whether another one is wanted."""
    return [message.renew for message in every(bench.said, PrivateStreamSuspected)]


@pytest.fixture
def bench() -> Bench:
    return Bench().ready()


def test_the_table_begins_anew_with_every_stream() -> None:
    assert {TRUST[trust, Sign.OPENED] for trust in Trust} == {Trust.TRUSTED}
    assert TRUST[Trust.SUSPECT, Sign.MISSED] is Trust.CONDEMNED


def test_an_order_that_was_taken_and_is_not_told_makes_the_stream_suspect(bench: Bench) -> None:
    key = accepted(bench)
    bench.wait(FIRST - 1)
    assert suspicions(bench) == []
    said = bench.wait(1)
    assert only(said, PrivateStreamSuspected).generation == 1
    assert only(said, OrdersUnready).reason == "private_stream_suspect"
    assert bench.status(key) == "SUSPECT"
    assert {query.kind for query in every(said, VenueQuery)} >= {QueryKind.OPEN_ORDERS}
    assert only(said, Alert).event == "private_stream_suspect"
    assert f"untold=existence client_order_id={key}" in only(said, Alert).detail


def test_a_cancel_that_was_done_and_is_not_told_makes_it_suspect_too(bench: Bench) -> None:
    key = bench.working()
    bench.feed(CancelCommand(1, 2, 7, "maker", key, 0))
    bench.feed(reply(key, Outcome.RESULT, request=RequestKind.CANCEL))
    bench.wait(FIRST)
    assert suspicions(bench) == [False]


def test_the_bound_is_for_the_event_wherever_the_order_is_by_then(bench: Bench) -> None:
    """A query ended the order meanwhile; the stream still owes its word."""
    key = accepted(bench)
    bench.orders.queries.fold(snapshot(key, VenueState.DONE_CANCELED), bench.now_ns, bench.now_ns, [])
    bench.wait(FIRST)
    assert suspicions(bench) == [False]


def test_when_the_look_is_answered_and_it_still_has_not_told_it_is_given_up(bench: Bench) -> None:
    key = accepted(bench)
    bench.wait(FIRST)
    looked(bench, key)
    assert suspicions(bench) == [False, True]
    bench.feed(canceled(key))
    looked(bench)
    bench.wait(SECOND)
    assert every(bench.said[-5:], OrdersReady) == [], "nothing new goes out before another stream is open"
    assert only(bench.feed(approved(command=9)), OrderRefused)
    bench.feed(PrivateStreamDown(1, 1, "given up"))
    bench.feed(PrivateStreamUp(1, 2, bench.now_ns))
    looked(bench)
    assert bench.orders.view()["phase"] == "READY"
    assert bench.orders.view()["private_stream"]["trust"] == "TRUSTED"


def test_an_event_that_was_only_late_clears_it_and_buys_patience(bench: Bench) -> None:
    key = accepted(bench)
    bench.wait(FIRST)
    bench.feed(new(key))
    looked(bench, key)
    bench.feed(canceled(key))
    looked(bench)
    assert suspicions(bench) == [False]
    assert bench.orders.view()["counts"]["private_stream_cleared"] == 1
    assert bench.orders.view()["private_stream"]["bound_ms"] == 2 * FIRST // MILLISECOND
    assert [told.trigger for told in every(bench.said, Reconciled)][-1] == "suspicion"


def test_an_event_before_its_answer_is_what_was_expected(bench: Bench) -> None:
    key = bench.order()
    bench.feed(new(key))
    bench.feed(reply(key, Outcome.RESULT))
    bench.wait(MOST)
    assert suspicions(bench) == []


def test_the_bound_is_learnt_from_healthy_orders_and_never_below_its_floor(bench: Bench) -> None:
    learn(bench, MILLISECOND)
    assert bench.orders.view()["private_stream"]["bound_ms"] == LEAST // MILLISECOND
    accepted(bench)
    bench.wait(LEAST)
    assert suspicions(bench) == [False]


@pytest.mark.parametrize("lag_ms", [300, 900])
def test_a_lazy_stream_is_not_suspected_at_each_order(bench: Bench, lag_ms: int) -> None:
    learn(bench, lag_ms * MILLISECOND, 200)
    assert suspicions(bench) == []
    assert bench.orders.view()["private_stream"]["bound_ms"] == min(4 * lag_ms, MOST // MILLISECOND)


def test_a_stream_that_becomes_slower_than_its_bound_costs_few_alarms() -> None:
    """Goal: laziness is learnt also where each late event comes after a verdict. Method: 1.5 s behind, a new one each time."""
    bench = Bench().ready()
    learn(bench, MILLISECOND)
    renewals = 0
    for command in range(200, 260):
        key = accepted(bench, command)
        bench.wait(3 * SECOND // 2)
        renewed = suspicions(bench)[-1:] == [True] or bench.orders.view()["private_stream"]["trust"] != "TRUSTED"
        bench.feed(new(key, venue_order_id=899 + command))
        bench.feed(canceled(key, venue_order_id=899 + command))
        looked(bench)
        if renewed:
            renewals += 1
            bench.said.clear()
            bench.feed(PrivateStreamUp(1, command, bench.now_ns))
            looked(bench)
    assert renewals <= 2


def test_a_fill_that_only_a_look_finds_must_come_on_the_stream_too(bench: Bench) -> None:
    bench.feed(traded(bench.working(), 10, 10, 10))
    key = bench.order(command=2)
    bench.feed(new(key, venue_order_id=901))
    looks = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    late = history(11, 4, venue_order_id=901, venue_ns=bench.now_ns - 100 * MILLISECOND)
    bench.feed(answer(looks[QueryKind.TRADES], bench.now_ns, late))
    assert suspicions(bench) == []
    bench.wait(FIRST)
    assert suspicions(bench) == [False]
    assert "untold=trade 11" in [alert.detail for alert in every(bench.said, Alert)][-1]


def test_a_fill_of_before_the_stream_began_is_none_of_its_business(bench: Bench) -> None:
    before_ns = bench.now_ns - SECOND
    bench.feed(traded(bench.working(), 10, 10, 10))
    key = bench.order(command=2)
    bench.feed(new(key, venue_order_id=901))
    looks = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    bench.feed(answer(looks[QueryKind.TRADES], bench.now_ns, history(11, 4, venue_order_id=901, venue_ns=before_ns)))
    bench.wait(MOST)
    assert suspicions(bench) == []


def test_the_venues_clock_may_be_as_wrong_as_it_is_known_to_be(bench: Bench) -> None:
    """What happened is dated by the venue; with an uncertain clock it is due that much later."""
    bench.orders.desk.set_clock(0, SECOND)
    bench.feed(traded(bench.working(), 10, 10, 10))
    key = bench.order(command=2)
    bench.feed(new(key, venue_order_id=901))
    looks = {query.kind: query for query in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery)}
    bench.feed(answer(looks[QueryKind.TRADES], bench.now_ns, history(11, 4, venue_order_id=901, venue_ns=bench.now_ns)))
    bench.wait(FIRST + SECOND - 1)
    assert suspicions(bench) == []
    bench.wait(1)
    assert suspicions(bench) == [False]


def test_silence_while_orders_work_is_looked_into() -> None:
    bench = Bench(replace(SETTINGS, reconcile_interval_ns=600 * SECOND)).ready()
    key = accepted(bench)
    bench.feed(new(key))
    bench.wait(SETTINGS.stream_silence_ns + FIRST)
    assert suspicions(bench) == [False]
    assert "silent_ms=" in [alert.detail for alert in every(bench.said, Alert)][-1]
    looked(bench, key)
    bench.feed(canceled(key))
    looked(bench)
    assert suspicions(bench) == [False], "nothing was missing: it had nothing to say"
    bench.wait(10 * SETTINGS.stream_silence_ns)
    assert suspicions(bench) == [False], "and it may be silent while nothing works"


def test_looks_that_find_nothing_untold_prove_it_alive(bench: Bench) -> None:
    key = accepted(bench)
    bench.feed(new(key))
    for _ in range(20):
        bench.wait(10 * SECOND)
        looked(bench, key)
    assert suspicions(bench) == []


def test_silence_is_not_judged_where_that_is_switched_off() -> None:
    bench = Bench(replace(SETTINGS, reconcile_interval_ns=3_600 * SECOND, stream_silence_ns=0)).ready()
    bench.feed(new(accepted(bench)))
    bench.wait(3_000 * SECOND)
    assert suspicions(bench) == []


def test_nobody_is_judged_by_a_timer_that_is_late(bench: Bench) -> None:
    """A process that stood still finds the stream's words behind its timers: they get their time once more."""
    key = accepted(bench)
    due_ns = bench.timers.pop(5).fires_ns
    bench.now_ns = due_ns + LATE_NS + 1
    bench.feed(TimerFired("orders", 5, 0, due_ns))
    assert suspicions(bench) == []
    assert bench.orders.view()["counts"]["stream_not_judged"] == 1
    bench.feed(new(key))
    bench.wait(MOST)
    assert suspicions(bench) == []


def test_a_lost_stream_owes_nothing(bench: Bench) -> None:
    accepted(bench)
    bench.feed(PrivateStreamDown(1, 1, "cut"))
    bench.wait(MOST)
    assert suspicions(bench) == []


def test_a_stop_asks_about_each_order_itself(bench: Bench) -> None:
    accepted(bench)
    bench.feed(StopRequested("end", bench.now_ns + 60 * SECOND))
    bench.wait(MOST)
    assert suspicions(bench) == []


def test_while_requests_flow_one_timer_does_for_all(bench: Bench) -> None:
    """No message to the host for each order: the earliest deadline is armed, later ones follow from it."""
    bench.said.clear()
    for command in range(50):
        accepted(bench, command + 1)
        bench.wait(MILLISECOND)
    timers = [message for message in bench.said if getattr(message, "counter", 0) == 5]
    assert len(timers) == 1


def test_a_checkpoint_keeps_what_was_learnt_and_what_is_owed(bench: Bench) -> None:
    learn(bench, 5 * MILLISECOND)
    accepted(bench)
    saved = msgspec.msgpack.encode(bench.orders.checkpoint())
    other = Orders(SETTINGS)
    other.restore(msgspec.msgpack.decode(saved, type=OrdersState))
    assert other.view()["private_stream"] == bench.orders.view()["private_stream"]
    assert msgspec.msgpack.encode(other.checkpoint()) == saved
