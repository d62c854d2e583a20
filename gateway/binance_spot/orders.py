"""Order entry over the WebSocket API: requests as bytes, answers and user-stream events as messages. Pure, stateless.

A request's id names its order (`s` or `c`, then the client order id), so that an answer is understood without memory.
Requests are byte templates, one a symbol, kind and side: ids are [0-9a-z], prices and quantities digits, so nothing
needs escaping. submit_frame and cancel_frame, p50 us: 1.0 on a session that is logged on, 2.5 and 2.2 with an HMAC signature.
"""

from collections.abc import Sequence

import msgspec

from bus.messages import (
    CancelOrder,
    ExecutionReport,
    Instrument,
    Outcome,
    Refusal,
    RequestAnswered,
    RequestKind,
    Side,
    SubmitOrder,
)
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.decimals import MS_NS, UNIT, Id, Millis
from gateway.binance_spot.events import AccountPosition, decode_event
from gateway.binance_spot.outcomes import outcome_of
from gateway.binance_spot.signing import Signer, signed_params

REASON_MAX = 200  # characters of the venue's text kept in a message

LOGON_ID = "session.logon"
SUBSCRIBE_ID = "session.subscribe"
TIME_ID = "session.time"
"""Request ids that are not an order's: client order ids have no dot."""
_SESSION_IDS = frozenset((LOGON_ID, SUBSCRIBE_ID, TIME_ID))

_ORDER_REQUESTS = {"s": RequestKind.SUBMIT, "c": RequestKind.CANCEL}
STP_MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")

_OK = 200


class SessionAnswer(msgspec.Struct, frozen=True, gc=False):
    """The answer to logon, subscribe or time. code 0: none. server_ns: the venue's clock, for time; else 0."""

    request_id: str
    status: int
    code: int
    text: str
    server_ns: int = 0


class _Error(msgspec.Struct, gc=False):
    """data: of -1003 and others, `retryAfter` in ms since 1970 among it."""

    code: int = 0
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _ErrorData(msgspec.Struct, gc=False):
    retryAfter: int = 0


class _Frame(msgspec.Struct, gc=False):
    """An answer has `id` and `status`; an event has `event` (or, on a stream of its own, `e` at the top)."""

    id: str | int | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None
    event: msgspec.Raw = msgspec.Raw(b"")
    e: str = ""


class _OrderResult(msgspec.Struct, gc=False):
    orderId: Id
    symbol: str = ""


class _TimeResult(msgspec.Struct, gc=False):
    serverTime: Millis


Decoded = RequestAnswered | ExecutionReport | AccountPosition | SessionAnswer | Notice | Garbage

_frame = msgspec.json.Decoder(_Frame).decode
_order_result = msgspec.json.Decoder(_OrderResult).decode
_error_data = msgspec.json.Decoder(_ErrorData).decode
_time_result = msgspec.json.Decoder(_TimeResult).decode


