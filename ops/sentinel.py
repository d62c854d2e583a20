"""The sentinel: a process of its own that cancels an engine's orders at the venue when the engine lives no more.

For venues without a dead man's switch. It may cancel and nothing else, with a key of its own. What follows what is the
table; the beat decides (ops/heartbeat.py). It never cancels a healthy engine's orders: it looks at the beat again before
each request, it spares ids of an epoch that the watched directory has not had (a successor's, another directory's), and
when it has stood still itself it gives the engine a whole silence anew.
"""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from enum import IntEnum
from pathlib import Path

from bus.clock import boottime_ns
from ops import events
from ops.at_venue import AtVenue
from ops.heartbeat import Beat, Mood, read_beat
from ops.sections import MS, Config
from ops.state import StateError
from ops.sweep import Swept, ours, sweep

SWEEP_S = 10.0
"""Of one sweep; then the beat is looked at by itself again. Chosen."""
AGAIN_S, AGAIN_S_MAX = 1.0, 30.0
"""Between two sweeps of a silence, doubled each time: what was on its way may come late, and no limit is used up. Chosen."""


class Phase(IntEnum):
    IDLE = 0
    """No engine has run there, or the last one ended well."""
    WATCHING = 1
    SWEEPING = 2
    """The beat is too old; orders are looked for and canceled."""
    CLEARED = 3
    """A look showed none; the beat is still away."""


class Event(IntEnum):
    BEAT = 0
    SILENCE = 1
    NONE_LEFT = 2
    SOME_LEFT = 3
    ENDED = 4


TRANSITIONS: dict[tuple[Phase, Event], Phase] = {
    (Phase.IDLE, Event.BEAT): Phase.WATCHING,
    (Phase.IDLE, Event.SILENCE): Phase.SWEEPING,  # it died before we were started
    (Phase.IDLE, Event.ENDED): Phase.IDLE,
    (Phase.WATCHING, Event.BEAT): Phase.WATCHING,
    (Phase.WATCHING, Event.SILENCE): Phase.SWEEPING,
    (Phase.WATCHING, Event.ENDED): Phase.IDLE,
    (Phase.SWEEPING, Event.BEAT): Phase.WATCHING,  # the engine is back and looks after its own
    (Phase.SWEEPING, Event.NONE_LEFT): Phase.CLEARED,
    (Phase.SWEEPING, Event.SOME_LEFT): Phase.SWEEPING,
    (Phase.SWEEPING, Event.ENDED): Phase.IDLE,
    (Phase.CLEARED, Event.BEAT): Phase.WATCHING,
    (Phase.CLEARED, Event.SILENCE): Phase.SWEEPING,  # looked at again: a request may have been on its way for long
    (Phase.CLEARED, Event.ENDED): Phase.IDLE,
}


Sweeper = Callable[[int, Callable[[], bool]], Awaitable[Swept]]
"""(highest epoch, go_on) -> what was found and is left. go_on: asked before each request that touches an order."""


