"""The rebuilt book against the venue's own checksum of it. Pure. Nothing of an update is shown before."""

import msgspec

from actors.orderbook.book import Book
from bus.messages.feed import BookShape, Scales


class ChecksumCheck(msgspec.Struct):
    """How many were compared, and how many differed. Own checkpoint."""

    checks: int = 0
    failures: int = 0

    def agrees(self, told: int, book: Book, shape: BookShape, scales: Scales) -> bool:
        """Is the book after an update (already truncated to the shape's depth) the one that the venue means?"""
        if shape.checksum is None:
            return True
        self.checks += 1
        if shape.checksum(*book.levels(shape.checksum_levels), scales) == told:
            return True
        self.failures += 1
        return False
