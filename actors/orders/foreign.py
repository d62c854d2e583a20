"""Executions of orders that are left alone: said once each, for the ledger alone. Pure.

Whoever trades by hand on the account moves its balances. The engine's positions are none of that; its ledger follows, or else
each of those trades would look like money that nobody can explain.
"""

from actors.orders.desk import Desk
from actors.orders.takeover import lies_inside
from bus.messages import ExecutionReport, ForeignTraded, Message

TRADES_MAX = 10_000  # chosen: keys of booked ones; looks read again what was traded since the look before


class Foreign:
    """booked: (instrument, trade id, venue order id) of the last TRADES_MAX. number: of the last one said."""

    __slots__ = ("booked", "desk", "number")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.number = 0
        self.booked: dict[tuple[int, int, int], None] = {}

    def book(self, report: ExecutionReport, out: list[Message]) -> None:
        """A row of the history or a word of the stream; a repeat, or what the ledger began with, says nothing."""
        desk = self.desk
        terms = desk.terms.get(report.instrument)
        quantity = report.last_quantity * terms.factor if terms is not None else 0
        if terms is None or report.trade_id < 0 or quantity <= 0:
            return
        key = (report.instrument, report.trade_id, report.venue_order_id)
        if key in self.booked or lies_inside(desk, terms, report.trade_id):
            desk.count("foreign_trade_known")
            return
        self.number += 1
        self.know(key)
        desk.account_moves += 1
        settings = desk.settings
        out.append(
            ForeignTraded(
                self.number,
                settings.account,
                settings.venue,
                report.instrument,
                report.client_order_id,
                report.venue_order_id,
                report.trade_id,
                report.side,
                quantity,
                report.last_quote,
                report.fee,
                report.fee_asset,
                report.venue_ns,
                report.realized,
            )
        )

    def know(self, key: tuple[int, int, int]) -> None:
        self.booked[key] = None
        if len(self.booked) > TRADES_MAX:
            del self.booked[next(iter(self.booked))]

    def recover(self, message: ForeignTraded, now_ns: int) -> None:
        """From the journal's tail."""
        if message.number > self.number:
            self.number = message.number
            self.know((message.instrument, message.trade_id, message.venue_order_id))
