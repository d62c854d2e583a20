"""Questions about a futures account over REST, and their answers. Pure: the door sends what `query_request` returns.

What holds for every answer stands in gateway/binance_spot/answers.py and records.py. A wallet is what there is of an asset, positions'
unrealized results aside; positions come with it in one answer, so that both are of one moment. Source: documents of USD-M
futures, "Trade" and "Account", read 2026-11.
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
    VenuePosition,
    VenueQuery,
    VenueState,
)
from gateway.binance_spot.answers import OK, REASON_MAX, Asked, no_result, query_answer, read_report
from gateway.binance_spot.decimals import MS_NS, Millis
from gateway.binance_spot.events import quantity_scale, read, read_signed
from gateway.binance_spot.records import Order, Trade, order_report, side_of, trade_report
from gateway.binance_spot.signing import Signer, signed_query
from gateway.binance_usdm.events import STATES, amount
from gateway.binance_usdm.outcomes import query_refused
from gateway.text import BadDecimal, units

TRADES_MAX = 1000  # a page of userTrades ("Account Trade List"); a full one means: ask again from its end
TRADES_WINDOW_MS = 7 * 86_400_000
"""Between startTime and endTime, and how far back a question with neither reaches (the same page)."""
ONE_WAY = "BOTH"

PATHS = {
    QueryKind.OPEN_ORDERS: "/fapi/v1/openOrders",  # weight 1 a symbol, 40 for all
    QueryKind.ORDER: "/fapi/v1/order",  # weight 1
    QueryKind.TRADES: "/fapi/v1/userTrades",  # weight 5
    QueryKind.BALANCES: "/fapi/v3/account",  # weight 5
    QueryKind.POSITIONS: "/fapi/v3/positionRisk",  # weight 5
}
_OF_ACCOUNT = (QueryKind.BALANCES, QueryKind.POSITIONS)


class _Order(Order):
    cumQuote: str
    updateTime: Millis = 0
    time: Millis = 0


class _Trade(Trade):
    realizedPnl: str
    side: str
    maker: bool


class _Wallet(msgspec.Struct):
    asset: str
    walletBalance: str


class _Position(msgspec.Struct):
    symbol: str
    positionSide: str
    positionAmt: str
    entryPrice: str = ""


class _Account(msgspec.Struct):
    """Any: converted one by one, so that one bad record does not hide the others."""

    assets: list[Any]
    positions: list[Any]


def query_request(
    query: VenueQuery, instrument: Instrument | None, signer: Signer, timestamp_ms: int, recv_window_ms: int
) -> tuple[str, str]:
    """Return method and signed path. The door adds the header `X-MBX-APIKEY: signer.api_key`.

    instrument None: open orders of all symbols, balances or positions; ORDER and TRADES need one.
    """
    assert instrument is not None or query.kind in (QueryKind.OPEN_ORDERS, *_OF_ACCOUNT), query
    params: list[tuple[str, str]] = []
    if instrument is not None and query.kind not in _OF_ACCOUNT:
        params.append(("symbol", instrument.venue_symbol))
    if query.kind is QueryKind.ORDER:
        assert query.client_order_id or query.venue_order_id, query
        by_venue = ("orderId", str(query.venue_order_id))
        params.append(("origClientOrderId", query.client_order_id) if query.client_order_id else by_venue)
    elif query.kind is QueryKind.TRADES:
        if query.venue_order_id:
            params.append(("orderId", str(query.venue_order_id)))
        params += _trades_from(query, timestamp_ms)
    params += [("recvWindow", str(recv_window_ms)), ("timestamp", str(timestamp_ms))]
    return "GET", f"{PATHS[query.kind]}?{signed_query(signer, params)}"


def _trades_from(query: VenueQuery, timestamp_ms: int) -> list[tuple[str, str]]:
    """Where a page begins. By id the history has the last seven days (or half a year: the documents can be read both ways), so
    nothing is asked by id that may be older. A history that had no trade is asked from its beginning, which is just as far away.
    """
    if query.from_id < 0:  # without fromId the most recent ones are returned
        return [("limit", "1")]
    if query.since_ns:
        start_ms = query.since_ns // MS_NS
    elif not query.from_id and not query.venue_order_id:
        start_ms = timestamp_ms - TRADES_WINDOW_MS
    else:
        return [("fromId", str(query.from_id)), ("limit", str(TRADES_MAX))]
    end_ms = min(start_ms + TRADES_WINDOW_MS, timestamp_ms)
    return [("startTime", str(start_ms)), ("endTime", str(end_ms)), ("limit", str(TRADES_MAX))]


def decode_query(
    query: VenueQuery,
    status: int,
    body: bytes,
    asked_ns: int,
    received_ns: int,
    instruments: Sequence[Instrument],
) -> QueryAnswer:
    """Return the one answer. Never raises on what a venue may send. Outcomes as on Spot."""
    if status != OK:
        return no_result(query, status, body, asked_ns, received_ns, query_refused)
    by_symbol = {instrument.venue_symbol: instrument for instrument in instruments}
    asked = Asked(query.account, query.venue, query.client_order_id, received_ns, by_symbol)
    try:
        if query.kind is QueryKind.BALANCES:
            account = msgspec.json.decode(body, type=_Account)
            balances, unread = _balances(account.assets, instruments)
            positions, unread_positions = _positions(account.positions, asked, instruments)
            reason = unread or unread_positions
            return query_answer(
                query, Outcome.RESULT, asked_ns, received_ns, reason, balances=balances, positions=positions,
                complete=not reason,
            )  # fmt: skip
        if query.kind is QueryKind.POSITIONS:
            positions, reason = _positions(msgspec.json.decode(body, type=list[Any]), asked, instruments)
            return query_answer(
                query, Outcome.RESULT, asked_ns, received_ns, reason, positions=positions, complete=not reason
            )
        records: list[Any]
        if query.kind is QueryKind.ORDER:
            records = [msgspec.json.decode(body, type=dict[str, Any])]
        else:
            records = msgspec.json.decode(body, type=list[Any])
    except (ValueError, RecursionError) as error:
        return query_answer(query, Outcome.AMBIGUOUS, asked_ns, received_ns, f"unreadable body: {error}"[:REASON_MAX])
    to_report = _trade_report if query.kind is QueryKind.TRADES else _order_report
    reports = tuple([read_report(record, asked, to_report) for record in records])
    complete = query.kind is not QueryKind.TRADES or len(records) < TRADES_MAX
    until_ns = 0
    if query.kind is QueryKind.TRADES and query.since_ns:
        window_end_ns = query.since_ns + TRADES_WINDOW_MS * MS_NS
        until_ns = window_end_ns if complete else max(report.venue_ns for report in reports)
        complete = complete and window_end_ns >= asked_ns
    return query_answer(
        query, Outcome.RESULT, asked_ns, received_ns, "", reports=reports, complete=complete, until_ns=until_ns
    )


def _balances(records: list[Any], instruments: Sequence[Instrument]) -> tuple[tuple[Balance, ...], str]:
    """Return the wallets, and what of assets that we trade in could not be read. One that the venue left out is zero."""
    ours = {one.settle_asset for one in instruments}  # only asked "in", never walked
    balances: dict[str, Balance] = {}
    reason = ""
    for record in records:
        try:
            wallet = msgspec.convert(record, _Wallet)
            free = read_signed("walletBalance", wallet.walletBalance)
            balances[wallet.asset] = Balance(wallet.asset, free, 0)
        except ValueError as error:
            name = record.get("asset") if isinstance(record, dict) else None
            if not isinstance(name, str) or name in ours:
                reason = reason or f"wallet {str(name)[:32]}: {error}"[:REASON_MAX]
    if not reason:
        for instrument in instruments:
            balances.setdefault(instrument.settle_asset, Balance(instrument.settle_asset, 0, 0))
    return tuple(balances.values()), reason


def _positions(
    records: list[Any], asked: Asked, instruments: Sequence[Instrument]
) -> tuple[tuple[VenuePosition, ...], str]:
    """Return positions, and what of symbols that we trade could not be read. One that the venue left out is zero.

    A position of one side (hedge mode) is not one of ours: such an account is refused at the start, and here.
    """
    positions: dict[str, VenuePosition] = {}
    reason = ""
    for record in records:
        try:
            one = msgspec.convert(record, _Position)
            if one.positionSide != ONE_WAY:
                raise ValueError(f"positionSide: {one.positionSide[:16]!r}: the account is in hedge mode")
            positions[one.symbol] = _position(one, asked)
        except ValueError as error:
            name = record.get("symbol") if isinstance(record, dict) else None
            if not isinstance(name, str) or name in asked.by_symbol:
                reason = reason or f"position {str(name)[:32]}: {error}"[:REASON_MAX]
    if not reason:
        for instrument in instruments:
            zero = VenuePosition(instrument.instrument, instrument.venue_symbol, 0, 0)
            positions.setdefault(instrument.venue_symbol, zero)
    return tuple(positions.values()), reason


def _position(one: _Position, asked: Asked) -> VenuePosition:
    """Quantity in base units (10^-8 of a symbol nobody configured); entry_price 0 where the answer has none."""
    instrument = asked.by_symbol.get(one.symbol)
    quantity_decimals = quantity_scale(instrument)
    negative = one.positionAmt.startswith("-")
    quantity = read("positionAmt", one.positionAmt.removeprefix("-"), quantity_decimals)
    if instrument is not None:
        quantity *= int(10 ** (instrument.base_scale - quantity_decimals))
    return VenuePosition(
        asked.number(one.symbol), one.symbol, -quantity if negative else quantity, _price(one.entryPrice)
    )


def _price(text: str) -> int:
    """An average, with any number of decimals: cut, not refused. Nobody trades on it."""
    whole, dot, fraction = text.partition(".")
    try:
        return units(f"{whole}{dot}{fraction[:8]}", 8) if text else 0
    except BadDecimal:
        return 0


def _order_report(record: Any, asked: Asked) -> ExecutionReport:
    order = msgspec.convert(record, _Order)
    return order_report(
        order,
        asked,
        STATES.get(order.status, VenueState.NONE),
        cumulative_quote=read("cumQuote", order.cumQuote),
        venue_ms=order.updateTime or order.time,
        execution_id=order.updateTime,
    )


def _trade_report(record: Any, asked: Asked) -> ExecutionReport:
    trade = msgspec.convert(record, _Trade)
    scale = quantity_scale(asked.by_symbol.get(trade.symbol))
    return trade_report(
        trade,
        asked,
        side_of(trade.side),
        last_quote=amount(read("price", trade.price), read("qty", trade.qty, scale), scale),
        is_maker=trade.maker,
        realized=read_signed("realizedPnl", trade.realizedPnl),
    )
