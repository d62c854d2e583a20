"""One socket of a market data connection: what comes by it, what is said on it in the venue's pace, and its silence."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bus.messages import Frame, Stream
from gateway.doors.pace import Pace
from gateway.doors.websocket import WebSocket
from gateway.market import ConnectionPlan, Limits

RENEWALS_MAX = 100
"""Subscriptions that wait to be renewed on one socket; a further one is refused, and whoever asked asks again. Chosen: at
two frames each and three frames a second their turn comes within about a minute.
"""
CONTROL_FRAMES = 2
"""Of a second's frames, kept for a ping of ours and a pong: Binance counts those too (docs, web-socket-streams)."""
LOOKS = 4
"""Looks at a socket in the time that it may be silent: its end is found at most a quarter late; chosen."""

Subscription = tuple[str, Stream]


class Inlet(NamedTuple):
    """Where frames go. post: takes one input or several, in order, and runs. is_fresh, on_said: see `FeedDoor.attach`."""

    number: int
    now_ns: Callable[[], int]
    post: Callable[..., None]
    is_fresh: Callable[[int], bool]
    on_said: Callable[[int, int, bytes], None]


class Line:
    """Made before its socket is dialed; `begin` once that is open. generation: of the opening, 0 until then."""

    def __init__(
        self,
        plan: ConnectionPlan,
        limits: Limits,
        inlet: Inlet,
        opened: Callable[["Line"], None],
        ended: Callable[["Line", str], None],
    ) -> None:
        self._plan, self._limits = plan, limits
        self._number, self._now_ns, self._post, self._is_fresh, self._on_said = inlet
        self._opened, self._ended = opened, ended
        self._loop = asyncio.get_running_loop()
        self._pace = _frame_pace(limits.frames_per_s, self._loop.time)
        self._unsaid: deque[bytes] = deque()
        self._renewals: dict[Subscription, Sequence[bytes]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._socket: WebSocket | None = None
        self._heard, self._heard_s = 0, 0.0
        self._read: list[Frame] = []
        self._received_ns = 0
        self.generation = 0
        self.frames = 0
        self.opened_s = 0.0

    # -- for the connection ---------------------------------------------------------------------------------------

    def begin(self, generation: int) -> None:
        """Say the opening frames, as many as the pace allows at once, and watch from now on."""
        self.generation = generation
        self.opened_s = self._heard_s = self._loop.time()
        self._unsaid.extend(self._plan.opening)
        self._say()
        if self._plan.keepalive_s > 0:
            self._later("keepalive", self._plan.keepalive_s, self._keep_alive)
        if self._limits.silence_s > 0:
            self._later("silence", self._limits.silence_s / LOOKS, self._listen)

    def renew(self, subscription: Subscription, frames: Sequence[bytes]) -> bool:
        """Say `frames` when their turn comes; once, if the same subscription waits already. False: too many wait."""
        if subscription not in self._renewals and len(self._renewals) >= RENEWALS_MAX:
            return False
        self._renewals.setdefault(subscription, frames)
        self._say()
        return True

    def close(self) -> None:
        """Politely; frames go on coming until the peer has agreed."""
        if self._socket is not None:
            self._socket.close()

    def abort(self, reason: str) -> None:
        """Cut it; `ended` has run when this returns."""
        if self._socket is not None:
            self._socket.abort(reason)

    # -- for the socket -------------------------------------------------------------------------------------------

    def on_open(self, socket: WebSocket) -> None:
        self._socket = socket
        self._opened(self)

    def on_frame(self, payload: bytes) -> None:
        """HOT PATH: kept until `on_read`. One stamp for all that one read brought: it was here when the read was."""
        self.frames += 1
        read = self._read
        if not read:
            self._received_ns = self._now_ns()
        read.append(Frame(self._number, self._received_ns, payload, self.generation))

    def on_read(self) -> None:
        """HOT PATH: handed on together, still inside the socket's own callback, so that a host which is behind sees it."""
        if self._read:
            read, self._read = self._read, []
            if self._is_fresh(self._received_ns):
                self._post(*read)

    def on_close(self, _socket: WebSocket, reason: str) -> None:
        self._socket = None
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._ended(self, reason)

    # -- inside ---------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        """Write what waits: the opening first, then renewals, each whole before the next; the rest when there is room."""
        batch: list[bytes] = []
        while (self._unsaid or self._renewals) and not self._pace.wait_s():
            if not self._unsaid:
                self._unsaid.extend(self._renewals.pop(next(iter(self._renewals))))
                continue
            self._pace.take()
            batch.append(self._unsaid.popleft())
        if self._socket is None or not self._socket.open:
            return  # it is ending: `on_close` comes
        if batch:
            self._socket.write_all(batch)
            for frame in batch:
                self._on_said(self._number, self.generation, frame)
        if (self._unsaid or self._renewals) and "say" not in self._timers:
            self._later("say", self._pace.wait_s(), self._say_on)

    def _say_on(self) -> None:
        del self._timers["say"]
        self._say()

    def _keep_alive(self) -> None:
        """Before what waits: a venue that hears nothing hangs up."""
        self._later("keepalive", self._plan.keepalive_s, self._keep_alive)
        self._unsaid.appendleft(self._plan.keepalive)
        self._say()

    def _listen(self) -> None:
        """Found by counting, so that a frame costs nothing for it."""
        now_s, limit_s = self._loop.time(), self._limits.silence_s
        if self.frames != self._heard:
            self._heard, self._heard_s = self.frames, now_s
        elif now_s - self._heard_s >= limit_s:
            self.abort(f"no frame for {now_s - self._heard_s:.1f} s, and the venue is never silent for {limit_s:g} s")
            return
        self._later("silence", limit_s / LOOKS, self._listen)

    def _later(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        self._timers[name] = self._loop.call_later(seconds, work)


def _frame_pace(frames_per_s: float, now_s: Callable[[], float]) -> Pace:
    """Control frames take at most half of the rate; one below one a second is a frame in so many seconds."""
    if frames_per_s < 1.0:
        return Pace(1, 1.0 / max(frames_per_s, 0.001), now_s)
    most = int(frames_per_s)
    return Pace(max(most - CONTROL_FRAMES, (most + 1) // 2), 1.0, now_s)
