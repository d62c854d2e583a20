"""Ids of ours at the venue that this run did not make: another engine's, an old directory's, or one that repeats."""

import pytest

from actors.orders import Leftovers
from bus.messages import (
    Alert,
    AlertLevel,
    CancelOrder,
    ClockEstimate,
    EngineStarted,
    Fill,
    Message,
    OrderRefused,
    OrdersReady,
    OrdersUnready,
    OrderUpdate,
    Outcome,
    PrivateStreamUp,
    QueryKind,
    Refusal,
    SubmitOrder,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    INSTRUMENT,
    MILLISECOND,
    SECOND,
    SETTINGS,
    Bench,
    answer,
    approved,
    every,
    new,
    only,
    reply,
    sent,
    snapshot,
    traded,
)
from tests.support.ids import id_of


def looked(bench: Bench, said: tuple[Message, ...], *listed: str) -> None:
    """Answer every look among `said`, and what follows from it: `listed` works at the venue, and nothing else."""
    queue = every(said, VenueQuery)
    for _ in range(30):
        if not queue:
            return
        query = queue.pop(0)
        bench.now_ns += MILLISECOND
        rows = [snapshot(key, VenueState.WORKING) for key in listed if query.client_order_id in ("", key)]
        rows = rows if query.kind in (QueryKind.OPEN_ORDERS, QueryKind.ORDER) else []
        queue += every(bench.feed(answer(query, bench.now_ns, *rows)), VenueQuery)


def test_an_order_of_a_later_epoch_keeps_an_older_engine_from_ready_and_names_the_remedy() -> None:
    bench = Bench()
    looked(bench, bench.start(epoch=3), id_of(4))
    bench.wait(120 * SECOND)
    assert every(bench.said, OrdersReady) == []
    assert only(bench.feed(approved()), OrderRefused).reason is Refusal.NOT_CONNECTED
    alert = next(alert for alert in every(bench.said, Alert) if alert.event == "order_of_a_later_epoch")
    assert alert.level is AlertLevel.CRITICAL
    assert "remedy=" in alert.detail


def test_an_older_engine_never_touches_an_order_of_a_later_epoch() -> None:
    bench = Bench()
    looked(bench, bench.start(epoch=3), id_of(4))
    bench.feed(traded(id_of(4), 1, 10, 10))
    assert every(bench.said, CancelOrder) == every(bench.said, Fill) == every(bench.said, OrderUpdate) == []


def test_an_order_of_a_later_epoch_on_the_stream_ends_ready() -> None:
    """Another engine took the account over while we traded: our orders are canceled and nothing new goes out."""
    bench = Bench().ready(epoch=3)
    key = bench.working()
    out = bench.feed(new(id_of(4), venue_order_id=77))
    assert only(out, OrdersUnready).reason == "order_of_a_later_epoch"
    assert only(bench.feed(approved(command=2)), OrderRefused).reason is Refusal.NOT_CONNECTED
    looked(bench, out, key)
    assert only(bench.said, CancelOrder).client_order_id == key


def test_a_start_with_a_higher_epoch_is_the_remedy() -> None:
    bench = Bench()
    looked(bench, bench.start(epoch=3), id_of(4))
    bench.feed(EngineStarted(1, 5))
    bench.said.clear()
    looked(bench, bench.feed(PrivateStreamUp(1, 2, bench.now_ns)), id_of(4))
    assert only(bench.said, CancelOrder).client_order_id == id_of(4), "now it is an orphan like any other"


def test_an_id_of_our_epoch_that_we_never_gave_out_is_another_engines_and_ends_ready() -> None:
    """Two engines with fresh state directories on one account: each begins with epoch 1 and counter 0."""
    bench = Bench().ready(epoch=1)
    key = bench.working()
    theirs = id_of(1, 1)
    out = bench.feed(new(theirs, venue_order_id=77))
    assert only(out, OrdersUnready).reason == "order_of_another_engine"
    alert = only(out, Alert)
    assert (alert.level, alert.event) == (AlertLevel.CRITICAL, "order_of_another_engine")
    assert "remedy=one engine an account, or another [orders] prefix" in alert.detail
    assert only(bench.feed(approved(command=2)), OrderRefused).reason is Refusal.NOT_CONNECTED
    looked(bench, out, key, theirs)
    assert only(bench.said, CancelOrder).client_order_id == key


def test_the_first_id_that_was_not_given_out_is_the_boundary() -> None:
    bench = Bench().ready(epoch=1)
    given, following = bench.working(), id_of(1, 1)
    bench.feed(traded(given, 1, 10, 10))
    bench.orders.desk.register.done.clear()
    assert only(bench.feed(new(given, venue_order_id=5)), Alert).event == "report_of_forgotten_order"
    assert every(bench.feed(new(following, venue_order_id=6)), OrdersUnready) != []


