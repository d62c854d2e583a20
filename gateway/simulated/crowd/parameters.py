"""What the crowd of a generated market does and how often: a typed struct, and named presets. Pure data.

The model is queue-reactive (Huang, Lehalle and Rosenbaum, "Simulating and analyzing order book data: the queue-reactive
model", JASA 110(509):107-122, 2015): the intensities of limit, cancel and market orders at a price depend on the queue
that stands there. The mid moves when a queue empties; pressure, bursts and retreats are ours, for what the model alone
does not show (runs of moves, events in bursts, gaps behind an emptied price). docs/explanation/market-model.md has it all.

Each figure says where it comes from: `measured` on Binance Spot's ETHUSDT of 2024-08-08, 650 s, of hftbacktest's
repository; `fitted`, by hand, until `python -m ops.market_study` showed the same there and here; or `chosen`.

Units: rates are events a second of one side's queue, at `pace` 1, which is as busy as the capture; quantities are usual
sizes (`SymbolProfile.unit_quantity`); distances are ticks from the opposite best.
"""

from enum import StrEnum

import msgspec

from .sizes import SizeQuantiles

NEAR_TICKS = 30
"""Bands up to here run at `pace`, farther ones at `far_pace`."""


class CancelRule(StrEnum):
    """Which order of a queue is canceled. Quantities on a venue's tape do not tell; so it is a parameter."""

    UNIFORM = "uniform"
    """Each order alike."""
    BACK = "back"
    """The youngest: whoever queues in front stays. The slowest fills for one who joins now."""
    FRONT = "front"
    """The oldest. The fastest fills."""
    SIZE_WEIGHTED = "size-weighted"
    """Each unit of quantity alike, so a large order rather than a small one."""


class QueueRates(msgspec.Struct, frozen=True):
    """Intensities of the best queue of a side, by its quantity: row i holds up to and including `edges[i]`, the last
    row beyond the last edge. `market`: orders that take from this queue. `retreat`: most of it is canceled at once.
    """

    edges: tuple[float, ...]
    limit: tuple[float, ...]
    cancel: tuple[float, ...]
    market: tuple[float, ...]
    retreat: tuple[float, ...]
    lone: float
    """The probability that a cancel takes the queue's last order, where that is more than dust (the second edge)."""


class Band(msgspec.Struct, frozen=True):
    """Prices `low` to `high` ticks (both included) behind the opposite best, away from the touch.

    `rate`: how often somebody looks at a price of it, drawn evenly. With probability `limit[n]` an order is added there,
    with `cancel[n]` one is canceled, else nothing happens; n is the number of orders at the price, at most the table's
    last. That is thinning: the intensity at one price is rate / width x the probability. Together they settle how many
    of its prices are occupied.
    """

    low: int
    high: int
    rate: float
    limit: tuple[float, ...]
    cancel: tuple[float, ...]


class Followers(msgspec.Struct, frozen=True):
    """What happens while the spread is wider than a tick: orders inside it, `rate` a second altogether.

    `follow`: probability that the order comes from the side that was not emptied, so that the mid moves on, where that is
    with the pressure, `follow_against` where not; else the emptied side comes back. `close`: probability that it leaves a
    spread of one tick; `step`: that it improves by one tick; else anything between.
    """

    rate: float
    follow: float
    follow_against: float
    close: float
    step: float


class Retreats(msgspec.Struct, frozen=True):
    """A retreat cancels each order of the crowd within `reach_ticks` of the best price of a side, but for a share `stay`."""

    reach_ticks: int
    stay: float


class Pressure(msgspec.Struct, frozen=True):
    """The crowd leans to one direction for a while: market orders, cancels and retreats push the mid that way, so moves
    come in runs and the signs of trades persist. `turns_per_s`: how often the direction is drawn again.

    `market`, `limit`, `cancel`: so much more often (and less) with it than against it, 0 to 1. `retreat`: so many times as
    often, within a burst, on the side that is pushed away.
    """

    turns_per_s: float
    market: float
    limit: float
    cancel: float
    retreat: float


