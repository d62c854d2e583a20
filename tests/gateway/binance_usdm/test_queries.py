"""Questions about a futures account: their paths, and everything that may be answered."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import (
    Balance,
    Instrument,
    Outcome,
    QueryKind,
    ReportKind,
    Side,
    VenuePosition,
    VenueQuery,
    VenueState,
)
from gateway.binance_spot.signing import HmacSigner
from gateway.binance_usdm.queries import TRADES_MAX, decode_query, query_request
from tests.gateway.binance_usdm.test_events import BTC, read

SCALES = (8, 3, 8, 8)
DOGE = Instrument(
    6, 1, 3, 4, "DOGEUSDT", "DOGE", "USDT", *SCALES, 10**3, 10**3, 1, 0, 1, 0, 0, 0, 0, settle_asset="USDT"
)
MS, WEEK_MS = 1_000_000, 7 * 86_400_000
SIGNER = HmacSigner("thekey", "thesecret")
ORDER = {
    "avgPrice": "0.00", "clientOrderId": "t1000001abcx", "cumQuote": "215.001", "executedQty": "0.005", "orderId": 1917641,
    "origQty": "0.012", "origType": "LIMIT", "price": "43000.1", "reduceOnly": False, "side": "SELL", "positionSide": "BOTH",
    "status": "PARTIALLY_FILLED", "symbol": "BTCUSDT", "time": 1579276756075, "timeInForce": "GTX", "type": "LIMIT",
    "updateTime": 1579276756079,
}  # fmt: skip
TRADE = {
    "buyer": False, "commission": "0.04300020", "commissionAsset": "USDT", "id": 778, "maker": True, "orderId": 8886774,
    "price": "43000.2", "qty": "0.005", "quoteQty": "215.001", "realizedPnl": "-1.25000001", "side": "SELL",
    "positionSide": "BOTH", "symbol": "BTCUSDT", "time": 1568879465650,
}  # fmt: skip
POSITION = {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "-0.012", "entryPrice": "60003.741666666667"}
ACCOUNT = {
    "totalWalletBalance": "1",
    "assets": [{"asset": "USDT", "walletBalance": "-3.25000001"}, {"asset": "BNB", "walletBalance": "0.5"}],
    "positions": [{key: value for key, value in POSITION.items() if key != "entryPrice"}],
}


def query(kind: QueryKind, **fields: Any) -> VenueQuery:
    return VenueQuery("orders", 1, 2, 3, 3, 4, kind, fields.pop("instrument", 5), **fields)


def ask(kind: QueryKind, body: Any, status: int = 200, **fields: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_query(query(kind, **fields), status, raw, 10, 11, [BTC, DOGE])


@pytest.mark.parametrize(
    ("wanted", "path", "params"),
    [
        (query(QueryKind.OPEN_ORDERS), "/fapi/v1/openOrders", {"symbol": "BTCUSDT"}),
        (
            query(QueryKind.ORDER, client_order_id="t1000001abcx"),
            "/fapi/v1/order",
            {"symbol": "BTCUSDT", "origClientOrderId": "t1000001abcx"},
        ),
        (query(QueryKind.ORDER, venue_order_id=7), "/fapi/v1/order", {"symbol": "BTCUSDT", "orderId": "7"}),
        (
            query(QueryKind.TRADES, from_id=9),
            "/fapi/v1/userTrades",
            {"symbol": "BTCUSDT", "fromId": "9", "limit": "1000"},
        ),
        (query(QueryKind.TRADES, from_id=-1), "/fapi/v1/userTrades", {"symbol": "BTCUSDT", "limit": "1"}),
        (
            query(QueryKind.TRADES, from_id=0),
            "/fapi/v1/userTrades",
            {"symbol": "BTCUSDT", "startTime": str(WEEK_MS), "endTime": str(2 * WEEK_MS), "limit": "1000"},
        ),
        (
            query(QueryKind.TRADES, from_id=9, since_ns=5 * MS),
            "/fapi/v1/userTrades",
            {"symbol": "BTCUSDT", "startTime": "5", "endTime": str(5 + WEEK_MS), "limit": "1000"},
        ),
        (
            query(QueryKind.TRADES, from_id=9, since_ns=(WEEK_MS + 5) * MS, venue_order_id=7),
            "/fapi/v1/userTrades",
            {
                "symbol": "BTCUSDT",
                "orderId": "7",
                "startTime": str(WEEK_MS + 5),
                "endTime": str(2 * WEEK_MS),
                "limit": "1000",
            },
        ),
        (
            query(QueryKind.TRADES, from_id=0, venue_order_id=7),
            "/fapi/v1/userTrades",
            {"symbol": "BTCUSDT", "orderId": "7", "fromId": "0", "limit": "1000"},
        ),
        (query(QueryKind.BALANCES, instrument=-1), "/fapi/v3/account", {}),
        (query(QueryKind.POSITIONS, instrument=-1), "/fapi/v3/positionRisk", {}),
    ],
)
def test_each_question_has_its_signed_path(wanted: VenueQuery, path: str, params: dict[str, str]) -> None:
    method, phrased = query_request(wanted, BTC if wanted.instrument == 5 else None, SIGNER, 2 * WEEK_MS, 1_000)
    asked = dict(parse_qsl(phrased.partition("?")[2]))
    assert asked.pop("signature")
    assert (method, phrased.partition("?")[0], asked) == (
        "GET",
        path,
        params | {"recvWindow": "1000", "timestamp": str(2 * WEEK_MS)},
    )


def test_an_order_is_told_as_it_is_now() -> None:
    answer = ask(QueryKind.ORDER, ORDER, client_order_id="t1000001abcx")
    [report] = answer.reports
    assert (answer.outcome, answer.found, answer.complete) == (Outcome.RESULT, True, True)
    assert (report.kind, report.state, report.side) == (ReportKind.SNAPSHOT, VenueState.WORKING, Side.SELL)
    assert (report.quantity, report.cumulative, report.cumulative_quote) == (1200000, 500000, 21500100000)
    assert (report.execution_id, report.venue_ns) == (1579276756079, 1579276756079000000)


def test_a_trade_is_the_same_by_stream_and_by_query() -> None:
    """Two words on one execution must be equal in all that is booked."""
    [report] = ask(QueryKind.TRADES, [TRADE]).reports
    streamed = read(
        x="TRADE", X="PARTIALLY_FILLED", l="0.005", z="0.005", L="43000.2", n="0.04300020", N="USDT", t=778, m=True,
        rp="-1.25000001",
    )  # fmt: skip
    for field in (
        "instrument", "kind", "venue_order_id", "side", "trade_id", "last_quantity", "last_price", "last_quote", "fee",
        "fee_asset", "is_maker", "venue_ns", "realized",
    ):  # fmt: skip
        assert getattr(report, field) == getattr(streamed, field), field


def test_a_full_page_of_trades_is_not_complete() -> None:
    assert not ask(QueryKind.TRADES, [TRADE] * TRADES_MAX).complete
    assert ask(QueryKind.TRADES, [TRADE] * (TRADES_MAX - 1)).complete


def test_trades_since_a_time_are_complete_when_their_window_reaches_to_now() -> None:
    """Else the next question begins where the page ended, or where the window did."""
    since_ns = TRADE["time"] * MS - 1
    for rows, asked_ns, complete, until_ns in (
        ([TRADE], since_ns + WEEK_MS * MS, True, since_ns + WEEK_MS * MS),
        ([TRADE], since_ns + WEEK_MS * MS + 1, False, since_ns + WEEK_MS * MS),
        ([], since_ns + WEEK_MS * MS + 1, False, since_ns + WEEK_MS * MS),
        ([TRADE] * TRADES_MAX, since_ns, False, TRADE["time"] * MS),
    ):
        body = json.dumps(rows).encode()
        answer = decode_query(
            query(QueryKind.TRADES, from_id=9, since_ns=since_ns), 200, body, asked_ns, asked_ns, [BTC]
        )
        assert (answer.complete, answer.until_ns, len(answer.reports)) == (complete, until_ns, len(rows))


def test_a_wallet_may_be_below_zero_and_positions_come_with_it() -> None:
    answer = ask(QueryKind.BALANCES, ACCOUNT, instrument=-1)
    assert answer.balances == (Balance("USDT", -325000001, 0), Balance("BNB", 50000000, 0))
    assert answer.positions == (VenuePosition(5, "BTCUSDT", -1200000, 0), VenuePosition(6, "DOGEUSDT", 0, 0))
    assert (answer.outcome, answer.complete, answer.reason) == (Outcome.RESULT, True, "")


def test_what_the_venue_leaves_out_is_zero() -> None:
    answer = ask(QueryKind.BALANCES, {"assets": [], "positions": []}, instrument=-1)
    assert answer.balances == (Balance("USDT", 0, 0),)
    assert [one.quantity for one in answer.positions] == [0, 0]


def test_positions_have_their_entry_price_cut_to_eight_decimals() -> None:
    """Quantities in base units, whatever the instrument's own scale is."""
    rows = [POSITION, {"symbol": "DOGEUSDT", "positionSide": "BOTH", "positionAmt": "7", "entryPrice": "0.1"}]
    answer = ask(QueryKind.POSITIONS, rows, instrument=-1)
    assert answer.positions == (
        VenuePosition(5, "BTCUSDT", -1200000, 6000374166666),
        VenuePosition(6, "DOGEUSDT", 700000000, 10000000),
    )


