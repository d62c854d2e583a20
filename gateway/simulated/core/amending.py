"""Whether an order may be amended, keeping its place (rest-api.md, "Order Amend Keep Priority"; errors.md). Pure."""

from . import filters
from .errors import amend_refused
from .filters import SymbolRules
from .orders import Order
from .registry import OrderRegistry


def check_amendment(
    rules: SymbolRules, registry: OrderRegistry, order: Order, quantity: int, client_order_id: str | None
) -> None:
    """Raise OrderRefused (-2038) with the venue's text, or BadRequest (-1013) for a filter."""
    if not order.is_open:
        raise amend_refused("Unknown order sent.")
    if quantity > order.quantity:
        raise amend_refused("Order amend (quantity increase) is not supported.")
    if quantity == order.quantity:
        raise amend_refused("The requested action would change no state; rejecting.")
    if len(registry.amendments(order.order_id)) >= rules.amends_max > 0:
        raise amend_refused("Filter failure: MAX_NUM_ORDER_AMENDS")
    if quantity <= order.quantity - order.leaves:
        raise amend_refused("Invalid quantity.")  # chosen: the documents do not say; what is executed stays executed
    filters.check_amendment(rules, order, quantity)
    if client_order_id not in (None, order.client_order_id) and registry.is_open_client_id(
        order.account, order.symbol, client_order_id or ""
    ):
        raise amend_refused("Duplicate order sent.")
