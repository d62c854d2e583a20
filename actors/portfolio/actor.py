"""The portfolio actor: folds numbered fills into a ledger and positions. `comparison` holds it against the venue.

A Fill names its instrument by number only, and so does a trade of others. One whose Instrument is not known yet (a recovery
reads the journal before any Instrument comes) waits in `deferred`, in order, and is folded when it comes.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace

from actors.portfolio import margin, moments
from actors.portfolio.comparison import Comparison
from actors.portfolio.holdings import NAME, Holdings
from actors.portfolio.ledger import Ledger, Wallet, assets_of, is_contract
from actors.portfolio.position import Position, pay_base_fee, pay_quote_fee, results, trade, unit_of
from actors.portfolio.settings import PortfolioSettings
from actors.portfolio.state import PortfolioState, put_back, saved
from bus.actor import Actor
from bus.messages import (
    AccountHandedOver,
    Alert,
    AlertLevel,
    BalancesReported,
    EngineStarted,
    Fill,
    ForeignTraded,
    Instrument,
    LeadershipLost,
    Mark,
    Message,
    OperatorCommand,
    PositionUpdate,
    WalletChanged,
)

DEFERRED_MAX = 100_000  # chosen: fills of one journal tail; beyond it a CRITICAL alert, and the fill is not folded


class Portfolio(Actor[PortfolioState]):
    """One account at one venue. restored: the next Instrument is the first of another run; not state: only a process can
    know it. handed, handing: instruments handed in so far for a run that is about to start.
    """

    name: ClassVar[str] = NAME
    State: ClassVar[type[PortfolioState]] = PortfolioState

    def __init__(self, settings: PortfolioSettings) -> None:
        self.holdings = Holdings(settings)
        self.comparison = Comparison(self.holdings)
        self.handed: dict[int, None] = {}
        self.handing = True
        self.restored = False
        self.handlers = {
            Fill: self.on_fill,
            AccountHandedOver: self.on_handed_over,
            LeadershipLost: self.on_leadership_lost,
            Mark: self.on_mark,
            Instrument: self.on_instrument,
            BalancesReported: self.comparison.on_balances,
            OperatorCommand: self.comparison.on_operator,
            WalletChanged: self.on_wallet,
            ForeignTraded: self.on_foreign,
            EngineStarted: self.on_started,
        }

    @property
    def fill_number(self) -> int:
        return self.holdings.fill_number

    def on_handed_over(self, message: AccountHandedOver, now_ns: int) -> tuple[Message, ...]:
        """Another instance led after us: what it left replaces ledger and positions. Facts of before are all in it."""
        held, state = self.holdings, message.state
        held.deferred.clear()
        held.covered.clear()
        held.moves.clear()
        held.ledger = Ledger()
        held.based = {}
        self.comparison.compared = {}
        held.take_baseline(dict(zip(state.assets, state.units, strict=True)))
        held.succession.take(state)
        held.wallet = Wallet(floor_ns=state.wallet_ns or now_ns)
        held.count("account_taken_over")
        positions, held.positions = held.positions, {}
        known = [held.instruments[number] for number in positions if number in held.instruments]
        updates = [self.start_position(instrument, now_ns) for instrument in known]
        detail = f"epoch={message.epoch} number={state.number} symbols={len(state.symbols)}"
        return (*updates, Alert(AlertLevel.INFO, NAME, "account_taken_over", -1, detail))

    def on_leadership_lost(self, message: LeadershipLost, now_ns: int) -> tuple[Message, ...]:
        self.holdings.deposed = True
        return ()

    def start_position(self, instrument: Instrument, now_ns: int) -> PositionUpdate:
        """What the predecessor held of it, or nothing."""
        held = self.holdings
        position = held.positions[instrument.instrument] = Position(instrument.instrument, instrument.version)
        return self.taken_over(position, instrument, held.succession.claim(instrument, position, now_ns) or 0)

    def taken_over(self, position: Position, instrument: Instrument, day_start: int) -> PositionUpdate:
        update = self.holdings.update_of(position, instrument)
        return replace(update, taken_over=True, day_start=day_start)

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        """Hot. A number not above the last is a repeat; one above the next is a gap, which is said and then folded."""
        held = self.holdings
        if fill.number <= held.fill_number:
            held.count("fill_repeated")
            return ()
        gap = fill.number - held.fill_number - 1
        held.fill_number = fill.number
        moments.remember(held, fill)
        instrument = held.instruments.get(fill.instrument)
        if instrument is None:
            return self.defer(fill)
        self.book(fill, instrument, now_ns)
        update = held.update_of(held.positions[fill.instrument], instrument)
        if gap:
            held.count("fill_gap")
            detail = f"missing={gap} before={fill.number}"
            alert = Alert(AlertLevel.CRITICAL, NAME, "fill_gap", fill.instrument, detail)
            return (update, *held.account_state(), alert)
        return (update, *held.account_state())

    def book(self, fill: Fill, instrument: Instrument, now_ns: int) -> None:
        held = self.holdings
        side = fill.side
        base, quote = instrument.base_asset, instrument.quote_asset
        paid = fill.realized if is_contract(instrument) else -side * fill.quote
        one, other = assets_of(instrument)
        held.ledger.add_fill(one, side * fill.quantity, other, paid)
        position = held.positions[fill.instrument]
        held.succession.folded(position, fill.trade_id, now_ns)
        trade(position, side, fill.quantity, fill.quote)
        if fill.fee:
            held.ledger.add_fee(fill.fee_asset, fill.fee)
            if fill.fee_asset == quote:
                pay_quote_fee(position, fill.fee)
            elif fill.fee_asset == base:
                pay_base_fee(position, fill.fee)

    def on_wallet(self, message: WalletChanged, now_ns: int) -> tuple[Message, ...]:
        return margin.on_wallet(self.holdings, message)

    def on_foreign(self, message: ForeignTraded, now_ns: int) -> tuple[Message, ...]:
        """Of an order that is left alone: the ledger follows it. The position is none of that, but where the venue has one a symbol."""
        held = self.holdings
        instrument = held.instruments.get(message.instrument)
        if message.number <= held.foreign_number:
            held.count("foreign_trade_repeated")
            return ()
        held.foreign_number = message.number
        moments.remember(held, message)
        if instrument is None:
            return self.defer(message)
        self.book_foreign(message, instrument, now_ns)
        return (*margin.told_of(held, instrument, now_ns), *held.account_state())

    def book_foreign(self, message: ForeignTraded, instrument: Instrument, now_ns: int) -> None:
        held = self.holdings
        paid = message.realized if is_contract(instrument) else -message.side * message.quote
        one, other = assets_of(instrument)
        held.ledger.add_fill(one, message.side * message.quantity, other, paid)
        if message.fee:
            held.ledger.add_fee(message.fee_asset, message.fee)
        position = held.positions[message.instrument]
        held.succession.folded(position, message.trade_id, now_ns)
        if is_contract(instrument):
            margin.traded_by_hand(position, message, instrument)

    def defer(self, fill: Fill | ForeignTraded) -> tuple[Message, ...]:
        held = self.holdings
        if len(held.deferred) >= DEFERRED_MAX:
            held.count("fill_lost")
            return (Alert(AlertLevel.CRITICAL, NAME, "fill_not_folded", fill.instrument, f"number={fill.number}"),)
        held.deferred.append(fill)
        held.count("fill_deferred")
        return ()

    def on_mark(self, message: Mark, now_ns: int) -> tuple[Message, ...]:
        held = self.holdings
        position = held.positions.get(message.instrument)
        if position is not None:
            position.bid = message.bid
            position.ask = message.ask
        return ()

    def on_instrument(self, message: Instrument, now_ns: int) -> tuple[Message, ...]:
        held = self.holdings
        key = message.instrument
        if message.account != held.settings.account:
            return ()  # looked at, not traded: nothing of it can be ours
        if message.base_scale < message.quantity_scale:
            held.count("instrument_refused")
            return (Alert(AlertLevel.CRITICAL, NAME, "instrument_refused", key, "reason=base_scale"),)
        before = held.instruments.get(key)
        held.instruments[key] = message
        if self.restored and not self.handing:
            self.handed = {}
            self.handing = True
        self.handed[key] = held.configured[key] = None
        position = held.positions.setdefault(key, Position(key))
        position.version = message.version
        day_start = held.succession.claim(message, position, now_ns)
        folded = self.fold_deferred(message, now_ns)
        margin.place(held, position)
        margin.follow(held, now_ns)
        if folded:  # ours since a takeover that was told then
            return (held.update_of(position, message),)
        if day_start is not None:
            return (self.taken_over(position, message, day_start),)
        recounted = before is not None and not self.handing and unit_of(before) != unit_of(message)
        # Whoever keeps the position in lots hears of it in the new ones, in this very cascade.
        return (held.update_of(position, message),) if recounted and (position.quantity or position.realized) else ()

    def fold_deferred(self, instrument: Instrument, now_ns: int) -> bool:
        """Book what waited for this instrument. What a baseline already covers changes positions, not totals."""
        held = self.holdings
        waiting: list[Fill | ForeignTraded] = []
        places: list[int] = []
        for index, fill in enumerate(held.deferred):
            if fill.instrument != instrument.instrument:
                waiting.append(fill)
                places.append(index)
                continue
            assets = dict.fromkeys((*assets_of(instrument), fill.fee_asset))
            before = [held.ledger.total(asset) for asset in assets]
            if type(fill) is Fill:
                self.book(fill, instrument, now_ns)
            elif type(fill) is ForeignTraded:
                self.book_foreign(fill, instrument, now_ns)
            for asset, total in zip(assets, before, strict=True):
                if index < held.covered.get(asset, 0):
                    held.ledger.set_total(asset, total)
        folded = len(waiting) < len(held.deferred)
        held.deferred = waiting
        held.covered = {asset: left for asset, count in held.covered.items() if (left := bisect_left(places, count))}
        return folded

    def on_started(self, message: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """After a recovery nobody else remembers: say every position that is not zero."""
        held = self.holdings
        held.deposed = False
        if self.handing:
            held.configured = self.handed
            self.handed = {}
            self.handing = self.restored = False
        self.comparison.begin_run()
        open_positions = [row for row in held.positions.values() if row.quantity or row.realized]
        updates = [held.update_of(row, held.instruments[row.instrument]) for row in open_positions]
        return (*updates, *held.account_state())

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {
            Fill: self.on_fill,
            PositionUpdate: self.recover_position,
            WalletChanged: self.on_wallet,
            ForeignTraded: self.on_foreign,
            AccountHandedOver: self.on_handed_over,
            **self.comparison.recovers(),
        }

    def recover_position(self, message: PositionUpdate, now_ns: int) -> None:
        self.holdings.number = max(self.holdings.number, message.number)

    def checkpoint(self) -> PortfolioState:
        return saved(self.holdings, self.comparison, self.handed, handing=self.handing)

    def restore(self, state: PortfolioState) -> None:
        put_back(self.holdings, self.comparison, state)
        self.handed = dict.fromkeys(state.handed)
        self.handing = state.handing
        self.restored = True

    def view(self) -> dict[str, Any]:
        """Positions by instrument, PnL by symbol: quote and base units as integers, unrealized at the last Mark.

        ledger, fees, gaps, adjusted: by asset, in its smallest unit; fees are negative when paid. gaps: venue's total less
        ours, as it stands. adjusted: booked beside fills and fees.
        """
        held = self.holdings
        positions, pnl = results(held.positions.values(), held.instruments)
        return {
            "positions": positions,
            "pnl": pnl,
            "fills": held.fill_number,
            "ledger": held.ledger.totals(),
            "fees": held.ledger.fees(),
            "gaps": {asset: gap for asset, gap in self.comparison.said.items() if gap},
            "adjusted": held.ledger.adjusted(),
            "baselined": bool(held.based),
            "deferred": len(held.deferred),
            "counts": dict(held.counts),
        }
