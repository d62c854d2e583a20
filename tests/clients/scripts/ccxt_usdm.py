"""ccxt and ccxt.pro: Binance USD-M futures over REST, streams and WebSocket API. The lines that point it at the venue are `point_at`."""

import asyncio
import time
from typing import Any

import ccxt
import ccxt.pro
from steps import Steps, arguments, expect

SYMBOL = "BTC/USDT:USDT"


def point_at(exchange: Any, told: Any) -> None:
    urls = exchange.urls["api"]
    for version in ("", "V2", "V3"):
        for kind in ("fapiPublic", "fapiPrivate"):
            urls[kind + version] = f"{told.rest}/fapi/{version.lower() or 'v1'}"
    if "ws" in urls:
        urls["ws"]["linear"] = f"{told.streams}/ws"
        urls["ws"]["ws-api"]["linear"] = told.api
    exchange.options["fetchCurrencies"] = False  # /sapi is another host of the venue, and no futures


def main() -> None:
    told = arguments()
    keys = {"apiKey": told.key, "secret": told.secret, "enableRateLimit": False}
    exchange = ccxt.binanceusdm(keys)
    point_at(exchange, told)
    steps = Steps()
    market_data(steps, exchange)
    orders(steps, exchange)
    positions(steps, exchange)
    refusals(steps, exchange)
    asyncio.run(sockets(steps, told, keys))
    steps.end()


def market_data(steps: Steps, exchange: Any) -> None:
    def book() -> None:
        found = exchange.fetch_order_book(SYMBOL, 20)
        expect(len(found["bids"]) == 20 and found["bids"][0][0] < found["asks"][0][0], found)

    def trades() -> None:
        deadline = time.monotonic() + 10
        while not (found := exchange.fetch_trades(SYMBOL)) and time.monotonic() < deadline:
            time.sleep(0.2)
        expect(bool(found) and found[-1]["price"] > 0, found)

    steps.step("load_markets", lambda: expect(exchange.load_markets()[SYMBOL]["swap"], exchange.symbols))
    steps.step("fetch_time", lambda: expect(abs(exchange.fetch_time() - time.time() * 1_000) < 5_000, "far off"))
    steps.step("fetch_order_book", book)
    steps.step("fetch_trades", trades)
    steps.step("fetch_ticker", lambda: expect(exchange.fetch_ticker(SYMBOL)["last"] > 0, "no last price"))
    steps.step("fetch_bids_asks", lambda: expect(exchange.fetch_bids_asks([SYMBOL])[SYMBOL]["bid"] > 0, "no bid"))
    steps.step("fetch_ohlcv", lambda: expect(bool(exchange.fetch_ohlcv(SYMBOL, "1m")), "no candle"))
    steps.step("fetch_funding_rate", lambda: expect(exchange.fetch_funding_rate(SYMBOL)["markPrice"] > 0, "no mark"))
    steps.step("fetch_open_interest", lambda: exchange.fetch_open_interest(SYMBOL))


def orders(steps: Steps, exchange: Any) -> None:
    def limit() -> None:
        placed = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 59_000)
        expect(placed["status"] == "open", placed)
        changed = exchange.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 58_000)
        expect(changed["id"] == placed["id"] and changed["amount"] == 0.02, changed)
        expect([one["id"] for one in exchange.fetch_open_orders(SYMBOL)] == [placed["id"]], "not open")
        expect(exchange.cancel_order(placed["id"], SYMBOL)["status"] == "canceled", placed)
        expect(exchange.fetch_order(placed["id"], SYMBOL)["status"] == "canceled", placed)

    def batch() -> None:
        order = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": 59_000}
        placed = exchange.create_orders([order, {**order, "price": 58_900}])
        expect(len(placed) == 2 and all(one["status"] == "open" for one in placed), placed)
        exchange.cancel_orders([one["id"] for one in placed], SYMBOL)
        expect(not exchange.fetch_open_orders(SYMBOL), "still open")

    def post_only() -> None:
        placed = exchange.create_order(SYMBOL, "limit", "sell", 0.01, 61_000, {"postOnly": True})
        expect(placed["status"] == "open", placed)
        exchange.cancel_all_orders(SYMBOL)
        expect(not exchange.fetch_open_orders(SYMBOL), "still open")

    steps.step("limit order: placed, modified, canceled", limit)
    steps.step("create_orders, cancel_orders", batch)
    steps.step("post-only order, cancel_all_orders", post_only)
    countdown = {"symbol": "BTCUSDT", "countdownTime": 60_000}
    steps.step("countdownCancelAll", lambda: exchange.fapiPrivatePostCountdownCancelAll(countdown))


