"""What others do with the same frames of Binance Spot: SortedDict, ccxt, nautilus_trader. Each where it installs.

All decode with msgspec but where the peer brings its own decoder. Prices and quantities are as exact as the peer's types.
hftbacktest is not here: its live books are filled by its own Rust connectors, not from Python, so it has no such path.
"""

import asyncio
import importlib.util
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import version
from time import perf_counter_ns
from typing import Any, NamedTuple

import msgspec
from sortedcontainers import SortedDict

from ops.bench.book_frames import DepthStream, Top
from ops.bench.book_sides import Side, stepwise


class Peer(NamedTuple):
    """make: its side over a stream of Binance Spot. needs: the module that must install; "": ours has it."""

    make: Callable[[DepthStream], Side]
    needs: str
    what: str


class _Diff(msgspec.Struct, gc=False):
    u: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Frame(msgspec.Struct, gc=False):
    data: _Diff


class _FloatDiff(msgspec.Struct, gc=False):
    u: int
    b: list[tuple[float, float]]
    a: list[tuple[float, float]]


class _FloatFrame(msgspec.Struct, gc=False):
    data: _FloatDiff


class _Body(msgspec.Struct):
    lastUpdateId: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


def sorteddict(stream: DepthStream, number: type[float] | type[Decimal]) -> Side:
    """What one writes: typed decoding, `number(text)`, a SortedDict a side."""
    decode = msgspec.json.Decoder(_Frame).decode
    body = msgspec.json.decode(stream.snapshot, type=_Body)
    bids, asks = (SortedDict({number(p): number(q) for p, q in side}) for side in (body.bids, body.asks))

    def step(payload: bytes) -> tuple[Any, Any]:
        diff = decode(payload).data
        for levels, changes in ((bids, diff.b), (asks, diff.a)):
            for price_text, quantity_text in changes:
                price, quantity = number(price_text), number(quantity_text)
                if quantity:
                    levels[price] = quantity
                else:
                    levels.pop(price, None)
        return bids.peekitem(-1)[0], asks.peekitem(0)[0]

    return Side(stepwise(step), in_decimals(stream))


def ccxt_book(stream: DepthStream) -> Side:
    """ccxt's book alone, floats, fed by the fastest decoder there is for it."""
    from ccxt.async_support.base.ws.order_book import OrderBook

    decode = msgspec.json.Decoder(_FloatFrame, strict=False).decode
    body = msgspec.json.decode(stream.snapshot, type=_Body)
    book = OrderBook(
        {side: [[float(p), float(q)] for p, q in rows] for side, rows in (("bids", body.bids), ("asks", body.asks))}
    )
    bids, asks = book["bids"], book["asks"]

    def step(payload: bytes) -> tuple[float, float]:
        diff = decode(payload).data
        for side, changes in ((bids, diff.b), (asks, diff.a)):
            store = side.storeArray
            for price, quantity in changes:
                store([price, quantity])
        return bids[0][0], asks[0][0]

    return Side(stepwise(step), in_decimals(stream))


def ccxt_handler(stream: DepthStream) -> Side:
    """ccxt.pro without its event loop: its client takes the text, its exchange the message, its synchronizer at work."""
    with_loop = CcxtPro(stream)
    client, book = with_loop.client, with_loop.book

    def step(payload: bytes) -> tuple[float, float]:
        client.handle_text_or_binary_message(payload.decode())
        limited = book.limit()
        return limited["bids"][0][0], limited["asks"][0][0]

    return Side(stepwise(step), in_decimals(stream), with_loop.close)


def ccxt_pro(stream: DepthStream) -> Side:
    """The same as its users get it: a loop around `await exchange.watch_order_book(symbol)`."""
    with_loop = CcxtPro(stream)

    def block(frames: list[bytes], times: list[int]) -> list[Any]:
        return with_loop.loop.run_until_complete(with_loop.watch(frames, times))

    return Side(block, in_decimals(stream), with_loop.close)


