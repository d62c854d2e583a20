"""Kraken Spot WebSocket v2 as it writes (docs, "Book", "Book checksum (v2)", "Trade", "Ticker"; recordings of 2026)."""

from datetime import UTC, datetime, timedelta
from zlib import crc32

from .true_book import TrueBook

DEPTH_DEFAULT = 10  # levels a side (docs, "Book"); 25, 100, 500 and 1,000 can be asked for too
CHECKSUM_LEVELS = 10
TOLD_TWICE_EACH = 16  # chosen: every so many changed levels, one bears an older quantity before the one that counts
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Side = dict[int, int]


class KrakenWire:
    """A Wire. Prices and quantities are bare numbers at the instrument's full precision; there are no update ids.

    The venue tells the best `depth` levels a side. What falls out of them is not deleted: the reader truncates. What
    rises into them is told. One update may tell a level several times: the last one counts (5 of 1,424 recorded ones).
    """

    venue = "kraken-v2"

    def __init__(
        self, symbol: str = "BTC/USD", price_decimals: int = 1, quantity_decimals: int = 8, depth: int = 0
    ) -> None:
        self.symbol = symbol
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.depth = depth or DEPTH_DEFAULT
        self.bids: Side = {}
        self.asks: Side = {}
        self._last_us = 0
        self._changes = 0

    def accepted(self) -> tuple[bytes, ...]:
        status = (
            '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2",'
            '"connection_id":15413894943188002760}]}'
        )
        answer = (
            f'{{"method":"subscribe","result":{{"channel":"book","depth":{self.depth},"snapshot":true,'
            f'"symbol":"{self.symbol}"}},"success":true,"time_in":"2026-08-01T02:53:53.184174Z",'
            '"time_out":"2026-08-01T02:53:53.184216Z"}'
        )
        return status.encode(), answer.encode()

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        self._look(book)
        bids = [self._level(price, self.bids[price]) for price in sorted(self.bids, reverse=True)]
        asks = [self._level(price, self.asks[price]) for price in sorted(self.asks)]
        return self._book("snapshot", bids, asks, venue_ns)

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        """Without a visible change: an update of no levels, which the venue itself would spare."""
        before = self.bids, self.asks
        self._look(book)
        bids = self._changed(before[0], self.bids, book.bids)
        asks = self._changed(before[1], self.asks, book.asks)
        return self._book("update", bids, asks, venue_ns)

    def quote(self, book: TrueBook, venue_ns: int) -> bytes:
        bid, bid_quantity, ask, ask_quantity = book.top
        prices = f'"bid":{self._price(bid)},"bid_qty":{self._quantity(bid_quantity)},'
        prices += f'"ask":{self._price(ask)},"ask_qty":{self._quantity(ask_quantity)},"last":{self._price(bid)}'
        day = '"volume":2400.27654321,"vwap":63101.7,"low":62011.0,"high":64010.4,"change":-110.5,"change_pct":-0.17'
        data = f'{{"symbol":"{self.symbol}",{prices},{day},"timestamp":"{self._stamp(venue_ns)}"}}'
        return f'{{"channel":"ticker","type":"update","data":[{data}]}}'.encode()

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes:
        data = (
            f'{{"symbol":"{self.symbol}","side":"{"buy" if buyer_took else "sell"}","price":{self._price(price)},'
            f'"qty":{self._quantity(quantity)},"ord_type":"limit","trade_id":{trade_id},'
            f'"timestamp":"{self._stamp(venue_ns)}"}}'
        )
        return f'{{"channel":"trade","type":"update","data":[{data}]}}'.encode()

    def heartbeat(self, venue_ns: int) -> bytes:
        return b'{"channel":"heartbeat"}'

    def update_id(self, book: TrueBook) -> None:
        return None

    def checksum(self) -> int:
        """Of the book as last told: asks from the lowest, then bids from the highest, prices and quantities as texts
        without their dots and leading zeros, one behind the other."""
        asks = [(price, self.asks[price]) for price in sorted(self.asks)[:CHECKSUM_LEVELS]]
        bids = [(price, self.bids[price]) for price in sorted(self.bids, reverse=True)[:CHECKSUM_LEVELS]]
        texts = [text for price, quantity in asks + bids for text in (self._price(price), self._quantity(quantity))]
        return crc32("".join(text.replace(".", "").lstrip("0") for text in texts).encode())

    def _look(self, book: TrueBook) -> None:
        self.bids = {price: book.bids[price] for price in sorted(book.bids, reverse=True)[: self.depth]}
        self.asks = {price: book.asks[price] for price in sorted(book.asks)[: self.depth]}

    def _changed(self, before: Side, now: Side, true: Side) -> list[str]:
        """Deletes first, as the venue mostly writes; a level that only fell out of view is still in `true`."""
        told = [self._level(price, 0) for price in before if price not in true]
        for price, quantity in now.items():
            if before.get(price) == quantity:
                continue
            self._changes += 1
            if self._changes % TOLD_TWICE_EACH == 0:
                told.append(self._level(price, quantity + 1))
            told.append(self._level(price, quantity))
        return told

    def _book(self, kind: str, bids: list[str], asks: list[str], venue_ns: int) -> bytes:
        data = (
            f'{{"symbol":"{self.symbol}","bids":[{",".join(bids)}],"asks":[{",".join(asks)}],'
            f'"checksum":{self.checksum()},"timestamp":"{self._stamp(venue_ns)}"}}'
        )
        return f'{{"channel":"book","type":"{kind}","data":[{data}]}}'.encode()

    def _level(self, price: int, quantity: int) -> str:
        return f'{{"price":{self._price(price)},"qty":{self._quantity(quantity)}}}'

    def _price(self, price: int) -> str:
        return _text(price, self.price_decimals)

    def _quantity(self, quantity: int) -> str:
        return _text(quantity, self.quantity_decimals)

    def _stamp(self, venue_ns: int) -> str:
        """RFC 3339 in us. It never runs back, as in all recordings."""
        self._last_us = max(self._last_us, venue_ns // 1_000)
        return (_EPOCH + timedelta(microseconds=self._last_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(amount: int, decimals: int) -> str:
    whole, part = divmod(amount, 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)
