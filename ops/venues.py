"""A venue's pure folder fitted to the doors: the one place where both are known."""

from collections.abc import Mapping, Sequence

from bus.messages import CancelOrder, Instrument, QueryAnswer, SnapshotRequest, SubmitOrder, VenueQuery
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot import codec, queries
from gateway.binance_spot.events import AccountPosition
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.orders import SessionAnswer as VenueSessionAnswer
from gateway.binance_spot.signing import Ed25519Signer, HmacSigner, Signer
from gateway.doors.session import Read, SessionAnswer, StreamEnded, Unreadable
from ops.sections import VenueSection

STREAM_ENDS = ("eventStreamTerminated", "serverShutdown")
"""Events after which the private stream says nothing more (docs, user-data-stream; web-socket-api "Server Shutdown")."""


def signer(api_key: str, secret: str, private_key: str) -> Signer:
    """Ed25519 when a private key is given, else HMAC-SHA256."""
    return Ed25519Signer(api_key, private_key) if private_key else HmacSigner(api_key, secret)


class BinanceSpotOrders:
    """gateway.doors.session.VenueOrders for Binance Spot."""

    def __init__(
        self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument], account: int, venue: int
    ) -> None:
        self.logs_on = signed_by.algorithm == "Ed25519"
        self._instruments, self.window_ms = instruments, section.recv_window_ms
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
        return [decoded]


class BinanceSpotRest:
    """gateway.doors.rest.VenueRest for Binance Spot."""

    def __init__(self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument]) -> None:
        self._signer, self._window, self._instruments = signed_by, section.recv_window_ms, instruments

    def snapshot_path(self, request: SnapshotRequest) -> str:
        return codec.snapshot_path(request.venue_symbol, request.levels)

    def query_path(self, query: VenueQuery, timestamp_ms: int) -> str:
        instrument = self._instruments.get(query.instrument)
        return queries.query_request(query, instrument, self._signer, timestamp_ms, self._window)[1]

    def headers(self) -> dict[str, str]:
        return {"X-MBX-APIKEY": self._signer.api_key}

    def read_query(self, query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int) -> QueryAnswer:
        return queries.decode_query(query, status, body, asked_ns, received_ns, tuple(self._instruments.values()))


class BinanceSpotPublic:
    """gateway.doors.rest.VenueRest for a host without keys: depth snapshots, and no question about an account."""

    def snapshot_path(self, request: SnapshotRequest) -> str:
        return codec.snapshot_path(request.venue_symbol, request.levels)

    def query_path(self, query: VenueQuery, timestamp_ms: int) -> str:
        raise NotImplementedError("no actor of this host asks about an account")

    def headers(self) -> dict[str, str]:
        return {}

    def read_query(self, query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int) -> QueryAnswer:
        raise NotImplementedError("no actor of this host asks about an account")


def stream_url(section: VenueSection, symbols: Sequence[str]) -> str:
    """One combined connection with depth, best quotes and trades of all symbols."""
    return section.streams.rstrip("/") + codec.stream_path(list(symbols))
