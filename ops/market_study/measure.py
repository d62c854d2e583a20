"""What a market is like, measured on what a subscriber sees. Pure.

Prices are in ticks (the greatest common divisor of the best prices), quantities in the base asset, times in seconds.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from gateway.simulated.core.decimals import SCALE, parse_decimal
from gateway.simulated.recorded.capture import (
    RecordedDepth,
    RecordedSnapshot,
    RecordedTicker,
    RecordedTrade,
    Timed,
)

SHARES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.99)
"""Quantiles that are told."""
BINS = 10
"""Of the imbalance, from -1 to 1."""
SAME_TAKER_S = 0.002  # prints of one side closer than that are one order's; a capture's receipt times spread so much
TAIL_SHARE = 0.05  # of the largest sizes, for Hill's estimator
HORIZONS_S = (1, 5, 10, 30)
LAGS = (1, 2, 5, 10, 20, 50)
SAMPLE_S = 5.0  # how often occupied prices are counted
NEAR_TICKS = 100  # levels whose lifetimes are told
DISTANCES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Last ticks of the bands in which occupied prices are counted, from the opposite best."""


class Tick(msgspec.Struct, gc=False):
    """One bookTicker."""

    at_s: float
    bid: int
    bid_quantity: float
    ask: int
    ask_quantity: float


class Print(msgspec.Struct, gc=False):
    at_s: float
    quantity: float
    buys: bool


class Study(msgspec.Struct):
    """One market. Quantiles are by SHARES; `by_imbalance` lists go from -1 to 1 in BINS equal bins.

    `best_life_s`: how long a best price stays best; `level_life_s`: how long a price within NEAR_TICKS stays occupied, as
    seen in 100 ms diffs; `quantity_life_s`: how long its quantity stays the same.
    """

    symbol: str
    seconds: float
    updates_per_s: float
    tickers_per_s: float
    prints_per_s: float
    takers_per_s: float
    spread_time: dict[int, float]
    spread_mean: float
    volatility: dict[int, float]
    """Standard deviation of the mid's change, ticks a root second, by horizon."""
    up_by_imbalance: list[float]
    time_by_imbalance: list[float]
    best_quantity: dict[float, float]
    occupied: dict[int, float]
    ticker_gap_s: dict[float, float]
    ticker_gap_variation: float
    taker_gap_s: dict[float, float]
    taker_gap_variation: float
    best_life_s: dict[float, float]
    level_life_s: dict[float, float]
    quantity_life_s: dict[float, float]
    print_size: dict[float, float]
    taker_size: dict[float, float]
    taker_tail: float
    sign_correlation: dict[int, float]
    curves: dict[str, list[tuple[float, float]]]
    """For plots: (value, share of values beyond it), at most CURVE_POINTS each."""


CURVE_POINTS = 120


