"""What the rig's engine is configured as: everything on that an engine may have on, and nothing of it in the way of an order.

- Exits watch a position: the venue fills the first orders, and no market of the bench reaches a threshold.
- Microstructure reads the book's shape on its timer; trades between ticks fill its windows of pressure.
- Coordination holds a band, and the door reads the lease of a term before each order, and counts it in the venue's windows.
- Execution watches the levels at which orders rest, where they do (`reprice`).
"""

from bus.clock import boottime_ns
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.doors.coordination.term import Term
from gateway.market import RateLimit
from ops.bench.market import SYMBOL
from ops.sections import (
    Config,
    ExitsSection,
    InstrumentSection,
    OrdersSection,
    RiskSection,
    StrategySection,
    VenueSection,
)

TERM_NS = 24 * 3_600_000_000_000
"""Longer than any run of the bench: nobody renews it here."""


def config() -> Config:
    """One instrument, quotes on the bid alone (it wants a larger position), limits out of the way."""
    return Config(
        venue=VenueSection("binance-spot", "http://localhost", "ws://localhost", "ws://localhost"),
        instrument=[
            InstrumentSection(SYMBOL, order_max="10", position_max="100", open_orders_max=100, collar_bps=1_000)
        ],
        strategy=StrategySection(
            parameters={"quantity_lots": 100, "min_position_lots": 9_000_000, "max_position_lots": 9_000_000}
        ),
        risk=RiskSection(order_rate_max=10_000, open_orders_max=100),
        orders=OrdersSection(reconcile_interval_ms=3_600_000),
        # The market moves by half a basis point: every threshold is compared with, and none is reached.
        exits=ExitsSection(enabled=True, pressure_threshold=0.2, pressure_stop_bps=15),
    )


class Roomy(BinanceSpotLimits):
    """The windows of the venue, each with more room than any run of the bench uses: counted all the same."""

    limits = tuple([RateLimit(one.kind, one.interval_ns, 1 << 40) for one in BinanceSpotLimits.limits])


def lease_left_ns() -> int:
    """As `Standby.left_ns`: a fresh reading of boottime against the term's deadline."""
    return _TERM.left_ns(boottime_ns())


_TERM = Term("bench", 1, "bench", 1, boottime_ns() + TERM_NS)
