"""Where the venue numbers a connection's frames (Coinbase): one number missing, and no book of it is proven. Pure."""

from enum import IntEnum

import msgspec

from bus.messages.feed import UNNUMBERED

MISSING_MAX = 64  # chosen: frames that may still come late; after a wider gap every book begins anew


class Arrival(IntEnum):
    """What a frame is to those before it. LATE: it was missing. GAP: some are missing before it."""

    NEXT = 0
    LATE = 1
    REPEATED = 2
    GAP = 3


class Opening(msgspec.Struct):
    """One generation of a connection. expected: number of its next frame. missing: those that may still come.

    anchor: what was expected before a gap too wide to be mended. One damaged number looks the same, and then the frame
    behind it goes on from there; a stale one does not.
    """

    generation: int
    expected: int = UNNUMBERED
    missing: list[int] = []
    anchor: int = UNNUMBERED

    def take(self, number: int) -> Arrival:
        expected, anchor = self.expected, self.anchor
        if number == UNNUMBERED:
            return Arrival.NEXT
        if number == expected or expected == UNNUMBERED:
            self.expected, self.anchor = number + 1, UNNUMBERED
            return Arrival.NEXT
        if number in self.missing:
            self.missing.remove(number)
            return Arrival.LATE
        if number < expected:
            begins = number == 0 and expected > 1
            goes_on = anchor != UNNUMBERED and anchor <= number <= anchor + MISSING_MAX
            if not (begins or goes_on):
                return Arrival.REPEATED
            self.missing, self.expected, self.anchor = [], number + 1, UNNUMBERED
            return Arrival.GAP
        if number - expected + len(self.missing) <= MISSING_MAX:
            self.missing += range(expected, number)
        else:
            self.missing, self.anchor = [], expected
        self.expected = number + 1
        return Arrival.GAP
