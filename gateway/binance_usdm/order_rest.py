"""Order entry of the futures over REST: signed paths. Pure. The WebSocket API's twin: same fields, same outcomes; answers are
read as Spot's (gateway/binance_spot/order_rest.py), by this venue's table.
"""

from collections.abc import Mapping

from bus.messages import CancelOrder, Instrument, RequestAnswered, SubmitOrder
from gateway.binance_spot import order_rest
from gateway.binance_spot.signing import Signer, signed_query
from gateway.binance_usdm.orders import price_text, quantity_text
from gateway.binance_usdm.outcomes import outcome_of

PATH = "/fapi/v1/order"  # POST: an order's count and no weight; DELETE: weight 1 (docs, "New Order", "Cancel Order")


def submit_request(
    order: SubmitOrder, instrument: Instrument, signer: Signer, timestamp_ms: int, window_ms: int, prevention: str
) -> tuple[str, str]:
    """Return method and signed path: GTX when post-only, else GTC. timestamp + window: the venue's deadline."""
    assert order.client_order_id.isalnum(), order
    params = [
        ("symbol", instrument.venue_symbol),
        ("side", order.side.name),
        ("type", "LIMIT"),
        ("timeInForce", "GTX" if order.post_only else "GTC"),
        ("quantity", quantity_text(instrument, order.quantity_lots)),
        ("price", price_text(instrument, order.price_ticks)),
        *([("reduceOnly", "true")] if order.reduce_only else []),
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
    """Return method and signed path, by the order's own id; by the venue's where others named it."""
    assert cancel.client_order_id.isalnum(), cancel
    params = [
        ("symbol", instrument.venue_symbol),
        ("orderId", str(cancel.venue_order_id))
        if cancel.by_venue_id
        else ("origClientOrderId", cancel.client_order_id),
        ("recvWindow", str(window_ms)),
        ("timestamp", str(timestamp_ms)),
    ]
    return "DELETE", f"{PATH}?{signed_query(signer, params)}"


def decode_order_answer(
    request: SubmitOrder | CancelOrder, status: int, body: bytes, received_ns: int, by_symbol: Mapping[str, Instrument]
) -> RequestAnswered:
    """Return the one answer. Never raises on what a venue may send."""
    return order_rest.decode_order_answer(request, status, body, received_ns, by_symbol, outcome_of)
