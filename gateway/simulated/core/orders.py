"""The nouns of the matching core: an order, a request for one, and what happened to it. Pure data.

Prices, quantities and amounts are integers in units of 10^-8 (see decimals); times are nanoseconds of the venue's clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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


OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
OPEN = (Status.NEW, Status.PARTIALLY_FILLED)


class NewOrder(msgspec.Struct, frozen=True):
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


@dataclass(slots=True)
class Order:
    """`locked` is what the order still holds: quote asset for a BUY, base asset for a SELL.

    `working_ns`: since when it can trade; 0 while it waits for its stop price.
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

    @property
    def leaves(self) -> int:
        """What can still trade: quantity less executed, less what self-trade prevention took off."""
        return self.quantity - self.executed - self.prevented

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class PreventedMatch(msgspec.Struct, frozen=True):
    """A match that self-trade prevention stopped; `quantity` is the part of *this* order that expired by it."""

    match_id: int
    maker_order_id: int
    counter_order_id: int
    price: int
    quantity: int


class Execution(msgspec.Struct, frozen=True):
    """One fact about one order: its state right after the fact, and the last fill if it was one."""

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


class Offer(msgspec.Struct, frozen=True):
    """Something a taker could take. `maker` is None where a recorded book shows quantity without orders."""

    price: int
    quantity: int
    maker: Order | None


class Liquidity(Protocol):
    """One instrument's book as the matching engine sees it; `side` is always the taker's or the order's own side."""

    shows_own_orders: bool

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

    def middle(self) -> int | None:
        """Return a price in the middle of the book, or None without both sides."""
