"""Numbers of a connection's frames."""

import msgspec
import pytest

from actors.market_data.bridge import OLD_NS
from actors.market_data.depth import WAITING_MAX
from actors.market_data.numbers import MISSING_MAX, Arrival, Opening
from bus.messages import BookReason, BookState, BookStateChanged, ConnectionUp, DepthUpdate, Resubscribe
from bus.messages.feed import UNNUMBERED, Batch, DepthDiff, Garbage, Notice, Numbering, SnapshotSource
from tests.actors.market_data.feeds import NUMBER, SYMBOL, Desk, Rule, diff, instrument, names, reset

A = Arrival
RULE = Rule(SnapshotSource.STREAM, Numbering.CONNECTION)


@pytest.mark.parametrize(
    ("numbers", "arrivals"),
    [
        ([7, 8, 9], [A.NEXT, A.NEXT, A.NEXT]),
        ([7, UNNUMBERED, 8], [A.NEXT, A.NEXT, A.NEXT]),
        ([7, 8, 8, 7, 9], [A.NEXT, A.NEXT, A.REPEATED, A.REPEATED, A.NEXT]),
        ([7, 9, 8, 10], [A.NEXT, A.GAP, A.LATE, A.NEXT]),
        ([7, 9, 8, 8, 10], [A.NEXT, A.GAP, A.LATE, A.REPEATED, A.NEXT]),
        ([7, 9, 11, 8, 10, 12], [A.NEXT, A.GAP, A.GAP, A.LATE, A.LATE, A.NEXT]),
        ([7, 0, 1], [A.NEXT, A.GAP, A.NEXT]),  # a connection begins behind the same name
        ([0, 0, 1], [A.NEXT, A.REPEATED, A.NEXT]),
        ([7, 90_008, 9, 10], [A.NEXT, A.GAP, A.GAP, A.NEXT]),  # one digit of the 8 was damaged
        ([7, 90_008, 8, 9], [A.NEXT, A.GAP, A.RESUMED, A.NEXT]),  # it was another connection's
        ([7, 30, 8, 9, 30], [A.NEXT, A.GAP, A.RESUMED, A.NEXT, A.GAP]),
        ([7, 30, 9, 8, 10], [A.NEXT, A.GAP, A.LATE, A.LATE, A.LATE]),
        ([7, 102, 103, 111, 8, 9, 10, 11], [A.NEXT, A.GAP, A.NEXT, A.GAP, A.REPEATED, A.REPEATED, A.GAP, A.NEXT]),
        ([99, 100, 8, 101, 9, 102, 10], [A.NEXT, A.NEXT, A.REPEATED, A.NEXT, A.REPEATED, A.NEXT, A.REPEATED]),
        ([6, 7, 8, 9, 6, 7, 8, 9], [A.NEXT] * 4 + [A.REPEATED] * 4),
        ([7, 9, 7, 8], [A.NEXT, A.GAP, A.REPEATED, A.LATE]),
        ([7, 10, 9, 10, 8], [A.NEXT, A.GAP, A.LATE, A.GAP, A.REPEATED]),  # which of the two is the tenth?
        ([900, 2_000, 2_001, 850, 2_002], [A.NEXT, A.GAP, A.NEXT, A.REPEATED, A.NEXT]),
    ],
)
def test_what_a_frame_is_to_those_before_it(numbers: list[int], arrivals: list[Arrival]) -> None:
    opening = Opening(1)
    assert [opening.take(number) for number in numbers] == arrivals


def test_no_more_frames_are_waited_for_than_may_come_late() -> None:
    opening = Opening(1)
    opening.take(0)
    for number in range(2, 10_000, 2):
        opening.take(number)
        assert len(opening.missing) <= MISSING_MAX


def live() -> Desk:
    """Two books, LIVE at 10 and 20; the next frame has the number 3."""
    desk = Desk(RULE)
    desk.send(instrument())
    desk.send(instrument(8, "ETHUSDT"))
    desk.send(ConnectionUp(1, 1, 0))
    desk.frame(Batch((Notice("subscribed", ""),), 0))
    desk.frame(Batch((reset(10),), 1))
    desk.frame(Batch((reset(20, symbol="ETHUSDT"),), 2))
    return desk


