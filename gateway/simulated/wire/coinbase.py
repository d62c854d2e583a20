"""What Coinbase Advanced would send of a true book. Pure; from the venue's documents and one recording, never from the codec.

Sources: docs "WebSocket Channels" (Advanced Trade), read 2026-11; a recording of level2, 2026-08 (field order, blanks,
trimmed zeros, where the acknowledgement comes, updates with no level in them).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from .true_book import TrueBook

SECOND_NS = 1_000_000_000
US_NS = 1_000
CHANNELS = ("level2", "market_trades", "ticker", "heartbeats")
UNKNOWN_DELETE_CHANCE = 0.05  # chosen: often enough to be met; the venue does it routinely


class CoinbaseWire:
    """A Wire for the whole book. Every frame of the connection bears the next sequence number, whatever its channel.

    numbers: shared by the wires of several products on one connection; each has its own otherwise, from 0.
    """

    venue = "coinbase"

    def __init__(
        self,
        symbol: str,
        price_decimals: int,
        quantity_decimals: int,
        depth: int = 0,
        numbers: Iterator[int] | None = None,
    ) -> None:
        """depth: ignored, the venue always sends the whole book."""
        self.symbol = symbol
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.numbers = numbers or count()
        self.told: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.last = -1
        self.beats = 0

    def accepted(self) -> tuple[bytes, ...]:
        """An acknowledgement a channel, each with all subscriptions so far. (The venue's may follow the first data.)"""
        now: dict[str, list[str]] = {}
        frames = []
        for channel in CHANNELS:
            now[channel] = ["heartbeats"] if channel == "heartbeats" else [self.symbol]
            frames.append(self._frame("subscriptions", [{"subscriptions": dict(now)}], SECOND_NS)[1])
        return tuple(frames)

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        """Bids, best first, then offers, best first, in one list."""
        self.told = bids, asks = dict(book.bids), dict(book.asks)
        changes = [("bid", *level) for level in sorted(bids.items(), reverse=True)]
        changes += [("offer", *level) for level in sorted(asks.items())]
        return self._book("snapshot", changes, venue_ns)

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        changes = []
        now = dict(book.bids), dict(book.asks)
        for side, old, new in zip(("bid", "offer"), self.told, now, strict=True):
            changes += [(side, price, new.get(price, 0)) for price in _changed(old, new)]
        if book.random.random() < UNKNOWN_DELETE_CHANCE:
            changes.append(("bid", min(book.bids) - 1, 0))
        self.told = now
        return self._book("update", changes, venue_ns)

    def quote(self, book: TrueBook, venue_ns: int) -> bytes | None:
        """ticker: sent when something traded."""
        bid, bid_quantity, ask, ask_quantity = book.top
        ticker = {
            "type": "ticker",
            "product_id": self.symbol,
            "price": self._price(bid),
            "volume_24_h": "16038.28770938",
            "low_24_h": "21835.29",
            "high_24_h": "23011.18",
            "low_52_w": "15460",
            "high_52_w": "48240",
            "price_percent_chg_24_h": "-4.15775596190603",
            "best_bid": self._price(bid),
            "best_ask": self._price(ask),
            "best_bid_quantity": self._quantity(bid_quantity),
            "best_ask_quantity": self._quantity(ask_quantity),
        }
        return self._frame("ticker", [{"type": "update", "tickers": [ticker]}], venue_ns)[1]

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes:
        """`side` is the maker's (docs, "Market Trades Channel")."""
        trade = {
            "product_id": self.symbol,
            "trade_id": str(trade_id),
            "price": self._price(price),
            "size": self._quantity(quantity),
            "time": _stamp(venue_ns, 6),
            "side": "SELL" if buyer_took else "BUY",
        }
        return self._frame("market_trades", [{"type": "update", "trades": [trade]}], venue_ns)[1]

    def heartbeat(self, venue_ns: int) -> bytes | None:
        self.beats += 1
        at = datetime.fromtimestamp(venue_ns // SECOND_NS, UTC)
        event = {
            "current_time": f"{at:%Y-%m-%d %H:%M:%S}.{venue_ns % SECOND_NS:09d} +0000 UTC m=+91717.525857105",
            "heartbeat_counter": self.beats,
        }
        return self._frame("heartbeats", [event], venue_ns)[1]

    def update_id(self, book: TrueBook) -> int | None:
        return self.last

    def _book(self, kind: str, changes: list[tuple[str, int, int]], venue_ns: int) -> bytes:
        at = _stamp(venue_ns, 6)
        updates = [
            {
                "side": side,
                "event_time": at,
                "price_level": self._price(price),
                "new_quantity": self._quantity(quantity),
            }
            for side, price, quantity in changes
        ]
        event = {"type": kind, "product_id": self.symbol, "updates": updates}
        self.last, frame = self._frame("l2_data", [event], venue_ns)
        return frame

    def _frame(self, channel: str, events: list[dict[str, Any]], venue_ns: int) -> tuple[int, bytes]:
        number = next(self.numbers)
        frame = {"channel": channel, "timestamp": _stamp(venue_ns, 9), "sequence_num": number, "events": events}
        return number, json.dumps(frame, separators=(",", ":")).encode()

    def _price(self, amount: int) -> str:
        return _text(amount, self.price_decimals)

    def _quantity(self, amount: int) -> str:
        return _text(amount, self.quantity_decimals)


def _changed(old: dict[int, int], new: dict[int, int]) -> list[int]:
    return sorted(price for price in old.keys() | new.keys() if old.get(price) != new.get(price))


def _text(amount: int, decimals: int) -> str:
    """The recording's prices and quantities bear no trailing zeros."""
    whole, part = divmod(amount, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0") if part else str(whole)


def _stamp(venue_ns: int, decimals: int) -> str:
    """RFC 3339; the recording's stamps bear no trailing zeros either, and no dot before none."""
    at = datetime.fromtimestamp(venue_ns // SECOND_NS, UTC)
    part = f"{venue_ns % SECOND_NS:09d}"[:decimals].rstrip("0")
    return f"{at:%Y-%m-%dT%H:%M:%S}" + (f".{part}" if part else "") + "Z"
