"""An instrument's trading rules and the checks the venue makes with them (filters.md). Pure.

Every size is an integer in units of 10^-8 and 0 switches a rule off; multipliers are in units of 10^-4. Filters of orders that
this venue does not take (icebergs, trailing stops, order lists) are listed where the real venue lists them, and never asked.
"""

from collections.abc import Callable

import msgspec

from .decimals import SCALE, decimal_text, quote_amount
from .errors import BadRequest, filter_failure, invalid_price, invalid_quantity, market_closed
from .orders import MARKETS, STOPS, NewOrder, Order, OrderType, Side

MULTIPLIER_SCALE = 10_000
BUY = Side.BUY


TRADING = "TRADING"  # enums.md, "Symbol status": any other takes no new orders


class SymbolRules(msgspec.Struct, frozen=True):
    """One instrument. Defaults are BTCUSDT's of 2026 where the venue's are the same for most symbols.

    PERCENT_PRICE and MIN_NOTIONAL are the older forms of PERCENT_PRICE_BY_SIDE and NOTIONAL: a symbol has one of each.
    `position_max` is off: the venue sets it on few symbols. Trailing deltas are in basis points.
    """

    symbol: str
    base: str
    quote: str
    tick_size: int = SCALE // 100
    price_min: int = SCALE // 100
    price_max: int = 1_000_000 * SCALE
    step_size: int = SCALE // 100_000
    quantity_min: int = SCALE // 100_000
    quantity_max: int = 9_000 * SCALE
    market_quantity_max: int = 100 * SCALE
    notional_min: int = 5 * SCALE
    notional_max: int = 9_000_000 * SCALE
    orders_max: int = 200
    bid_multiplier_up: int = 50_000
    bid_multiplier_down: int = 2_000
    ask_multiplier_up: int = 50_000
    ask_multiplier_down: int = 2_000
    average_minutes: int = 5
    status: str = TRADING
    market_quantity_min: int = 0
    market_step_size: int = 0
    multiplier_up: int = 0
    multiplier_down: int = 0
    plain_notional_min: int = 0
    notional_min_to_market: bool = True
    notional_max_to_market: bool = False
    position_max: int = 0
    algo_orders_max: int = 5
    iceberg_parts: int = 100
    iceberg_orders_max: int = 0
    order_lists_max: int = 20
    amends_max: int = 10
    trailing_above_min: int = 10
    trailing_above_max: int = 2_000
    trailing_below_min: int = 10
    trailing_below_max: int = 2_000


class ExchangeRules(msgspec.Struct, frozen=True):
    """Limits over all symbols of one account. Off, as on the venue: its exchangeInfo has no exchange filters."""

    orders_max: int = 0
    algo_orders_max: int = 0


Listed = dict[str, str | int | bool]
"""A filter as exchangeInfo lists it."""
CheckFilters = Callable[[SymbolRules, NewOrder, int | None, int, int], None]
"""Rules, request, the price a MARKET order is measured by, open orders on the symbol, stops among them."""


def check_filters(
    rules: SymbolRules, order: NewOrder, reference_price: int | None, open_orders: int, open_stops: int
) -> None:
    """Raise BadRequest (-1013) for the first filter the order fails. `reference_price`: the average, or the middle."""
    if rules.status != TRADING:
        raise market_closed()
    price, stop_price = order.price, order.stop_price
    if price:
        _check_price(rules, price)
    if stop_price:
        _check_price(rules, stop_price)
    if not order.quote_quantity:
        _check_lot(rules, order.quantity)
        if not price:
            _check_market_lot(rules, order.quantity)
    if price and reference_price is not None:
        _check_percent_price(rules, order, reference_price)
    _check_notional(rules, order, reference_price)
    if open_orders >= rules.orders_max > 0 and order.order_type is not OrderType.MARKET:
        raise filter_failure("MAX_NUM_ORDERS")
    if stop_price and open_stops >= rules.algo_orders_max > 0:
        raise filter_failure("MAX_NUM_ALGO_ORDERS")


