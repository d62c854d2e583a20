"""The portfolio actor: folds numbered fills into a ledger and positions, and compares the ledger with the venue.

A Fill names its instrument by number only. One whose Instrument is not known yet (a recovery reads the journal before
any Instrument comes) waits in `deferred`, in order, and is folded when it comes.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from actors.portfolio.ledger import Ledger, totals_of
from actors.portfolio.position import (
    Position,
    average_price,
    pay_base_fee,
    pay_quote_fee,
    results,
    share,
    trade,
    unit_of,
)
from actors.portfolio.settings import BaselinePolicy, PortfolioSettings
from actors.portfolio.state import PortfolioState
from actors.portfolio.succession import Succession
from bus.actor import Actor
from bus.messages import (
    AccountHandedOver,
    Alert,
    AlertLevel,
    BalancesReported,
    BaselineTaken,
    EngineStarted,
    Fill,
    Instrument,
    LeadershipLost,
    LedgerCompared,
    Mark,
    Message,
    PositionUpdate,
)

NAME = "portfolio"
DEFERRED_MAX = 100_000  # chosen: fills of one journal tail; beyond it a CRITICAL alert, and the fill is not folded


class Portfolio(Actor[PortfolioState]):
    """One account at one venue."""

    name: ClassVar[str] = NAME
    State: ClassVar[type[PortfolioState]] = PortfolioState

    def __init__(self, settings: PortfolioSettings) -> None:
        self.settings = settings
        self.instruments: dict[int, Instrument] = {}
        self.ledger = Ledger()
        self.positions: dict[int, Position] = {}
        self.based: dict[str, None] = {}
        self.compared: dict[str, None] = {}
        self.configured: dict[int, None] = {}
        self.handed: dict[int, None] = {}
        self.handing = True
        self.restored = False  # the next Instrument is the first of another run; not state: only a process can know it
        self.fill_number = self.number = 0
        self.deferred: list[Fill] = []
        self.covered: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.succession = Succession()
        self.deposed = False
        self.declare()
        self.handlers = {
            Fill: self.on_fill,
            AccountHandedOver: self.on_handed_over,
            LeadershipLost: self.on_leadership_lost,
            Mark: self.on_mark,
            Instrument: self.on_instrument,
            BalancesReported: self.on_balances,
            EngineStarted: self.on_started,
        }

    def declare(self) -> None:
        """What the configuration states is absolute: it is set, not added, whatever was restored."""
        for asset, units in self.settings.adjustments:
            self.ledger.entry(asset).adjustments = units
        if self.settings.baseline is BaselinePolicy.DECLARED:
            for asset, units in self.settings.declared:
                self.ledger.entry(asset).baseline = units

    @property
    def baselined(self) -> bool:
        return bool(self.based) or self.settings.baseline is BaselinePolicy.DECLARED

    def account_state(self) -> tuple[Message, ...]:
        """For a successor; nothing before there is a ledger that he could go on with."""
        if not self.baselined:
            return ()
        positions = [row for row in self.positions.values() if row.instrument in self.instruments]
        return (self.succession.state(self.settings.account, self.ledger, positions, self.instruments),)

    def on_handed_over(self, message: AccountHandedOver, now_ns: int) -> tuple[Message, ...]:
        """Another instance led after us: what it left replaces ledger and positions. Facts of before are all in it."""
        state = message.state
        self.deferred.clear()
        self.covered.clear()
        self.ledger = Ledger()
        self.declare()
        self.based = {}
        self.compared = {}
        self.take_baseline(dict(zip(state.assets, state.units, strict=True)))
        self.succession.take(state)
        self.count("account_taken_over")
        positions, self.positions = self.positions, {}
        known = [self.instruments[number] for number in positions if number in self.instruments]
        updates = [self.start_position(instrument, now_ns) for instrument in known]
        detail = f"epoch={message.epoch} number={state.number} symbols={len(state.symbols)}"
        return (*updates, Alert(AlertLevel.INFO, NAME, "account_taken_over", -1, detail))

    def on_leadership_lost(self, message: LeadershipLost, now_ns: int) -> tuple[Message, ...]:
        self.deposed = True
        return ()

    def start_position(self, instrument: Instrument, now_ns: int) -> PositionUpdate:
        """What the predecessor held of it, or nothing."""
        position = self.positions[instrument.instrument] = Position(instrument.instrument, instrument.version)
        return self.taken_over(position, instrument, self.succession.claim(instrument, position, now_ns) or 0)

    def taken_over(self, position: Position, instrument: Instrument, day_start: int) -> PositionUpdate:
        update = self.update_of(position, instrument)
        return replace(update, taken_over=True, day_start=day_start)

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """Hot. A number not above the last is a repeat; one above the next is a gap, which is said and then folded."""
        if fill.number <= self.fill_number:
            self.count("fill_repeated")
            return ()
        gap = fill.number - self.fill_number - 1
        self.fill_number = fill.number
        instrument = self.instruments.get(fill.instrument)
        if instrument is None:
            return self.defer(fill)
        self.book(fill, instrument, now_ns)
        update = self.update_of(self.positions[fill.instrument], instrument)
        if gap:
            self.count("fill_gap")
            detail = f"missing={gap} before={fill.number}"
            alert = Alert(AlertLevel.CRITICAL, NAME, "fill_gap", fill.instrument, detail)
            return (update, *self.account_state(), alert)
        return (update, *self.account_state())

    def book(self, fill: Fill, instrument: Instrument, now_ns: int) -> None:
        side = fill.side
        base, quote = instrument.base_asset, instrument.quote_asset
        self.ledger.add_fill(base, side * fill.quantity, quote, -side * fill.quote)
        position = self.positions[fill.instrument]
        self.succession.folded(position, fill.trade_id, now_ns)
        trade(position, side, fill.quantity, fill.quote)
        if fill.fee:
            self.ledger.add_fee(fill.fee_asset, fill.fee)
            if fill.fee_asset == quote:
                pay_quote_fee(position, fill.fee)
            elif fill.fee_asset == base:
                pay_base_fee(position, fill.fee)

    def defer(self, fill: Fill) -> tuple[Message, ...]:
        if len(self.deferred) >= DEFERRED_MAX:
            self.count("fill_lost")
            return (Alert(AlertLevel.CRITICAL, NAME, "fill_not_folded", fill.instrument, f"number={fill.number}"),)
        self.deferred.append(fill)
        self.count("fill_deferred")
        return ()

    def update_of(self, position: Position, instrument: Instrument) -> PositionUpdate:
        self.number += 1
        return PositionUpdate(
            self.number,
            self.settings.account,
            self.settings.venue,
            position.instrument,
            instrument.version,
            position.quantity,
            share(position.quantity, 1, unit_of(instrument)),
            position.cost,
            position.realized,
            average_price(position, instrument.price_scale, instrument.base_scale, instrument.quote_scale),
        )

    def on_mark(self, message: Mark, now_ns: int) -> tuple[Message, ...]:
        position = self.positions.get(message.instrument)
        if position is not None:
            position.bid = message.bid
            position.ask = message.ask
        return ()

    def on_instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        key = message.instrument
        if message.account != self.settings.account:
            return ()  # looked at, not traded: nothing of it can be ours
        if message.base_scale < message.quantity_scale:
            self.count("instrument_refused")
            return (Alert(AlertLevel.CRITICAL, NAME, "instrument_refused", key, "reason=base_scale"),)
        before = self.instruments.get(key)
        self.instruments[key] = message
        if self.restored and not self.handing:
            self.handed = {}
            self.handing = True
        self.handed[key] = self.configured[key] = None
        position = self.positions.setdefault(key, Position(key))
        position.version = message.version
        day_start = self.succession.claim(message, position, now_ns)
        if self.fold_deferred(message, now_ns):  # ours since a takeover that was told then
            return (self.update_of(position, message),)
        if day_start is not None:
            return (self.taken_over(position, message, day_start),)
        recounted = before is not None and not self.handing and unit_of(before) != unit_of(message)
        # Whoever keeps the position in lots hears of it in the new ones, in this very cascade.
        return (self.update_of(position, message),) if recounted and (position.quantity or position.realized) else ()

    def fold_deferred(self, instrument: Instrument, now_ns: int) -> bool:
        """Book what waited for this instrument. What a baseline already covers changes positions, not totals."""
        waiting: list[Fill] = []
        places: list[int] = []
        for index, fill in enumerate(self.deferred):
            if fill.instrument != instrument.instrument:
                waiting.append(fill)
                places.append(index)
                continue
            assets = dict.fromkeys((instrument.base_asset, instrument.quote_asset, fill.fee_asset))
            before = [self.ledger.total(asset) for asset in assets]
            self.book(fill, instrument, now_ns)
            for asset, total in zip(assets, before, strict=True):
                if index < self.covered.get(asset, 0):
                    self.ledger.set_total(asset, total)
        folded = len(waiting) < len(self.deferred)
        self.deferred = waiting
        self.covered = {asset: left for asset, count in self.covered.items() if (left := bisect_left(places, count))}
        return folded

    def on_started(self, message: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """After a recovery nobody else remembers: say every position that is not zero."""
        self.deposed = False
        if self.handing:
            self.configured = self.handed
            self.handed = {}
            self.handing = self.restored = False
        held = [position for position in self.positions.values() if position.quantity or position.realized]
        updates = [self.update_of(position, self.instruments[position.instrument]) for position in held]
        return (*updates, *self.account_state())

    def on_balances(self, message: BalancesReported, now_ns: int) -> tuple[Message, ...]:
        """Only totals asked while nothing worked can be compared, and only of what we trade or pay fees in.

        The first total of an asset is its baseline; so is the one found when it comes to be traded. What is not judged
        follows the venue: a deposit or interest is said (INFO), and is ours from then on.
        """
        if self.deposed:
            self.count("balances_of_another_leader")  # his orders move them: they say nothing about our ledger
            return ()
        self.succession.seed(message.trades)
        if not message.quiet:
            self.count("balances_not_quiet")
            return ()
        venues = totals_of(message)
        traded = self.traded_assets()
        judged = self.judged_assets(traded)
        accept = self.settings.baseline is BaselinePolicy.ACCEPT
        first = not self.based
        taken: dict[str, int] = {}
        out: list[Message] = []
        for asset in self.assets_of(venues):
            ours, theirs = self.ledger.total(asset), venues.get(asset, 0)
            newly = bool(self.compared) and asset in traded and asset not in self.compared
            fresh = newly or asset not in self.based
            if asset not in judged and ours != theirs and not (accept and first):
                detail = f"asset={asset} ours={ours} venues={theirs}"
                out.append(Alert(AlertLevel.INFO, NAME, "balance_of_other_asset", -1, detail))
            if accept and (fresh or (asset not in judged and ours != theirs)):
                taken[asset] = theirs
                if ours or theirs:
                    out.append(LedgerCompared(self.settings.account, asset, ours, theirs, True))
            elif asset in judged:
                out.append(LedgerCompared(self.settings.account, asset, ours, theirs, False))
                if ours != theirs:
                    self.count("ledger_differs")
        self.compared = traded
        if not taken:
            return (*out, *self.account_state())
        self.take_baseline(taken)
        return (
            BaselineTaken(self.settings.account, tuple(taken), tuple(taken.values())), *out, *self.account_state()
        )  # fmt: skip

    def assets_of(self, venues: dict[str, int]) -> dict[str, None]:
        return dict.fromkeys((*self.ledger.entries, *venues))

    def traded_assets(self) -> dict[str, None]:
        """Base and quote of every configured instrument."""
        rows = [self.instruments[number] for number in self.configured]
        return dict.fromkeys(asset for row in rows for asset in (row.base_asset, row.quote_asset))

    def judged_assets(self, traded: dict[str, None]) -> dict[str, None]:
        """What is traded, and what fees are paid in, but for assets of instruments that are not configured any more."""
        left = {asset for row in self.instruments.values() for asset in (row.base_asset, row.quote_asset)}
        paid = [entry.asset for entry in self.ledger.entries.values() if entry.fees and entry.asset not in left]
        return traded | dict.fromkeys(paid)

    def take_baseline(self, totals: dict[str, int]) -> None:
        for asset, units in totals.items():
            self.ledger.set_total(asset, units)
            self.based[asset] = None
            if self.deferred:
                self.covered[asset] = len(self.deferred)

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {
            Fill: self.on_fill,
            BalancesReported: self.recover_balances,
            BaselineTaken: self.recover_baseline,
            PositionUpdate: self.recover_position,
            AccountHandedOver: self.on_handed_over,
        }

    def recover_balances(self, message: BalancesReported, now_ns: int) -> None:
        """The very first baseline has all assets: killed before its BaselineTaken, or written by an older program."""
        self.succession.seed(message.trades)
        if message.quiet and not self.based and self.settings.baseline is BaselinePolicy.ACCEPT:
            venues = totals_of(message)
            paid = [fill.fee_asset for fill in self.deferred if fill.fee]
            self.take_baseline({asset: venues.get(asset, 0) for asset in (*self.assets_of(venues), *paid)})

    def recover_baseline(self, message: BaselineTaken, now_ns: int) -> None:
        if self.settings.baseline is BaselinePolicy.ACCEPT:
            self.take_baseline(dict(zip(message.assets, message.units, strict=True)))

    def recover_position(self, message: PositionUpdate, now_ns: int) -> None:
        self.number = max(self.number, message.number)

    def count(self, event: str) -> None:
        self.counts[event] = self.counts.get(event, 0) + 1

    def checkpoint(self) -> PortfolioState:
        return PortfolioState(
            list(self.instruments.values()),
            list(self.ledger.entries.values()),
            list(self.positions.values()),
            list(self.based),
            list(self.compared),
            list(self.configured),
            list(self.handed),
            self.handing,
            self.fill_number,
            self.number,
            list(self.deferred),
            list(self.covered.items()),
            list(self.counts.items()),
            list(self.succession.days.values()),
            list(self.succession.recent.items()),
            list(self.succession.inherited.items()),
            self.succession.states,
            self.deposed,
        )

    def restore(self, state: PortfolioState) -> None:
        self.instruments = {instrument.instrument: instrument for instrument in state.instruments}
        self.ledger.entries = {entry.asset: entry for entry in state.entries}
        self.positions = {position.instrument: position for position in state.positions}
        self.based = dict.fromkeys(state.based)
        self.compared = dict.fromkeys(state.compared)
        self.configured = dict.fromkeys(state.configured)
        self.handed = dict.fromkeys(state.handed)
        self.handing = state.handing
        self.restored = True
        self.fill_number = state.fill_number
        self.number = state.number
        self.deferred = list(state.deferred)
        self.covered = dict(state.covered)
        self.counts = dict(state.counts)
        self.succession.days = {day.instrument: day for day in state.days}
        self.succession.recent = dict(state.recent)
        self.succession.inherited = dict(state.inherited)
        self.succession.states = state.states
        self.deposed = state.deposed
        self.declare()

    def view(self) -> dict[str, Any]:
        """Positions by instrument, PnL by symbol: quote and base units as integers, unrealized at the last Mark.

        ledger, fees: by asset, in its smallest unit; fees are negative when paid.
        """
        positions, pnl = results(self.positions.values(), self.instruments)
        return {
            "positions": positions,
            "pnl": pnl,
            "fills": self.fill_number,
            "ledger": self.ledger.totals(),
            "fees": self.ledger.fees(),
            "baselined": self.baselined,
            "deferred": len(self.deferred),
            "counts": dict(self.counts),
        }
