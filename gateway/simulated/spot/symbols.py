"""Which symbols a question about the market means: `symbol`, `symbols`, `symbolStatus` (rest-api.md, "Market Data endpoints")."""

import re
from collections.abc import Collection

import msgspec

from ..core.errors import BadRequest, invalid_symbol, missing_parameter
from ..operations import Params
from .api import VenueApi

_SYMBOL = re.compile(r"[A-Z0-9-_.]{1,20}")  # this pattern is in -1100's text
_LIST = r"^\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\]$"
STATUSES = ("TRADING", "HALT", "BREAK")


def one(api: VenueApi, params: Params) -> str:
    """Return the mandatory `symbol`. Raises BadRequest for one that is not listed, or not of the `symbolStatus` asked for."""
    symbol = api.symbol(params)
    status = wanted_status(params)
    if status is not None and api.market.engine.instrument(symbol).rules.status != status:
        raise BadRequest(-1220, "The symbol's status does not match the requested symbolStatus.")
    return symbol


def named(api: VenueApi, params: Params) -> list[str] | None:
    """Return what `symbol` or `symbols` names, or None where neither was sent. Raises BadRequest for both, and for strangers."""
    if "symbol" in params and "symbols" in params:
        raise BadRequest(-1128, "Combination of optional parameters invalid.")
    names = [params["symbol"]] if "symbol" in params else words(params, "symbols")
    known = {rules.symbol for rules in api.market.rules()}
    for name in names or ():
        if not _SYMBOL.fullmatch(name):
            parameter = "symbol" if "symbol" in params else "symbols"
            pattern = _SYMBOL.pattern
            message = f"Illegal characters found in parameter '{parameter}'; legal range is '^{pattern}$'."
            raise BadRequest(-1100, message)
        if name not in known:
            raise invalid_symbol()
    if names is not None and len(set(names)) < len(names):
        raise BadRequest(-1101, "Duplicate values for parameter 'symbols'.")
    return names


def listed(api: VenueApi, params: Params) -> list[str]:
    """Return the symbols named, or all; without those that are not of the `symbolStatus` asked for."""
    names, status = named(api, params), wanted_status(params)
    return [
        rules.symbol
        for rules in api.market.rules()
        if (names is None or rules.symbol in names) and (status is None or rules.status == status)
    ]


def wanted_status(params: Params) -> str | None:
    return choice(params, "symbolStatus", STATUSES)


def choice(params: Params, name: str, words: Collection[str]) -> str | None:
    """Return the parameter, one of `words`, or None when it was not sent."""
    value = params.get(name)
    if value is not None and value not in words:
        raise BadRequest(-1130, f"Data sent for parameter '{name}' is not valid.")
    return value


def flag(params: Params, name: str, *, default: bool) -> bool:
    value = choice(params, name, ("true", "false"))
    return default if value is None else value == "true"


def words(params: Params, name: str) -> list[str] | None:
    """Return a parameter that is one word or a JSON array of them, or None when it was not sent."""
    value = params.get(name)
    if value is None:
        return None
    if not value:
        raise missing_parameter(name)
    if not value.startswith("["):
        return [value]
    try:
        return msgspec.json.decode(value, type=list[str])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise BadRequest(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{_LIST}'.") from error


def count(params: Params) -> int:
    """Return how many symbols are asked about, for the weight; whether they exist is another's question."""
    return 1 if "symbol" in params else max(1, params.get("symbols", "").count(",") + 1)
