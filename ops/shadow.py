"""A comparison with the venue while no engine runs: the engine's own actors, brought back read-only, and its own questions.

Orders and portfolio are recovered from the state directory's checkpoint and journal, in memory, and begin a run; what they
ask is asked over REST, and what they would send goes nowhere. So the rows are those that a start would say. Nothing is
written: the directory is linked from a temporary one, because a recovery sets unusable checkpoints aside.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from actors.orders import Leftovers, Orders
from actors.orders.settings import External, Orphans
from bus.actor import Actor
from bus.clock import EngineClock
from bus.messages import (
    ClockEstimate,
    EngineStarted,
    Instrument,
    Message,
    PrivateStreamUp,
    QueryAnswer,
    Reconciled,
    SetTimer,
    TimerFired,
    VenueQuery,
)
from gateway.binance_spot.errors import SigningKeyError
from gateway.binance_spot.signing import Signer
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.config import ConfigError, credentials
from ops.feeds import sources
from ops.preflight import StartFailed, check_clock, read_instruments, read_last_epoch
from ops.recovery import recover
from ops.registry import register
from ops.sections import Config
from ops.state import StateDirectory, StateError
from ops.topology import ROUTES
from ops.venues import account_rest, signer

NAMES = ("orders", "portfolio")
COMPARE_S = 30.0
"""As an engine's start has (ops.engine.START_S_MAX): the venue's slowest query has 10 s, and three follow each other."""


class Shadow:
    """The actors, without a door behind them. `said`: everything they said, in order, for whoever makes a report of it."""

    def __init__(self, actors: Sequence[Actor[Any]], rest: RestDoor, clock: EngineClock) -> None:
        self._actors = {actor.name: actor for actor in actors}
        self.rest, self.clock = rest, clock
        self._timers: dict[tuple[str, int], asyncio.TimerHandle] = {}
        self.said: list[Message] = []
        self.done = asyncio.Event()

    def post(self, message: Message) -> None:
        """One input and everything that follows from it."""
        now_ns = self.clock.now_ns()
        queue: deque[tuple[str, Message]] = deque(self._receivers(message))
        while queue:
            name, taken = queue.popleft()
            for said in self._actors[name].receive(taken, now_ns):
                self.said.append(said)
                self._act(said)
                queue.extend(self._receivers(said))

    def _receivers(self, message: Message) -> list[tuple[str, Message]]:
        names = (message.actor,) if isinstance(message, QueryAnswer | TimerFired) else ROUTES.get(type(message), ())
        return [(name, message) for name in names if name in self._actors]

    def _act(self, said: Message) -> None:
        if isinstance(said, VenueQuery):
            self.rest.handlers[VenueQuery](said, self.clock.now_ns())
        elif isinstance(said, SetTimer):
            self._arm(said)
        elif isinstance(said, Reconciled):
            self.done.set()

    def _arm(self, timer: SetTimer) -> None:
        key = (timer.actor, timer.counter)
        if (before := self._timers.pop(key, None)) is not None:
            before.cancel()
        fired = TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns)
        wait_s = max(timer.fires_ns - self.clock.now_ns(), 0) / 1e9
        self._timers[key] = asyncio.get_running_loop().call_later(wait_s, self.post, fired)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()


async def compare(config: Config, path: Path) -> tuple[list[Message], dict[int, Instrument]]:
    """What the comparison said, and the instruments by number. Raises ConfigError, StateError, StartFailed."""
    try:
        signed_by = signer(*credentials(config.venue))
    except SigningKeyError as error:
        raise ConfigError(f"[venue] private_key_file: {config.venue.private_key_file}: {error}") from None
    clock, venue_time = EngineClock(), VenueTime()
    source = sources(config)[VENUE]
    rest = RestDoor({VENUE: source.addresses.rest}, clock.now_ns, venue_time)
    await rest.open()
    try:
        with _read_only(path) as state:
            estimate = await check_clock(rest, clock.now_ns, config.venue)
            venue_time.take(estimate)
            rows = register(state.instruments, source.name, await read_instruments(rest, source))
            actors = _actors(config, rows)
            recovered = recover(state, actors)
            at_venue = await read_last_epoch(
                rest,
                signed_by,
                lambda: venue_time.milliseconds(clock.now_ns()),
                config.venue,
                source.symbols,
                config.orders.prefix,
            )
        instruments = {row.instrument: row for row in rows}
        epoch = max(recovered.epoch, at_venue) + 1
        return await _run(Shadow(actors, rest, clock), config, signed_by, instruments, epoch, estimate), instruments
    finally:
        await rest.close()


def _actors(config: Config, instruments: Sequence[Instrument]) -> list[Actor[Any]]:
    """They keep what they find: nobody would hear that an order was canceled."""
    portfolio = next(actor for actor in build_actors(config, instruments, NAMES) if actor.name == "portfolio")
    orders = next(actor for actor in build_actors(config, instruments, NAMES) if isinstance(actor, Orders))
    keeping = replace(orders.settings, leftovers=Leftovers.ADOPT, orphans=Orphans.ADOPT, external=External.LEAVE)
    return [Orders(keeping), portfolio]


async def _run(
    shadow: Shadow,
    config: Config,
    signed_by: Signer,
    instruments: dict[int, Instrument],
    epoch: int,
    estimate: ClockEstimate,
) -> list[Message]:
    """Raises StartFailed when the comparison does not come to its end."""
    shadow.rest.attach(shadow.post, {}, {VENUE: account_rest(signed_by, config.venue, instruments)})
    try:
        shadow.post(estimate)
        for instrument in instruments.values():
            shadow.post(instrument)
        shadow.post(EngineStarted(ACCOUNT, epoch))
        shadow.post(PrivateStreamUp(ACCOUNT, 1, shadow.clock.now_ns()))
        async with asyncio.timeout(COMPARE_S):
            await shadow.done.wait()
    except TimeoutError:
        raise StartFailed(f"the venue did not answer all questions within {COMPARE_S:.0f} s; try again") from None
    finally:
        shadow.close()
    return shadow.said


@contextlib.contextmanager
def _read_only(path: Path) -> Iterator[StateDirectory]:
    """A state directory of our own with the journal linked and the rest copied. Raises StateError."""
    if not (path / "journal").exists():
        raise StateError(f"{path}: has no journal: no engine has ever traded here; check --state")
    with tempfile.TemporaryDirectory(prefix="touchline-") as name:
        own = Path(name)
        (own / "journal").symlink_to((path / "journal").absolute())
        if (path / "checkpoints").exists():
            shutil.copytree(path / "checkpoints", own / "checkpoints")
        if (path / "instruments.json").exists():
            shutil.copy(path / "instruments.json", own / "instruments.json")
        state = StateDirectory(own)
        try:
            yield state
        finally:
            state.close()
