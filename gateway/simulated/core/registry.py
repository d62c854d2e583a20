"""Every order and fill an account may ask about: open ones by id and client id, closed ones for a while. Pure.

The crowd's orders are not kept: they live in the book, and nobody asks for them.
"""

from collections import deque

from .orders import STOPS, AccountId, AccountTrade, Amendment, Order, PreventedMatch

CLOSED_ORDERS_MAX = 100_000  # chosen: hours of quoting; the oldest closed order is forgotten first (-2013 from then on)
TRADES_MAX = 100_000  # chosen: per account; the oldest are forgotten first
PREVENTED_MAX = 1_000  # chosen: per account; as many as one answer of myPreventedMatches carries


class Section:
    """One account's orders on one symbol. `latest`: client id -> the order that had it last. `stops`: of the open ones."""

    __slots__ = ("known", "latest", "open", "stops")

    def __init__(self) -> None:
        self.known: dict[int, Order] = {}
        self.open: dict[int, Order] = {}
        self.latest: dict[str, Order] = {}
        self.stops = 0

    def has_open(self, client_order_id: str) -> bool:
        order = self.latest.get(client_order_id)
        return order is not None and order.order_id in self.open


_NOTHING = Section()
"""What is known of an account or symbol that nobody has heard of; never written to."""


class OrderRegistry:
    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self._sections: dict[AccountId, dict[str, Section]] = {}
        self._closed: deque[Order] = deque()
        self._trades: dict[AccountId, deque[AccountTrade]] = {}
        self._prevented: dict[AccountId, deque[PreventedMatch]] = {}
        self._amendments: dict[int, list[Amendment]] = {}

    def section(self, account: AccountId, symbol: str) -> Section:
        """Return it, made where there is none: for accounts and symbols that exist."""
        sections = self._sections.get(account)
        if sections is None:
            sections = self._sections[account] = {}
        section = sections.get(symbol)
        if section is None:
            section = sections[symbol] = Section()
        return section

    def sections(self, account: AccountId) -> list[Section]:
        return list(self._sections.get(account, {}).values())

    # ---- what the engine tells

    def add(self, order: Order) -> None:
        order_id = order.order_id
        section = self.section(order.account, order.symbol)
        self.orders[order_id] = section.known[order_id] = section.open[order_id] = order
        section.latest[order.client_order_id] = order
        if order.stop_price:
            section.stops += order.order_type in STOPS

    def close(self, order: Order) -> None:
        section = self.section(order.account, order.symbol)
        del section.open[order.order_id]
        if order.stop_price:
            section.stops -= order.order_type in STOPS
        self._closed.append(order)
        if len(self._closed) > CLOSED_ORDERS_MAX:
            self._forget(self._closed.popleft())

    def _forget(self, order: Order) -> None:
        section = self.section(order.account, order.symbol)
        del self.orders[order.order_id], section.known[order.order_id]
        if section.latest.get(order.client_order_id) is order:
            del section.latest[order.client_order_id]
        self._amendments.pop(order.order_id, None)

    def amend(self, order: Order, amendment: Amendment) -> None:
        """Note it, and give the order its new client id; the old one is free from then on."""
        section = self.section(order.account, order.symbol)
        del section.latest[order.client_order_id]
        order.client_order_id = amendment.client_order_id
        section.latest[order.client_order_id] = order
        self._amendments.setdefault(order.order_id, []).append(amendment)

    def add_trade(self, account: AccountId, trade: AccountTrade) -> None:
        trades = self._trades.get(account)
        if trades is None:
            trades = self._trades[account] = deque(maxlen=TRADES_MAX)
        trades.append(trade)

    def add_prevented(self, account: AccountId, match: PreventedMatch) -> None:
        self._prevented.setdefault(account, deque(maxlen=PREVENTED_MAX)).append(match)

    # ---- what may be asked

    def _known(self, account: AccountId, symbol: str) -> Section:
        return self._sections.get(account, {}).get(symbol, _NOTHING)

    def is_open_client_id(self, account: AccountId, symbol: str, client_order_id: str) -> bool:
        return self._known(account, symbol).has_open(client_order_id)

    def open_orders(self, account: AccountId, symbol: str | None = None) -> list[Order]:
        """Return the account's open orders, oldest first."""
        if symbol is not None:
            return list(self._known(account, symbol).open.values())
        orders = [order for section in self.sections(account) for order in section.open.values()]
        return sorted(orders, key=lambda order: order.order_id)

    def all_orders(self, account: AccountId, symbol: str) -> list[Order]:
        """Return the account's known orders of one symbol, open and closed, oldest first."""
        return list(self._known(account, symbol).known.values())

    def find(self, account: AccountId, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        """Look an order up by id or, failing that, by client id; both given must agree. A reused id means its latest."""
        section = self._known(account, symbol)
        if order_id is None:
            return section.latest.get(client_order_id or "")
        order = section.known.get(order_id)
        if order is not None and client_order_id not in (None, order.client_order_id):
            return None
        return order

    def trades(self, account: AccountId, symbol: str) -> list[AccountTrade]:
        """Return the account's fills on `symbol`, oldest first."""
        return [t for t in self._trades.get(account, ()) if t.symbol == symbol]

    def amendments(self, order_id: int) -> list[Amendment]:
        """Return what was changed of an order, oldest first."""
        return list(self._amendments.get(order_id, ()))

    def prevented(self, account: AccountId, symbol: str) -> list[PreventedMatch]:
        """Return the matches of the account's orders on `symbol` that self-trade prevention stopped, oldest first."""
        return [m for m in self._prevented.get(account, ()) if m.symbol == symbol]

    def client_orders(self) -> list[Order]:
        """Return every open order of every account."""
        return [
            o for sections in self._sections.values() for section in sections.values() for o in section.open.values()
        ]
