"""A venue of our own for the feed door's tests: every limit, frame and path as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count

import pytest

from bus.messages import Message, Stream
from gateway.binance_spot.market import BinanceSpot
from gateway.doors.connection import Planned
from gateway.doors.feed import FeedDoor
from gateway.doors.websocket import PATIENCE, Patience
from gateway.market import ConnectionPlan, Limits

EASY = Limits(1_024, 0, 1_000.0, 0.0, 1_000, 1.0, 6_000, 60.0)


class OwnVenue(BinanceSpot):
    """Binance Spot with other limits; a renewal is two frames that name the subscription."""

    def __init__(self, limits: Limits = EASY) -> None:
        super().__init__("own")
        self.limits = limits

    def renew(self, venue_symbol: str, stream: Stream, levels: int, request_id: int) -> tuple[bytes, ...]:
        return (b"end %s" % venue_symbol.encode(), b"begin %s %d" % (venue_symbol.encode(), request_id))


def plan(
    path: str = "", opening: Sequence[bytes] = (), keepalive: bytes = b"", keepalive_s: float = 0.0
) -> ConnectionPlan:
    return ConnectionPlan(path, ("BTCUSDT", "ETHUSDT"), (Stream.DEPTH,), tuple(opening), keepalive, keepalive_s)


@asynccontextmanager
async def running(
    url: str,
    limits: Limits = EASY,
    plans: Sequence[ConnectionPlan] = (plan(),),
    patience: Patience = PATIENCE,
    is_fresh: Callable[[int], bool] = lambda now_ns: True,
) -> AsyncIterator[tuple[FeedDoor, list[Message]]]:
    """A door with one connection a plan, numbered from 4; what it posts. Its clock ticks once a look, from 1,000 on."""
    told: list[Message] = []
    ticks = count(1_000)
    market = OwnVenue(limits)
    door = FeedDoor(
        {4 + n: Planned(market, url, each, 10) for n, each in enumerate(plans)}, lambda: next(ticks), patience
    )
    door.attach(lambda *inputs: told.extend(inputs), is_fresh)
    task = asyncio.create_task(door.run())
    try:
        yield door, told
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        door.close()


def ask(door: FeedDoor, *messages: Message) -> None:
    for message in messages:
        assert door.handlers[type(message)](message, 0) == ()


def kinds(told: Sequence[Message]) -> list[str]:
    return [type(message).__name__ for message in told]
