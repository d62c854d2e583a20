"""A recording through a venue's codec and rule into dictionaries: no actor, no book of ours. Counts what it meets."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bus.messages.feed import Batch, DepthBody, DepthDiff, QuoteEvent, Verdict
from gateway.market import VenueMarket

Top = tuple[int, int, int, int]
CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "captures"


def lines(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """kind, address, payload."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        next(file)
        for line in file:
            _, kind, address, text = json.loads(line)
            yield kind, address, text.encode()


class NaiveBook:
    """sequence None: not in step with the stream yet."""

    def __init__(self) -> None:
        self.sides: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.sequence: int | None = None
        self.waiting: list[DepthDiff] = []
        self.snapshot: int | None = None

    @property
    def top(self) -> Top:
        bid, ask = max(self.sides[0]), min(self.sides[1])
        return bid, self.sides[0][bid], ask, self.sides[1][ask]

    def load(self, body: DepthBody) -> None:
        self.sides = (
            dict(zip(body.bid_prices, body.bid_quantities, strict=True)),
            dict(zip(body.ask_prices, body.ask_quantities, strict=True)),
        )
        self.snapshot, self.sequence = body.last, None

    def apply(self, diff: DepthDiff) -> None:
        rows = ((diff.bid_prices, diff.bid_quantities), (diff.ask_prices, diff.ask_quantities))
        for side, (prices, quantities) in zip(self.sides, rows, strict=True):
            for price, quantity in zip(prices, quantities, strict=True):
                if quantity:
                    side[price] = quantity
                else:
                    side.pop(price, None)
        self.sequence = diff.last


class Replay:
    """counts: events by type, verdicts by name, and `equal` and `unequal` tops at equal ids."""

    def __init__(self, market: VenueMarket) -> None:
        self.codec, self.rule = market.codec(), market.rule
        self.books: dict[str, NaiveBook] = {}
        self.counts: Counter[str] = Counter()
        self._quotes: dict[tuple[str, int], Top] = {}

    def run(self, recorded: Iterable[tuple[str, str, bytes]]) -> "Replay":
        for kind, address, payload in recorded:
            if kind == "recv":
                event = self.codec.decode_frame(payload)
                for one in event.events if isinstance(event, Batch) else (event,):
                    self._event(one)
            elif kind == "rest" and "/depth?symbol=" in address:
                symbol = address.partition("symbol=")[2].partition("&")[0]
                body = self.codec.decode_snapshot(payload, symbol)
                assert isinstance(body, DepthBody), body
                self._book(symbol).load(body)
                self.counts["snapshots"] += 1
                self._settle(symbol)
        return self

    def _event(self, event: Any) -> None:
        self.counts[type(event).__name__] += 1
        if isinstance(event, DepthDiff):
            self._book(event.venue_symbol).waiting.append(event)
            self._settle(event.venue_symbol)
        elif isinstance(event, QuoteEvent):
            self._quotes[event.venue_symbol, event.last] = (
                event.bid,
                event.bid_quantity,
                event.ask,
                event.ask_quantity,
            )
            self._compare(event.venue_symbol)

    def _book(self, symbol: str) -> NaiveBook:
        return self.books.setdefault(symbol, NaiveBook())

    def _settle(self, symbol: str) -> None:
        book = self._book(symbol)
        if book.snapshot is None:
            return
        waiting, book.waiting = book.waiting, []
        for diff in waiting:
            if book.sequence is None:
                verdict = self.rule.bridge(diff, book.snapshot)
            else:
                verdict = self.rule.follow(diff, book.sequence)
            self.counts[verdict.name] += 1
            if verdict == Verdict.NEXT:
                book.apply(diff)
                self._compare(symbol)

    def _compare(self, symbol: str) -> None:
        book = self._book(symbol)
        if book.sequence is not None and (quoted := self._quotes.pop((symbol, book.sequence), None)):
            self.counts["equal" if quoted == book.top else "unequal"] += 1
