"""Price units to ticks and back, and lots of one version in those of another, rounded the way its name says. Pure; callable with a float price (a metric) as well."""

from bus.messages import Instrument, Side


def ticks_passive(side: Side, price: float, tick: int) -> int:
    """The tick at `price`, or the next one away from the other side: a buy rounds down, a sell up. tick: price units."""
    return int(price // tick) if side > 0 else int(-(-price // tick))


def ticks_aggressive(side: Side, price: float, tick: int) -> int:
    """The tick at `price`, or the next one toward the other side: a buy rounds up, a sell down. tick: price units."""
    return int(-(-price // tick)) if side > 0 else int(price // tick)


def unit_of(instrument: Instrument) -> int:
    """Base units of one of its lots."""
    return instrument.lot * int(10 ** (instrument.base_scale - instrument.quantity_scale))


def whole_lots(position: int, instrument: Instrument) -> int:
    """Whole lots of a position in base units, toward zero."""
    if not position:
        return 0
    lots = abs(position) // unit_of(instrument)
    return lots if position > 0 else -lots


def recounted(lots: int, before: Instrument, instrument: Instrument) -> int:
    """As many lots of `instrument` as are no more than so many of `before`."""
    recount = abs(lots) * unit_of(before) // unit_of(instrument)
    return recount if lots > 0 else -recount


def price_of(ticks: int, tick: int) -> int:
    """Price units of a price in ticks."""
    return ticks * tick
