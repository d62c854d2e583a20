"""The nouns of the matching core: an order, a request for one, and what happened to it. Pure data.

Prices, quantities and amounts are integers in units of 10^-8 (see decimals); times are nanoseconds of the venue's clock.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NewType, Protocol

import msgspec

AccountId = NewType("AccountId", str)

BACKGROUND = AccountId("background")
FEES = AccountId("fees")


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    """Post only, on futures: an order that would take expires."""
    GTD = "GTD"
    """Futures: rests as GTC does, until the venue expires it at its goodTillDate."""


class PositionSide(StrEnum):
    """Futures: which position an order is about. BOTH is the one of one-way mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class SelfTradePrevention(StrEnum):
    """TRANSFER exists on the venue; this one does not offer it (exchangeInfo says so)."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"


class Status(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    """Only of the new order of a cancel-replace whose cancel succeeded (user-data-stream.md, "Execution types")."""
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


class ExecutionKind(StrEnum):
    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class ExpiryReason(StrEnum):
    """Why an order EXPIRED (user-data-stream.md, "Order Expiry Reason"): those of the venue's that can happen here."""

    NONE = ""
    REJECTED = "REJECTED"
    """Of a stop that could not be paid for when it triggered."""
    EXCHANGE_CANCELED = "EXCHANGE_CANCELED"
    UNFILLED_IOC_QUANTITY_EXPIRED = "UNFILLED_IOC_QUANTITY_EXPIRED"
    UNFILLED_FOK_ORDER_EXPIRED = "UNFILLED_FOK_ORDER_EXPIRED"
    INSUFFICIENT_LIQUIDITY = "INSUFFICIENT_LIQUIDITY"


