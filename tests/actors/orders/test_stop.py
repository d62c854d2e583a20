"""The end of a run: the ledger is compared once more when nothing of ours works, and the stop is not held up for it."""

import pytest
from msgspec.structs import replace

from bus.messages import (
    Alert,
    Balance,
    BalancesReported,
    Message,
    OrdersQuiet,
    Outcome,
    PrivateStreamDown,
    PrivateStreamUp,
    QueryKind,
    StopRequested,
    VenueQuery,
)
from tests.actors.orders.build import MILLISECOND, SECOND, SETTINGS, Bench, answer, canceled, every, only, traded

HELD = (Balance("BTC", 5, 0),)


def stopped(within_ns: int = 10 * SECOND) -> tuple[Bench, VenueQuery]:
    """A stop of an engine that had one order, with its question for balances."""
    bench = Bench().ready()
    key = bench.working()
    bench.feed(StopRequested("operator", bench.now_ns + within_ns))
    query = only(bench.feed(canceled(key)), VenueQuery)
    assert query.kind is QueryKind.BALANCES
    bench.said.clear()
    return bench, query


def told(query: VenueQuery, now_ns: int) -> Message:
    return replace(answer(query, now_ns), balances=HELD)


def test_a_stop_reports_balances_before_it_says_quiet() -> None:
    bench, query = stopped()
    out = bench.feed(told(query, bench.now_ns))
    assert out == (BalancesReported(1, 2, True, HELD, steady=True, final=True), OrdersQuiet(1, 0))


def test_a_stop_with_nothing_open_asks_at_once_and_only_once() -> None:
    bench = Bench().ready()
    query = only(bench.feed(StopRequested("operator", bench.now_ns + SECOND)), VenueQuery)
    assert query.kind is QueryKind.BALANCES
    bench.feed(told(query, bench.now_ns))
    assert every(bench.wait(10 * SECOND), VenueQuery) == []
    assert len(every(bench.said, OrdersQuiet)) == 1


@pytest.mark.parametrize(("within_ns", "least_ns"), [(SECOND, SECOND), (60 * SECOND, SETTINGS.query_timeout_ns)])
def test_the_question_ends_with_the_stop_or_with_its_own_timeout(within_ns: int, least_ns: int) -> None:
    bench, query = stopped(within_ns)
    assert query.deadline_ns - bench.now_ns == least_ns


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.AMBIGUOUS])
def test_a_failed_question_is_said_and_the_stop_goes_on(outcome: Outcome) -> None:
    bench, query = stopped()
    out = bench.feed(answer(query, bench.now_ns, outcome=outcome))
    assert only(out, Alert).event == "balances_unknown_at_stop"
    assert only(out, OrdersQuiet).unresolved == 0
    assert every(out, BalancesReported) == []


def test_without_an_answer_the_deadline_is_the_end() -> None:
    bench, query = stopped(3 * SECOND)
    assert every(bench.wait(3 * SECOND - MILLISECOND), OrdersQuiet) == []
    assert only(bench.wait(MILLISECOND), OrdersQuiet).unresolved == 0
    assert bench.feed(told(query, bench.now_ns)) == ()


def test_a_fill_while_it_is_asked_makes_it_worth_nothing_and_it_is_asked_again() -> None:
    bench, query = stopped()
    key = next(iter(bench.orders.desk.register.done))
    bench.feed(traded(key, 5, 4, 4))
    again = only(bench.feed(told(query, bench.now_ns)), VenueQuery)
    assert again.kind is QueryKind.BALANCES
    assert bench.feed(told(again, bench.now_ns)) == (
        BalancesReported(1, 2, True, HELD, steady=True, final=True),
        OrdersQuiet(1, 0),
    )


def test_a_stream_that_breaks_meanwhile_is_looked_behind_first() -> None:
    bench, query = stopped()
    bench.feed(PrivateStreamDown(1, 1, "cut"))
    assert bench.feed(told(query, bench.now_ns)) == ()
    bench.empty(bench.feed(PrivateStreamUp(1, 2, bench.now_ns)))
    assert only(bench.said, OrdersQuiet).unresolved == 0
