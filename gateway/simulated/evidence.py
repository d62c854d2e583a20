"""What the venue keeps for whoever judges a run: every order request it was sent, every trade of a client. Pure.

Both logs are numbered from 0 and bounded; what was dropped shows as a first number above 0. A venue that nobody can ask
(no control door) keeps nothing.
"""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from .core.decimals import decimal_text
from .core.orders import BACKGROUND, OPPOSITE, Execution, ExecutionKind, Side
from .faults.plan import RequestPlan
from .operations import Answer, Ask, Kind

ROWS_MAX = 100_000  # chosen: 40 minutes of two engines at 100 orders and cancels each in 10 s; 35 MB, measured
TEXT_MAX = 64  # chosen: of what a client wrote; longer than any id, price or symbol that is accepted
ORDER_REQUESTS = (Kind.PLACE, Kind.CANCEL, Kind.REPLACE, Kind.AMEND, Kind.QUERY)
"""What is kept. Anything else is a question about the market, the account or its trades."""

Row = TypeVar("Row")


class RequestRow(msgspec.Struct, frozen=True, gc=False):
    """One order request. `received_ns`: the venue's clock as it was handled, the one its recvWindow was held against.

    `account` is empty when the signature proved nobody. `client_order_id` is the one asked about or to be canceled, too.
    `code` is 0 when the venue says it did as asked, else its error code; `price` and `quantity` are the client's own text.
    `faults` names what was made to go wrong with it.
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


class TradeRow(msgspec.Struct, gc=False):
    """One trade in which a client took part. `time_ns`: the venue's clock; the crowd's orders have no client ids."""

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


class BoundedLog(Generic[Row]):
    """The last `rows_max` rows; each knows its number."""

    def __init__(self, rows_max: int) -> None:
        self.next_number = 0
        self._rows: deque[Row] = deque(maxlen=rows_max)

    @property
    def first_number(self) -> int:
        """The number of the oldest row that is kept; `next_number` when none is."""
        return self.next_number - len(self._rows)

    def append(self, row: Row) -> None:
        self._rows.append(row)
        self.next_number += 1

    def rows(self, from_number: int, limit: int) -> list[Row]:
        """Return at most `limit` rows from that number on, or from the oldest one that is kept."""
        start = max(from_number - self.first_number, 0)
        return list(islice(self._rows, start, start + limit))


class Evidence:
    def __init__(self, rows_max: int = 0) -> None:
        self._rows_max = rows_max
        self.requests: BoundedLog[RequestRow] = BoundedLog(rows_max)
        self.trades: BoundedLog[TradeRow] = BoundedLog(rows_max)
        self._trade: TradeRow | None = None

    def answered(self, face: str, ask: Ask, answer: Answer, plan: RequestPlan) -> None:
        """Note an order request, once it is answered, refused or lost."""
        if ask.operation.kind not in ORDER_REQUESTS or not self._rows_max:
            return
        params, kind = ask.params, ask.operation.kind.value

        def said(name: str) -> str:
            return params.get(name, "")[:TEXT_MAX]

        order_id = answer.result.get("orderId") if isinstance(answer.result, Mapping) else None
        self.requests.append(
            RequestRow(
                number=self.requests.next_number,
                received_ns=answer.now_ns,
                account=answer.account,
                kind=kind,
                operation=ask.name,
                symbol=said("symbol"),
                client_order_id=said("newClientOrderId" if kind == "place" else "origClientOrderId"),
                side=said("side"),
                price=said("price"),
                quantity=said("quantity"),
                code=0 if answer.error is None else answer.error.code,
                order_id=order_id if isinstance(order_id, int) else 0,
                face=face,
                door=ask.door,
                faults=plan.faults,
            )
        )

    def executed(self, execution: Execution, now_ns: int) -> None:
        """Note a fill. Between two clients a trade has two executions, one right after the other: one row."""
        if execution.kind is not ExecutionKind.TRADE:
            return
        order, row = execution.order, self._trade
        if row is None or (row.symbol, row.trade_id) != (order.symbol, execution.trade_id):
            row = self._trade = TradeRow(
                number=self.trades.next_number,
                time_ns=execution.time_ns,
                symbol=order.symbol,
                trade_id=execution.trade_id,
                price=decimal_text(execution.last_price),
                quantity=decimal_text(execution.last_quantity),
                taker_side=OPPOSITE[order.side] if execution.is_maker else order.side,
            )
            self.trades.append(row)
        if execution.is_maker:
            row.maker_account, row.maker_client_order_id = order.account, order.client_order_id
        else:
            row.taker_account, row.taker_client_order_id = order.account, order.client_order_id
