"""Frames made wrong on purpose, and what answers and events say replaced: JSON in, JSON out. Pure.

Of a market event's fields those are meant that hold update or trade ids, and those that hold prices, on every face
(web-socket-streams.md): a name that is an id in one event is a price in another, and the type tells which.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from ..payload import Json

IDS = ("u", "U", "pu", "t", "a", "f", "l", "lastUpdateId")
PRICES = ("b", "bids", "p", "a", "asks")
STEP_MAX = 1_000  # chosen: how far ids are moved at most

Change = Callable[[Mapping[str, Json]], Mapping[str, Json]]


def corrupt(frame: bytes, how: str, draw: float) -> bytes:
    """Return the frame made wrong; `draw`, 0 to 1, decides where or by how much. The frame itself where there is nothing to change."""
    if how == "json":
        place = 1 + int(draw * (len(frame) - 2))
        return frame[:place] + b"\x00" + frame[place:]
    if how == "truncated":
        return frame[: 1 + int(draw * (len(frame) - 2))]
    try:
        payload = msgspec.json.decode(frame)
    except msgspec.DecodeError:  # another fault was here before
        return frame
    event = payload[0] if isinstance(payload, list) and payload else payload
    if not isinstance(event, dict) or not (_move_ids if how == "sequence" else _raise_price)(event, draw):
        return frame
    return msgspec.json.encode(payload)


def _move_ids(event: dict[str, object], draw: float) -> bool:
    step = 1 + int(draw * STEP_MAX)
    moved = {name: value + step for name in IDS if isinstance(value := event.get(name), int)}
    event.update(moved)
    return bool(moved)


def _raise_price(event: dict[str, object], draw: float) -> bool:
    """Ten times the first price there is: the first level's, or the event's own."""
    for name in PRICES:
        value = event.get(name)
        if isinstance(value, str):
            event[name] = _tenfold(value)
            return True
        if isinstance(value, list) and value:
            value[0][0] = _tenfold(value[0][0])
            return True
    return False


def _tenfold(price: str) -> str:
    """Move the point, keep the number of decimals: 12.34 is 123.40."""
    whole, point, fraction = price.partition(".")
    moved = whole + fraction[:1].ljust(1, "0")
    return f"{moved}{point}{fraction[1:]}0" if point else moved


def changed(payload: Json, change: Change) -> Json:
    """Return the payload with every object in it changed, the inner ones first."""
    if isinstance(payload, Mapping):
        return change({name: changed(value, change) for name, value in payload.items()})
    if isinstance(payload, Sequence) and not isinstance(payload, str):
        return [changed(value, change) for value in payload]
    return payload
