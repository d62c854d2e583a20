"""What the venue keeps for whoever judges a run: every request it was sent, every trade and order of a client. Pure.

All logs are numbered from 0 and bounded; what was dropped shows as a first number above 0. A venue that nobody can ask
(no control door) keeps nothing.
"""

from collections.abc import Mapping

import msgspec

from .core.bounded_log import BoundedLog
from .core.decimals import decimal_text
from .core.orders import BACKGROUND, OPPOSITE, Execution, ExecutionKind, Order, Side
from .faults.plan import NOTHING, RequestPlan
from .operations import Answer, Ask, Kind, Params

ROWS_MAX = 100_000  # chosen: 40 minutes of two engines at 100 orders and cancels each in 10 s
EXECUTIONS_MAX = 1_000  # of one order; chosen: one that trades more often is told by the log of trades
TEXT_MAX = 64  # chosen: of what a client wrote; longer than any id, price or symbol that is accepted

CLIENT_IDS = {
    Kind.PLACE.value: ("newClientOrderId", ""),
    Kind.REPLACE.value: ("newClientOrderId", "cancelOrigClientOrderId"),
    Kind.AMEND.value: ("newClientOrderId", "origClientOrderId"),
}
"""Parameters that name the order a request makes, and the one it replaces. Any other request has origClientOrderId."""
ABOUT = ("origClientOrderId", "")


class RequestRow(msgspec.Struct, frozen=True, gc=False):
    """One request. `received_ns`: the venue's clock as it was handled, the one its recvWindow was held against.

    `account` is empty when the signature proved nobody. `client_order_id` is the one asked about or to be canceled, too;
    `original_client_order_id` that of an order to be replaced or amended. `code` is 0 when the venue says it did as asked,
    else its error code; `done` says whether it did, whatever it says. `order_id`: of the one order it was about, if it was
    done. `price` and `quantity` are the client's own text. `faults` names what was made to go wrong with it, `delivery`
    what became of the answer: sent, late, twice, lost, cut (with its connection) or swallowed (with the request itself).
    """

    number: int
    received_ns: int
    account: str
    kind: str
    operation: str
    symbol: str
    client_order_id: str
    side: str
    price: str
    quantity: str
    code: int
    order_id: int
    face: str = "spot"
    door: str = "rest"
    faults: tuple[str, ...] = ()
    original_client_order_id: str = ""
    status: int = 200
    done: bool = False
    delivery: str = "sent"


class TradeRow(msgspec.Struct, gc=False):
    """One trade in which a client took part. `time_ns`: the venue's clock.

    Of the crowd's side nothing is told: no ids, no commission. A commission is decimal text, in the asset beside it.
    """

    number: int
    time_ns: int
    symbol: str
    trade_id: int
    price: str
    quantity: str
    taker_side: Side
    maker_account: str = BACKGROUND
    maker_client_order_id: str = ""
    taker_account: str = BACKGROUND
    taker_client_order_id: str = ""
    face: str = "spot"
    maker_order_id: int = 0
    maker_commission: str = ""
    maker_commission_asset: str = ""
    taker_order_id: int = 0
    taker_commission: str = ""
    taker_commission_asset: str = ""


class OrderRecord(msgspec.Struct):
    """One order of a client as it is now, and all that happened to it, oldest first; `dropped`: how much is not kept."""

    number: int
    face: str
    order: Order
    executions: list[Execution]
    dropped: int = 0


