"""What risk may let through, as configuration writes it. Every default is chosen small: a user raises it knowingly."""

from itertools import pairwise

import msgspec

from bus.messages import TradingState

THRESHOLDS = 4
"""Of the ladder, above the normal one."""
COUNTED_MAX = 10_000


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one instrument. Lots and ticks are the instrument's; notional is in the quote asset's smallest unit.

    position_lots_max, position_lots_min: bounds of the worst case (position and every open remainder). 0 as the lower
    one is long only: what a spot account without inventory can do. order_notional_max 0: no bound but the venue's.
    collar_bps: distance of a price from the mid, in 1/10,000. touch_age_ns_max: of the last top of book.
    intent_age_ns_max: of the frame that the command was made from. rejects_max: venue rejects in rejects_window_ns
    before the instrument is set to CANCEL_ONLY (a venue's surveillance writes letters about less: Krypto#987).
    fills_max: fills in fills_window_ns before the instrument is REDUCING, 0: not counted. 200 in 10 s (chosen) is five a new
    order at the full order rate: a quoter that is run over, or trades with a mistake of its own.
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
    fills_max: int = 200
    fills_window_ns: int = 10_000_000_000
    feed_lag_ns_max: int = 2_000_000_000
    unit: int = 0

    def __post_init__(self) -> None:
        if self.position_lots_min > 0 or self.position_lots_max < 0:
            raise ValueError("position_lots_min <= 0 <= position_lots_max: a flat position must be allowed")
        if min(self.order_lots_max, self.open_orders_max, self.rejects_max, self.collar_bps) < 1:
            raise ValueError("order_lots_max, open_orders_max, rejects_max and collar_bps must be at least 1")
        if max(self.rejects_max, self.fills_max) > COUNTED_MAX:
            raise ValueError(f"rejects_max and fills_max: at most {COUNTED_MAX}; each one is remembered for a window")


class LatencyLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where on each measure of lateness stands on which step (ladder.py): four rising thresholds each, none: not looked at.

    feed_ns: the book's stream behind the venue. Chosen: two and a half intervals of a 100 ms stream; five; then the age at
    which a touch is no price any more, and twice that: feed_lag_ns_max stops one late instrument alone before.
    acknowledgement_ns: an order's way to the venue and back. Chosen: a healthy line answers within tens of ms; the next two
    are around a usual request window; at the last one an order lives longer than a venue's clock may differ.
    loop_ns: an input's wait for its turn. Chosen: one interval of the stream, three, a usual request window, three of them.
    clock_ns: of the venue's clock, either way. Chosen: a tenth, a fifth, two and four fifths of a usual request window.
    widen_ticks, widen_ppm: a quote stands so much further from the other side, a step of width; the larger of both. Chosen: one
    tick where it is coarse, a basis point where it is fine. in_flight_max: unanswered submits of one instrument, where bounded.
    calm_ns: how long all is well before one step is left. Chosen: ten intervals of a 100 ms stream.
    """

    feed_ns: tuple[int, ...] = (250_000_000, 500_000_000, 5_000_000_000, 10_000_000_000)
    acknowledgement_ns: tuple[int, ...] = (200_000_000, 500_000_000, 1_500_000_000, 4_000_000_000)
    loop_ns: tuple[int, ...] = (100_000_000, 300_000_000, 1_000_000_000, 3_000_000_000)
    clock_ns: tuple[int, ...] = (100_000_000, 200_000_000, 400_000_000, 800_000_000)
    widen_ticks: int = 1
    widen_ppm: int = 100
    in_flight_max: int = 1
    calm_ns: int = 1_000_000_000

    def __post_init__(self) -> None:
        for row in (self.feed_ns, self.acknowledgement_ns, self.loop_ns, self.clock_ns):
            if row and (len(row) != THRESHOLDS or row[0] < 1 or any(low >= high for low, high in pairwise(row))):
                raise ValueError(f"thresholds: {THRESHOLDS} that rise, above 0, or none")
        if self.in_flight_max < 1:
            raise ValueError("in_flight_max must be at least 1: nothing would ever be quoted on a tightened step")


class AccountLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the account. Amounts by asset are in its smallest unit; an asset that is not named has no bound.

    open_notional_max: price times open remainder over all orders quoted in that asset. order_rate: new orders in any
    order_rate_window_ns (Binance spot allows 50 in 10 s; 40 leaves room for reducing orders, which are exempt).
    daily_loss_max, drawdown_max: by quote asset; see losses.py. drawdown_twice: what holds beyond twice the latter. Chosen:
    REDUCING still, because what loses then is a position that is held, and stricter states would keep its exits away.
    dust: by asset, the difference of ledger and venue that is not
    worth a stop. clock_error_ns_max: |offset| + uncertainty, of the venue whose number is `venue`: another's clock stops
    nothing. owner_states: where an owner starts, if not ACTIVE.
    stale_ns: a position is held and nothing is heard of its book for so long; 0: not looked at. Chosen: a resync takes
    three seconds at most. disconnects_max in disconnects_window_ns, 0: not counted, until disconnects_quiet_ns have passed
    without one. Chosen: each takes seconds to reconcile, so ten a minute is a line that is down as often as up.
    repeats_max: refusals of the same request for the same reason before it is held back (repeats.py); 0: never.
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
    drawdown_max: dict[str, int] = {}
    drawdown_twice: TradingState = TradingState.REDUCING
    stale_ns: int = 10_000_000_000
    disconnects_max: int = 10
    disconnects_window_ns: int = 60_000_000_000
    disconnects_quiet_ns: int = 30_000_000_000
    repeats_max: int = 3
    latency: LatencyLimits = LatencyLimits()

    def __post_init__(self) -> None:
        if not 1 <= self.order_rate <= 10_000:
            raise ValueError("order_rate must be in [1, 10000]: each one is remembered for a window")
        if self.disconnects_max > COUNTED_MAX:
            raise ValueError(f"disconnects_max: at most {COUNTED_MAX}; each one is remembered for a window")
