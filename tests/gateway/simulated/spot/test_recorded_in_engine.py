"""One author wrote both sides: payloads that neither wrote, read by the engine's own parsers, give the values that stand in them."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bus.messages import (
    ExecutionReport,
    Instrument,
    Outcome,
    QueryAnswer,
    QueryKind,
    ReportKind,
    RequestAnswered,
    Side,
    VenueQuery,
    VenueState,
)
from bus.messages.feed import Garbage
from gateway.binance_spot.events import AccountPosition
from gateway.binance_spot.limits import used_in_answer
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.past_orders import decode_client_order_ids
from gateway.binance_spot.queries import decode_query, decode_time
from gateway.binance_spot.signing import HmacSigner

PAYLOADS = Path(__file__).parents[5] / "shared" / "data" / "payloads"
EXAMPLES = PAYLOADS / "binance-spot-doc-examples.jsonl"
OTHERS = PAYLOADS / "Binance.Net.UnitTests"
REST, API = "rest-api.md", "web-socket-api.md"
SYMBOLS = ("BTCUSDT", "LTCBTC", "ETHBTC", "BNBBTC")

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="../shared/data/payloads is absent")

STATES = {
    "NEW": VenueState.WORKING,
    "PARTIALLY_FILLED": VenueState.WORKING,
    "FILLED": VenueState.DONE_FILLED,
    "CANCELED": VenueState.DONE_CANCELED,
    "EXPIRED": VenueState.DONE_EXPIRED,
    "EXPIRED_IN_MATCH": VenueState.DONE_STP,
}


def instruments() -> list[Instrument]:
    scales = (8, 8, 8, 8)
    return [
        Instrument(number, 1, 3, 4, symbol, symbol[:3], symbol[3:], *scales, 10**6, 1_000, 1, 0, 1, 0, 0, 0, 0)
        for number, symbol in enumerate(SYMBOLS)
    ]


def examples(document: str, *sections: str) -> Iterator[Any]:
    for line in EXAMPLES.read_text().splitlines():
        one = json.loads(line)
        if one["doc"] == document and (not sections or one["section"] in sections):
            yield one["json"]


def recorded(path: str) -> Any:
    """The answer in another project's fixture: three lines of request, then JSON."""
    return json.loads((OTHERS / path).read_text().split("\n", 3)[3])


def units(text: str) -> int:
    return int(Decimal(text) * 10**8)


def ask(kind: QueryKind, body: Any, status: int = 200, **fields: Any) -> QueryAnswer:
    query = VenueQuery("orders", 1, 2, 99, 3, 4, kind, 0, **fields)
    return decode_query(query, status, json.dumps(body).encode(), 10, 11, instruments())


def check_order(report: ExecutionReport, row: dict[str, Any]) -> None:
    assert (report.venue_symbol, report.venue_order_id) == (row["symbol"], row["orderId"])
    assert report.client_order_id == row["clientOrderId"]
    assert (report.status, report.state) == (row["status"], STATES[row["status"]])
    assert report.side is Side[row["side"]]
    told = (report.price, report.quantity, report.cumulative, report.cumulative_quote)
    names = ("price", "origQty", "executedQty", "cummulativeQuoteQty")
    assert told == tuple(units(row[name]) for name in names)
    assert report.venue_ns == row["updateTime"] * 1_000_000


def test_orders_that_were_asked_for() -> None:
    single = [*examples(REST, "Query order (USER_DATA)"), recorded("Endpoints/Spot/Trading/GetOrder.txt")]
    single += [one for one in examples("stp_faq.md", "STP Examples") if "updateTime" in one]
    single += [one["result"] for one in examples(API, "Query order (USER_DATA)") if "result" in one]
    assert len(single) > 10
    for row in single:
        answer = ask(QueryKind.ORDER, row, venue_order_id=row["orderId"])
        assert (answer.outcome, answer.found, answer.complete) == (Outcome.RESULT, True, True)
        check_order(answer.reports[0], row)


def test_lists_of_orders() -> None:
    lists = [*examples(REST, "Current open orders (USER_DATA)", "All orders (USER_DATA)")]
    lists += [recorded(f"Endpoints/Spot/Trading/{name}.txt") for name in ("GetOrders", "GetOpenOrders")]
    for section in ("Current open orders (USER_DATA)", "Account order history (USER_DATA)"):
        lists += [one["result"] for one in examples(API, section) if "result" in one]
    assert len(lists) == 6
    for rows in lists:
        answer = ask(QueryKind.OPEN_ORDERS, rows)
        assert len(answer.reports) == len(rows)
        for report, row in zip(answer.reports, rows, strict=True):
            check_order(report, row)
        assert decode_client_order_ids(json.dumps(rows).encode()) == tuple(row["clientOrderId"] for row in rows)