class Evidence:
    def __init__(self, rows_max: int = 0) -> None:
        self._rows_max = rows_max
        self.requests: BoundedLog[RequestRow] = BoundedLog(rows_max)
        self.trades: BoundedLog[TradeRow] = BoundedLog(rows_max)
        self.orders: BoundedLog[OrderRecord] = BoundedLog(rows_max)
        self._known: dict[tuple[str, int], OrderRecord] = {}
        self._trade: TradeRow | None = None

    def answered(self, face: str, ask: Ask, answer: Answer, plan: RequestPlan) -> None:
        """Note a request, once it is answered, refused or lost."""
        self.noted(face, ask.door, ask.name, ask.operation.kind.value, ask.params, answer, plan)

    def noted(
        self,
        face: str,
        door: str,
        operation: str,
        kind: str,
        params: Params,
        answer: Answer,
        plan: RequestPlan = NOTHING,
    ) -> None:
        """The same of a request that is not an operation of the face: of its connection, or not understood."""
        if not self._rows_max:
            return
        new_id, original_id = CLIENT_IDS.get(kind, ABOUT)
        order_id = answer.outcome.get("orderId") if isinstance(answer.outcome, Mapping) else None
        self.requests.append(
            RequestRow(
                number=self.requests.next_number,
                received_ns=answer.now_ns,
                account=answer.account,
                kind=kind,
                operation=operation[:TEXT_MAX],
                symbol=_said(params, "symbol"),
                client_order_id=_said(params, new_id),
                side=_said(params, "side"),
                price=_said(params, "price"),
                quantity=_said(params, "quantity"),
                code=0 if answer.error is None else answer.error.code,
                order_id=order_id if isinstance(order_id, int) else 0,
                face=face,
                door=door,
                faults=plan.faults,
                original_client_order_id=_said(params, original_id),
                status=answer.status,
                done=answer.outcome is not None,
                delivery=_delivery(plan),
            )
        )

    def executed(self, execution: Execution, now_ns: int, face: str = "spot") -> None:
        """Note what happened to a client's order."""
        if not self._rows_max:
            return
        record = self._record(face, execution.order)
        if len(record.executions) < EXECUTIONS_MAX:
            record.executions.append(execution)
        else:
            record.dropped += 1
        if execution.kind is ExecutionKind.TRADE:
            self._traded(execution, face)

    def _record(self, face: str, order: Order) -> OrderRecord:
        record = self._known.get((face, order.order_id))
        if record is None:
            if len(self._known) >= self._rows_max:
                [oldest] = self.orders.rows(0, 1)
                del self._known[oldest.face, oldest.order.order_id]
            record = self._known[face, order.order_id] = OrderRecord(self.orders.next_number, face, order, [])
            self.orders.append(record)
        return record

    def _traded(self, execution: Execution, face: str) -> None:
        """Between two clients a trade has two executions, one right after the other: one row."""
        order, row = execution.order, self._trade
        if row is None or (row.face, row.symbol, row.trade_id) != (face, order.symbol, execution.trade_id):
            row = self._trade = TradeRow(
                number=self.trades.next_number,
                time_ns=execution.time_ns,
                symbol=order.symbol,
                trade_id=execution.trade_id,
                price=decimal_text(execution.last_price),
                quantity=decimal_text(execution.last_quantity),
                taker_side=OPPOSITE[order.side] if execution.is_maker else order.side,
                face=face,
            )
            self.trades.append(row)
        who = order.account, order.client_order_id, order.order_id
        fee, asset = decimal_text(execution.fee), execution.fee_asset or ""
        if execution.is_maker:
            row.maker_account, row.maker_client_order_id, row.maker_order_id = who
            row.maker_commission, row.maker_commission_asset = fee, asset
        else:
            row.taker_account, row.taker_client_order_id, row.taker_order_id = who
            row.taker_commission, row.taker_commission_asset = fee, asset


def _said(params: Params, name: str) -> str:
    """What the client wrote there, cut to what can be a legal value."""
    return params.get(name, "")[:TEXT_MAX]


def _delivery(plan: RequestPlan) -> str:
    """What becomes of the answer, by the strongest of the faults that hit it."""
    if plan.swallowed:
        return "swallowed"
    if plan.cuts:
        return "cut"
    if plan.copies != 1:
        return "twice" if plan.copies else "lost"
    return "late" if plan.before_ns or plan.after_ns else "sent"
