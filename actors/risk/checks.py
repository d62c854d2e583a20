"""What is checked of a new order, cheapest first. Pure. HOT PATH.

`judge` looks at the command, at what its instrument holds (`Book`) and at the time, and names a refusal or NONE.
Integers throughout. It is one function over bounds resolved when an instrument changes: 0.5 us, where ten small
functions of the same checks took 1.7 (warm; notes/0003). A reducing order is exempt from the position's bounds: an order that
shrinks the worst case must not be kept from it by the limits that the worst case set (DESIGN 5.6); size, collar and
expiry hold for it as well. The account's own checks (rate, notional, open orders) stand in the actor; `admit`, the
one check against trading with ourselves, comes after all of them.
"""

from actors.risk.exposure import Exposure
from actors.risk.limits import RiskLimits
from bus.messages import FeedAge, Instrument, OrderCommand, Refusal, Side

NONE, SELF_TRADE, BAND = Refusal.NONE, Refusal.SELF_TRADE, Refusal.BAND
NO_BOUND = 1 << 62  # in place of "the venue sets none": keeps the comparison a plain one
FEED_AGE_NS_MAX = 15_000_000_000  # chosen: three times the longest pause between two words on a feed's age
NO_VERSION = -1  # of a book whose instrument is not known


class Book(Exposure):
    """An instrument's exposure beside its bounds: our limits and the venue's filters, folded into one number each."""

    def configure(self, limits: RiskLimits) -> None:
        self.limits = limits
        self.touch_age_ns_max = limits.touch_age_ns_max
        self.intent_age_ns_max = limits.intent_age_ns_max
        self.collar_bps = limits.collar_bps
        self.position_max = limits.position_lots_max
        self.position_min = limits.position_lots_min
        self.lots_max = limits.order_lots_max
        self.limits_unit = limits.unit
        self.lots_min, self.venue_lots_max = 1, NO_BOUND
        self.price_min, self.price_max = 1, NO_BOUND
        self.orders_max = limits.open_orders_max
        self.notional_min, self.notional_max = 0, limits.order_notional_max or NO_BOUND
        self.notional_min_reducing = 0
        self.version, self.trading, self.tick, self.bounds_percent = NO_VERSION, False, 1, False
        self.age: FeedAge | None = None
        self.late_until_ns = 0
        self.lost = False
        self.bid_max = self.ask_min = self.band_bid = self.band_ask = 0
        self.hold_band(0, 0)

    def hear_age(self, age: FeedAge, now_ns: int) -> None:
        """The feed is late from now on, until it is said not to be, or the word is too old to be believed either way."""
        self.age = age
        most_ns = self.limits.feed_lag_ns_max
        late = 0 < most_ns < age.lag_ns - age.uncertainty_ns
        self.late_until_ns = now_ns + FEED_AGE_NS_MAX if late else 0

    def hold_band(self, bid_max: int, ask_min: int) -> None:
        """What our scope may rest at, price units; 0: nothing on that side. Nothing at all until coordination says."""
        self.bid_max, self.ask_min = bid_max, ask_min or NO_BOUND
        self.band_bid, self.band_ask = bid_max // self.tick, -(-self.ask_min // self.tick)

    def set_instrument(self, instrument: Instrument) -> None:
        super().set_instrument(instrument)
        limits, unit = self.limits, self.unit
        counted = self.limits_unit = self.limits_unit or unit
        self.lots_max = limits.order_lots_max * counted // unit
        self.position_max = limits.position_lots_max * counted // unit
        self.position_min = -(-limits.position_lots_min * counted // unit)
        self.position_max = min(self.position_max, instrument.max_position_lots or NO_BOUND)
        self.venue_lots_max = instrument.max_lots or NO_BOUND
        self.lots_min = max(instrument.min_lots, 1)
        self.price_min = max(instrument.min_price_ticks, 1)
        self.price_max = instrument.max_price_ticks or NO_BOUND
        self.orders_max = min(limits.open_orders_max, instrument.max_orders or NO_BOUND)
        self.notional_min = instrument.min_notional
        self.notional_max = min(limits.order_notional_max or NO_BOUND, instrument.max_notional or NO_BOUND)
        # The lines above in the units they are compared in: quote units times the notional's denominator.
        self.notional_min *= self.denominator
        # Of a contract a reduce-only order may be as small as it likes (Binance's futures, -4164): what is held can be closed.
        self.notional_min_reducing = 0 if instrument.settle_asset else self.notional_min
        self.notional_max *= self.denominator
        self.version, self.trading, self.tick = instrument.version, instrument.trading, instrument.tick
        self.hold_band(self.bid_max, self.ask_min)
        ppm = (instrument.bid_up_ppm, instrument.bid_down_ppm, instrument.ask_up_ppm, instrument.ask_down_ppm)
        self.bounds_percent = any(ppm)


def judge(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """Everything that does not depend on whether the order reduces. The first check that fails names the refusal.

    Book: a LIVE touch, recent, of this version, with a price on at least one side. Expiry: received_ns 0 is an order
    made from a wish still in force, not from a frame. Notional: our upper bound and the venue's lower one, exactly.
    Collar: |price - mid| within collar_bps of the mid; with one side empty the other is the mid. Twice the mid: no halves.
    """
    version = command.version
    if version != book.version or not book.trading:
        return _instrument_refusal(command, book)
    received_ns = command.received_ns
    if now_ns >= command.expires_ns or (received_ns and now_ns - received_ns > book.intent_age_ns_max):
        return Refusal.EXPIRED
    touch = book.touch
    if touch is None or now_ns - touch.received_ns > book.touch_age_ns_max or touch.version != version:
        return Refusal.STALE_BOOK
    bid, ask = touch.bid, touch.ask
    mid_twice = (bid or ask) + (ask or bid)
    if not mid_twice:
        return Refusal.STALE_BOOK
    lots = command.quantity_lots
    if lots > book.lots_max:
        return Refusal.ORDER_SIZE
    if lots < book.lots_min or lots > book.venue_lots_max:
        return Refusal.QUANTITY_FILTER
    ticks = command.price_ticks
    if ticks < book.price_min or ticks > book.price_max:
        return Refusal.PRICE_FILTER
    price_twice = 2 * ticks * book.tick
    if book.bounds_percent and _outside_percent(command.side, price_twice, mid_twice, book):
        return Refusal.PRICE_FILTER
    notional = ticks * lots * book.numerator
    if notional < (book.notional_min_reducing if command.reduce_only else book.notional_min):
        return Refusal.MIN_NOTIONAL
    if notional > book.notional_max:
        return Refusal.NOTIONAL
    distance = price_twice - mid_twice
    if (distance if distance > 0 else -distance) * 10_000 > book.collar_bps * mid_twice:
        return Refusal.PRICE_COLLAR
    return Refusal.OPEN_ORDERS if book.open_orders >= book.orders_max else NONE


def admit(side: Side, ticks: int, book: Book) -> Refusal:
    """Whether an order there could meet one of our own, here or of another instance. Whose it is does not matter: strategy,
    exit or operator, working, on its way, UNKNOWN or being canceled; the best of each side is at hand, so one look is enough.
    BAND is the last thing that is asked of an order, because its refusal asks for a wider one.
    """
    if side > 0:
        if ticks >= book.own_ask:
            return SELF_TRADE
        return BAND if ticks > book.band_bid else NONE
    if ticks <= book.own_bid:
        return SELF_TRADE
    return BAND if ticks < book.band_ask else NONE


def _instrument_refusal(command: OrderCommand, book: Book) -> Refusal:
    if book.instrument is None:
        return Refusal.UNKNOWN_INSTRUMENT
    return Refusal.INSTRUMENT_VERSION if book.version != command.version else Refusal.TRADING_STATE


def _outside_percent(side: Side, price_twice: int, mid_twice: int, book: Book) -> bool:
    """The venue's bounds by side around its average price, for which the mid stands in here. Up 0: no upper bound."""
    instrument = book.instrument
    assert instrument is not None, "bounds come with the instrument"
    if side > 0:
        up, down = instrument.bid_up_ppm, instrument.bid_down_ppm
    else:
        up, down = instrument.ask_up_ppm, instrument.ask_down_ppm
    if not (up or down):
        return False
    twice_ppm = 1_000_000 * price_twice
    return bool(up and twice_ppm > mid_twice * up) or twice_ppm < mid_twice * down
