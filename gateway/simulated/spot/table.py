"""Everything Binance Spot's face can be asked: one table of operations, built of its parts, and the REST paths beside it."""

from ..operations import Operation
from . import account, market_data, order_lists, orders, sapi

PARTS = (market_data, account, orders, order_lists)

OPERATIONS: dict[str, Operation] = {name: operation for part in PARTS for name, operation in part.OPERATIONS.items()}
"""By the WebSocket API's names."""

REST_OPERATIONS = {**OPERATIONS, **sapi.OPERATIONS}
"""What REST has besides: it is named by its path."""

ROUTES: dict[tuple[str, str], str] = {route: name for part in (*PARTS, sapi) for route, name in part.ROUTES.items()}
"""(HTTP method, path) to the name of the operation."""
