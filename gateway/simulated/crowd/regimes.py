"""Regimes: what a market is like for a while, as factors on the crowd's parameters; and who says when. Pure.

All figures are chosen: no capture holds a crash. They are factors on a measured calm, so that a regime can be read off
its row.
"""

from enum import StrEnum
from random import Random

import msgspec


class Regime(StrEnum):
    CALM = "calm"
    TRENDING = "trending"
    THIN = "thin"
    FLASH_CRASH = "flash-crash"


SCHEDULED = "scheduled"
"""What is said instead of a regime for the process of them (RegimeSchedule)."""
REGIME_NAMES = (*Regime, SCHEDULED)


def regime_named(name: str) -> Regime | None:
    """Return the regime, None for SCHEDULED. Raises ValueError for any other word."""
    return None if name == SCHEDULED else Regime(name)


class Factors(msgspec.Struct, frozen=True):
    """`drift_ppm_per_s`: how fast the fair price runs, in millionths; its sign is drawn when the regime begins."""

    limit: float = 1.0
    """On limit orders at the touch, and on those that start a level behind it."""
    cancel: float = 1.0
    market: float = 1.0
    follow: float = 1.0
    """On the orders that close a wide spread."""
    drift_ppm_per_s: float = 0.0
    pressure: float = 1.0


FACTORS = {
    Regime.CALM: Factors(),
    Regime.TRENDING: Factors(market=1.5, drift_ppm_per_s=30.0, pressure=1.4),  # at most 0.2 % a minute
    Regime.THIN: Factors(limit=0.35, cancel=1.0, market=0.5, follow=0.003),
    Regime.FLASH_CRASH: Factors(limit=0.4, cancel=1.5, market=2.0, follow=0.1),
}


class Crash(msgspec.Struct, frozen=True):
    """The path of the fair price in a flash crash: down by `depth_ppm`, a stand, and back by `recovered` of it.

    `chases_per_s`: sweeping orders to that price. Then the regime before goes on.
    """

    depth_ppm: float = 10_000.0  # 1 %
    fall_s: float = 8.0
    stand_s: float = 2.0
    recover_s: float = 30.0
    recovered: float = 0.7
    chases_per_s: float = 12.0

    @property
    def length_s(self) -> float:
        return self.fall_s + self.stand_s + self.recover_s

    def fallen_ppm(self, elapsed_s: float) -> float:
        """Return how far below its start the fair price is, in millionths."""
        if elapsed_s < self.fall_s:
            return self.depth_ppm * elapsed_s / self.fall_s
        back = min(1.0, max(0.0, (elapsed_s - self.fall_s - self.stand_s) / self.recover_s))
        return self.depth_ppm * (1.0 - self.recovered * back)


CRASH = Crash()
MEAN_S = {Regime.CALM: 300.0, Regime.TRENDING: 90.0, Regime.THIN: 90.0, Regime.FLASH_CRASH: CRASH.length_s}
NEXT = {
    Regime.CALM: ((Regime.TRENDING, 0.60), (Regime.THIN, 0.37), (Regime.FLASH_CRASH, 0.03)),
    Regime.TRENDING: ((Regime.CALM, 0.80), (Regime.THIN, 0.17), (Regime.FLASH_CRASH, 0.03)),
    Regime.THIN: ((Regime.CALM, 0.70), (Regime.TRENDING, 0.20), (Regime.FLASH_CRASH, 0.10)),
    Regime.FLASH_CRASH: ((Regime.THIN, 1.0),),
}
"""What follows what: a crash mostly comes out of a thin market, and leaves one."""


class RegimeSchedule:
    """A seeded process of regimes. It has its own draws, so that the orders' are the same with it and without."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def lasts_s(self, regime: Regime) -> float:
        if regime is Regime.FLASH_CRASH:
            return CRASH.length_s
        return self._random.expovariate(1.0 / MEAN_S[regime])

    def sign(self) -> int:
        """Which way a trend goes."""
        return 1 if self._random.random() < 0.5 else -1

    def after(self, regime: Regime) -> Regime:
        names, weights = zip(*NEXT[regime], strict=True)
        return Regime(self._random.choices(names, weights)[0])
