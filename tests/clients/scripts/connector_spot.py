"""binance-connector 3 (the venue's former client): REST, WebSocket API and streams. It shares the package name `binance` with
python-binance: not in one environment.
"""

import queue
import time
from typing import Any

from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient
from steps import STEP_S_MAX, Steps, arguments, expect

SYMBOL = "BTCUSDT"
LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": 0.001, "price": 50_000}


def main() -> None:
    told = arguments()
    steps = Steps()
    rest = Spot(api_key=told.key, api_secret=told.secret, base_url=told.rest)
    market_data(steps, rest)
    orders(steps, rest)
    streams(steps, told)
    websocket_api(steps, told)
    steps.end()


def market_data(steps: Steps, rest: Any) -> None:
    for name, ask in {
        "time": rest.time,
        "exchange_info": lambda: rest.exchange_info(symbol=SYMBOL),
        "depth": lambda: rest.depth(SYMBOL, limit=10),
        "trades": lambda: rest.trades(SYMBOL),
        "historical_trades": lambda: rest.historical_trades(SYMBOL),
        "agg_trades": lambda: rest.agg_trades(SYMBOL),
        "klines": lambda: rest.klines(SYMBOL, "1m"),
        "ui_klines": lambda: rest.ui_klines(SYMBOL, "1m"),
        "avg_price": lambda: rest.avg_price(SYMBOL),
        "ticker_24hr": lambda: rest.ticker_24hr(SYMBOL),
        "trading_day_ticker": lambda: rest.trading_day_ticker(SYMBOL),
        "ticker_price": rest.ticker_price,
        "book_ticker": lambda: rest.book_ticker(symbols=[SYMBOL, "ETHUSDT"]),
        "rolling_window_ticker": lambda: rest.rolling_window_ticker(SYMBOL),
    }.items():
        steps.step(name, ask)


def orders(steps: Steps, rest: Any) -> None:
    def life() -> None:
        placed = rest.new_order(**LIMIT)
        expect(rest.get_order(SYMBOL, orderId=placed["orderId"])["status"] == "NEW", placed)
        expect(rest.cancel_order(SYMBOL, orderId=placed["orderId"])["status"] == "CANCELED", placed)

    def replaced() -> None:
        placed = rest.new_order(**LIMIT)
        done = rest.cancel_and_replace(
            **{**LIMIT, "price": 50_100}, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=placed["orderId"]
        )
        expect(done["newOrderResult"] == "SUCCESS", done)
        expect(len(rest.cancel_open_orders(SYMBOL)) == 1, "cancel_open_orders")

    steps.step("new_order_test", lambda: rest.new_order_test(**LIMIT))
    steps.step("order: place, query, cancel", life)
    steps.step("order: cancel-replace", replaced)
    steps.step("order: market", lambda: rest.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.001))
    for name, ask in {
        "account": rest.account,
        "my_trades": lambda: rest.my_trades(SYMBOL),
        "get_orders": lambda: rest.get_orders(SYMBOL),
        "coin_info": rest.coin_info,
        "trade_fee": rest.trade_fee,
        "account_status": rest.account_status,
    }.items():
        steps.step(name, ask)


def streams(steps: Steps, told: Any) -> None:
    heard: queue.Queue[str] = queue.Queue()
    client = SpotWebsocketStreamClient(stream_url=told.streams, on_message=lambda _, text: heard.put(text))
    for name, subscribe in {
        "agg_trade": lambda: client.agg_trade(symbol="btcusdt"),
        "kline": lambda: client.kline(symbol="btcusdt", interval="1m"),
        "book_ticker": lambda: client.book_ticker(symbol="btcusdt"),
        "partial_book_depth": lambda: client.partial_book_depth(symbol="btcusdt", level=5, speed=100),
        "diff_book_depth": lambda: client.diff_book_depth(symbol="btcusdt", speed=100),
    }.items():
        steps.step(f"stream: {name}", subscribe)
        time.sleep(0.25)  # the venue takes five messages a second

    def kinds() -> None:
        wanted = {'"aggTrade"', '"kline"', '"depthUpdate"', '"lastUpdateId"'}
        until = time.monotonic() + STEP_S_MAX
        while wanted and time.monotonic() < until:
            text = heard.get(timeout=STEP_S_MAX)
            wanted = {word for word in wanted if word not in text}
        expect(not wanted, wanted)

    steps.step("stream: events of each", kinds)
    client.stop()


def websocket_api(steps: Steps, told: Any) -> None:
    heard: queue.Queue[str] = queue.Queue()
    client = SpotWebsocketAPIClient(
        stream_url=told.api, api_key=told.key, api_secret=told.secret, on_message=lambda _, text: heard.put(text)
    )
    for name, send in {
        "order_book": lambda: client.order_book(symbol=SYMBOL),
        "new_order": lambda: client.new_order(**LIMIT, newOrderRespType="RESULT"),
        "account": client.account,
    }.items():

        def answered(send: Any = send) -> None:
            send()
            text = heard.get(timeout=STEP_S_MAX)
            expect('"status":200' in text, text)

        steps.step(f"WebSocket API: {name}", answered)
    client.stop()


if __name__ == "__main__":
    main()
