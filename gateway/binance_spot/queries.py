"""Questions about the account over REST, and their answers. Pure: the door sends what `query_request` returns.

What holds for every answer stands in `answers` and `records`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from bus.messages import (
    Balance,
    ExecutionReport,
    Instrument,
    Outcome,
    QueryAnswer,
    QueryKind,
    Side,
    VenueQuery,
    VenueState,
)
from bus.messages.feed import Garbage
from gateway.binance_spot.answers import OK, REASON_MAX, Asked, no_result, query_answer, read_report
from gateway.binance_spot.decimals import MS_NS, Millis
from gateway.binance_spot.events import STATES, read, read_signed
from gateway.binance_spot.outcomes import query_refused
from gateway.binance_spot.records import Order, Trade, order_report, trade_report
from gateway.binance_spot.signing import Signer, signed_query

TRADES_MAX = 1000  # a page of myTrades (docs, rest-api, "Account trade list"); a full one means: ask again from its end
TIME_PATH = "/api/v3/time"
_PATHS = {
    QueryKind.OPEN_ORDERS: "/api/v3/openOrders",  # weight 6 a symbol, 80 for all
    QueryKind.ORDER: "/api/v3/order",  # weight 4
    QueryKind.TRADES: "/api/v3/myTrades",  # weight 20, of one order 5
    QueryKind.BALANCES: "/api/v3/account",  # weight 20
}


class _Order(Order):
    cummulativeQuoteQty: str
    time: Millis
    updateTime: Millis = 0


class _Trade(Trade):
    quoteQty: str
    isBuyer: bool
    isMaker: bool


class _Asset(msgspec.Struct):
    asset: str
    free: str
    locked: str


class _Account(msgspec.Struct):
    balances: list[Any]  # Any: converted one by one, so that one bad record does not hide the others


class _Time(msgspec.Struct):
    serverTime: Millis


def query_request(
    query: VenueQuery, instrument: Instrument | None, signer: Signer, timestamp_ms: int, recv_window_ms: int
) -> tuple[str, str]:
    """Return method and signed path. The door adds the header `X-MBX-APIKEY: signer.api_key`.

    instrument None: open orders of all symbols, or balances; ORDER and TRADES need one.
    """
    assert instrument is not None or query.kind in (QueryKind.OPEN_ORDERS, QueryKind.BALANCES), query
    params: list[tuple[str, str]] = []
    if instrument is not None and query.kind is not QueryKind.BALANCES:
        params.append(("symbol", instrument.venue_symbol))
    if query.kind is QueryKind.ORDER:
        assert query.client_order_id or query.venue_order_id, query
        by_venue = ("orderId", str(query.venue_order_id))
        params.append(("origClientOrderId", query.client_order_id) if query.client_order_id else by_venue)
    elif query.kind is QueryKind.TRADES:
        if query.venue_order_id:  # with fromId (docs, rest-api, "Account trade list": supported combinations)
            params.append(("orderId", str(query.venue_order_id)))
        if query.from_id < 0:  # without fromId the most recent ones are returned (the same page)
            params.append(("limit", "1"))
        else:
            params += [("fromId", str(query.from_id)), ("limit", str(TRADES_MAX))]
    elif query.kind is QueryKind.BALANCES:
        params.append(("omitZeroBalances", "true"))  # an answer of 60 kB otherwise; `_balances` fills the zeros in
    params += [("recvWindow", str(recv_window_ms)), ("timestamp", str(timestamp_ms))]
    return "GET", f"{_PATHS[query.kind]}?{signed_query(signer, params)}"


def decode_query(
    query: VenueQuery,
    status: int,
    body: bytes,
    asked_ns: int,
    received_ns: int,
    instruments: Sequence[Instrument],
) -> QueryAnswer:
    """Return the one answer. Never raises on what a venue may send.

    RESULT: HTTP 200 and a readable body, or an order that the venue says does not exist. REFUSED: any other 4xx.
    AMBIGUOUS: 5xx, an unreadable body, a code that says so.
    """
    if status != OK:
        return no_result(query, status, body, asked_ns, received_ns, query_refused)
    by_symbol = {instrument.venue_symbol: instrument for instrument in instruments}
    asked = Asked(query.account, query.venue, query.client_order_id, received_ns, by_symbol)
    records: list[Any]
    try:
        if query.kind is QueryKind.BALANCES:
            records = msgspec.json.decode(body, type=_Account).balances
            balances, complete, reason = _balances(records, instruments)
            return query_answer(
                query, Outcome.RESULT, asked_ns, received_ns, reason, balances=balances, complete=complete
            )
        if query.kind is QueryKind.ORDER:
            records = [msgspec.json.decode(body, type=dict[str, Any])]
        else:
            records = msgspec.json.decode(body, type=list[Any])
    except (ValueError, RecursionError) as error:
        return query_answer(query, Outcome.AMBIGUOUS, asked_ns, received_ns, f"unreadable body: {error}"[:REASON_MAX])
    to_report = _trade_report if query.kind is QueryKind.TRADES else _order_report
    reports = tuple([read_report(record, asked, to_report) for record in records])
    complete = query.kind is not QueryKind.TRADES or len(records) < TRADES_MAX
    return query_answer(query, Outcome.RESULT, asked_ns, received_ns, "", reports=reports, complete=complete)


def decode_time(body: bytes) -> int | Garbage:
    """Return the venue's clock in ns from the body of TIME_PATH."""
    try:
        return msgspec.json.decode(body, type=_Time).serverTime * MS_NS
    except (ValueError, RecursionError) as error:
        return Garbage(f"time: {error}")


def _balances(records: list[Any], instruments: Sequence[Instrument]) -> tuple[tuple[Balance, ...], bool, str]:
    """Return the balances, whether they tell all about the assets we trade, and what could not be read.

    An asset we trade and the venue left out is zero: we asked to leave zeros out. One that cannot be read is left out,
    and the answer is then not complete; of an asset we do not trade it is only a reason.
    """
    ours = {name for one in instruments for name in (one.base_asset, one.quote_asset)}  # only asked "in", never walked
    balances: dict[str, Balance] = {}
    complete, reason = True, ""
    for record in records:
        try:
            asset = msgspec.convert(record, _Asset)
            balances[asset.asset] = Balance(asset.asset, read("free", asset.free), read("locked", asset.locked))
        except ValueError as error:
            name = record.get("asset") if isinstance(record, dict) else None
            complete = complete and isinstance(name, str) and name not in ours
            reason = reason or f"balance {str(name)[:32]}: {error}"[:REASON_MAX]
    if complete:
        for instrument in instruments:
            for name in (instrument.base_asset, instrument.quote_asset):
                balances.setdefault(name, Balance(name, 0, 0))
    return tuple(balances.values()), complete, reason


def _order_report(record: Any, asked: Asked) -> ExecutionReport:
    order = msgspec.convert(record, _Order)
    # below 0 on old orders: "this data is not available" (docs, rest-api)
    cumulative_quote = max(0, read_signed("cummulativeQuoteQty", order.cummulativeQuoteQty))
    return order_report(
        order,
        asked,
        STATES.get(order.status, VenueState.NONE),
        cumulative_quote=cumulative_quote,
        venue_ms=order.updateTime or order.time,
    )


def _trade_report(record: Any, asked: Asked) -> ExecutionReport:
    trade = msgspec.convert(record, _Trade)
    side = Side.BUY if trade.isBuyer else Side.SELL
    return trade_report(trade, asked, side, last_quote=read("quoteQty", trade.quoteQty), is_maker=trade.isMaker)
