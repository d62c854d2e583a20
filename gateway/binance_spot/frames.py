"""What the frames of Binance's WebSocket APIs have in common, Spot's and the futures': order requests as byte templates,
answers as messages. Pure, stateless.

A request's id names its order (`s` or `c`, then the client order id), so that an answer is understood without memory.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from bus.messages import Instrument, Outcome, Refusal, RequestAnswered, RequestKind
from bus.messages.feed import Notice
from gateway.binance_spot.decimals import MS_NS, Id, Millis
from gateway.binance_spot.signing import Signer

REASON_MAX = 200  # characters of the venue's text kept in a message
OK = 200

LOGON_ID = "session.logon"
SUBSCRIBE_ID = "session.subscribe"
TIME_ID = "session.time"
"""Request ids that are not an order's: client order ids have no dot."""
ORDER_REQUESTS = {"s": RequestKind.SUBMIT, "c": RequestKind.CANCEL}


class SessionAnswer(msgspec.Struct, frozen=True, gc=False):
    """The answer to logon, subscribe or time. code 0: none. server_ns: the venue's clock, for time; else 0."""

    request_id: str
    status: int
    code: int
    text: str
    server_ns: int = 0


class Error(msgspec.Struct, gc=False):
    """data: of -1003 and others, `retryAfter` in ms since 1970 among it."""

    code: int = 0
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _ErrorData(msgspec.Struct, gc=False):
    retryAfter: int = 0


class Frame(msgspec.Struct, gc=False):
    """An answer has `id` and `status`; an event has `event` (or, on a stream of its own, `e` at the top)."""

    id: str | int | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Error | None = None
    event: msgspec.Raw = msgspec.Raw(b"")
    e: str = ""


class _OrderResult(msgspec.Struct, gc=False):
    orderId: Id
    symbol: str = ""


class _TimeResult(msgspec.Struct, gc=False):
    serverTime: Millis


read_frame = msgspec.json.Decoder(Frame).decode
_order_result = msgspec.json.Decoder(_OrderResult).decode
_error_data = msgspec.json.Decoder(_ErrorData).decode
_time_result = msgspec.json.Decoder(_TimeResult).decode

Param = tuple[str, str, bool]
"""Name, value (or its place in the template) and whether it is JSON text."""
OutcomeOf = Callable[[RequestKind, int, int, str], Outcome]
"""What an error proves about a request: kind, status, code, text."""


def request_template(
    signer: Signer, logged_on: bool, request_id: str, method: str, params: Sequence[Param]
) -> tuple[bytes, bytes]:
    """Return what is signed and what is sent. params: sorted by name, as the venue wants them signed.

    logged_on: the session is authenticated, so a request carries neither key nor signature.
    """
    if not logged_on:
        params = [("apiKey", signer.api_key, True), *params]
    assert list(params) == sorted(params), params
    signed = "&".join(f"{name}={value}" for name, value, _ in params)
    fields = ",".join(f'"{name}":"{value}"' if text else f'"{name}":{value}' for name, value, text in params)
    if not logged_on:
        fields += ',"signature":"%b"'
    return signed.encode(), f'{{"id":"{request_id}","method":"{method}","params":{{{fields}}}}}'.encode()


def session_request(request_id: str, method: str, params: Mapping[str, str | int]) -> bytes:
    return msgspec.json.encode({"id": request_id, "method": method, "params": params})


def answer(
    frame: Frame,
    payload: bytes,
    received_ns: int,
    by_symbol: Mapping[str, Instrument],
    session_ids: Collection[str],
    outcome_of: OutcomeOf,
) -> RequestAnswered | SessionAnswer | Notice:
    """What a frame says that is no event."""
    if frame.status == 0:
        return Notice("unknown", payload[:REASON_MAX].decode("utf-8", "replace"))
    if not isinstance(frame.id, str):  # ours are texts; null: the key was revoked, or the request could not be read
        text = frame.error.msg if frame.error else ""
        return Notice("answer", f"id={frame.id} status={frame.status} {text[:REASON_MAX]}")
    if frame.id in session_ids:
        return session_answer(frame.id, frame)
    request = ORDER_REQUESTS.get(frame.id[:1])
    if request is None:
        return Notice("answer", f"id={frame.id[:REASON_MAX]} status={frame.status}")
    return _order_answer(request, frame.id[1:], frame, received_ns, by_symbol, outcome_of)


def _order_answer(
    request: RequestKind,
    client_order_id: str,
    frame: Frame,
    received_ns: int,
    by_symbol: Mapping[str, Instrument],
    outcome_of: OutcomeOf,
) -> RequestAnswered:
    outcome, code, venue_order_id, instrument, reason = Outcome.RESULT, 0, 0, -1, ""
    if frame.status == OK and frame.error is None:
        try:
            result = _order_result(frame.result)
            venue_order_id = result.orderId
            known = by_symbol.get(result.symbol)
            instrument = -1 if known is None else known.instrument
        except ValueError as error:  # it was done, but we cannot say as what
            outcome, reason = Outcome.AMBIGUOUS, f"result: {error}"
    else:
        code, text = (frame.error.code, frame.error.msg) if frame.error else (0, "")
        outcome = outcome_of(request, frame.status, code, text)
        reason = error_text(frame.error)
    refusal = Refusal.VENUE_REJECTED if outcome is Outcome.REFUSED else Refusal.NONE
    return RequestAnswered(
        request, instrument, client_order_id, outcome, refusal, code, venue_order_id, received_ns, reason
    )


def session_answer(request_id: str, frame: Frame) -> SessionAnswer:
    if frame.error is not None:
        return SessionAnswer(request_id, frame.status, frame.error.code, error_text(frame.error))
    if request_id != TIME_ID or frame.status != OK:
        return SessionAnswer(request_id, frame.status, 0, "")
    try:
        return SessionAnswer(request_id, frame.status, 0, "", _time_result(frame.result).serverTime * MS_NS)
    except ValueError as error:
        return SessionAnswer(request_id, frame.status, 0, f"result: {error}"[:REASON_MAX])


def error_text(error: Error | None) -> str:
    """Return the venue's text, and ` retry_after_ms=` (ms since 1970) where it says when to come back."""
    if error is None:
        return "no error in the answer"
    try:
        retry_after_ms = _error_data(error.data).retryAfter
    except ValueError:
        retry_after_ms = 0
    text = error.msg[:REASON_MAX]
    return f"{text} retry_after_ms={retry_after_ms}" if retry_after_ms else text
