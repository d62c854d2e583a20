"""The newest orders of a symbol: what is asked, and that nothing of the answer is guessed."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from bus.messages.feed import Garbage
from gateway.binance_spot.past_orders import decode_client_order_ids, past_orders_path
from gateway.binance_spot.signing import HmacSigner


def test_the_newest_thousand_are_asked_signed_and_without_a_beginning() -> None:
    parts = urlsplit(past_orders_path("BTCUSDT", HmacSigner("thekey", "thesecret"), 1700000000123, 5000))
    params = dict(parse_qsl(parts.query))
    assert len(params.pop("signature")) == 64
    assert parts.path == "/api/v3/allOrders"
    assert params == {"symbol": "BTCUSDT", "limit": "1000", "recvWindow": "5000", "timestamp": "1700000000123"}


def test_ids_are_read_and_everything_else_of_an_order_is_left_alone() -> None:
    assert decode_client_order_ids(b'[{"clientOrderId": "a", "price": 1}, {"clientOrderId": "b"}]') == ("a", "b")
    assert decode_client_order_ids(b"[]") == ()


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"orderId": 1}]', b'[{"clientOrderId": null}]', b"[" * 100_000])
def test_an_answer_that_cannot_be_read_whole_is_no_answer(body: bytes) -> None:
    assert isinstance(decode_client_order_ids(body), Garbage)
