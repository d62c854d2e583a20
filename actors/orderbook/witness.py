"""Trades and best quotes against a book whose depth stream says nothing. Pure; constant work a message.

A trade or a quote through the book's touch is normal for a moment: it is told at once, the depth stream tells in its own
time. When further ones say the same and the depth stream still says nothing, it is dead though its socket may be well.
"""

from enum import IntEnum

import msgspec

CONTRADICTED_NS = 1_000_000_000
"""Chosen: ten times the longest that a book was contradicted in 157,000 recorded frames of four venues, 103 ms (Binance
Spot and USD-M tell depth each 100 ms; OKX: 48 ms). tests/actors/orderbook/test_witness_recorded.py holds a fifth of it."""
NEVER = -1


class Kind(IntEnum):
    """PRICE: a trade or quote through the touch; the next one that is not takes it back. AHEAD: the venue's own best quote
    bears a later id than the book: only a depth update takes that back."""

    PRICE = 0
    AHEAD = 1


class Witness(msgspec.Struct):
    """What speaks against a book since its last update. Own checkpoint.

    book_ns: received_ns of that update. since_ns: when each kind of contradiction began.
    """

    book_ns: int = NEVER
    since_ns: dict[Kind, int] = {}

    def disputes(self, kind: Kind, against: bool, book_ns: int, received_ns: int) -> int:
        """A trade or quote came. Return for how long the book has been contradicted; 0 while that may be."""
        since_ns = self.since_ns
        if book_ns != self.book_ns:
            self.book_ns = book_ns
            since_ns.clear()
        if not against:
            since_ns.pop(kind, None)
            return 0
        lasted_ns = received_ns - since_ns.setdefault(kind, received_ns)
        if lasted_ns <= CONTRADICTED_NS:
            return 0
        since_ns.clear()  # believed; a book that is LIVE again starts without it
        return lasted_ns