@pytest.mark.parametrize("counter", [0, SETTINGS.ids_block - 1, SETTINGS.ids_block])
def test_an_order_of_another_engine_in_the_look_keeps_us_from_ready_and_is_not_touched(counter: int) -> None:
    bench = Bench()
    looked(bench, bench.start(epoch=1), id_of(1, counter))
    bench.wait(120 * SECOND)
    bench.feed(traded(id_of(1, counter), 1, 10, 10))
    assert every(bench.said, OrdersReady) == every(bench.said, CancelOrder) == every(bench.said, Fill) == []
    assert only(bench.feed(approved()), OrderRefused).reason is Refusal.NOT_CONNECTED


@pytest.mark.parametrize("outcome", [Outcome.AMBIGUOUS, Outcome.REFUSED])
def test_a_duplicate_of_an_id_we_sent_once_names_the_other_engine_and_stays_unknown(outcome: Outcome) -> None:
    bench = Bench().ready()
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    out = bench.feed(reply(key, outcome, -2010, reason="Duplicate order sent."))
    alert = next(alert for alert in every(out, Alert) if alert.level is AlertLevel.CRITICAL)
    assert alert.event == "order_of_another_engine"
    assert key in alert.detail
    assert "remedy=one engine an account, or another [orders] prefix" in alert.detail
    assert bench.status(key) == "UNKNOWN_NEW"
    other = bench.order(command=2)
    assert every(bench.feed(reply(other, Outcome.REFUSED, -2010, reason="Filter failure")), Alert) == []


@pytest.mark.parametrize("done", [False, True])
def test_an_id_that_stands_in_the_register_is_never_given_again(done: bool) -> None:
    """The order of a journal without its reservations keeps its record; the new one is refused, the next id is tried."""
    earlier = Bench().ready(epoch=1)
    taken = earlier.working()
    if done:
        earlier.feed(snapshot(taken, VenueState.DONE_CANCELED))
    bench = Bench(settings=SETTINGS.__class__(1, 2, leftovers=Leftovers.ADOPT))
    for fact in every(earlier.said, OrderUpdate):
        bench.orders.recovers()[OrderUpdate](fact, earlier.now_ns)
    looked(bench, bench.start(epoch=1), *([] if done else [taken]))
    before = bench.orders.desk.register.find(taken)
    assert before is not None
    out = bench.feed(approved(command=5))
    assert only(out, OrderRefused) == OrderRefused(7, "maker", 5, 1, Refusal.EPOCH)
    assert only(out, Alert).event == "client_order_id_taken"
    assert bench.orders.desk.register.find(taken) is before
    assert only(bench.feed(approved(command=6)), SubmitOrder).client_order_id == id_of(1, 1)


def test_a_report_from_before_our_order_is_about_another_order() -> None:
    """Its id was used by an old directory and is done at the venue; the query by client id finds that one."""
    bench = Bench().ready()
    bench.feed(ClockEstimate(2, 3 * SECOND, SECOND))
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    bench.feed(reply(key, Outcome.AMBIGUOUS))
    query = only(bench.wait(SECOND), VenueQuery)
    old = snapshot(key, VenueState.DONE_FILLED, 10, venue_ns=bench.now_ns - 60 * SECOND)
    alert = only(bench.feed(answer(query, bench.now_ns, old)), Alert)
    assert (alert.level, alert.event) == (AlertLevel.CRITICAL, "report_of_another_order")
    assert bench.status(key) == "UNKNOWN_NEW"
    assert bench.feed(traded(key, 3, 10, 10, venue_ns=bench.now_ns - 60 * SECOND)) == ()
    assert bench.orders.view()["quarantined"] == 2
    bench.feed(new(key, venue_ns=bench.now_ns + 2 * SECOND))
    assert bench.status(key) == "ACCEPTED", "its own words count"


def test_a_listed_order_of_the_same_id_from_before_is_no_proof_of_ours() -> None:
    bench = Bench().ready()
    key = bench.working()
    look = next(q for q in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery))
    out = bench.feed(answer(look, bench.now_ns, snapshot(key, VenueState.WORKING, venue_ns=1)))
    assert only(out, VenueQuery).client_order_id == key, "not listed: asked for"
    assert bench.status(key) == "SUSPECT"


def test_a_word_of_the_venues_older_clock_counts_within_our_uncertainty() -> None:
    bench = Bench().ready()
    bench.feed(ClockEstimate(2, -20 * SECOND, SECOND))
    key = bench.order()
    bench.feed(new(key, venue_ns=bench.now_ns - 21 * SECOND))
    assert bench.status(key) == "ACCEPTED"


def test_an_order_of_an_earlier_run_is_not_judged_by_times_of_this_one() -> None:
    """Its sending was stamped by the clock of that run, which was an hour ahead; the venue's words on it were not."""
    before = Bench(now_ns=10_000 * SECOND).ready()
    key = before.working()
    bench = Bench(now_ns=20_000 * SECOND)
    folders = bench.orders.recovers()
    for fact in before.said:
        if type(fact) in folders:
            folders[type(fact)](fact, before.now_ns)
    bench.feed(INSTRUMENT)
    bench.feed(EngineStarted(1, 2))
    bench.feed(new(key, venue_ns=6_400 * SECOND))
    assert bench.orders.view()["quarantined"] == 0
