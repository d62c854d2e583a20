"""Order entry over REST: the WebSocket API's twin, field by field, and signed as REST wants it."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bus.messages import Outcome, Refusal, RequestKind, Side
from gateway.binance_spot.order_rest import cancel_request, decode_order_answer, submit_request
from tests.gateway.binance_spot.test_orders import NOW_MS, SIGNER, cancel, codec, instrument, submit

PROOF = ("apiKey", "signature")


def query_of(path: str) -> dict[str, str]:
    """Of a signed path, with its signature checked: HMAC-SHA256 of everything before it."""
    route, _, query = path.partition("?")
    assert route == "/api/v3/order"
    payload, _, signature = query.rpartition("&signature=")
    assert signature == hmac.new(b"thesecret", payload.encode(), hashlib.sha256).hexdigest()
    return dict(parse_qsl(payload))


def params_of(frame: bytes) -> dict[str, str]:
    params: dict[str, Any] = json.loads(frame)["params"]
    return {name: str(value) for name, value in params.items() if name not in PROOF}


@given(
    st.sampled_from(Side),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.booleans(),
    st.sampled_from(["BTCUSDT", "1000SATSUSDT", "\uff11\uff12\uff13"]),
    st.sampled_from([1, 10**6, 5 * 10**8]),
)
def test_an_order_says_the_same_on_both_ways(
    side: Side, price_ticks: int, lots: int, post_only: bool, symbol: str, step: int
) -> None:
    """Prices and quantities as numbers: the texts may differ in zeros at the end."""
    order, one = submit(side, price_ticks, lots, post_only), instrument(symbol, step, step)
    method, path = submit_request(order, one, SIGNER, NOW_MS, 77, "EXPIRE_MAKER")
    by_rest, by_socket = query_of(path), params_of(codec().submit_frame(order, one, NOW_MS, 77))
    for name in ("price", "quantity"):
        whole, _, part = by_rest.pop(name).partition(".")
        other, _, fraction = by_socket.pop(name).partition(".")
        assert (int(whole), part.ljust(8, "0")) == (int(other), fraction.ljust(8, "0"))
    assert method == "POST"
    assert by_rest == by_socket


@pytest.mark.parametrize("venue_order_id", [0, -1, 77])
def test_a_cancel_says_the_same_on_both_ways(venue_order_id: int) -> None:
    method, path = cancel_request(cancel(venue_order_id), instrument(), SIGNER, NOW_MS, 5000)
    assert method == "DELETE"
    assert query_of(path) == params_of(codec().cancel_frame(cancel(venue_order_id), instrument(), NOW_MS))


@pytest.mark.parametrize("logged_on", [False, True])
def test_an_order_that_others_named_is_canceled_by_the_venues_id_alone(logged_on: bool) -> None:
    """Both ids must be the order's (docs, "Cancel order"), and we keep it under a key of our own."""
    claimed = replace(cancel(77), client_order_id="EXT5N77", cancel_id="EXT5N7701", by_venue_id=True)
    frame = codec(logged_on).cancel_frame(claimed, instrument(), NOW_MS)
    assert json.loads(frame)["id"] == "cEXT5N77"
    named = {name: text for name, text in params_of(frame).items() if "rder" in name}
    assert named == {"orderId": "77", "newClientOrderId": "EXT5N7701"}
    assert query_of(cancel_request(claimed, instrument(), SIGNER, NOW_MS, 5000)[1]) == params_of(frame)


def test_a_good_answer_names_the_venues_order() -> None:
    body = b'{"symbol":"BTCUSDT","orderId":28,"clientOrderId":"t1000001abcx","transactTime":1507725176595}'
    told = decode_order_answer(submit(), 200, body, 9, {"BTCUSDT": instrument()})
    assert (told.request, told.instrument, told.client_order_id) == (RequestKind.SUBMIT, 5, "t1000001abcx")
    assert (told.outcome, told.refusal, told.code, told.venue_order_id) == (Outcome.RESULT, Refusal.NONE, 0, 28)
    assert told.received_ns == 9


def test_a_refusal_keeps_the_venues_words_and_never_passes_for_our_own() -> None:
    """code 0 is our own door's: a request that was written may not be believed to be unsent."""
    said = decode_order_answer(cancel(), 400, b'{"code":-2011,"msg":"Unknown order sent."}', 9, {})
    assert (said.outcome, said.code, said.reason) == (Outcome.REFUSED, -2011, "Unknown order sent.")
    page = decode_order_answer(submit(), 403, b"<html>", 9, {})
    assert (page.outcome, page.refusal, page.code) == (Outcome.REFUSED, Refusal.VENUE_REJECTED, 403)
