"""The fair price: what the informed part of the crowd knows. It wanders, drifts and crashes. Pure, seeded."""

import math
from random import Random

from .parameters import FairPrice
from .regimes import CRASH

PPM = 1_000_000
LEAD_LEANS = (
    4.0  # chosen: how far ahead of the mid the fair price gets, in `lean_ticks`; the pressure is all one way by then
)


class Fair:
    """`ticks`: the fair price. `start` says what time it is, `advance` moves it on; times must not go back."""

    def __init__(self, ticks: float, parameters: FairPrice, pace: float) -> None:
        self.ticks = ticks
        self._sigma = parameters.ticks_per_root_s * math.sqrt(pace)
        self._lean_ticks = parameters.lean_ticks
        self._now_ns = 0
        self._drift_ppm_per_s = 0.0
        self._crash_from: tuple[int, float] | None = None

    def start(self, now_ns: int) -> None:
        self._now_ns = now_ns

    @property
    def is_crashing(self) -> bool:
        return self._crash_from is not None

    def drift(self, ppm_per_s: float) -> None:
        """Run so from now on, instead of whatever it did: a crash ends where it is."""
        self._drift_ppm_per_s = ppm_per_s
        self._crash_from = None

    def crash(self, now_ns: int) -> None:
        self._drift_ppm_per_s = 0.0
        self._crash_from = now_ns, self.ticks

    def advance(self, now_ns: int, random: Random, middle_ticks: float | None) -> None:
        """Go on to `now_ns`. But for a crash it does not run away from the mid: news that nobody acts upon grow old."""
        elapsed_s = (now_ns - self._now_ns) / 1e9
        self._now_ns = now_ns
        if self._crash_from is not None:
            since_ns, start = self._crash_from
            self.ticks = start * (1.0 - CRASH.fallen_ppm((now_ns - since_ns) / 1e9) / PPM)
            return
        wandered = random.gauss(0.0, self._sigma * math.sqrt(elapsed_s)) if self._sigma else 0.0
        self.ticks += wandered + self.ticks * self._drift_ppm_per_s * elapsed_s / PPM
        if middle_ticks is not None:
            reach = LEAD_LEANS * self._lean_ticks
            self.ticks = min(max(self.ticks, middle_ticks - reach), middle_ticks + reach)
        self.ticks = max(1.0, self.ticks)

    def lean(self, middle_ticks: float) -> float:
        """Return how far the mid lies below the fair price, -1 to 1; 0 where no fair price wanders."""
        if not self._sigma and not self._drift_ppm_per_s and self._crash_from is None:
            return 0.0
        return math.tanh((self.ticks - middle_ticks) / (2.0 * self._lean_ticks))