class CcxtPro:
    """ccxt.pro's exchange with a client that counts as connected and sends nowhere."""

    SYMBOL = "ETH/USDT"

    def __init__(self, stream: DepthStream) -> None:
        self.levels = stream.levels
        self.loop = asyncio.new_event_loop()
        self.client: Any = None
        self.loop.run_until_complete(self._open(stream))

    async def _open(self, stream: DepthStream) -> None:
        import ccxt.pro

        exchange = self.exchange = ccxt.pro.binance()
        market = {"id": stream.symbol, "lowercaseId": stream.symbol.lower(), "symbol": self.SYMBOL}
        assets = {"base": "ETH", "quote": "USDT", "baseId": "ETH", "quoteId": "USDT"}
        kind = {"type": "spot", "spot": True, "active": True, "precision": {}, "limits": {}, "info": {}}
        off = dict.fromkeys(("swap", "future", "option", "contract", "margin"), False)
        exchange.set_markets([{**market, **assets, **kind, **off}])
        make_client = exchange.client

        def client(url: str) -> Any:
            made = make_client(url)
            if self.client is None:
                made.connected.resolve(url)
                made.send = self._send
                self.client = made
            return made

        exchange.client = client
        first = asyncio.ensure_future(exchange.watch_order_book(self.SYMBOL, self.levels))
        await asyncio.sleep(0)
        self.book = exchange.orderbooks[self.SYMBOL] = exchange.order_book({}, self.levels)
        body = msgspec.json.decode(stream.snapshot, type=_Body)
        sides = {"bids": body.bids, "asks": body.asks}
        numbers = {side: [[float(p), float(q)] for p, q in levels] for side, levels in sides.items()}
        self.book.reset({**numbers, "nonce": body.lastUpdateId, "symbol": self.SYMBOL})
        self.client.resolve(self.book, f"orderbook::{self.SYMBOL}")
        await first

    async def watch(self, frames: list[bytes], times: list[int]) -> list[Any]:
        watch, handle, answers = self.exchange.watch_order_book, self.client.handle_text_or_binary_message, []
        for frame in frames:
            start = perf_counter_ns()
            waiting = asyncio.ensure_future(watch(self.SYMBOL, self.levels))
            await asyncio.sleep(0)  # the user waits
            handle(frame.decode())
            book = await waiting
            answers.append((book["bids"][0][0], book["asks"][0][0]))
            times.append(perf_counter_ns() - start)
        return answers

    async def _send(self, message: object) -> None:
        """Subscriptions: nobody listens."""

    def close(self) -> None:
        self.loop.run_until_complete(self.exchange.close())
        self.loop.close()


def nautilus(stream: DepthStream) -> Side:
    """Its Python objects made of the venue's texts, as its documents do: one OrderBookDelta a level, `apply_delta`."""
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, OrderSide
    from nautilus_trader.model.objects import Price, Quantity

    book, instrument_id = _nautilus_book(stream)
    decode, price_of, quantity_of = msgspec.json.Decoder(_Frame).decode, Price.from_str, Quantity.from_str
    apply, best_bid, best_ask = book.apply_delta, book.best_bid_price, book.best_ask_price
    buy, sell, change, delete = OrderSide.BUY, OrderSide.SELL, BookAction.UPDATE, BookAction.DELETE

    def step(payload: bytes) -> tuple[Any, Any]:
        diff = decode(payload).data
        sequence = diff.u
        for side, changes in ((buy, diff.b), (sell, diff.a)):
            for price, size in changes:
                quantity = quantity_of(size)
                order = BookOrder(side, price_of(price), quantity, 0)
                apply(OrderBookDelta(instrument_id, change if quantity.raw else delete, order, 0, sequence, 1, 1))
        return best_bid(), best_ask()

    return Side(stepwise(step), in_decimals(stream))


def nautilus_float(stream: DepthStream) -> Side:
    """The same made of doubles, which its types round to the two decimals that this stream's texts happen to have."""
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, OrderSide
    from nautilus_trader.model.objects import Price, Quantity

    book, instrument_id = _nautilus_book(stream)
    decode = msgspec.json.Decoder(_FloatFrame, strict=False).decode
    apply, best_bid, best_ask = book.apply_delta, book.best_bid_price, book.best_ask_price
    buy, sell, change, delete = OrderSide.BUY, OrderSide.SELL, BookAction.UPDATE, BookAction.DELETE

    def step(payload: bytes) -> tuple[Any, Any]:
        diff = decode(payload).data
        sequence = diff.u
        for side, changes in ((buy, diff.b), (sell, diff.a)):
            for price, size in changes:
                order = BookOrder(side, Price(price, 2), Quantity(size, 2), 0)
                apply(OrderBookDelta(instrument_id, change if size else delete, order, 0, sequence, 1, 1))
        return best_bid(), best_ask()

    return Side(stepwise(step), in_decimals(stream))


