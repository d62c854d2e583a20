"""The private stream's own socket, where a venue has it apart from order entry. It lives and dies with the session's.

A session is up only while both sockets are: when this one is lost, the session's is given up, and both are dialed anew.
Its address names a key, so it is never told to anybody.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from gateway.doors.websocket import ConnectFailed, Patience, WebSocket, connect


@runtime_checkable
class StreamVenue(Protocol):
    """A venue's order entry (`VenueOrders`) whose answer to "subscribe" names the private stream's address.

    keep_alive: a session request "keepalive", to be sent every keep_alive_s: the venue ends a stream without it.
    """

    keep_alive_s: float

    def keep_alive(self) -> bytes: ...


class PrivateSocket:
    def __init__(
        self, venue: StreamVenue, on_frame: Callable[[bytes], None], on_lost: Callable[[str], None], patience: Patience
    ) -> None:
        """on_lost: it ended by itself; not called by `drop`."""
        self._venue, self._on_frame, self._on_lost, self._patience = venue, on_frame, on_lost, patience
        self._socket: WebSocket | None = None
        self._keep_alive_at_s = 0.0

    async def dial(self, address: str) -> None:
        """Raises ConnectFailed."""
        self._keep_alive_at_s = asyncio.get_running_loop().time() + self._venue.keep_alive_s
        try:
            await connect(address, self._on_open, self._on_frame, self._on_end, self._patience)
        except ConnectFailed as error:
            reason = error.reason.replace(address, "its address")
            raise ConnectFailed("the private stream", reason, error.status, error.retry_after) from None

    @property
    def open(self) -> bool:
        return self._socket is not None and self._socket.open

    def drop(self, reason: str) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.abort(reason)

    def due(self, now_s: float) -> bytes:
        """What must be sent on the session's socket now, so that the venue does not end this one; b"" if nothing."""
        if now_s < self._keep_alive_at_s:
            return b""
        self._keep_alive_at_s = now_s + self._venue.keep_alive_s
        return self._venue.keep_alive()

    def _on_open(self, socket: WebSocket) -> None:
        self._socket = socket

    def _on_end(self, socket: WebSocket, reason: str) -> None:
        if socket is self._socket:  # else one that was dropped
            self._socket = None
            self._on_lost(f"the private stream was lost: {reason}")
