"""The venues that conform: a new one is a row. What is here is all that the suite knows of a venue."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.binance_spot.market import BINANCE_US, BinanceSpot
from gateway.binance_usdm.market import BinanceUsdm
from gateway.bybit.market import Bybit
from gateway.coinbase.market import Coinbase
from gateway.kraken.market import Kraken
from gateway.market import VenueMarket
from gateway.okx.market import Okx
from gateway.simulated.wire import TrueBook, Wire
from gateway.simulated.wire.binance_spot import BinanceSpotWire
from gateway.simulated.wire.binance_usdm import BinanceUsdmWire
from gateway.simulated.wire.bybit import BybitWire
from gateway.simulated.wire.coinbase import CoinbaseWire
from gateway.simulated.wire.kraken import KrakenWire
from gateway.simulated.wire.okx import OkxWire
from tests.support.traffic import Symbol

PRICE_DECIMALS, QUANTITY_DECIMALS = 2, 5


class Row(NamedTuple):
    """market: a fresh one. wire: of a symbol, as `gateway.simulated.wire.Wire` says; `options`: what is its own.

    depth: levels a side that its stream tells, 0: all. without_ids: its messages bear no number that proves them, and the
    rule does not say so. document: its page in docs/venues.
    """

    name: str
    market: Callable[[], VenueMarket]
    wire: Callable[..., Wire]
    symbols: tuple[str, str]
    document: str
    depth: int = 0
    options: Mapping[str, Any] = MappingProxyType({})
    without_ids: bool = False

    def symbol(self, number: int, seed: int, beside: Symbol | None = None) -> Symbol:
        """beside: another symbol of the same connection."""
        name, options = self.symbols[number], dict(self.options)
        if beside is not None and hasattr(beside.wire, "numbers"):
            options["numbers"] = beside.wire.numbers
        wire = self.wire(name, PRICE_DECIMALS, QUANTITY_DECIMALS, self.depth, **options)
        return Symbol(name, wire, TrueBook(seed), self.depth)


BINANCE = ("BTCUSDT", "ETHUSDT")
DASHED = ("BTC-USD", "ETH-USD")
ROWS = (
    Row("binance-spot", BinanceSpot, BinanceSpotWire, BINANCE, "binance-spot"),
    Row("binance-us", partial(BinanceSpot, "binance-us", BINANCE_US), BinanceSpotWire, BINANCE, "binance-spot"),
    Row("binance-usdm", BinanceUsdm, BinanceUsdmWire, BINANCE, "binance-usdm"),
    Row("bybit", Bybit, BybitWire, BINANCE, "bybit", depth=50),
    Row("bybit-linear", partial(Bybit, "linear"), BybitWire, BINANCE, "bybit", depth=50, options={"linear": True}),
    Row("okx", Okx, OkxWire, ("BTC-USDT", "ETH-USDT"), "okx", depth=400),
    Row("okx-checksums", Okx, OkxWire, ("BTC-USDT", "ETH-USDT"), "okx", depth=400, options={"checksum": True}),
    Row(
        "okx-2022",
        Okx,
        OkxWire,
        ("BTC-USDT", "ETH-USDT"),
        "okx",
        depth=400,
        options={"checksum": True, "ids": False},
        without_ids=True,
    ),
    Row("kraken-10", Kraken, KrakenWire, ("BTC/USD", "ETH/USD"), "kraken", depth=10),
    Row("kraken-25", Kraken, KrakenWire, ("BTC/USD", "ETH/USD"), "kraken", depth=25),
    Row("coinbase", Coinbase, CoinbaseWire, DASHED, "coinbase"),
)
