"""An instrument's trading rules and the checks the venue makes with them. Pure.

Every size is an integer in units of 10^-8 and 0 switches a rule off (filters.md); multipliers are in units of 10^-4.
"""

from collections import deque

import msgspec

from .decimals import SCALE, decimal_text, quote_amount
from .errors import BadRequest, filter_failure
from .orders import NewOrder, OrderType, Side

MULTIPLIER_SCALE = 10_000


class SymbolRules(msgspec.Struct, frozen=True):
    """One instrument. Defaults are BTCUSDT's of 2026 where the venue's are the same for most symbols."""

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
    status: str = "TRADING"


class AveragePrice:
    """Volume-weighted average trade price over the last minutes; the last price while nothing traded in them."""

    def __init__(self, minutes: int) -> None:
        self._window_ns = minutes * 60_000_000_000
        self._seconds: deque[tuple[int, int, int]] = deque()  # (second_ns, quote amount, base quantity)
        self._amount = 0
        self._quantity = 0
        self._last: int | None = None

    def add(self, price: int, quantity: int, now_ns: int) -> None:
        second_ns = now_ns - now_ns % 1_000_000_000
        amount = price * quantity
        if self._seconds and self._seconds[-1][0] == second_ns:
            _, old_amount, old_quantity = self._seconds.pop()
            self._seconds.append((second_ns, old_amount + amount, old_quantity + quantity))
        else:
            self._seconds.append((second_ns, amount, quantity))
        self._amount += amount
        self._quantity += quantity
        self._last = price

    def value(self, now_ns: int) -> int | None:
        while self._seconds and self._seconds[0][0] < now_ns - self._window_ns:
            _, amount, quantity = self._seconds.popleft()
            self._amount -= amount
            self._quantity -= quantity
        return self._amount // self._quantity if self._quantity else self._last


def check_filters(rules: SymbolRules, order: NewOrder, reference_price: int | None, open_orders: int) -> None:
    """Raise BadRequest (-1013) for the first filter the order fails. `reference_price`: the average, or the middle."""
    if order.order_type is OrderType.MARKET:
        _check_lot(rules, order.quantity, "LOT_SIZE", rules.quantity_max)
        _check_lot(rules, order.quantity, "MARKET_LOT_SIZE", rules.market_quantity_max)
    else:
        _check_price(rules, order.price)
        _check_lot(rules, order.quantity, "LOT_SIZE", rules.quantity_max)
        if reference_price is not None:
            _check_percent_price(rules, order, reference_price)
        if open_orders >= rules.orders_max:
            raise filter_failure("MAX_NUM_ORDERS")
    _check_notional(rules, order, reference_price)


def _check_price(rules: SymbolRules, price: int) -> None:
    if price <= 0:
        raise BadRequest(-1013, "Invalid price.")
    too_low = rules.price_min and price < rules.price_min
    too_high = rules.price_max and price > rules.price_max
    if too_low or too_high or (rules.tick_size and price % rules.tick_size):
        raise filter_failure("PRICE_FILTER")


def _check_lot(rules: SymbolRules, quantity: int, name: str, quantity_max: int) -> None:
    if quantity <= 0:
        raise BadRequest(-1013, "Invalid quantity.")
    too_high = quantity_max and quantity > quantity_max
    if quantity < rules.quantity_min or too_high or (rules.step_size and quantity % rules.step_size):
        raise filter_failure(name)


def _check_percent_price(rules: SymbolRules, order: NewOrder, reference_price: int) -> None:
    if order.side is Side.BUY:
        up, down = rules.bid_multiplier_up, rules.bid_multiplier_down
    else:
        up, down = rules.ask_multiplier_up, rules.ask_multiplier_down
    scaled = order.price * MULTIPLIER_SCALE
    if not reference_price * down <= scaled <= reference_price * up:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")


def _check_notional(rules: SymbolRules, order: NewOrder, reference_price: int | None) -> None:
    """A MARKET order is measured at the reference price, and only against the minimum (applyMaxToMarket false)."""
    is_market = order.order_type is OrderType.MARKET
    price = reference_price if is_market else order.price
    if price is None:
        return
    notional = quote_amount(price, order.quantity)
    too_high = rules.notional_max and not is_market and notional > rules.notional_max
    if notional < rules.notional_min or too_high:
        raise filter_failure("NOTIONAL")


def filters_payload(rules: SymbolRules) -> list[dict[str, str | int | bool]]:
    """Return the `filters` array of exchangeInfo."""
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": decimal_text(rules.price_min),
            "maxPrice": decimal_text(rules.price_max),
            "tickSize": decimal_text(rules.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": decimal_text(rules.quantity_min),
            "maxQty": decimal_text(rules.quantity_max),
            "stepSize": decimal_text(rules.step_size),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": decimal_text(rules.quantity_min),
            "maxQty": decimal_text(rules.market_quantity_max),
            "stepSize": decimal_text(rules.step_size),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": _multiplier_text(rules.bid_multiplier_up),
            "bidMultiplierDown": _multiplier_text(rules.bid_multiplier_down),
            "askMultiplierUp": _multiplier_text(rules.ask_multiplier_up),
            "askMultiplierDown": _multiplier_text(rules.ask_multiplier_down),
            "avgPriceMins": rules.average_minutes,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": decimal_text(rules.notional_min),
            "applyMinToMarket": True,
            "maxNotional": decimal_text(rules.notional_max),
            "applyMaxToMarket": False,
            "avgPriceMins": rules.average_minutes,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.orders_max},
    ]


def _multiplier_text(multiplier: int) -> str:
    whole, fraction = divmod(multiplier, MULTIPLIER_SCALE)
    return f"{whole}.{fraction:04d}".rstrip("0").rstrip(".")
