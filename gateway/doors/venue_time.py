"""Venue time from engine time: what request timestamps are computed from. No clock of its own."""

from bus.messages import ClockEstimate


class VenueTime:
    """The last estimate, shared by the doors of one venue."""

    def __init__(self) -> None:
        self.offset_ns = 0
        self.uncertainty_ns = 0

    def take(self, estimate: ClockEstimate) -> None:
        self.offset_ns, self.uncertainty_ns = estimate.offset_ns, estimate.uncertainty_ns

    def milliseconds(self, now_ns: int) -> int:
        """Venue time of an engine time, ms."""
        return (now_ns + self.offset_ns) // 1_000_000


def estimate(venue: int, asked_ns: int, answered_ns: int, venue_ms: int) -> ClockEstimate:
    """From one question: the venue stamped its answer somewhere between asking and hearing it."""
    middle = (asked_ns + answered_ns) // 2
    half = (answered_ns - asked_ns) // 2
    # The venue's stamp is whole milliseconds, cut off: add half of one, and count it as uncertain.
    return ClockEstimate(venue, venue_ms * 1_000_000 + 500_000 - middle, half + 500_000)
