"""Everything the futures face can be asked: one table of operations, built of its parts, and the REST paths beside it."""

from ..operations import Operation
from . import account, cancels, market_data, modify, order_queries, orders

PARTS = (market_data, account, orders, modify, cancels, order_queries)

OPERATIONS: dict[str, Operation] = {name: operation for part in PARTS for name, operation in part.OPERATIONS.items()}
"""By the WebSocket API's names, and names of ours where it has none."""

ROUTES: dict[tuple[str, str], str] = {route: name for part in PARTS for route, name in part.ROUTES.items()}
"""(HTTP method, path) to the name of the operation."""

WEBSOCKET_API = (
    *("depth", "ticker.price", "ticker.book"),
    *("order.place", "order.modify", "order.cancel", "order.status", "algoOrder.place", "algoOrder.cancel"),
    *("account.balance", "v2/account.balance", "account.status", "v2/account.status"),
    *("account.position", "v2/account.position"),
    *("userDataStream.start", "userDataStream.ping", "userDataStream.stop"),
)
"""What may be asked over the WebSocket API (docs, "WebSocket API"); the rest is REST's alone."""
