"""An execution is booked once, in every state of its order: the only place where a Fill is made. Pure."""

from actors.orders.desk import Desk, Terms
from actors.orders.order import Execution, Order
from actors.orders.private_stream import PrivateStream
from actors.orders.quarantine import contest, corrected
from actors.orders.takeover import lies_inside
from bus.messages import AlertLevel, ExecutionReport, Fill, Message, OrderStatus, QueryKind, ReportSource

QUERY = ReportSource.QUERY


class Executions:
    __slots__ = ("desk", "stream")

    def __init__(self, desk: Desk, stream: PrivateStream) -> None:
        self.desk = desk
        self.stream = stream

    def execute(self, order: Order, report: ExecutionReport, terms: Terms, now_ns: int, out: list[Message]) -> None:
        """Book an execution once. A row we hold with other content is a correction: kept aside, and asked about."""
        desk = self.desk
        trade_id = report.trade_id
        venue_order_id = report.venue_order_id or order.venue_order_id
        quantity = report.last_quantity * terms.factor
        if trade_id < 0 or quantity <= 0:
            desk.keep_aside(report, "execution_unreadable", out)
            return
        inside = lies_inside(desk, terms, trade_id)
        if order.orphan and trade_id <= order.trade_floor and not inside:
            desk.count("execution_before_orphan")
            return
        if trade_id <= order.trade_max:
            for seen in order.executions:
                if seen.trade_id == trade_id and seen.venue_order_id in (venue_order_id, 0):
                    if seen.quantity == quantity and seen.quote == report.last_quote:
                        desk.count("execution_repeated")
                    else:
                        corrected(desk, order, report, now_ns, out)
                    return
        else:
            order.trade_max = trade_id
        order.executions.append(Execution(trade_id, venue_order_id, quantity, report.last_quote))
        order.backoff_ns = 0
        if inside:
            desk.count("execution_inside_ledger")
            order.covered = max(order.covered, sum(seen.quantity for seen in order.executions) - order.booked)
            order.cumulative = max(order.cumulative, order.booked + order.covered)
            return
        self.book(order, report, terms, venue_order_id, quantity, now_ns, out)

    def book(
        self,
        order: Order,
        report: ExecutionReport,
        terms: Terms,
        venue_order_id: int,
        quantity: int,
        now_ns: int,
        out: list[Message],
    ) -> None:
        desk = self.desk
        trade_id = report.trade_id
        order.booked += quantity
        highest = desk.trades.get(order.instrument, -1)
        if trade_id > highest:
            desk.trades[order.instrument] = trade_id
            desk.looked.setdefault(order.instrument, trade_id)
        desk.fill_number += 1
        desk.account_moves += 1
        out.append(self.fill_of(order, report, venue_order_id, quantity))
        if report.source is QUERY:
            self.stream.found(order, trade_id, report.venue_ns, now_ns, out)
        if order.covered and order.booked + order.covered > max(order.cumulative, report.cumulative * terms.factor):
            order.covered = max(max(order.cumulative, report.cumulative * terms.factor) - order.booked, 0)
        if order.booked > order.quantity_lots * order.unit:
            booked = f"booked={order.booked}"
            contest(desk, order, "overfill", QueryKind.TRADES, now_ns, out, level=AlertLevel.CRITICAL, more=booked)

    def fill_of(self, order: Order, report: ExecutionReport, venue_order_id: int, quantity: int) -> Fill:
        desk = self.desk
        return Fill(
            desk.fill_number,
            desk.settings.account,
            desk.settings.venue,
            order.instrument,
            order.version,
            order.owner,
            order.client_order_id,
            venue_order_id,
            report.trade_id,
            order.side,
            report.last_price,
            quantity,
            quantity // order.unit,
            report.last_quote,
            report.fee,
            report.fee_asset,
            report.is_maker,
            order.status >= OrderStatus.FILLED,
            report.venue_ns,
            report.realized,
            not desk.readied,
        )
