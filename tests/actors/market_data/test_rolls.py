"""A connection that is rolled over: two generations deliver, and no book is the worse for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.market_data.phases import TRANSITIONS, RollEvent, RollState
from actors.market_data.rolls import LIFE_SPREAD_PPM, LIFE_USED_PPM, OVERLAP_MAX_NS, OVERLAP_NS, ROLL_TIMEOUT_NS
from actors.market_data.state import roll_counter
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    DepthUpdate,
    Message,
    ReleaseConnection,
    Resubscribe,
    RollConnection,
    SetTimer,
    Side,
    TimerFired,
)
from bus.messages.feed import Batch, Closing, DepthDiff, Notice, Numbering, QuoteEvent, SnapshotSource, TradeEvent
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import NUMBER, SYMBOL, Desk, Rule, body, diff, instrument, names, reset
from tests.actors.market_data.worlds import World

S, E = RollState, RollEvent
EXPECTED = {
    S.DOWN: {E.UP: S.OPEN, E.LOST: S.DOWN},
    S.OPEN: {E.UP: S.OPEN, E.BESIDE: S.OVERLAP, E.LOST: S.DOWN, E.ROLL: S.ASKED},
    S.ASKED: {E.UP: S.OPEN, E.BESIDE: S.OVERLAP, E.LOST: S.DOWN, E.ROLL: S.ASKED},
    S.OVERLAP: {
        E.UP: S.OPEN,
        E.BESIDE: S.OVERLAP,
        E.LOST: S.DOWN,
        E.OLDER_LOST: S.OPEN,
        E.NEWER_LOST: S.ASKED,
        E.RELEASE: S.OPEN,
    },
}
STREAMED = Rule(SnapshotSource.STREAM, Numbering.SYMBOL)
COUNTER = roll_counter(1)


@pytest.mark.parametrize("state", RollState)
def test_every_state_and_event(state: RollState) -> None:
    assert {event: after for (before, event), after in TRANSITIONS.items() if before == state} == EXPECTED[state]


def live(rule=BINANCE_SPOT, **plan) -> Desk:
    """LIVE at 10 on generation 1."""
    desk = Desk(rule, **plan)
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    if rule.snapshot == SnapshotSource.STREAM:
        desk.frame(reset(10), 1)
    else:
        desk.frame(diff(9, 10), 1)
        desk.answer(body(10))
    return desk


def fire(desk: Desk, counter: int = COUNTER) -> tuple[Message, ...]:
    timer = next(item for item in reversed(desk.heard) if isinstance(item, SetTimer) and item.counter == counter)
    desk.now_ns = max(desk.now_ns, timer.fires_ns)
    return desk.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))


def states(messages: tuple[Message, ...]) -> list[tuple[BookState, BookReason]]:
    return [(item.state, item.reason) for item in messages if isinstance(item, BookStateChanged)]


def overlapping(rule=BINANCE_SPOT, **plan) -> Desk:
    desk = live(rule, **plan)
    assert states(desk.send(ConnectionUp(1, 2, 0, True))) == []
    return desk


def test_a_connection_is_rolled_before_its_life_ends_and_not_all_at_once() -> None:
    life_ns = 86_400_000_000_000
    desk = live(life_ns=life_ns)
    emitted = fire(desk)
    assert names(emitted) == ["RollConnection", "SetTimer"]
    assert emitted[0] == RollConnection(1, 1, "life")
    used_ppm = desk.now_ns * 1_000_000 // life_ns
    assert LIFE_USED_PPM - LIFE_SPREAD_PPM <= used_ppm <= LIFE_USED_PPM


def test_a_generation_that_does_not_come_is_asked_for_with_growing_delays() -> None:
    desk = live()
    first = desk.frame(Closing("soon"), 1)
    assert names(first) == ["RollConnection", "SetTimer", "Alert"]
    delays = []
    for _ in range(8):
        emitted = fire(desk)
        assert isinstance(emitted[0], RollConnection)
        delays.append((emitted[1].fires_ns - desk.now_ns) // ROLL_TIMEOUT_NS)
    assert delays == [2, 4, 8, 16, 32, 32, 32, 32]
    assert "RollConnection" not in names(desk.frame(Closing("soon"), 1))


def test_ids_that_mean_the_same_tell_what_was_heard_twice() -> None:
    desk = overlapping()
    assert names(desk.frame(diff(11, 12), 2)) == ["DepthUpdate"]
    assert desk.frame(diff(11, 12), 1) == ()
    assert desk.frame(diff(9, 10), 2) == ()
    assert desk.actor.view()["overlapped"] == 2
    desk.now_ns += OVERLAP_NS
    emitted = fire(desk)
    assert emitted == (ReleaseConnection(1, 1, "rolled"),)
    assert desk.send(ConnectionDown(1, 1, "released")) == ()
    assert names(desk.frame(diff(13, 13), 2)) == ["DepthUpdate"]
    view = desk.actor.view()
    assert (view["resyncs"], view["gaps"], view["rolls"]) == (0, 0, 1)


def test_the_newer_one_ahead_of_the_older_is_no_gap() -> None:
    desk = overlapping()
    assert desk.frame(diff(12, 13), 2) == ()
    emitted = desk.frame(diff(11, 11), 1)
    assert [(item.previous_sequence, item.last_sequence) for item in emitted] == [(10, 11), (11, 13)]


def test_the_newer_one_ahead_of_an_older_that_ends_is_a_gap() -> None:
    desk = overlapping()
    desk.frame(diff(12, 13), 2)
    emitted = desk.send(ConnectionDown(1, 1, "gone"))
    assert states(emitted)[0] == (BookState.INVALID, BookReason.SEQUENCE_GAP)


def test_the_older_one_ends_by_itself_and_nobody_notices() -> None:
    desk = overlapping()
    assert states(desk.send(ConnectionDown(1, 1, "gone"))) == []
    assert names(desk.frame(diff(11, 12), 2)) == ["DepthUpdate"]
    assert desk.actor.view()["rolls"] == 1


def test_the_newer_one_breaks_and_is_asked_for_again() -> None:
    desk = overlapping()
    desk.frame(diff(12, 13), 2)
    emitted = desk.send(ConnectionDown(1, 2, "gone"))
    assert names(emitted) == ["SetTimer"]
    assert names(desk.frame(diff(11, 11), 1)) == names(desk.frame(diff(12, 13), 1)) == ["DepthUpdate"]
    assert names(fire(desk)) == ["RollConnection", "SetTimer"]


def test_a_book_moves_with_its_snapshot_and_hears_nothing_else_then() -> None:
    desk = overlapping(STREAMED)
    assert desk.frame(diff(501, 502), 2) == (), "of the new one before its snapshot"
    assert names(desk.frame(diff(11, 12), 1)) == ["DepthUpdate"]
    emitted = desk.frame(reset(600), 2)
    assert names(emitted) == ["DepthSnapshot", "BookStateChanged"]
    assert states(emitted) == [(BookState.LIVE, BookReason.ROLLED)]
    assert desk.frame(diff(13, 14), 1) == (), "of the old one"
    assert names(desk.frame(diff(601, 602), 2)) == ["DepthUpdate"]
    desk.now_ns += OVERLAP_NS
    assert fire(desk) == (ReleaseConnection(1, 1, "rolled"),)
    view = desk.actor.view()
    assert (view["resyncs"], view["rolled"], view["elsewhere"]) == (0, 1, 2)


def test_a_book_that_does_not_move_is_waited_for_and_then_begun_anew() -> None:
    desk = overlapping(STREAMED)
    began_ns = desk.now_ns
    emitted = fire(desk)
    while not any(isinstance(item, ReleaseConnection) for item in emitted):
        assert names(emitted) == ["SetTimer"]
        emitted = fire(desk)
    assert desk.now_ns - began_ns >= OVERLAP_MAX_NS
    assert states(emitted) == [
        (BookState.INVALID, BookReason.CONNECTION_LOST),
        (BookState.SYNCING, BookReason.START),
    ]
    assert isinstance(emitted[0], BookStateChanged)
    assert any(isinstance(item, Resubscribe | SetTimer) for item in emitted)
    assert names(desk.frame(reset(600), 2)) == ["DepthSnapshot", "BookStateChanged"]


def test_a_book_that_moved_to_one_that_breaks_is_begun_anew_on_the_old_one() -> None:
    desk = overlapping(STREAMED)
    desk.frame(reset(600), 2)
    emitted = desk.send(ConnectionDown(1, 2, "gone"))
    assert states(emitted)[0] == (BookState.INVALID, BookReason.CONNECTION_LOST)
    assert desk.frame(diff(13, 14), 1) == ()
    assert states(desk.frame(reset(20), 1)) == [(BookState.LIVE, BookReason.SNAPSHOT_BRIDGED)]


def test_a_third_generation_takes_the_place_of_the_second() -> None:
    desk = overlapping(STREAMED)
    desk.frame(reset(600), 2)
    assert states(desk.send(ConnectionUp(1, 3, 0, True)))[0] == (BookState.INVALID, BookReason.CONNECTION_LOST)
    assert desk.actor.view()["connections"][1]["openings"] == [1, 3]


def test_an_overlap_of_nothing_is_a_first_opening() -> None:
    desk = Desk()
    desk.send(instrument())
    assert "SnapshotRequest" in names(desk.send(ConnectionUp(1, 2, 0, True)))


def test_frames_of_a_replaced_connection_that_waited_are_not_taken_for_the_new_ones() -> None:
    desk = live(STREAMED)
    desk.send(ConnectionDown(1, 1, "gone"))
    desk.send(ConnectionUp(1, 2, 0))
    assert desk.frame(reset(11), 1) == ()
    assert names(desk.frame(reset(600), 2)) == ["DepthSnapshot", "BookStateChanged"]


def test_trades_and_quotes_of_two_generations_are_told_once() -> None:
    desk = overlapping()
    told = [
        desk.frame(event, generation)
        for event in (TradeEvent(SYMBOL, 5, 0, 1, 1, Side.BUY), QuoteEvent(SYMBOL, 12, 1, 2, 3, 4))
        for generation in (2, 1)
    ]
    assert [names(item) for item in told] == [["TradePrint"], [], ["BestQuote"], []]


def test_quotes_without_comparable_ids_are_of_the_generation_that_the_book_is_of() -> None:
    desk = overlapping(STREAMED)
    quote = QuoteEvent(SYMBOL, 12, 1, 2, 3, 4)
    assert (names(desk.frame(quote, 1)), names(desk.frame(quote, 2))) == (["BestQuote"], [])
    desk.frame(reset(600), 2)
    assert (names(desk.frame(quote, 1)), names(desk.frame(quote, 2))) == ([], ["BestQuote"])


@pytest.mark.parametrize("lag", [0, 1, 5])
@pytest.mark.parametrize("rule", [BINANCE_SPOT, *(Rule(SnapshotSource.STREAM, proof) for proof in Numbering)])
def test_a_planned_roll_costs_no_book(rule, lag: int) -> None:
    roll(World(rule), [lag], [False] * 40)


@pytest.mark.parametrize("rule", [BINANCE_SPOT, *(Rule(SnapshotSource.STREAM, proof) for proof in Numbering)])
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=20),
    st.lists(st.booleans(), min_size=20, max_size=40),
)
def test_whichever_generation_is_ahead_a_roll_is_not_noticed(rule, lags: list[int], quiet: list[bool]) -> None:
    roll(World(rule), lags, quiet)


def roll(world: World, lags: list[int], quiet: list[bool]) -> None:
    """Both generations deliver all diffs in order, one behind the other by as many as `lags` says in turn."""
    begin(world)
    world.post(ConnectionUp(1, 2, world.now_ns, True))
    world.deliver(world.wrap(Notice("subscribed", ""), 2), 2)
    if world.rule.snapshot == SnapshotSource.STREAM:
        world.deliver(world.wrap(world.venue.reset(), 2), 2)
    said = len(world.reasons)
    waiting: dict[int, list[DepthDiff | Batch]] = {1: [], 2: []}
    for turn, silent in enumerate(quiet):
        if not silent:
            event = world.venue.diff(1 + turn % 2, turn, 1 + turn % 4)
            for generation, queue in waiting.items():
                queue.append(world.wrap(event, generation))
        lag = lags[turn % len(lags)]
        behind = 1 + turn // 7 % 2
        for generation, queue in waiting.items():
            while len(queue) > (lag if generation == behind else 0):
                world.deliver(queue.pop(0), generation)
    for generation, queue in waiting.items():
        for event in queue:
            world.deliver(event, generation)
    while not any(isinstance(item, ReleaseConnection) for item in world.others):
        world.fire(COUNTER)
    world.post(ConnectionDown(1, 1, "released"))
    for turn in range(5):
        world.deliver(world.wrap(world.venue.diff(1, turn, 2), 2), 2)
    assert world.said == BookState.LIVE
    assert set(world.reasons[said:]) <= {BookReason.ROLLED}
    assert world.orderbook.entries[NUMBER].sequence == world.venue.last
    view = world.market_data.view()
    assert (view["resyncs"], view["gaps"], view["rolls"]) == (0, 0, 1)


def begin(world: World) -> None:
    world.deliver(world.wrap(world.venue.diff(1, 0, 1)))
    world.stream_book()
    world.answer(world.venue.body(world.venue.last))
    assert world.said == BookState.LIVE
    assert not any(isinstance(item, DepthUpdate) for item in world.others[-1:])


def test_a_book_that_is_ahead_of_the_newer_ones_snapshot_keeps_its_place() -> None:
    desk = overlapping(Rule(SnapshotSource.STREAM, Numbering.SYMBOL, comparable=True))
    desk.frame(diff(11, 12), 1)
    assert desk.frame(reset(11), 2) == ()
    assert desk.frame(diff(12, 12), 2) == ()
    assert names(desk.frame(diff(13, 13), 1)) == ["DepthUpdate"]


def test_diffs_that_the_newer_one_cuts_elsewhere_are_no_gap_after_the_release() -> None:
    desk = overlapping()
    desk.frame(diff(11, 20), 1)
    desk.send(ConnectionDown(1, 1, "gone"))
    assert desk.frame(diff(11, 15), 2) == desk.frame(diff(16, 20), 2) == ()
    assert names(desk.frame(diff(21, 22), 2)) == ["DepthUpdate"]
