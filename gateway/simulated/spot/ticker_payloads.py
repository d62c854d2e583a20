"""Price statistics in the venue's words: tickers of every window, average prices, candles; answers and events. Pure.

Field names and order follow the examples of rest-api.md and web-socket-streams.md.
"""

from typing import NamedTuple

from ..candles import Bar, Candles, end_of
from ..core.book import TopOfBook
from ..core.decimals import SCALE, decimal_text
from ..payload import Instant, Json, Payload

PERCENT_SCALE = 100_000
"""Percentages have three decimals."""


class Statistics(NamedTuple):
    """What happened to a symbol's price between two times. `before`: the price of the last trade before them, 0 without one.

    Where nothing traded `bar` is empty at the last price, its high and low 0, as the venue tells of a symbol at rest.
    """

    symbol: str
    open_ns: int
    close_ns: int
    bar: Bar
    before: int

    @property
    def change(self) -> int:
        return self.bar.close - self.bar.open

    @property
    def change_percent(self) -> str:
        """Signed, with three decimals."""
        scaled = (
            0 if not self.bar.open else (abs(self.change) * 2 * PERCENT_SCALE + self.bar.open) // (2 * self.bar.open)
        )
        whole, fraction = divmod(scaled, PERCENT_SCALE // 100)
        return f"{'-' if self.change < 0 else ''}{whole}.{fraction:03d}"

    @property
    def weighted_average(self) -> int:
        return self.bar.amount // self.bar.quantity if self.bar.quantity else 0


def statistics(symbol: str, candles: Candles, from_ns: int, to_ns: int) -> Statistics:
    """Count from the full minute of `from_ns` on; the times told are those given."""
    last = candles.last_price or 0
    bar = candles.window(from_ns) or Bar(from_ns, last, 0, 0, last)
    return Statistics(symbol, from_ns, to_ns, bar, candles.price_before(from_ns) or 0)


def _amount(amount: int) -> str:
    """Write what is counted in 10^-16 of the quote asset."""
    return decimal_text(amount // SCALE)


# ---- answers


def mini_ticker(stats: Statistics) -> Payload:
    bar = stats.bar
    return {
        "symbol": stats.symbol,
        "openPrice": decimal_text(bar.open),
        "highPrice": decimal_text(bar.high),
        "lowPrice": decimal_text(bar.low),
        "lastPrice": decimal_text(bar.close),
        "volume": decimal_text(bar.quantity),
        "quoteVolume": _amount(bar.amount),
        "openTime": Instant(stats.open_ns),
        "closeTime": Instant(stats.close_ns),
        "firstId": bar.first_id,
        "lastId": bar.last_id,
        "count": bar.count,
    }


def window_ticker(stats: Statistics) -> Payload:
    """The FULL form of the rolling and of the trading day's ticker."""
    return {
        "symbol": stats.symbol,
        "priceChange": decimal_text(stats.change),
        "priceChangePercent": stats.change_percent,
        "weightedAvgPrice": decimal_text(stats.weighted_average),
        **mini_ticker(stats),
    }


def day_ticker(stats: Statistics, top: TopOfBook) -> Payload:
    """The FULL form of the 24 hours' ticker, which knows the book."""
    rest = mini_ticker(stats)
    del rest["symbol"], rest["lastPrice"]
    return {
        "symbol": stats.symbol,
        "priceChange": decimal_text(stats.change),
        "priceChangePercent": stats.change_percent,
        "weightedAvgPrice": decimal_text(stats.weighted_average),
        "prevClosePrice": decimal_text(stats.before),
        "lastPrice": decimal_text(stats.bar.close),
        "lastQty": decimal_text(stats.bar.last_quantity),
        "bidPrice": decimal_text(top.bid_price),
        "bidQty": decimal_text(top.bid_quantity),
        "askPrice": decimal_text(top.ask_price),
        "askQty": decimal_text(top.ask_quantity),
        **rest,
    }


def average_price(minutes: int, price: int, last_trade_ns: int) -> Payload:
    return {"mins": minutes, "price": decimal_text(price), "closeTime": Instant(last_trade_ns)}


def kline_row(bar: Bar, interval: str, offset_ns: int) -> list[Json]:
    """A row of klines (rest-api.md, "Kline/Candlestick data"); the last field is unused."""
    return [
        Instant(bar.start_ns),
        decimal_text(bar.open),
        decimal_text(bar.high),
        decimal_text(bar.low),
        decimal_text(bar.close),
        decimal_text(bar.quantity),
        Instant(end_of(interval, bar.start_ns, offset_ns) - 1),
        _amount(bar.amount),
        bar.count,
        decimal_text(bar.taker_quantity),
        _amount(bar.taker_amount),
        "0",
    ]


# ---- events


def kline_event(symbol: str, bar: Bar, interval: str, now_ns: int, *, is_closed: bool, offset_ns: int = 0) -> Payload:
    return {
        "e": "kline",
        "E": Instant(now_ns),
        "s": symbol,
        "k": {
            "t": Instant(bar.start_ns),
            "T": Instant(end_of(interval, bar.start_ns, offset_ns) - 1),
            "s": symbol,
            "i": interval,
            "f": bar.first_id,
            "L": bar.last_id,
            "o": decimal_text(bar.open),
            "c": decimal_text(bar.close),
            "h": decimal_text(bar.high),
            "l": decimal_text(bar.low),
            "v": decimal_text(bar.quantity),
            "n": bar.count,
            "x": is_closed,
            "q": _amount(bar.amount),
            "V": decimal_text(bar.taker_quantity),
            "Q": _amount(bar.taker_amount),
            "B": "0",
        },
    }


def mini_ticker_event(stats: Statistics) -> Payload:
    bar = stats.bar
    return {
        "e": "24hrMiniTicker",
        "E": Instant(stats.close_ns),
        "s": stats.symbol,
        "c": decimal_text(bar.close),
        "o": decimal_text(bar.open),
        "h": decimal_text(bar.high),
        "l": decimal_text(bar.low),
        "v": decimal_text(bar.quantity),
        "q": _amount(bar.amount),
    }


def day_ticker_event(stats: Statistics, top: TopOfBook) -> Payload:
    bar = stats.bar
    return {
        "e": "24hrTicker",
        "E": Instant(stats.close_ns),
        "s": stats.symbol,
        "p": decimal_text(stats.change),
        "P": stats.change_percent,
        "w": decimal_text(stats.weighted_average),
        "x": decimal_text(stats.before),
        "c": decimal_text(bar.close),
        "Q": decimal_text(bar.last_quantity),
        "b": decimal_text(top.bid_price),
        "B": decimal_text(top.bid_quantity),
        "a": decimal_text(top.ask_price),
        "A": decimal_text(top.ask_quantity),
        **_window_fields(stats),
    }


def window_ticker_event(stats: Statistics, window: str) -> Payload:
    return {
        "e": f"{window}Ticker",
        "E": Instant(stats.close_ns),
        "s": stats.symbol,
        "p": decimal_text(stats.change),
        "P": stats.change_percent,
        "c": decimal_text(stats.bar.close),
        "w": decimal_text(stats.weighted_average),
        **_window_fields(stats),
    }


def _window_fields(stats: Statistics) -> Payload:
    bar = stats.bar
    return {
        "o": decimal_text(bar.open),
        "h": decimal_text(bar.high),
        "l": decimal_text(bar.low),
        "v": decimal_text(bar.quantity),
        "q": _amount(bar.amount),
        "O": Instant(stats.open_ns),
        "C": Instant(stats.close_ns),
        "F": bar.first_id,
        "L": bar.last_id,
        "n": bar.count,
    }


def average_price_event(symbol: str, minutes: int, price: int, last_trade_ns: int, now_ns: int) -> Payload:
    return {
        "e": "avgPrice",
        "E": Instant(now_ns),
        "s": symbol,
        "i": f"{minutes}m",
        "w": decimal_text(price),
        "T": Instant(last_trade_ns),
    }
