"""Position in one instrument since the baseline, by average cost. Exact integers. Pure.

quantity: base units, fees paid in the base asset included. cost: quote units paid for what is held (received for it,
negative, when short). Invariant after every step: realized - cost = quote received - quote paid - quote fees. So no unit
is ever lost: when a part is closed, its share of the cost is rounded toward zero and the remainder stays in cost.
"""

from collections.abc import Iterable, Mapping

import msgspec

from bus.messages import Instrument, Side


class Position(msgspec.Struct, array_like=True):
    """bid, ask: the last Mark, in price units; 0 while unknown."""

    instrument: int
    version: int = 0
    quantity: int = 0
    cost: int = 0
    realized: int = 0
    bid: int = 0
    ask: int = 0


def trade(position: Position, side: Side, quantity: int, quote: int) -> None:
    """Fold one execution of `quantity` base units for `quote` quote units."""
    held = position.quantity
    closing = min(quantity, abs(held)) if held * side < 0 else 0
    if closing:
        received = quote if closing == quantity else quote * closing // quantity
        released = position.cost if closing == abs(held) else share(position.cost, closing, abs(held))
        position.cost -= released
        position.realized += -side * received - released
        quote -= received
    position.quantity += side * quantity
    position.cost += side * quote if quantity > closing else 0


def share(cost: int, part: int, whole: int) -> int:
    """cost * part / whole, rounded toward zero."""
    return cost * part // whole if cost >= 0 else -(-cost * part // whole)


def pay_quote_fee(position: Position, paid: int) -> None:
    position.realized -= paid


def pay_base_fee(position: Position, paid: int) -> None:
    """The rest keeps the whole cost. Where nothing is left, or the sign changes, the cost left over is a loss."""
    after = position.quantity - paid
    if after * position.quantity <= 0:
        position.realized -= position.cost
        position.cost = 0
    position.quantity = after


def value(quantity: int, price: int, price_scale: int, base_scale: int, quote_scale: int) -> int:
    """Quote units of `quantity` base units at `price` price units, rounded toward zero."""
    product = quantity * price * 10**quote_scale
    return share(product, 1, 10 ** (price_scale + base_scale))


def unrealized(position: Position, price_scale: int, base_scale: int, quote_scale: int) -> int:
    """Quote units at the side one would close at: the bid when long, the ask when short. 0 while there is no Mark."""
    price = position.bid if position.quantity > 0 else position.ask
    if position.quantity == 0 or price == 0:
        return 0
    return value(position.quantity, price, price_scale, base_scale, quote_scale) - position.cost


def average_price(position: Position, price_scale: int, base_scale: int, quote_scale: int) -> float:
    """Price units; 0.0 when nothing is held. A metric: never traded on."""
    if position.quantity == 0:
        return 0.0
    return position.cost / position.quantity * 10.0 ** (base_scale + price_scale - quote_scale)


def results(
    positions: Iterable[Position], instruments: Mapping[int, Instrument]
) -> tuple[dict[int, dict[str, int | float]], dict[str, dict[str, int]]]:
    """For people: positions by instrument, and realized and unrealized PnL by symbol, quote units."""
    held: dict[int, dict[str, int | float]] = {}
    pnl: dict[str, dict[str, int]] = {}
    for position in positions:
        instrument = instruments[position.instrument]
        scales = (instrument.price_scale, instrument.base_scale, instrument.quote_scale)
        average = average_price(position, *scales)
        held[position.instrument] = {"position": position.quantity, "cost": position.cost, "average_price": average}
        pnl[instrument.venue_symbol] = {"realized": position.realized, "unrealized": unrealized(position, *scales)}
    return held, pnl


def unit_of(instrument: Instrument) -> int:
    """Base units of one lot."""
    return instrument.lot * int(10 ** (instrument.base_scale - instrument.quantity_scale))
