"""Executions of an order that is ours by its id and of which the journal knows nothing."""

from bus.messages import Alert, Fill, QueryKind, VenueQuery, VenueState
from tests.actors.orders.build import (
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
)
from tests.support.ids import id_of


def with_shortfall() -> tuple[Bench, str]:
    """An orphan that ended with 3 lots executed, of which no execution was seen yet."""
    bench = Bench().ready(epoch=2)
    key = id_of(1)
    bench.feed(new(key))
    bench.feed(canceled(key, 3))
    assert bench.status(key) == "SUSPECT"
    return bench, key


def answered(bench: Bench, wait_ns: int, *rows: object) -> None:
    """Let `wait_ns` pass in steps; each question for trades is answered with `rows`."""
    end_ns = bench.now_ns + wait_ns
    while bench.now_ns < end_ns:
        bench.said.clear()
        bench.wait(50 * MILLISECOND)
        for query in every(bench.said, VenueQuery):
            found = rows if query.kind is QueryKind.TRADES else ()
            bench.feed(answer(query, bench.now_ns, *found))  # type: ignore[arg-type]  # rows are reports


def test_an_orphans_missing_executions_are_waited_for_as_long_as_a_venue_may_take() -> None:
    bench, key = with_shortfall()
    answered(bench, SETTINGS.recv_window_ns + SETTINGS.processing_bound_ns - SECOND)
    assert bench.status(key) == "SUSPECT"
    assert bench.orders.view()["shortfalls"] == {key: 3 * UNIT}


def test_an_execution_that_the_history_shows_late_is_booked() -> None:
    bench, key = with_shortfall()
    answered(bench, 8 * SECOND)
    query = next(iter(bench.orders.desk.asked), 0)
    while not query:
        bench.wait(50 * MILLISECOND)
        query = next(iter(bench.orders.desk.asked), 0)
    asked = next(one for one in every(bench.said, VenueQuery) if one.counter == query)
    assert only(bench.feed(answer(asked, bench.now_ns, history(5, 3))), Fill).quantity == 3 * UNIT
    assert bench.status(key) == "CANCELED"


def test_what_lies_in_the_baseline_stays_there_after_a_restart() -> None:
    """On the very first start an orphan had executed 3 lots: no fill of ours, then or later."""
    before = Bench()
    key = id_of(1)
    look = only(before.start(epoch=2), VenueQuery)
    before.feed(answer(look, before.now_ns, snapshot(key, VenueState.WORKING, 3)))
    bench = Bench(now_ns=before.now_ns)
    for fact in before.said:
        if type(fact) in bench.orders.recovers():
            bench.orders.recovers()[type(fact)](fact, before.now_ns)
    bench.start(epoch=3)
    bench.feed(snapshot(key, VenueState.WORKING, 3))
    assert bench.orders.view()["shortfalls"] == {}
    order = bench.orders.desk.register.open[key]
    assert (order.cumulative_lots, order.leaves_lots) == (3, 7)


def test_after_that_time_what_is_not_in_the_history_lies_inside_the_ledger() -> None:
    bench, key = with_shortfall()
    bench.wait(0)
    alerts: list[str] = []
    for _ in range(12):
        answered(bench, 2 * SECOND)
        alerts += [alert.event for alert in every(bench.said, Alert)]
    assert bench.status(key) == "CANCELED"
    assert bench.orders.view()["counts"]["orphan_executed_before"] == 1
