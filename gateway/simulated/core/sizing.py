"""How much a MARKET order buys or sells that says, by `quoteOrderQty`, what it spends or wants. Pure.

It is settled once, from the book as it is: nothing comes between that and the matching. In whole lots, and worth no more than
was said (rest-api.md, "New order": such an order does not break LOT_SIZE).
"""

from collections.abc import Iterator

from .decimals import SCALE, quote_amount_up
from .errors import filter_failure, too_little_liquidity
from .filters import SymbolRules
from .orders import Offer


def size_by_quote(rules: SymbolRules, quote_quantity: int, offers: Iterator[Offer]) -> int:
    """Return the quantity. Raises OrderRefused (-2010) when it would be below the least lot, BadRequest above the greatest.

    `offers`: what the order could take, best first.
    """
    left, quantity = quote_quantity, 0
    step = max(1, rules.step_size, rules.market_step_size)
    for offer in offers:
        cost = quote_amount_up(offer.price, offer.quantity)
        if cost > left:
            quantity += left * SCALE // offer.price
            break
        left -= cost
        quantity += offer.quantity
    if not quantity:
        raise too_little_liquidity("symbol")
    quantity -= quantity % step
    if quantity < max(1, rules.quantity_min):
        raise too_little_liquidity("`LOT_SIZE` filter")
    if quantity > rules.market_quantity_max > 0:
        raise filter_failure("MARKET_LOT_SIZE")
    if quantity < rules.market_quantity_min:
        raise too_little_liquidity("`MARKET_LOT_SIZE` filter")
    return quantity
