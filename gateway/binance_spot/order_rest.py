"""Order entry over REST: signed paths, and answers as messages. Pure. The WebSocket API's twin: same fields, same outcomes.

Decimals, self-trade prevention, deadline and ids are phrased as in `orders`; a test compares the two field by field.
"""

from collections.abc import Mapping

import msgspec

from bus.messages import CancelOrder, Instrument, Outcome, Refusal, RequestAnswered, RequestKind, SubmitOrder
from gateway.binance_spot.decimals import Id
from gateway.binance_spot.frames import OutcomeOf
from gateway.binance_spot.outcomes import outcome_of
from gateway.binance_spot.signing import Signer, signed_query
from gateway.binance_spot.symbols import price_text, quantity_text

PATH = "/api/v3/order"  # POST and DELETE, weight 1 (docs, rest-api, "Trading endpoints")
REASON_MAX = 200
_OK = 200


class _Result(msgspec.Struct):
    orderId: Id
    symbol: str = ""


class _Error(msgspec.Struct):
    code: int = 0
    msg: str = ""


def submit_request(
    order: SubmitOrder, instrument: Instrument, signer: Signer, timestamp_ms: int, window_ms: int, prevention: str
) -> tuple[str, str]:
    """Return method and signed path: LIMIT_MAKER when post-only, else LIMIT GTC. timestamp + window: the venue's deadline."""
    assert order.client_order_id.isalnum(), order
    params = [
        ("symbol", instrument.venue_symbol),
        ("side", order.side.name),
        ("type", "LIMIT_MAKER" if order.post_only else "LIMIT"),
        *([] if order.post_only else [("timeInForce", "GTC")]),
        ("quantity", quantity_text(instrument, order.quantity_lots)),
        ("price", price_text(instrument, order.price_ticks)),
        ("newClientOrderId", order.client_order_id),
        ("newOrderRespType", "ACK"),
        ("selfTradePreventionMode", prevention),
        ("recvWindow", str(window_ms)),
        ("timestamp", str(timestamp_ms)),
    ]
    return "POST", f"{PATH}?{signed_query(signer, params)}"


def cancel_request(
    cancel: CancelOrder, instrument: Instrument, signer: Signer, timestamp_ms: int, window_ms: int
) -> tuple[str, str]:
    """Return method and signed path, by the order's own id and by the venue's where it is known (above 0).

    By the venue's alone where others named the order.
    """
    assert (cancel.client_order_id + cancel.cancel_id).isalnum(), cancel
    params = [
        ("symbol", instrument.venue_symbol),
        *([("orderId", str(cancel.venue_order_id))] if cancel.venue_order_id > 0 else []),
        *([] if cancel.by_venue_id else [("origClientOrderId", cancel.client_order_id)]),
        ("newClientOrderId", cancel.cancel_id),
        ("recvWindow", str(window_ms)),
        ("timestamp", str(timestamp_ms)),
    ]
    return "DELETE", f"{PATH}?{signed_query(signer, params)}"


def decode_order_answer(
    request: SubmitOrder | CancelOrder,
    status: int,
    body: bytes,
    received_ns: int,
    by_symbol: Mapping[str, Instrument],
    outcome_of: OutcomeOf = outcome_of,
) -> RequestAnswered:
    """Return the one answer. Never raises on what a venue, or whoever stands before it, may send.

    A 200 that cannot be read was done, we cannot say as what: AMBIGUOUS. Any other status is judged by `outcomes`, by the
    venue's code where the body has one; a page of HTML has none.
    """
    kind = RequestKind.SUBMIT if isinstance(request, SubmitOrder) else RequestKind.CANCEL
    outcome, code, venue_order_id, instrument, reason = Outcome.RESULT, 0, 0, request.instrument, ""
    if status == _OK:
        try:
            result = msgspec.json.decode(body, type=_Result)
            venue_order_id = result.orderId
            known = by_symbol.get(result.symbol)
            instrument = request.instrument if known is None else known.instrument
        except (ValueError, RecursionError) as error:
            outcome, reason = Outcome.AMBIGUOUS, f"result: {error}"[:REASON_MAX]
    else:
        try:
            said = msgspec.json.decode(body, type=_Error)
        except (ValueError, RecursionError):
            said = _Error()
        code, reason = said.code, said.msg[:REASON_MAX] or f"status {status}"
        outcome = outcome_of(kind, status, code, said.msg)
    refusal = Refusal.VENUE_REJECTED if outcome is Outcome.REFUSED else Refusal.NONE
    # code 0 means our own door: a refusal that bears none bears its status instead.
    if outcome is Outcome.REFUSED and code == 0:
        code = status
    return RequestAnswered(
        kind, instrument, request.client_order_id, outcome, refusal, code, venue_order_id, received_ns, reason
    )
