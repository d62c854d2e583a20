"""Refusals that only Binance Spot's face knows, in its words (errors.md)."""

from ..core.errors import BadRequest


def bad_time_unit() -> BadRequest:
    return BadRequest(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")


def empty_parameter(name: str) -> BadRequest:
    return BadRequest(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> BadRequest:
    return BadRequest(-1106, f"Parameter '{name}' sent when not required.")


def one_of(first: str, second: str) -> BadRequest:
    return BadRequest(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def not_supported(what: str) -> BadRequest:
    """For an order that the symbol does not allow; seen on the venue as -1013."""
    return BadRequest(-1013, f"{what} not supported for this symbol.")


def bad_combination() -> BadRequest:
    return BadRequest(-1128, "Combination of optional parameters invalid.")
