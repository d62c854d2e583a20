"""A fill that the venue only tells after it has acknowledged the cancel. Pure; what it does to orders and money is true."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.matching import MatchingEngine
from ..core.orders import ExecutionKind, Order, Status


class LateFill:
    """How much of an order trades: a part, `share` from 0 to below 1, or `all`. `stale`: the cancel's words are of before the fill."""

    def __init__(self, engine: MatchingEngine, share: float, *, all: bool, stale: bool) -> None:
        self._engine = engine
        self._share = share
        self._all = all
        self._stale = stale

    @contextmanager
    def during(self) -> Iterator[None]:
        """Within it every cancel of the engine comes too late for a part: for one operation, without an await.

        Of several around one operation the innermost holds.
        """
        engine = self._engine
        outer = vars(engine).get("cancel")
        engine.cancel = self._cancel  # type: ignore[method-assign]  # undone below: the operations know no other way in
        try:
            yield
        finally:
            if outer is None:
                del engine.cancel
            else:
                engine.cancel = outer  # type: ignore[method-assign]  # as it was

    def _cancel(self, order: Order, cancel_id: str, now_ns: int) -> Order:
        """As the engine's own; returns the order as the cancel's acknowledgement tells it."""
        engine, kind = self._engine, type(self._engine)
        if not order.is_open or not order.working_ns:
            return kind.cancel(engine, order, cancel_id, now_ns)
        before, first = copy.copy(order), len(engine.executions)
        engine.fill_resting(order, order.price, self._quantity(order), now_ns)
        if order.is_open:
            kind.cancel(engine, order, cancel_id, now_ns)
        told = copy.copy(before if self._stale else order)
        told.status, told.updated_ns = Status.CANCELED, now_ns
        happened = [
            e for e in engine.executions[first:] if e.kind is not ExecutionKind.CANCELED or e.order is not order
        ]
        del engine.executions[first:]
        engine.report_canceled(told, cancel_id, now_ns)
        engine.executions += happened
        return told

    def _quantity(self, order: Order) -> int:
        """Whole lots; all but one lot at most, unless all is wanted or there is but one."""
        step = max(1, self._engine.instruments[order.symbol].rules.step_size)
        lots = order.leaves // step
        if self._all or lots <= 1:
            return order.leaves
        return step * (1 + int(self._share * (lots - 1)))
