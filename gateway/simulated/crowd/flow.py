"""The crowd of one symbol: a seeded, queue-reactive flow of limit, cancel and market orders. Pure but for the engine it feeds.

Each event draws one of the intensities that the touch has (`intensities`), does what it says, and draws the time of the
next from their sum. They are those of the book as the crowd's previous event left it: what a client does in between is
answered one event later. Without clients, the same seed and times give the same orders. A client's orders change what
follows only by being in the book when the crowd looks, which is physical: a venue has no other past either.
"""

import math
from random import Random

from ..core.book import Level, PriceTimeBook
from ..core.matching import MatchingEngine
from ..core.orders import BACKGROUND, OPPOSITE, NewOrder, OrderType, Side, TimeInForce
from .fair import Fair
from .intensities import Event, Intensities, Touch
from .parameters import NEAR_TICKS, Band
from .profiles import SymbolProfile
from .queues import PICKS
from .regimes import FACTORS, Regime, RegimeSchedule
from .sizes import SizeQuantiles, SizeTable

DEPOSIT = 10**12 * 10**8  # practically unlimited
THINK_NS = 50_000_000  # chosen: how often the fair price and the regime are looked at
CHASE_LEVELS_MAX = 300  # chosen: levels that one order of a crash goes through
FIRST_TICKS = 20  # chosen: how far from the other side an empty one begins again, at most
EXTEND_TICKS = 25  # chosen: mean distance of a level that is added at the far end of a short book
DEPTH_STEPS = 5  # chosen: how many are added at a time, or orders canceled that the mid has left behind
NS = 1_000_000_000


