"""What the order door needs of a venue, and what it may be told by one. The venue's own words stay in its folder."""

from typing import Protocol

import msgspec

from bus.messages import CancelOrder, Instrument, Message, SubmitOrder


class SessionAnswer(msgspec.Struct, frozen=True):
    """An answer that concerns no order. code: the venue's error, 0 if it is good. venue_ms: 0 unless it tells the time.

    stream: of "subscribe", the address of the private stream where it has a socket of its own.
    """

    request_id: str
    code: int
    text: str
    venue_ms: int = 0
    stream: str = ""


class StreamEnded(msgspec.Struct, frozen=True):
    """The venue says that the private stream ends here: reports may be missing from now on."""

    reason: str


class Unreadable(msgspec.Struct, frozen=True):
    """A word on the private stream that could not be read: it may have been about an order of ours."""

    detail: str


class TimeRefused(msgspec.Struct, frozen=True):
    """The venue refused a request for its timestamp: what we know of its clock may hold no more."""


Read = Message | SessionAnswer | StreamEnded | TimeRefused | Unreadable


class VenueOrders(Protocol):
    """A venue's order entry, pure. Session requests use the ids "logon", "subscribe" and "time" (and, where it is a
    `StreamVenue` too, "keepalive").

    window_ms: how long after its timestamp the venue may take a new order, at most; a submit may name less.
    """

    logs_on: bool
    window_ms: int

    def know(self, instrument: Instrument) -> None:
        """Orders are phrased, and what comes is read, by this version of it from now on."""
        ...

    def logon(self, timestamp_ms: int) -> bytes: ...

    def subscribe(self, timestamp_ms: int) -> bytes: ...

    def time(self) -> bytes: ...

    def submit(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> bytes: ...

    def cancel(self, cancel: CancelOrder, timestamp_ms: int) -> bytes: ...

    def read(self, payload: bytes, received_ns: int) -> list[Read]: ...
