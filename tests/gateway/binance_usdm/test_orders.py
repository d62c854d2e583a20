"""Order entry of the futures byte by byte, over the WebSocket API and over REST, and everything that may come back."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import (
    CancelOrder,
    Instrument,
    Outcome,
    Refusal,
    RequestAnswered,
    RequestKind,
    Side,
    SubmitOrder,
)
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.frames import LOGON_ID, SUBSCRIBE_ID, TIME_ID, SessionAnswer
from gateway.binance_spot.signing import HmacSigner
from gateway.binance_usdm.order_rest import cancel_request, decode_order_answer, submit_request
from gateway.binance_usdm.orders import KEEP_ALIVE_ID, StreamAnswer, UsdmOrderCodec

SIGNER = HmacSigner("thekey", "thesecret")
NOW_MS = 1700000000123


def contract(
    symbol: str = "BTCUSDT", tick: int = 10_000_000, lot: int = 100_000, quantity_scale: int = 8
) -> Instrument:
    scales = (8, quantity_scale, 8, 8)
    return Instrument(5, 1, 3, 4, symbol, "BTC", "USDT", *scales, tick, lot, 1, 0, 1, 0, 0, 0, 0, settle_asset="USDT")


def codec(logged_on: bool = False) -> UsdmOrderCodec:
    return UsdmOrderCodec(SIGNER, logged_on, 5000, account=3, venue=4, instruments=[contract()])


def submit(
    side: Side = Side.BUY,
    price_ticks: int = 430_001,
    lots: int = 12,
    *,
    post_only: bool = True,
    reduce_only: bool = False,
) -> SubmitOrder:
    head = (3, 4, 5, 1, "maker", "t1000001abcx", 1, 9, side, price_ticks, lots)
    return SubmitOrder(*head, post_only, reduce_only, 1, 2, 3)


CANCEL = CancelOrder(3, 4, 5, "t1000001abcx", "t1000001abcx1", 77, 1, 2)


def signature_of(params: dict[str, Any]) -> str:
    """The rule of the docs, naively: all but the signature, by name, HMAC-SHA256."""
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
    return hmac.new(b"thesecret", payload.encode(), hashlib.sha256).hexdigest()


def test_a_submit_is_signed_and_names_everything() -> None:
    frame = json.loads(codec().submit_frame(submit(), contract(), NOW_MS, 1000))
    assert frame["params"].pop("signature") == signature_of(frame["params"])
    assert frame == {
        "id": "st1000001abcx",
        "method": "order.place",
        "params": {
            "apiKey": "thekey",
            "newClientOrderId": "t1000001abcx",
            "newOrderRespType": "ACK",
            "price": "43000.1",
            "quantity": "0.012",
            "recvWindow": 1000,
            "selfTradePreventionMode": "EXPIRE_TAKER",
            "side": "BUY",
            "symbol": "BTCUSDT",
            "timeInForce": "GTX",
            "timestamp": NOW_MS,
            "type": "LIMIT",
        },
    }


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (submit(), {"timeInForce": "GTX"}),
        (submit(post_only=False), {"timeInForce": "GTC"}),
        (
            submit(Side.SELL, post_only=False, reduce_only=True),
            {"timeInForce": "GTC", "reduceOnly": "true", "side": "SELL"},
        ),
    ],
)
def test_on_a_session_that_is_logged_on_a_submit_needs_no_signature(order: SubmitOrder, told: dict[str, str]) -> None:
    params = json.loads(codec(True).submit_frame(order, contract(), NOW_MS, 1000))["params"]
    assert {"signature", "apiKey"}.isdisjoint(params)
    assert told.items() <= params.items()
    assert ("reduceOnly" in params) is order.reduce_only


@given(
    side=st.sampled_from(Side),
    price_ticks=st.integers(1, 10**9),
    lots=st.integers(1, 10**9),
    post_only=st.booleans(),
    reduce_only=st.booleans(),
    tick=st.sampled_from([1, 10, 5_000, 10**7, 10**8, 5 * 10**9]),
    lot=st.sampled_from([(1, 8), (100_000, 8), (10**8, 8), (1, 0), (10, 3)]),
)
def test_figures_are_exact_and_no_finer_than_the_grid(
    side: Side, price_ticks: int, lots: int, post_only: bool, reduce_only: bool, tick: int, lot: tuple[int, int]
) -> None:
    """And REST says the same as the WebSocket API, field by field."""
    one = contract(tick=tick, lot=lot[0], quantity_scale=lot[1])
    order = submit(side, price_ticks, lots, post_only=post_only, reduce_only=reduce_only)
    params = json.loads(codec().submit_frame(order, one, NOW_MS, 77))["params"]
    assert params["signature"] == signature_of(params)
    for text, units, step, scale in (
        (params["price"], price_ticks * tick, tick, 8),
        (params["quantity"], lots * lot[0], lot[0], lot[1]),
    ):
        whole, _, fraction = text.partition(".")
        assert int(whole + fraction.ljust(scale, "0")) == units
        assert step % 10 ** (scale - len(fraction)) == 0
        assert not fraction or step % 10 ** (scale - len(fraction) + 1) != 0
    method, path = submit_request(order, one, SIGNER, NOW_MS, 77, "EXPIRE_TAKER")
    by_rest = dict(parse_qsl(path.partition("?")[2]))
    by_socket = {name: str(value) for name, value in params.items() if name not in ("apiKey", "signature")}
    assert by_rest.pop("signature")
    assert (method, path.partition("?")[0], by_rest) == ("POST", "/fapi/v1/order", by_socket)


@pytest.mark.parametrize("logged_on", [False, True])
def test_a_cancel_names_the_order_by_its_own_id(logged_on: bool) -> None:
    frame = json.loads(codec(logged_on).cancel_frame(CANCEL, contract(), NOW_MS))
    params = frame["params"]
    assert logged_on or params.pop("signature") == signature_of(params)
    assert params.pop("apiKey", "thekey") == "thekey"
    named = {"origClientOrderId": "t1000001abcx", "recvWindow": 5000, "symbol": "BTCUSDT", "timestamp": NOW_MS}
    assert (frame["id"], frame["method"], params) == ("ct1000001abcx", "order.cancel", named)
    method, path = cancel_request(CANCEL, contract(), SIGNER, NOW_MS, 5000)
    by_rest = dict(parse_qsl(path.partition("?")[2]))
    assert by_rest.pop("signature")
    assert (method, by_rest) == ("DELETE", {name: str(value) for name, value in named.items()})


def test_session_requests() -> None:
    one = codec()
    logon = json.loads(one.logon_frame(NOW_MS))
    assert logon["params"].pop("signature") == signature_of(logon["params"])
    frames = [
        logon,
        *(json.loads(frame) for frame in (one.subscribe_frame(), one.keep_alive_frame(), one.time_frame())),
    ]
    assert [(frame["id"], frame["method"], frame["params"]) for frame in frames] == [
        (LOGON_ID, "session.logon", {"apiKey": "thekey", "recvWindow": 5000, "timestamp": NOW_MS}),
        (SUBSCRIBE_ID, "userDataStream.start", {"apiKey": "thekey"}),
        (KEEP_ALIVE_ID, "userDataStream.ping", {"apiKey": "thekey"}),
        (TIME_ID, "session.status", {}),
    ]


def decode(**frame: Any) -> Any:
    return codec().decode(json.dumps(frame).encode(), 7)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"id": SUBSCRIBE_ID, "status": 200, "result": {"listenKey": "xs0m"}}, StreamAnswer(SUBSCRIBE_ID, "xs0m")),
        (
            {"id": SUBSCRIBE_ID, "status": 401, "error": {"code": -2015, "msg": "Invalid API-key"}},
            SessionAnswer(SUBSCRIBE_ID, 401, -2015, "Invalid API-key"),
        ),
        (
            {"id": KEEP_ALIVE_ID, "status": 400, "error": {"code": -1125, "msg": "This listenKey does not exist."}},
            SessionAnswer(KEEP_ALIVE_ID, 400, -1125, "This listenKey does not exist."),
        ),
        ({"id": KEEP_ALIVE_ID, "status": 200, "result": {"listenKey": "x"}}, SessionAnswer(KEEP_ALIVE_ID, 200, 0, "")),
        (
            {"id": TIME_ID, "status": 200, "result": {"apiKey": None, "serverTime": 1649730611671}},
            SessionAnswer(TIME_ID, 200, 0, "", 1649730611671000000),
        ),
    ],
)
def test_answers_that_concern_no_order(frame: dict[str, Any], told: SessionAnswer | StreamAnswer) -> None:
    assert decode(**frame) == told


def test_a_subscription_whose_answer_has_no_key_is_refused() -> None:
    told = decode(id=SUBSCRIBE_ID, status=200, result={})
    assert isinstance(told, SessionAnswer)
    assert told.code == -1


@pytest.mark.parametrize(
    ("request_id", "body", "answer"),
    [
        (
            "st1000001abcx",
            {"status": 200, "result": {"orderId": 325078477, "symbol": "BTCUSDT", "status": "NEW"}},
            (RequestKind.SUBMIT, 5, Outcome.RESULT, Refusal.NONE, 0, 325078477),
        ),
        (
            "st1000001abcx",
            {"status": 400, "error": {"code": -5022, "msg": "Due to the order could not be executed as maker"}},
            (RequestKind.SUBMIT, -1, Outcome.REFUSED, Refusal.VENUE_REJECTED, -5022, 0),
        ),
        (
            "st1000001abcx",
            {"status": 400, "error": {"code": -4116, "msg": "ClientOrderId is duplicated."}},
            (RequestKind.SUBMIT, -1, Outcome.AMBIGUOUS, Refusal.NONE, -4116, 0),
        ),
        (
            "ct1000001abcx",
            {"status": 400, "error": {"code": -2011, "msg": "Unknown order sent."}},
            (RequestKind.CANCEL, -1, Outcome.REFUSED, Refusal.VENUE_REJECTED, -2011, 0),
        ),
        (
            "ct1000001abcx",
            {"status": 200, "result": {"symbol": "BTCUSDT"}},
            (RequestKind.CANCEL, -1, Outcome.AMBIGUOUS, Refusal.NONE, 0, 0),
        ),
    ],
)
def test_an_answer_to_an_order_is_told_as_what_it_proves(
    request_id: str, body: dict[str, Any], answer: tuple[Any, ...]
) -> None:
    told = decode(id=request_id, **body)
    assert isinstance(told, RequestAnswered)
    got = (told.request, told.instrument, told.outcome, told.refusal, told.code, told.venue_order_id)
    assert (got, told.client_order_id, told.received_ns) == (answer, "t1000001abcx", 7)


def test_rest_answers_are_judged_by_the_futures_table() -> None:
    """-2022 is half a cancel-replace on Spot, and a plain no here."""
    body = json.dumps({"code": -2022, "msg": "ReduceOnly Order is rejected."}).encode()
    told = decode_order_answer(submit(), 400, body, 7, {"BTCUSDT": contract()})
    assert (told.outcome, told.code) == (Outcome.REFUSED, -2022)
    duplicate = json.dumps({"code": -4116, "msg": "ClientOrderId is duplicated."}).encode()
    assert decode_order_answer(submit(), 400, duplicate, 7, {}).outcome is Outcome.AMBIGUOUS


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b"7", b'{"id": {}}', b"null"])
def test_what_cannot_be_read_is_said(payload: bytes) -> None:
    assert isinstance(codec().decode(payload, 0), Garbage)


@pytest.mark.parametrize(
    "frame",
    [
        {"id": None, "status": 401, "error": {"code": -2015, "msg": "revoked"}},
        {"id": "x1", "status": 200},
        {"hello": 1},
    ],
)
def test_what_is_not_for_us_is_a_notice(frame: dict[str, Any]) -> None:
    assert isinstance(decode(**frame), Notice)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "status", "result", "error", "e", "o", "a", "s", "m", "code"]), inner, max_size=6
            )
        ),
        max_leaves=20,
    )
)
def test_nothing_that_is_json_raises(value: Any) -> None:
    codec().decode(json.dumps(value).encode(), 0)
