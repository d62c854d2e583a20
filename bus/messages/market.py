"""Market data, from the synchronizer to the signals. Tags 30-49.

Prices and quantities of a book are integers at the venue's own text precision: a price of 1 is 10^-price_scale, a
quantity of 1 is 10^-quantity_scale of the base asset (`Instrument` has both). Nothing on the wire of a venue is
finer, so nothing is ever rounded; an order's price in ticks is price // tick. Levels are two tuples of integers, best
first in a view, in the venue's order in an update: tuples of integers leave the collector at its first pass.
"""

from bus.messages.base import Message
from bus.messages.enums import BookReason, BookState, Side


class Instrument(Message, frozen=True, tag=30):
    """What is traded, with every filter the venue names. A change of any of it is a new `version`.

    tick, lot: one tick and one lot, in the book's price and quantity units. base_scale, quote_scale: decimals of the
    assets' smallest units (ledger, fees, PnL). Filters are in ticks and lots; 0 means the venue sets none.
    min_notional, max_notional: quote asset units. *_ppm: bounds of PERCENT_PRICE_BY_SIDE, millionths of the average price.
    """

    instrument: int
    version: int
    account: int
    venue: int
    venue_symbol: str
    base_asset: str
    quote_asset: str
    price_scale: int
    quantity_scale: int
    base_scale: int
    quote_scale: int
    tick: int
    lot: int
    min_price_ticks: int
    max_price_ticks: int
    min_lots: int
    max_lots: int
    min_notional: int
    max_notional: int
    max_orders: int
    bid_up_ppm: int = 0
    bid_down_ppm: int = 0
    ask_up_ppm: int = 0
    ask_down_ppm: int = 0
    trading: bool = True
    max_position_lots: int = 0


class DepthSnapshot(Message, frozen=True, tag=31):
    """A whole book at `sequence`, best first: it replaces what was held. Levels beyond its ends are unknown, not empty."""

    instrument: int
    version: int
    sequence: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class DepthUpdate(Message, frozen=True, tag=32):
    """Absolute quantities by price, 0 deletes. Gapless: market data promises it and the book asserts it.

    previous_sequence: the book's sequence this update continues. last_sequence: the book's after it.
    """

    instrument: int
    version: int
    previous_sequence: int
    last_sequence: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class BookStateChanged(Message, frozen=True, tag=33):
    """The book left or entered LIVE. Until it is LIVE again nobody may use a price of it."""

    instrument: int
    state: BookState
    reason: BookReason
    sequence: int


class TradePrint(Message, frozen=True, tag=34):
    """One public trade. aggressor: the side that took."""

    instrument: int
    version: int
    trade_id: int
    received_ns: int
    venue_ns: int
    price: int
    quantity: int
    aggressor: Side


class BestQuote(Message, frozen=True, tag=35):
    """The venue's own top of book at its update id: a check of the rebuilt one, where ids are equal."""

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class BookView(Message, frozen=True, tag=36):
    """The best levels of a LIVE book, best first, at most 20 a side. To microstructure only: it is the fat one."""

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid_prices: tuple[int, ...]
    bid_quantities: tuple[int, ...]
    ask_prices: tuple[int, ...]
    ask_quantities: tuple[int, ...]


class Touch(Message, frozen=True, tag=37):
    """Top of a LIVE book (a book that is not LIVE sends BookStateChanged instead). 0 and 0: that side is empty."""

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


class Mark(Message, frozen=True, tag=38):
    """The touch again, at most every MARK_INTERVAL_NS: what the portfolio values a position at."""

    instrument: int
    version: int
    update_id: int
    bid: int
    ask: int


class Signals(Message, frozen=True, tag=39):
    """Touch and metrics of a LIVE book for strategies. Metrics are floats; `warm` says that every window is filled.

    imbalance: (q_b - q_a)/(q_b + q_a) at the touch. depth_imbalance: the same over the view, weight falling with rank.
    weighted_mid: size-weighted mid (not Stoikov's microprice), price units. order_flow_imbalance: Cont, Kukanov and
    Stoikov 2014, summed over the window, quantity units. spread: price units; mean and deviation over the window.
    """

    instrument: int
    version: int
    update_id: int
    received_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    imbalance: float
    depth_imbalance: float
    weighted_mid: float
    order_flow_imbalance: float
    spread_mean: float
    spread_deviation: float
    warm: bool
