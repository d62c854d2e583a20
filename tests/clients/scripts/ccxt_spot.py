"""ccxt, REST: market data, orders and account of Binance Spot. The lines that point it at the venue are `point_at`."""

import re
import time
from typing import Any

import ccxt
from steps import Steps, arguments, expect

SYMBOL = "BTC/USDT"


def point_at(exchange: Any, rest: str) -> None:
    """Every product's host becomes the venue: it says itself which of them it has."""
    urls = exchange.urls["api"]
    for name, url in urls.items():
        if isinstance(url, str):
            urls[name] = re.sub(r"https://[a-z]+\.binance\.com", rest, url)


def main() -> None:
    told = arguments()
    exchange = ccxt.binance({"apiKey": told.key, "secret": told.secret, "enableRateLimit": False})
    point_at(exchange, told.rest)
    steps = Steps()
    markets(steps, exchange)
    market_data(steps, exchange)
    account(steps, exchange)
    orders(steps, exchange)
    refusals(steps, exchange)
    steps.end()


def markets(steps: Steps, exchange: Any) -> None:
    steps.step("load_markets", lambda: expect(exchange.load_markets()[SYMBOL]["spot"], exchange.symbols))
    steps.step("fetch_currencies", lambda: expect("BTC" in exchange.fetch_currencies(), "no BTC"))
    steps.step("fetch_time", lambda: expect(abs(exchange.fetch_time() - time.time() * 1_000) < 5_000, "far off"))
    steps.step("fetch_status", lambda: expect(exchange.fetch_status()["status"] == "ok", "not ok"))


def market_data(steps: Steps, exchange: Any) -> None:
    def book() -> None:
        found = exchange.fetch_order_book(SYMBOL, 20)
        expect(len(found["bids"]) == 20 and found["bids"][0][0] < found["asks"][0][0], found)

    def trades() -> None:
        deadline = time.monotonic() + 10
        while not (found := exchange.fetch_trades(SYMBOL, limit=5)) and time.monotonic() < deadline:
            time.sleep(0.2)
        expect(bool(found) and found[-1]["price"] > 0 and found[-1]["side"] in ("buy", "sell"), found)

    def ticker() -> None:
        found = exchange.fetch_ticker(SYMBOL)
        expect(found["last"] > 0 and found["bid"] < found["ask"] and found["baseVolume"] > 0, found)

    def candles() -> None:
        found = exchange.fetch_ohlcv(SYMBOL, "1m", limit=5)
        expect(bool(found) and found[-1][2] >= found[-1][3], found)

    steps.step("fetch_order_book", book)
    steps.step("fetch_trades", trades)
    steps.step("fetch_ticker", ticker)
    steps.step("fetch_tickers", lambda: expect(SYMBOL in exchange.fetch_tickers(), "no ticker"))
    steps.step("fetch_bids_asks", lambda: expect(exchange.fetch_bids_asks([SYMBOL])[SYMBOL]["bid"] > 0, "no bid"))
    steps.step("fetch_last_prices", lambda: expect(exchange.fetch_last_prices([SYMBOL])[SYMBOL]["price"] > 0, "none"))
    steps.step("fetch_ohlcv", candles)
    steps.step("fetch_trading_fee", lambda: expect(exchange.fetch_trading_fee(SYMBOL)["maker"] >= 0, "no fee"))
    steps.step("fetch_trading_fees", lambda: expect(SYMBOL in exchange.fetch_trading_fees(), "no fees"))


def account(steps: Steps, exchange: Any) -> None:
    steps.step("fetch_balance", lambda: expect(exchange.fetch_balance()["USDT"]["free"] > 1_000, "no money"))


def orders(steps: Steps, exchange: Any) -> None:
    def limit() -> None:
        placed = exchange.create_order(SYMBOL, "limit", "buy", 0.001, 50_000)
        expect(placed["status"] == "open" and placed["remaining"] == 0.001, placed)
        found = exchange.fetch_order(placed["id"], SYMBOL)
        expect(found["price"] == 50_000, found)
        expect(placed["id"] in [one["id"] for one in exchange.fetch_open_orders(SYMBOL)], "not open")
        canceled = exchange.cancel_order(placed["id"], SYMBOL)
        expect(canceled["status"] == "canceled", canceled)

    def replaced() -> None:
        placed = exchange.create_order(SYMBOL, "limit", "buy", 0.001, 50_000)
        changed = exchange.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.002, 50_100)
        expect(changed["amount"] == 0.002 and changed["id"] != placed["id"], changed)
        expect(exchange.fetch_order(placed["id"], SYMBOL)["status"] == "canceled", "the old one lives")
        exchange.cancel_order(changed["id"], SYMBOL)

    def market() -> None:
        taken = exchange.create_order(SYMBOL, "market", "buy", 0.001)
        expect(taken["status"] == "closed" and taken["filled"] == 0.001 and taken["cost"] > 0, taken)
        mine = exchange.fetch_my_trades(SYMBOL)
        expect(mine[-1]["order"] == taken["id"] and mine[-1]["fee"]["cost"] is not None, mine)

    def by_cost() -> None:
        taken = exchange.create_market_buy_order_with_cost(SYMBOL, 100)
        expect(taken["status"] == "closed" and 99 < taken["cost"] <= 100, taken)

    def stop() -> None:
        placed = exchange.create_order(SYMBOL, "limit", "sell", 0.001, 49_000, {"stopLossPrice": 50_000})
        found = exchange.fetch_order(placed["id"], SYMBOL)
        expect(found["triggerPrice"] == 50_000 and found["status"] == "open", found)
        exchange.cancel_order(placed["id"], SYMBOL)

    def post_only() -> None:
        placed = exchange.create_order(SYMBOL, "limit", "sell", 0.001, 90_000, {"postOnly": True})
        expect(placed["status"] == "open", placed)
        expect(bool(exchange.cancel_all_orders(SYMBOL)), "cancel_all_orders")
        expect(not exchange.fetch_open_orders(SYMBOL), "still open")

    def history() -> None:
        expect(len(exchange.fetch_orders(SYMBOL)) >= 3, "fetch_orders")
        expect(bool(exchange.fetch_closed_orders(SYMBOL)), "fetch_closed_orders")
        expect(bool(exchange.fetch_canceled_orders(SYMBOL)), "fetch_canceled_orders")

    steps.step("limit order", limit)
    steps.step("cancel-replace (edit_order)", replaced)
    steps.step("market order", market)
    steps.step("market order by cost", by_cost)
    steps.step("stop-loss order", stop)
    steps.step("post-only order, cancel_all_orders", post_only)
    steps.step("order history", history)


def refusals(steps: Steps, exchange: Any) -> None:
    """The venue's errors become the client's own kinds of error."""

    def refused(kind: type[Exception], *order: object) -> None:
        try:
            exchange.create_order(SYMBOL, *order)
        except kind:
            return
        raise AssertionError(f"no {kind.__name__}")

    def unknown() -> None:
        try:
            exchange.cancel_order("999999", SYMBOL)
        except ccxt.OrderNotFound:
            return
        raise AssertionError("no OrderNotFound")

    steps.step("InsufficientFunds", lambda: refused(ccxt.InsufficientFunds, "limit", "buy", 100, 50_000))
    steps.step("a filter's refusal", lambda: refused(ccxt.BadRequest, "limit", "buy", 0.00001, 50_000))
    steps.step("OrderNotFound", unknown)


if __name__ == "__main__":
    main()
