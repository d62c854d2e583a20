"""The shape of a venue's writer."""

from typing import Protocol

from .true_book import TrueBook


class Wire(Protocol):
    """Writes one instrument's frames as its venue would. It remembers what it told last, so that `diff` tells the rest.

    Made by `Wire(symbol, price_decimals, quantity_decimals, depth)`; depth 0: as deep as the venue's own default.
    """

    venue: str

    def accepted(self) -> tuple[bytes, ...]:
        """What the venue answers after opening and subscribing, before any data."""
        ...

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        """The whole book as it is now: a REST body where the venue's books begin with one, else a frame of the stream."""
        ...

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        """One frame with everything that changed since the last diff (or the last snapshot of a stream)."""
        ...

    def quote(self, book: TrueBook, venue_ns: int) -> bytes | None:
        """The venue's own best bid and ask of now; None where this venue's is not read."""
        ...

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes: ...

    def heartbeat(self, venue_ns: int) -> bytes | None:
        """A frame without news; None where the venue sends none."""
        ...

    def update_id(self, book: TrueBook) -> int | None:
        """The number that the venue's messages bear for the book as last told; None where it has none."""
        ...
