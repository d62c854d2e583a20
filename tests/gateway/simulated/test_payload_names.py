"""Our payloads have the very fields of the examples in the venue's documents."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import AccountId, NewOrder, OrderType, PublicTrade, Side
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.spot import market_payloads, payloads
from gateway.simulated.tape import Tape

EXAMPLES = Path(__file__).parents[4] / "shared" / "data" / "payloads" / "binance-spot-doc-examples.jsonl"
ME = AccountId("me")
# Fields of features this venue does not have, in some examples of one answer and not in others.
NOT_OURS = {"stopPrice", "icebergQty"}


def example(document: str, section: str, number: int = 0) -> Any:
    if not EXAMPLES.exists():
        pytest.skip("../shared/data/payloads is absent")
    lines = [json.loads(line) for line in EXAMPLES.read_text().splitlines()]
    found = [e["json"] for e in lines if e["doc"] == document and e["section"] == section]
    return found[number]


@pytest.fixture(scope="module")
def engine() -> MatchingEngine:
    """One fill of one account with itself, so that every report has been made."""
    engine = MatchingEngine(SpotSettlement(Ledger()))
    engine.list_instrument(SymbolRules("BTCUSDT", "BTC", "USDT"), PriceTimeBook("BTCUSDT"))
    engine.open_account(ME, FeeRates())
    for asset in ("BTC", "USDT"):
        engine.ledger.deposit(ME, asset, 10**6 * SCALE)
    for number, side in enumerate((Side.BUY, Side.SELL)):
        engine.place(NewOrder(ME, "BTCUSDT", str(number), side, OrderType.LIMIT, SCALE, 100 * SCALE), 1)
    return engine


def check(ours: Any, theirs: Any) -> None:
    assert isinstance(ours, Mapping)
    assert set(ours) - NOT_OURS == set(theirs) - NOT_OURS


@pytest.mark.parametrize(("response_type", "number"), [("ACK", 0), ("RESULT", 1), ("FULL", 2)])
def test_new_order(engine: MatchingEngine, response_type: str, number: int) -> None:
    order = engine.registry.all_orders(ME, "BTCUSDT")[1]
    own = [e for e in engine.executions if e.order is order]
    ours, theirs = (
        payloads.order_response(order, own, response_type, 1),
        example("rest-api.md", "New order (TRADE)", number),
    )
    check(ours, theirs)
    if response_type == "FULL":
        (fill,) = ours["fills"]  # type: ignore[misc,union-attr]  # a payload's inside is JSON of any shape
        check(fill, theirs["fills"][0])


def test_the_rest_of_rest(engine: MatchingEngine) -> None:
    order = engine.registry.all_orders(ME, "BTCUSDT")[0]
    (trade, *_) = engine.registry.trades(ME, "BTCUSDT")
    check(payloads.cancel_response(order, "c"), example("rest-api.md", "Cancel order (TRADE)"))
    check(payloads.order_status(order), example("rest-api.md", "Query order (USER_DATA)"))
    check(payloads.account_trade(trade), example("rest-api.md", "Account trade list (USER_DATA)")[0])
    account = payloads.account_status([("BTC", 1, 2)], 1_000, 1_000, 1, 1)
    check(account, example("rest-api.md", "Account information (USER_DATA)"))
    info, theirs = (
        market_payloads.exchange_info([SymbolRules("BTCUSDT", "BTC", "USDT")], 1),
        example("rest-api.md", "Exchange information"),
    )
    check(info, theirs)
    check(info["symbols"][0], theirs["symbols"][0])  # type: ignore[index,call-overload]  # a payload's inside is JSON


def test_user_data_stream(engine: MatchingEngine) -> None:
    report = payloads.execution_report(engine.executions[0], 1)
    # The example shows `v`, which appears only on a prevented match.
    check(report | {"v": 0}, example("user-data-stream.md", "Order Update")["event"])
    position = payloads.account_position([("BTC", 1, 2)], 1)
    check(position, example("user-data-stream.md", "Account Update")["event"])
    check(payloads.balance_update("BTC", 1, 1), example("user-data-stream.md", "Balance Update")["event"])


def test_market_streams(engine: MatchingEngine) -> None:
    book = PriceTimeBook("BTCUSDT")
    trade = PublicTrade("BTCUSDT", 1, SCALE, SCALE, True, 1)
    streams = "web-socket-streams.md"
    check(market_payloads.depth_event("BTCUSDT", 1, 2, [], [], 1), example(streams, "Diff. Depth Stream"))
    check(
        market_payloads.book_ticker_event("BTCUSDT", 1, book.top()),
        example(streams, "Individual Symbol Book Ticker Streams"),
    )
    check(market_payloads.trade_event(trade, 1), example(streams, "Trade Streams"))
    [aggregate] = Tape().add([trade])
    check(market_payloads.aggregate_event(aggregate, 1), example(streams, "Aggregate Trade Streams"))
    check(market_payloads.depth_snapshot(1, [], []), example("rest-api.md", "Order book"))
    check(market_payloads.ticker("BTCUSDT", book.top()), example("rest-api.md", "Symbol order book ticker"))
