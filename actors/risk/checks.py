"""What is checked of a new order, one small function each, cheapest first. Pure. HOT PATH.

A check looks at the command, at what its instrument holds (`Book`) and at the time, and names a refusal or NONE.
Integers throughout. Checks of EXEMPT are not made of reducing orders: an order that shrinks the worst case must not be
kept from it by the limits that the worst case set (DESIGN 5.6); size, collar and expiry hold for them as well.
"""

from actors.risk.exposure import Exposure
from actors.risk.limits import RiskLimits
from bus.messages import Instrument, OrderCommand, Refusal

NONE = Refusal.NONE
NO_BOUND = 1 << 62  # in place of "the venue sets none": keeps the comparison a plain one


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
        self.lots_min, self.venue_lots_max = 1, NO_BOUND
        self.price_min, self.price_max = 1, NO_BOUND
        self.orders_max = limits.open_orders_max
        self.notional_min, self.notional_max = 0, limits.order_notional_max or NO_BOUND

    def set_instrument(self, instrument: Instrument) -> None:
        super().set_instrument(instrument)
        limits = self.limits
        self.position_max = min(limits.position_lots_max, instrument.max_position_lots or NO_BOUND)
        self.venue_lots_max = instrument.max_lots or NO_BOUND
        self.lots_min = max(instrument.min_lots, 1)
        self.price_min = max(instrument.min_price_ticks, 1)
        self.price_max = instrument.max_price_ticks or NO_BOUND
        self.orders_max = min(limits.open_orders_max, instrument.max_orders or NO_BOUND)
        self.notional_min = instrument.min_notional
        self.notional_max = min(limits.order_notional_max or NO_BOUND, instrument.max_notional or NO_BOUND)


def check_instrument(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    instrument = book.instrument
    if instrument is None:
        return Refusal.UNKNOWN_INSTRUMENT
    if instrument.version != command.version:
        return Refusal.INSTRUMENT_VERSION
    return NONE if instrument.trading else Refusal.TRADING_STATE


def check_expiry(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """Expired, or made from a frame too long ago (received_ns 0: made from a wish still in force, not from a frame)."""
    if now_ns >= command.expires_ns:
        return Refusal.EXPIRED
    if command.received_ns and now_ns - command.received_ns > book.intent_age_ns_max:
        return Refusal.EXPIRED
    return NONE


def check_book(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """A LIVE touch, recent, of this version, with a price on at least one side."""
    touch = book.touch
    if touch is None or now_ns - touch.received_ns > book.touch_age_ns_max:
        return Refusal.STALE_BOOK
    if touch.version != command.version or not (touch.bid or touch.ask):
        return Refusal.STALE_BOOK
    return NONE


def check_size(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    lots = command.quantity_lots
    if lots > book.lots_max:
        return Refusal.ORDER_SIZE
    if lots < book.lots_min or lots > book.venue_lots_max:
        return Refusal.QUANTITY_FILTER
    return NONE


def check_price(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """The venue's bounds: in ticks, and by side around the average price, for which the mid stands in here."""
    ticks = command.price_ticks
    if ticks < book.price_min or ticks > book.price_max:
        return Refusal.PRICE_FILTER
    instrument, touch = book.instrument, book.touch
    assert instrument is not None, "check_instrument comes first"
    assert touch is not None, "check_book comes first"
    if command.side > 0:
        up, down = instrument.bid_up_ppm, instrument.bid_down_ppm
    else:
        up, down = instrument.ask_up_ppm, instrument.ask_down_ppm
    if up or down:
        twice_ppm = 2_000_000 * ticks * instrument.tick
        mid_twice = (touch.bid or touch.ask) + (touch.ask or touch.bid)
        if (up and twice_ppm > mid_twice * up) or twice_ppm < mid_twice * down:
            return Refusal.PRICE_FILTER
    return NONE


def check_notional(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """Rounded up against the upper bound; the venue's lower bound is compared exactly."""
    exact = command.price_ticks * command.quantity_lots * book.numerator
    if exact < book.notional_min * book.denominator:
        return Refusal.MIN_NOTIONAL
    return Refusal.NOTIONAL if exact > book.notional_max * book.denominator else NONE


def check_collar(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """|price - mid| within collar_bps of the mid; with one side empty the other is the mid. Twice the mid: no halves."""
    instrument, touch = book.instrument, book.touch
    assert instrument is not None, "check_instrument comes first"
    assert touch is not None, "check_book comes first"
    mid_twice = (touch.bid or touch.ask) + (touch.ask or touch.bid)
    distance = 2 * command.price_ticks * instrument.tick - mid_twice
    if distance < 0:
        distance = -distance
    return Refusal.PRICE_COLLAR if distance * 10_000 > book.collar_bps * mid_twice else NONE


def check_self_trade(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    return Refusal.SELF_TRADE if book.crosses_own(command.side, command.price_ticks) else NONE


def check_open_orders(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    return Refusal.OPEN_ORDERS if book.open_orders >= book.orders_max else NONE


def check_position(command: OrderCommand, book: Book, now_ns: int) -> Refusal:
    """The worst case with this order: everything open on its side fills, nothing on the other."""
    lots = command.quantity_lots
    if command.side > 0:
        return Refusal.POSITION if book.worst_long() + lots > book.position_max else NONE
    return Refusal.POSITION if book.worst_short() - lots < book.position_min else NONE


CHECKS = (
    check_instrument,
    check_expiry,
    check_book,
    check_size,
    check_price,
    check_notional,
    check_collar,
    check_open_orders,
    check_self_trade,
)
"""Made of every order, in this order."""

EXEMPT = (check_position,)
"""Not made of reducing orders. The account's own checks (rate, notional, open orders) stand in the actor."""
