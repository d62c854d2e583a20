"""The account's newest orders of one symbol, asked before a run has an epoch: only their client order ids are read. Pure."""

import msgspec

from bus.messages.feed import Garbage
from gateway.binance_spot.signing import Signer, signed_query

PATH = "/api/v3/allOrders"  # weight 20 (docs, rest-api, "All orders")
ORDERS_MAX = 1000
"""The most of one answer; without orderId and startTime they are the newest (docs, the same page)."""


class _Order(msgspec.Struct):
    clientOrderId: str


def past_orders_path(symbol: str, signer: Signer, timestamp_ms: int, recv_window_ms: int) -> str:
    """Return the signed path. The door adds the header `X-MBX-APIKEY: signer.api_key`."""
    params = [
        ("symbol", symbol),
        ("limit", str(ORDERS_MAX)),
        ("recvWindow", str(recv_window_ms)),
        ("timestamp", str(timestamp_ms)),
    ]
    return f"{PATH}?{signed_query(signer, params)}"


def decode_client_order_ids(body: bytes) -> tuple[str, ...] | Garbage:
    """Return one id an order. One record that cannot be read spoils the answer: it might be the one that matters."""
    try:
        orders = msgspec.json.decode(body, type=tuple[_Order, ...])
    except (ValueError, RecursionError) as error:
        return Garbage(f"orders: {error}")
    return tuple([order.clientOrderId for order in orders])
