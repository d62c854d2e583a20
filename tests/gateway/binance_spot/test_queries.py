"""Questions over REST: what is asked, and what each answer proves."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import (
    Balance,
    ExecutionReport,
    Instrument,
    Outcome,
    QueryAnswer,
    QueryKind,
    ReportKind,
    ReportSource,
    Side,
    VenueQuery,
    VenueState,
)
from bus.messages.feed import Garbage
from gateway.binance_spot.queries import TRADES_MAX, decode_query, decode_time, query_request
from gateway.binance_spot.signing import HmacSigner

BTCUSDT = Instrument(5, 1, 3, 4, "BTCUSDT", "BTC", "USDT", 8, 8, 8, 8, 10**6, 1000, 1, 0, 1, 0, 0, 0, 0)
SIGNER = HmacSigner("thekey", "thesecret")


def query(kind: QueryKind, **fields: Any) -> VenueQuery:
    return VenueQuery("orders", 1, 2, 99, 3, 4, kind, 5, **fields)


ORDER = query(QueryKind.ORDER, client_order_id="t1000001abcx")


def ask(one: VenueQuery, status: int, body: Any) -> QueryAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_query(one, status, raw, 10, 11, [BTCUSDT])


@pytest.mark.parametrize(
    ("one", "instrument", "path", "params"),
    [
        (query(QueryKind.OPEN_ORDERS), BTCUSDT, "/api/v3/openOrders", {"symbol": "BTCUSDT"}),
        (query(QueryKind.OPEN_ORDERS), None, "/api/v3/openOrders", {}),
        (ORDER, BTCUSDT, "/api/v3/order", {"symbol": "BTCUSDT", "origClientOrderId": "t1000001abcx"}),
        (query(QueryKind.TRADES, from_id=42), BTCUSDT, "/api/v3/myTrades", {"symbol": "BTCUSDT", "fromId": "42", "limit": "1000"}),
        (query(QueryKind.ORDER, venue_order_id=9, client_order_id=""), BTCUSDT, "/api/v3/order", {"symbol": "BTCUSDT", "orderId": "9"}),
        (query(QueryKind.TRADES, from_id=-1), BTCUSDT, "/api/v3/myTrades", {"symbol": "BTCUSDT", "limit": "1"}),
        (query(QueryKind.TRADES, from_id=42, venue_order_id=9), BTCUSDT, "/api/v3/myTrades", {"symbol": "BTCUSDT", "orderId": "9", "fromId": "42", "limit": "1000"}),
        (query(QueryKind.BALANCES), BTCUSDT, "/api/v3/account", {"omitZeroBalances": "true"}),
    ],
)  # fmt: skip
def test_a_query_is_a_signed_get(
    one: VenueQuery, instrument: Instrument | None, path: str, params: dict[str, str]
) -> None:
    method, target = query_request(one, instrument, SIGNER, 1700000000123, 5000)
    split = urlsplit(target)
    payload, _, signature = split.query.rpartition("&signature=")
    assert (method, split.path, signature) == ("GET", path, SIGNER.sign(payload.encode()))
    assert dict(parse_qsl(payload)) == {**params, "recvWindow": "5000", "timestamp": "1700000000123"}


def order(**fields: Any) -> dict[str, Any]:
    known = {
        "symbol": "BTCUSDT", "orderId": 12, "orderListId": -1, "clientOrderId": "t1000001abcx", "price": "0.1",
        "origQty": "1.0", "executedQty": "0.4", "cummulativeQuoteQty": "0.04", "status": "PARTIALLY_FILLED",
        "side": "SELL", "time": 1499827319559, "updateTime": 1499827319560,
    }  # fmt: skip
    return {**known, **fields}


def trade(**fields: Any) -> dict[str, Any]:
    known = {
        "symbol": "BTCUSDT", "id": 28457, "orderId": 100234, "price": "4.00000100", "qty": "12.00000000",
        "quoteQty": "48.000012", "commission": "10.10000000", "commissionAsset": "BNB", "time": 1499865549590,
        "isBuyer": True, "isMaker": False,
    }  # fmt: skip
    return {**known, **fields}


def report(**fields: Any) -> ExecutionReport:
    known: dict[str, Any] = {
        "account": 3, "venue": 4, "instrument": 5, "source": ReportSource.QUERY, "kind": ReportKind.SNAPSHOT,
        "state": VenueState.WORKING, "status": "PARTIALLY_FILLED", "client_order_id": "t1000001abcx",
        "venue_order_id": 12, "side": Side.SELL, "price": 10000000, "quantity": 100000000, "cumulative": 40000000,
        "cumulative_quote": 4000000, "trade_id": -1, "last_quantity": 0, "last_price": 0, "last_quote": 0, "fee": 0,
        "fee_asset": "", "is_maker": False, "execution_id": 0, "venue_ns": 1499827319560000000, "received_ns": 11,
        "reason": "", "venue_symbol": "BTCUSDT",
    }  # fmt: skip
    return ExecutionReport(**{**known, **fields})


EXECUTION = {
    "kind": ReportKind.TRADE, "state": VenueState.NONE, "status": "", "client_order_id": "", "venue_order_id": 100234,
    "side": Side.BUY, "price": 0, "quantity": 0, "cumulative": 0, "cumulative_quote": 0, "trade_id": 28457,
    "last_quantity": 1200000000, "last_price": 400000100, "last_quote": 4800001200, "fee": 1010000000,
    "fee_asset": "BNB", "venue_ns": 1499865549590000000,
}  # fmt: skip


def test_an_order_is_a_snapshot_under_the_id_that_was_asked_for() -> None:
    """After a cancel the record may carry the cancel's id; the venue found it by the order's own."""
    assert ask(ORDER, 200, order(clientOrderId="t1000001abcx1")) == QueryAnswer(
        "orders", 1, 2, Outcome.RESULT, QueryKind.ORDER, 5, "t1000001abcx", 10, 11, "", True, True, (report(),), ()
    )


@pytest.mark.parametrize(
    ("status", "state", "kind"),
    [
        ("NEW", VenueState.WORKING, ReportKind.SNAPSHOT),
        ("PENDING_NEW", VenueState.WORKING, ReportKind.SNAPSHOT),
        ("FILLED", VenueState.DONE_FILLED, ReportKind.SNAPSHOT),
        ("CANCELED", VenueState.DONE_CANCELED, ReportKind.SNAPSHOT),
        ("REJECTED", VenueState.DONE_REJECTED, ReportKind.SNAPSHOT),
        ("EXPIRED", VenueState.DONE_EXPIRED, ReportKind.SNAPSHOT),
        ("EXPIRED_IN_MATCH", VenueState.DONE_STP, ReportKind.SNAPSHOT),
        ("OF_TOMORROW", VenueState.NONE, ReportKind.OTHER),
    ],
)
def test_a_status_is_a_state(status: str, state: VenueState, kind: ReportKind) -> None:
    assert ask(ORDER, 200, order(status=status)).reports == (report(status=status, state=state, kind=kind),)


def test_open_orders_and_trades_are_read_in_order() -> None:
    opened = ask(query(QueryKind.OPEN_ORDERS), 200, [order(), order(symbol="DOGEUSDT", cummulativeQuoteQty="-1.0")])
    traded = ask(query(QueryKind.TRADES), 200, [trade(), trade(id=28458, commission="-0.1")])
    foreign = report(instrument=-1, venue_symbol="DOGEUSDT", cumulative_quote=0)
    second = report(**{**EXECUTION, "trade_id": 28458, "fee": -10000000})
    assert (opened.reports, opened.complete) == ((report(), foreign), True)
    assert (traded.reports, traded.complete) == ((report(**EXECUTION), second), True)


def test_a_full_page_of_trades_is_not_complete() -> None:
    pages = [
        ask(query(QueryKind.TRADES), 200, [trade(id=n) for n in range(size)]) for size in (TRADES_MAX - 1, TRADES_MAX)
    ]
    assert [page.complete for page in pages] == [True, False]


BAD_ORDERS = [order(price="nan"), order(side="BOTH"), order(orderId="x"), order(executedQty=1.5), {}, None, 7, "text"]
BAD_TRADES = [
    trade(qty="1e5"),
    trade(commission="x"),
    trade(id=2**70),
    {k: v for k, v in trade().items() if k != "time"},
]


@pytest.mark.parametrize("bad", BAD_ORDERS)
def test_one_bad_order_hides_no_other(bad: Any) -> None:
    reports = ask(query(QueryKind.OPEN_ORDERS), 200, [order(), bad, order()]).reports
    assert (reports[0], reports[2]) == (report(), report())
    assert (reports[1].kind, reports[1].state) == (ReportKind.OTHER, VenueState.NONE)
    assert reports[1].reason.startswith("unreadable: ")


@pytest.mark.parametrize("bad", BAD_TRADES)
def test_one_bad_trade_hides_no_other_and_keeps_its_ids(bad: Any) -> None:
    reports = ask(query(QueryKind.TRADES), 200, [trade(), bad, trade()]).reports
    assert (reports[0], reports[2]) == (report(**EXECUTION), report(**EXECUTION))
    assert (reports[1].kind, reports[1].venue_order_id, reports[1].venue_symbol) == (
        ReportKind.OTHER,
        100234,
        "BTCUSDT",
    )
    assert reports[1].trade_id in (28457, -1)


def test_balances_name_every_asset_we_trade() -> None:
    answer = ask(query(QueryKind.BALANCES), 200, {"balances": [{"asset": "USDT", "free": "1.5", "locked": "0.5"}]})
    assert answer.balances == (Balance("USDT", 150000000, 50000000), Balance("BTC", 0, 0))
    assert (answer.complete, answer.reason) == (True, "")


@pytest.mark.parametrize(("asset", "complete"), [("BTC", False), ("BTTC", True), (None, False)])
def test_a_bad_balance_is_left_out_and_said(asset: str | None, complete: bool) -> None:
    rest = {"asset": "USDT", "free": "1", "locked": "0"}
    answer = ask(query(QueryKind.BALANCES), 200, {"balances": [{"asset": asset, "free": "x", "locked": "0"}, rest]})
    assert answer.complete is complete
    assert answer.reason.startswith(f"balance {asset}:")
    assert Balance("USDT", 10**8, 0) in answer.balances
    assert (Balance("BTC", 0, 0) in answer.balances) is complete


@pytest.mark.parametrize(
    ("one", "status", "body", "outcome", "found"),
    [
        (ORDER, 400, {"code": -2013, "msg": "Order does not exist."}, Outcome.RESULT, False),
        (query(QueryKind.OPEN_ORDERS), 400, {"code": -2013, "msg": ""}, Outcome.REFUSED, True),
        (ORDER, 400, {"code": -2026, "msg": "archived"}, Outcome.REFUSED, True),
        (ORDER, 503, {"code": -2013, "msg": ""}, Outcome.AMBIGUOUS, True),
        (ORDER, 400, {"code": -1021, "msg": ""}, Outcome.REFUSED, True),
        (ORDER, 401, {"code": -2015, "msg": ""}, Outcome.REFUSED, True),
        (ORDER, 429, {"code": -1003, "msg": ""}, Outcome.REFUSED, True),
        (ORDER, 403, b"<html>", Outcome.REFUSED, True),
        (ORDER, 400, {"code": -1007, "msg": ""}, Outcome.AMBIGUOUS, True),
        (ORDER, 502, b"", Outcome.AMBIGUOUS, True),
        (ORDER, 200, b"<html>", Outcome.AMBIGUOUS, True),
        (ORDER, 200, [], Outcome.AMBIGUOUS, True),
        (query(QueryKind.OPEN_ORDERS), 200, {}, Outcome.AMBIGUOUS, True),
        (query(QueryKind.TRADES), 200, b"[{", Outcome.AMBIGUOUS, True),
        (query(QueryKind.BALANCES), 200, {}, Outcome.AMBIGUOUS, True),
        (ORDER, 0, b"", Outcome.AMBIGUOUS, True),
    ],
)
def test_what_an_answer_without_records_proves(
    one: VenueQuery, status: int, body: Any, outcome: Outcome, found: bool
) -> None:
    answer = ask(one, status, body)
    assert (answer.outcome, answer.found, answer.reports, answer.balances) == (outcome, found, (), ())
    assert answer.reason


def test_the_venues_clock_is_read() -> None:
    assert decode_time(b'{"serverTime":1499827319559}') == 1499827319559000000
    assert isinstance(decode_time(b"{}"), Garbage)


leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)


@given(
    st.sampled_from(QueryKind),
    st.integers(0, 600),
    st.binary(max_size=30)
    | st.lists(st.dictionaries(st.sampled_from(list(order()) + list(trade())), leaf)).map(
        lambda v: json.dumps(v).encode()
    ),
)
def test_nothing_that_a_venue_may_send_raises(kind: QueryKind, status: int, body: bytes) -> None:
    assert ask(query(kind), status, body).kind is kind
