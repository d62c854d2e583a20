"""Binance's order entry fitted to the doors: what Spot (ops.spot) and the USD-M futures (ops.futures) have in common.

Both speak frames of one form (docs of each, "General API Information") and take the same kinds of questions. What differs is
said by the subclass, or comes in as the functions of the venue's folder.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from bus.messages import CancelOrder, ExecutionReport, Instrument, QueryAnswer, RequestAnswered, SubmitOrder, VenueQuery
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot import order_rest as spot_orders
from gateway.binance_spot import queries as spot_queries
from gateway.binance_spot.events import AccountPosition
from gateway.binance_spot.frames import OK
from gateway.binance_spot.frames import SessionAnswer as VenueSessionAnswer
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.signing import Signer
from gateway.binance_usdm import order_rest as usdm_orders
from gateway.binance_usdm import queries as usdm_queries
from gateway.binance_usdm.events import WalletMoved
from gateway.binance_usdm.orders import StreamAnswer, UsdmOrderCodec
from gateway.doors.order_venue import Read, SessionAnswer, StreamEnded, TimeRefused, Unreadable
from ops.sections import VenueSection


class BinanceOrders:
    """gateway.doors.order_venue.VenueOrders but `subscribe`.

    STREAM_ENDS: events after which the private stream says nothing more. CLOCK_CODES: errors that refuse a timestamp.
    """

    STREAM_ENDS: ClassVar[tuple[str, ...]]
    CLOCK_CODES: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        codec: OrderCodec | UsdmOrderCodec,
        signed_by: Signer,
        section: VenueSection,
        instruments: Mapping[int, Instrument],
    ) -> None:
        self.logs_on = signed_by.algorithm == "Ed25519"
        self.window_ms = section.recv_window_ms
        self._instruments = dict(instruments)
        self._known, self._decode = codec.know, codec.decode
        self._submit_frame, self._cancel_frame = codec.submit_frame, codec.cancel_frame
        self.logon, self.time = codec.logon_frame, codec.time_frame

    def know(self, instrument: Instrument) -> None:
        self._instruments[instrument.instrument] = instrument
        self._known(instrument)

    @property
    def instruments(self) -> Mapping[int, Instrument]:
        """As they are phrased now; who reads answers over REST reads them by the same."""
        return self._instruments

    def submit(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> bytes:
        return self._submit_frame(order, self._instruments[order.instrument], timestamp_ms, window_ms)

    def cancel(self, cancel: CancelOrder, timestamp_ms: int) -> bytes:
        return self._cancel_frame(cancel, self._instruments[cancel.instrument], timestamp_ms)

    def read(self, payload: bytes, received_ns: int) -> list[Read]:
        decoded = self._decode(payload, received_ns)
        if isinstance(decoded, ExecutionReport):
            return [decoded]
        if isinstance(decoded, RequestAnswered):
            return [decoded, TimeRefused()] if decoded.code in self.CLOCK_CODES else [decoded]
        if isinstance(decoded, VenueSessionAnswer):
            return [_session_answer(decoded)]
        if isinstance(decoded, Notice):
            return [StreamEnded(decoded.kind)] if decoded.kind in self.STREAM_ENDS else []
        if isinstance(decoded, Garbage):
            return [Unreadable(decoded.detail)]
        return self._besides(decoded)

    def _besides(self, _decoded: AccountPosition | WalletMoved | StreamAnswer) -> list[Read]:
        """Balances that an event tells are partial, at an instant of the venue's: the ledger is compared by query, when quiet."""
        return []


def _session_answer(answer: VenueSessionAnswer) -> SessionAnswer:
    """A status that is no 200 is an error, also without a code of its own."""
    bad = 0 if answer.status == OK else answer.status
    text = answer.text or (f"status {bad}" if bad else "")
    request_id = answer.request_id.removeprefix("session.")
    return SessionAnswer(request_id, answer.code or bad, text, answer.server_ns // 1_000_000)


class Rest(NamedTuple):
    """What a venue's folder says over REST: gateway/VENUE/order_rest.py and queries.py."""

    submit_request: Callable[[SubmitOrder, Instrument, Signer, int, int, str], tuple[str, str]]
    cancel_request: Callable[[CancelOrder, Instrument, Signer, int, int], tuple[str, str]]
    read_order: Callable[[SubmitOrder | CancelOrder, int, bytes, int, Mapping[str, Instrument]], RequestAnswered]
    query_request: Callable[[VenueQuery, Instrument | None, Signer, int, int], tuple[str, str]]
    read_query: Callable[[VenueQuery, int, bytes, int, int, Sequence[Instrument]], QueryAnswer]


SPOT = Rest(
    spot_orders.submit_request,
    spot_orders.cancel_request,
    spot_orders.decode_order_answer,
    spot_queries.query_request,
    spot_queries.decode_query,
)
USDM = Rest(
    usdm_orders.submit_request,
    usdm_orders.cancel_request,
    usdm_orders.decode_order_answer,
    usdm_queries.query_request,
    usdm_queries.decode_query,
)


class BinanceRest:
    """gateway.doors.rest.VenueAccount and gateway.doors.order_rest.VenueRestOrders."""

    def __init__(
        self, rest: Rest, signed_by: Signer, section: VenueSection, instruments: Mapping[int, Instrument]
    ) -> None:
        self._rest, self._signer, self._instruments = rest, signed_by, instruments
        self._window, self._prevention = section.recv_window_ms, section.self_trade_prevention

    def submit_request(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> tuple[str, str]:
        instrument = self._instruments[order.instrument]
        return self._rest.submit_request(order, instrument, self._signer, timestamp_ms, window_ms, self._prevention)

    def cancel_request(self, cancel: CancelOrder, timestamp_ms: int) -> tuple[str, str]:
        instrument = self._instruments[cancel.instrument]
        return self._rest.cancel_request(cancel, instrument, self._signer, timestamp_ms, self._window)

    def read_order(
        self, request: SubmitOrder | CancelOrder, status: int, body: bytes, received_ns: int
    ) -> RequestAnswered:
        by_symbol = {row.venue_symbol: row for row in self._instruments.values()}
        return self._rest.read_order(request, status, body, received_ns, by_symbol)

    def query_path(self, query: VenueQuery, timestamp_ms: int) -> str:
        instrument = self._instruments.get(query.instrument)
        return self._rest.query_request(query, instrument, self._signer, timestamp_ms, self._window)[1]

    def headers(self) -> dict[str, str]:
        return {"X-MBX-APIKEY": self._signer.api_key}

    def read_query(self, query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int) -> QueryAnswer:
        return self._rest.read_query(query, status, body, asked_ns, received_ns, tuple(self._instruments.values()))