STOP_LOSSES = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)
STOPS = (*STOP_LOSSES, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
"""The types that wait for a price: the venue's "algo" orders (filters.md, MAX_NUM_ALGO_ORDERS)."""
MARKETS = (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)
"""The types without a limit: their `price` is 0, everybody else's is not."""
OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
OPEN = (Status.NEW, Status.PARTIALLY_FILLED)


class Strategy(msgspec.Struct, frozen=True, gc=False):
    """A client's own label of an order, which the venue only gives back. None: that half was not sent."""

    strategy_id: int | None
    strategy_type: int | None


class NewOrder(msgspec.Struct, frozen=True, gc=False):
    """A request as the core takes it: parsed, not yet checked. `price` is 0 for orders without one, as MARKET.

    `quantity` is 0 where a MARKET order says instead by `quote_quantity` what it spends or wants. `stop_price` is 0 but for the
    stop-loss and take-profit types: the last trade's price from which on the order works. `reduce_only` and `position_side` are
    for futures.
    """

    account: AccountId
    symbol: str
    client_order_id: str
    side: Side
    order_type: OrderType
    quantity: int
    price: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    prevention: SelfTradePrevention = SelfTradePrevention.NONE
    stop_price: int = 0
    quote_quantity: int = 0
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.BOTH
    strategy: Strategy | None = None


class Order(msgspec.Struct, gc=False, eq=False):
    """One order, as it is now. Its identity is the object: two are never equal.

    `locked` is what the order still holds: quote asset for a BUY, base asset for a SELL. `prevented`: what self-trade
    prevention took off. `working_ns`: since when it can trade; 0 while it waits for its stop price.
    """

    order_id: int
    account: AccountId
    symbol: str
    client_order_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    price: int
    quantity: int
    prevention: SelfTradePrevention
    created_ns: int
    updated_ns: int
    status: Status = Status.NEW
    executed: int = 0
    quote_executed: int = 0
    locked: int = 0
    prevented: int = 0
    prevented_match_id: int | None = None
    stop_price: int = 0
    quote_quantity: int = 0
    reduce_only: bool = False
    working_ns: int = 0
    position_side: PositionSide = PositionSide.BOTH
    strategy: Strategy | None = None
    expiry_reason: ExpiryReason = ExpiryReason.NONE

    @property
    def leaves(self) -> int:
        """What can still trade: quantity less executed, less what self-trade prevention took off."""
        return self.quantity - self.executed - self.prevented

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class PreventedMatch(msgspec.Struct, frozen=True, gc=False):
    """A match that self-trade prevention stopped (stp_faq.md, "What is a Prevented Match?").

    `quantity`: what would have traded. `taker_prevented`, `maker_prevented`: what each order lost by it; 0 where its mode
    spares it. `trade_group`: -1 between orders of one account that is in none.
    """

    match_id: int
    symbol: str
    mode: SelfTradePrevention
    trade_group: int
    taker_order_id: int
    maker_order_id: int
    price: int
    quantity: int
    taker_prevented: int
    maker_prevented: int
    time_ns: int

    def prevented_of(self, order_id: int) -> int:
        return self.taker_prevented if order_id == self.taker_order_id else self.maker_prevented

    def counter_of(self, order_id: int) -> int:
        return self.maker_order_id if order_id == self.taker_order_id else self.taker_order_id


class Amendment(msgspec.Struct, frozen=True, gc=False):
    """One change of an order that kept its place (rest-api.md, "Query Order Amendments")."""

    symbol: str
    order_id: int
    execution_id: int
    original_client_order_id: str
    client_order_id: str
    original_quantity: int
    quantity: int
    time_ns: int


class Execution(msgspec.Struct, frozen=True, gc=False):
    """One fact about one order: its state right after the fact, and the last fill if it was one.

    `quantity` is the order's then: an amendment changes it. `prevented_total`: all that self-trade prevention had taken off.
    `reject_reason`: why a new order was REJECTED, as the user data stream's `r`.
    """

    execution_id: int
    order: Order
    kind: ExecutionKind
    status: Status
    executed: int
    quote_executed: int
    time_ns: int
    client_order_id: str
    original_client_order_id: str = ""
    last_price: int = 0
    last_quantity: int = 0
    fee: int = 0
    fee_asset: str | None = None
    trade_id: int = -1
    is_maker: bool = False
    is_on_book: bool = False
    prevented: PreventedMatch | None = None
    prevented_total: int = 0
    quantity: int = 0
    working_ns: int = 0
    reject_reason: str = "NONE"
    expiry_reason: ExpiryReason = ExpiryReason.NONE


class AccountTrade(msgspec.Struct, frozen=True, gc=False):
    """One line of an account's trade history."""

    trade_id: int
    symbol: str
    order_id: int
    price: int
    quantity: int
    fee: int
    fee_asset: str
    is_buyer: bool
    is_maker: bool
    time_ns: int


class PublicTrade(msgspec.Struct, frozen=True, gc=False):
    symbol: str
    trade_id: int
    price: int
    quantity: int
    buyer_is_maker: bool
    time_ns: int
    taker_order_id: int = 0
    """Whose trades make one aggregate; 0 where it is not known."""


class Offer(msgspec.Struct, frozen=True, gc=False):
    """Something a taker could take. `maker` is None where a recorded book shows quantity without orders."""

    price: int
    quantity: int
    maker: Order | None


class Liquidity(Protocol):
    """One instrument's book as the matching engine sees it; `side` is always the taker's or the order's own side."""

    shows_own_orders: bool

    def best_offer(self, side: Side) -> int:
        """Return the best price a taker on `side` meets, 0 where there is none."""

    def scan(self, side: Side) -> Iterator[Offer]:
        """Yield what a taker on `side` meets, best first, changing nothing."""

    def offers(self, side: Side) -> Iterator[Offer]:
        """Yield the same for a taker that takes: before asking for the next one it has consumed the last, or stops."""

    def rest(self, order: Order) -> None:
        """Put `order` at the end of its queue."""

    def reduce(self, order: Order, quantity: int) -> None:
        """`quantity` of a resting order traded."""

    def remove(self, order: Order) -> None:
        """Take a resting order off, with its present leaves."""

    def queue_ahead(self, order: Order) -> tuple[int, int]:
        """Return how many orders, and what quantity, stand before a resting order at its price."""

    def middle(self) -> int | None:
        """Return a price in the middle of the book, or None without both sides."""
