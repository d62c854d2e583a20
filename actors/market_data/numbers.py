"""Where the venue numbers a connection's frames (Coinbase): one number missing, and no book of it is proven. Pure."""

from enum import IntEnum

import msgspec

from bus.messages.feed import UNNUMBERED

BACKWARD_RUN = (
    3  # chosen: so many old numbers in a row, each behind the other, are no repetition: the count stands there
)
MISSING_MAX = 64  # chosen: frames that may still come late; after a wider gap every book begins anew


class Arrival(IntEnum):
    """What a frame is to those before it. LATE: it was missing. GAP: some are missing before it. RESUMED: none are; the frame
    before this one was no frame of this connection, or bore a damaged number."""

    NEXT = 0
    LATE = 1
    REPEATED = 2
    GAP = 3
    RESUMED = 4


class Opening(msgspec.Struct):
    """One generation of a connection. expected: number of its next frame. missing: those that may still come.

    anchor: what was expected before a gap too wide to be mended. One damaged number looks the same, and then the frame
    behind it goes on from there; a stale one does not.
    resume: what was expected before a gap of several that the last frame left: that one next, and none of them was missing.
    backward: what would follow the last repeated number; run: how many of them followed each other.
    """

    generation: int
    expected: int = UNNUMBERED
    missing: list[int] = []
    anchor: int = UNNUMBERED
    resume: int = UNNUMBERED
    backward: int = UNNUMBERED
    run: int = 0

    def take(self, number: int) -> Arrival:
        expected, anchor = self.expected, self.anchor
        if number == UNNUMBERED:
            return Arrival.NEXT
        resume, self.resume = self.resume, UNNUMBERED
        if number == resume:
            self.missing, self.expected, self.anchor = [], number + 1, UNNUMBERED
            return Arrival.RESUMED
        if number == expected or expected == UNNUMBERED:
            self.expected, self.anchor, self.backward = number + 1, UNNUMBERED, UNNUMBERED
            return Arrival.NEXT
        if number in self.missing:
            self.missing.remove(number)
            return Arrival.LATE
        if number < expected:
            return self._old(number, expected, anchor)
        if number > expected + 1 and not self.missing:  # one alone is missing where two have changed places
            self.resume = expected
        if number - expected + len(self.missing) <= MISSING_MAX:
            self.missing += range(expected, number)
        else:
            self.missing, self.anchor = [], expected
        self.expected = number + 1
        return Arrival.GAP

    def _old(self, number: int, expected: int, anchor: int) -> Arrival:
        """Repeated, unless the count went back, or two frames of one number cannot both be of this connection."""
        self.run = self.run + 1 if number == self.backward else 1
        self.backward = number + 1
        begins = number == 0 and expected > 1
        goes_on = anchor != UNNUMBERED and anchor <= number <= anchor + MISSING_MAX
        counts_there = self.run >= BACKWARD_RUN and expected - number > MISSING_MAX
        if begins or goes_on or counts_there:
            self.missing, self.expected, self.anchor = [], number + 1, UNNUMBERED
            return Arrival.GAP
        if self.missing and number > self.missing[0]:
            self.missing = []
            return Arrival.GAP
        return Arrival.REPEATED
