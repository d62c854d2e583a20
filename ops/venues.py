"""The register of venues: by the names that a configuration takes, what reads and trades there."""

import importlib
from collections.abc import Callable, Mapping

from bus.messages import Instrument
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.binance_spot.market import BINANCE_US, BinanceSpot
from gateway.binance_spot.past_orders import past_orders_path
from gateway.binance_spot.signing import Ed25519Signer, HmacSigner, Signer
from gateway.binance_usdm.account import Paths
from gateway.binance_usdm.limits import BinanceUsdmLimits
from gateway.market import VenueLimits, VenueMarket
from ops.binance import SPOT, USDM, BinanceRest
from ops.futures import BinanceUsdmOrders
from ops.sections import VenueSection
from ops.spot import BinanceSpotOrders

ORDER_ENTRY = {
    "binance-spot": "wss://ws-api.binance.com:443/ws-api/v3",  # docs, web-socket-api, "General API Information"
    "binance-us": "wss://ws-api.binance.us:443/ws-api/v3",  # docs.binance.us, "WebSocket API"
    "binance-usdm": "wss://ws-fapi.binance.com/ws-fapi/v1",  # docs, USD-M futures, "WebSocket API General Info"
}
"""Where orders of a venue go, by the names that [venue] kind takes."""

TESTNETS = {
    "binance-spot": (
        "https://testnet.binance.vision",
        "wss://stream.testnet.binance.vision",
        "wss://ws-api.testnet.binance.vision/ws-api/v3",
    ),  # docs, testnet, "General Info"
    "binance-usdm": (
        "https://demo-fapi.binance.com",
        "wss://demo-fstream.binance.com",
        "wss://testnet.binancefuture.com/ws-fapi/v1",
    ),  # docs, USD-M futures, "General Info" and "WebSocket API General Info"
}
"""By the same names, the venue's own test network: REST, streams, order entry. Binance US has none."""

LIMITS: dict[str, Callable[[], VenueLimits]] = {
    "binance-spot": BinanceSpotLimits,
    "binance-us": BinanceSpotLimits,
    "binance-usdm": BinanceUsdmLimits,
}
"""By the same names, what requests cost where that is counted; elsewhere only what the venue says of itself is obeyed."""


def _of(folder: str, name: str, *arguments: str) -> Callable[[], VenueMarket]:
    """Imported when it is asked for: an engine on one venue loads one venue."""

    def make() -> VenueMarket:
        market: VenueMarket = getattr(importlib.import_module(f"gateway.{folder}.market"), name)(*arguments)
        return market

    return make


MARKETS: dict[str, Callable[[], VenueMarket]] = {
    "binance-spot": BinanceSpot,
    "binance-us": lambda: BinanceSpot("binance-us", BINANCE_US),
    "binance-usdm": _of("binance_usdm", "BinanceUsdm"),
    "kraken": _of("kraken", "Kraken"),
    "okx": _of("okx", "Okx"),
    "bybit": _of("bybit", "Bybit"),
    "bybit-linear": _of("bybit", "Bybit", "linear"),
    "coinbase": _of("coinbase", "Coinbase"),
}
"""Every venue whose market data can be read, by the name that a configuration and a capture call it."""

LEVELS = {
    "binance-spot": (1_000, 5_000),
    "binance-us": (1_000, 5_000),
    "binance-usdm": (1_000, 1_000),
    "kraken": (10, 1_000),
    "okx": (400, 400),
    "bybit": (200, 1_000),
    "bybit-linear": (200, 1_000),
    "coinbase": (10_000, 10_000),
}
"""Levels of a book that is only looked at: usual, unless its row says otherwise, and most. The most are the venues' own
(each folder's market.py); the usual ones are chosen: Kraken's is what its checksum proves. Coinbase sends whole books
whatever is asked for.
"""


def signer(api_key: str, secret: str, private_key: str) -> Signer:
    """Ed25519 when a private key is given, else HMAC-SHA256."""
    return Ed25519Signer(api_key, private_key) if private_key else HmacSigner(api_key, secret)


PAST_ORDERS: dict[str, Callable[[str, Signer, int, int], str]] = {
    "binance-spot": past_orders_path,
    "binance-us": past_orders_path,
    "binance-usdm": lambda symbol, signed_by, ms, window_ms: Paths(signed_by, window_ms).past_orders(symbol, ms),
}
"""By the names that [venue] kind takes, the path of an account's newest orders: of a symbol, at a venue's time, with a window."""


def order_entry(
    signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument], account: int, venue: int
) -> BinanceSpotOrders | BinanceUsdmOrders:
    """Phrases orders and reads what comes back, for the venue that trades."""
    kind = BinanceUsdmOrders if section.kind == "binance-usdm" else BinanceSpotOrders
    return kind(signed_by, section, instruments, account, venue)


def account_rest(signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument]) -> BinanceRest:
    """Phrases questions, and orders that go by REST, for the venue that trades."""
    return BinanceRest(USDM if section.kind == "binance-usdm" else SPOT, signed_by, section, instruments)
