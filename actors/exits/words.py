"""What a person is told of one position that is being closed. Pure; text."""

from actors.exits.watch import Place
from bus.messages import Refusal, decimal_text


def symbol_of(place: Place) -> str:
    return place.instrument.venue_symbol if place.instrument is not None else str(place.number)


def amount_of(place: Place, units: int) -> str:
    """Exact; in base units while the instrument is not known."""
    return decimal_text(units, place.instrument.base_scale if place.instrument is not None else 0)


def held(place: Place) -> str:
    return f"{symbol_of(place)} {amount_of(place, place.position)}"


def left_of(place: Place) -> str:
    """What became of one: closed, dust, or so much is left and why."""
    symbol, left = symbol_of(place), amount_of(place, place.position)
    closed = place.held_before - place.position
    words = [f"{symbol} closed, {amount_of(place, closed)}"] if closed or not place.position else []
    if place.position and place.instrument is not None and (place.lots == 0 or place.remainder_ns > 0):
        words.append(f"{symbol} {left} is less than the venue takes as an order")
    elif place.position:
        why = f", last refused: {place.refusal.name}" if place.refusal is not Refusal.NONE else ""
        unpriced = "" if place.bid or place.ask else ", its book is not LIVE"
        words.append(f"{symbol} {left} is held{why}{unpriced}")
    return "; ".join(words)
