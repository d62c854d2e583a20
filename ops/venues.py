"""A venue's pure folder fitted to the doors: the one place where both are known, and the register of venues by name."""

import importlib
from collections.abc import Callable, Mapping

from bus.messages import CancelOrder, Instrument, QueryAnswer, RequestAnswered, SubmitOrder, VenueQuery
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot import order_rest, queries
from gateway.binance_spot.events import AccountPosition
from gateway.binance_spot.frames import SessionAnswer as VenueSessionAnswer
from gateway.binance_spot.limits import BinanceSpotLimits
from gateway.binance_spot.market import BINANCE_US, BinanceSpot
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.outcomes import INVALID_TIMESTAMP
from gateway.binance_spot.past_orders import past_orders_path
from gateway.binance_spot.signing import Ed25519Signer, HmacSigner, Signer
from gateway.binance_usdm.account import Paths
from gateway.binance_usdm.limits import BinanceUsdmLimits
from gateway.doors.order_venue import Read, SessionAnswer, StreamEnded, TimeRefused, Unreadable
from gateway.market import VenueLimits, VenueMarket
from ops.futures import BinanceUsdmOrders, BinanceUsdmRest
from ops.sections import VenueSection

STREAM_ENDS = ("eventStreamTerminated", "serverShutdown")
"""Events after which the private stream says nothing more (docs, user-data-stream; web-socket-api "Server Shutdown")."""

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


class BinanceSpotOrders:
    """gateway.doors.session.VenueOrders for Binance Spot."""

    def __init__(
        self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument], account: int, venue: int
    ) -> None:
        self.logs_on = signed_by.algorithm == "Ed25519"
        self._instruments, self.window_ms = dict(instruments), section.recv_window_ms
        self._codec = OrderCodec(
            signed_by,
            self.logs_on,
            section.recv_window_ms,
            account=account,
            venue=venue,
            instruments=tuple(instruments.values()),
            self_trade_prevention=section.self_trade_prevention,
        )
        self.logon, self.subscribe, self.time = (
            self._codec.logon_frame,
            self._codec.subscribe_frame,
            self._codec.time_frame,
        )
        self._submit_frame = self._codec.submit_frame

    def know(self, instrument: Instrument) -> None:
        self._instruments[instrument.instrument] = instrument
        self._codec.know(instrument)

    @property
    def instruments(self) -> Mapping[int, Instrument]:
        """As they are phrased now; who reads answers over REST reads them by the same."""
        return self._instruments

    def submit(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> bytes:
        return self._submit_frame(order, self._instruments[order.instrument], timestamp_ms, window_ms)

    def cancel(self, cancel: CancelOrder, timestamp_ms: int) -> bytes:
        return self._codec.cancel_frame(cancel, self._instruments[cancel.instrument], timestamp_ms)

    def read(self, payload: bytes, received_ns: int) -> list[Read]:
        decoded = self._codec.decode(payload, received_ns)
        if isinstance(decoded, VenueSessionAnswer):
            text = decoded.text or ("" if decoded.status == 200 else f"status {decoded.status}")
            code = decoded.code or (0 if decoded.status == 200 else decoded.status)
            return [
                SessionAnswer(decoded.request_id.removeprefix("session."), code, text, decoded.server_ns // 1_000_000)
            ]
        if isinstance(decoded, Notice):
            return [StreamEnded(decoded.kind)] if decoded.kind in STREAM_ENDS else []
        if isinstance(decoded, Garbage):
            return [Unreadable(decoded.detail)]
        if isinstance(decoded, AccountPosition):
            return []  # partial balances at an instant of the venue's; the ledger is compared by query, when quiet
        if isinstance(decoded, RequestAnswered) and decoded.code == INVALID_TIMESTAMP:
            return [decoded, TimeRefused()]
        return [decoded]


class BinanceSpotRest:
    """gateway.doors.rest.VenueAccount and gateway.doors.order_rest.VenueRestOrders for Binance Spot."""

    def __init__(self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument]) -> None:
        self._signer, self._window, self._instruments = signed_by, section.recv_window_ms, instruments
        self._prevention = section.self_trade_prevention

    def submit_request(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> tuple[str, str]:
        instrument = self._instruments[order.instrument]
        return order_rest.submit_request(order, instrument, self._signer, timestamp_ms, window_ms, self._prevention)

    def cancel_request(self, cancel: CancelOrder, timestamp_ms: int) -> tuple[str, str]:
        instrument = self._instruments[cancel.instrument]
        return order_rest.cancel_request(cancel, instrument, self._signer, timestamp_ms, self._window)

    def read_order(
        self, request: SubmitOrder | CancelOrder, status: int, body: bytes, received_ns: int
    ) -> RequestAnswered:
        by_symbol = {row.venue_symbol: row for row in self._instruments.values()}
        return order_rest.decode_order_answer(request, status, body, received_ns, by_symbol)

    def query_path(self, query: VenueQuery, timestamp_ms: int) -> str:
        instrument = self._instruments.get(query.instrument)
        return queries.query_request(query, instrument, self._signer, timestamp_ms, self._window)[1]

    def headers(self) -> dict[str, str]:
        return {"X-MBX-APIKEY": self._signer.api_key}

    def read_query(self, query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int) -> QueryAnswer:
        return queries.decode_query(query, status, body, asked_ns, received_ns, tuple(self._instruments.values()))


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


def account_rest(
    signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument]
) -> BinanceSpotRest | BinanceUsdmRest:
    """Phrases questions, and orders that go by REST, for the venue that trades."""
    kind = BinanceUsdmRest if section.kind == "binance-usdm" else BinanceSpotRest
    return kind(signed_by, section, instruments)
