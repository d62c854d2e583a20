"""A run without a strategy that closes positions and ends: `touchline flatten` with no engine alive.

It is the engine itself, on the same state directory and configuration: the same recovery, the same reconciliation, the same
risk. So it leads the account before it trades, or refuses and names who does.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors.strategy import Strategy
from bus.messages import AnswerKind, BookState, CommandAnswered, Control, OperatorCommand, StopPolicy
from gateway.doors.coordination.contract import Leader, Waiting
from ops.config import ConfigError, decimal_text
from ops.ending import GRACE_S
from ops.engine import Engine
from ops.sections import Config, ExitsSection, StrategySection
from ops.standby import make_coordinator
from ops.state import StateDirectory

BOOKS_S = 10.0
"""For the books of what is held to be LIVE; chosen."""
LAPSE_FACTOR = 3
"""Times to live that a dead engine's term is waited for before its holder is taken to be alive; chosen."""


class Idle(Strategy):
    """Wishes nothing."""


class Led(Exception):
    """Somebody else leads the account. The text names him."""


class Closed(NamedTuple):
    """done: everything is closed that the venue takes, and no order is left. text: for a person."""

    done: bool
    text: str
    positions: dict[str, str]


def idle(config: Config) -> Config:
    """The same without a strategy, exits or foreign data; what an earlier run left is canceled."""
    return msgspec.structs.replace(
        config,
        feed=[],
        strategy=StrategySection(use=f"{__name__}:{Idle.__name__}"),
        exits=ExitsSection(),
        orders=msgspec.structs.replace(config.orders, leftovers="cancel"),
        stop=msgspec.structs.replace(config.stop, flatten_goes_on=False),  # it asks before it trades
    )


async def flatten_alone(
    config: Config, path: Path, symbol: str, reason: str, confirm: Callable[[dict[str, str]], Awaitable[bool]]
) -> Closed:
    """confirm: asked once, with the positions by symbol, before anything is traded. Raises Led, ConfigError, StateError,
    StartFailed, CoordinationError.
    """
    _check_symbol(config, symbol)
    state = StateDirectory(path)
    coordinator = make_coordinator(config.coordination, state.path)
    try:
        await coordinator.open()
        engine = Engine(idle(config), state, coordinator)
        try:
            await _lead(engine, config)
            return await _close(engine, symbol, reason, confirm)
        finally:
            await engine.close()
    finally:
        await coordinator.close()
        state.close()


async def _lead(engine: Engine, config: Config) -> None:
    """Start it; a term that its dead holder cannot renew is waited for. Raises Led."""
    gone = asyncio.Event()
    leader: Leader | None = None
    lapse_s = LAPSE_FACTOR * config.coordination.ttl_ms / 1e3

    def told(waiting: Waiting) -> None:
        nonlocal leader
        leader = waiting.leader or leader

    engine.standby.told = told
    timer = asyncio.get_running_loop().call_later(lapse_s, lambda: None if engine.standby.term else gone.set())
    try:
        if not await engine.start(gone):
            name = leader.holder if leader is not None else "another instance"
            raise Led(f"{name} leads this account and lives: flatten there, or stop it first")
    finally:
        timer.cancel()


async def _close(
    engine: Engine, symbol: str, reason: str, confirm: Callable[[dict[str, str]], Awaitable[bool]]
) -> Closed:
    number = _number(engine, symbol)
    held = {name: text for name, text in _positions(engine).items() if symbol.casefold() in ("", name.casefold())}
    done, text = True, "nothing is held"
    if any(text != "0" for text in held.values()):
        if not await confirm(held):
            await engine.stop("not confirmed", engine.config.stop.deadline_s)
            return Closed(False, "nothing was traded; orders of ours were canceled", _positions(engine))
        await _books_live(engine)
        answer = await _flatten(engine, number, reason)
        done = answer is not None and answer.kind is AnswerKind.DONE
        text = answer.text if answer is not None else "nobody answered; look at the log"
    unresolved = await engine.stop("flatten", engine.config.stop.deadline_s, StopPolicy.CANCEL)
    positions = _positions(engine)
    if unresolved:
        return Closed(False, f"{text}; orders of ours may still work: touchline cancel-all", positions)
    return Closed(done, text, positions)


async def _flatten(engine: Engine, number: int, reason: str) -> CommandAnswered | None:
    """None: nobody answered in time."""
    engine.supervisor.flat_for = name = os.urandom(3).hex()  # its own: an answer ends one flatten and no other
    engine.pump.post(OperatorCommand(Control.FLATTEN, number, reason, asker=name))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(engine.config.stop.flatten_s + GRACE_S):
            await engine.supervisor.flattened.wait()
    return engine.supervisor.flat


async def _books_live(engine: Engine) -> None:
    """Until every traded book is LIVE, or it is not worth waiting: what has no book is told by the answer."""
    until = asyncio.get_running_loop().time() + BOOKS_S
    books = engine.supervisor.books
    while asyncio.get_running_loop().time() < until:
        if all(number in books and books[number].state is BookState.LIVE for number in engine.traded):
            return
        await asyncio.sleep(0.05)


def _check_symbol(config: Config, symbol: str) -> None:
    """Before anything is started for a mistyped one. Raises ConfigError."""
    known = [row.symbol for row in config.instrument]
    if symbol and symbol.casefold() not in [name.casefold() for name in known]:
        raise ConfigError(f"{symbol}: the configuration does not trade it; it has {', '.join(known)}")


def _number(engine: Engine, symbol: str) -> int:
    numbers = {row.venue_symbol.casefold(): row.instrument for row in engine.traded.values()}
    return numbers[symbol.casefold()] if symbol else -1


def _positions(engine: Engine) -> dict[str, str]:
    rows = engine.views()["portfolio"]["positions"]
    held: dict[int, Any] = {number: rows[number]["position"] if number in rows else 0 for number in engine.traded}
    return {row.venue_symbol: decimal_text(held[number], row.base_scale) for number, row in engine.traded.items()}