def check_combination(order: NewOrder) -> None:
    """Raise BadRequest unless the order has exactly the prices and the size of its type (rest-api.md, "New order")."""
    kind = order.order_type
    if order.price < 0 or (kind in MARKETS) == (order.price > 0):
        raise invalid_price()
    if order.stop_price < 0 or (kind in STOPS) != (order.stop_price > 0):
        raise BadRequest(-1013, "Invalid stop price.")  # chosen, after "Invalid price."
    if order.quote_quantity:
        if kind is not OrderType.MARKET or order.quantity:
            raise BadRequest(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    elif order.quantity <= 0:
        raise invalid_quantity()


def check_amendment(rules: SymbolRules, order: Order, quantity: int) -> None:
    """Raise BadRequest (-1013) if `order` with a lower `quantity` fails a filter."""
    _check_lot(rules, quantity)
    amount = quote_amount(order.price or order.stop_price, quantity)
    if amount < rules.notional_min:
        raise filter_failure("NOTIONAL")
    if amount < rules.plain_notional_min:
        raise filter_failure("MIN_NOTIONAL")


def _check_price(rules: SymbolRules, price: int) -> None:
    tick = rules.tick_size
    if price < rules.price_min or price > rules.price_max > 0 or (tick and price % tick):
        raise filter_failure("PRICE_FILTER")


def _check_lot(rules: SymbolRules, quantity: int) -> None:
    step = rules.step_size
    if quantity < rules.quantity_min or quantity > rules.quantity_max > 0 or (step and quantity % step):
        raise filter_failure("LOT_SIZE")


def _check_market_lot(rules: SymbolRules, quantity: int) -> None:
    step = rules.market_step_size
    if quantity < rules.market_quantity_min or quantity > rules.market_quantity_max > 0 or (step and quantity % step):
        raise filter_failure("MARKET_LOT_SIZE")


def _check_percent_price(rules: SymbolRules, order: NewOrder, reference_price: int) -> None:
    scaled = order.price * MULTIPLIER_SCALE
    if order.side is BUY:
        up, down = rules.bid_multiplier_up, rules.bid_multiplier_down
    else:
        up, down = rules.ask_multiplier_up, rules.ask_multiplier_down
    if scaled < reference_price * down or scaled > reference_price * up > 0:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    up, down = rules.multiplier_up, rules.multiplier_down
    if scaled < reference_price * down or scaled > reference_price * up > 0:
        raise filter_failure("PERCENT_PRICE")


def _check_notional(rules: SymbolRules, order: NewOrder, reference_price: int | None) -> None:
    """An order without a limit is measured at the reference price, or by what it says to spend."""
    is_market = not order.price
    if order.quote_quantity:
        amount = order.quote_quantity
    else:
        price = order.price or reference_price
        if price is None:
            return
        amount = quote_amount(price, order.quantity)
    if amount < rules.notional_min and (rules.notional_min_to_market or not is_market):
        raise filter_failure("NOTIONAL")
    if amount > rules.notional_max > 0 and (rules.notional_max_to_market or not is_market):
        raise filter_failure("NOTIONAL")
    if amount < rules.plain_notional_min:
        raise filter_failure("MIN_NOTIONAL")


# ---- as exchangeInfo lists them


def filters_payload(rules: SymbolRules) -> list[Listed]:
    """Return the `filters` of exchangeInfo: those that are on, in the venue's order and form."""
    listed: list[Listed] = [
        _price_filter(rules),
        _lot_filter("LOT_SIZE", rules.quantity_min, rules.quantity_max, rules.step_size),
        {"filterType": "ICEBERG_PARTS", "limit": rules.iceberg_parts},
        _lot_filter("MARKET_LOT_SIZE", rules.market_quantity_min, rules.market_quantity_max, rules.market_step_size),
        _trailing_filter(rules),
        *_percent_filters(rules),
        *_notional_filters(rules),
    ]
    counts = (
        ("MAX_NUM_ORDERS", "maxNumOrders", rules.orders_max),
        ("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", rules.order_lists_max),
        ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", rules.algo_orders_max),
        ("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", rules.iceberg_orders_max),
        ("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", rules.amends_max),
    )
    listed += [{"filterType": name, field: most} for name, field, most in counts if most]
    if rules.position_max:
        listed.append({"filterType": "MAX_POSITION", "maxPosition": decimal_text(rules.position_max)})
    return listed


def exchange_filters_payload(rules: ExchangeRules) -> list[Listed]:
    """Return the `exchangeFilters` of exchangeInfo: those that are on."""
    counts = (
        ("EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders", rules.orders_max),
        ("EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", rules.algo_orders_max),
    )
    return [{"filterType": name, field: most} for name, field, most in counts if most]


def _price_filter(rules: SymbolRules) -> Listed:
    return {
        "filterType": "PRICE_FILTER",
        "minPrice": decimal_text(rules.price_min),
        "maxPrice": decimal_text(rules.price_max),
        "tickSize": decimal_text(rules.tick_size),
    }


def _lot_filter(name: str, least: int, most: int, step: int) -> Listed:
    sizes = {"minQty": decimal_text(least), "maxQty": decimal_text(most), "stepSize": decimal_text(step)}
    return {"filterType": name, **sizes}


def _trailing_filter(rules: SymbolRules) -> Listed:
    return {
        "filterType": "TRAILING_DELTA",
        "minTrailingAboveDelta": rules.trailing_above_min,
        "maxTrailingAboveDelta": rules.trailing_above_max,
        "minTrailingBelowDelta": rules.trailing_below_min,
        "maxTrailingBelowDelta": rules.trailing_below_max,
    }


def _percent_filters(rules: SymbolRules) -> list[Listed]:
    listed: list[Listed] = []
    if rules.bid_multiplier_up or rules.ask_multiplier_up:
        listed.append(
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": _multiplier_text(rules.bid_multiplier_up),
                "bidMultiplierDown": _multiplier_text(rules.bid_multiplier_down),
                "askMultiplierUp": _multiplier_text(rules.ask_multiplier_up),
                "askMultiplierDown": _multiplier_text(rules.ask_multiplier_down),
                "avgPriceMins": rules.average_minutes,
            }
        )
    if rules.multiplier_up:
        ups = {
            "multiplierUp": _multiplier_text(rules.multiplier_up),
            "multiplierDown": _multiplier_text(rules.multiplier_down),
        }
        listed.append({"filterType": "PERCENT_PRICE", **ups, "avgPriceMins": rules.average_minutes})
    return listed


def _notional_filters(rules: SymbolRules) -> list[Listed]:
    listed: list[Listed] = [
        {
            "filterType": "NOTIONAL",
            "minNotional": decimal_text(rules.notional_min),
            "applyMinToMarket": rules.notional_min_to_market,
            "maxNotional": decimal_text(rules.notional_max),
            "applyMaxToMarket": rules.notional_max_to_market,
            "avgPriceMins": rules.average_minutes,
        }
    ]
    if rules.plain_notional_min:
        least: Listed = {"minNotional": decimal_text(rules.plain_notional_min), "applyToMarket": True}
        listed.append({"filterType": "MIN_NOTIONAL", **least, "avgPriceMins": rules.average_minutes})
    return listed


def _multiplier_text(multiplier: int) -> str:
    whole, fraction = divmod(multiplier, MULTIPLIER_SCALE)
    return f"{whole}.{fraction:04d}".rstrip("0").rstrip(".")
