"""Every order and fill an account may ask about: open ones by id and client id, closed ones for a while. Pure."""

from collections import deque

from .orders import BACKGROUND, AccountId, AccountTrade, Order

CLOSED_ORDERS_MAX = 100_000  # chosen: hours of quoting; the oldest closed order is forgotten first (-2013 from then on)
TRADES_MAX = 100_000  # chosen: per account; the oldest are forgotten first


class OrderRegistry:
    """Closed orders of the background account are forgotten at once: nobody asks for them."""

    def __init__(self) -> None:
        self.orders: dict[int, Order] = {}
        self._open: dict[AccountId, dict[int, Order]] = {}
        self._open_ids: dict[tuple[AccountId, str, str], int] = {}
        self._latest_ids: dict[tuple[AccountId, str, str], int] = {}
        self._closed: deque[int] = deque()
        self._trades: dict[AccountId, deque[AccountTrade]] = {}

    def add(self, order: Order) -> None:
        self.orders[order.order_id] = order
        self._open.setdefault(order.account, {})[order.order_id] = order
        if order.account != BACKGROUND:
            key = (order.account, order.symbol, order.client_order_id)
            self._open_ids[key] = self._latest_ids[key] = order.order_id

    def close(self, order: Order) -> None:
        del self._open[order.account][order.order_id]
        if order.account == BACKGROUND:
            del self.orders[order.order_id]
            return
        del self._open_ids[order.account, order.symbol, order.client_order_id]
        self._closed.append(order.order_id)
        if len(self._closed) > CLOSED_ORDERS_MAX:
            self._forget(self.orders.pop(self._closed.popleft()))

    def _forget(self, order: Order) -> None:
        key = (order.account, order.symbol, order.client_order_id)
        if self._latest_ids.get(key) == order.order_id:
            del self._latest_ids[key]

    def is_open_client_id(self, account: AccountId, symbol: str, client_order_id: str) -> bool:
        return (account, symbol, client_order_id) in self._open_ids

    def open_orders(self, account: AccountId, symbol: str | None = None) -> list[Order]:
        """Return the account's open orders, oldest first."""
        return [o for o in self._open.get(account, {}).values() if symbol is None or o.symbol == symbol]

    def open_count(self, account: AccountId, symbol: str) -> int:
        return sum(o.symbol == symbol for o in self._open.get(account, {}).values())

    def all_orders(self, account: AccountId, symbol: str) -> list[Order]:
        """Return the account's known orders of one symbol, open and closed, oldest first."""
        return [o for o in self.orders.values() if o.account == account and o.symbol == symbol]

    def find(self, account: AccountId, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        """Look an order up by id or, failing that, by client id; both given must agree. A reused id means its latest."""
        if order_id is None:
            order_id = self._latest_ids.get((account, symbol, client_order_id or ""))
        order = None if order_id is None else self.orders.get(order_id)
        if order is None or order.account != account or order.symbol != symbol:
            return None
        if client_order_id is not None and order.client_order_id != client_order_id:
            return None
        return order

    def add_trade(self, account: AccountId, trade: AccountTrade) -> None:
        self._trades.setdefault(account, deque(maxlen=TRADES_MAX)).append(trade)

    def trades(self, account: AccountId, symbol: str) -> list[AccountTrade]:
        """Return the account's fills on `symbol`, oldest first."""
        return [t for t in self._trades.get(account, ()) if t.symbol == symbol]

    def client_orders(self) -> list[Order]:
        """Return every open order but the background's."""
        return [o for account, orders in self._open.items() if account != BACKGROUND for o in orders.values()]
