"""How often what happens, given the queues at the touch. Pure; the hot part of the generator, so tables are made before.

An event is chosen by one draw over the sum of all intensities: first the bands away from the touch, whose rates do not
depend on it, then the kinds at the touch.
"""

from bisect import bisect_left, bisect_right
from enum import IntEnum
from itertools import accumulate

import msgspec

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
    RETREAT_BID = 7
    RETREAT_ASK = 8
    TURN = 9
    """The pressure is drawn again."""
    BURST = 10
    """One begins, or ends."""
    CHASE = 11
    """A sweep to the fair price, in a crash."""


class Touch(msgspec.Struct):
    """What the intensities depend on. Quantities in 10^-8, 0 on an empty side; `is_wide`: there is room in the spread.

    `pressure`: 1 while the crowd pushes the price up, -1 down, 0 when there is none.
    """

    bid_quantity: int = 0
    ask_quantity: int = 0
    is_wide: bool = False
    pressure: int = 0
    is_burst: bool = False
    is_crashing: bool = False


class Intensities:
    """`weigh` looks at the touch; `event` and `band` say what a draw below its total means."""

    def __init__(self, parameters: FlowParameters, unit: int) -> None:
        self._parameters = parameters
        self._edges = [int(edge * unit) for edge in parameters.touch.edges]
        rates = [band.rate * _pace(band, parameters) for band in parameters.bands]
        self._bands = list(accumulate(rates + rates))  # those of the bid, then those of the ask
        self.bands_total = self._bands[-1]
        self._cumulative = [0.0] * len(Event)
        self.set_factors(Factors())

    def set_factors(self, factors: Factors) -> None:
        touch, pace, pressure = self._parameters.touch, self._parameters.pace, self._parameters.pressure
        self._limit = [rate * pace * factors.limit for rate in touch.limit]
        self._cancel = [rate * pace * factors.cancel for rate in touch.cancel]
        self._market = [rate * pace * factors.market for rate in touch.market]
        self._retreat = [rate * pace * factors.cancel for rate in touch.retreat]
        self._inside = self._parameters.followers.rate * pace * factors.follow
        self._turn = pressure.turns_per_s * pace
        self._pressed_retreat = pressure.retreat
        self._push_market = min(1.0, pressure.market * factors.pressure)
        self._push_limit = min(1.0, pressure.limit * factors.pressure)
        self._push_cancel = min(1.0, pressure.cancel * factors.pressure)
        self.limit_factor = factors.limit

    def weigh(self, touch: Touch) -> float:
        """Return the sum of all intensities, events a second."""
        bursts = self._parameters.bursts
        busy, change = (bursts.busy, bursts.ends_per_s) if touch.is_burst else (bursts.quiet, bursts.starts_per_s)
        market, cancel = self._push_market * touch.pressure, self._push_cancel * touch.pressure
        limit = self._push_limit * touch.pressure
        limit_bid = limit_ask = cancel_bid = cancel_ask = sell = buy = retreat_bid = retreat_ask = 0.0
        if touch.bid_quantity:
            row = bisect_left(self._edges, touch.bid_quantity)
            limit_bid = busy * self._limit[row] * (1.0 + limit)
            cancel_bid = busy * self._cancel[row] * (1.0 - cancel)
            sell = busy * self._market[row] * (1.0 - market)
            retreat_bid = self._retreat[row] * (1.0 - cancel)
        if touch.ask_quantity:
            row = bisect_left(self._edges, touch.ask_quantity)
            limit_ask = busy * self._limit[row] * (1.0 - limit)
            cancel_ask = busy * self._cancel[row] * (1.0 + cancel)
            buy = busy * self._market[row] * (1.0 + market)
            retreat_ask = self._retreat[row] * (1.0 + cancel)
        if touch.is_burst and touch.pressure > 0:
            retreat_ask *= self._pressed_retreat
        elif touch.is_burst and touch.pressure < 0:
            retreat_bid *= self._pressed_retreat
        kinds = (
            limit_bid,
            limit_ask,
            cancel_bid,
            cancel_ask,
            sell,
            buy,
            self._inside if touch.is_wide else 0.0,
            retreat_bid,
            retreat_ask,
            self._turn,
            change * self._parameters.pace,
            CRASH.chases_per_s if touch.is_crashing else 0.0,
        )
        self._cumulative = list(accumulate(kinds))
        return self.bands_total + self._cumulative[-1]

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
