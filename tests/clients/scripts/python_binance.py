"""python-binance: REST, WebSocket API, sockets and the depth cache."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from binance import AsyncClient, BinanceSocketManager, DepthCacheManager
from binance.exceptions import BinanceAPIException
from steps import Steps, arguments, expect

SYMBOL = "BTCUSDT"


def point_at(told: Any) -> None:
    """The lines that point it at the venue: its hosts are attributes of its classes."""
    AsyncClient.API_URL = f"{told.rest}/api"
    AsyncClient.MARGIN_API_URL = f"{told.rest}/sapi"
    AsyncClient.WS_API_URL = told.api
    BinanceSocketManager.STREAM_URL = f"{told.streams}/"


async def main() -> None:
    told = arguments()
    point_at(told)
    steps = Steps()
    client = await AsyncClient.create(told.key, told.secret)
    try:
        await market_data(steps, client)
        await orders(steps, client)
        await other_orders(steps, client)
        await account(steps, client)
        await sockets(steps, client)
        await user_socket(steps, client)
        await websocket_api(steps, client)
    finally:
        with contextlib.suppress(TimeoutError):  # the read loop of its WebSocket API looks up once in ten seconds
            await asyncio.wait_for(client.close_connection(), 1)
    steps.end()


async def market_data(steps: Steps, client: Any) -> None:
    for name, ask in {
        "ping": client.ping,
        "get_system_status": client.get_system_status,
        "get_exchange_info": client.get_exchange_info,
        "get_symbol_info": lambda: client.get_symbol_info(SYMBOL),
        "get_order_book": lambda: client.get_order_book(symbol=SYMBOL, limit=10),
        "get_recent_trades": lambda: client.get_recent_trades(symbol=SYMBOL),
        "get_historical_trades": lambda: client.get_historical_trades(symbol=SYMBOL),
        "get_aggregate_trades": lambda: client.get_aggregate_trades(symbol=SYMBOL),
        "get_klines": lambda: client.get_klines(symbol=SYMBOL, interval="1m"),
        "get_historical_klines": lambda: client.get_historical_klines(SYMBOL, "1m", "10 minutes ago UTC"),
        "get_avg_price": lambda: client.get_avg_price(symbol=SYMBOL),
        "get_ticker": lambda: client.get_ticker(symbol=SYMBOL),
        "get_all_tickers": client.get_all_tickers,
        "get_orderbook_tickers": client.get_orderbook_tickers,
    }.items():
        found = await steps.wait(name, ask)
        if name == "get_order_book":
            steps.step("a book", lambda found=found: expect(len(found["bids"]) == 10, found))


async def orders(steps: Steps, client: Any) -> None:
    """Limit orders, from placing to their end."""

    async def life() -> None:
        placed = await client.order_limit_buy(symbol=SYMBOL, quantity="0.001", price="50000")
        expect(placed["status"] == "NEW", placed)
        found = await client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
        expect(found["price"] == "50000.00000000", found)
        opened = await client.get_open_orders(symbol=SYMBOL)
        expect(placed["orderId"] in [one["orderId"] for one in opened], opened)
        canceled = await client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
        expect(canceled["status"] == "CANCELED", canceled)

    async def replaced() -> None:
        placed = await client.order_limit_buy(symbol=SYMBOL, quantity="0.001", price="50000")
        changed = await client.cancel_replace_order(
            symbol=SYMBOL,
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.001",
            price="50100",
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=placed["orderId"],
        )
        expect(changed["newOrderResult"] == "SUCCESS", changed)
        await client.cancel_order(symbol=SYMBOL, orderId=changed["newOrderResponse"]["orderId"])

    async def refused() -> None:
        try:
            await client.order_limit_buy(symbol=SYMBOL, quantity="100", price="50000")
        except BinanceAPIException as error:
            expect(error.code == -2010, error)
            return
        raise AssertionError("not refused")

    await steps.wait("order: place, query, cancel", life)
    await steps.wait("order: cancel-replace", replaced)
    await steps.wait("order: refused", refused)
    await steps.wait("get_all_orders", lambda: client.get_all_orders(symbol=SYMBOL))
    await steps.wait("get_current_order_count", client.get_current_order_count)


async def other_orders(steps: Steps, client: Any) -> None:
    """Orders that take what there is, or wait for a price."""

    async def market() -> None:
        taken = await client.order_market_buy(symbol=SYMBOL, quantity="0.001")
        expect(taken["status"] == "FILLED", taken)
        mine = await client.get_my_trades(symbol=SYMBOL)
        expect(mine[-1]["orderId"] == taken["orderId"], mine)

    async def by_cost() -> None:
        taken = await client.order_market_buy(symbol=SYMBOL, quoteOrderQty="100")
        expect(taken["status"] == "FILLED", taken)

    async def stop() -> None:
        placed = await client.create_order(
            symbol=SYMBOL,
            side="SELL",
            type="STOP_LOSS_LIMIT",
            timeInForce="GTC",
            quantity="0.001",
            price="49000",
            stopPrice="50000",
        )
        await client.cancel_order(symbol=SYMBOL, orderId=placed["orderId"])

    def tested() -> Any:
        return client.create_test_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.001")

    await steps.wait("create_test_order", tested)
    await steps.wait("order: market, get_my_trades", market)
    await steps.wait("order: market by cost", by_cost)
    await steps.wait("order: stop-loss", stop)


async def account(steps: Steps, client: Any) -> None:
    for name, ask in {
        "get_account": client.get_account,
        "get_asset_balance": lambda: client.get_asset_balance(asset="BTC"),
        "get_trade_fee": lambda: client.get_trade_fee(symbol=SYMBOL),
        "get_account_status": client.get_account_status,
        "get_account_api_permissions": client.get_account_api_permissions,
        "get_all_coins_info": client.get_all_coins_info,
    }.items():
        await steps.wait(name, ask)


async def sockets(steps: Steps, client: Any) -> None:
    """The first event of each socket; all are open at the same time."""
    manager = BinanceSocketManager(client)

    async def first(open_socket: Callable[[], Any]) -> None:
        async with open_socket() as socket:
            event = await socket.recv()
            expect("error" not in str(event.get("e", "")) if isinstance(event, dict) else bool(event), event)

    async def depth_cache() -> None:
        async with DepthCacheManager(client, symbol=SYMBOL) as cache:
            for _ in range(3):
                book = await cache.recv()
            expect(book.get_bids()[0][0] < book.get_asks()[0][0], book.get_bids()[:2])

    await asyncio.gather(
        *(
            steps.wait(f"socket: {name}", lambda open_socket=open_socket: first(open_socket))
            for name, open_socket in {
                "trade": lambda: manager.trade_socket(SYMBOL),
                "aggregate trade": lambda: manager.aggtrade_socket(SYMBOL),
                "depth": lambda: manager.depth_socket(SYMBOL),
                "partial depth": lambda: manager.depth_socket(SYMBOL, depth="10", interval=100),
                "kline": lambda: manager.kline_socket(SYMBOL, interval="1m"),
                "mini ticker": lambda: manager.symbol_miniticker_socket(SYMBOL),
                "ticker": lambda: manager.symbol_ticker_socket(SYMBOL),
                "all tickers": manager.ticker_socket,
                "book ticker": lambda: manager.symbol_book_ticker_socket(SYMBOL),
                "multiplex": lambda: manager.multiplex_socket(["btcusdt@bookTicker", "ethusdt@bookTicker"]),
            }.items()
        ),
        steps.wait("depth cache", depth_cache),
    )


async def user_socket(steps: Steps, client: Any) -> None:
    async def events() -> None:
        async with BinanceSocketManager(client).user_socket() as socket:
            taken = await client.order_market_sell(symbol=SYMBOL, quantity="0.001")
            heard: list[str] = []
            until = time.monotonic() + 5
            while "outboundAccountPosition " not in heard and time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    event = await asyncio.wait_for(socket.recv(), 1)
                    heard.append(f"{event['e']} {event.get('i', '')}")
            expect(heard[0] == f"executionReport {taken['orderId']}", heard)
            expect(heard[-1] == "outboundAccountPosition ", heard)

    await steps.wait("user socket", events)


async def websocket_api(steps: Steps, client: Any) -> None:
    async def life() -> None:
        placed = await client.ws_order_limit_buy(symbol=SYMBOL, quantity="0.001", price="50000")
        expect(placed["status"] == "NEW", placed)
        canceled = await client.ws_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
        expect(canceled["status"] == "CANCELED", canceled)

    await steps.wait("WebSocket API: order", life)
    for name, ask in {
        "time": client.ws_get_time,
        "order book": lambda: client.ws_get_order_book(symbol=SYMBOL),
        "klines": lambda: client.ws_get_klines(symbol=SYMBOL, interval="1m"),
        "ticker": lambda: client.ws_get_ticker(symbol=SYMBOL),
        "account": client.ws_get_account,
        "my trades": lambda: client.ws_get_my_trades(symbol=SYMBOL),
    }.items():
        await steps.wait(f"WebSocket API: {name}", ask)


if __name__ == "__main__":
    asyncio.run(main())
