"""Checkpoint after k inputs, restore into a fresh actor, feed the rest: the same words, the same end."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.market_data import MarketData
from actors.market_data.rolls import OVERLAP_NS
from actors.market_data.state import budget_counter, roll_counter
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    ConnectionDown,
    ConnectionUp,
    Frame,
    FrameBatch,
    Message,
    SetTimer,
    TimerFired,
)
from bus.messages.feed import Batch, Closing, Garbage, Numbering, QuoteEvent, SnapshotSource, SubscriptionRefused
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import NUMBER, SYMBOL, VENUE, Desk, Rule, body, copy_of, diff, instrument, reset


def fire(desk: Desk, counter: int = NUMBER) -> tuple[Message, ...]:
    timer = next(item for item in reversed(desk.heard) if isinstance(item, SetTimer) and item.counter == counter)
    desk.now_ns = max(desk.now_ns, timer.fires_ns)
    return desk.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))


def numbered_day(desk: Desk) -> None:
    """A venue that numbers a connection's frames: a gap that heals, one that does not, and a roll in between."""
    desk.send(instrument())
    desk.send(instrument(8, "ETHUSDT"))
    desk.send(ConnectionUp(1, 1, 0))
    for number, event in enumerate((reset(10), reset(20, symbol="ETHUSDT"), diff(11, 11))):
        desk.frame(Batch((event,), number), 1)
    desk.frame(Batch((diff(13, 13),), 4), 1)
    desk.frame(Batch((diff(12, 12),), 3), 1)
    desk.frame(Closing("soon"), 1)
    desk.send(ConnectionUp(1, 2, 0, True))
    desk.frame(Batch((reset(30),), 0), 2)
    desk.frame(Batch((diff(14, 14),), 5), 1)
    desk.frame(Batch((diff(21, 21, symbol="ETHUSDT"),), 6), 1)
    desk.frame(Batch((reset(22, symbol="ETHUSDT"),), 1), 2)
    desk.now_ns += OVERLAP_NS
    fire(desk, roll_counter(1))
    desk.send(ConnectionDown(1, 1, "released"))
    desk.frame(Batch((diff(31, 31), Garbage("cut", "ETHUSDT")), 2), 2)
    desk.frame(Batch((), 9), 2)
    desk.frame(SubscriptionRefused(SYMBOL, "no"), 2)
    fire(desk)
    desk.frame(Batch((reset(40),), 10), 2)
    desk.send(BookStateChanged(NUMBER, BookState.STALE, BookReason.CONTRADICTED, 40))
    frames = tuple(Frame(1, 5, desk.codec.put(Batch((diff(at, at),), at - 30)), 2) for at in (41, 42))
    desk.send(FrameBatch(frames))
    view = desk.actor.view()
    assert (view["reordered"], view["rolls"], view["frame_gaps"], view["rolled"]) == (2, 1, 2, 2)


def weighed_day(desk: Desk) -> None:
    """Ids, an overlap whose newer half is ahead, a queue for request weight, checksums that are not believed."""
    for number in range(4):
        desk.send(instrument(NUMBER + number, f"{SYMBOL}{number or ''}"))
    desk.send(ConnectionUp(1, 1, 0))
    desk.frame(diff(9, 10), 1)
    desk.answer(body(10))
    fire(desk, budget_counter(VENUE))
    desk.frame(diff(9, 10), 1)
    for number in range(4):
        desk.frame(diff(9, 10, symbol=f"{SYMBOL}{number or ''}"), 1)
    desk.frame(diff(13, 14), 1)
    desk.frame(diff(11, 12), 1)
    desk.send(ConnectionUp(1, 2, 0, True))
    desk.frame(QuoteEvent(SYMBOL, 20, 1, 2, 3, 4), 2)
    desk.frame(diff(16, 16), 2)
    desk.frame(diff(15, 15), 1)
    desk.send(
        BookStateChanged(NUMBER, BookState.INVALID, BookReason.CHECKSUM, desk.actor.synchronizers[NUMBER].sequence)
    )
    fire(desk, budget_counter(VENUE))
    desk.send(ConnectionDown(1, 1, "gone"))
    desk.frame(diff(17, 17), 2)


DAYS: dict[str, tuple[Any, Callable[[Desk], None], dict[str, Any]]] = {
    "numbered": (Rule(SnapshotSource.STREAM, Numbering.CONNECTION), numbered_day, {"life_ns": 10**15}),
    "weighed": (BINANCE_SPOT, weighed_day, {"snapshot_weight": 50, "weight_a_minute": 300}),
}


@pytest.mark.parametrize("name", DAYS)
def test_restart_at_every_step(name: str) -> None:
    rule, day, plan = DAYS[name]
    desk = Desk(rule, **plan)
    day(desk)
    for step in range(len(desk.inputs)):
        first = MarketData(desk.plans)
        for message, now_ns in desk.inputs[:step]:
            first.receive(message, now_ns)
        second = copy_of(first, MarketData(desk.plans))
        for message, now_ns in desk.inputs[step:]:
            assert second.receive(message, now_ns) == first.receive(message, now_ns)
        assert second.checkpoint() == first.checkpoint() == desk.actor.checkpoint()
