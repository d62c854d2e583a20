"""A venue, orders and portfolio in forty lines: what is true, and the facts about it on their way to risk.

Facts of one cascade keep the order of their own kind and nothing else: OrderUpdate, Fill and PositionUpdate of it
arrive in any interleaving, which is more than any topology can do to them.
"""

from random import Random

from actors.risk import Risk
from bus.messages import (
    ApprovedOrder,
    CommandDropped,
    Message,
    OrderRefused,
    OrderStatus,
    Refusal,
    Side,
)
from tests.actors.risk.builders import ASK, BID, NOW, command, fill, position, update


class World:
    def __init__(self, risk: Risk, random: Random) -> None:
        self.risk, self.random, self.now = risk, random, NOW
        self.position = 0
        self.open: dict[int, list[int]] = {}  # command -> [side, leaves, cumulative, quantity]
        self.cascades: list[list[list[Message]]] = []
        self.updates = self.fills = self.commands = 0
        self.inputs: list[tuple[Message, int]] = []
        self.outputs: list[tuple[Message, ...]] = []

    def worst(self, side: int) -> int:
        return self.position + side * sum(leaves for s, leaves, _, _ in self.open.values() if s == side)

    def tell(self, message: Message) -> tuple[Message, ...]:
        answer = self.risk.receive(message, self.now)
        self.inputs.append((message, self.now))
        self.outputs.append(answer)
        return answer

    def submit(self) -> None:
        """A new order; once approved it may be refused by orders, be lost, or live."""
        side, lots = self.random.choice([Side.BUY, Side.SELL]), self.random.randint(1, 12)
        number, self.commands = self.commands, self.commands + 1
        price = BID if side > 0 else ASK
        asked = command(command=number, side=side, price_ticks=price, quantity_lots=lots, received_ns=0)
        (answer,) = self.tell(asked)
        if not isinstance(answer, ApprovedOrder):
            return
        fate = self.random.random()
        if fate < 0.1:
            self.cascades.append([[OrderRefused(0, "maker", number, side, Refusal.WRITE_BUFFER)]])
        elif fate < 0.2:
            self.cascades.append([[CommandDropped(0, "maker", number, "")]])
        else:
            self.open[number] = [int(side), lots, 0, lots]
            self.cascades.append([[self._update(number, OrderStatus.PENDING_NEW)]])

    def trade(self) -> None:
        """One or two fills of one order, in one cascade."""
        if not self.open:
            return
        number = self.random.choice(list(self.open))
        order = self.open[number]
        updates: list[Message] = []
        fills: list[Message] = []
        positions: list[Message] = []
        for _ in range(self.random.randint(1, 2)):
            if order[1] == 0:
                break
            lots = self.random.randint(1, order[1])
            order[1] -= lots
            order[2] += lots
            self.position += order[0] * lots
            updates.append(self._update(number, OrderStatus.FILLED if order[1] == 0 else OrderStatus.PARTIALLY_FILLED))
            self.fills += 1
            side = Side(order[0])
            fills.append(fill(number=self.fills, client_order_id=f"x{number}", side=side, quantity_lots=lots))
            positions.append(position(self.position))
        if order[1] == 0:
            del self.open[number]
        self.cascades.append([updates, fills, positions])

    def cancel(self) -> None:
        if self.open:
            number = self.random.choice(list(self.open))
            self.cascades.append([[self._update(number, OrderStatus.CANCELED)]])
            del self.open[number]

    def deliver(self) -> None:
        """The oldest cascade; between two of its facts a strategy may ask for more."""
        if not self.cascades:
            return
        self.now += 1_000_000
        kinds = [list(kind) for kind in self.cascades.pop(0)]
        while any(kinds):
            self.tell(self.random.choice([kind for kind in kinds if kind]).pop(0))
            self.check()
            if self.random.random() < 0.2:
                self.submit()
                self.check()

    def _update(self, number: int, status: OrderStatus) -> Message:
        side, leaves, cumulative, quantity = self.open[number]
        self.updates += 1
        return update(
            number=self.updates,
            client_order_id=f"x{number}",
            command=number,
            side=Side(side),
            price_ticks=BID if side > 0 else ASK,
            quantity_lots=quantity,
            cumulative_lots=cumulative,
            leaves_lots=0 if status >= OrderStatus.FILLED else leaves,
            status=status,
        )

    def check(self) -> None:
        """What is true never lies outside the limits, and risk never believes less than what is true."""
        book = self.risk.books[0]
        assert self.worst(1) <= book.position_max
        assert self.worst(-1) >= book.position_min
        assert book.worst_long() >= self.worst(1)
        assert book.worst_short() <= self.worst(-1)
        holds = [*book.holds.values(), *book.requests.values()]
        assert book.leaves_buy == sum(h.leaves for h in holds if h.side > 0)
        assert book.leaves_sell == sum(h.leaves for h in holds if h.side < 0)
        assert book.ahead_buy == sum(h.ahead for h in holds if h.side > 0)
        assert book.ahead_sell == sum(h.ahead for h in holds if h.side < 0)
        assert book.open_orders == self.risk.account.open_orders == sum(not h.done for h in holds)
        assert self.risk.account.notional.get("BBB", 0) == sum(h.notional for h in holds)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.random.choice([self.submit, self.submit, self.trade, self.trade, self.cancel, self.deliver])()
            self.check()
        while self.cascades:
            self.deliver()
