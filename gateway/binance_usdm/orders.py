"""Order entry over the futures' WebSocket API: requests as bytes, answers and user-stream events as messages. Pure, stateless.

As on Spot (gateway/binance_spot/frames.py), with these differences. Prices and quantities are written with the decimals of
the instrument's grid and no more: finer ones are -1111. Post-only is the time in force GTX. A cancel has no id of its own:
its event bears the order's. The private stream has a socket of its own, named by a listen key that `subscribe_frame` asks
for. The API tells its clock in `session.status`. Source: documents of USD-M futures, "WebSocket API", read 2026-11.
"""

from collections.abc import Sequence

import msgspec

from bus.messages import CancelOrder, ExecutionReport, Instrument, RequestAnswered, Side, SubmitOrder
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.frames import (
    LOGON_ID,
    OK,
    REASON_MAX,
    SUBSCRIBE_ID,
    TIME_ID,
    Frame,
    SessionAnswer,
    answer,
    read_frame,
    request_template,
    session_answer,
    session_request,
)
from gateway.binance_spot.signing import Signer, signed_params
from gateway.binance_usdm.events import WalletMoved, decode_event
from gateway.binance_usdm.outcomes import outcome_of

KEEP_ALIVE_ID = "session.keepalive"
_SESSION_IDS = frozenset((LOGON_ID, SUBSCRIBE_ID, TIME_ID, KEEP_ALIVE_ID))
STP_MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
"""NONE is refused since 2024-12-10 (docs, change log)."""


class StreamAnswer(msgspec.Struct, frozen=True, gc=False):
    """The answer to `subscribe_frame`: the private stream's name."""

    request_id: str
    listen_key: str


class _KeyResult(msgspec.Struct, gc=False):
    listenKey: str


class _Phrased(msgspec.Struct, frozen=True, gc=False):
    """What is signed, what is sent, and how figures are written: divided by `*_divisor` to the grid's decimals, then by
    `*_unit` into whole and part; unit 1: there is no part, not even a point.
    """

    signed: bytes
    sent: bytes
    price_divisor: int
    price_unit: int
    quantity_divisor: int
    quantity_unit: int


Decoded = RequestAnswered | ExecutionReport | WalletMoved | SessionAnswer | StreamAnswer | Notice | Garbage
_Key = tuple[str, int, Side, bool, bool]

_key_result = msgspec.json.Decoder(_KeyResult).decode


