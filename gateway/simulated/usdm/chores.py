"""What the futures market does by the clock: countdowns, GTD, listen keys, mark prices, liquidations, funding.

`tick` is called about every 10 ms (docs, "Auto-Cancel All Open Orders": how often the venue looks at its countdowns).
"""

from collections.abc import Callable

import msgspec

from ..core.matching import MatchingEngine
from ..core.orders import AccountId, Order, Status
from ..streams import StreamHub
from . import income
from .countdowns import Countdowns
from .funding import MARK_NS, PERIOD_NS, FundingBook, next_funding_ns
from .liquidation import liquidate
from .margin import Margin
from .market_payloads import mark_price_event
from .payloads import force_order
from .text import Figures
from .users import UserStreams

TICK_S = 0.01
SLOW_MARKS = 3
"""`@markPrice` without a speed is sent every so many seconds."""


class Chores:
    """`good_till`: orders that end by the clock, by id and when (ns). `publish` sends out what the chores did to orders."""

    def __init__(
        self,
        engine: MatchingEngine,
        margin: Margin,
        users: UserStreams,
        hub: StreamHub,
        funding: FundingBook,
        writing: dict[str, Figures],
        publish: Callable[[int], None],
    ) -> None:
        self.countdowns = Countdowns()
        self.good_till: dict[int, int] = {}
        self.funding = funding
        self._engine = engine
        self._margin = margin
        self._users = users
        self._hub = hub
        self._writing = writing
        self._publish = publish
        self._marks = 0
        self._marked_ns = 0
        self._funded_ns = 0

    def start(self, now_ns: int) -> None:
        """Take the first mark prices."""
        self._marked_ns = now_ns
        self._funded_ns = now_ns
        self._take_marks()

    def tick(self, now_ns: int) -> None:
        """Do what is due."""
        if self._fire_countdowns(now_ns) | self._expire_orders(now_ns):
            self._publish(now_ns)
        for key in self._users.keys.expire(now_ns):
            self._users.say_expired(key, now_ns)
        if now_ns // PERIOD_NS > self._funded_ns // PERIOD_NS:
            self._funded_ns = now_ns
            self._fund(now_ns)
        if not 0 <= now_ns - self._marked_ns < MARK_NS:  # below 0: the clock was set back
            self._marked_ns = now_ns
            self._take_marks()
            self._tell_marks(now_ns)
            self._liquidate(now_ns)
            self._forget_ended()

    # ---- orders that end by the clock

    def _fire_countdowns(self, now_ns: int) -> bool:
        fired = self.countdowns.fire(now_ns)
        for account, symbol in fired:
            for order in self._engine.registry.open_orders(account, symbol):
                self._engine.cancel(order, "", now_ns)
        return bool(fired)

    def _expire_orders(self, now_ns: int) -> bool:
        over = [order_id for order_id, due_ns in self.good_till.items() if due_ns <= now_ns]
        for order_id in over:
            del self.good_till[order_id]
            order = self._engine.registry.orders.get(order_id)
            if order is not None and order.is_open:
                self._engine.expire(order, Status.EXPIRED, now_ns)
        return bool(over)

    def _forget_ended(self) -> None:
        """What ended before its date needs no watching."""
        orders = self._engine.registry.orders
        ended = [order_id for order_id in self.good_till if order_id not in orders or not orders[order_id].is_open]
        for order_id in ended:
            del self.good_till[order_id]

    # ---- mark prices and what they lead to

    def _take_marks(self) -> None:
        for symbol, instrument in self._engine.instruments.items():
            middle = instrument.book.middle()
            if middle is not None:
                self._margin.marks[symbol] = middle

    def _tell_marks(self, now_ns: int) -> None:
        self._marks += 1
        speeds = ("@1s", "") if self._marks % SLOW_MARKS == 0 else ("@1s",)
        due_ns = next_funding_ns(now_ns)
        events = {
            symbol: mark_price_event(symbol, mark, self.funding.rate, due_ns, now_ns)
            for symbol, mark in self._margin.marks.items()
        }
        for speed in speeds:
            for symbol, event in events.items():
                self._hub.tell(f"{symbol.lower()}@markPrice{speed}", event)
            self._hub.tell(f"!markPrice@arr{speed}", list(events.values()))

    def _liquidate(self, now_ns: int) -> None:
        """Fills are told before what they led to. A wallet may also be below zero by its owner's own trades."""
        for account in self._margin.clients():
            if self._margin.is_liquidated(account):
                self._close(account, now_ns)
            self._fill_up(account, now_ns)

    def _close(self, account: AccountId, now_ns: int) -> None:
        taken_off, closing = liquidate(self._engine, self._margin, account, now_ns)
        for order in (*taken_off, *closing):
            terms = msgspec.structs.replace(self._users.terms.of(order.order_id), liquidates=True)
            self._users.terms.keep(order.order_id, terms)
        self._publish(now_ns)
        for order in closing:
            self._tell_liquidation(order, now_ns)

    def _tell_liquidation(self, order: Order, now_ns: int) -> None:
        event = force_order(order, now_ns, self._writing[order.symbol])
        self._hub.tell(f"{order.symbol.lower()}@forceOrder", event)
        self._hub.tell("!forceOrder@arr", event)

    def _fill_up(self, account: AccountId, now_ns: int) -> None:
        received = self._margin.fill_up(account, now_ns)
        if received:
            self._users.income.add(account, income.INSURANCE_CLEAR, "", received, now_ns)
            self._users.tell_account(account, income.INSURANCE_CLEAR, received, (), now_ns)

    def _fund(self, now_ns: int) -> None:
        """Of a crossed position the wallet alone is told (docs, "Event: Balance and Position Update")."""
        for symbol, mark in self._margin.marks.items():
            self.funding.settle(symbol, mark, now_ns)
            for account in self._margin.clients():
                received = self._margin.pay_funding(account, symbol, self.funding.rate, now_ns)
                if received:
                    self._users.income.add(account, income.FUNDING_FEE, symbol, received, now_ns)
                    self._users.tell_account(account, income.FUNDING_FEE, received, (), now_ns)
