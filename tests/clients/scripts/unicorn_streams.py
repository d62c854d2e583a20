"""unicorn-binance-websocket-api: market streams and the user data stream."""

import time
from typing import Any

from steps import STEP_S_MAX, Steps, arguments, expect
from unicorn_binance_websocket_api import BinanceWebSocketApiManager


def main() -> None:
    told = arguments()
    steps = Steps()
    manager = BinanceWebSocketApiManager(
        exchange="binance.com",
        websocket_base_uri=f"{told.streams}/",
        websocket_api_base_uri=told.api,
        restful_base_uri=told.rest,
        output_default="dict",
        warn_on_update=False,
        disable_colorama=True,
    )
    try:
        markets(steps, manager)
        api(steps, manager, told)
    finally:
        manager.stop_manager()
    steps.end()


def first(manager: Any, stream: str, wanted: Any) -> Any:
    """Return the first event that is wanted."""
    until = time.monotonic() + STEP_S_MAX
    while time.monotonic() < until:
        event = manager.pop_stream_data_from_stream_buffer(stream)
        if event and wanted(event):
            return event
        time.sleep(0.02)
    raise AssertionError("no event")


def markets(steps: Steps, manager: Any) -> None:
    channels = ["trade", "aggTrade", "kline_1m", "miniTicker", "ticker", "bookTicker", "depth", "depth5@100ms"]
    for channel in channels:
        stream = manager.create_stream([channel], ["btcusdt"], stream_buffer_name=True)
        name = f"btcusdt@{channel}"
        steps.step(f"stream: {channel}", lambda s=stream, n=name: first(manager, s, lambda e: e.get("stream") == n))
        manager.stop_stream(stream)


def api(steps: Steps, manager: Any, told: Any) -> None:
    stream = manager.create_stream(
        api=True, api_key=told.key, api_secret=told.secret, stream_buffer_name=True, output="dict"
    )
    time.sleep(1)

    def answered(ask: Any) -> None:
        found = ask()
        expect(found["status"] == 200, found)

    steps.step(
        "WebSocket API: server time",
        lambda: answered(lambda: manager.api.spot.get_server_time(stream_id=stream, return_response=True)),
    )
    steps.step(
        "WebSocket API: account",
        lambda: answered(lambda: manager.api.spot.get_account_status(stream_id=stream, return_response=True)),
    )
    steps.step(
        "WebSocket API: order",
        lambda: answered(
            lambda: manager.api.spot.create_order(
                stream_id=stream,
                symbol="BTCUSDT",
                side="BUY",
                order_type="LIMIT",
                time_in_force="GTC",
                quantity=0.001,
                price=50_000,
                return_response=True,
            )[1]  # beside the client order id
        ),
    )
    # Its client order ids begin anew in each process: what stays open would be in the next one's way.
    steps.step(
        "WebSocket API: cancel open orders",
        lambda: answered(
            lambda: manager.api.spot.cancel_open_orders(stream_id=stream, symbol="BTCUSDT", return_response=True)
        ),
    )
    user = manager.create_stream(
        "arr", "!userData", api_key=told.key, api_secret=told.secret, stream_buffer_name=True, output="dict"
    )
    time.sleep(2)
    manager.api.spot.create_order(
        stream_id=stream, symbol="BTCUSDT", side="SELL", order_type="MARKET", quantity=0.001, return_response=True
    )
    steps.step("user data stream", lambda: first(manager, user, lambda e: "executionReport" in str(e)))


if __name__ == "__main__":
    main()
