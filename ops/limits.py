"""DIR/limits.json: what of the venues' limits is used, so that a restart does not believe that it begins with nothing.

Written once a second by a thread, and at the end; before the first request of a run with all that a start is about to
spend, so that one which is killed at once is counted too. A run that was killed may have spent as much again as in its
fastest second since the last word: that is assumed of it until the venue's own count is known. What a start was about to spend
is no such second: it is counted once, and openings, of which the venue says no count, do not add up to more than there were.

A start first waits until a whole start finds room (`wait_for_room`): a crash loop slows down by what it spends, never
for being one. The account's order count does not hold a start up, because a start places no order.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from gateway.doors.budget import Budget, Held
from gateway.doors.window import NEW, QUERY, Kept
from ops import events

INTERVAL_S = 1.0
LOOK_S = 0.5
"""Between two looks at whether there is room; chosen."""
OPENINGS = 2
"""Of a start: the order connection and one of market data."""
VERSION = 1


class _Address(msgspec.Struct):
    windows: list[Kept]
    held: Held


class _File(msgspec.Struct):
    version: int
    written_ns: int
    addresses: dict[str, _Address]


class LimitsFile:
    """Made before anything is sent: what an earlier run left is in the budgets from then on. budgets: by address."""

    def __init__(self, path: Path, budgets: Mapping[str, Budget], now_ns: Callable[[], int]) -> None:
        self._path, self._now_ns = path, now_ns
        self._budgets = {address: budget for address, budget in budgets.items() if budget.costs is not None}
        self._failed = False
        self._writing = threading.Lock()
        self._read()

    async def wait_for_room(self, budget: Budget, weight: int, stopped: asyncio.Event) -> None:
        """Until a start that spends `weight` finds room, or `stopped`. It is written down as spent before this returns."""
        told = False
        weight = min(weight, budget.half(QUERY))  # more than that comes in parts anyway
        while not stopped.is_set():
            now_ns = self._now_ns()
            free_ns = max(budget.free_ns(now_ns, QUERY, weight), budget.opening_free_ns(now_ns, NEW, OPENINGS))
            if free_ns <= now_ns:
                break
            if not told:
                told = True
                used = " ".join(f"{kind}/{seconds}s={count}/{limit}" for kind, seconds, count, limit in budget.view())
                reason = budget.reason(now_ns) or "earlier runs have used up the venue's limits"
                events.warning("start_waits", seconds=f"{(free_ns - now_ns) / 1e9:.1f}", used=used, reason=reason)
            await asyncio.sleep(min(LOOK_S, (free_ns - now_ns) / 1e9))
        self._write(self._told(lambda one: one.reserve(weight, OPENINGS) if one is budget else one.reserve(0, 0)))

    async def run(self) -> None:
        """Until canceled."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await asyncio.to_thread(self._write, self._present())

    def close(self) -> None:
        """The last word. After `run` is over."""
        self._write(self._present(last=True))

    # -- inside ---------------------------------------------------------------------------------------------------

    def _present(self, *, last: bool = False) -> bytes:
        now_ns = self._now_ns()
        return self._told(lambda one: one.kept(now_ns, last=last))

    def _told(self, windows: Callable[[Budget], list[Kept]]) -> bytes:
        addresses = {address: _Address(windows(one), one.held) for address, one in self._budgets.items()}
        return msgspec.json.encode(_File(VERSION, self._now_ns(), addresses))

    def _read(self) -> None:
        """What cannot be read is not believed: the venue's first answer says what is used."""
        try:
            told = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            events.warning("limits_not_read", file=self._path, reason=str(error)[:200], remedy="none is needed")
            return
        now_ns = self._now_ns()
        for address, left in told.addresses.items() if told.version == VERSION else ():
            if address in self._budgets:
                self._budgets[address].restore(left.windows, left.held, now_ns)

    def _write(self, data: bytes) -> None:
        """Not synced: it is for a process that dies, and no window that matters outlives a machine's reboot by much."""
        part = self._path.with_name(self._path.name + ".part")
        try:
            with self._writing:  # the last word may come while a thread still writes the one before
                part.write_bytes(data)
                part.replace(self._path)
        except OSError as error:
            if not self._failed:
                events.warning("limits_not_written", file=self._path, reason=str(error), remedy="free disk space")
            self._failed = True
        else:
            self._failed = False
