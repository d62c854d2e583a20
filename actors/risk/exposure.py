"""What one instrument could cost at worst: position, open remainders, reservations. Pure. Single writer: the risk actor.

An approval reserves its whole quantity at once and keeps it until the order is done by OrderUpdate, or the command is
refused or dropped. The facts of one fill reach risk as three messages in an order nobody promises: OrderUpdate (the
remainder shrinks), Fill, PositionUpdate (the position grows). At each moment between them

    worst long  = max(base, portfolio) + ahead_buy  + leaves_buy
    worst short = min(base, portfolio) - ahead_sell - leaves_sell

holds at least what is true: a remainder shrinks by the first fact that tells of an execution, and in that same step
either `base` (by Fill) or `ahead` (by OrderUpdate: cumulative beyond the fills seen) grows by it. `portfolio` is the
last PositionUpdate; when each Fill has met its PositionUpdate, `base` is set to it, so that fees are in both.
"""

from actors.risk.holds import Hold, SavedExposure
from actors.risk.sums import Account, Sums
from bus.messages import (
    Fill,
    Instrument,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Touch,
)

SETTLE_NS = 1_000_000_000  # a Fill whose PositionUpdate never came (chosen: far beyond a cascade or a hop) is let go
FILLED = OrderStatus.FILLED  # from here on done; by name, because the look-up costs 75-117 ns on Python 3.11
UNANSWERED = (OrderStatus.INTENT, OrderStatus.PENDING_NEW, OrderStatus.PENDING_CANCEL)
"""While the venue has given it no id: sent, and no word yet. What is given up (UNKNOWN_NEW) waits no more: it trades on."""
VERSIONS_MAX = 8  # lot sizes remembered for late facts of older versions; beyond: read as the present one


