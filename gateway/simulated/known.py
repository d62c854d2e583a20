"""What the control door's questions and orders may name: accounts, symbols and assets that there are. Pure."""

from collections.abc import Collection, Iterable

from .core.errors import BadRequest
from .core.orders import BACKGROUND
from .market import Market
from .operations import Params


def invalid(name: str, remedy: str) -> BadRequest:
    """The venue's own words for a value that cannot be (errors.md, -1130), and what to send instead."""
    return BadRequest(-1130, f"Data sent for parameter '{name}' is not valid; {remedy}.")


def one_of(params: Params, name: str, known: Collection[str]) -> None:
    """Raise BadRequest for a value that is none of the known ones; what was not sent is fine."""
    if name in params and params[name] not in known:
        raise invalid(name, f"one of {', '.join(known)}")


def check(markets: Iterable[Market], params: Params) -> None:
    """Raise BadRequest for an account, symbol or asset that none of the markets has: no row could fit it. (The crowd has none.)"""
    engines = [market.engine for market in markets]
    accounts = [(engine, account) for engine in engines for account in engine.ledger.free if account != BACKGROUND]
    one_of(params, "account", dict.fromkeys(account for _, account in accounts))
    one_of(params, "symbol", dict.fromkeys(symbol for engine in engines for symbol in engine.instruments))
    one_of(params, "asset", sorted({asset for engine, account in accounts for asset in engine.ledger.assets(account)}))