class OrderCodec:
    """One account's order entry.

    session_logged_on: the session is authenticated (`logon_frame` was answered with 200), so requests carry neither
    key nor signature. instruments: what is configured; an event of another symbol gets instrument -1.
    """

    def __init__(
        self,
        signer: Signer,
        session_logged_on: bool,
        recv_window_ms: int,
        *,
        account: int = 0,
        venue: int = 0,
        instruments: Sequence[Instrument] = (),
        self_trade_prevention: str = "EXPIRE_MAKER",
    ) -> None:
        assert self_trade_prevention in STP_MODES, self_trade_prevention
        self._signer = signer
        self._sign = signer.sign
        self._logged_on = session_logged_on
        self._recv_window_ms = recv_window_ms
        self._account = account
        self._venue = venue
        self._by_symbol = {instrument.venue_symbol: instrument for instrument in instruments}
        self._prevention = self_trade_prevention
        self._templates: dict[tuple[str, Side, bool, int], tuple[bytes, bytes, int]] = {}
        self._cancel_templates: dict[tuple[str, bool], tuple[bytes, bytes]] = {}

    def know(self, instrument: Instrument) -> None:
        """Another version of an instrument: what comes from now on is in its scales."""
        self._by_symbol[instrument.venue_symbol] = instrument

    def submit_frame(self, order: SubmitOrder, instrument: Instrument, timestamp_ms: int, recv_window_ms: int) -> bytes:
        """Return `order.place`: LIMIT_MAKER when post-only, else LIMIT GTC. HOT PATH.

        timestamp_ms, recv_window_ms: venue time; their sum is the deadline after which the venue refuses.
        """
        assert order.client_order_id.isalnum(), order
        key = (instrument.venue_symbol, order.side, order.post_only, instrument.quantity_scale)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = self._submit_template(*key)
        price, price_part = divmod(order.price_ticks * instrument.tick, UNIT)
        quantity, quantity_part = divmod(order.quantity_lots * instrument.lot, template[2])
        client_order_id = order.client_order_id.encode()
        values = (client_order_id, price, price_part, quantity, quantity_part, recv_window_ms, timestamp_ms)
        if self._logged_on:
            return template[1] % (client_order_id, *values)
        signature = self._sign(template[0] % values).encode()
        return template[1] % (client_order_id, *values, signature)

    def _submit_template(
        self, venue_symbol: str, side: Side, post_only: bool, quantity_scale: int
    ) -> tuple[bytes, bytes, int]:
        """Return what is signed and what is sent, both with the fields in order of their names, and a quantity's unit."""
        params = [
            ("newClientOrderId", "%b", True),
            ("newOrderRespType", "ACK", True),
            ("price", "%d.%08d", True),
            ("quantity", f"%d.%0{max(quantity_scale, 1)}d", True),  # whole lots are sent as `7.0`
            ("recvWindow", "%d", False),
            ("selfTradePreventionMode", self._prevention, True),
            ("side", side.name, True),
            ("symbol", venue_symbol, True),
            ("timeInForce", "GTC", True),
            ("timestamp", "%d", False),
            ("type", "LIMIT_MAKER" if post_only else "LIMIT", True),
        ]
        if post_only:
            params = [param for param in params if param[0] != "timeInForce"]
        return *self._template("s%b", "order.place", params), 10**quantity_scale

    def _template(self, request_id: str, method: str, params: list[tuple[str, str, bool]]) -> tuple[bytes, bytes]:
        signed, fields = self._join(params)
        if not self._logged_on:
            fields += ',"signature":"%b"'
        return signed.encode(), f'{{"id":"{request_id}","method":"{method}","params":{{{fields}}}}}'.encode()

    def _join(self, params: list[tuple[str, str, bool]]) -> tuple[str, str]:
        """Return what is signed, and the JSON fields. params: name, value, whether it is text; sorted by name."""
        if not self._logged_on:
            params = [("apiKey", self._signer.api_key, True), *params]
        assert params == sorted(params), params
        signed = "&".join(f"{name}={value}" for name, value, _ in params)
        fields = ",".join(f'"{name}":"{value}"' if text else f'"{name}":{value}' for name, value, text in params)
        return signed, fields

    def cancel_frame(self, cancel: CancelOrder, instrument: Instrument, timestamp_ms: int) -> bytes:
        """Return `order.cancel` by the order's own id, and by the venue's too where it is known (above 0).

        newClientOrderId is the cancel's own id; the venue reports it as `c`, and the order's as `C`. HOT PATH.
        """
        assert (cancel.client_order_id + cancel.cancel_id).isalnum(), cancel
        venue_order_id = cancel.venue_order_id
        key = (instrument.venue_symbol, venue_order_id > 0)
        template = self._cancel_templates.get(key)
        if template is None:
            template = self._cancel_templates[key] = self._cancel_template(*key)
        client_order_id = cancel.client_order_id.encode()
        values: tuple[bytes | int, ...]
        if venue_order_id > 0:
            values = (cancel.cancel_id.encode(), venue_order_id, client_order_id, timestamp_ms)
        else:
            values = (cancel.cancel_id.encode(), client_order_id, timestamp_ms)
        if self._logged_on:
            return template[1] % (client_order_id, *values)
        return template[1] % (client_order_id, *values, self._sign(template[0] % values).encode())

    def _cancel_template(self, venue_symbol: str, by_venue_id: bool) -> tuple[bytes, bytes]:
        """Return what is signed and what is sent, as `_submit_template`."""
        params = [
            ("newClientOrderId", "%b", True),
            ("orderId", "%d", False),
            ("origClientOrderId", "%b", True),
            ("recvWindow", str(self._recv_window_ms), False),
            ("symbol", venue_symbol, True),
            ("timestamp", "%d", False),
        ]
        if not by_venue_id:
            del params[1]
        return self._template("c%b", "order.cancel", params)

    def logon_frame(self, timestamp_ms: int) -> bytes:
        """Return `session.logon`; the venue takes it from Ed25519 keys only."""
        params = {"recvWindow": self._recv_window_ms, "timestamp": timestamp_ms}
        return _request(LOGON_ID, "session.logon", signed_params(self._signer, params))

    def subscribe_frame(self, timestamp_ms: int) -> bytes:
        """Return the user stream's subscription: plain on a session that is logged on, else by signature."""
        if self._logged_on:
            return _request(SUBSCRIBE_ID, "userDataStream.subscribe", {})
        params = signed_params(self._signer, {"timestamp": timestamp_ms})
        return _request(SUBSCRIBE_ID, "userDataStream.subscribe.signature", params)

    def time_frame(self) -> bytes:
        """Return `time`: the venue's clock, weight 1; also a sign of life."""
        return _request(TIME_ID, "time", {})

    def decode(self, payload: bytes, received_ns: int) -> Decoded:
        """Return what one frame says. Never raises on what a venue may send."""
        try:
            frame = _frame(payload)
        except (ValueError, RecursionError) as error:
            return Garbage(f"{error}; {payload[:REASON_MAX]!r}")
        if frame.event or frame.e:
            event = bytes(frame.event) or payload
            return decode_event(event, received_ns, self._account, self._venue, self._by_symbol)
        if frame.status == 0:
            return Notice("unknown", payload[:REASON_MAX].decode("utf-8", "replace"))
        if not isinstance(frame.id, str):  # ours are texts; null: the venue could not read the request
            text = frame.error.msg if frame.error else ""
            return Notice("answer", f"id={frame.id} status={frame.status} {text[:REASON_MAX]}")
        if frame.id in _SESSION_IDS:
            return _session_answer(frame.id, frame)
        request = _ORDER_REQUESTS.get(frame.id[:1])
        if request is None:
            return Notice("answer", f"id={frame.id[:REASON_MAX]} status={frame.status}")
        return self._answer(request, frame.id[1:], frame, received_ns)

    def _answer(self, request: RequestKind, client_order_id: str, frame: _Frame, received_ns: int) -> RequestAnswered:
        outcome, code, venue_order_id, instrument, reason = Outcome.RESULT, 0, 0, -1, ""
        if frame.status == _OK and frame.error is None:
            try:
                result = _order_result(frame.result)
                venue_order_id = result.orderId
                known = self._by_symbol.get(result.symbol)
                instrument = -1 if known is None else known.instrument
            except ValueError as error:  # it was done, but we cannot say as what
                outcome, reason = Outcome.AMBIGUOUS, f"result: {error}"
        else:
            code, text = (frame.error.code, frame.error.msg) if frame.error else (0, "")
            outcome = outcome_of(request, frame.status, code, text)
            reason = _error_text(frame.error)
        refusal = Refusal.VENUE_REJECTED if outcome is Outcome.REFUSED else Refusal.NONE
        return RequestAnswered(
            request, instrument, client_order_id, outcome, refusal, code, venue_order_id, received_ns, reason
        )


def _session_answer(request_id: str, frame: _Frame) -> SessionAnswer:
    if frame.error is not None:
        return SessionAnswer(request_id, frame.status, frame.error.code, _error_text(frame.error))
    if request_id != TIME_ID or frame.status != _OK:
        return SessionAnswer(request_id, frame.status, 0, "")
    try:
        return SessionAnswer(request_id, frame.status, 0, "", _time_result(frame.result).serverTime * MS_NS)
    except ValueError as error:
        return SessionAnswer(request_id, frame.status, 0, f"result: {error}"[:REASON_MAX])


def _error_text(error: _Error | None) -> str:
    """Return the venue's text, and ` retry_after_ms=` (ms since 1970) where it says when to come back."""
    if error is None:
        return "no error in the answer"
    try:
        retry_after_ms = _error_data(error.data).retryAfter
    except ValueError:
        retry_after_ms = 0
    text = error.msg[:REASON_MAX]
    return f"{text} retry_after_ms={retry_after_ms}" if retry_after_ms else text


def _request(request_id: str, method: str, params: dict[str, str | int]) -> bytes:
    return msgspec.json.encode({"id": request_id, "method": method, "params": params})
