"""Candles and window statistics of one symbol, from its trades as they come. Pure.

Kept are the seconds of an hour, the minutes of a week and as many hours, in which something traded; every
other interval is put together from those when it is asked for. What is older is forgotten.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice, takewhile
from operator import attrgetter

import msgspec

from .core.orders import PublicTrade

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
SECONDS_MAX = 3_600  # chosen: more than the 1,000 bars of one answer
MINUTES_MAX = (
    7 * 24 * 60
)  # the longest rolling window is 7 days (rest-api.md, "Rolling window price change statistics")
HOURS_MAX = MINUTES_MAX  # chosen: no minute is kept without its hour

INTERVAL_NS = {
    "1s": SECOND_NS,
    **{f"{n}m": n * MINUTE_NS for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * HOUR_NS for n in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_NS,
    "3d": 3 * DAY_NS,
    "1w": 7 * DAY_NS,
    "1M": 0,
}
"""By the venue's name; a month has no length (rest-api.md, "Kline/Candlestick data")."""
_MONDAY_NS = 4 * DAY_NS  # 1970-01-05: weeks begin on Mondays


class Bar(msgspec.Struct, gc=False):
    """What traded in one interval. Prices and quantities in units of 10^-8; `amount` in units of 10^-16 of the quote asset.

    `taker_*`: the part in which the taker bought. A bar without trades has count 0 and ids of -1.
    """

    start_ns: int
    open: int
    high: int
    low: int
    close: int
    quantity: int = 0
    amount: int = 0
    taker_quantity: int = 0
    taker_amount: int = 0
    first_id: int = -1
    last_id: int = -1
    count: int = 0
    last_quantity: int = 0

    def add(self, other: "Bar") -> None:
        """Append a later bar."""
        self.high = max(self.high, other.high)
        self.low = min(self.low, other.low)
        self.close = other.close
        self.quantity += other.quantity
        self.amount += other.amount
        self.taker_quantity += other.taker_quantity
        self.taker_amount += other.taker_amount
        self.last_id = other.last_id
        self.count += other.count
        self.last_quantity = other.last_quantity


