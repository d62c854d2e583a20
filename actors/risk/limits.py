"""What risk may let through, as configuration writes it. Every default is chosen small: a user raises it knowingly."""

import msgspec

from bus.messages import TradingState


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one instrument. Lots and ticks are the instrument's; notional is in the quote asset's smallest unit.

    position_lots_max, position_lots_min: bounds of the worst case (position and every open remainder). 0 as the lower
    one is long only: what a spot account without inventory can do. order_notional_max 0: no bound but the venue's.
    collar_bps: distance of a price from the mid, in 1/10,000. touch_age_ns_max: of the last top of book.
    intent_age_ns_max: of the frame that the command was made from. rejects_max: venue rejects in rejects_window_ns
    before the instrument is set to CANCEL_ONLY (a venue's surveillance writes letters about less: Krypto#987).
    feed_lag_ns_max: of the book's stream behind the venue, its clock's uncertainty in our favor; 0: not looked at.
    unit: base units of the lot that the lots here count; another lot of the instrument recounts them, never upward. 0: of
    whichever lot comes first.
    """

    order_lots_max: int
    position_lots_max: int
    position_lots_min: int = 0
    order_notional_max: int = 0
    open_orders_max: int = 10
    collar_bps: int = 100
    touch_age_ns_max: int = 5_000_000_000
    intent_age_ns_max: int = 2_000_000_000
    rejects_max: int = 20
    rejects_window_ns: int = 10_000_000_000
    feed_lag_ns_max: int = 2_000_000_000
    unit: int = 0

    def __post_init__(self) -> None:
        if self.position_lots_min > 0 or self.position_lots_max < 0:
            raise ValueError("position_lots_min <= 0 <= position_lots_max: a flat position must be allowed")
        if min(self.order_lots_max, self.open_orders_max, self.rejects_max, self.collar_bps) < 1:
            raise ValueError("order_lots_max, open_orders_max, rejects_max and collar_bps must be at least 1")


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the account. Amounts by asset are in its smallest unit; an asset that is not named has no bound.

    open_notional_max: price times open remainder over all orders quoted in that asset. order_rate: new orders in any
    order_rate_window_ns (Binance spot allows 50 in 10 s; 40 leaves room for reducing orders, which are exempt).
    daily_loss_max: by quote asset, per UTC day, realized PnL only: what an open position has lost does not count until
    it is closed, so what bounds it is position_lots_max. dust: by asset, the difference of ledger and venue that is not
    worth a stop. clock_error_ns_max: |offset| + uncertainty, of the venue whose number is `venue`: another's clock stops
    nothing. owner_states: where an owner starts, if not ACTIVE.
    """

    open_orders_max: int = 50
    open_notional_max: dict[str, int] = {}
    order_rate: int = 40
    order_rate_window_ns: int = 10_000_000_000
    daily_loss_max: dict[str, int] = {}
    dust: dict[str, int] = {}
    clock_error_ns_max: int = 500_000_000
    owner_states: dict[str, TradingState] = {}
    venue: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.order_rate <= 10_000:
            raise ValueError("order_rate must be in [1, 10000]: each one is remembered for a window")