def measure(events: Iterable[Timed], symbol: str | None = None) -> Study:
    """Return the study of one symbol's events: of the first with a snapshot unless named. Raises ValueError where the events
    hold too little of it: a snapshot, tickers and trades are needed.
    """
    prints: list[Print] = []
    levels = Levels()
    raw: list[tuple[float, int, int, int, int]] = []
    for timed in events:
        event, at_s = timed.event, timed.received_ns / 1e9
        if isinstance(event, RecordedSnapshot):
            symbol = symbol or event.symbol
            if event.symbol == symbol:
                levels.load(event, at_s)
        elif isinstance(event, RecordedTicker) and event.s == symbol:
            bid, bid_quantity, ask, ask_quantity = (
                parse_decimal(text) for text in (event.b, event.B, event.a, event.A)
            )
            raw.append((at_s, bid, bid_quantity, ask, ask_quantity))
        elif isinstance(event, RecordedTrade) and event.s == symbol:
            prints.append(Print(at_s, parse_decimal(event.q) / SCALE, not event.m))
        elif isinstance(event, RecordedDepth) and event.s == symbol:
            levels.apply(event, at_s)
    if symbol is None or len(raw) < 100 or len(prints) < 100 or not levels.diffs:
        raise ValueError(f"of {symbol or 'any symbol'} there is too little: a snapshot, and 100 tickers and trades")
    tick = math.gcd(*(row[1] for row in raw), *(row[3] for row in raw))
    ticks = [Tick(at_s, bid // tick, bq / SCALE, ask // tick, aq / SCALE) for at_s, bid, bq, ask, aq in raw]
    return _study(symbol, ticks, prints, levels, tick)


class Levels:
    """The book of the 100 ms diffs, and how long its levels live."""

    def __init__(self) -> None:
        self.diffs = 0
        self.updates = 0
        self.samples: list[Counter[int]] = []
        self.lives: list[tuple[int, float]] = []
        """(distance when it appeared, seconds) of levels; prices in 10^-8."""
        self.rests: list[tuple[int, float]] = []
        """The same of unchanged quantities."""
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._since: dict[tuple[bool, int], tuple[int, float, float]] = {}
        self._last_id = 0
        self._sampled_s = 0.0

    def load(self, snapshot: RecordedSnapshot, at_s: float) -> None:
        self._last_id, self._sampled_s = snapshot.lastUpdateId, at_s
        self._bids = {parse_decimal(price): parse_decimal(quantity) for price, quantity in snapshot.bids}
        self._asks = {parse_decimal(price): parse_decimal(quantity) for price, quantity in snapshot.asks}
        self._since = {}

    def apply(self, diff: RecordedDepth, at_s: float) -> None:
        if not self._bids or not self._asks or diff.u <= self._last_id:
            return
        self.diffs += 1
        self.updates += diff.u - diff.U + 1
        self._last_id = diff.u
        bid, ask = max(self._bids), min(self._asks)
        for is_bid, levels, changes in ((True, self._bids, diff.b), (False, self._asks, diff.a)):
            for price_text, quantity_text in changes:
                price, quantity = parse_decimal(price_text), parse_decimal(quantity_text)
                self._note(is_bid, price, abs(price - (ask if is_bid else bid)), quantity, at_s)
                if quantity:
                    levels[price] = quantity
                else:
                    levels.pop(price, None)
        if at_s - self._sampled_s >= SAMPLE_S and self._bids and self._asks:
            self._sampled_s = at_s
            bid, ask = max(self._bids), min(self._asks)
            distances = [ask - price for price in self._bids] + [price - bid for price in self._asks]
            self.samples.append(Counter(distance for distance in distances if distance > 0))

    def _note(self, is_bid: bool, price: int, distance: int, quantity: int, at_s: float) -> None:
        """Keep when a level appeared and when it last changed; only of those whose beginning was seen."""
        key = is_bid, price
        known = self._since.get(key)
        if known is not None:
            born_distance, born_s, changed_s = known
            self.rests.append((born_distance, at_s - changed_s))
            if quantity:
                self._since[key] = born_distance, born_s, at_s
            else:
                self.lives.append((born_distance, at_s - born_s))
                del self._since[key]
        elif quantity and price not in (self._bids if is_bid else self._asks):
            self._since[key] = distance, at_s, at_s


def _study(symbol: str, ticks: list[Tick], prints: list[Print], levels: Levels, tick: int) -> Study:
    seconds = ticks[-1].at_s - ticks[0].at_s
    spreads, imbalance_s, quantities = _times(ticks)
    takers = _takers(prints)
    gaps = [later.at_s - earlier.at_s for earlier, later in pairwise(ticks)]
    taker_gaps = [later.at_s - earlier.at_s for earlier, later in pairwise(takers)]
    best_lives = _best_lives(ticks)
    near = NEAR_TICKS * tick
    lives = [life for distance, life in levels.lives if distance <= near]
    sizes = [taker.quantity for taker in takers]
    total_s = sum(spreads.values())
    return Study(
        symbol=symbol,
        seconds=seconds,
        updates_per_s=levels.updates / seconds,
        tickers_per_s=len(ticks) / seconds,
        prints_per_s=len(prints) / seconds,
        takers_per_s=len(takers) / seconds,
        spread_time={spread: time_s / total_s for spread, time_s in sorted(spreads.items())},
        spread_mean=sum(spread * time_s for spread, time_s in spreads.items()) / total_s,
        volatility={horizon: _volatility(ticks, horizon) for horizon in HORIZONS_S if seconds > 10 * horizon},
        up_by_imbalance=_up_by_imbalance(ticks),
        time_by_imbalance=[time_s / total_s for time_s in imbalance_s],
        best_quantity=_weighted_quantiles(quantities),
        occupied=_occupied(levels.samples, tick),
        ticker_gap_s=quantiles(gaps),
        ticker_gap_variation=_variation(gaps),
        taker_gap_s=quantiles(taker_gaps),
        taker_gap_variation=_variation(taker_gaps),
        best_life_s=quantiles(best_lives),
        level_life_s=quantiles(lives),
        quantity_life_s=quantiles([rest for distance, rest in levels.rests if distance <= near]),
        print_size=quantiles([each.quantity for each in prints]),
        taker_size=quantiles(sizes),
        taker_tail=_hill(sizes),
        sign_correlation={lag: _correlation([taker.buys for taker in takers], lag) for lag in LAGS},
        curves={
            "ticker gap": beyond(gaps),
            "taker gap": beyond(taker_gaps),
            "best life": beyond(best_lives),
            "level life": beyond(lives),
            "taker size": beyond(sizes),
            "best quantity": beyond([quantity for quantity, time_s in quantities], [t for _, t in quantities]),
        },
    )


def _times(ticks: list[Tick]) -> tuple[dict[int, float], list[float], list[tuple[float, float]]]:
    """Return the time spent at each spread, in each bin of imbalance, and at each best quantity of either side."""
    spreads: defaultdict[int, float] = defaultdict(float)
    bins = [0.0] * BINS
    quantities = []
    for now, later in pairwise(ticks):
        time_s = later.at_s - now.at_s
        spreads[now.ask - now.bid] += time_s
        bins[_bin(now)] += time_s
        quantities += [(now.bid_quantity, time_s), (now.ask_quantity, time_s)]
    return spreads, bins, quantities


def _bin(tick: Tick) -> int:
    imbalance = (tick.bid_quantity - tick.ask_quantity) / (tick.bid_quantity + tick.ask_quantity)
    return min(BINS - 1, int((imbalance + 1) / 2 * BINS))


def _up_by_imbalance(ticks: list[Tick]) -> list[float]:
    """Return the share of rises among the next moves of the mid, of all tickers at a spread of one tick."""
    ups, counts = [0] * BINS, [0] * BINS
    next_is_up: bool | None = None
    for now, later in reversed(list(pairwise(ticks))):
        moved = later.bid + later.ask - now.bid - now.ask
        if moved:
            next_is_up = moved > 0
        if next_is_up is not None and now.ask - now.bid == 1:
            counts[_bin(now)] += 1
            ups[_bin(now)] += next_is_up
    return [up / count if count else math.nan for up, count in zip(ups, counts, strict=True)]


def _takers(prints: list[Print]) -> list[Print]:
    """Put prints of one taker order together."""
    takers: list[Print] = []
    last_s = -math.inf
    for each in prints:
        if takers and takers[-1].buys == each.buys and each.at_s - last_s <= SAME_TAKER_S:
            takers[-1].quantity += each.quantity
        else:
            takers.append(Print(each.at_s, each.quantity, each.buys))
        last_s = each.at_s
    return takers


def _best_lives(ticks: list[Tick]) -> list[float]:
    lives = []
    for side in ("bid", "ask"):
        since_s = None
        for earlier, later in pairwise(ticks):
            if getattr(earlier, side) != getattr(later, side):
                if since_s is not None:
                    lives.append(later.at_s - since_s)
                since_s = later.at_s
    return lives


def _volatility(ticks: list[Tick], horizon_s: int) -> float:
    marks, due_s, middle = [], ticks[0].at_s, 0.0
    for tick in ticks:
        while tick.at_s > due_s:
            marks.append(middle)
            due_s += horizon_s
        middle = (tick.bid + tick.ask) / 2
    steps = [later - earlier for earlier, later in pairwise(marks[1:])]
    return math.sqrt(sum(step * step for step in steps) / len(steps) / horizon_s)


def _occupied(samples: list[Counter[int]], tick: int) -> dict[int, float]:
    """Return the share of occupied prices by band: up to each of DISTANCES, from the one before."""
    shares, before = {}, 0
    for last in DISTANCES:
        count = sum(sum(n for d, n in sample.items() if before < d // tick <= last) for sample in samples)
        shares[last] = count / (2 * (last - before) * max(1, len(samples)))
        before = last
    return shares


# ---- of numbers


def quantiles(values: Sequence[float]) -> dict[float, float]:
    ordered = sorted(values)
    return {
        share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan for share in SHARES
    }


def _weighted_quantiles(values: list[tuple[float, float]]) -> dict[float, float]:
    total, passed, found = sum(weight for _, weight in values), 0.0, {}
    wanted = list(SHARES)
    for value, weight in sorted(values):
        passed += weight
        while wanted and passed >= wanted[0] * total:
            found[wanted.pop(0)] = value
    return found


def beyond(values: Sequence[float], weights: Sequence[float] | None = None) -> list[tuple[float, float]]:
    """Return (value, share of weight at or above it), thinned out evenly in the logarithm of the value."""
    rows = sorted(zip(values, weights or [1.0] * len(values), strict=True))
    rows = [row for row in rows if row[0] > 0]
    if not rows:
        return []
    left = total = sum(weight for _, weight in rows)
    step = math.log(rows[-1][0] / rows[0][0]) / CURVE_POINTS
    curve, due = [], -math.inf
    for value, weight in rows:
        if math.log(value) >= due:
            curve.append((value, left / total))
            due = math.log(value) + step
        left -= weight
    return curve


def _variation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) / mean


def _hill(values: list[float]) -> float:
    """Hill's estimator of the tail exponent, over the largest TAIL_SHARE (Annals of Statistics 3(5):1163-1174, 1975)."""
    largest = sorted(values, reverse=True)[: max(2, int(len(values) * TAIL_SHARE))]
    return (len(largest) - 1) / sum(math.log(value / largest[-1]) for value in largest[:-1])


def _correlation(signs: list[bool], lag: int) -> float:
    """Of +1 and -1, `lag` apart."""
    values = [1.0 if sign else -1.0 for sign in signs]
    mean = sum(values) / len(values)
    spread = sum((value - mean) ** 2 for value in values) / len(values)
    pairs = list(zip(values, values[lag:], strict=False))
    return sum((a - mean) * (b - mean) for a, b in pairs) / len(pairs) / spread