class OrderFlow:
    """`next_ns` says when `step` is due. `regime`: what the market is like now."""

    def __init__(self, engine: MatchingEngine, book: PriceTimeBook, profile: SymbolProfile, seed: int) -> None:
        self.book = book
        self.next_ns = 0
        self.regime = Regime.CALM
        self._engine = engine
        self._rules = rules = profile.rules
        self._tick = rules.tick_size
        self._parameters = parameters = profile.flow
        self._random = Random(f"{seed}:{rules.symbol}")
        self._draw = self._random.random
        self._regimes = RegimeSchedule(f"{seed}:{rules.symbol}:regimes")
        self._pick = PICKS[parameters.cancel_rule]
        self._middle = profile.start_price // self._tick * self._tick
        self._fair = Fair(self._middle / self._tick, parameters.fair, parameters.pace)
        self._intensities = Intensities(parameters, profile.unit_quantity)
        self._dust = int(parameters.touch.edges[1] * profile.unit_quantity)
        self._total = 1.0
        self._reach = (parameters.bands[-1].high + NEAR_TICKS) * self._tick
        self._touch = Touch()
        self._bid = self._ask = 0  # as the last event left them; 0: that side is empty
        self._emptied = Side.BUY
        self._think_ns = 0
        self._regime_ends_ns: int | None = None  # None: it stays
        self._after_crash: Regime | None = Regime.CALM
        self._is_scheduled = False
        self._market_sizes = self._sizes(parameters.market_sizes, profile)
        self._touch_sizes = self._sizes(parameters.touch_sizes, profile)
        self._inside_sizes = self._sizes(parameters.inside_sizes, profile)
        self._near_sizes = self._sizes(parameters.near_sizes, profile)
        self._far_sizes = self._sizes(parameters.far_sizes, profile)
        for asset in (rules.base, rules.quote):
            engine.ledger.deposit(BACKGROUND, asset, DEPOSIT)

    def _sizes(self, quantiles: SizeQuantiles, profile: SymbolProfile) -> SizeTable:
        return SizeTable(quantiles, profile.unit_quantity, self._rules.step_size, self._rules.quantity_min)

    # ---- the start

    def fill_book(self, now_ns: int) -> None:
        """Build the book of the start: a touch of one tick, and behind it as many levels as the bands settle at."""
        self._fair.start(now_ns)
        for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
            touch = self._middle if side is Side.BUY else self._middle + self._tick
            for _ in range(self._parameters.touch_orders_at_start):
                self._place(side, touch, self._touch_sizes.draw(self._draw()), now_ns)
            for band in self._parameters.bands:
                share = _occupied(band)
                for distance in range(band.low, band.high + 1):
                    price = touch + sign * (distance - 1) * self._tick
                    if self._draw() < share and price > 0:
                        self._place(side, price, self._behind_size(band), now_ns)
        self._think_ns = now_ns + THINK_NS
        self._schedule(now_ns)

    # ---- regimes

    def set_regime(self, regime: Regime | None) -> None:
        """From the next event on; None: as scheduled. A crash ends by itself, and what was before goes on."""
        if regime is Regime.FLASH_CRASH:
            if self._is_scheduled:
                self._after_crash = None
            elif self.regime is not Regime.FLASH_CRASH:
                self._after_crash = self.regime
        self._is_scheduled = regime is None
        self._enter(Regime.CALM if regime is None else regime, self.next_ns)

    def _enter(self, regime: Regime, flow_ns: int) -> None:
        self.regime = regime
        factors = FACTORS[regime]
        self._intensities.set_factors(factors)
        if regime is Regime.FLASH_CRASH:
            self._fair.crash(flow_ns)
        else:
            self._fair.drift(factors.drift_ppm_per_s * self._regimes.sign())
        ends_by_itself = self._is_scheduled or regime is Regime.FLASH_CRASH
        self._regime_ends_ns = flow_ns + int(self._regimes.lasts_s(regime) * NS) if ends_by_itself else None

    def _end_regime(self, flow_ns: int) -> None:
        if self._is_scheduled:
            self._enter(self._regimes.after(self.regime), flow_ns)
        else:
            self.set_regime(self._after_crash)

    # ---- one event

    def step(self, now_ns: int) -> None:
        """Do the event that is due at `next_ns` of the flow's time, `now_ns` by the venue's clock; schedule the next."""
        flow_ns = self.next_ns
        if flow_ns >= self._think_ns:
            self._think(flow_ns, now_ns)
        draw = self._draw() * self._total
        at_touch = draw - self._intensities.bands_total
        if at_touch < 0.0:
            self._look_behind(*self._intensities.band(draw), now_ns)
        else:
            self._at_touch(self._intensities.event(at_touch), now_ns)
        self._schedule(flow_ns)

    def _think(self, flow_ns: int, now_ns: int) -> None:
        self._think_ns = flow_ns + THINK_NS
        if self._regime_ends_ns is not None and flow_ns >= self._regime_ends_ns:
            self._end_regime(flow_ns)
        self._fair.advance(flow_ns, self._random, self._middle_ticks())
        for side in Side:
            self._keep_depth(side, now_ns)

    def _schedule(self, flow_ns: int) -> None:
        """Look at the touch, and draw when the next event comes."""
        top = self.book.top()
        bid, ask = top.bid_price, top.ask_price
        touch = self._touch
        if ask > self._ask or not ask:
            self._emptied = Side.SELL
        elif bid < self._bid:
            self._emptied = Side.BUY
        self._bid, self._ask = bid, ask
        touch.bid_quantity, touch.ask_quantity = top.bid_quantity, top.ask_quantity
        touch.is_wide = not bid or not ask or ask - bid > self._tick
        touch.is_crashing = self._fair.is_crashing
        self._total = self._intensities.weigh(touch)
        self.next_ns = flow_ns + int(-math.log(1.0 - self._draw()) / self._total * NS)

    def _middle_ticks(self) -> float | None:
        if not self._bid or not self._ask or self._is_torn(self._bid, self._ask):
            return None
        return (self._bid + self._ask) / (2 * self._tick)

    def _is_torn(self, one: int | None, other: int | None) -> bool:
        """Whether these bests of two sides lie so far apart that one is none of the crowd's doing: a client's order is left
        there, all alone. The crowd does not go by it.
        """
        return one is not None and other is not None and abs(one - other) > self._reach

    def _lean(self) -> float:
        middle = self._middle_ticks()
        return 0.0 if middle is None else self._fair.lean(middle)

    def _at_touch(self, event: Event, now_ns: int) -> None:
        match event:
            case Event.LIMIT_BID:
                self._join(Side.BUY, now_ns)
            case Event.LIMIT_ASK:
                self._join(Side.SELL, now_ns)
            case Event.CANCEL_BID:
                self._leave(Side.BUY, now_ns)
            case Event.CANCEL_ASK:
                self._leave(Side.SELL, now_ns)
            case Event.SELL:
                self._take(Side.SELL, now_ns)
            case Event.BUY:
                self._take(Side.BUY, now_ns)
            case Event.INSIDE:
                self._inside(now_ns)
            case Event.RETREAT_BID:
                self._retreat(Side.BUY, now_ns)
            case Event.RETREAT_ASK:
                self._retreat(Side.SELL, now_ns)
            case Event.TURN:
                self._touch.pressure = 1 if 2.0 * self._draw() - 1.0 < self._lean() else -1
            case Event.BURST:
                self._touch.is_burst = not self._touch.is_burst
            case Event.CHASE:
                self._chase(now_ns)

    def _join(self, side: Side, now_ns: int) -> None:
        price = self.book.best(side)
        if price is not None:
            self._place(side, price, self._touch_sizes.draw(self._draw()), now_ns)

    def _cancel(self, level: Level, now_ns: int) -> None:
        order = self._pick(level, self._draw())
        if order is not None:
            self._engine.cancel(order, "", now_ns)

    def _leave(self, side: Side, now_ns: int) -> None:
        """Cancel at the best price; the last order there mostly stays, unless it is dust."""
        price = self.book.best(side)
        level = None if price is None else self.book.level(side, price)
        if level is None:
            return
        if len(level.orders) > 1 or level.quantity <= self._dust or self._draw() < self._parameters.touch.lone:
            self._cancel(level, now_ns)

    def _take(self, side: Side, now_ns: int) -> None:
        """A market order: it sweeps at most `reach_ticks`, as those do that look before they take."""
        best = self.book.best(OPPOSITE[side])
        if best is not None and not self._is_torn(best, self.book.best(side)):
            reach = self._parameters.reach_ticks * self._tick
            price = best + reach if side is Side.BUY else max(self._tick, best - reach)
            self._place(side, price, self._market_sizes.draw(self._draw()), now_ns, TimeInForce.IOC)

    def _retreat(self, side: Side, now_ns: int) -> None:
        """Most of the crowd near the best price of `side` leaves."""
        retreats = self._parameters.retreats
        best = self.book.best(side)
        if best is None:
            return
        leaving = []
        for price, _ in self.book.levels(side):
            level = self.book.level(side, price)
            if level is None or abs(price - best) > retreats.reach_ticks * self._tick:
                break
            leaving += [o for o in level.orders.values() if o.account == BACKGROUND and self._draw() >= retreats.stay]
        for order in leaving:
            self._engine.cancel(order, "", now_ns)

    # ---- a wide spread, an empty side

    def _inside(self, now_ns: int) -> None:
        bid, ask = self.book.best(Side.BUY), self.book.best(Side.SELL)
        if bid is None or ask is None:
            self._begin_side(Side.BUY if bid is None else Side.SELL, bid if ask is None else ask, now_ns)
            return
        if self._is_torn(bid, ask):
            is_bid = bid + ask < 2 * self._fair.ticks * self._tick  # the bids are what is farther from the fair price
            self._begin_side(Side.BUY if is_bid else Side.SELL, ask if is_bid else bid, now_ns)
            return
        room = (ask - bid) // self._tick - 1
        if room <= 0:
            return
        followers = self._parameters.followers
        pushed = Side.SELL if self._touch.pressure > 0 else Side.BUY
        follow = followers.follow if self._emptied is pushed else followers.follow_against
        side = OPPOSITE[self._emptied] if self._draw() < follow else self._emptied
        kind = self._draw()
        if kind < followers.close:
            steps = room
        elif kind < followers.close + followers.step:
            steps = 1
        else:
            steps = 1 + int(self._draw() * room)
        price = bid + steps * self._tick if side is Side.BUY else ask - steps * self._tick
        self._place(side, price, self._inside_sizes.draw(self._draw()), now_ns)

    def _begin_side(self, side: Side, other: int | None, now_ns: int) -> None:
        """Put the crowd's first order on a side: beside the other one, or the fair price where that is farther off."""
        away = (1 + int(self._draw() * FIRST_TICKS)) * self._tick
        fair = int(self._fair.ticks) * self._tick
        beside = fair if other is None else min(fair, other) if side is Side.BUY else max(fair, other)
        price = beside - away if side is Side.BUY else beside + away
        if price > 0:
            self._place(side, price, self._inside_sizes.draw(self._draw()), now_ns)

    # ---- a crash

    def _chase(self, now_ns: int) -> None:
        """Take everything between the touch and the fair price, as those who must get out, or who buy the fall."""
        fair = int(self._fair.ticks) * self._tick
        side = Side.SELL if self._bid > fair else Side.BUY
        quantity = 0
        for index, (price, shown) in enumerate(self.book.levels(OPPOSITE[side])):
            beyond = price < fair if side is Side.SELL else price > fair
            if beyond or index >= CHASE_LEVELS_MAX:
                break
            quantity += shown
        if quantity and fair > 0:
            self._place(side, fair, quantity, now_ns, TimeInForce.IOC)

    # ---- behind the touch

    def _look_behind(self, is_bid: bool, band: Band, now_ns: int) -> None:
        side = Side.BUY if is_bid else Side.SELL
        opposite = self.book.best(OPPOSITE[side])
        if opposite is None or self._is_torn(opposite, self.book.best(side)):
            return
        distance = band.low + int(self._draw() * (band.high - band.low + 1))
        price = opposite - distance * self._tick if is_bid else opposite + distance * self._tick
        level = self.book.level(side, price)
        orders = 0 if level is None else min(len(level.orders), len(band.limit) - 1)
        kind = self._draw()
        limit = band.limit[orders] * self._intensities.limit_factor
        if kind < limit:
            has_room = band.high <= NEAR_TICKS or self.book.level_count(side) < self._parameters.levels_max
            if price > 0 and has_room:
                self._place(side, price, self._behind_size(band), now_ns)
        elif level is not None and kind >= 1.0 - band.cancel[orders]:
            self._cancel(level, now_ns)

    def _behind_size(self, band: Band) -> int:
        sizes = self._near_sizes if band.high <= NEAR_TICKS else self._far_sizes
        return sizes.draw(self._draw())

    def _keep_depth(self, side: Side, now_ns: int) -> None:
        """Add at the far end of a short book; of a longer one cancel what the mid has left behind the bands' reach."""
        missing = self._parameters.levels_min - self.book.level_count(side)
        for _ in range(min(DEPTH_STEPS, missing)):
            last = self._last_level(side)
            step = (1 + int(self._random.expovariate(1.0 / EXTEND_TICKS))) * self._tick
            price = 0 if last is None else last[0] - step if side is Side.BUY else last[0] + step
            if price > 0:
                self._place(side, price, self._far_sizes.draw(self._draw()), now_ns)
        best = self.book.best(side)
        for _ in range(min(DEPTH_STEPS, -missing)):
            last = self._last_level(side)
            if best is None or last is None or abs(last[0] - best) <= self._reach:
                return
            self._cancel(last[1], now_ns)

    def _last_level(self, side: Side) -> tuple[int, Level] | None:
        """Return the worst price with an order of the crowd, and its level: beyond it may be clients' alone."""
        for price, level in self.book.from_worst(side):
            if any(order.account == BACKGROUND for order in level.orders.values()):
                return price, level
        return None

    def _place(
        self, side: Side, price: int, quantity: int, now_ns: int, in_force: TimeInForce = TimeInForce.GTC
    ) -> None:
        symbol = self._rules.symbol
        self._engine.place(
            NewOrder(BACKGROUND, symbol, "", side, OrderType.LIMIT, quantity, price, in_force),
            now_ns,
        )


def _occupied(band: Band) -> float:
    """The share of a band's prices that are occupied when nothing moves: births as often as deaths."""
    return band.limit[0] / (band.limit[0] + band.cancel[1])
