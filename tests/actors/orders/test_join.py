"""The venue's facts on one order commute and are idempotent: any order of arrival, any repeats, the same end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.messages import ExecutionReport, Fill, ReportKind, ReportSource, VenueState
from tests.actors.orders.build import UNIT, Bench, canceled, every, history, new, report, snapshot, traded

FILLED = ((1, 3, 3), (2, 3, 6), (5, 4, 10))
PARTLY = ((1, 3, 3), (2, 3, 6))

STORIES: dict[str, tuple[tuple[tuple[int, int, int], ...], VenueState]] = {
    "filled": (FILLED, VenueState.DONE_FILLED),
    "canceled": (PARTLY, VenueState.DONE_CANCELED),
    "expired": (PARTLY, VenueState.DONE_EXPIRED),
    "resting": (PARTLY, VenueState.WORKING),
    "untouched": ((), VenueState.WORKING),
}


def facts(key: str, story: str) -> list[ExecutionReport]:
    """Everything stream, answers and queries may say on one order in this story."""
    trades, end = STORIES[story]
    said = [new(key), new(key, source=ReportSource.ANSWER), snapshot(key, VenueState.WORKING)]
    total = 0
    for trade_id, lots, total in trades:
        said.append(traded(key, trade_id, lots, total))
        said.append(history(trade_id, lots))
        said.append(snapshot(key, VenueState.DONE_FILLED if total == 10 else VenueState.WORKING, total))
    if end is VenueState.DONE_CANCELED:
        said += [canceled(key, total), snapshot(key, end, total)]
    elif end is VenueState.DONE_EXPIRED:
        said += [report(key, ReportKind.EXPIRED, end, cumulative=total * 100), snapshot(key, end, total)]
    return said


def outcome(bench: Bench, key: str) -> tuple[object, ...]:
    order = bench.orders.desk.register.find(key)
    assert order is not None
    fills = sorted((fill.trade_id, fill.quantity) for fill in every(bench.said, Fill))
    return order.venue_state, order.cumulative, order.booked, order.venue_order_id, order.cumulative_lots, fills


@settings(max_examples=150, deadline=None)
@given(data=st.data(), story=st.sampled_from(sorted(STORIES)))
def test_any_interleaving_with_any_repeats_ends_the_same(data: st.DataObject, story: str) -> None:
    bench = Bench().ready()
    key = bench.order()
    said = facts(key, story)
    repeats = data.draw(st.lists(st.sampled_from(said), max_size=6))
    # A row of the history names no id of ours: it can only be matched once something else named the venue's.
    rest = data.draw(st.permutations(said + repeats))
    first = next(index for index, fact in enumerate(rest) if fact.client_order_id)
    for fact in (rest[first], *rest[:first], *rest[first + 1 :]):
        bench.feed(fact)
    trades, end = STORIES[story]
    total = sum(lots for _, lots, _ in trades)
    expected = sorted((trade_id, lots * UNIT) for trade_id, lots, _ in trades)
    assert outcome(bench, key) == (end, total * UNIT, total * UNIT, 900, total, expected)
    assert bench.status(key) == {"filled": "FILLED", "canceled": "CANCELED", "expired": "EXPIRED"}.get(
        story, "PARTIALLY_FILLED" if total else "ACCEPTED"
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), story=st.sampled_from(sorted(STORIES)))
def test_a_second_reading_of_everything_says_nothing(data: st.DataObject, story: str) -> None:
    """Reconcile twice, zero events (LESSONS 7)."""
    bench = Bench().ready()
    key = bench.order()
    said = facts(key, story)
    for fact in said:
        bench.feed(fact)
    for fact in data.draw(st.permutations(said)):
        assert bench.feed(fact) == ()