def stamped(last: int, venue_ns: int) -> DepthDiff:
    return msgspec.structs.replace(diff(last, last), venue_ns=venue_ns)


def states(emitted: tuple) -> list[tuple[int, BookState, BookReason]]:
    return [(item.instrument, item.state, item.reason) for item in emitted if isinstance(item, BookStateChanged)]


def test_one_missing_frame_makes_every_book_of_the_connection_invalid_before_anything_else() -> None:
    desk = live()
    emitted = desk.frame(Batch((diff(11, 11),), 4))
    assert names(emitted[:2]) == ["BookStateChanged"] * 2
    assert states(emitted) == [(NUMBER, BookState.INVALID, BookReason.SEQUENCE_GAP),
                               (8, BookState.INVALID, BookReason.SEQUENCE_GAP)]  # fmt: skip
    assert sum(isinstance(item, DepthUpdate) for item in emitted) == 0


def test_a_frame_that_nobody_trades_on_counts_too() -> None:
    desk = live()
    assert names(desk.frame(Batch((diff(11, 11),), 3))) == ["DepthUpdate"]
    assert desk.frame(Batch((Notice("heartbeat", ""),), 4)) == ()
    assert desk.frame(Batch((), 5)) == ()
    assert names(desk.frame(Batch((diff(12, 12),), 6))) == ["DepthUpdate"]


def test_the_missing_frame_comes_late_and_every_book_goes_on_where_it_stood() -> None:
    desk = live()
    desk.frame(Batch((diff(12, 12),), 4))
    emitted = desk.frame(Batch((diff(11, 11),), 3))
    assert (
        names(emitted)
        == ["BookStateChanged", "DepthUpdate", "DepthUpdate", "BookStateChanged"] + ["BookStateChanged"] * 2
    )
    assert [(item.previous_sequence, item.last_sequence) for item in emitted[1:3]] == [(10, 11), (11, 12)]
    assert states(emitted)[1::2] == [(number, BookState.LIVE, BookReason.REORDERED) for number in (NUMBER, 8)]
    assert desk.actor.view()["reordered"] == 2
    assert desk.actor.view()["late_frames"] == 1


def test_a_late_frame_is_nothing_to_a_book_that_came_anew_meanwhile() -> None:
    desk = live()
    desk.frame(Batch((diff(12, 12),), 4))
    desk.frame(Batch((reset(12),), 5))
    emitted = desk.frame(Batch((diff(11, 11),), 3))
    assert states(emitted) == [(8, BookState.SYNCING, BookReason.REORDERED), (8, BookState.LIVE, BookReason.REORDERED)]
    assert names(desk.frame(Batch((diff(13, 13),), 6))) == ["DepthUpdate"]


def test_two_changes_of_a_book_in_one_frame_are_both_taken() -> None:
    desk = live()
    emitted = desk.frame(Batch((diff(11, 11, bids=((99, 1),)), diff(11, 11, bids=((98, 1),))), 3))
    assert [item.bid_prices for item in emitted] == [(99,), (98,)]


def test_a_numbered_frame_that_cannot_be_read_is_anyones() -> None:
    desk = live()
    emitted = desk.frame(Batch((Garbage("cut"),), 3))
    assert states(emitted)[:2] == [(number, BookState.INVALID, BookReason.GARBAGE) for number in (NUMBER, 8)]


def test_a_frame_that_cannot_be_read_at_all_is_missing_at_the_next_one() -> None:
    desk = live()
    assert states(desk.frame(Garbage("cut"))) == []
    assert len(states(desk.frame(Batch((), 4)))) == 2


def test_garbage_of_one_book_leaves_the_other_alone() -> None:
    desk = live()
    emitted = desk.frame(Batch((Garbage("price", SYMBOL),), 3))
    assert states(emitted) == [(NUMBER, BookState.INVALID, BookReason.GARBAGE)]
    assert any(isinstance(item, Resubscribe) for item in emitted) or "SetTimer" in names(emitted)
    assert names(desk.frame(Batch((diff(21, 21, symbol="ETHUSDT"),), 4))) == ["DepthUpdate"]
    assert desk.frame(Batch((diff(12, 12),), 5)) == ()