def test_trades() -> None:
    lists = [*examples(REST, "Account trade list (USER_DATA)"), recorded("Endpoints/Spot/Trading/GetUserTrades.txt")]
    lists += [one["result"] for one in examples(API, "Account trade history (USER_DATA)") if "result" in one]
    assert len(lists) == 3
    for rows in lists:
        for report, row in zip(ask(QueryKind.TRADES, rows, from_id=1).reports, rows, strict=True):
            assert (report.kind, report.trade_id, report.venue_order_id) == (
                ReportKind.TRADE,
                row["id"],
                row["orderId"],
            )
            told = (report.last_price, report.last_quantity, report.last_quote, report.fee)
            assert told == tuple(units(row[name]) for name in ("price", "qty", "quoteQty", "commission"))
            assert (report.fee_asset, report.is_maker) == (row["commissionAsset"], row["isMaker"])
            assert (report.side is Side.BUY, report.venue_ns) == (row["isBuyer"], row["time"] * 1_000_000)


def test_balances() -> None:
    accounts = [
        *examples(REST, "Account information (USER_DATA)"),
        recorded("Endpoints/Spot/Account/GetAccountInfo.txt"),
    ]
    accounts += [one["result"] for one in examples(API, "Account information (USER_DATA)") if "result" in one]
    assert len(accounts) == 3
    for account in accounts:
        told = {b.asset: (b.free, b.locked) for b in ask(QueryKind.BALANCES, account).balances}
        for row in account["balances"]:
            assert told[row["asset"]] == (units(row["free"]), units(row["locked"]))


def test_refusals_and_the_clock() -> None:
    (refusal,) = examples(REST, "Error Codes")
    answer = ask(QueryKind.ORDER, refusal, 400, client_order_id="a")
    assert answer.outcome is Outcome.REFUSED
    assert str(refusal["code"]) in answer.reason
    (clock,) = examples(REST, "Check server time")
    assert decode_time(json.dumps(clock).encode()) == clock["serverTime"] * 1_000_000


def codec() -> OrderCodec:
    return OrderCodec(HmacSigner("thekey", "thesecret"), False, 5_000, account=3, venue=4, instruments=instruments())


def decoded(frame: Any) -> Any:
    return codec().decode(json.dumps(frame).encode(), 11)


def test_answers_to_orders_and_cancels() -> None:
    """Goal: what was done, as what, and how much of the limits it used. Method: the examples under our own request ids."""
    count = 0
    for section, prefix in (("Place new order (TRADE)", "s"), ("Cancel order (TRADE)", "c")):
        for frame in examples(API, section):
            if "orderId" not in frame.get("result", {}):  # a request, or an order list
                continue
            answer = decoded({**frame, "id": f"{prefix}theirs"})
            assert isinstance(answer, RequestAnswered)
            assert (answer.outcome, answer.client_order_id) == (Outcome.RESULT, "theirs")
            assert answer.venue_order_id == frame["result"]["orderId"]
            used = used_in_answer(json.dumps(frame).encode())
            assert [one.count for one in used] == [limit["count"] for limit in frame["rateLimits"]]
            count += 1
    assert count >= 4
    (refused,) = [frame for frame in examples(API, "Response format") if "error" in frame]
    answer = decoded({**refused, "id": "stheirs"})
    assert (answer.outcome, answer.code) == (Outcome.REFUSED, refused["error"]["code"])
    (banned,) = [frame for frame in examples(API, "IP limits") if "error" in frame]
    answer = decoded({**banned, "id": "stheirs"})
    assert answer.outcome is Outcome.REFUSED
    assert str(banned["error"]["data"]["retryAfter"]) in answer.reason


def user_events() -> list[Any]:
    """The documents' events, and those another project recorded (the last JSON of each of its scripts)."""
    found = list(examples("user-data-stream.md"))
    for name in ("AccountPosition", "Balance", "Order", "OcoOrder"):
        text = (OTHERS / "Subscriptions" / "Spot" / "Account" / f"{name}.txt").read_text()
        found.append(json.loads(text.rpartition("\n= ")[2]))
    return found


def test_user_events() -> None:
    reports, positions = 0, 0
    for frame in user_events():
        event, told = frame["event"], decoded(frame)
        assert not isinstance(told, Garbage), (frame, told)
        if isinstance(told, ExecutionReport):
            reports += 1
            assert (told.venue_order_id, told.execution_id, told.trade_id) == (event["i"], event["I"], event["t"])
            assert told.client_order_id == (event["C"] or event["c"])
            amounts = (told.price, told.quantity, told.cumulative, told.last_quantity, told.last_price)
            assert amounts == tuple(units(event[name]) for name in "pqzlL")
            assert (told.cumulative_quote, told.last_quote) == (units(event["Z"]), units(event["Y"]))
            assert (told.status, told.state) == (event["X"], STATES[event["X"]])
            assert told.venue_ns == event["T"] * 1_000_000
        elif isinstance(told, AccountPosition):
            positions += 1
            assert [(b.asset, b.free, b.locked) for b in told.balances] == [
                (row["a"], units(row["f"]), units(row["l"])) for row in event["B"]
            ]
    assert (reports, positions) == (2, 2)
