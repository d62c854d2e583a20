"""Requests byte by byte, and everything the venue may answer or report."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import (
    Balance,
    CancelOrder,
    ExecutionReport,
    Instrument,
    Outcome,
    Refusal,
    ReportKind,
    ReportSource,
    RequestAnswered,
    RequestKind,
    Side,
    SubmitOrder,
    VenueState,
)
from bus.messages.feed import Garbage, Notice
from gateway.binance_spot.events import AccountPosition
from gateway.binance_spot.frames import LOGON_ID, SUBSCRIBE_ID, TIME_ID, SessionAnswer
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.signing import HmacSigner

EXAMPLES = Path(__file__).parents[4] / "shared" / "data" / "payloads" / "binance-spot-doc-examples.jsonl"
SIGNER = HmacSigner("thekey", "thesecret")
NOW_MS = 1700000000123


def instrument(venue_symbol: str = "BTCUSDT", tick: int = 1_000_000, lot: int = 1_000) -> Instrument:
    scales = (8, 8, 8, 8)
    return Instrument(5, 1, 3, 4, venue_symbol, "BTC", "USDT", *scales, tick, lot, 1, 0, 1, 0, 0, 0, 0)


def codec(session_logged_on: bool = False) -> OrderCodec:
    return OrderCodec(SIGNER, session_logged_on, 5000, account=3, venue=4, instruments=[instrument()])


def submit(side: Side = Side.BUY, price_ticks: int = 5200001, lots: int = 1234, post_only: bool = True) -> SubmitOrder:
    return SubmitOrder(3, 4, 5, 1, "maker", "t1000001abcx", 1, 9, side, price_ticks, lots, post_only, False, 1, 2, 3)


def cancel(venue_order_id: int = 0) -> CancelOrder:
    return CancelOrder(3, 4, 5, "t1000001abcx", "t1000001abcx1", venue_order_id, 1, 2)


def signature_of(params: dict[str, Any]) -> str:
    """The rule of the docs, naively: all but the signature, by name, HMAC-SHA256."""
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
    return hmac.new(b"thesecret", payload.encode(), hashlib.sha256).hexdigest()


def test_a_submit_is_signed_and_names_everything() -> None:
    frame = json.loads(codec().submit_frame(submit(), instrument(), NOW_MS, 1000))
    params = frame["params"]
    assert params.pop("signature") == signature_of(params)
    assert frame == {
        "id": "st1000001abcx",
        "method": "order.place",
        "params": {
            "apiKey": "thekey",
            "newClientOrderId": "t1000001abcx",
            "newOrderRespType": "ACK",
            "price": "52000.01000000",
            "quantity": "0.01234000",
            "recvWindow": 1000,
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "side": "BUY",
            "symbol": "BTCUSDT",
            "timestamp": NOW_MS,
            "type": "LIMIT_MAKER",
        },
    }


def test_on_a_session_that_is_logged_on_a_submit_needs_no_signature() -> None:
    order = submit(Side.SELL, post_only=False)
    assert json.loads(codec(True).submit_frame(order, instrument(), NOW_MS, 1000))["params"] == {
        "newClientOrderId": "t1000001abcx",
        "newOrderRespType": "ACK",
        "price": "52000.01000000",
        "quantity": "0.01234000",
        "recvWindow": 1000,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "side": "SELL",
        "symbol": "BTCUSDT",
        "timeInForce": "GTC",
        "timestamp": NOW_MS,
        "type": "LIMIT",
    }


@given(
    st.sampled_from(Side),
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.booleans(),
    st.sampled_from(["BTCUSDT", "1000SATSUSDT", "\uff11\uff12\uff13"]),
    st.sampled_from([1, 10**6, 5 * 10**8]),
)
def test_every_submit_carries_exact_text_and_its_own_signature(
    side: Side, price_ticks: int, lots: int, post_only: bool, venue_symbol: str, step: int
) -> None:
    one = instrument(venue_symbol, step, step)
    params = json.loads(codec().submit_frame(submit(side, price_ticks, lots, post_only), one, NOW_MS, 77))["params"]
    assert params["signature"] == signature_of(params)
    assert int(params["price"].replace(".", "")) == price_ticks * step
    assert int(params["quantity"].replace(".", "")) == lots * step
    assert len(params["price"].partition(".")[2]) == 8
    assert (params["symbol"], params["side"]) == (venue_symbol, side.name)
    assert ("timeInForce" in params) is not post_only


@pytest.mark.parametrize(("venue_order_id", "known"), [(0, {}), (-1, {}), (77, {"orderId": 77})])
def test_a_cancel_names_the_order_and_itself(venue_order_id: int, known: dict[str, int]) -> None:
    frame = json.loads(codec().cancel_frame(cancel(venue_order_id), instrument(), NOW_MS))
    params = frame["params"]
    assert params.pop("signature") == signature_of(params)
    assert params == {
        "apiKey": "thekey",
        "newClientOrderId": "t1000001abcx1",
        "origClientOrderId": "t1000001abcx",
        "recvWindow": 5000,
        "symbol": "BTCUSDT",
        "timestamp": NOW_MS,
        **known,
    }
    assert (frame["id"], frame["method"]) == ("ct1000001abcx", "order.cancel")


def test_session_requests() -> None:
    logon = json.loads(codec().logon_frame(NOW_MS))
    by_signature = json.loads(codec().subscribe_frame(NOW_MS))
    assert logon["params"].pop("signature") == signature_of(logon["params"])
    assert by_signature["params"].pop("signature") == signature_of(by_signature["params"])
    assert [logon, by_signature, json.loads(codec(True).subscribe_frame(NOW_MS)), json.loads(codec().time_frame())] == [
        {"id": LOGON_ID, "method": "session.logon", "params": {"apiKey": "thekey", "recvWindow": 5000, "timestamp": NOW_MS}},
        {"id": SUBSCRIBE_ID, "method": "userDataStream.subscribe.signature", "params": {"apiKey": "thekey", "timestamp": NOW_MS}},
        {"id": SUBSCRIBE_ID, "method": "userDataStream.subscribe", "params": {}},
        {"id": TIME_ID, "method": "time", "params": {}},
    ]  # fmt: skip


def decode(value: Any) -> Any:
    return codec().decode(json.dumps(value).encode(), 11)


def answered(request: RequestKind, outcome: Outcome, **fields: Any) -> RequestAnswered:
    refusal = Refusal.VENUE_REJECTED if outcome is Outcome.REFUSED else Refusal.NONE
    known = {"instrument": -1, "code": 0, "venue_order_id": 0, "reason": "", **fields}
    return RequestAnswered(
        request=request, client_order_id="t1000001abcx", outcome=outcome, refusal=refusal, received_ns=11, **known
    )


SUBMIT, CANCEL = RequestKind.SUBMIT, RequestKind.CANCEL
ACK = {"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "t1000001abcx", "transactTime": 1}
RETRY = {"serverTime": 1, "retryAfter": 1660801720000}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"id": "st1000001abcx", "status": 200, "result": ACK}, answered(SUBMIT, Outcome.RESULT, instrument=5, venue_order_id=28)),
        ({"id": "st1000001abcx", "status": 200, "result": {**ACK, "symbol": "XY"}}, answered(SUBMIT, Outcome.RESULT, venue_order_id=28)),
        ({"id": "ct1000001abcx", "status": 200, "result": ACK}, answered(CANCEL, Outcome.RESULT, instrument=5, venue_order_id=28)),
        (
            {"id": "st1000001abcx", "status": 400, "error": {"code": -2010, "msg": "Order would immediately match and take."}},
            answered(SUBMIT, Outcome.REFUSED, code=-2010, reason="Order would immediately match and take."),
        ),
        (
            {"id": "st1000001abcx", "status": 400, "error": {"code": -2010, "msg": "Duplicate order sent."}},
            answered(SUBMIT, Outcome.AMBIGUOUS, code=-2010, reason="Duplicate order sent."),
        ),
        (
            {"id": "ct1000001abcx", "status": 400, "error": {"code": -2011, "msg": "Unknown order sent."}},
            answered(CANCEL, Outcome.REFUSED, code=-2011, reason="Unknown order sent."),
        ),
        (
            {"id": "st1000001abcx", "status": 429, "error": {"code": -1003, "msg": "Too many.", "data": RETRY}},
            answered(SUBMIT, Outcome.REFUSED, code=-1003, reason="Too many. retry_after_ms=1660801720000"),
        ),
        (
            {"id": "st1000001abcx", "status": 500, "error": {"code": -1000, "msg": "oops"}},
            answered(SUBMIT, Outcome.AMBIGUOUS, code=-1000, reason="oops"),
        ),
        ({"id": "st1000001abcx", "status": 502}, answered(SUBMIT, Outcome.AMBIGUOUS, reason="no error in the answer")),
    ],
)  # fmt: skip
def test_an_answer_names_its_order_and_what_it_proves(answer: dict[str, Any], expected: RequestAnswered) -> None:
    assert decode(answer) == expected


@pytest.mark.parametrize("result", [None, [], {}, {"orderId": "x"}, {"orderId": 2**70}])
def test_an_unreadable_result_of_a_done_request_is_ambiguous(result: Any) -> None:
    answer = decode({"id": "st1000001abcx", "status": 200, "result": result})
    assert (answer.outcome, answer.client_order_id) == (Outcome.AMBIGUOUS, "t1000001abcx")


def test_session_answers_are_small_values() -> None:
    assert decode({"id": TIME_ID, "status": 200, "result": {"serverTime": 1656400526260}}) == SessionAnswer(
        TIME_ID, 200, 0, "", 1656400526260000000
    )
    assert decode({"id": SUBSCRIBE_ID, "status": 200, "result": {"subscriptionId": 0}}) == SessionAnswer(
        SUBSCRIBE_ID, 200, 0, ""
    )
    assert decode({"id": LOGON_ID, "status": 401, "error": {"code": -2015, "msg": "no"}}) == SessionAnswer(
        LOGON_ID, 401, -2015, "no"
    )
    assert decode({"id": TIME_ID, "status": 200, "result": {}}).server_ns == 0


def event(**fields: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "e": "executionReport", "E": 1499405658658, "s": "BTCUSDT", "c": "t1000001abcx", "S": "BUY", "o": "LIMIT",
        "f": "GTC", "q": "1.00000000", "p": "0.10264410", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "",
        "x": "NEW", "X": "NEW", "r": "NONE", "i": 4293153, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000",
        "n": "0", "N": None, "T": 1499405658657, "t": -1, "v": 3, "I": 8641984, "w": True, "m": False, "M": False,
        "O": 1499405658657, "Z": "0.00000000", "Y": "0.00000000", "Q": "0.00000000", "W": 1499405658657, "V": "NONE",
    }  # fmt: skip
    return {"subscriptionId": 0, "event": {**known, **fields}}


def report(**fields: Any) -> ExecutionReport:
    known: dict[str, Any] = {
        "account": 3, "venue": 4, "instrument": 5, "source": ReportSource.STREAM, "kind": ReportKind.NEW,
        "state": VenueState.WORKING, "status": "NEW", "client_order_id": "t1000001abcx", "venue_order_id": 4293153,
        "side": Side.BUY, "price": 10264410, "quantity": 100000000, "cumulative": 0, "cumulative_quote": 0,
        "trade_id": -1, "last_quantity": 0, "last_price": 0, "last_quote": 0, "fee": 0, "fee_asset": "",
        "is_maker": False, "execution_id": 8641984, "venue_ns": 1499405658657000000, "received_ns": 11,
        "reason": "", "venue_symbol": "BTCUSDT",
    }  # fmt: skip
    return ExecutionReport(**{**known, **fields})


FILL = {"l": "0.4", "L": "0.1", "z": "0.9", "Z": "0.09", "Y": "0.04", "n": "0.0001", "N": "BNB", "t": 77, "m": True}
FILLED = {
    "last_quantity": 40000000, "last_price": 10000000, "cumulative": 90000000, "cumulative_quote": 9000000,
    "last_quote": 4000000, "fee": 10000, "fee_asset": "BNB", "trade_id": 77, "is_maker": True,
}  # fmt: skip
KIND, STATE = ReportKind, VenueState


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {}),
        ({"x": "TRADE", "X": "PARTIALLY_FILLED", **FILL}, {"kind": KIND.TRADE, "status": "PARTIALLY_FILLED", **FILLED}),
        ({"x": "TRADE", "X": "FILLED", **FILL, "n": "-0.0001"}, {"kind": KIND.TRADE, "state": STATE.DONE_FILLED, "status": "FILLED", **FILLED, "fee": -10000}),
        ({"x": "CANCELED", "X": "CANCELED", "c": "t1000001abcx1", "C": "t1000001abcx"}, {"kind": KIND.CANCELED, "state": STATE.DONE_CANCELED, "status": "CANCELED"}),
        ({"x": "REPLACED", "c": "newid", "C": "t1000001abcx"}, {"kind": KIND.REPLACED}),
        ({"x": "REJECTED", "X": "REJECTED", "r": "INSUFFICIENT_BALANCE"}, {"kind": KIND.REJECTED, "state": STATE.DONE_REJECTED, "status": "REJECTED", "reason": "INSUFFICIENT_BALANCE"}),
        ({"x": "EXPIRED", "X": "EXPIRED", "eR": 2}, {"kind": KIND.EXPIRED, "state": STATE.DONE_EXPIRED, "status": "EXPIRED", "reason": "expiry_reason=2"}),
        ({"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH"}, {"kind": KIND.STP_EXPIRED, "state": STATE.DONE_STP, "status": "EXPIRED_IN_MATCH"}),
        # What this version does not know is kept, as OTHER.
        ({"x": "TRADE_PREVENTION"}, {"kind": KIND.OTHER, "status": "TRADE_PREVENTION/NEW"}),
        ({"x": "FROZEN"}, {"kind": KIND.OTHER, "status": "FROZEN/NEW"}),
        ({"X": "FROZEN"}, {"kind": KIND.OTHER, "state": STATE.NONE, "status": "NEW/FROZEN"}),
        ({"x": "TRADE", "X": "FROZEN", **FILL}, {"kind": KIND.TRADE, "state": STATE.NONE, "status": "FROZEN", **FILLED}),
        ({"x": "TRADE", "X": "FILLED"}, {"kind": KIND.OTHER, "state": STATE.DONE_FILLED, "status": "TRADE/FILLED"}),
        ({"s": "DOGEUSDT"}, {"instrument": -1, "venue_symbol": "DOGEUSDT"}),
    ],
)  # fmt: skip
def test_an_order_event_becomes_a_report(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert decode(event(**fields)) == report(**expected)


def test_an_event_without_its_envelope_is_read_too() -> None:
    assert decode(event()["event"]) == report()


@pytest.mark.parametrize(
    "fields",
    [{"L": "nan"}, {"z": "-1"}, {"q": "1.123456789"}, {"S": "BOTH"}, {"i": "x"}, {"T": None}, {"I": 2**70}, {"p": 0.1}],
)
def test_a_malformed_order_event_is_garbage_that_names_the_field_and_the_order(fields: dict[str, Any]) -> None:
    garbage = decode(event(x="TRADE", X="FILLED", t=77, C="origid", **fields))
    assert isinstance(garbage, Garbage)
    field = next(iter(fields))
    assert f"{field}:" in garbage.detail or f"$.{field}`" in garbage.detail
    for part in ("original_id=origid", "client_order_id=t1000001abcx", "trade_id=77", "execution_type=TRADE"):
        assert part in garbage.detail


@pytest.mark.parametrize("missing", ["s", "c", "S", "q", "p", "x", "X", "i", "z", "Z", "T", "I"])
def test_an_order_event_without_a_needed_field_is_garbage(missing: str) -> None:
    full = event()
    del full["event"][missing]
    garbage = decode(full)
    assert isinstance(garbage, Garbage)
    assert f"`{missing}`" in garbage.detail


def test_changed_balances_are_a_neutral_value() -> None:
    assets = [{"a": "ETH", "f": "10000.000000", "l": "0.5"}]
    position = {"event": {"e": "outboundAccountPosition", "E": 1564034571105, "u": 1564034571073, "B": assets}}
    assert decode(position) == AccountPosition(3, 1564034571105000000, 11, (Balance("ETH", 10**12, 5 * 10**7),))


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"subscriptionId": 0, "event": {"e": "listStatus", "s": "ETHBTC"}}, "listStatus"),
        ({"subscriptionId": 0, "event": {"e": "balanceUpdate", "a": "BTC"}}, "balanceUpdate"),
        ({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}}, "eventStreamTerminated"),
        ({"subscriptionId": 0, "event": {"e": "ofTomorrow"}}, "ofTomorrow"),
        ({"subscriptionId": 0, "event": {}}, "unknown"),
        ({"e": "serverShutdown", "E": 1}, "serverShutdown"),
        ({}, "unknown"),
        ({"id": 7, "status": 200, "result": {}}, "answer"),
        ({"id": None, "status": 400, "error": {"code": -1135, "msg": "Invalid JSON"}}, "answer"),
        ({"id": "xyz", "status": 200, "result": {}}, "answer"),
    ],
)
def test_other_frames_are_notices(frame: dict[str, Any], kind: str) -> None:
    notice = decode(frame)
    assert isinstance(notice, Notice)
    assert notice.kind == kind


names = st.sampled_from(
    ["id", "status", "result", "error", "event", "e", "x", "X", "s", "code", "msg", "data", "orderId"]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["executionReport", "st1", "ct2", TIME_ID]),
    lambda leaf: st.lists(leaf, max_size=3) | st.dictionaries(names, leaf, max_size=5),
)


@given(st.binary(max_size=40) | st.dictionaries(names, values).map(lambda value: json.dumps(value).encode()))
def test_nothing_that_a_venue_may_send_raises(payload: bytes) -> None:
    assert codec().decode(payload, 1) is not None


@given(st.dictionaries(st.sampled_from(list(event()["event"])), values))
def test_no_damaged_order_event_raises(damage: dict[str, Any]) -> None:
    assert decode(event(**damage)) is not None


@pytest.mark.skipif(not EXAMPLES.exists(), reason="no example payloads beside the repository")
def test_every_user_stream_example_of_the_docs_is_read() -> None:
    kinds = set()
    with EXAMPLES.open() as lines:
        for example in map(json.loads, lines):
            if example["doc"] == "user-data-stream.md":
                value = decode(example["json"])
                assert not isinstance(value, Garbage), (example, value)
                kinds.add(type(value))
    assert kinds == {ExecutionReport, AccountPosition, Notice}
