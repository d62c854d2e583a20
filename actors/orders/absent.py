"""The last proof that orders never were: the account's trades, which one question an instrument brings for all that wait. Pure.

A thousand orders may be unproven at once: after a death between journal and wire, after a network that was gone. Trades since an
order's time weigh five times the order's own question (Binance Spot: 20 and 4), so whoever comes while such a question is under
way waits for the next one.
"""

from collections.abc import Callable

from actors.orders.order import Order
from actors.orders.question import Question
from actors.orders.register import Register
from bus.messages import Message, QueryKind

Ask = Callable[[Question, int, list[Message]], int]


class Proofs:
    """waiting: by instrument, orders for the next question; without an entry none is under way. ask: returns its counter."""

    __slots__ = ("ask", "register", "waiting")

    def __init__(self, register: Register, ask: Ask) -> None:
        self.register = register
        self.ask = ask
        self.waiting: dict[int, list[str]] = {}

    def want(self, order: Order, now_ns: int, out: list[Message]) -> None:
        """Denied often enough: everybody's trades have the next word."""
        waiting = self.waiting.get(order.instrument)
        if waiting is None:
            self.begin(order.instrument, [order], now_ns, out)
        else:
            waiting.append(order.client_order_id)
            order.query = -1  # of no question of its own: of the next one

    def begin(self, instrument: int, orders: list[Order], now_ns: int, out: list[Message]) -> None:
        from_id = max(min(order.trade_floor for order in orders), 0)
        question = Question(QueryKind.TRADES, instrument, orders[0].client_order_id, from_id, look=False)
        question.proof = True
        question.others = [order.client_order_id for order in orders[1:]]
        self.waiting[instrument] = []
        self.go_on(question, orders, now_ns, out)

    def go_on(self, question: Question, orders: list[Order], now_ns: int, out: list[Message]) -> None:
        """The first page, or the next one."""
        counter = self.ask(question, now_ns, out)
        for order in orders:
            order.query = counter

    def end(self, instrument: int, now_ns: int, out: list[Message]) -> None:
        """The one that was under way is answered."""
        keys = self.waiting.pop(instrument, [])
        left = [order for key in keys if (order := self.register.open.get(key)) is not None]
        if left:
            self.begin(instrument, left, now_ns, out)

    def orders_of(self, question: Question) -> list[Order]:
        """Those of them that are open still."""
        keys = (question.client_order_id, *question.others)
        return [order for key in keys if (order := self.register.open.get(key)) is not None]