def nautilus_adapter(stream: DepthStream) -> Side:
    """Its own Binance adapter: its schema, its parser, `apply_deltas`."""
    from nautilus_trader.adapters.binance.common.schemas.market import BinanceOrderBookMsg

    book, instrument_id = _nautilus_book(stream)
    decode = msgspec.json.Decoder(BinanceOrderBookMsg).decode

    def step(payload: bytes) -> tuple[Any, Any]:
        book.apply_deltas(decode(payload).data.parse_to_order_book_deltas(instrument_id, 1))
        return book.best_bid_price(), book.best_ask_price()

    return Side(stepwise(step), in_decimals(stream))


def _nautilus_book(stream: DepthStream) -> tuple[Any, Any]:
    from nautilus_trader.model.book import OrderBook
    from nautilus_trader.model.data import BookOrder, OrderBookDelta
    from nautilus_trader.model.enums import BookAction, BookType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId
    from nautilus_trader.model.objects import Price, Quantity

    instrument_id = InstrumentId.from_str(f"{stream.symbol}.BINANCE")
    book = OrderBook(instrument_id, BookType.L2_MBP)
    body = msgspec.json.decode(stream.snapshot, type=_Body)
    for side, levels in ((OrderSide.BUY, body.bids), (OrderSide.SELL, body.asks)):
        for price, quantity in levels:
            order = BookOrder(side, Price.from_str(price), Quantity.from_str(quantity), 0)
            book.apply_delta(OrderBookDelta(instrument_id, BookAction.ADD, order, 0, body.lastUpdateId, 1, 1))
    return book, instrument_id


def in_decimals(stream: DepthStream) -> Callable[[tuple[Any, Any]], Top]:
    unit = 10**stream.decimals
    return lambda top: (round(float(top[0]) * unit), round(float(top[1]) * unit))


PEERS: dict[str, Peer] = {
    "sorteddict_decimal_us": Peer(
        lambda stream: sorteddict(stream, Decimal), "", "exact: msgspec to text, Decimal(text), a SortedDict a side"
    ),
    "sorteddict_float_us": Peer(
        lambda stream: sorteddict(stream, float), "", "not exact: msgspec to text, float(text), a SortedDict a side"
    ),
    "ccxt_book_us": Peer(ccxt_book, "ccxt", "not exact: msgspec to floats, ccxt's OrderBook"),
    "ccxt_handler_us": Peer(
        ccxt_handler, "ccxt", "not exact: ccxt.pro's client and binance.handle_order_book, without an event loop"
    ),
    "ccxt_pro_us": Peer(
        ccxt_pro, "ccxt", "not exact: ccxt.pro as its users get it, a loop around `await watch_order_book`"
    ),
    "nautilus_us": Peer(
        nautilus,
        "nautilus_trader",
        "exact: msgspec to text, Price and Quantity of text, one OrderBookDelta a level, apply_delta",
    ),
    "nautilus_float_us": Peer(
        nautilus_float, "nautilus_trader", "not exact: msgspec to floats, Price and Quantity of floats, else as above"
    ),
    "nautilus_adapter_us": Peer(
        nautilus_adapter, "nautilus_trader", "exact: its Binance adapter's schema and parser, apply_deltas"
    ),
}
"""What each does; whether its numbers are those of the venue's text."""


def installed() -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that can run here, and of every module that is asked for its version, or that it is not installed."""
    there: dict[str, Peer] = {}
    found: dict[str, str] = {}
    for name, peer in PEERS.items():
        if peer.needs and importlib.util.find_spec(peer.needs) is None:
            found[peer.needs] = "not installed: skipped"
            continue
        if peer.needs:
            found[peer.needs] = version(peer.needs)
        there[name] = peer
    return there, found
