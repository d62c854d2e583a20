"""The feed door: one market data connection, reopened for as long as the engine runs.

Frames become inputs inside the socket callback, stamped there. It holds no rule about their content.
"""

import asyncio
from collections.abc import Callable

import tenacity

from bus.messages import ConnectionDown, ConnectionUp, Frame, Message
from gateway.doors.websocket import PATIENCE, ConnectFailed, Patience, WebSocket, connect

Post = Callable[[Message], None]

FIRST_DELAYS_S = (0.0, 0.1, 0.2, 0.4, 0.8)
"""Chosen: a dropped connection is back in 0.3 s (FINDINGS: the library's own delays took 4.7 s)."""
DELAY_MAX_S = 15.0
"""Chosen: 300 connection attempts in 5 minutes are allowed to an address; this stays below 50."""
STEADY_S = 10.0
"""A connection that ends sooner was none: delays go on growing, or a venue that accepts and hangs up keeps us dialing."""


def reconnect_delay(attempt: int) -> float:
    """Seconds before attempt 1, 2, 3 ... of one outage."""
    if attempt <= len(FIRST_DELAYS_S):
        return FIRST_DELAYS_S[attempt - 1]
    return float(min(2.0 ** (attempt - len(FIRST_DELAYS_S)), DELAY_MAX_S))


class Redial:
    """Counts connections that did not last, for the pause before the next one."""

    def __init__(self) -> None:
        self._short = 0

    async def pause(self, lasted_s: float) -> None:
        """After a connection that lasted so long: none after a steady one, or after the first short one."""
        self._short = self._short + 1 if lasted_s < STEADY_S else 0
        if self._short > 1:
            await asyncio.sleep(reconnect_delay(self._short))


class FeedDoor:
    """Keeps one connection open. `number` names it in Frame, ConnectionUp and ConnectionDown."""

    def __init__(
        self, number: int, url: str, post: Post, now_ns: Callable[[], int], patience: Patience = PATIENCE
    ) -> None:
        self._patience = patience
        self.on_trouble: Callable[[str], None] = lambda detail: None
        self.is_fresh: Callable[[int], bool] = lambda now_ns: True
        """(when a frame was read) -> whether it came then; it may have `drop`ped the connection by the answer."""
        self._number, self._url, self._post, self._now_ns = number, url, post, now_ns
        self.generation = 0
        self.frames = 0
        self.failed_attempts = 0
        self._socket: WebSocket | None = None
        self._down = asyncio.Event()

    async def run(self) -> None:
        """Until canceled. Every opening is a new generation."""
        loop, redial = asyncio.get_running_loop(), Redial()
        while True:
            await self._open()
            opened_s = loop.time()
            await self._down.wait()
            await redial.pause(loop.time() - opened_s)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def drop(self, reason: str) -> None:
        """Trust nothing that lies in this connection any more; a new one is made. The end of it has been posted."""
        if self._socket is not None:
            self._socket.abort(reason)

    async def _open(self) -> None:
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(ConnectFailed),
            wait=lambda state: reconnect_delay(state.attempt_number),
            before_sleep=self._on_failed_attempt,
            reraise=True,
        )
        await attempts(connect, self._url, self._on_open, self._on_frame, self._on_close, self._patience)

    def _on_failed_attempt(self, state: tenacity.RetryCallState) -> None:
        self.failed_attempts += 1
        self.on_trouble(f"attempt {state.attempt_number}: {state.outcome.exception() if state.outcome else ''}")

    def _on_open(self, socket: WebSocket) -> None:
        self._socket = socket
        self._down.clear()  # here: an attempt before may have opened and ended, and set it
        self.generation += 1
        self._post(ConnectionUp(self._number, self.generation, self._now_ns()))

    def _on_frame(self, payload: bytes) -> None:
        self.frames += 1
        received_ns = self._now_ns()
        if self.is_fresh(received_ns):
            self._post(Frame(self._number, received_ns, payload))

    def _on_close(self, socket: WebSocket, reason: str) -> None:
        if socket is not self._socket:
            return  # the late end of one that was replaced
        self._socket = None
        self._post(ConnectionDown(self._number, self.generation, reason))
        self._down.set()
