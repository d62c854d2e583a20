"""ccxt.pro: market streams, the WebSocket API and the user data stream of Binance Spot."""

import asyncio
from typing import Any

import ccxt.pro
from ccxt_spot import SYMBOL, point_at
from steps import Steps, arguments, expect


def point_streams_at(exchange: Any, streams: str, api: str) -> None:
    exchange.urls["api"]["ws"]["spot"] = f"{streams}/ws"
    exchange.urls["api"]["ws"]["ws-api"]["spot"] = api


async def main() -> None:
    told = arguments()
    exchange = ccxt.pro.binance({"apiKey": told.key, "secret": told.secret, "enableRateLimit": False})
    point_at(exchange, told.rest)
    point_streams_at(exchange, told.streams, told.api)
    steps = Steps()
    try:
        await steps.wait("load_markets", exchange.load_markets)
        await market_streams(steps, exchange)
        await websocket_orders(steps, exchange)
        await user_stream(steps, exchange)
    finally:
        await exchange.close()
    steps.end()


async def market_streams(steps: Steps, exchange: Any) -> None:
    async def book() -> None:
        for _ in range(5):
            found = await exchange.watch_order_book(SYMBOL)
        expect(found["bids"][0][0] < found["asks"][0][0] and found["nonce"] is not None, found["nonce"])

    async def ticker() -> None:
        found = await exchange.watch_ticker(SYMBOL)
        expect(found["last"] > 0 and found["high"] >= found["low"], found)

    async def candles() -> None:
        found = await exchange.watch_ohlcv(SYMBOL, "1m")
        expect(found[-1][2] >= found[-1][3] > 0, found)

    await steps.wait("watch_order_book", book)
    await steps.wait("watch_trades", lambda: exchange.watch_trades(SYMBOL))
    await steps.wait("watch_ticker", ticker)
    await steps.wait("watch_tickers", lambda: exchange.watch_tickers([SYMBOL]))
    await steps.wait("watch_bids_asks", lambda: exchange.watch_bids_asks([SYMBOL]))
    await steps.wait("watch_ohlcv", candles)
    await steps.wait("un_watch_trades", lambda: exchange.un_watch_trades(SYMBOL))


async def websocket_orders(steps: Steps, exchange: Any) -> None:
    async def life() -> None:
        placed = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, 50_000)
        expect((await exchange.fetch_order_ws(placed["id"], SYMBOL))["status"] == "open", placed)
        changed = await exchange.edit_order_ws(placed["id"], SYMBOL, "limit", "buy", 0.001, 50_100)
        canceled = await exchange.cancel_order_ws(changed["id"], SYMBOL)
        expect(canceled["status"] == "canceled", canceled)

    await steps.wait("orders over the WebSocket API", life)
    await steps.wait("fetch_ohlcv_ws", lambda: exchange.fetch_ohlcv_ws(SYMBOL, "1m"))
    await steps.wait("fetch_balance_ws", exchange.fetch_balance_ws)
    await steps.wait("fetch_open_orders_ws", lambda: exchange.fetch_open_orders_ws(SYMBOL))
    await steps.wait("fetch_my_trades_ws", lambda: exchange.fetch_my_trades_ws(SYMBOL))


async def user_stream(steps: Steps, exchange: Any) -> None:
    """Whoever waits hears what an order over REST does."""

    async def hear(watch: Any) -> Any:
        waiting = asyncio.ensure_future(watch())
        while not waiting.done():
            await exchange.create_order(SYMBOL, "market", "buy", 0.001)
            await asyncio.wait([waiting], timeout=0.5)
        return waiting.result()

    async def orders() -> None:
        found = await hear(lambda: exchange.watch_orders(SYMBOL))
        expect(found[-1]["status"] in ("open", "closed"), found)

    async def balance() -> None:
        found = await hear(exchange.watch_balance)
        expect(found["BTC"]["free"] > 0, found)

    await steps.wait("watch_orders", orders)
    await steps.wait("watch_my_trades", lambda: hear(lambda: exchange.watch_my_trades(SYMBOL)))
    await steps.wait("watch_balance", balance)


if __name__ == "__main__":
    asyncio.run(main())