class UsdmOrderCodec:
    """One account's order entry, in one-way mode.

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
        self_trade_prevention: str = "EXPIRE_TAKER",
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
        self._templates: dict[_Key, _Phrased] = {}
        self._cancel_templates: dict[tuple[str, bool], tuple[bytes, bytes]] = {}

    def know(self, instrument: Instrument) -> None:
        """Another version of an instrument: what comes from now on is in its scales."""
        self._by_symbol[instrument.venue_symbol] = instrument

    def submit_frame(self, order: SubmitOrder, instrument: Instrument, timestamp_ms: int, recv_window_ms: int) -> bytes:
        """Return `order.place`: LIMIT, GTX when post-only, else GTC. HOT PATH.

        timestamp_ms, recv_window_ms: venue time; their sum is the deadline after which the venue refuses.
        """
        assert order.client_order_id.isalnum(), order
        key = (instrument.venue_symbol, instrument.version, order.side, order.post_only, order.reduce_only)
        phrased = self._templates.get(key)
        if phrased is None:
            phrased = self._templates[key] = self._phrase(order, instrument)
        price_unit, quantity_unit = phrased.price_unit, phrased.quantity_unit
        price: int = order.price_ticks * instrument.tick // phrased.price_divisor
        quantity: int = order.quantity_lots * instrument.lot // phrased.quantity_divisor
        client_order_id = order.client_order_id.encode()
        values = (
            client_order_id,
            price // price_unit,
            price % price_unit if price_unit > 1 else b"",
            quantity // quantity_unit,
            quantity % quantity_unit if quantity_unit > 1 else b"",
            recv_window_ms,
            timestamp_ms,
        )
        if self._logged_on:
            return phrased.sent % (client_order_id, *values)
        return phrased.sent % (client_order_id, *values, self._sign(phrased.signed % values).encode())

    def _phrase(self, order: SubmitOrder, instrument: Instrument) -> _Phrased:
        """With the fields in order of their names. Kept by the instrument's version: its grid never changes within one."""
        price_decimals = _decimals(instrument.tick, instrument.price_scale)
        quantity_decimals = _decimals(instrument.lot, instrument.quantity_scale)
        params = [
            ("newClientOrderId", "%b", True),
            ("newOrderRespType", "ACK", True),
            ("price", _place(price_decimals), True),
            ("quantity", _place(quantity_decimals), True),
            ("recvWindow", "%d", False),
            *([("reduceOnly", "true", True)] if order.reduce_only else ()),
            ("selfTradePreventionMode", self._prevention, True),
            ("side", order.side.name, True),
            ("symbol", instrument.venue_symbol, True),
            ("timeInForce", "GTX" if order.post_only else "GTC", True),
            ("timestamp", "%d", False),
            ("type", "LIMIT", True),
        ]
        return _Phrased(
            *request_template(self._signer, self._logged_on, "s%b", "order.place", params),
            10 ** (instrument.price_scale - price_decimals),
            10**price_decimals,
            10 ** (instrument.quantity_scale - quantity_decimals),
            10**quantity_decimals,
        )

    def cancel_frame(self, cancel: CancelOrder, instrument: Instrument, timestamp_ms: int) -> bytes:
        """Return `order.cancel` by the order's own id, which is never used twice; by the venue's where others named it. HOT PATH."""
        assert cancel.client_order_id.isalnum(), cancel
        key = (instrument.venue_symbol, cancel.by_venue_id)
        template = self._cancel_templates.get(key)
        if template is None:
            template = self._cancel_templates[key] = self._cancel_template(*key)
        client_order_id = cancel.client_order_id.encode()
        named: bytes | int = cancel.venue_order_id if cancel.by_venue_id else client_order_id
        if self._logged_on:
            return template[1] % (client_order_id, named, timestamp_ms)
        signature = self._sign(template[0] % (named, timestamp_ms)).encode()
        return template[1] % (client_order_id, named, timestamp_ms, signature)

    def _cancel_template(self, venue_symbol: str, by_venue_id: bool) -> tuple[bytes, bytes]:
        params = [
            ("orderId", "%d", False) if by_venue_id else ("origClientOrderId", "%b", True),
            ("recvWindow", str(self._recv_window_ms), False),
            ("symbol", venue_symbol, True),
            ("timestamp", "%d", False),
        ]
        return request_template(self._signer, self._logged_on, "c%b", "order.cancel", params)

    # -- the session ----------------------------------------------------------------------------------------------

    def logon_frame(self, timestamp_ms: int) -> bytes:
        """Return `session.logon`; the venue takes it from Ed25519 keys only."""
        params = {"recvWindow": self._recv_window_ms, "timestamp": timestamp_ms}
        return session_request(LOGON_ID, "session.logon", signed_params(self._signer, params))

    def subscribe_frame(self) -> bytes:
        """Return `userDataStream.start`: a listen key, or the one there is with its hour begun anew. By the key alone."""
        return session_request(SUBSCRIBE_ID, "userDataStream.start", {"apiKey": self._signer.api_key})

    def keep_alive_frame(self) -> bytes:
        """Return `userDataStream.ping`: the listen key's hour begins anew; -1125 where there is none any more."""
        return session_request(KEEP_ALIVE_ID, "userDataStream.ping", {"apiKey": self._signer.api_key})

    def time_frame(self) -> bytes:
        """Return `session.status`, weight 2: it tells the venue's clock, and is a sign of life."""
        return session_request(TIME_ID, "session.status", {})

    def decode(self, payload: bytes, received_ns: int) -> Decoded:
        """Return what one frame of either socket says. Never raises on what a venue may send."""
        try:
            frame = read_frame(payload)
        except (ValueError, RecursionError) as error:
            return Garbage(f"{error}; {payload[:REASON_MAX]!r}")
        if frame.e:
            return decode_event(payload, received_ns, self._account, self._venue, self._by_symbol)
        if frame.status and frame.id == SUBSCRIBE_ID:
            return _stream_answer(frame)
        return answer(frame, payload, received_ns, self._by_symbol, _SESSION_IDS, outcome_of)


def _stream_answer(frame: Frame) -> SessionAnswer | StreamAnswer:
    if frame.status == OK and frame.error is None:
        try:
            return StreamAnswer(SUBSCRIBE_ID, _key_result(frame.result).listenKey)
        except ValueError as error:
            return SessionAnswer(SUBSCRIBE_ID, frame.status, -1, f"result: {error}"[:REASON_MAX])
    return session_answer(SUBSCRIBE_ID, frame)


def price_text(instrument: Instrument, ticks: int) -> str:
    return _written(ticks * instrument.tick, instrument.tick, instrument.price_scale)


def quantity_text(instrument: Instrument, lots: int) -> str:
    return _written(lots * instrument.lot, instrument.lot, instrument.quantity_scale)


def _written(units: int, step: int, scale: int) -> str:
    """A multiple of `step`, in units of 10^-scale, with the decimals that such multiples need."""
    decimals = _decimals(step, scale)
    whole, part = divmod(units // 10 ** (scale - decimals), 10**decimals)
    return f"{whole}.{part:0{decimals}d}" if decimals else str(whole)


def _decimals(step: int, scale: int) -> int:
    """How many decimals a multiple of `step`, in units of 10^-scale, needs at most."""
    decimals = scale
    while decimals and step % 10 ** (scale - decimals + 1) == 0:
        decimals -= 1
    return decimals


def _place(decimals: int) -> str:
    """Of whole and part in a template; of no decimals the part is empty."""
    return f"%d.%0{decimals}d" if decimals else "%d%b"
