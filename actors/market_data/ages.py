"""How late a stream is: the venue's stamps against their receipt, with what is known of the venue's clock. Pure.

The hot path keeps one running maximum of `received_ns - venue_ns`, two clocks' difference that means nothing yet. The sweep
makes a lag of it: plus the venue's offset, true within the uncertainty of that.
"""

import msgspec

from bus.messages import ClockEstimate, FeedAge

NO_STAMP = -(1 << 62)
"""The maximum while no stamped word came since the lag was last said. Any difference of two times is greater."""
BELIEVED_MAX_NS = 3_600_000_000_000  # chosen: a stamp further from now than an hour is none (0, or damaged)
SAY_NS = 5_000_000_000  # as FeedAge promises: every few seconds
CHANGE_SHARE, CHANGE_NS = 5, 5_000_000  # said at once when it moved by a fifth, and by 5 ms; chosen
UNKNOWN = -1


class Age(msgspec.Struct):
    """Of one instrument's depth stream: when its lag was last said, and what. The hot path's maximum is the Synchronizer's."""

    said_ns: int = 0
    said_lag_ns: int = UNKNOWN
    said_uncertainty_ns: int = 0

    def say(self, number: int, lag_ns: int, uncertainty_ns: int, silent_ns: int, now_ns: int) -> FeedAge | None:
        """The age of a LIVE book's stream, when it is due. lag_ns: see `lag_of`; silent_ns: since the stream's last word."""
        if now_ns - self.said_ns < SAY_NS:
            if lag_ns == UNKNOWN:
                return None  # nothing came since, or nothing can be known: neither is news
            change_ns = abs(lag_ns - self.said_lag_ns)
            small = change_ns <= CHANGE_NS or change_ns * CHANGE_SHARE <= self.said_lag_ns
            if small and self.said_lag_ns != UNKNOWN:
                return None
        self.said_ns, self.said_lag_ns = now_ns, lag_ns
        self.said_uncertainty_ns = uncertainty_ns if lag_ns != UNKNOWN else 0
        return FeedAge(number, lag_ns, self.said_uncertainty_ns, silent_ns)


def lag_of(worst_ns: int, clock: ClockEstimate | None) -> int:
    """Not below 0; UNKNOWN without a stamp, with one that cannot be, or without an estimate of the clock."""
    if clock is None:
        return UNKNOWN
    lag_ns = worst_ns + clock.offset_ns
    return max(lag_ns, 0) if -BELIEVED_MAX_NS < lag_ns < BELIEVED_MAX_NS else UNKNOWN