class Bursts(msgspec.Struct, frozen=True):
    """Events come in bursts, as answers to each other and to other venues. Limit, cancel and market orders at the touch
    come `busy` times as often within one, and `quiet` times as often between.
    """

    starts_per_s: float
    ends_per_s: float
    quiet: float
    busy: float


class FairPrice(msgspec.Struct, frozen=True):
    """A wandering price toward which the market is drawn by those who know it; `ticks_per_root_s` 0 switches it off.

    `lean_ticks`: the distance of the mid at which the pressure is drawn toward it about 3 : 1.
    """

    ticks_per_root_s: float
    lean_ticks: float


class FlowParameters(msgspec.Struct, frozen=True):
    """One symbol's crowd. `pace`: how much of the capture's activity there is at the touch and near it; `far_pace`: the
    same farther out. Both are a change of the clock only: what follows what is the same. `reach_ticks`: how far through
    the book a market order goes at most.
    """

    touch: QueueRates
    bands: tuple[Band, ...]
    followers: Followers
    retreats: Retreats
    pressure: Pressure
    bursts: Bursts
    fair: FairPrice
    market_sizes: SizeQuantiles
    touch_sizes: SizeQuantiles
    inside_sizes: SizeQuantiles
    near_sizes: SizeQuantiles
    far_sizes: SizeQuantiles
    touch_orders_at_start: int
    reach_ticks: int
    levels_min: int
    levels_max: int
    pace: float
    far_pace: float
    cancel_rule: CancelRule = CancelRule.UNIFORM


# ---- Binance Spot ETHUSDT 2024-08-08, sizes in ETH


