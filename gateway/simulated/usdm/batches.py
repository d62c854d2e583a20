"""Requests with several orders in one parameter, and the answers in which each has its own. Pure."""

from typing import Any

import msgspec

from ..core.errors import BadRequest, VenueError
from ..operations import Params
from ..payload import Payload
from ..spot.parameters import text


def rows(params: Params, name: str, most: int) -> list[dict[str, str]]:
    """Read a JSON array of objects, their values as text. Raises BadRequest for anything else, or too many."""
    found = _array(params, name, dict[str, Any])
    if not 1 <= len(found) <= most:
        raise BadRequest(-4082, f"Invalid number of batch place orders: {len(found)}")
    return [{key: _text(value, name) for key, value in row.items()} for row in found]


def names(params: Params, name: str, most: int) -> list[str]:
    """Read a JSON array of numbers or strings as text."""
    found = _array(params, name, int | str)
    if not 1 <= len(found) <= most:
        raise BadRequest(-4032, "Exceed maximum cancel order size.")
    return [str(value) for value in found]


def _array(params: Params, name: str, kind: Any) -> list[Any]:
    try:
        found: list[Any] = msgspec.json.decode(text(params, name), type=list[kind])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(-1130, f"Data sent for parameter '{name}' is not valid.") from error
    return found


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadRequest(-1130, f"Data sent for parameter '{name}' is not valid.")


def refused(error: VenueError) -> Payload:
    return {"code": error.code, "msg": error.message}
