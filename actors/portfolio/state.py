"""All of the portfolio's state, as a checkpoint keeps it. Dicts are lists of items: order is state."""

from collections.abc import Iterable

import msgspec

from actors.portfolio.comparison import Comparison
from actors.portfolio.holdings import Holdings
from actors.portfolio.ledger import Entry, Wallet
from actors.portfolio.position import Position
from actors.portfolio.succession import Day, Inherited
from bus.messages import Fill, ForeignTraded, Instrument


class PortfolioState(msgspec.Struct):
    """covered: by asset, so many of the first deferred fills lie inside a baseline that was taken after them.

    based: assets that have a baseline. compared: those of configured instruments at the last comparison. configured:
    instruments of this run. handed, handing: those handed in so far for a run that is about to start. deposed: another
    instance leads the account now. said, suspects, looks, offered, unsure, show_all: see Comparison; offered and unsure are
    empty or hold one value. moves: see Holdings.
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
    deferred: list[Fill | ForeignTraded]
    covered: list[tuple[str, int]]
    counts: list[tuple[str, int]]
    days: list[Day] = []
    recent: list[tuple[int, list[int]]] = []
    inherited: list[tuple[str, Inherited]] = []
    states: int = 0
    deposed: bool = False
    said: list[tuple[str, int]] = []
    looks: int = 0
    offered: list[list[tuple[str, int]]] = []
    unsure: list[tuple[int, list[tuple[str, int]]]] = []
    show_all: bool = False
    wallet: Wallet = msgspec.field(default_factory=Wallet)
    foreign_number: int = 0
    suspects: list[list[tuple[str, int]]] = []
    moves: list[Fill | ForeignTraded] = []


def saved(held: Holdings, comparison: Comparison, handed: Iterable[int], *, handing: bool) -> PortfolioState:
    offered, unsure = comparison.offered, comparison.unsure
    return PortfolioState(
        list(held.instruments.values()),
        list(held.ledger.entries.values()),
        list(held.positions.values()),
        list(held.based),
        list(comparison.compared),
        list(held.configured),
        list(handed),
        handing,
        held.fill_number,
        held.number,
        list(held.deferred),
        list(held.covered.items()),
        list(held.counts.items()),
        list(held.succession.days.values()),
        list(held.succession.recent.items()),
        list(held.succession.inherited.items()),
        held.succession.states,
        held.deposed,
        list(comparison.said.items()),
        comparison.looks,
        [] if offered is None else [list(offered.items())],
        [] if unsure is None else [(unsure[0], list(unsure[1].items()))],
        comparison.show_all,
        held.wallet,
        held.foreign_number,
        [list(gaps.items()) for gaps in comparison.suspects],
        list(held.moves),
    )


def put_back(held: Holdings, comparison: Comparison, state: PortfolioState) -> None:
    held.instruments = {instrument.instrument: instrument for instrument in state.instruments}
    held.ledger.entries = {entry.asset: entry for entry in state.entries}
    held.positions = {position.instrument: position for position in state.positions}
    held.based = dict.fromkeys(state.based)
    held.configured = dict.fromkeys(state.configured)
    held.fill_number = state.fill_number
    held.number = state.number
    held.deferred = list(state.deferred)
    held.covered = dict(state.covered)
    held.counts = dict(state.counts)
    held.succession.days = {day.instrument: day for day in state.days}
    held.succession.recent = dict(state.recent)
    held.succession.inherited = dict(state.inherited)
    held.succession.states = state.states
    held.deposed = state.deposed
    held.wallet = state.wallet
    held.foreign_number = state.foreign_number
    held.moves = list(state.moves)
    comparison.compared = dict.fromkeys(state.compared)
    comparison.said = dict(state.said)
    comparison.suspects = [dict(gaps) for gaps in state.suspects]
    comparison.looks = state.looks
    comparison.offered = next((dict(items) for items in state.offered), None)
    comparison.unsure = next(((number, dict(totals)) for number, totals in state.unsure), None)
    comparison.show_all = state.show_all
