"""Price units to ticks and back, rounded the way its name says. Pure; callable with a float price (a metric) as well."""

from bus.messages import Side


def ticks_passive(side: Side, price: float, tick: int) -> int:
    """The tick at `price`, or the next one away from the other side: a buy rounds down, a sell up. tick: price units."""
    return int(price // tick) if side > 0 else int(-(-price // tick))


def ticks_aggressive(side: Side, price: float, tick: int) -> int:
    """The tick at `price`, or the next one toward the other side: a buy rounds up, a sell down. tick: price units."""
    return int(-(-price // tick)) if side > 0 else int(price // tick)


def price_of(ticks: int, tick: int) -> int:
    """Price units of a price in ticks."""
    return ticks * tick