def positions(steps: Steps, exchange: Any) -> None:
    def opened() -> None:
        exchange.create_order(SYMBOL, "market", "buy", 0.05)
        [found] = exchange.fetch_positions([SYMBOL])
        expect(found["side"] == "long" and found["contracts"] == 0.05 and found["entryPrice"] > 0, found)

    def closed() -> None:
        exchange.create_order(SYMBOL, "market", "sell", 0.05, None, {"reduceOnly": True})
        expect(not [one for one in exchange.fetch_positions([SYMBOL]) if one["contracts"]], "still there")
        expect(exchange.fetch_my_trades(SYMBOL)[-1]["fee"]["currency"] == "USDT", "no fee")

    steps.step("fetch_balance", lambda: expect(exchange.fetch_balance()["USDT"]["free"] > 1_000, "no money"))
    steps.step("set_leverage", lambda: expect(exchange.set_leverage(10, SYMBOL)["leverage"] == 10, "not 10"))
    steps.step("fetch_leverage", lambda: expect(exchange.fetch_leverage(SYMBOL)["longLeverage"] == 10, "not 10"))
    steps.step("a position opened", opened)
    steps.step("a position closed, reduce-only", closed)
    steps.step("fetch_income", lambda: expect(bool(exchange.fapiPrivateGetIncome()), "nothing"))
    steps.step("fetch_position_mode", lambda: expect(exchange.fetch_position_mode()["hedged"] is False, "hedged"))
    steps.step("fetch_trading_fee", lambda: expect(exchange.fetch_trading_fee(SYMBOL)["taker"] > 0, "no fee"))
    steps.step("fetch_leverage_tiers", lambda: expect(bool(exchange.fetch_leverage_tiers([SYMBOL])), "no tier"))


def refusals(steps: Steps, exchange: Any) -> None:
    """Most kinds of error this client tells apart by the venue's host name, which is another here: it says ExchangeError."""

    def refused(kind: type[Exception], *order: object) -> None:
        try:
            exchange.create_order(SYMBOL, *order)
        except kind:
            return
        raise AssertionError(f"no {kind.__name__}")

    rows = {
        "too little margin": (ccxt.ExchangeError, "limit", "buy", 900, 59_000),
        "InvalidOrder, post-only": (ccxt.InvalidOrder, "limit", "buy", 0.01, 61_000, {"postOnly": True}),
        "nothing to reduce": (ccxt.ExchangeError, "limit", "buy", 0.01, 59_000, {"reduceOnly": True}),
        "too small": (ccxt.ExchangeError, "limit", "buy", 0.001, 59_000),
    }
    for name, (kind, *order) in rows.items():
        steps.step(name, lambda kind=kind, order=order: refused(kind, *order))


async def sockets(steps: Steps, told: Any, keys: dict[str, Any]) -> None:
    exchange = ccxt.pro.binanceusdm(keys)
    point_at(exchange, told)
    await exchange.load_markets()
    try:
        await streams(steps, exchange)
        await user_streams(steps, exchange)
        await websocket_api(steps, exchange)
    finally:
        await exchange.close()


async def streams(steps: Steps, exchange: Any) -> None:
    async def book() -> None:
        for _ in range(20):  # each a diff that had to chain
            found = await exchange.watch_order_book(SYMBOL)
        expect(found["bids"][0][0] < found["asks"][0][0], found)

    async def mark() -> None:
        expect((await exchange.watch_mark_price(SYMBOL))["markPrice"] > 0, "no mark price")

    async def quote() -> None:
        expect((await exchange.watch_bids_asks([SYMBOL]))[SYMBOL]["bid"] > 0, "no bid")

    await steps.wait("watch_order_book", book)
    await steps.wait("watch_trades", lambda: exchange.watch_trades(SYMBOL))
    await steps.wait("watch_mark_price", mark)
    await steps.wait("watch_bids_asks", quote)


async def user_streams(steps: Steps, exchange: Any) -> None:
    async def watch_order() -> None:
        watching = asyncio.ensure_future(exchange.watch_orders(SYMBOL))
        await asyncio.sleep(1)
        placed = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, 59_000)
        expect((await watching)[-1]["id"] == placed["id"], placed)
        await exchange.cancel_order(placed["id"], SYMBOL)

    async def watch_position() -> None:
        watching = asyncio.ensure_future(until_position(exchange))
        await asyncio.sleep(1)
        await exchange.create_order(SYMBOL, "market", "buy", 0.01)
        expect(await watching == 0.01, "not 0.01")

    await steps.wait("watch_orders", watch_order)
    await steps.wait("watch_positions", watch_position)


async def until_position(exchange: Any) -> float:
    while True:
        for found in await exchange.watch_positions([SYMBOL]):
            if found["contracts"]:
                return float(found["contracts"])


async def websocket_api(steps: Steps, exchange: Any) -> None:
    async def life() -> None:
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.01, 58_500)
        expect(placed["status"] == "open", placed)
        expect((await exchange.cancel_order_ws(placed["id"], SYMBOL))["status"] == "canceled", placed)

    async def balance() -> None:
        expect((await exchange.fetch_balance_ws())["USDT"]["total"] > 1_000, "no money")

    async def position() -> None:
        expect((await exchange.fetch_positions_ws([SYMBOL]))[0]["contracts"] == 0.01, "not 0.01")

    await steps.wait("create_order_ws, cancel_order_ws", life)
    await steps.wait("fetch_balance_ws", balance)
    await steps.wait("fetch_positions_ws", position)


if __name__ == "__main__":
    main()
