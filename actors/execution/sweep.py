"""The sweep: one timer for everything that time may end. Pure; off the hot path.

A cancel without an answer, a command without an answer, a wish that was not renewed, a side that waits; an accepted
order that the book must contain by now, and levels at which no order stands any more.
"""

from actors.execution.phases import CANCELING, DOOMED
from actors.execution.planner import Planner
from actors.execution.precedence import ruling_rank
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, Market, Order
from bus.actor import NOTHING
from bus.messages import Alert, AlertLevel, Message, TimerFired


class Sweep:
    def __init__(self, settings: ExecutionSettings, register: Register, planner: Planner) -> None:
        self.settings = settings
        self.register = register
        self.planner = planner

    def on_timer(self, fired: TimerFired, now_ns: int) -> tuple[Message, ...]:
        planner = self.planner
        if not planner.armed or fired.generation != planner.generation:
            return NOTHING
        planner.armed = False
        planner.begin(now_ns, 0)
        queues = self.register.queues
        for market in self.register.markets.values():
            queues.settle(market)
            if market.grace_ns and now_ns >= market.grace_ns:
                self._end_grace(market)
            for desk in market.desks:
                for slot in (desk.buy, desk.sell):
                    planner.watched = planner.watched or bool(slot.orders) or desk.target is not None
                    for order in slot.orders:
                        self._look_at(market, desk, order, now_ns)
                    if desk.target is not None and (slot.waiting or slot.keeping or now_ns >= desk.target.expires_ns):
                        planner.plan(market, desk, slot)
                if desk.target is not None and now_ns >= desk.target.expires_ns:
                    desk.target = None
            if market.ruled:
                ruling_rank(market, now_ns)
            if queues.outdated(market):
                planner.orders.append(queues.watch(market))
        return planner.end()

    def _end_grace(self, market: Market) -> None:
        """What an earlier run left, and nobody of this one wishes or can judge by a book, goes."""
        market.grace_ns = 0
        for desk in market.desks:
            if market.touch is None or desk.target is None:
                self.planner.drop_desk(market, desk)

    def _look_at(self, market: Market, desk: Desk, order: Order, now_ns: int) -> None:
        settings, planner = self.settings, self.planner
        if order.phase is CANCELING and now_ns - order.cancel_ns >= settings.cancel_timeout_ns:
            if order.attempts < settings.cancel_attempts_max:
                planner.send_cancel(market, desk, order)
            elif not order.alerted:
                self._alert(market, order, "cancel_unanswered", f"id={order.client_order_id} attempts={order.attempts}")
        overdue = now_ns - order.since_ns >= settings.request_timeout_ns
        if order.phase <= DOOMED and overdue and not order.alerted:
            self._alert(market, order, "command_unanswered", f"command={order.command} owner={desk.owner}")

    def _alert(self, market: Market, order: Order, event: str, detail: str) -> None:
        order.alerted = True
        self.planner.orders.append(Alert(AlertLevel.CRITICAL, "execution", event, market.number, detail))