class SentinelLock:
    """One sentinel a state directory, for as long as it lives. Raises StateError."""

    def __init__(self, state: Path) -> None:
        path = state / "sentinel.lock"
        try:
            state.mkdir(parents=True, exist_ok=True, mode=0o700)  # before the engine's first start there is none
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(
                f"{path}: cannot be opened: {error.strerror}; give --state the directory of an engine"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise StateError(f"{state}: another sentinel watches it already; one is enough") from None

    def close(self) -> None:
        os.close(self._lock)


class Sentinel:
    """canceled, alarms, sweeps: counts for its report. left: open orders by the last look."""

    def __init__(self, state: Path, silence_ms: int, look_ms: int, sweep_once: Sweeper) -> None:
        self._state, self._sweep = state, sweep_once
        self._silence_ns, self._look_s = silence_ms * MS, look_ms / 1e3
        self.phase = Phase.IDLE
        self.alarms = self.sweeps = self.canceled = self.left = 0
        self._looked_ns = self._wake_ns = boottime_ns()
        self._again_s = AGAIN_S
        self._due_ns = 0

    async def run(self, stopped: asyncio.Event) -> None:
        """Until `stopped`."""
        while not stopped.is_set():
            await self.look()
            try:
                async with asyncio.timeout(self._look_s):
                    await stopped.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One look at the beat, and a sweep if it is due."""
        now_ns = self._now_ns()
        event = self._event(now_ns)
        if event is None:
            return
        if event is Event.SILENCE and self.phase is Phase.CLEARED and now_ns < self._due_ns:
            return
        if event is not Event.SILENCE or self.phase is not Phase.SWEEPING:
            self._step(event)
        if self.phase is Phase.SWEEPING and now_ns >= self._due_ns:
            await self._sweep_now()

    def silent(self) -> bool:
        """Whether the engine may be taken for dead, by a fresh look: asked before each request that touches an order."""
        return self._event(self._now_ns()) is Event.SILENCE

    def _now_ns(self) -> int:
        """And whether we stood still, the engine perhaps with us: then it has a whole silence to show itself."""
        now_ns = boottime_ns()
        if now_ns - self._looked_ns > self._silence_ns // 2:
            self._wake_ns = now_ns
        self._looked_ns = now_ns
        return now_ns

    async def _pulse(self) -> None:
        """While a sweep waits for the venue we do not stand still: without this its end would look like a wake-up."""
        while True:
            self._now_ns()
            await asyncio.sleep(self._look_s)

    def _event(self, now_ns: int) -> Event | None:
        """None: nothing was ever there."""
        beat: Beat | None = read_beat(self._state)
        if beat is None:
            return None
        if beat.mood is Mood.ENDED:
            return Event.ENDED
        quiet_ns = min(beat.age_ns, now_ns - self._wake_ns)
        return Event.SILENCE if quiet_ns >= self._silence_ns else Event.BEAT

    def _step(self, event: Event) -> None:
        before, self.phase = self.phase, TRANSITIONS[self.phase, event]
        if self.phase is before:
            return
        if self.phase is Phase.SWEEPING and before is not Phase.CLEARED:
            self.alarms += 1
            self._again_s, self._due_ns = AGAIN_S, 0
            events.critical(
                "engine_silent", state=str(self._state), remedy="its orders are being canceled; look after it"
            )
        elif self.phase is Phase.WATCHING:
            events.info("engine_beats", state=str(self._state))

    async def _sweep_now(self) -> None:
        self.sweeps += 1
        pulse = asyncio.create_task(self._pulse())
        try:
            swept = await self._sweep(epoch_of(self._state), self.silent)
        finally:
            pulse.cancel()
        self.left = len(swept.left) if swept.seen else max(self.left, len(swept.left))
        gone = len(swept.found) - len(swept.left)
        self.canceled += gone
        self._due_ns = boottime_ns() + int(self._again_s * 1e9)
        self._again_s = min(self._again_s * 2, AGAIN_S_MAX)
        clean, silent = swept.seen and not swept.left, self.silent()
        if gone or (silent and not clean):
            write = events.warning if clean or not silent else events.critical
            write("swept", canceled=gone, left=len(swept.left), seen=swept.seen, trouble="; ".join(swept.trouble[:3]))
        if silent:
            self._step(Event.NONE_LEFT if clean else Event.SOME_LEFT)


def epoch_of(state: Path) -> int:
    """The highest epoch that an engine on this directory ever made ids in; 0: none is known, and nothing is touched."""
    try:
        text = (state / "epoch").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return int(text) if text.isdigit() else 0


def sweeper(config: Config, venue: AtVenue) -> Sweeper:
    """Whatever is open at the venue under an id that an engine of this prefix made, in this epoch or before."""
    window_s = config.venue.recv_window_ms / 1e3

    async def once(epoch: int, go_on: Callable[[], bool]) -> Swept:
        await venue.ask_clock()
        return await sweep(venue, ours(config.orders.prefix, epoch), window_s, seconds=SWEEP_S, go_on=go_on)

    return once
