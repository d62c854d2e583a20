"""The venue's own client, binance-sdk-spot: REST, WebSocket API and streams."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_spot.spot import Spot
from steps import Steps, arguments, expect

SYMBOL = "BTCUSDT"
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001, "price": 50_000}


def client(told: Any) -> Spot:
    """The lines that point it at the venue."""
    keys = {"api_key": told.key, "api_secret": told.secret}
    return Spot(
        config_rest_api=ConfigurationRestAPI(**keys, base_path=told.rest, retries=0, timeout=5_000),
        config_ws_api=ConfigurationWebSocketAPI(**keys, stream_url=told.api),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=told.streams),
    )


def main() -> None:
    logging.disable(logging.CRITICAL)
    told = arguments()
    spot = client(told)
    steps = Steps()
    market_data(steps, spot.rest_api)
    orders(steps, spot.rest_api)
    account(steps, spot.rest_api)
    asyncio.run(sockets(steps, spot))
    steps.end()


def market_data(steps: Steps, rest: Any) -> None:
    asked: dict[str, Callable[[], Any]] = {
        "ping": rest.ping,
        "time": rest.time,
        "exchange_info": rest.exchange_info,
        "execution_rules": lambda: rest.execution_rules(symbol=SYMBOL),
        "depth": lambda: rest.depth(SYMBOL, limit=10),
        "get_trades": lambda: rest.get_trades(SYMBOL),
        "historical_trades": lambda: rest.historical_trades(SYMBOL),
        "historical_block_trades": lambda: rest.historical_block_trades(SYMBOL, from_id=1),
        "agg_trades": lambda: rest.agg_trades(SYMBOL),
        "klines": lambda: rest.klines(SYMBOL, "1m"),
        "ui_klines": lambda: rest.ui_klines(SYMBOL, "1m"),
        "avg_price": lambda: rest.avg_price(SYMBOL),
        "ticker24hr": lambda: rest.ticker24hr(symbol=SYMBOL),
        "ticker_trading_day": lambda: rest.ticker_trading_day(symbol=SYMBOL),
        "ticker_price": lambda: rest.ticker_price(symbols=[SYMBOL, "ETHUSDT"]),
        "ticker_book_ticker": rest.ticker_book_ticker,
        "ticker": lambda: rest.ticker(symbol=SYMBOL, window_size="1h"),
    }
    for name, ask in asked.items():
        steps.step(name, lambda ask=ask: ask().data())
    book = steps.step("depth is a book", lambda: rest.depth(SYMBOL, limit=10).data())
    steps.step("book", lambda: expect(len(book.bids) == 10 and float(book.bids[0][0]) < float(book.asks[0][0]), book))


def orders(steps: Steps, rest: Any) -> None:
    def life() -> None:
        placed = rest.new_order(**LIMIT).data()
        expect(placed.status == "NEW", placed)
        expect(rest.get_order(SYMBOL, order_id=placed.order_id).data().price == "50000.00000000", placed)
        expect(len(rest.get_open_orders(SYMBOL).data()) == 1, "open orders")
        canceled = rest.delete_order(SYMBOL, order_id=placed.order_id).data()
        expect(canceled.status == "CANCELED", canceled)

    def replaced() -> None:
        placed = rest.new_order(**LIMIT).data()
        changed = rest.order_cancel_replace(
            **{**LIMIT, "price": 50_100},
            cancel_replace_mode="STOP_ON_FAILURE",
            cancel_order_id=placed.order_id,
        ).data()
        expect(changed.cancel_result == "SUCCESS" and changed.new_order_result == "SUCCESS", changed)
        rest.delete_open_orders(SYMBOL)

    def amended() -> None:
        placed = rest.new_order(**LIMIT).data()
        changed = rest.order_amend_keep_priority(SYMBOL, new_qty=0.0005, order_id=placed.order_id).data()
        expect(changed.amended_order.qty == "0.00050000", changed)
        expect(len(rest.order_amendments(SYMBOL, order_id=placed.order_id).data()) == 1, "amendments")
        rest.delete_open_orders(SYMBOL)

    def market() -> None:
        taken = rest.new_order(SYMBOL, "SELL", "MARKET", quantity=0.001).data()
        expect(taken.status == "FILLED" and float(taken.fills[0].price) > 0, taken)
        expect(rest.my_trades(SYMBOL).data()[-1].order_id == taken.order_id, "my_trades")

    def stop() -> None:
        placed = rest.new_order(
            SYMBOL, "SELL", "STOP_LOSS_LIMIT", "GTC", quantity=0.001, price=49_000, stop_price=50_000
        ).data()
        found = rest.get_order(SYMBOL, order_id=placed.order_id).data()
        expect(found.stop_price == "50000.00000000" and found.is_working is False, found)
        rest.delete_open_orders(SYMBOL)

    steps.step("order_test", lambda: rest.order_test(**LIMIT).data())
    steps.step("order: place, query, cancel", life)
    steps.step("order: cancel-replace", replaced)
    steps.step("order: amend, amendments", amended)
    steps.step("order: market, my_trades", market)
    steps.step("order: stop-loss", stop)


def account(steps: Steps, rest: Any) -> None:
    asked: dict[str, Callable[[], Any]] = {
        "get_account": rest.get_account,
        "account_commission": lambda: rest.account_commission(SYMBOL),
        "all_orders": lambda: rest.all_orders(SYMBOL),
        "rate_limit_order": rest.rate_limit_order,
        "my_prevented_matches": lambda: rest.my_prevented_matches(SYMBOL, order_id=1),
        "my_allocations": lambda: rest.my_allocations(SYMBOL),
        "my_filters": lambda: rest.my_filters(SYMBOL),
        "all_order_list": rest.all_order_list,
        "open_order_list": rest.open_order_list,
    }
    for name, ask in asked.items():
        steps.step(name, lambda ask=ask: ask().data())


async def sockets(steps: Steps, spot: Spot) -> None:
    await websocket_api(steps, spot)
    await streams(steps, spot)


async def websocket_api(steps: Steps, spot: Spot) -> None:
    api = spot.websocket_api
    connection = await steps.wait("WebSocket API: connect", api.create_connection)
    if connection is None:
        return
    heard: list[str] = []
    subscribed = await steps.wait("WebSocket API: user data", connection.user_data_stream_subscribe_signature)
    if subscribed is not None:
        subscribed.stream.on("message", lambda event: heard.append(type(event.actual_instance).__name__))

    async def life() -> None:
        placed = (await connection.order_place(**LIMIT)).data().result
        expect(placed.status == "NEW", placed)
        found = (await connection.order_status(SYMBOL, order_id=placed.order_id)).data().result
        expect(found.price == "50000.00000000", found)
        canceled = (await connection.order_cancel(SYMBOL, order_id=placed.order_id)).data().result
        expect(canceled.status == "CANCELED", canceled)

    async def events() -> None:
        until = time.monotonic() + 5
        while len(heard) < 4 and time.monotonic() < until:
            await asyncio.sleep(0.05)
        expect("ExecutionReport" in heard and "OutboundAccountPosition" in heard, heard)

    await steps.wait("WebSocket API: order", life)
    await steps.wait("WebSocket API: user data events", events)
    for name, ask in {
        "time": connection.time,
        "exchange_info": lambda: connection.exchange_info(symbol=SYMBOL),
        "depth": lambda: connection.depth(SYMBOL, limit=5),
        "klines": lambda: connection.klines(SYMBOL, "1m"),
        "ticker24hr": lambda: connection.ticker24hr(symbol=SYMBOL),
        "ticker_price": lambda: connection.ticker_price(symbols=[SYMBOL, "ETHUSDT"]),
        "trades_aggregate": lambda: connection.trades_aggregate(SYMBOL),
        "account_status": connection.account_status,
        "open_orders_status": connection.open_orders_status,
        "my_trades": lambda: connection.my_trades(SYMBOL),
        "session_status": connection.session_status,
    }.items():
        await steps.wait(f"WebSocket API: {name}", ask)
    await connection.close_connection(close_session=True)


async def streams(steps: Steps, spot: Spot) -> None:
    connection = await steps.wait("streams: connect", spot.websocket_streams.create_connection)
    if connection is None:
        return
    subscriptions: dict[str, Callable[[], Any]] = {
        "agg_trade": lambda: connection.agg_trade("btcusdt"),
        "trade": lambda: connection.trade("btcusdt"),
        "book_ticker": lambda: connection.book_ticker("btcusdt"),
        "diff_book_depth": lambda: connection.diff_book_depth("btcusdt", update_speed="100ms"),
        "partial_book_depth": lambda: connection.partial_book_depth("btcusdt", "5", update_speed="100ms"),
        "kline": lambda: connection.kline("btcusdt", "1s"),
        "mini_ticker": lambda: connection.mini_ticker("btcusdt"),
        "ticker": lambda: connection.ticker("btcusdt"),
        "all_mini_ticker": connection.all_mini_ticker,
        "avg_price": lambda: connection.avg_price("btcusdt"),
        "rolling_window_ticker": lambda: connection.rolling_window_ticker("btcusdt", "1h"),
    }
    events = {name: asyncio.get_running_loop().create_future() for name in subscriptions}
    for name, subscribe in subscriptions.items():
        stream = await subscribe()
        stream.on("message", lambda data, event=events[name]: event.done() or event.set_result(data))
    for name, event in events.items():
        await steps.wait(f"streams: {name}", lambda event=event: event)
    await steps.wait("streams: unsubscribe", stream.unsubscribe)
    await connection.close_connection(close_session=True)


if __name__ == "__main__":
    main()
