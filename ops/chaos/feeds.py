"""The scenarios of a feed that misbehaves: cut, silent, with a hole, rolled over. One engine; the venue does it the harm.

What the book went through is the engine's own word, its log lines `book_state`; that the venue did what it was asked to
is the venue's (/control/streams).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from ops.chaos.books import Books, Change, changes, told
from ops.chaos.cast import Instance
from ops.chaos.pauses import SYMBOL
from ops.chaos.stage import START_S_MAX, NothingHappened, Stage

RETURN_S_MAX = 30.0
"""How long a book is waited for: beyond what is judged good, so that a late one is measured and not missed; chosen."""
CALM_S = 2.0
"""Between two rounds; chosen."""
STALL_S = 8.0
"""Of a silent stream: several times what the watchdog needs for one that speaks ten times a second; chosen."""
NOTICE_S = 6.0
"""From the announcement of a shutdown to the end of the connection; a venue gives minutes, so chosen to be short."""

Harm = Callable[[Stage, int], Awaitable[float]]
"""Does it, in round n, and returns the Unix time from which the book can return."""


async def cut(stage: Stage, _number: int) -> float:
    """The market connection ends without a goodbye."""
    await stage.control("disconnect", kind="market")
    return time.time()


async def silence(stage: Stage, number: int) -> float:
    """The depth stream alone, and in every other round all streams, send nothing; pings are answered all the time."""
    stream = "depth" if number % 2 else "all"
    await stage.control("stall", symbol=SYMBOL, stream=stream, seconds=str(STALL_S))
    return time.time() + STALL_S


async def hole(stage: Stage, _number: int) -> float:
    """One depth event is lost."""
    await stage.control("drop", symbol=SYMBOL, stream="depth", count="1")
    return time.time()


async def announce(stage: Stage, _number: int) -> float:
    """The venue says that it will end the connection, and does."""
    await stage.control("server-shutdown", seconds=str(NOTICE_S))
    return time.time() + NOTICE_S


async def rounds(stage: Stage, engine: Instance, harm: Harm, *, planned: bool) -> None:
    """All of them; the figures are on the stage. Raises NothingHappened."""
    books = stage.books = Books(planned)
    for number in range(1, stage.settings.rounds + 1):
        await stage.until(lambda: _is_live(engine), RETURN_S_MAX, "a book that is LIVE")
        known = len(_history(engine))
        from_s = await harm(stage, number)
        if planned:
            await _let_go(stage, from_s)
        else:
            await _fell_and_returned(stage, engine, known, number)
        since = _history(engine)[known:]
        books.take(since, from_s)
        stage.settings.told(f"round {number}: {told(since)}")
        await stage.more_orders(engine.account, 1, START_S_MAX, f"an order after round {number}")
        await asyncio.sleep(CALM_S)
    streams = await stage.ask("/control/streams")
    books.connections, books.frames_lost = streams["opened"], streams["dropped"] + streams["stalled"]


async def _fell_and_returned(stage: Stage, engine: Instance, known: int, number: int) -> None:
    def fell() -> bool:
        return any(change.state in ("INVALID", "STALE") for change in _history(engine)[known:])

    await stage.until(fell, RETURN_S_MAX, f"the engine to notice in round {number}")
    await stage.until(lambda: _is_live(engine), RETURN_S_MAX + STALL_S, f"the book to return in round {number}")


async def _let_go(stage: Stage, ended_s: float) -> None:
    """Until the announced end has come, and the venue has one market connection: the new one."""
    await asyncio.sleep(max(0.0, ended_s - time.time()) + 1.0)
    due_s = time.monotonic() + RETURN_S_MAX
    while (await stage.ask("/control/streams"))["connections"] != 1:
        if time.monotonic() > due_s:
            raise NothingHappened("after a roll the engine does not have one market connection")
        await asyncio.sleep(0.2)


def _history(engine: Instance) -> list[Change]:
    return [change for change in changes(engine.logged()) if change.instrument == SYMBOL]


def _is_live(engine: Instance) -> bool:
    history = _history(engine)
    return bool(history) and history[-1].state == "LIVE"