class Candles:
    """`last_price`: of the last trade ever; None before the first."""

    def __init__(self) -> None:
        self.last_price: int | None = None
        self.last_trade_ns = 0
        self._seconds: deque[Bar] = deque(maxlen=SECONDS_MAX)
        self._minutes: deque[Bar] = deque(maxlen=MINUTES_MAX)
        self._hours: deque[Bar] = deque(maxlen=HOURS_MAX)
        """So that what is long is soon put together: nothing else is served meanwhile."""

    def add(self, trade: PublicTrade) -> None:
        """Trades come in the order of their times."""
        self.last_price = trade.price
        self.last_trade_ns = trade.time_ns
        for bars, length_ns in ((self._seconds, SECOND_NS), (self._minutes, MINUTE_NS), (self._hours, HOUR_NS)):
            bar = _bar(trade, trade.time_ns - trade.time_ns % length_ns)
            if bars and bars[-1].start_ns >= bar.start_ns:
                bars[-1].add(bar)
            else:
                bars.append(bar)

    def bars(
        self, interval: str, limit: int, now_ns: int, *, from_ns: int | None, to_ns: int, offset_ns: int = 0
    ) -> list[Bar]:
        """Return bars that start within [from_ns, to_ns], oldest first: the first `limit` after `from_ns`, or else the last ones.

        Nothing comes before the first bar that is kept, nor after now. An interval without trades is flat at the price before
        it. `offset_ns`: how far the clock by which days begin runs ahead of UTC.
        """
        kept = self._kept(interval, offset_ns)
        if not kept:
            return []
        first_ns = max(start_of(interval, kept[0].start_ns, offset_ns), from_ns or 0)
        last_ns = start_of(interval, min(now_ns, to_ns), offset_ns)
        if first_ns > last_ns:
            return []  # nor is a time looked at that no calendar has
        starts = list(_starts(interval, first_ns, last_ns, offset_ns, limit, from_end=from_ns is None))
        return list(_filled(kept, starts, interval, offset_ns)) if starts else []

    def _kept(self, interval: str, offset_ns: int) -> deque[Bar]:
        """Return the longest bars kept of which that interval is a multiple; only a month's length is 0."""
        if interval == "1s":
            return self._seconds
        is_of_hours = INTERVAL_NS[interval] % HOUR_NS == 0 and offset_ns % HOUR_NS == 0
        return self._hours if is_of_hours else self._minutes

    def window(self, from_ns: int) -> Bar | None:
        """Return all that traded since the minute of `from_ns`, a week ago at most, as one bar or None; it starts at that minute."""
        start_ns = from_ns - from_ns % MINUTE_NS
        hour_ns = -(-start_ns // HOUR_NS) * HOUR_NS
        minutes = takewhile(lambda bar: bar.start_ns < hour_ns, _since(self._minutes, start_ns))
        return _sum(chain(minutes, _since(self._hours, hour_ns)), start_ns)

    def price_before(self, from_ns: int) -> int | None:
        """Return the price of the last trade before the minute of `from_ns`, or None."""
        bar = _before(self._minutes, from_ns - from_ns % MINUTE_NS)
        return None if bar is None else bar.close


def start_of(interval: str, time_ns: int, offset_ns: int = 0) -> int:
    """Return when the bar of `time_ns` starts."""
    local_ns = time_ns + offset_ns
    if interval == "1M":
        day = datetime.fromtimestamp(local_ns // SECOND_NS, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * SECOND_NS - offset_ns
    base_ns = _MONDAY_NS if interval == "1w" else 0
    return local_ns - (local_ns - base_ns) % INTERVAL_NS[interval] - offset_ns


def end_of(interval: str, start_ns: int, offset_ns: int = 0) -> int:
    """Return when the bar that starts at `start_ns` ends and the next one starts."""
    if interval != "1M":
        return start_ns + INTERVAL_NS[interval]
    return start_of(interval, start_ns + 32 * DAY_NS, offset_ns)  # a day of the next month, whatever this one's length


def _starts(interval: str, first_ns: int, last_ns: int, offset_ns: int, limit: int, *, from_end: bool) -> Iterator[int]:
    """Yield at most `limit` starts of bars within [first_ns, last_ns], the last ones if `from_end`."""
    start_ns = start_of(interval, first_ns, offset_ns)
    if start_ns < first_ns:
        start_ns = end_of(interval, start_ns, offset_ns)
    if from_end and interval != "1M":
        start_ns = max(start_ns, last_ns - (limit - 1) * INTERVAL_NS[interval])
    for _ in range(limit):
        if start_ns > last_ns:
            return
        yield start_ns
        start_ns = end_of(interval, start_ns, offset_ns)


def _filled(kept: deque[Bar], starts: list[int], interval: str, offset_ns: int) -> Iterator[Bar]:
    """Yield one bar for each start: what traded in it, or a flat one."""
    bars = iter(_since(kept, starts[0]))
    bar = next(bars, None)
    before = _before(kept, starts[0])
    close = None if before is None else before.close
    for start_ns in starts:
        end_ns = end_of(interval, start_ns, offset_ns)
        parts = []
        while bar is not None and bar.start_ns < end_ns:
            parts.append(bar)
            bar = next(bars, None)
        whole = _sum(parts, start_ns)
        if whole is not None:
            close = whole.close
            yield whole
        elif close is not None:
            yield Bar(start_ns, close, close, close, close)


def _since(bars: deque[Bar], from_ns: int) -> Iterable[Bar]:
    return islice(bars, bisect_left(bars, from_ns, key=attrgetter("start_ns")), None)


def _before(bars: deque[Bar], from_ns: int) -> Bar | None:
    index = bisect_left(bars, from_ns, key=attrgetter("start_ns"))
    return bars[index - 1] if index else None


def _sum(bars: Iterable[Bar], start_ns: int) -> Bar | None:
    whole: Bar | None = None
    for bar in bars:
        if whole is None:
            whole = msgspec.structs.replace(bar, start_ns=start_ns)
        else:
            whole.add(bar)
    return whole


def _bar(trade: PublicTrade, start_ns: int) -> Bar:
    price, quantity = trade.price, trade.quantity
    amount = price * quantity
    bought = not trade.buyer_is_maker
    return Bar(
        start_ns=start_ns,
        open=price,
        high=price,
        low=price,
        close=price,
        quantity=quantity,
        amount=amount,
        taker_quantity=quantity if bought else 0,
        taker_amount=amount if bought else 0,
        first_id=trade.trade_id,
        last_id=trade.trade_id,
        count=1,
        last_quantity=quantity,
    )
