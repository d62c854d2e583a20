"""The rebuilt top against the venue's own (bookTicker), at equal update ids only.

At unequal ids the two may differ with nothing wrong (2 false alarms in 5,736, venue notes). A quote comes before or
after the depth event of the same id, so quotes that the book has not reached yet are kept.
"""

import msgspec

from bus.messages import BestQuote

HELD_MAX = (
    4_096  # quotes an instrument keeps; about 100 come between two diffs in a busy second. Beyond it the oldest go
)


class TopCheck(msgspec.Struct):
    """held: quotes ahead of the book, by update id. Own checkpoint."""

    checks: int = 0
    mismatches: int = 0
    dropped: int = 0
    held: list[BestQuote] = []

    def quote(self, quote: BestQuote, sequence: int, top: tuple[int, int, int, int] | None) -> bool:
        """A quote came; `top` is the book's at `sequence`, None while it is not known. False: it differs."""
        if quote.update_id > sequence:
            if len(self.held) >= HELD_MAX:
                del self.held[: HELD_MAX // 2]
                self.dropped += HELD_MAX // 2
            self.held.append(quote)
            return True
        return quote.update_id != sequence or top is None or self._agrees(quote, top)

    def reached(self, sequence: int, top: tuple[int, int, int, int] | None) -> bool:
        """The book is at `sequence` (`top` None: its touch is not known): forget quotes up to it. False: the one at it differs."""
        held = self.held
        passed = 0
        agrees = True
        for quote in held:
            if quote.update_id > sequence:
                break
            passed += 1
            if quote.update_id == sequence and top is not None:
                agrees = self._agrees(quote, top) and agrees
        if passed:
            del held[:passed]
        return agrees

    def _agrees(self, quote: BestQuote, top: tuple[int, int, int, int]) -> bool:
        self.checks += 1
        if (quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity) == top:
            return True
        self.mismatches += 1
        return False
