"""What news of an instrument's metadata becomes: nothing, a new version at once, or one when nothing of ours rests there.

Limits and a halt are in force from one input on. Another tick, lot or scale gives every number of ticks and lots another
meaning, so the instrument first stops trading as it is, which cancels what rests; when orders says that nothing works
there any more, the new grid comes and trading goes on. Reads no venue and posts nothing: ops/metadata does.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from bus.messages import Instrument
from ops import events
from ops.feeds import is_traded

GRID = ("tick", "lot", "price_scale", "quantity_scale")
LASTING = ("base_asset", "quote_asset", "base_scale", "quote_scale", "price_scale")
"""Of a traded instrument: ledger, positions and bands are counted in these for as long as the engine runs."""
WAIT_S_MAX = 30.0
"""For our orders to be gone before people are told, and again after each doubling: a cancel takes milliseconds, and an order
that nobody answers for is asked about for as long as it takes. Chosen."""


class Waiting(NamedTuple):
    """A grid that waits for our orders' end. told_s: people are told when it has waited so long."""

    found: Instrument
    since_s: float
    told_s: float


class Versions:
    """known: by number, what the actors have; whoever posts a version puts it there. unfit: why the configured limits do
    not fit an instrument, or "".
    """

    def __init__(self, known: dict[int, Instrument], unfit: Callable[[Instrument], str]) -> None:
        self.known, self.unfit = known, unfit
        self.waiting: dict[int, Waiting] = {}
        self._told: dict[int, str] = {}

    def observe(self, found: Instrument, now_s: float) -> Instrument | None:
        """What the venue says now, numbered. Returns the instrument that a new version is to be made of, if any."""
        number = found.instrument
        known = self.known[number]
        found = self._admitted(known, found)
        waiting = self.waiting.pop(number, None)
        if msgspec.structs.replace(found, version=known.version) == known:
            return None
        if not is_traded(known) or _same(GRID, known, found):
            return found
        since_s, told_s = (waiting.since_s, waiting.told_s) if waiting is not None else (now_s, WAIT_S_MAX)
        self.waiting[number] = Waiting(found, since_s, told_s)
        if waiting is None:
            remedy = "ticks and lots of the configuration count the new grid from the next start on: revise them"
            events.warning("grid_changes", instrument=known.venue_symbol, **_grid(known, found), remedy=remedy)
        return halted(known) if known.trading else None

    def absent(self, number: int, reason: str, *, listed: bool) -> Instrument | None:
        """The venue does not trade it now, or does not name it any more. As `observe`."""
        known = self.known[number]
        self.waiting.pop(number, None)
        if not known.trading:
            return None
        if listed:
            events.warning("not_trading", instrument=known.venue_symbol, reason=reason)
        else:
            remedy = "see what the venue says of it; a position in it cannot be closed here"
            events.critical("instrument_delisted", instrument=known.venue_symbol, reason=reason, remedy=remedy)
        return halted(known)

    def ready(self, working_on: Callable[[int], int], now_s: float) -> list[Instrument]:
        """Grids whose turn has come: the instrument has stopped trading, and nothing of ours works there."""
        found = []
        for number, row in list(self.waiting.items()):
            orders = working_on(number)
            if not orders and not self.known[number].trading:
                del self.waiting[number]
                found.append(row.found)
            elif now_s - row.since_s >= row.told_s:
                self.waiting[number] = row._replace(told_s=row.told_s * 2)
                events.critical(
                    "grid_waits_for_orders",
                    instrument=row.found.venue_symbol,
                    orders=orders,
                    seconds=round(now_s - row.since_s),
                    remedy="cancel them at the venue; until they are gone nothing is traded here",
                )
        return found

    def _admitted(self, known: Instrument, found: Instrument) -> Instrument:
        """What can be taken of it while the engine runs: what cannot keeps the instrument from trading."""
        if not is_traded(known):
            return found
        if not _same(LASTING, known, found):
            self._tell(known, "another asset or scale", "stop, and start with a new --state directory")
            return halted(known)
        reason = self.unfit(found) if found.trading else ""
        if reason:
            self._tell(known, reason, "change the limit, and start again")
            return halted(found)
        self._told.pop(found.instrument, None)
        return found

    def _tell(self, known: Instrument, reason: str, remedy: str) -> None:
        if self._told.get(known.instrument) != reason:
            self._told[known.instrument] = reason
            events.critical("instrument_unfit", instrument=known.venue_symbol, reason=reason, remedy=remedy)


def halted(instrument: Instrument) -> Instrument:
    return msgspec.structs.replace(instrument, trading=False)


def _same(fields: tuple[str, ...], one: Instrument, other: Instrument) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _grid(known: Instrument, found: Instrument) -> dict[str, str]:
    return {
        name: f"{getattr(known, name)}->{getattr(found, name)}"
        for name in GRID
        if getattr(known, name) != getattr(found, name)
    }
