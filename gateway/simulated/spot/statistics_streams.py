"""Market streams of statistics: candles, tickers and average prices, once a second, of whatever market is behind.

Each is sent when it has changed (web-socket-streams.md: "only tickers that have changed"); a candle always, and once more
with `x` true when it is over.
"""

import asyncio
import re
from collections.abc import Callable
from typing import NamedTuple

from ..candles import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS
from ..connection import Clock
from ..market import Market
from ..payload import Payload
from ..streams import SPOT_MARKET_TOPICS
from .ticker_payloads import (
    Statistics,
    average_price_event,
    day_ticker_event,
    kline_event,
    mini_ticker_event,
    statistics,
    window_ticker_event,
)

WINDOW_NS = {"1h": HOUR_NS, "4h": 4 * HOUR_NS, "1d": DAY_NS}
KLINES_AT_ONCE_MAX = 100  # chosen: after a standstill, so many candles that ended meanwhile are told
WAIT_S_MIN = 0.01  # chosen: a clock that runs faster than time must not starve the event loop
_KLINE = re.compile(r"kline_([^@]+)(@\+08:00)?")


class _Telling(NamedTuple):
    """An event, and what has to differ for it to be told again."""

    content: object
    event: Payload


class StatisticsStreams:
    def __init__(self, market: Market, clock: Clock) -> None:
        self._market = market
        self._hub = market.hub
        self._clock = clock
        self._told: dict[tuple[str, str], object] = {}
        """(topic, symbol) -> content last told."""
        self._klines: dict[str, int] = {}
        """Topic -> start of the candle last told."""
        self._ticks = 0

    async def run(self) -> None:
        while True:
            now_ns = self._clock()
            await asyncio.sleep(max(WAIT_S_MIN, (SECOND_NS - now_ns % SECOND_NS) / 1e9))
            self.tick(self._clock())

    def tick(self, now_ns: int) -> None:
        """Tell what is due; to be called each second."""
        self._ticks += 1
        topics = self._hub.topics()
        self._forget(topics)
        by_name = {rules.symbol.lower(): rules.symbol for rules in self._market.rules()}
        for topic in topics:
            if topic in SPOT_MARKET_TOPICS:
                self._tell_all(topic, list(by_name.values()), now_ns)
                continue
            name, _, channel = topic.partition("@")
            symbol = by_name.get(name)
            if symbol is None:
                continue
            if kline := _KLINE.fullmatch(channel):
                self._tell_kline(topic, symbol, kline[1], 8 * HOUR_NS if kline[2] else 0, now_ns)
            elif teller := self._teller(channel):
                telling = teller(symbol, now_ns)
                if self._is_new(topic, symbol, telling):
                    self._hub.tell(topic, telling.event)

    def _forget(self, topics: list[str]) -> None:
        """What nobody listens to any more is told from its beginning to whoever comes next."""
        present = set(topics)
        self._told = {key: content for key, content in self._told.items() if key[0] in present}
        self._klines = {topic: start for topic, start in self._klines.items() if topic in present}

    def _is_new(self, topic: str, symbol: str, telling: _Telling) -> bool:
        if self._told.get((topic, symbol)) == telling.content:
            return False
        self._told[topic, symbol] = telling.content
        return True

    def _tell_all(self, topic: str, symbols: list[str], now_ns: int) -> None:
        teller = self._teller(topic.removeprefix("!").removesuffix("@arr"))
        assert teller is not None, topic
        tellings = [(symbol, teller(symbol, now_ns)) for symbol in symbols]
        events = [telling.event for symbol, telling in tellings if self._is_new(topic, symbol, telling)]
        if events:
            self._hub.tell(topic, events)

    def _teller(self, channel: str) -> Callable[[str, int], _Telling] | None:
        """Return who makes the events of a channel, or None for one of the book or of single trades."""
        match channel:
            case "miniTicker":
                return self._mini_ticker
            case "ticker":
                return self._day_ticker
            case "avgPrice":
                return self._average_price
        window = channel.removeprefix("ticker_")
        return self._window_teller(window) if window in WINDOW_NS else None

    def _statistics(self, symbol: str, length_ns: int, now_ns: int) -> Statistics:
        return statistics(symbol, self._market.tape.of(symbol).candles, now_ns - length_ns, now_ns)

    def _mini_ticker(self, symbol: str, now_ns: int) -> _Telling:
        stats = self._statistics(symbol, DAY_NS, now_ns)
        return _Telling(_content(stats), mini_ticker_event(stats))

    def _day_ticker(self, symbol: str, now_ns: int) -> _Telling:
        stats, top = self._statistics(symbol, DAY_NS, now_ns), self._market.top(symbol)
        return _Telling((_content(stats), top), day_ticker_event(stats, top))

    def _window_teller(self, window: str) -> Callable[[str, int], _Telling]:
        def tell(symbol: str, now_ns: int) -> _Telling:
            from_ns = now_ns - WINDOW_NS[window]
            candles = self._market.tape.of(symbol).candles
            stats = statistics(symbol, candles, from_ns - from_ns % MINUTE_NS, now_ns)
            return _Telling(_content(stats), window_ticker_event(stats, window))

        return tell

    def _average_price(self, symbol: str, now_ns: int) -> _Telling:
        instrument = self._market.engine.instrument(symbol)
        price = instrument.average.value(now_ns) or 0
        last_trade_ns = self._market.tape.of(symbol).candles.last_trade_ns
        event = average_price_event(symbol, instrument.rules.average_minutes, price, last_trade_ns, now_ns)
        return _Telling(price, event)

    def _tell_kline(self, topic: str, symbol: str, interval: str, offset_ns: int, now_ns: int) -> None:
        """Candles of one second when they are over; of other lengths every other second, and when they are over."""
        candles, told_ns = self._market.tape.of(symbol).candles, self._klines.get(topic)
        if told_ns is not None and told_ns > now_ns:
            told_ns = None  # the venue's clock was set back
        limit = KLINES_AT_ONCE_MAX if told_ns is not None else 2
        bars = candles.bars(interval, limit, now_ns, from_ns=told_ns, to_ns=now_ns, offset_ns=offset_ns)
        if not bars:
            return
        *over, present = bars
        self._klines[topic] = present.start_ns
        if told_ns is None and interval != "1s":
            over = []
        for bar in over:
            self._hub.tell(topic, kline_event(symbol, bar, interval, now_ns, is_closed=True, offset_ns=offset_ns))
        if interval != "1s" and (over or self._ticks % 2 == 0):
            self._hub.tell(topic, kline_event(symbol, present, interval, now_ns, is_closed=False, offset_ns=offset_ns))


def _content(stats: Statistics) -> tuple[int, int, int, int, int]:
    bar = stats.bar
    return bar.first_id, bar.last_id, bar.open, bar.close, stats.before
