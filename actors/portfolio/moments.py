"""What the ledger was while the venue was asked. Executions came between, so its balances have none of them, the first ones or all:
they are held against the ledger of each such moment. Pure.

Executions are undone in the venue's order of time, which the private stream keeps and late answers do not. One that is missing
and the very like of one that came is taken for it, until a look that none came into: so a steady one is preferred.
"""

from actors.portfolio.holdings import Holdings
from actors.portfolio.ledger import assets_of, is_contract
from bus.messages import Fill, ForeignTraded, Instrument

MOVES_MAX = 64
"""Executions that are remembered; more of them while the venue was asked, and there is nothing to compare; chosen."""


def remember(held: Holdings, fill: Fill | ForeignTraded) -> None:
    """Once each, as it is booked (or waits for its instrument)."""
    held.moves.append(fill)
    if len(held.moves) > MOVES_MAX:
        del held.moves[0]


def gaps(held: Holdings, found: dict[str, int], moved: int) -> list[dict[str, int]]:
    """`found`, the venue's totals less ours as they are now, and the same of each moment before one of the last `moved`
    executions, youngest first. Empty: nobody remembers so many.
    """
    if moved > len(held.moves):
        return []
    rows = [dict(found)]
    for fill in sorted(held.moves[len(held.moves) - moved :], key=_time, reverse=True):
        instrument = held.instruments.get(fill.instrument)
        if instrument is None:
            return []
        row = dict(rows[-1])
        for asset, units in _changes(fill, instrument):
            if asset in row:
                row[asset] += units
        rows.append(row)
    return rows


def _time(fill: Fill | ForeignTraded) -> tuple[int, int, int]:
    """Of one instrument the ids tell, too."""
    return fill.venue_ns, fill.instrument, fill.trade_id


def _changes(fill: Fill | ForeignTraded, instrument: Instrument) -> tuple[tuple[str, int], ...]:
    """What it did to the ledger, as `Portfolio.book` does it."""
    paid = fill.realized if is_contract(instrument) else -fill.side * fill.quote
    one, other = assets_of(instrument)
    return ((one, fill.side * fill.quantity), (other, paid), (fill.fee_asset, -fill.fee))
