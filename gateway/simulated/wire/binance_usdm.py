"""Binance USD-M futures' writing (docs, "Websocket Market Streams" and "Order Book"; recordings of 2021 and 2024). Pure.

Numbers have the instrument's own decimals. Update ids are shared by all symbols, so those of one symbol jump: here a
symbol's n-th change has id n * ID_STEP, and what others did in between is passed over.
"""

from typing import Any

from .binance_spot import MS_NS, Rows, StreamedBook, best, compact, text
from .true_book import TrueBook

DEPTH_DEFAULT = 500  # of GET /fapi/v1/depth without a limit
ID_STEP = 7
FUNDING_NS = 8 * 3_600 * 1_000_000_000


class BinanceUsdmWire:
    """A Wire of one symbol's combined streams depth@100ms, bookTicker and aggTrade, and of GET /fapi/v1/depth.

    The stream begins with the first snapshot or diff that is asked for; a first diff tells every level as changed.
    """

    venue = "binance-usdm"

    def __init__(self, symbol: str, price_decimals: int = 2, quantity_decimals: int = 3, depth: int = 0) -> None:
        self.symbol = symbol
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.depth = depth or DEPTH_DEFAULT
        self._streamed = StreamedBook()
        self._told: int | None = None

    def accepted(self) -> tuple[bytes, ...]:
        """One SUBSCRIBE, answered; streams that are named in the URL are not acknowledged."""
        return (compact({"result": None, "id": 1}),)

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        """At the id of this book's last change, as in the recordings."""
        self._streamed.begin(book)
        self._told = last = book.update_id * ID_STEP
        bids, asks = best(book, self.depth)
        at = venue_ns // MS_NS
        return compact({"lastUpdateId": last, "E": at, "T": at, "bids": self._rows(bids), "asks": self._rows(asks)})

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        """Of a book that has not changed: an empty event at the last id, which the venue never sends."""
        before, bids, asks = self._streamed.changes(book)
        self._told = last = book.update_id * ID_STEP
        at = venue_ns // MS_NS
        event = {"e": "depthUpdate", "E": at, "T": at, "s": self.symbol, "U": min((before + 1) * ID_STEP, last)}
        event |= {"u": last, "pu": before * ID_STEP, "b": self._rows(bids), "a": self._rows(asks)}
        return self._enveloped("depth@100ms", event)

    def quote(self, book: TrueBook, venue_ns: int) -> bytes:
        bid, bid_quantity, ask, ask_quantity = book.top
        [(bid_text, bid_quantity_text), (ask_text, ask_quantity_text)] = self._rows(
            [(bid, bid_quantity), (ask, ask_quantity)]
        )
        at = venue_ns // MS_NS
        event = {"e": "bookTicker", "u": book.update_id * ID_STEP, "s": self.symbol, "b": bid_text}
        event |= {"B": bid_quantity_text, "a": ask_text, "A": ask_quantity_text, "T": at, "E": at}
        return self._enveloped("bookTicker", event)

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes:
        """An aggregate of one trade. m: the buyer was the maker."""
        [(price_text, quantity_text)] = self._rows([(price, quantity)])
        at = venue_ns // MS_NS
        event: dict[str, Any] = {"e": "aggTrade", "E": at, "a": trade_id, "s": self.symbol, "p": price_text}
        event |= {"q": quantity_text, "f": trade_id, "l": trade_id, "T": at, "m": not buyer_took}
        return self._enveloped("aggTrade", event)

    def mark(self, price: int, index: int, rate: str, venue_ns: int) -> bytes:
        """markPrice@1s; the venue writes these prices with eight decimals. rate: as text, signed."""
        wide = 8 - self.price_decimals
        mark_text, index_text = text(price * 10**wide, 8), text(index * 10**wide, 8)
        next_ms = (venue_ns // FUNDING_NS + 1) * FUNDING_NS // MS_NS
        event = {"e": "markPriceUpdate", "E": venue_ns // MS_NS, "s": self.symbol, "p": mark_text, "i": index_text}
        return self._enveloped("markPrice@1s", event | {"P": mark_text, "r": rate, "T": next_ms})

    def heartbeat(self, venue_ns: int) -> None:
        """None: the venue pings by WebSocket control frames alone."""

    def update_id(self, book: TrueBook) -> int:
        return book.update_id * ID_STEP if self._told is None else self._told

    def _rows(self, levels: list[tuple[int, int]]) -> Rows:
        return [
            (text(price, self.price_decimals), text(quantity, self.quantity_decimals)) for price, quantity in levels
        ]

    def _enveloped(self, stream: str, event: dict[str, Any]) -> bytes:
        return compact({"stream": f"{self.symbol.lower()}@{stream}", "data": event})
