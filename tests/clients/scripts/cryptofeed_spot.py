"""cryptofeed: market data feeds with its own books, checked against each other by itself."""

import asyncio
import threading
from typing import Any

from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, WebsocketEndpoint
from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES
from cryptofeed.exchanges import Binance
from steps import STEP_S_MAX, Steps, arguments, expect

SYMBOL = "BTC-USDT"


def point_at(told: Any) -> None:
    """The lines that point it at the venue: endpoints are attributes of its class."""
    Binance.websocket_endpoints = [WebsocketEndpoint(told.streams)]
    Binance.rest_endpoints = [RestEndpoint(told.rest, routes=Binance.rest_endpoints[0].routes)]


def main() -> None:
    told = arguments()
    point_at(told)
    steps = Steps()
    heard = {channel: threading.Event() for channel in (TRADES, TICKER, L2_BOOK, CANDLES)}

    def on(channel: str) -> Any:
        async def hear(data: Any, received: float) -> None:
            if channel == L2_BOOK:
                expect(data.book.bids.index(0)[0] < data.book.asks.index(0)[0], "crossed")
            heard[channel].set()

        return hear

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    handler = FeedHandler(config={"uvloop": False, "log": {"filename": "/dev/null", "level": "WARNING"}})
    handler.add_feed(
        Binance(
            symbols=[SYMBOL],
            channels=list(heard),
            callbacks={channel: on(channel) for channel in heard},
            candle_closed_only=False,
        )
    )
    handler.run(start_loop=False, install_signal_handlers=False)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    for channel, event in heard.items():
        steps.step(channel, lambda event=event: expect(event.wait(STEP_S_MAX), "no event"))
    steps.end()


if __name__ == "__main__":
    main()
