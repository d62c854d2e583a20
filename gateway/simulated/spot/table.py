"""Everything Binance Spot's face can be asked: one table of operations, built of its parts, and the REST paths beside it."""

from ..operations import Operation
from . import account, market_data, orders

PARTS = (market_data, account, orders)

OPERATIONS: dict[str, Operation] = {name: operation for part in PARTS for name, operation in part.OPERATIONS.items()}
"""By the WebSocket API's names."""

ROUTES: dict[tuple[str, str], str] = {route: name for part in PARTS for route, name in part.ROUTES.items()}
"""(HTTP method, path) to the name of the operation."""
