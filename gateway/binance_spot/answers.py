"""What the answers to questions about an account have in common, Spot's and the futures'. Pure.

A page is read record by record: one that cannot be read becomes a report of kind OTHER with the ids it has and the
reason, so that it is seen, and never hides the others. An ORDER query proves absence only by the venue's own -2013.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

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
    VenuePosition,
    VenueQuery,
    VenueState,
)
from gateway.binance_spot.decimals import UNITS_MAX
from gateway.binance_spot.events import SIDES
from gateway.binance_spot.outcomes import NO_SUCH_ORDER

REASON_MAX = 200
OK = 200
QueryRefused = Callable[[int, int], bool]
"""Whether status and code of an error answer to a query are a definite no."""


class _Error(msgspec.Struct):
    code: int
    msg: str = ""


class Asked(msgspec.Struct):
    """What every report of one answer has in common."""

    account: int
    venue: int
    client_order_id: str
    received_ns: int
    by_symbol: Mapping[str, Instrument]

    def number(self, symbol: str) -> int:
        """Of the instrument; -1 of a symbol nobody configured."""
        instrument = self.by_symbol.get(symbol)
        return -1 if instrument is None else instrument.instrument


def query_answer(
    query: VenueQuery,
    outcome: Outcome,
    asked_ns: int,
    received_ns: int,
    reason: str,
    *,
    found: bool = True,
    complete: bool = True,
    reports: tuple[ExecutionReport, ...] = (),
    balances: tuple[Balance, ...] = (),
    positions: tuple[VenuePosition, ...] = (),
    until_ns: int = 0,
) -> QueryAnswer:
    return QueryAnswer(
        actor=query.actor,
        counter=query.counter,
        generation=query.generation,
        outcome=outcome,
        kind=query.kind,
        instrument=query.instrument,
        client_order_id=query.client_order_id,
        asked_ns=asked_ns,
        received_ns=received_ns,
        reason=reason,
        found=found,
        complete=complete,
        reports=reports,
        balances=balances,
        positions=positions,
        until_ns=until_ns,
    )


def no_result(
    query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int, query_refused: QueryRefused
) -> QueryAnswer:
    """The answer to a question that was not answered with 200."""
    try:
        error = msgspec.json.decode(body, type=_Error)
    except (ValueError, RecursionError):
        error = _Error(0, "")
    reason = f"status={status} code={error.code} {error.msg}"[:REASON_MAX]
    if query.kind is QueryKind.ORDER and error.code == NO_SUCH_ORDER and 400 <= status < 500:
        return query_answer(query, Outcome.RESULT, asked_ns, received_ns, reason, found=False)
    outcome = Outcome.REFUSED if query_refused(status, error.code) else Outcome.AMBIGUOUS
    return query_answer(query, outcome, asked_ns, received_ns, reason)


def read_report(
    record: Any, asked: Asked, to_report: Callable[[Any, Asked], ExecutionReport]
) -> ExecutionReport:  # Any: raw JSON
    try:
        return to_report(record, asked)
    except ValueError as error:  # a ValidationError or BadDecimal, with the field's name
        return unreadable(record if isinstance(record, dict) else {}, asked, str(error))


def unreadable(record: dict[str, Any], asked: Asked, reason: str) -> ExecutionReport:
    """Return what is left of a bad record: ids, the venue's status, the reason. Its side and amounts mean nothing."""

    def text(field: str) -> str:
        value = record.get(field)
        return value[:64] if isinstance(value, str) else ""

    def number(field: str, missing: int) -> int:
        value = record.get(field)
        return value if type(value) is int and 0 <= value <= UNITS_MAX else missing

    return ExecutionReport(
        account=asked.account,
        venue=asked.venue,
        instrument=asked.number(text("symbol")),
        source=ReportSource.QUERY,
        kind=ReportKind.OTHER,
        state=VenueState.NONE,
        status=text("status"),
        client_order_id=asked.client_order_id or text("clientOrderId"),
        venue_order_id=number("orderId", 0),
        side=SIDES.get(text("side"), Side.BUY),
        price=0,
        quantity=0,
        cumulative=0,
        cumulative_quote=0,
        trade_id=number("id", -1),
        last_quantity=0,
        last_price=0,
        last_quote=0,
        fee=0,
        fee_asset="",
        is_maker=False,
        execution_id=0,
        venue_ns=0,
        received_ns=asked.received_ns,
        reason=f"unreadable: {reason}"[:REASON_MAX],
        venue_symbol=text("symbol"),
    )