def test_a_book_that_lost_an_update_of_its_own_is_not_mended_by_a_late_frame() -> None:
    desk = live()
    desk.frame(Batch((diff(11, 11),), 3))
    desk.frame(Batch((Garbage("price", SYMBOL),), 4))
    desk.frame(Batch((diff(14, 14),), 6))
    emitted = desk.frame(Batch((diff(13, 13),), 5))
    assert {number for number, _, _ in states(emitted)} == {8}


def test_a_frame_that_cannot_be_read_behind_a_gap_leaves_nothing_to_mend() -> None:
    desk = live()
    desk.frame(Batch((diff(12, 12),), 4))
    desk.frame(Batch((Garbage("cut"),), 5))
    assert states(desk.frame(Batch((diff(11, 11),), 3))) == []


@pytest.mark.parametrize("late", [diff(13, 13), reset(9)])
def test_nothing_of_a_late_frame_touches_a_book_that_is_younger(late: object) -> None:
    desk = live()
    desk.frame(Batch((diff(12, 12),), 4))
    desk.frame(Batch((reset(12),), 5))
    emitted = desk.frame(Batch((late,), 3))
    assert {number for number, _, _ in states(emitted)} == {8}
    assert not any(isinstance(item, DepthUpdate) for item in emitted)
    assert desk.actor.synchronizers[NUMBER].sequence == 12


def test_what_came_in_earlier_frames_is_not_put_upon_a_whole_book() -> None:
    desk = Desk(RULE)
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    desk.frame(Batch((diff(11, 11),), 0))
    assert names(desk.frame(Batch((reset(10),), 1))) == ["DepthSnapshot", "BookStateChanged"]


@pytest.mark.parametrize("number", [30, 90_000])
def test_a_frame_of_another_connection_costs_no_book(number: int) -> None:
    """It was recorded before the address was dialed anew, and comes once more."""
    desk = live()
    assert len(states(desk.frame(Batch((diff(11, 11),), number)))) == 2
    emitted = desk.frame(Batch((diff(11, 12, bids=((1_000, 5),)),), 3))
    assert {(at, state) for at, state, _ in states(emitted)} >= {(NUMBER, BookState.LIVE), (8, BookState.LIVE)}
    assert [(item.last_sequence, item.bid_prices) for item in emitted if isinstance(item, DepthUpdate)] == [
        (12, (1_000,))
    ]
    assert names(desk.frame(Batch((diff(13, 13),), 4))) == ["DepthUpdate"]


def test_a_whole_book_of_another_connection_is_not_believed() -> None:
    desk = live()
    desk.frame(Batch((reset(500),), 30))
    assert states(desk.frame(Batch((diff(11, 11),), 3))) == [
        (NUMBER, BookState.INVALID, BookReason.SEQUENCE_GAP),
        (8, BookState.SYNCING, BookReason.REORDERED),
        (8, BookState.LIVE, BookReason.REORDERED),
    ]


@pytest.mark.parametrize("age_ns", [OLD_NS, OLD_NS + 1])
def test_a_frame_far_older_than_those_before_it_mends_nothing(age_ns: int) -> None:
    """Its number is that of a frame to come: what that one says would be lost."""
    desk = live()
    desk.frame(Batch((stamped(11, 2 * OLD_NS),), 3))
    desk.frame(Batch((stamped(13, 2 * OLD_NS - age_ns),), 6))
    desk.frame(Batch((stamped(12, 2 * OLD_NS),), 5))
    healed = states(desk.frame(Batch((Notice("heartbeat", ""),), 4)))
    assert ((NUMBER, BookState.LIVE, BookReason.REORDERED) in healed) == (age_ns == OLD_NS)


def test_what_came_before_the_numbers_began_anew_is_not_put_upon_a_whole_book() -> None:
    desk = Desk(RULE)
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, 0))
    desk.frame(Batch((), 0))
    desk.frame(Batch((diff(900, 900),), 90_000))
    desk.frame(Batch((), 2))
    assert names(desk.frame(Batch((reset(10),), 3))) == ["DepthSnapshot", "BookStateChanged"]


def test_more_than_is_kept_behind_a_gap_cannot_be_mended() -> None:
    desk = live()
    for at in range(WAITING_MAX + 1):
        desk.frame(Batch((diff(12 + at, 12 + at),), 4 + at))
    emitted = desk.frame(Batch((diff(11, 11),), 3))
    assert {number for number, _, _ in states(emitted)} == {8}
