"""OKX v5 public WebSocket as it writes (docs, "Order book channel", "Trades channel"; recordings of 2022 and 2026)."""

from zlib import crc32

from .true_book import TrueBook

DEPTH_DEFAULT = 400  # levels a side of `books` (docs, "Order book channel")
CHECKSUM_LEVELS = 25
FIRST_ID = 80_274_874_800
MS_NS = 1_000_000

Side = dict[int, int]


class OkxWire:
    """A Wire. Texts are the shortest decimals. What falls out of the view is deleted, what rises into it is told.

    ids: seqId and prevSeqId, which jump. checksum: a signed CRC32, else 0. The venue wrote checksum without ids in 2022,
    later both, and since 2026-06-23 ids with 0 (help center, "Order Book Channels Checksum Field Deprecation").
    """

    venue = "okx"

    def __init__(
        self,
        symbol: str = "BTC-USDT",
        price_decimals: int = 1,
        quantity_decimals: int = 8,
        depth: int = 0,
        ids: bool = True,
        checksum: bool = False,
    ) -> None:
        self.symbol = symbol
        self.price_decimals, self.quantity_decimals = price_decimals, quantity_decimals
        self.depth = depth or DEPTH_DEFAULT
        self.ids, self.has_checksum = ids, checksum
        self.bids: Side = {}
        self.asks: Side = {}
        self.sequence = FIRST_ID

    def accepted(self) -> tuple[bytes, ...]:
        return (f'{{"event":"subscribe","arg":{self._arg("books")},"connId":"32f4414f"}}'.encode(),)

    def snapshot(self, book: TrueBook, venue_ns: int) -> bytes:
        """At the id of what was told last, if nothing has changed since: the same on every connection."""
        told = self.bids, self.asks
        self._look(book)
        if (self.bids, self.asks) != told:
            self.sequence += _jump(book)
        bids = [self._level(price, self.bids[price]) for price in sorted(self.bids, reverse=True)]
        asks = [self._level(price, self.asks[price]) for price in sorted(self.asks)]
        return self._books("snapshot", bids, asks, venue_ns, -1)

    def diff(self, book: TrueBook, venue_ns: int) -> bytes:
        """Without a visible change it is the keep-alive: no levels, seqId equal to prevSeqId."""
        bids_before, asks_before, previous = self.bids, self.asks, self.sequence
        self._look(book)
        bids = self._changed(bids_before, self.bids, descending=True)
        asks = self._changed(asks_before, self.asks, descending=False)
        if bids or asks:
            self.sequence += _jump(book)
        return self._books("update", bids, asks, venue_ns, previous)

    def renumbered(self, venue_ns: int, first: int = 3) -> bytes:
        """The update after maintenance: its seqId is lower than its prevSeqId, and the stream goes on from there."""
        previous, self.sequence = self.sequence, first
        return self._books("update", [], [], venue_ns, previous)

    def quote(self, book: TrueBook, venue_ns: int) -> bytes:
        bid, bid_quantity, ask, ask_quantity = book.top
        data = (
            f'{{"asks":[{self._level(ask, ask_quantity)}],"bids":[{self._level(bid, bid_quantity)}],'
            f'"ts":"{venue_ns // MS_NS}","seqId":{self.sequence}}}'
        )
        return f'{{"arg":{self._arg("bbo-tbt")},"data":[{data}]}}'.encode()

    def trade(self, trade_id: int, price: int, quantity: int, buyer_took: bool, venue_ns: int) -> bytes:
        data = (
            f'{{"instId":"{self.symbol}","tradeId":"{trade_id}","px":"{_text(price, self.price_decimals)}",'
            f'"sz":"{_text(quantity, self.quantity_decimals)}","side":"{"buy" if buyer_took else "sell"}",'
            f'"ts":"{venue_ns // MS_NS}","count":"1"}}'
        )
        return f'{{"arg":{self._arg("trades")},"data":[{data}]}}'.encode()

    def heartbeat(self, venue_ns: int) -> bytes:
        """The keep-alive of a book that does not change; without ids the answer to `ping`."""
        return self._books("update", [], [], venue_ns, self.sequence) if self.ids else b"pong"

    def update_id(self, book: TrueBook) -> int | None:
        return self.sequence if self.ids else None

    def checksum(self) -> int:
        """Of the book as last told: the best bid and ask, then the second ones, all parted by colons; signed."""
        bids, asks = sorted(self.bids, reverse=True), sorted(self.asks)
        texts: list[str] = []
        for rank in range(CHECKSUM_LEVELS):
            for side, prices in ((self.bids, bids), (self.asks, asks)):
                if rank < len(prices):
                    price = prices[rank]
                    texts += _text(price, self.price_decimals), _text(side[price], self.quantity_decimals)
        unsigned = crc32(":".join(texts).encode())
        return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned

    def _look(self, book: TrueBook) -> None:
        self.bids = {price: book.bids[price] for price in sorted(book.bids, reverse=True)[: self.depth]}
        self.asks = {price: book.asks[price] for price in sorted(book.asks)[: self.depth]}

    def _changed(self, before: Side, now: Side, descending: bool) -> list[str]:
        prices = [price for price in before.keys() | now.keys() if before.get(price) != now.get(price)]
        return [self._level(price, now.get(price, 0)) for price in sorted(prices, reverse=descending)]

    def _books(self, action: str, bids: list[str], asks: list[str], venue_ns: int, previous: int) -> bytes:
        data = f'"asks":[{",".join(asks)}],"bids":[{",".join(bids)}],"ts":"{venue_ns // MS_NS}"'
        data += f',"checksum":{self.checksum() if self.has_checksum else 0}'
        if self.ids:
            data += f',"seqId":{self.sequence},"prevSeqId":{previous}'
        return f'{{"arg":{self._arg("books")},"action":"{action}","data":[{{{data}}}]}}'.encode()

    def _arg(self, channel: str) -> str:
        return f'{{"channel":"{channel}","instId":"{self.symbol}"}}'

    def _level(self, price: int, quantity: int) -> str:
        """Price, quantity, a number that is always 0, and how many orders there are (some, for all we know)."""
        orders = quantity % 9 + 1 if quantity else 0
        return f'["{_text(price, self.price_decimals)}","{_text(quantity, self.quantity_decimals)}","0","{orders}"]'


def _jump(book: TrueBook) -> int:
    """How far seqId moves: 7 to 93 in what was recorded, and never the number of changes."""
    return 7 + book.update_id * 31 % 87


def _text(amount: int, decimals: int) -> str:
    whole, part = divmod(amount, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0") if part else str(whole)
