"""The venue's facts on one order commute and are idempotent: any order of arrival, any repeats, the same end."""

from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.messages import (
    ExecutionReport,
    Fill,
    OrderUpdate,
    Outcome,
    PrivateStreamDown,
    ReportKind,
    ReportSource,
    VenueState,
)
from tests.actors.orders.build import (
    LOT,
    MILLISECOND,
    SECOND,
    START,
    UNIT,
    Bench,
    canceled,
    every,
    history,
    new,
    reply,
    report,
    sent,
    snapshot,
    traded,
)

FILLED = ((1, 3, 900), (2, 3, 900), (5, 4, 900))
PARTLY = ((1, 3, 900), (2, 3, 900))


class Story(NamedTuple):
    """executions: (trade id, lots, the order's venue id then). more: beside acceptances, executions and ends."""

    executions: tuple[tuple[int, int, int], ...]
    end: VenueState
    status: str
    more: tuple[ExecutionReport, ...] = ()
    venue_order_id: int = 900


def amended(lots: int, later: int, **changes: Any) -> ExecutionReport:
    at_ns = START + SECOND + later
    return report("", ReportKind.REPLACED, VenueState.WORKING, quantity=lots * LOT, venue_ns=at_ns, **changes)


STORIES = {
    "filled": Story(FILLED, VenueState.DONE_FILLED, "FILLED"),
    "canceled": Story(PARTLY, VenueState.DONE_CANCELED, "CANCELED"),
    "expired": Story(PARTLY, VenueState.DONE_EXPIRED, "EXPIRED"),
    "resting": Story(PARTLY, VenueState.WORKING, "PARTIALLY_FILLED"),
    "untouched": Story((), VenueState.WORKING, "ACCEPTED"),
    "canceled, and executions are told later": Story(
        PARTLY, VenueState.DONE_CANCELED, "CANCELED", (canceled(""), canceled("", 3))
    ),
    "amended twice by somebody": Story(
        PARTLY, VenueState.DONE_FILLED, "FILLED", (amended(8, later=1), amended(6, later=2))
    ),
    "moved to another id by the venue": Story(
        ((1, 3, 900), (2, 2, 901), (5, 1, 900)),
        VenueState.WORKING,
        "PARTIALLY_FILLED",
        (amended(10, later=1, venue_order_id=901),),
        901,
    ),
    "rejected, and executed before it expired": Story(
        PARTLY, VenueState.DONE_EXPIRED, "EXPIRED", (report("", ReportKind.REJECTED, VenueState.DONE_REJECTED),)
    ),
}
QUIET = sorted(name for name in STORIES if not name.startswith("rejected"))
"""A reject of what was executed is asked about each time that it is said, up to a bound."""


def facts(key: str, story: Story) -> list[ExecutionReport]:
    """Everything stream, answers and queries may say on one order in this story."""
    said = [new(key), new(key, source=ReportSource.ANSWER), snapshot(key, VenueState.WORKING)]
    total = 0
    for trade_id, lots, venue_order_id in story.executions:
        total += lots
        said.append(traded(key, trade_id, lots, total, venue_order_id=venue_order_id))
        said.append(history(trade_id, lots, venue_order_id=venue_order_id))
        said.append(snapshot(key, VenueState.DONE_FILLED if total == 10 else VenueState.WORKING, total))
    said += [msgspec.structs.replace(fact, client_order_id=key) for fact in story.more]
    if story.end is VenueState.DONE_CANCELED:
        said += [canceled(key, total), snapshot(key, story.end, total)]
    elif story.end is VenueState.DONE_EXPIRED:
        said += [report(key, ReportKind.EXPIRED, story.end, cumulative=total * LOT), snapshot(key, story.end, total)]
    return said


def named_first(told: list[ExecutionReport], story: Story) -> list[ExecutionReport]:
    """A row of the history names no id of ours: it can only be matched once something else named the venue's.

    (Whose an id is that nobody named yet, the looks ask: not here.)
    """
    numbers = dict.fromkeys(number for _, _, number in story.executions)
    naming = [
        next(fact for fact in told if fact.client_order_id and fact.venue_order_id == number) for number in numbers
    ]
    return [*naming, *told]


@settings(max_examples=300, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(STORIES)))
def test_any_interleaving_with_any_repeats_ends_the_same(data: st.DataObject, name: str) -> None:
    story = STORIES[name]
    bench = Bench().ready()
    key = bench.order()
    said = facts(key, story)
    repeats = data.draw(st.lists(st.sampled_from(said), max_size=6))
    for fact in named_first(data.draw(st.permutations(said + repeats)), story):
        bench.feed(fact)
    order = bench.orders.desk.register.find(key)
    assert order is not None
    total = sum(lots for _, lots, _ in story.executions)
    assert (order.venue_state, order.cumulative, order.booked) == (story.end, total * UNIT, total * UNIT)
    assert (order.venue_order_id, bench.status(key)) == (story.venue_order_id, story.status)
    fills = sorted((fill.trade_id, fill.quantity, fill.venue_order_id) for fill in every(bench.said, Fill))
    assert fills == sorted((trade_id, lots * UNIT, number) for trade_id, lots, number in story.executions)
    last = every(bench.said, OrderUpdate)[-1]
    leaves = 0 if story.end >= VenueState.DONE_FILLED else 10 - total
    assert (last.status.name, last.cumulative_lots, last.leaves_lots) == (story.status, total, leaves)


@settings(max_examples=100, deadline=None)
@given(data=st.data(), name=st.sampled_from(QUIET))
def test_a_second_reading_of_everything_says_nothing(data: st.DataObject, name: str) -> None:
    """Reconcile twice, zero events (LESSONS 7)."""
    bench = Bench().ready()
    key = bench.order()
    said = facts(key, STORIES[name])
    for fact in named_first(said, STORIES[name]):
        bench.feed(fact)
    for fact in data.draw(st.permutations(said)):
        assert bench.feed(fact) == ()


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        (("ambiguous", "new"), "ACCEPTED"),
        (("new", "ambiguous"), "ACCEPTED"),
        (("new", "down"), "SUSPECT"),
        (("down", "new"), "ACCEPTED"),
        (("ambiguous", "down"), "UNKNOWN_NEW"),
        (("down", "old new"), "SUSPECT"),
    ],
)
def test_pending_and_certainty_follow_the_order_of_the_inputs(inputs: tuple[str, ...], status: str) -> None:
    """They are ours: a doubt after a proof is another thing than a proof after a doubt."""
    bench = Bench().ready()
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    early_ns = bench.now_ns
    for name in inputs:
        bench.wait(MILLISECOND)
        bench.feed(
            {
                "ambiguous": reply(key, Outcome.AMBIGUOUS),
                "new": new(key, received_ns=bench.now_ns),
                "old new": new(key, received_ns=early_ns),
                "down": PrivateStreamDown(1, 1, "cut"),
            }[name]
        )
    assert bench.status(key) == status
