"""The feed door: one market data connection, reopened for as long as the engine runs.

Frames become inputs inside the socket callback, stamped there. It holds no rule about their content.
"""

import asyncio
from collections.abc import Callable

import tenacity

from bus.messages import ConnectionDown, ConnectionUp, Frame, Message
from gateway.doors.websocket import ConnectFailed, WebSocket, connect

Post = Callable[[Message], None]

FIRST_DELAYS_S = (0.0, 0.1, 0.2, 0.4, 0.8)
"""Chosen: a dropped connection is back in 0.3 s (FINDINGS: the library's own delays took 4.7 s)."""
DELAY_MAX_S = 15.0
"""Chosen: 300 connection attempts in 5 minutes are allowed to an address; this stays below 50."""


def reconnect_delay(attempt: int) -> float:
    """Seconds before attempt 1, 2, 3 ... of one outage."""
    if attempt <= len(FIRST_DELAYS_S):
        return FIRST_DELAYS_S[attempt - 1]
    return float(min(2.0 ** (attempt - len(FIRST_DELAYS_S)), DELAY_MAX_S))


class FeedDoor:
    """Keeps one connection open. `number` names it in Frame, ConnectionUp and ConnectionDown."""

    def __init__(self, number: int, url: str, post: Post, now_ns: Callable[[], int]) -> None:
        self._number, self._url, self._post, self._now_ns = number, url, post, now_ns
        self.generation = 0
        self.frames = 0
        self.failed_attempts = 0
        self._socket: WebSocket | None = None
        self._down = asyncio.Event()

    async def run(self) -> None:
        """Until canceled. Every opening is a new generation."""
        while True:
            await self._open()
            await self._down.wait()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    async def _open(self) -> None:
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(ConnectFailed),
            wait=lambda state: reconnect_delay(state.attempt_number),
            before_sleep=self._count_failure,
            reraise=True,
        )
        self._down.clear()
        await attempts(connect, self._url, self._on_open, self._on_frame, self._on_close)

    def _count_failure(self, _: tenacity.RetryCallState) -> None:
        self.failed_attempts += 1

    def _on_open(self, socket: WebSocket) -> None:
        self._socket = socket
        self.generation += 1
        self._post(ConnectionUp(self._number, self.generation, self._now_ns()))

    def _on_frame(self, payload: bytes) -> None:
        self.frames += 1
        self._post(Frame(self._number, self._now_ns(), payload))

    def _on_close(self, reason: str) -> None:
        self._post(ConnectionDown(self._number, self.generation, reason))
        self._down.set()
