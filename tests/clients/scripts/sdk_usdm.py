"""The venue's own client, binance-sdk-derivatives-trading-usds-futures: REST, WebSocket API and the routed streams."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures
from steps import Steps, arguments, expect

SYMBOL = "BTCUSDT"
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01, "price": 59_000}


def client(told: Any) -> DerivativesTradingUsdsFutures:
    """The lines that point it at the venue."""
    keys = {"api_key": told.key, "api_secret": told.secret}
    return DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(**keys, base_path=told.rest, retries=0, timeout=5_000),
        config_ws_api=ConfigurationWebSocketAPI(**keys, stream_url=told.api),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=told.streams),
    )


def main() -> None:
    logging.disable(logging.CRITICAL)
    told = arguments()
    futures = client(told)
    steps = Steps()
    market_data(steps, futures.rest_api)
    orders(steps, futures.rest_api)
    account(steps, futures.rest_api)
    asyncio.run(sockets(steps, futures))
    steps.end()


def market_data(steps: Steps, rest: Any) -> None:
    asked: dict[str, Callable[[], Any]] = {
        "test_connectivity": rest.test_connectivity,
        "check_server_time": rest.check_server_time,
        "exchange_information": rest.exchange_information,
        "order_book": lambda: rest.order_book(SYMBOL, limit=10),
        "recent_trades_list": lambda: rest.recent_trades_list(SYMBOL),
        "old_trades_lookup": lambda: rest.old_trades_lookup(SYMBOL),
        "compressed_aggregate_trades_list": lambda: rest.compressed_aggregate_trades_list(SYMBOL),
        "kline_candlestick_data": lambda: rest.kline_candlestick_data(SYMBOL, "1m"),
        "mark_price": rest.mark_price,
        "get_funding_rate_history": rest.get_funding_rate_history,
        "get_funding_rate_info": rest.get_funding_rate_info,
        "ticker24hr": lambda: rest.ticker24hr_price_change_statistics(symbol=SYMBOL),
        "symbol_price_ticker": lambda: rest.symbol_price_ticker(symbol=SYMBOL),
        "symbol_price_ticker_v2": rest.symbol_price_ticker_v2,
        "symbol_order_book_ticker": rest.symbol_order_book_ticker,
        "open_interest": lambda: rest.open_interest(SYMBOL),
    }
    for name, ask in asked.items():
        steps.step(name, lambda ask=ask: ask().data())


def orders(steps: Steps, rest: Any) -> None:
    def life() -> None:
        placed = rest.new_order(**LIMIT).data()
        expect(placed.status == "NEW", placed)
        changed = rest.modify_order(SYMBOL, "BUY", quantity=0.02, price=58_000, order_id=placed.order_id).data()
        expect((changed.order_id, changed.price, changed.orig_qty) == (placed.order_id, "58000.00", "0.020"), changed)
        expect(rest.query_order(SYMBOL, order_id=placed.order_id).data().price == "58000.00", placed)
        expect(rest.query_current_open_order(SYMBOL, order_id=placed.order_id).data().status == "NEW", placed)
        expect(len(rest.current_all_open_orders(symbol=SYMBOL).data()) == 1, "open orders")
        expect(rest.cancel_order(SYMBOL, order_id=placed.order_id).data().status == "CANCELED", placed)
        expect(rest.all_orders(SYMBOL).data()[-1].status == "CANCELED", "all_orders")

    def many() -> None:
        ids = [rest.new_order(**LIMIT).data().order_id for _ in range(2)]
        canceled = rest.cancel_multiple_orders(SYMBOL, order_id_list=ids).data()
        expect([one.status for one in canceled] == ["CANCELED"] * 2, canceled)
        rest.new_order(**LIMIT)
        expect(rest.cancel_all_open_orders(SYMBOL).data().code == 200, "not done")

    def market() -> None:
        taken = rest.new_order(SYMBOL, "SELL", "MARKET", quantity=0.01, new_order_resp_type="RESULT").data()
        expect(taken.status == "FILLED" and taken.executed_qty == "0.010", taken)
        expect(rest.account_trade_list(SYMBOL).data()[-1].order_id == taken.order_id, "account_trade_list")
        [position] = rest.position_information_v3(symbol=SYMBOL).data()
        expect(position.position_amt == "-0.010", position)
        closed = rest.new_order(
            SYMBOL, "BUY", "MARKET", quantity=0.01, reduce_only="true", new_order_resp_type="RESULT"
        )
        expect(closed.data().status == "FILLED", closed.data())
        expect(not rest.position_information_v3(symbol=SYMBOL).data(), "still there")

    steps.step("test_order", lambda: rest.test_order(**LIMIT).data())
    steps.step("order: place, modify, query, cancel", life)
    steps.step("orders: several, all", many)
    steps.step("order: market, position, reduce-only", market)
    steps.step("auto_cancel_all_open_orders", lambda: rest.auto_cancel_all_open_orders(SYMBOL, 60_000).data())


def account(steps: Steps, rest: Any) -> None:
    asked: dict[str, Callable[[], Any]] = {
        "account_information_v2": rest.account_information_v2,
        "account_information_v3": rest.account_information_v3,
        "futures_account_balance_v2": rest.futures_account_balance_v2,
        "futures_account_balance_v3": rest.futures_account_balance_v3,
        "position_information_v2": rest.position_information_v2,
        "change_initial_leverage": lambda: rest.change_initial_leverage(SYMBOL, 25),
        "get_current_position_mode": rest.get_current_position_mode,
        "get_current_multi_assets_mode": rest.get_current_multi_assets_mode,
        "user_commission_rate": lambda: rest.user_commission_rate(SYMBOL),
        "notional_and_leverage_brackets": rest.notional_and_leverage_brackets,
        "query_user_rate_limit": rest.query_user_rate_limit,
        "futures_account_configuration": rest.futures_account_configuration,
        "symbol_configuration": rest.symbol_configuration,
        "get_income_history": rest.get_income_history,
        "current_all_algo_open_orders": rest.current_all_algo_open_orders,
    }
    for name, ask in asked.items():
        steps.step(name, lambda ask=ask: ask().data())


async def sockets(steps: Steps, futures: Any) -> None:
    await websocket_api(steps, futures)
    await streams(steps, futures)


async def websocket_api(steps: Steps, futures: Any) -> None:
    connection = await steps.wait("WebSocket API: connect", futures.websocket_api.create_connection)
    if connection is None:
        return

    async def life() -> None:
        placed = (await connection.new_order(**LIMIT)).data().result
        expect(placed.status == "NEW", placed)
        about = {"symbol": SYMBOL, "order_id": placed.order_id}
        changed = (await connection.modify_order(**about, side="BUY", quantity=0.02, price=58_000)).data().result
        expect(changed.price == "58000.00", changed)
        expect((await connection.query_order(**about)).data().result.status == "NEW", "query")
        expect((await connection.cancel_order(**about)).data().result.status == "CANCELED", "cancel")

    await steps.wait("WebSocket API: place, modify, query, cancel", life)
    for name, ask in {
        "futures_account_balance_v2": connection.futures_account_balance_v2,
        "account_information_v2": connection.account_information_v2,
        "position_information_v2": connection.position_information_v2,
        "order_book": lambda: connection.order_book(SYMBOL),
        "symbol_price_ticker": connection.symbol_price_ticker,
        "symbol_order_book_ticker": connection.symbol_order_book_ticker,
        "start_user_data_stream": connection.start_user_data_stream,
    }.items():
        await steps.wait(f"WebSocket API: {name}", ask)
    await connection.close_connection(close_session=True)


async def streams(steps: Steps, futures: Any) -> None:
    """The client opens /public, /market and /private, and subscribes on the one that has the stream."""
    connection = await steps.wait("streams: connect", futures.websocket_streams.create_connection)
    if connection is None:
        return
    listen_key = futures.rest_api.start_user_data_stream().data().listen_key
    subscriptions: dict[str, Callable[[], Any]] = {
        "aggregate_trade_streams": lambda: connection.aggregate_trade_streams("btcusdt"),
        "mark_price_stream": lambda: connection.mark_price_stream("btcusdt", update_speed="1s"),
        "individual_symbol_book_ticker_streams": lambda: connection.individual_symbol_book_ticker_streams("btcusdt"),
        "diff_book_depth_streams": lambda: connection.diff_book_depth_streams("btcusdt", update_speed="100ms"),
        "partial_book_depth_streams": lambda: connection.partial_book_depth_streams(
            "btcusdt", "5", update_speed="100ms"
        ),
        "user_data": lambda: connection.user_data(listen_key),
    }
    events = {name: asyncio.get_running_loop().create_future() for name in subscriptions}
    for name, subscribe in subscriptions.items():
        stream = await subscribe()
        stream.on("message", lambda data, event=events[name]: event.done() or event.set_result(data))
        await asyncio.sleep(0.25)
    futures.rest_api.new_order(SYMBOL, "BUY", "MARKET", quantity=0.01)
    for name, event in events.items():
        await steps.wait(f"streams: {name}", lambda event=event: event)
    await steps.wait("streams: unsubscribe", stream.unsubscribe)
    await connection.close_connection(close_session=True)


if __name__ == "__main__":
    main()