@pytest.mark.parametrize(
    "rows",
    [
        [POSITION | {"positionSide": "LONG"}],
        [POSITION | {"positionAmt": "1e3"}],
        [{"symbol": "BTCUSDT"}],
        [7],
    ],
)
def test_a_position_of_ours_that_cannot_be_read_makes_the_answer_incomplete(rows: list[Any]) -> None:
    answer = ask(QueryKind.POSITIONS, rows, instrument=-1)
    assert (answer.outcome, answer.complete) == (Outcome.RESULT, False)
    assert "position" in answer.reason


def test_one_of_a_symbol_that_we_do_not_trade_does_not() -> None:
    rows = [POSITION, {"symbol": "XRPUSDT", "positionSide": "BOTH", "positionAmt": "?"}]
    assert ask(QueryKind.POSITIONS, rows, instrument=-1).complete


@pytest.mark.parametrize(
    ("kind", "status", "body", "outcome", "found"),
    [
        (QueryKind.ORDER, 400, {"code": -2013, "msg": "Order does not exist."}, Outcome.RESULT, False),
        (QueryKind.ORDER, 500, {"code": -2013, "msg": "Order does not exist."}, Outcome.AMBIGUOUS, True),
        (QueryKind.ORDER, 400, {"code": -1121, "msg": "Invalid symbol."}, Outcome.REFUSED, True),
        (QueryKind.TRADES, 429, {"code": -1003, "msg": "Too many"}, Outcome.REFUSED, True),
        (QueryKind.BALANCES, 400, {"code": -1007, "msg": "Timeout"}, Outcome.AMBIGUOUS, True),
        (QueryKind.OPEN_ORDERS, 502, b"<html>", Outcome.AMBIGUOUS, True),
        (QueryKind.OPEN_ORDERS, 200, b"<html>", Outcome.AMBIGUOUS, True),
        (QueryKind.OPEN_ORDERS, 200, {}, Outcome.AMBIGUOUS, True),
        (QueryKind.ORDER, 200, [], Outcome.AMBIGUOUS, True),
        (QueryKind.BALANCES, 200, [], Outcome.AMBIGUOUS, True),
        (QueryKind.POSITIONS, 200, {}, Outcome.AMBIGUOUS, True),
    ],
)
def test_absence_is_proven_by_the_venues_word_alone(
    kind: QueryKind, status: int, body: Any, outcome: Outcome, found: bool
) -> None:
    answer = ask(kind, body, status)
    assert (answer.outcome, answer.found) == (outcome, found)


def test_one_bad_record_hides_no_other() -> None:
    answer = ask(QueryKind.OPEN_ORDERS, [ORDER | {"side": "HOLD"}, ORDER | {"status": "NEW_ADL"}, 7, ORDER])
    assert [report.kind for report in answer.reports] == [ReportKind.OTHER] * 3 + [ReportKind.SNAPSHOT]
    assert [report.venue_order_id for report in answer.reports] == [1917641, 1917641, 0, 1917641]


@given(
    kind=st.sampled_from(QueryKind),
    status=st.sampled_from([200, 400, 418, 500]),
    body=st.binary(max_size=12)
    | st.sampled_from([b"[]", b"{}", b"[{}]", b'{"assets":[{}],"positions":[{}]}', b"[[]]"]),
)
def test_no_answer_raises(kind: QueryKind, status: int, body: bytes) -> None:
    ask(kind, body, status)