class Exposure(Sums):
    """Position and orders of one instrument, from facts; what the orders come to is in `Sums`."""

    def __init__(self, number: int, account: Account) -> None:
        super().__init__(account)
        self.number = number
        self.instrument: Instrument | None = None
        self.touch: Touch | None = None
        self.base = self.portfolio = 0
        self.held: int | None = None  # base units, by the last PositionUpdate: what no lot can round
        self.unsettled = 0
        self.fill_ns = self.position_ns = -1
        self.versions: dict[int, int] = {}  # base units of one lot, by version
        self.unit = 0  # base units of the lot everything here is counted in; 0: no fact has said yet

    # Reading

    def worst_long(self) -> int:
        position = self.base if self.base > self.portfolio else self.portfolio
        return position + self.ahead_buy + self.leaves_buy

    def worst_short(self) -> int:
        position = self.base if self.base < self.portfolio else self.portfolio
        return position - self.ahead_sell - self.leaves_sell

    # Facts

    def on_update(self, update: OrderUpdate) -> Hold | None:
        """The order it tells of, as it is now; None: done, and nothing was ever held for it."""
        hold = self.holds.get(update.client_order_id)
        done = update.status >= FILLED
        cumulative, told = update.cumulative_lots, update.leaves_lots
        instrument = self.instrument
        if instrument is None or instrument.version != update.version:
            self._learn(update.version, update.unit)
            cumulative, told = self._lots(update.version, cumulative), self._lots(update.version, told)
        if hold is None:
            hold = self._bind(update, done, cumulative)
            if hold is None:
                return None
        if hold.waiting and (update.venue_order_id or update.status not in UNANSWERED):
            self._answer(hold)
        if cumulative > hold.cumulative:
            hold.cumulative = cumulative
        hold.told = told
        if done and not hold.done:
            self._end(hold)
        elif not done and hold.done:  # the venue's later word: it works after all (ORDERS.md, contradiction)
            hold.done = False
            self._open(1)
            self._stand(hold)
        self._count(hold)
        if done:
            self._forget_when_settled(hold)
        return hold

    def _bind(self, update: OrderUpdate, done: bool, cumulative: int) -> Hold | None:
        """The reservation of its command, or a new hold for an order from before this life. None: done and unknown."""
        hold = self.requests.pop((update.owner, update.command), None)
        if hold is None:
            if done:
                return None
            lots = self._lots(update.version, update.quantity_lots)
            # Ticks are taken as they are: an older version's order is being canceled, its price only guards a crossing.
            hold = Hold(update.owner, update.command, "", int(update.side), update.price_ticks, lots, lots)
            hold.first = hold.cumulative = cumulative
            self._open(1)
            self._stand(hold)
        hold.client_order_id = update.client_order_id
        self.holds[update.client_order_id] = hold
        return hold

    def on_fill(self, fill: Fill, now_ns: int) -> None:
        lots = self._lots(fill.version, fill.quantity_lots)
        if self.unsettled > 0 and now_ns - self.fill_ns > SETTLE_NS and self.position_ns >= self.fill_ns:
            self.unsettled, self.base = 0, self.portfolio
        self.settle(now_ns)
        self.base += fill.side * lots
        self.fill_ns = now_ns
        self.unsettled += 1
        if self.unsettled == 0:
            self.base = self.portfolio
        hold = self.holds.get(fill.client_order_id)
        if hold is not None:
            hold.filled += lots
            self._count(hold)
            self._forget_when_settled(hold)

    def on_position(self, position: PositionUpdate, now_ns: int) -> None:
        self.settle(now_ns)
        self.held = position.position
        self.portfolio = _whole(self.held, self.unit) if self.unit else position.position_lots
        self.position_ns = now_ns
        self.unsettled -= 1
        if self.unsettled == 0:
            self.base = self.portfolio

    def settle(self, now_ns: int) -> None:
        """A PositionUpdate that came before its Fill has met it by the end of the cascade; one without a Fill (an
        adjustment) never will. Either way it is the position, once another input is being handled."""
        if self.unsettled < 0 and now_ns != self.position_ns:
            self.unsettled, self.base = 0, self.portfolio

    # Metadata

    def set_instrument(self, instrument: Instrument) -> None:
        """Take new metadata; everything counted in older lots and ticks is counted in the new ones, rounded outward. The
        position is counted anew from what is held: whole lots of it can be closed, a part of one cannot.
        """
        old = self.instrument
        amounts = self.account.notional
        holds = [*self.requests.values(), *self.holds.values()]
        for hold in holds:
            amounts[self.asset] = amounts.get(self.asset, 0) - hold.notional
            hold.notional = 0
        self.instrument = instrument
        self.asset = instrument.quote_asset
        unit = instrument.lot * 10 ** (instrument.base_scale - instrument.quantity_scale)
        self._remember(instrument.version, unit)
        self.numerator = instrument.tick * instrument.lot * 10**instrument.quote_scale
        self.denominator = 10 ** (instrument.price_scale + instrument.quantity_scale)
        old_tick = instrument.tick if old is None else old.tick
        if (self.unit or unit, old_tick) != (unit, instrument.tick):
            self._rescale(holds, self.unit or unit, unit, old_tick, instrument.tick)
        self.unit = unit
        if self.held is not None:
            self.portfolio = _whole(self.held, unit)
            if not self.unsettled:
                self.base = self.portfolio
        for hold in holds:
            notional = self.notional_of(hold.price_ticks, hold.leaves)
            amounts[self.asset] = amounts.get(self.asset, 0) + notional - hold.notional
            hold.notional = notional

    def _rescale(self, holds: list[Hold], old: int, new: int, old_tick: int, new_tick: int) -> None:
        """old, new: base units of a lot."""
        self.base = _outward(self.base, old, new)
        self.portfolio = _outward(self.portfolio, old, new)
        for hold in holds:
            hold.quantity = _outward(hold.quantity, old, new)
            hold.told = _outward(hold.told, old, new)
            hold.cumulative = _outward(hold.cumulative, old, new)
            hold.filled = hold.filled * old // new
            hold.first = hold.first * old // new
            hold.price_ticks = _outward(hold.price_ticks, old_tick, new_tick)
            self._count(hold)
        self._find_bid()
        self._find_ask()

    def _remember(self, version: int, unit: int) -> None:
        self.versions[version] = unit
        if len(self.versions) > VERSIONS_MAX:
            del self.versions[next(iter(self.versions))]

    def _learn(self, version: int, unit: int) -> None:
        """A fact of another version than the present one says its lot. Before any Instrument its lot is taken as ours."""
        if not unit:
            return
        self._remember(version, unit)
        if self.instrument is None and unit != self.unit:
            if self.unit:
                self._rescale([*self.requests.values(), *self.holds.values()], self.unit, unit, 1, 1)
            self.unit = unit

    def _lots(self, version: int, lots: int) -> int:
        """A count in lots of `version` in the lot we count in; in the same one when nothing is known of that version."""
        unit = self.versions.get(version, self.unit)
        return lots if unit == self.unit else _outward(lots, unit, self.unit)

    # Checkpoint

    def saved(self) -> SavedExposure:
        return SavedExposure(
            number=self.number,
            instrument=self.instrument,
            touch=self.touch,
            requests=list(self.requests.values()),
            holds=list(self.holds.values()),
            base=self.base,
            portfolio=self.portfolio,
            unsettled=self.unsettled,
            fill_ns=self.fill_ns,
            position_ns=self.position_ns,
            versions=list(self.versions.items()),
            unit=self.unit,
            held=self.held,
        )

    def restore(self, saved: SavedExposure) -> None:
        """Into a fresh Exposure; the sums, here and in the account, are built up again."""
        self.touch = saved.touch
        self.unit, self.held = saved.unit, saved.held
        self.base, self.portfolio, self.unsettled = saved.base, saved.portfolio, saved.unsettled
        self.fill_ns, self.position_ns = saved.fill_ns, saved.position_ns
        if saved.instrument is not None:
            self.set_instrument(saved.instrument)
        self.versions = dict(saved.versions)
        self.requests = {(hold.owner, hold.command): hold for hold in saved.requests}
        self.holds = {hold.client_order_id: hold for hold in saved.holds}
        for hold in (*saved.requests, *saved.holds):
            hold.leaves = hold.ahead = hold.notional = 0
            self._count(hold)
            if not hold.done:
                self._open(1)
                self.in_flight += hold.waiting
        self._find_bid()
        self._find_ask()


def _whole(units: int, unit: int) -> int:
    """Whole lots of so many base units, toward 0."""
    return units // unit if units >= 0 else -(-units // unit)


def _outward(count: int, old: int, new: int) -> int:
    """A count of `old` units in `new` units, away from 0."""
    return -(-count * old // new) if count > 0 else count * old // new
