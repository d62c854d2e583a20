"""Venue time from engine time: what request timestamps are computed from. No clock of its own."""

from collections.abc import Sequence
from typing import NamedTuple

from bus.messages import ClockEstimate

KEPT_MAX = 8
"""Estimates that are compared: 80 s of them at one in 10 s, in which a crystal drifts 4 ms; chosen."""
DRIFT_NS_PER_S = 50_000
"""How fast two clocks part: 50 ppm, the worst of common crystals."""
UNSURE_NS = 250_000_000
"""Half a round trip that is bad wherever the venue is: light goes once around the world in less; chosen."""
UNSURE_FLOOR_NS = 5_000_000
"""Below it no estimate is bad, however good the others are; timestamps are milliseconds, windows seconds; chosen."""


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
    """From one question with an answer in whole milliseconds, cut off: half of one is added, and counted as uncertain."""
    return measured(venue, asked_ns, answered_ns, venue_ms * 1_000_000 + 500_000, 500_000)


def measured(venue: int, asked_ns: int, answered_ns: int, venue_ns: int, error_ns: int) -> ClockEstimate:
    """From one question: the venue stamped its answer somewhere between asking and hearing it. error_ns: of the stamp."""
    middle = (asked_ns + answered_ns) // 2
    half = (answered_ns - asked_ns) // 2
    return ClockEstimate(venue, venue_ns - middle, half + error_ns)


class Heard(NamedTuple):
    """An estimate and the engine time at which it was true."""

    estimate: ClockEstimate
    at_ns: int

    def aged(self, now_ns: int) -> ClockEstimate:
        """What it still says: the clocks may have drifted either way since."""
        told = self.estimate
        drift_ns = (now_ns - self.at_ns) * DRIFT_NS_PER_S // 1_000_000_000
        return ClockEstimate(told.venue, told.offset_ns, told.uncertainty_ns + drift_ns)


def keep(kept: Sequence[Heard], fresh: Heard) -> tuple[Heard, ...]:
    """`kept` and the fresh one, oldest first, at most KEPT_MAX; without those that it contradicts.

    Each is true within its bounds, so two that do not overlap mean that a clock was set in between: the older is void.
    """
    now = fresh.estimate
    agreeing = []
    for heard in kept[-(KEPT_MAX - 1) :]:
        then = heard.aged(fresh.at_ns)
        if abs(then.offset_ns - now.offset_ns) <= then.uncertainty_ns + now.uncertainty_ns:
            agreeing.append(heard)
    return (*agreeing, fresh)


def surest(kept: Sequence[Heard], now_ns: int) -> ClockEstimate:
    """The one with the smallest uncertainty now, the latest of equals. At least one must be kept."""
    return min((heard.aged(now_ns) for heard in reversed(kept)), key=lambda told: told.uncertainty_ns)


def is_unsure(fresh: ClockEstimate, best: ClockEstimate) -> bool:
    """Whether asking again is likely to tell more: this answer was slow, beside the best or beside anything."""
    limit_ns = min(max(2 * best.uncertainty_ns, UNSURE_FLOOR_NS), UNSURE_NS)
    return fresh.uncertainty_ns > limit_ns
