"""The crowd: a seeded flow of limit, cancel and market orders around the touch. Pure but for the engine it feeds.

A simplified queue-reactive model (after Huang, Lehalle and Rosenbaum, JASA 110(509):107-122, 2015): whether an event at
a price adds or cancels depends on how many orders already queue there, so every queue is drawn to a usual length that
falls with the distance. Sizes are Pareto. Market orders lean toward a slowly wandering fair price, which the book follows.
All figures below are chosen, and tuned by measurement: about 75 book changes a second and symbol, and an order resting
at the touch filled about every second or two.
"""

import math
from random import Random

from ..core.book import Level, PriceTimeBook
from ..core.matching import MatchingEngine
from ..core.orders import BACKGROUND, OPPOSITE, NewOrder, Order, OrderType, Side
from .profiles import SymbolProfile

LIMIT_EVENTS_PER_S = 70.0
MARKET_ORDERS_PER_S = 2.5
NEAR_SHARE = 0.75  # share of limit events within a few ticks; the rest reaches out by a power law
NEAR_DECAY = 0.35  # how fast the near events thin out, a tick
FAR_TICKS_MAX = 1_500
QUEUE_USUAL = 2.5  # orders at a price near the touch that make adding and canceling equally likely
SIZE_TAIL = 1.5  # Pareto exponent of sizes, as equities' (Gopikrishnan et al., PRE 62, 2000: about 1.5)
SIZE_CAP_UNITS = 60.0
FAIR_TICKS_PER_ROOT_S = 3.0
LEAN_TICKS = 6.0  # a mid this far below the fair price makes a market order a buy with probability 0.73
LEVELS_AT_START = 700
LEVELS_MIN = 400
LEVELS_MAX = 1_200
DEPOSIT = 10**12 * 10**8  # practically unlimited


class OrderFlow:
    """One symbol's crowd. `next_ns` says when `step` is due; the same seed and times give the same orders."""

    def __init__(self, engine: MatchingEngine, book: PriceTimeBook, profile: SymbolProfile, seed: int) -> None:
        self.book = book
        self.next_ns = 0
        self._engine = engine
        self._rules = profile.rules
        self._tick = profile.rules.tick_size
        self._unit = profile.unit_quantity
        self._random = Random(f"{seed}:{profile.rules.symbol}")
        self._start_price = profile.start_price
        self._fair_ticks = float(profile.start_price // self._tick)
        self._moved_ns = 0
        for asset in (profile.rules.base, profile.rules.quote):
            engine.ledger.deposit(BACKGROUND, asset, DEPOSIT)

    def fill_book(self, now_ns: int) -> None:
        """Build the book of the start: contiguous ticks near the touch, then gaps that widen."""
        for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
            distance = 0
            for index in range(LEVELS_AT_START):
                distance += 1 if index < 30 else 1 + int(self._random.expovariate(1.5))
                for _ in range(self._random.randint(1, 4) if index < 10 else 1):
                    self._place(side, self._start_price + sign * distance * self._tick, self._size(), now_ns)
        self._moved_ns = now_ns
        self._schedule(now_ns)

    def step(self) -> None:
        """Do the event that is due at `next_ns` and schedule the one after it."""
        now_ns = self.next_ns
        self._wander(now_ns)
        if self._random.random() * (LIMIT_EVENTS_PER_S + MARKET_ORDERS_PER_S) < MARKET_ORDERS_PER_S:
            self._market_order(now_ns)
        else:
            self._limit_event(now_ns)
        self._schedule(now_ns)

    def _schedule(self, now_ns: int) -> None:
        self.next_ns = now_ns + int(self._random.expovariate(LIMIT_EVENTS_PER_S + MARKET_ORDERS_PER_S) * 1e9)

    def _wander(self, now_ns: int) -> None:
        elapsed_s = (now_ns - self._moved_ns) / 1e9
        self._moved_ns = now_ns
        self._fair_ticks += self._random.gauss(0.0, FAIR_TICKS_PER_ROOT_S * math.sqrt(elapsed_s))

    def _market_order(self, now_ns: int) -> None:
        middle = self.book.middle()
        if middle is None:
            return
        lean = (self._fair_ticks - middle / self._tick) / LEAN_TICKS
        buys = 1.0 / (1.0 + math.exp(-max(-3.0, min(3.0, lean))))
        side = Side.BUY if self._random.random() < buys else Side.SELL
        request = NewOrder(BACKGROUND, self._rules.symbol, "", side, OrderType.MARKET, self._size())
        self._engine.place(request, now_ns)

    def _limit_event(self, now_ns: int) -> None:
        side = Side.BUY if self._random.random() < 0.5 else Side.SELL
        self._keep_depth(side, now_ns)
        distance = self._distance()
        price = self._reference(side) + (-distance if side is Side.BUY else distance) * self._tick
        if price <= 0:
            return
        level = self.book.level(side, price)
        queue = _crowd(level)
        usual = QUEUE_USUAL if distance <= 10 else 1.0
        if self._random.random() < usual / (usual + len(queue)):
            self._place(side, price, self._size(), now_ns)
        elif queue:
            self._engine.cancel(self._random.choice(queue), "", now_ns)

    def _distance(self) -> int:
        """Ticks from the opposite best, at least 1: so an order of the crowd never crosses, and may close the spread."""
        if self._random.random() < NEAR_SHARE:
            return 1 + int(self._random.expovariate(NEAR_DECAY))
        return min(FAR_TICKS_MAX, int(5.0 * self._random.paretovariate(0.8)))

    def _reference(self, side: Side) -> int:
        """Return the opposite best, or the fair price while that side is empty."""
        opposite = self.book.best(OPPOSITE[side])
        return int(self._fair_ticks) * self._tick if opposite is None else opposite

    def _keep_depth(self, side: Side, now_ns: int) -> None:
        """Hold the number of levels between LEVELS_MIN and LEVELS_MAX, by adding or canceling at the far end."""
        worst = self.book.worst(side)
        if worst is None:
            return
        if self.book.level_count(side) < LEVELS_MIN:
            step = (1 + int(self._random.expovariate(1.0))) * self._tick
            price = worst - step if side is Side.BUY else worst + step
            if price > 0:
                self._place(side, price, self._size(), now_ns)
        elif self.book.level_count(side) > LEVELS_MAX:
            for order in _crowd(self.book.level(side, worst)):
                self._engine.cancel(order, "", now_ns)

    def _size(self) -> int:
        units = min(SIZE_CAP_UNITS, self._random.paretovariate(SIZE_TAIL))
        step = self._rules.step_size
        return max(self._rules.quantity_min, int(units * self._unit) // step * step)

    def _place(self, side: Side, price: int, quantity: int, now_ns: int) -> None:
        request = NewOrder(BACKGROUND, self._rules.symbol, "", side, OrderType.LIMIT, quantity, price)
        self._engine.place(request, now_ns)


def _crowd(level: Level | None) -> list[Order]:
    return [] if level is None else [o for o in level.orders.values() if o.account == BACKGROUND]
