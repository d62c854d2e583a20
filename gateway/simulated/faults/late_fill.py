"""A fill that the venue only tells after it has acknowledged the cancel. Pure; what it does to orders and money is true."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from ..core.matching import MatchingEngine
from ..core.orders import Execution, ExecutionKind, Order, Status


class LateFill:
    """How much of an order trades: a part, `share` of 0 to 1, or `all`. `stale`: the cancel's words are of before the fill."""

    def __init__(self, engine: MatchingEngine, share: float, *, all: bool, stale: bool) -> None:
        self._engine = engine
        self._share = share
        self._all = all
        self._stale = stale

    @contextmanager
    def during(self) -> Iterator[None]:
        """Within it every cancel of the engine comes too late for a part: for one operation, without an await."""
        engine = self._engine
        engine.cancel = self._cancel  # type: ignore[method-assign]  # undone below: the operations know no other way in
        try:
            yield
        finally:
            del engine.cancel

    def _cancel(self, order: Order, cancel_id: str, now_ns: int) -> Order:
        """As the engine's own; returns the order as the cancel's acknowledgement tells it."""
        engine, kind = self._engine, type(self._engine)
        quantity = self._quantity(order)
        if not order.is_open or not quantity:
            return kind.cancel(engine, order, cancel_id, now_ns)
        before, first = copy.copy(order), len(engine.executions)
        engine.fill_resting(order, order.price, quantity, now_ns)
        if order.is_open:
            kind.cancel(engine, order, cancel_id, now_ns)
        told = copy.copy(before if self._stale else order)
        told.status, told.updated_ns = Status.CANCELED, now_ns
        reports = engine.executions[first:]
        fills = [report for report in reports if report.kind is ExecutionKind.TRADE]
        engine.executions[first:] = [self._report(reports, told, cancel_id, now_ns), *fills]
        return told

    def _quantity(self, order: Order) -> int:
        """Whole lots; all but one lot at most, unless all is wanted or there is but one."""
        step = max(1, self._engine.instruments[order.symbol].rules.step_size)
        lots = order.leaves // step
        if self._all or lots <= 1:
            return order.leaves
        return step * (1 + int(self._share * (lots - 1) * 0.999_999))

    def _report(self, reports: list[Execution], told: Order, cancel_id: str, now_ns: int) -> Execution:
        """The report of the cancel: the engine's own where there is one, saying what is told."""
        last = reports[-1]
        return msgspec.structs.replace(
            last,
            order=told,
            kind=ExecutionKind.CANCELED,
            status=Status.CANCELED,
            executed=told.executed,
            quote_executed=told.quote_executed,
            time_ns=now_ns,
            client_order_id=cancel_id,
            original_client_order_id=told.client_order_id,
            last_price=0,
            last_quantity=0,
            fee=0,
            fee_asset=None,
            trade_id=-1,
            is_maker=False,
            is_on_book=False,
        )
