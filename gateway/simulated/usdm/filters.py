"""The checks of a futures order against its contract's rules, with the futures face's codes (docs, "Filters", "Error Codes"). Pure."""

from ..core.decimals import DECIMALS, quote_amount
from ..core.errors import BadRequest, OrderRefused
from ..core.filters import MULTIPLIER_SCALE, SymbolRules
from ..core.orders import NewOrder, OrderType, Side
from ..payload import Payload
from .errors import too_many_open_orders
from .text import fixed, plain, price_decimals, quantity_decimals


def check_filters(rules: SymbolRules, order: NewOrder, mark: int, open_orders: int) -> None:
    """Raise VenueError for the first rule the order fails. A reduce-only order may be of any notional."""
    if rules.status != "TRADING":
        raise OrderRefused(-4140, "Invalid symbol status for opening position.")
    is_market = order.order_type is OrderType.MARKET
    check_quantity(rules, order.quantity, rules.market_quantity_max if is_market else rules.quantity_max)
    if not is_market:
        check_price(rules, order.side, order.price, mark)
    notional = quote_amount(mark if is_market else order.price, order.quantity)
    if notional < rules.notional_min and not order.reduce_only:
        least = plain(rules.notional_min)
        raise BadRequest(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")
    if open_orders >= rules.orders_max and not is_market:
        raise too_many_open_orders()


def check_quantity(rules: SymbolRules, quantity: int, most: int) -> None:
    _check_precision(quantity, quantity_decimals(rules))
    if quantity < rules.quantity_min:
        raise BadRequest(-4004, "Quantity less than min quantity.")
    if quantity > most:
        raise BadRequest(-4005, "Quantity greater than max quantity.")
    if quantity % rules.step_size:
        raise BadRequest(-4023, "Qty not increased by step size.")


def check_price(rules: SymbolRules, side: Side, price: int, mark: int) -> None:
    _check_precision(price, price_decimals(rules))
    if price > rules.price_max:
        raise BadRequest(-4002, "Price greater than max price.")
    if price < rules.price_min:
        raise BadRequest(-4013, "Price less than min price.")
    if price % rules.tick_size:
        raise BadRequest(-4014, "Price not increased by tick size.")
    decimals = price_decimals(rules)
    highest = mark * rules.bid_multiplier_up // MULTIPLIER_SCALE
    if side is Side.BUY and rules.bid_multiplier_up and price > highest:
        raise BadRequest(-4016, f"Limit price can't be higher than {fixed(highest, decimals)}.")
    lowest = mark * rules.ask_multiplier_down // MULTIPLIER_SCALE
    if side is Side.SELL and price < lowest:
        raise BadRequest(-4024, f"Limit price can't be lower than {fixed(lowest, decimals)}.")


def _check_precision(value: int, decimals: int) -> None:
    if value % 10 ** (DECIMALS - decimals):
        raise BadRequest(-1111, "Precision is over the maximum defined for this asset.")


def filters_payload(rules: SymbolRules) -> list[Payload]:
    """Return the `filters` of exchangeInfo."""
    sizes: Payload = {"minQty": plain(rules.quantity_min), "stepSize": plain(rules.step_size)}
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": plain(rules.price_min),
            "maxPrice": plain(rules.price_max),
            "tickSize": plain(rules.tick_size),
        },
        {"filterType": "LOT_SIZE", **sizes, "maxQty": plain(rules.quantity_max)},
        {"filterType": "MARKET_LOT_SIZE", **sizes, "maxQty": plain(rules.market_quantity_max)},
        {"filterType": "MAX_NUM_ORDERS", "limit": rules.orders_max},
        {"filterType": "MIN_NOTIONAL", "notional": plain(rules.notional_min)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{rules.bid_multiplier_up / MULTIPLIER_SCALE:.4f}",
            "multiplierDown": f"{rules.ask_multiplier_down / MULTIPLIER_SCALE:.4f}",
            "multiplierDecimal": "4",
        },
    ]
