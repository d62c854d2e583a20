"""Binance's USD-M futures fitted to the doors: where both are known."""

import re
from collections.abc import Callable, Mapping

from bus.messages import CancelOrder, Instrument, QueryAnswer, RequestAnswered, SubmitOrder, VenueQuery
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.frames import SessionAnswer as VenueSessionAnswer
from gateway.binance_spot.outcomes import INVALID_TIMESTAMP
from gateway.binance_spot.signing import Signer
from gateway.binance_usdm import order_rest, queries
from gateway.binance_usdm.events import LISTEN_KEY_EXPIRED, WalletMoved
from gateway.binance_usdm.orders import StreamAnswer, UsdmOrderCodec
from gateway.binance_usdm.outcomes import ENGINE_WINDOW
from gateway.doors.order_venue import Read, SessionAnswer, StreamEnded, TimeRefused, Unreadable
from ops.sections import VenueSection

STREAM_ENDS = (LISTEN_KEY_EXPIRED, "serverShutdown")
"""Events after which the private stream says nothing more (docs, "User Data Streams")."""
KEEP_ALIVE_S = 1_200.0
"""A listen key is good for an hour ("User Data Streams"); a third of it: two may be lost. Chosen."""
_LISTEN_KEY = re.compile(r"[A-Za-z0-9_-]{1,200}").fullmatch


class BinanceUsdmOrders:
    """gateway.doors.order_venue.VenueOrders, and gateway.doors.private_socket.StreamVenue."""

    keep_alive_s = KEEP_ALIVE_S

    def __init__(
        self, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument], account: int, venue: int
    ) -> None:
        self.logs_on = signed_by.algorithm == "Ed25519"
        self._instruments, self.window_ms = dict(instruments), section.recv_window_ms
        self._streams = section.streams.rstrip("/")
        self._codec = UsdmOrderCodec(
            signed_by,
            self.logs_on,
            section.recv_window_ms,
            account=account,
            venue=venue,
            instruments=tuple(instruments.values()),
            self_trade_prevention=section.self_trade_prevention,
        )
        self.logon, self.time = self._codec.logon_frame, self._codec.time_frame
        self.keep_alive = self._codec.keep_alive_frame
        self.on_wallet: Callable[[str], None] = lambda cause: None
        """Hears that the wallet moved by something that is no trade."""

    def know(self, instrument: Instrument) -> None:
        self._instruments[instrument.instrument] = instrument
        self._codec.know(instrument)

    @property
    def instruments(self) -> Mapping[int, Instrument]:
        """As they are phrased now; who reads answers over REST reads them by the same."""
        return self._instruments

    def subscribe(self, timestamp_ms: int) -> bytes:
        return self._codec.subscribe_frame()

    def submit(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> bytes:
        return self._codec.submit_frame(order, self._instruments[order.instrument], timestamp_ms, window_ms)

    def cancel(self, cancel: CancelOrder, timestamp_ms: int) -> bytes:
        return self._codec.cancel_frame(cancel, self._instruments[cancel.instrument], timestamp_ms)

    def read(self, payload: bytes, received_ns: int) -> list[Read]:
        decoded = self._codec.decode(payload, received_ns)
        if isinstance(decoded, StreamAnswer):
            return [self._stream(decoded)]
        if isinstance(decoded, VenueSessionAnswer):
            text = decoded.text or ("" if decoded.status == 200 else f"status {decoded.status}")
            code = decoded.code or (0 if decoded.status == 200 else decoded.status)
            request_id = decoded.request_id.removeprefix("session.")
            return [SessionAnswer(request_id, code, text, decoded.server_ns // 1_000_000)]
        if isinstance(decoded, Notice):
            return [StreamEnded(decoded.kind)] if decoded.kind in STREAM_ENDS else []
        if isinstance(decoded, Garbage):
            return [Unreadable(decoded.detail)]
        if isinstance(decoded, WalletMoved):
            self.on_wallet(decoded.cause)
            return []
        if isinstance(decoded, RequestAnswered) and decoded.code in (INVALID_TIMESTAMP, ENGINE_WINDOW):
            return [decoded, TimeRefused()]
        return [decoded]

    def _stream(self, answer: StreamAnswer) -> SessionAnswer:
        """Where the private stream is ("User Data Streams", since 2026-04-23 under /private)."""
        if not _LISTEN_KEY(answer.listen_key):
            return SessionAnswer("subscribe", -1, "the listen key is none that can stand in an address")
        return SessionAnswer("subscribe", 0, "", 0, f"{self._streams}/private/ws/{answer.listen_key}")


class BinanceUsdmRest:
    """gateway.doors.rest.VenueAccount and gateway.doors.order_rest.VenueRestOrders."""

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
