"""The market streams' payloads have the very fields of the examples in the venue's documents."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.orders import PublicTrade
from gateway.simulated.spot import market_payloads
from gateway.simulated.tape import AggregateTrade

EXAMPLES = Path(__file__).parents[5] / "shared" / "data" / "payloads" / "binance-spot-doc-examples.jsonl"


def example(document: str, section: str, number: int = 0) -> Any:
    if not EXAMPLES.exists():
        pytest.skip("../shared/data/payloads is absent")
    lines = [json.loads(line) for line in EXAMPLES.read_text().splitlines()]
    return [e["json"] for e in lines if e["doc"] == document and e["section"] == section][number]


def check(ours: Any, theirs: Any) -> None:
    assert isinstance(ours, Mapping)
    assert set(ours) == set(theirs)


def test_streams() -> None:
    book = PriceTimeBook("BTCUSDT")
    trade = PublicTrade("BTCUSDT", 1, SCALE, SCALE, True, 1)
    streams = "web-socket-streams.md"
    check(market_payloads.depth_event("BTCUSDT", 1, 2, [], [], 1), example(streams, "Diff. Depth Stream"))
    ticker = market_payloads.book_ticker_event("BTCUSDT", 1, book.top())
    check(ticker, example(streams, "Individual Symbol Book Ticker Streams"))
    check(market_payloads.trade_event(trade, 1), example(streams, "Trade Streams"))
    aggregate = AggregateTrade("BTCUSDT", 1, SCALE, SCALE, 1, 1, 1, True)
    check(market_payloads.aggregate_event(aggregate, 1), example(streams, "Aggregate Trade Streams"))


def test_questions() -> None:
    book = PriceTimeBook("BTCUSDT")
    check(market_payloads.depth_snapshot(1, [], []), example("rest-api.md", "Order book"))
    check(market_payloads.ticker("BTCUSDT", book.top()), example("rest-api.md", "Symbol order book ticker"))
    info = market_payloads.exchange_info([SymbolRules("BTCUSDT", "BTC", "USDT")], 1)
    theirs = example("rest-api.md", "Exchange information")
    check(info, theirs)
    (ours,) = info["symbols"]  # type: ignore[misc,union-attr]  # a payload's inside is JSON of any shape
    optional = {"stopPrice", "icebergQty"}
    assert set(ours) - optional == set(theirs["symbols"][0]) - optional  # type: ignore[arg-type]  # the same
