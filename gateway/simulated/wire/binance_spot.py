"""Binance Spot's writing (docs, web-socket-streams and "Market data endpoints"; recordings of 2024 and 2026). Pure.

Every number has eight decimals, whatever the instrument's are. The diff stream and the REST snapshot are two views of
one book that know nothing of each other: a snapshot ends no diff.
"""

import json
from typing import Any

from .true_book import TrueBook

DECIMALS = 8
DEPTH_DEFAULT = 100  # of GET /api/v3/depth without a limit
MS_NS = 1_000_000

Side = dict[int, int]
Rows = list[tuple[str, str]]


class BinanceSpotWire:
    """A Wire of one symbol's combined streams depth@100ms, bookTicker and trade, and of GET /api/v3/depth.

    The stream begins with the first snapshot or diff that is asked for; a first diff tells every level as changed.
    """

    venue = "binance-spot"

    def __init__(self, symbol: str, price_decimals: int = 2, quantity_decimals: int = 5, depth: int = 0) -> None:
        self.symbol = symbol
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.depth = depth or DEPTH_DEFAULT
        self._streamed = StreamedBook()
        self._told: int | None = None

    def accepted(self) -> tuple[bytes, ...]:
        """One SUBSCRIBE, answered; streams that are named in the URL are not acknowledged."""
        return (compact({"result": None, "id": 1}),)

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        self._streamed.begin(book)
        self._told = book.update_id
        bids, asks = best(book, self.depth)
        return compact({"lastUpdateId": book.update_id, "bids": self._rows(bids), "asks": self._rows(asks)})

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        """Of a book that has not changed: an event that repeats the last id, which the venue never sends."""
        before, bids, asks = self._streamed.changes(book)
        self._told = last = book.update_id
        event = {"e": "depthUpdate", "E": venue_ns // MS_NS, "s": self.symbol, "U": min(before + 1, last), "u": last}
        return self._enveloped("depth@100ms", event | {"b": self._rows(bids[::-1]), "a": self._rows(asks)})

    def quote(self, book: TrueBook, venue_ns: int) -> bytes:
        bid, bid_quantity, ask, ask_quantity = book.top
        [(bid_text, bid_quantity_text), (ask_text, ask_quantity_text)] = self._rows(
            [(bid, bid_quantity), (ask, ask_quantity)]
        )
        event = {"u": book.update_id, "s": self.symbol, "b": bid_text, "B": bid_quantity_text}
        return self._enveloped("bookTicker", event | {"a": ask_text, "A": ask_quantity_text})

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes:
        """m: the buyer was the maker."""
        [(price_text, quantity_text)] = self._rows([(price, quantity)])
        at = venue_ns // MS_NS
        event: dict[str, Any] = {"e": "trade", "E": at, "s": self.symbol, "t": trade_id, "p": price_text}
        return self._enveloped("trade", event | {"q": quantity_text, "T": at, "m": not buyer_took, "M": True})

    def heartbeat(self, venue_ns: int) -> None:
        """None: the venue pings by WebSocket control frames alone."""

    def update_id(self, book: TrueBook) -> int:
        return book.update_id if self._told is None else self._told

    def _rows(self, levels: list[tuple[int, int]]) -> Rows:
        price_zeros, quantity_zeros = DECIMALS - self.price_decimals, DECIMALS - self.quantity_decimals
        return [
            (text(price * 10**price_zeros, DECIMALS), text(quantity * 10**quantity_zeros, DECIMALS))
            for price, quantity in levels
        ]

    def _enveloped(self, stream: str, event: dict[str, Any]) -> bytes:
        return compact({"stream": f"{self.symbol.lower()}@{stream}", "data": event})


class StreamedBook:
    """The book as a diff stream has told it so far."""

    def __init__(self) -> None:
        self._bids: Side = {}
        self._asks: Side = {}
        self._last: int | None = None

    def begin(self, book: TrueBook) -> None:
        """Somebody is listening from now on; not news if it began before."""
        if self._last is None:
            self._bids, self._asks, self._last = dict(book.bids), dict(book.asks), book.update_id

    def changes(self, book: TrueBook) -> tuple[int, list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the id told last, and price and quantity of all that changed since, by ascending price; 0: gone."""
        before = book.update_id - 1 if self._last is None else self._last
        bids, asks = _changed(self._bids, book.bids), _changed(self._asks, book.asks)
        self._bids, self._asks, self._last = dict(book.bids), dict(book.asks), book.update_id
        return before, bids, asks


def best(book: TrueBook, depth: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return price and quantity of the best `depth` bids and asks, best first."""
    return sorted(book.bids.items(), reverse=True)[:depth], sorted(book.asks.items())[:depth]


def text(amount: int, decimals: int) -> str:
    """Return units of 10^-decimals with all decimals; without a dot where there are none."""
    whole, part = divmod(amount, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _changed(before: Side, after: Side) -> list[tuple[int, int]]:
    prices = sorted(before.keys() | after.keys())
    return [(price, after.get(price, 0)) for price in prices if before.get(price, 0) != after.get(price, 0)]
