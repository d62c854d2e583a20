"""How often what happens, given the queues at the touch. Pure; the hot part of the generator, so tables are made before.

An event is chosen by one draw over the sum of all intensities: first the bands away from the touch, whose rates do not
depend on it, then the eight kinds at the touch.
"""

from bisect import bisect_left, bisect_right
from enum import IntEnum
from itertools import accumulate

from .parameters import NEAR_TICKS, Band, FlowParameters
from .regimes import CRASH, Factors


class Event(IntEnum):
    LIMIT_BID = 0
    LIMIT_ASK = 1
    CANCEL_BID = 2
    CANCEL_ASK = 3
    SELL = 4
    """A market order that takes from the bid."""
    BUY = 5
    INSIDE = 6
    """An order within a wide spread, or on an empty side."""
    CHASE = 7
    """A sweep to the fair price, in a crash."""


class Intensities:
    """`weigh` looks at the touch; `event` and `band` say what a draw below its total means."""

    def __init__(self, parameters: FlowParameters, unit: int) -> None:
        self._parameters = parameters
        self._edges = [int(edge * unit) for edge in parameters.touch.edges]
        self._tilt = parameters.fair.tilt
        rates = [band.rate * _pace(band, parameters) for band in parameters.bands]
        self._bands = list(accumulate(rates + rates))  # those of the bid, then those of the ask
        self.bands_total = self._bands[-1]
        self._cumulative = [0.0] * len(Event)
        self.set_factors(Factors())

    def set_factors(self, factors: Factors) -> None:
        touch, pace, fair = self._parameters.touch, self._parameters.pace, self._parameters.fair
        self._limit = [rate * pace * factors.limit for rate in touch.limit]
        self._cancel = [rate * pace * factors.cancel for rate in touch.cancel]
        self._market = [rate * pace * factors.market for rate in touch.market]
        self._inside = self._parameters.followers.rate * pace * factors.follow
        self._program = min(1.0, fair.program * factors.program)
        self.limit_factor = factors.limit

    def weigh(
        self, bid_quantity: int, ask_quantity: int, *, wide: bool, lean: float, program: int, crashing: bool
    ) -> float:
        """Return the sum of all intensities, events a second. Quantities in 10^-8, 0 on an empty side; `wide`: there is
        room within the spread. `lean`: -1 to 1, positive when the mid should rise; `program`: -1, 0 or 1, positive buys.
        """
        bid = bisect_left(self._edges, bid_quantity)
        ask = bisect_left(self._edges, ask_quantity)
        more, less = 1.0 + self._tilt * lean, 1.0 - self._tilt * lean
        push = self._program * program
        steps = self._cumulative
        steps[0] = total = self._limit[bid] * more if bid_quantity else 0.0
        steps[1] = total = total + (self._limit[ask] * less if ask_quantity else 0.0)
        steps[2] = total = total + (self._cancel[bid] * less if bid_quantity else 0.0)
        steps[3] = total = total + (self._cancel[ask] * more if ask_quantity else 0.0)
        steps[4] = total = total + (self._market[bid] * (1.0 - push) if bid_quantity else 0.0)
        steps[5] = total = total + (self._market[ask] * (1.0 + push) if ask_quantity else 0.0)
        steps[6] = total = total + (self._inside if wide else 0.0)
        steps[7] = total = total + (CRASH.chases_per_s if crashing else 0.0)
        return self.bands_total + total

    def event(self, draw: float) -> Event:
        """`draw`: from 0 up to the last total less `bands_total`."""
        return Event(min(bisect_right(self._cumulative, draw), Event.CHASE))

    def band(self, draw: float) -> tuple[bool, Band]:
        """Return whether it is the bid's, and which band; `draw` is below `bands_total`."""
        bands = self._parameters.bands
        index = bisect_right(self._bands, draw)
        return index < len(bands), bands[index % len(bands)]


def _pace(band: Band, parameters: FlowParameters) -> float:
    return parameters.pace if band.high <= NEAR_TICKS else parameters.far_pace
