"""nautilus_trader's Binance adapter, spot: instruments and market data in a live node.

Its execution client (1.221.0, the last for Python 3.11) asks for a listen key, which the venue has no more: 410, as there.
"""

import asyncio
from typing import Any

from nautilus_trader.adapters.binance import BINANCE, BinanceDataClientConfig
from nautilus_trader.adapters.binance.factories import BinanceLiveDataClientFactory
from nautilus_trader.config import InstrumentProviderConfig, LoggingConfig, TradingNodeConfig
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.data import BarType
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.trading.strategy import Strategy
from steps import Steps, arguments, expect

INSTRUMENT = InstrumentId.from_str("BTCUSDT.BINANCE")
RUN_S = 12.0  # chosen: connecting takes some seconds, the first bar's trades some more


class Listener(Strategy):  # type: ignore[misc]  # compiled, without types
    """Notes what comes."""

    heard: dict[str, int]

    def __init__(self) -> None:
        super().__init__()
        self.heard = {}

    def note(self, kind: str) -> None:
        self.heard[kind] = self.heard.get(kind, 0) + 1

    def on_start(self) -> None:
        self.subscribe_trade_ticks(INSTRUMENT)
        self.subscribe_quote_ticks(INSTRUMENT)
        self.subscribe_order_book_deltas(INSTRUMENT)
        self.subscribe_bars(BarType.from_str(f"{INSTRUMENT}-1-SECOND-LAST-EXTERNAL"))

    def on_trade_tick(self, tick: Any) -> None:
        self.note("trade ticks")

    def on_quote_tick(self, tick: Any) -> None:
        self.note("quote ticks")

    def on_order_book_deltas(self, deltas: Any) -> None:
        self.note("order book deltas")

    def on_bar(self, bar: Any) -> None:
        self.note("bars")


def node_of(told: Any) -> TradingNode:
    """The lines that point it at the venue."""
    client = BinanceDataClientConfig(
        api_key=told.key,
        api_secret=told.secret,
        base_url_http=told.rest,
        base_url_ws=told.streams,
        instrument_provider=InstrumentProviderConfig(load_ids=frozenset([INSTRUMENT])),
    )
    config = TradingNodeConfig(
        trader_id=TraderId("TESTER-001"),
        logging=LoggingConfig(log_level="ERROR"),
        data_clients={BINANCE: client},
        timeout_connection=8.0,
        timeout_disconnection=2.0,
        timeout_post_stop=0.5,
    )
    node = TradingNode(config=config)
    node.add_data_client_factory(BINANCE, BinanceLiveDataClientFactory)
    node.build()
    return node


async def main() -> None:
    told = arguments()
    steps = Steps()
    listener = Listener()
    node = node_of(told)
    node.trader.add_strategy(listener)
    running = asyncio.create_task(node.run_async())
    await asyncio.sleep(RUN_S)
    await node.stop_async()
    running.cancel()
    for kind in ("trade ticks", "quote ticks", "order book deltas", "bars"):
        steps.step(kind, lambda kind=kind: expect(kind in listener.heard, listener.heard))
    steps.end()


if __name__ == "__main__":
    asyncio.run(main())