_TOUCH = QueueRates(
    # Measured while the spread was one tick: changes of the best quantity (bookTicker); a decrease with a trade at that
    # price since the last one is a market order. Fitted: limit and cancel beyond 8, which as measured let queues grow
    # without end; market between 0.5 and 8, as the pressure adds to it; retreat; lone.
    edges=(0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    limit=(57.0, 17.5, 17.4, 21.0, 36.8, 16.9, 24.1, 28.0, 20.0, 8.0),
    cancel=(234.0, 47.3, 12.5, 14.9, 17.3, 11.8, 13.8, 17.0, 18.0, 25.0),
    market=(59.0, 14.5, 7.0, 4.5, 4.5, 2.7, 2.6, 2.6, 2.9, 3.6),
    retreat=(0.0, 0.0, 0.3, 0.45, 0.6, 0.4, 0.25, 0.13, 0.05, 0.03),
    lone=0.15,
)
_BANDS = (
    # Measured: births, deaths and changes of levels in the 100 ms diffs, and the shares of occupied prices: 0.29, 0.34,
    # 0.45, 0.49, 0.56, 0.13 (the last one by diffs alone: the snapshot ends at about 1,500 ticks). Fitted: how they
    # divide into looks and probabilities, and the rates of the fourth and fifth band.
    Band(2, 10, 26.0, (0.22, 0.20, 0.10), (0.0, 0.66, 0.80)),
    Band(11, 30, 45.0, (0.26, 0.25, 0.12), (0.0, 0.67, 0.80)),
    Band(31, 100, 60.0, (0.38, 0.30, 0.12), (0.0, 0.66, 0.80)),
    Band(101, 500, 150.0, (0.44, 0.33, 0.12), (0.0, 0.65, 0.80)),
    Band(501, 1_000, 100.0, (0.40, 0.42, 0.12), (0.0, 0.53, 0.80)),
    Band(1_001, 5_000, 17.0, (0.13, 0.10, 0.10), (0.0, 0.90, 0.80)),
)
_MARKET_SIZES = SizeQuantiles(
    # Measured: prints of one side within 2 ms taken together; tail by Hill's estimator over the largest 5 %: 1.19. The cap
    # is chosen.
    points=((0.05, 0.002), (0.25, 0.008), (0.5, 0.037), (0.75, 0.40), (0.9, 2.1), (0.99, 13.9)),
    tail=1.2,
    cap=150.0,
)
_TOUCH_SIZES = SizeQuantiles(  # measured: increases of the best quantity; here and below tail and cap are chosen
    points=((0.05, 0.0038), (0.25, 0.70), (0.5, 1.12), (0.75, 1.99), (0.9, 2.98), (0.99, 10.4)), tail=2.0, cap=60.0
)
_INSIDE_SIZES = SizeQuantiles(  # measured: the first quantity of a new best price
    points=((0.05, 0.002), (0.25, 0.77), (0.5, 1.62), (0.75, 2.73), (0.9, 5.2), (0.99, 7.2)), tail=2.0, cap=60.0
)
_NEAR_SIZES = SizeQuantiles(  # measured: increases 2 to 30 ticks away
    points=((0.05, 0.002), (0.25, 0.05), (0.5, 1.28), (0.75, 2.9), (0.9, 4.1), (0.99, 11.0)), tail=2.0, cap=60.0
)
_FAR_SIZES = SizeQuantiles(  # measured: increases 30 to 1,000 ticks away
    points=((0.05, 0.01), (0.25, 0.75), (0.5, 1.45), (0.75, 4.0), (0.9, 10.0), (0.99, 45.0)), tail=2.0, cap=200.0
)

AS_CAPTURED = FlowParameters(
    touch=_TOUCH,
    bands=_BANDS,
    # Measured: 3,333 improvements in 3.9 s of wider spreads; 54 % left one tick, 32 % were one tick. Fitted: follow.
    followers=Followers(rate=860.0, follow=0.95, follow_against=0.6, close=0.54, step=0.32),
    # Fitted: volatility, gaps behind an emptied price, correlation of trade signs, gaps between events, P(up).
    retreats=Retreats(reach_ticks=35, stay=0.1),
    pressure=Pressure(turns_per_s=0.8, market=0.75, limit=0.6, cancel=0.6, retreat=8.0),
    bursts=Bursts(starts_per_s=9.0, ends_per_s=100.0, quiet=0.25, busy=9.0),
    fair=FairPrice(ticks_per_root_s=30.0, lean_ticks=80.0),
    market_sizes=_MARKET_SIZES,
    touch_sizes=_TOUCH_SIZES,
    inside_sizes=_INSIDE_SIZES,
    near_sizes=_NEAR_SIZES,
    far_sizes=_FAR_SIZES,
    touch_orders_at_start=6,  # chosen
    reach_ticks=30,  # measured: 99 % of the taker orders went 29 ticks or less through the book
    levels_min=400,  # chosen, as levels_max
    levels_max=1_500,
    pace=1.0,
    far_pace=1.0,
)
"""As busy as the capture: what the comparison is made with."""

FINE_TICK = msgspec.structs.replace(AS_CAPTURED, pace=0.35, far_pace=0.08)
"""The same market with less to do: about 95 book changes a second. Chosen, so that an engine, a venue and a crowd fit on
two cores."""

COARSE_TICK = msgspec.structs.replace(
    FINE_TICK,
    # Chosen: where a tick is a basis point, nearly every price is occupied and a move is a tick or two.
    bands=(
        Band(2, 10, 40.0, (0.60, 0.40, 0.30, 0.20), (0.0, 0.03, 0.20, 0.50)),
        Band(11, 30, 40.0, (0.60, 0.35, 0.20, 0.10), (0.0, 0.07, 0.40, 0.70)),
        Band(31, 100, 50.0, (0.40, 0.30, 0.12), (0.0, 0.27, 0.80)),
        Band(101, 300, 50.0, (0.30, 0.30, 0.12), (0.0, 0.45, 0.80)),
        Band(301, 1_000, 30.0, (0.15, 0.20, 0.12), (0.0, 0.60, 0.80)),
    ),
    retreats=Retreats(reach_ticks=1, stay=0.3),
    reach_ticks=5,
    fair=FairPrice(ticks_per_root_s=2.0, lean_ticks=5.0),
    levels_min=150,
)
"""For symbols whose tick is a large part of their price. Sizes and the touch as captured."""
