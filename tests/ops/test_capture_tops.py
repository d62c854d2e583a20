"""Rows of --tops on recordings of every other venue, against its documented procedure in plain dictionaries of Decimals."""

import csv
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ops.capture import verify
from tests.ops.recordings import lines_of, recording

Level = tuple[Decimal, Decimal]


class Word(NamedTuple):
    """What a frame says of one book. before: the id that it continues, where the venue tells it."""

    symbol: str
    whole: bool
    update_id: str
    before: int | None
    bids: list[Level]
    asks: list[Level]
    depth: int = 0


def levels(rows: list[list[Any]]) -> list[Level]:
    return [(Decimal(row[0]), Decimal(row[1])) for row in rows]


def usdm(text: str, _state: dict[str, int]) -> Iterator[Word]:
    event = json.loads(text).get("data", {})
    if event.get("e") == "depthUpdate":
        yield Word(event["s"], False, str(event["u"]), event["pu"], levels(event["b"]), levels(event["a"]))


def kraken(text: str, state: dict[str, int]) -> Iterator[Word]:
    frame = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    if frame.get("method") == "subscribe":
        state[frame["result"]["symbol"]] = int(frame["result"]["depth"])
    if frame.get("channel") == "book":
        for book in frame["data"]:
            bids, asks = ([(row["price"], row["qty"]) for row in book[side]] for side in ("bids", "asks"))
            yield Word(book["symbol"], frame["type"] == "snapshot", "", None, bids, asks, state[book["symbol"]])


def okx(text: str, _state: dict[str, int]) -> Iterator[Word]:
    frame = json.loads(text)
    if frame.get("arg", {}).get("channel") == "books" and "data" in frame:
        for book in frame["data"]:
            update_id, before = str(book.get("seqId", "")), book.get("prevSeqId")
            whole = frame["action"] == "snapshot"
            yield Word(frame["arg"]["instId"], whole, update_id, before, levels(book["bids"]), levels(book["asks"]))


def bybit(text: str, _state: dict[str, int]) -> Iterator[Word]:
    frame = json.loads(text)
    if frame.get("topic", "").startswith("orderbook"):
        book, whole = frame["data"], frame["type"] == "snapshot"
        yield Word(book["s"], whole, str(book["u"]), book["u"] - 1, levels(book["b"]), levels(book["a"]))


def coinbase(text: str, _state: dict[str, int]) -> Iterator[Word]:
    frame = json.loads(text)
    if frame["channel"] == "l2_data":
        for event in frame["events"]:
            sides: dict[str, list[Level]] = {"bid": [], "offer": []}
            for row in event["updates"]:
                sides[row["side"]].append((Decimal(row["price_level"]), Decimal(row["new_quantity"])))
            update_id = str(frame["sequence_num"])
            yield Word(event["product_id"], event["type"] == "snapshot", update_id, None, sides["bid"], sides["offer"])


class PlainBook:
    """Of USD-M, diffs wait for the REST body; elsewhere the book begins with a whole one on the stream."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}
        self.waiting: list[tuple[int, Word]] = []
        self.rest_id: int | None = None
        self.last: str | None = None

    def apply(self, word: Word) -> tuple[Decimal, ...]:
        if word.whole:
            self.bids, self.asks = {}, {}
        for side, told, descending in ((self.bids, word.bids, True), (self.asks, word.asks, False)):
            for price, quantity in told:
                side.pop(price, None)
                if quantity:
                    side[price] = quantity
            for price in sorted(side, reverse=descending)[word.depth :] if word.depth else ():
                del side[price]
        self.last = word.update_id
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]

    def from_rest(self, at: int, word: Word) -> tuple[Decimal, ...] | None:
        """None: it is old, or the body has not come."""
        if self.rest_id is None:
            self.waiting.append((at, word))
            return None
        if self.last is None and int(word.update_id) < self.rest_id:
            return None
        assert self.last is None or word.before == int(self.last)
        return self.apply(word)


READERS = {"binance-usdm": usdm, "kraken-v2": kraken, "okx": okx, "bybit": bybit, "coinbase": coinbase}
NAMES = (
    "binance-usdm-ethusdt-20240808", "binance-usdm-many-30s", "bybit-btc-2026", "coinbase-btc-2026",
    "kraken-v2-btc-2026", "kraken-v2-btcusd-d10", "kraken-v2-ethusd-d25", "okx-btc-2026", "okx-many-30s",
)  # fmt: skip


def plain_rows(path: Path) -> list[tuple[Any, ...]]:
    header, lines = lines_of(path)
    read = READERS[header["venue"]]
    books: dict[str, PlainBook] = {}
    state: dict[str, int] = {}
    rows: list[tuple[Any, ...]] = []
    for at, kind, address, text in lines:
        if kind == "rest" and (found := re.search(r"/depth\?symbol=(\w+)", address)):
            book, body = books.setdefault(found[1], PlainBook()), json.loads(text)
            book.apply(Word(found[1], True, "", None, levels(body["bids"]), levels(body["asks"])))
            book.rest_id, book.last = body["lastUpdateId"], None
            for waited, word in book.waiting:
                if (top := book.from_rest(waited, word)) is not None:
                    rows.append((waited, word.symbol, word.update_id, *top))
        for word in read(text, state) if kind == "recv" else ():
            book = books.setdefault(word.symbol, PlainBook())
            top = book.from_rest(at, word) if header["venue"] == "binance-usdm" else book.apply(word)
            if top is not None:
                rows.append((at, word.symbol, word.update_id, *top))
    return rows


@pytest.mark.parametrize("name", NAMES)
def test_every_row_equals_the_plain_procedure(name: str) -> None:
    path, out = recording(name), io.StringIO()
    verify(path, out)
    out.seek(0)
    rows = [(int(row[0]), row[1], row[2], *map(Decimal, row[3:])) for row in list(csv.reader(out))[1:]]
    assert rows == plain_rows(path)
