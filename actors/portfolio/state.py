"""All of the portfolio's state, as a checkpoint keeps it. Dicts are lists of items: order is state."""

import msgspec

from actors.portfolio.ledger import Entry
from actors.portfolio.position import Position
from actors.portfolio.succession import Day, Inherited
from bus.messages import Fill, Instrument


class PortfolioState(msgspec.Struct):
    """covered: by asset, so many of the first deferred fills lie inside a baseline that was taken after them.

    based: assets that have a baseline. compared: those of configured instruments at the last comparison. configured:
    instruments of this run. handed, handing: those handed in so far for a run that is about to start. deposed: another
    instance leads the account now.
    """

    instruments: list[Instrument]
    entries: list[Entry]
    positions: list[Position]
    based: list[str]
    compared: list[str]
    configured: list[int]
    handed: list[int]
    handing: bool
    fill_number: int
    number: int
    deferred: list[Fill]
    covered: list[tuple[str, int]]
    counts: list[tuple[str, int]]
    days: list[Day] = []
    recent: list[tuple[int, list[int]]] = []
    inherited: list[tuple[str, Inherited]] = []
    states: int = 0
    deposed: bool = False
