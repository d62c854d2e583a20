"""What Bybit v5 would send of a true book. Pure; from the venue's documents and one recording, never from the codec.

Sources: docs "Orderbook", "Trade" and "Connect" (public WebSocket, v5), read 2026-11; a recording of orderbook.50 on spot,
2026-08 (field order, blanks, trimmed zeros, the acknowledgement).
"""

import json
from typing import Any

from .true_book import TrueBook

DEPTH = 200
CONNECTION_ID = "d9avrao7pl3bpiuoku0g-7tmms"
MS_NS = 1_000_000
SEQ_START = 113_099_229_623  # the cross sequence of the recording's first frame: it counts for all symbols of the venue
SEQ_STEP_MAX = 40


class BybitWire:
    """A Wire for `orderbook.{depth}`: exactly `depth` levels a side; what falls out of view is deleted, `u` counts messages.

    linear: trade ids as they are there, UUIDs; on spot they are numbers.
    """

    venue = "bybit"

    def __init__(
        self,
        symbol: str,
        price_decimals: int,
        quantity_decimals: int,
        depth: int = 0,
        linear: bool = False,
    ) -> None:
        self.symbol = symbol
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.depth = depth or DEPTH
        self.linear = linear
        self.told: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.u = 0
        self.quote_u = 0
        self.seq = SEQ_START

    def accepted(self) -> tuple[bytes, ...]:
        return (_json({"success": True, "ret_msg": "subscribe", "conn_id": CONNECTION_ID, "op": "subscribe"}),)

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        self.told = self._view(book)
        bids, asks = self.told
        self.u = self.u + 1 if self.u else book.update_id
        return self._book("snapshot", sorted(bids.items(), reverse=True), sorted(asks.items()), book, venue_ns)

    def restart(self, book: TrueBook, venue_ns: int) -> bytes:
        """The snapshot after a restart of the service: `u` is 1, and counts on from there."""
        self.u = 0
        self.told = bids, asks = self._view(book)
        self.u = 1
        return self._book("snapshot", sorted(bids.items(), reverse=True), sorted(asks.items()), book, venue_ns)

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        now = self._view(book)
        bids, asks = (_changes(old, new) for old, new in zip(self.told, now, strict=True))
        self.told = now
        self.u += 1
        return self._book("delta", sorted(bids.items(), reverse=True), sorted(asks.items()), book, venue_ns)

    def quote(self, book: TrueBook, venue_ns: int) -> bytes | None:
        """orderbook.1: snapshots only, numbered apart from the book."""
        bid, bid_quantity, ask, ask_quantity = book.top
        self.quote_u += 1
        return self._frame(1, "snapshot", [(bid, bid_quantity)], [(ask, ask_quantity)], self.quote_u, book, venue_ns)

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes:
        at = venue_ns // MS_NS
        trade = {
            "i": f"00000000-0000-5000-8000-{trade_id:012x}"
            if self.linear
            else str(2_290_000_000_000_000_000 + trade_id),
            "T": at,
            "p": _text(price, self.price_decimals),
            "v": _text(quantity, self.quantity_decimals),
            "S": "Buy" if buyer_took else "Sell",
            "seq": self.seq,
            "s": self.symbol,
            "BT": False,
            "RPI": False,
        }
        return _json({"topic": f"publicTrade.{self.symbol}", "ts": at + 2, "type": "snapshot", "data": [trade]})

    def heartbeat(self, venue_ns: int) -> bytes | None:
        """The answer to our ping."""
        return _json({"success": True, "ret_msg": "pong", "conn_id": CONNECTION_ID, "req_id": "", "op": "ping"})

    def update_id(self, book: TrueBook) -> int | None:
        return self.u

    def _view(self, book: TrueBook) -> tuple[dict[int, int], dict[int, int]]:
        bids = sorted(book.bids, reverse=True)[: self.depth]
        asks = sorted(book.asks)[: self.depth]
        return {price: book.bids[price] for price in bids}, {price: book.asks[price] for price in asks}

    def _book(
        self, kind: str, bids: list[tuple[int, int]], asks: list[tuple[int, int]], book: TrueBook, venue_ns: int
    ) -> bytes:
        return self._frame(self.depth, kind, bids, asks, self.u, book, venue_ns)

    def _frame(
        self,
        depth: int,
        kind: str,
        bids: list[tuple[int, int]],
        asks: list[tuple[int, int]],
        u: int,
        book: TrueBook,
        venue_ns: int,
    ) -> bytes:
        """ts: when it was sent, a little after cts, when the matching engine made it so."""
        at = venue_ns // MS_NS
        self.seq += book.random.randrange(1, SEQ_STEP_MAX)
        data = {"s": self.symbol, "b": self._levels(bids), "a": self._levels(asks), "u": u, "seq": self.seq}
        return _json(
            {"topic": f"orderbook.{depth}.{self.symbol}", "ts": at + 2, "type": kind, "data": data, "cts": at},
        )

    def _levels(self, levels: list[tuple[int, int]]) -> list[list[str]]:
        return [
            [_text(price, self.price_decimals), _text(quantity, self.quantity_decimals)] for price, quantity in levels
        ]


def _changes(old: dict[int, int], new: dict[int, int]) -> dict[int, int]:
    """What makes `new` of `old`; 0 deletes."""
    changed = {price: quantity for price, quantity in new.items() if old.get(price) != quantity}
    return changed | dict.fromkeys(old.keys() - new.keys(), 0)


def _text(amount: int, decimals: int) -> str:
    """The recording's prices and quantities bear no trailing zeros."""
    whole, part = divmod(amount, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0") if part else str(whole)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
