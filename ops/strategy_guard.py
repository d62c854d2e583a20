"""Watches the time that a user's strategy takes: it may be slow a few times, and it may not hang.

Slow: the host's own stamps show each hop that took longer than the budget. One such hop proves little on a busy machine,
so from the first on the calls are measured one by one for a while: a call counts when it used the processor for that long,
or gave it away itself (slept, read a file). OVERRUNS_MAX of them within the window, and it is quarantined.

Hangs: a timer signal comes five times in `hang_ms`, costs nothing in between, and looks whether the same call of a hook is
still running. After five looks the signal's handler raises `Interrupted` there. It raises nowhere else: only while the
interrupted code was called by the hook. Whoever swallows it meets the next one; after RAISES_MAX the process ends, because
nothing in it can go on: its orders are the next start's, the sentinel's and the venue's affair. Code that never returns to
the interpreter (a C function that runs for ever) cannot be broken off: then the term runs out, and others take over.
"""

import os
import resource
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter_ns
from types import FrameType
from typing import Any, NamedTuple

from actors.strategy import StrategyActor, UserCode
from bus.actor import Handler
from bus.errors import place_of
from bus.host import Host
from bus.messages import Message

LOOKS = 5
"""In a row at the same call, before it is broken off. Looks are counted, not time: a process that was stopped for a minute
gets one signal for it."""
RAISES_MAX = 5
"""Times that one call may swallow what is raised in it; chosen."""
OVERRUNS_MAX = 10
OVERRUN_WINDOW_NS = 10_000_000_000
"""Chosen: a strategy that overruns once a second is not working as it was meant to."""
ENDED = 1
"""Exit code of a process that a strategy holds."""

LAST_WORD = (
    'strategy_never_returns remedy="this process ends now: its orders may work at the venue until the next start, the sentinel '
    'or the venue itself cancels them; mend the strategy first"'
)

HOOK = UserCode.call.__code__
"""Everything of a user's runs below a frame of this code."""


class Interrupted(BaseException):
    """A hook did not come back. No `except Exception` of a user's catches it. at: the line of the user's that it was in."""

    def __init__(self, text: str = "", at: str = "") -> None:
        self.at = at
        super().__init__(text)


class Stopwatch(NamedTuple):
    """The strategy as a receiver whose calls are measured."""

    name: str
    handlers: Mapping[type[Message], Handler]


class StrategyGuard:
    """Of one host with a strategy; `start` it on the main thread, `attach` it to the host, and `stop` it.

    quarantine: called with the reason, inside a cascade.
    """

    def __init__(self, budget_us: int, hang_ms: int, quarantine: Callable[[str], None]) -> None:
        self.budget_ns = budget_us * 1_000
        self._interval_s = hang_ms / 1e3 / LOOKS
        self._quarantine = quarantine
        self._until_ns = 0
        self._overruns: deque[int] = deque(maxlen=OVERRUNS_MAX)
        self._call: FrameType | None = None
        self._looks = self._raises = 0
        self._before: Any = None
        self.interrupted = 0

    def attach(self, host: Host, actor: StrategyActor) -> None:
        self._host, self._actor = host, actor
        host.long_ns, host.on_long = self.budget_ns, self._overran

    # -- slow -----------------------------------------------------------------------------------------------------

    def _overran(self, receiver: str, took_ns: int) -> None:
        """From now on the strategy's calls are measured, until a window passes without an overrun."""
        if receiver == self._actor.name and not self._until_ns:
            self._until_ns = perf_counter_ns() + OVERRUN_WINDOW_NS
            timed = {kind: partial(self._measure, handler) for kind, handler in self._actor.handlers.items()}
            self._host.renew([Stopwatch(self._actor.name, timed)])

    def _measure(self, handler: Handler, message: Any, now_ns: int) -> tuple[Message, ...]:
        before, start_ns = resource.getrusage(resource.RUSAGE_THREAD), perf_counter_ns()
        out = handler(message, now_ns)
        end_ns = perf_counter_ns()
        if end_ns - start_ns > self.budget_ns:
            after = resource.getrusage(resource.RUSAGE_THREAD)
            used_ns = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9
            if used_ns > self.budget_ns or after.ru_nvcsw > before.ru_nvcsw:
                self._count(end_ns, end_ns - start_ns)
        elif end_ns > self._until_ns:
            self._until_ns = 0
            self._host.renew([self._actor])
        return out

    def _count(self, at_ns: int, took_ns: int) -> None:
        self._until_ns = at_ns + OVERRUN_WINDOW_NS
        self._overruns.append(at_ns)
        if len(self._overruns) == OVERRUNS_MAX and at_ns - self._overruns[0] <= OVERRUN_WINDOW_NS:
            self._overruns.clear()
            self._quarantine(
                f"{OVERRUNS_MAX} calls took longer than budget_us = {self.budget_ns // 1_000} within "
                f"{OVERRUN_WINDOW_NS // 10**9} s, the last one {took_ns // 1_000} us"
            )

    # -- hangs ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Only the main thread may set a timer signal; a host on another one is not watched for hangs."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, self._interval_s, self._interval_s)

    def stop(self) -> None:
        if self._before is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)
            self._before = self._call = None

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        """Runs between two steps of the interpreter, on top of whatever it interrupted: `frame` is that."""
        call = running_hook(frame)
        if call is None or call is not self._call:
            self._call, self._looks, self._raises = call, 0, 0
            return
        self._looks += 1
        if (
            self._looks < LOOKS or frame is call
        ):  # in the hook's own frame nothing of the user's runs: before it, or after
            return
        if self._raises >= RAISES_MAX:
            _end_process()
        self._raises += 1
        self.interrupted += 1
        at = user_line(frame, call, self._user_file())
        raise Interrupted(f"a hook did not come back within {self._interval_s * LOOKS:g} s", at)

    def _user_file(self) -> str:
        """Of the class that the configuration names; "": it has none."""
        actor = getattr(self, "_actor", None)
        module = sys.modules.get(type(actor.user.strategy).__module__) if actor is not None else None
        return str(getattr(module, "__file__", "") or "")


def running_hook(frame: FrameType | None) -> FrameType | None:
    """The frame of the hook that `frame` runs in, or None."""
    while frame is not None and frame.f_code is not HOOK:
        frame = frame.f_back
    return frame


def user_line(frame: FrameType | None, call: FrameType, file: str) -> str:
    """The innermost line of `file` between a hook's call and `frame`; of another file, where the hook itself is. "": there is none."""
    outermost = ""
    while frame is not None and frame is not call:
        outermost = place_of(frame.f_code, frame.f_lineno)
        if frame.f_code.co_filename == file:
            return outermost
        frame = frame.f_back
    return outermost


def _end_process() -> None:
    """From inside a signal handler, below code that lets nothing through: no stop is possible, and no cancel. What it
    interrupted may hold a lock of the log, so the line is written past it.
    """
    at = time.strftime("%Y-%m-%dT%H:%M:%S")
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{at}     CRITICAL {LAST_WORD}\n".encode())
    os._exit(ENDED)
