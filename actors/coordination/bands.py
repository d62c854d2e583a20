"""Self-trade bands: bids up to a price, asks from a price on, such that no scope's bid can meet another's ask. Pure.

What risk holds is never wider than what the store has of ours. So: widen in the store, then tell risk; tell risk what is
narrower, then the store. Alone the band covers everything and costs nothing; with peers it follows our working orders.
The store's band outlives us, as orders do: a successor replaces it when the orders of before are proven gone.
"""

from typing import NamedTuple

import msgspec

from actors.coordination.desk import BAND_TIMER, NAME, Desk
from actors.coordination.phases import Phase
from bus.messages import (
    DONE,
    Alert,
    AlertLevel,
    BandHeld,
    BandPublished,
    BandWanted,
    Message,
    OrderUpdate,
    Outcome,
    PeersObserved,
    PublishBand,
)

VERSIONS_MAX = 8  # of one instrument, beside those of working orders; chosen
ALL = 1 << 62
"""Above every price in price units; still fits the 64 bits of a message."""


class Band(NamedTuple):
    """bid_max 0: no bids; ask_min 0: no asks. Price units."""

    bid_max: int
    ask_min: int

    def __or__(self, other: object) -> "Band":
        """Whatever either of them covers."""
        assert isinstance(other, Band)
        asks = [ask for ask in (self.ask_min, other.ask_min) if ask]
        return Band(max(self.bid_max, other.bid_max), min(asks, default=0))

    def __and__(self, other: "Band") -> "Band":
        """Only what both of them cover."""
        ask_min = max(self.ask_min, other.ask_min) if self.ask_min and other.ask_min else 0
        return Band(min(self.bid_max, other.bid_max), ask_min)

    def covers(self, side: int, price: int) -> bool:
        return price <= self.bid_max if side > 0 else 0 < self.ask_min <= price


NOTHING, EVERYTHING = Band(0, 0), Band(ALL, 1)


class Working(msgspec.Struct, array_like=True):
    """An order of ours that may work. tick: price units of one of its ticks; 0: of a version nobody knows."""

    instrument: int
    version: int
    side: int
    price_ticks: int


class Row(msgspec.Struct):
    """One instrument. peers -1: not observed yet. held: what risk was told. asked: the request under way, 0 none.

    settled: the store has a band of this term. theirs: what the peers hold. wish: prices of refused orders, until
    wish_ns; nearest: or the nearest that can be had. quiet_ns: nothing is asked before it, because the store said no or nothing. wide_ns: when to look whether
    the band is wider than needed; 0: no look is due.
    """

    instrument: int
    peers: int = -1
    held: Band = NOTHING
    theirs: Band = NOTHING
    wish: Band = NOTHING
    wish_ns: int = 0
    nearest: bool = False
    settled: bool = False
    asked: int = 0
    quiet_ns: int = 0
    wide_ns: int = 0


class Bands:
    """working: by client order id; ticks: price units of a tick, by (instrument, version)."""

    __slots__ = ("desk", "rows", "ticks", "working")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.rows: dict[int, Row] = {}
        self.working: dict[str, Working] = {}
        self.ticks: dict[tuple[int, int], int] = {}

    # Facts

    def know(self, instrument: int, version: int, tick: int) -> None:
        """Versions that no working order is of are forgotten, but for the last few: late facts may be of those."""
        self.ticks[instrument, version] = tick
        used = {(order.instrument, order.version) for order in self.working.values()}
        old = [key for key in self.ticks if key[0] == instrument and key not in used]
        for key in old[:-VERSIONS_MAX]:
            del self.ticks[key]
        self.rows.setdefault(instrument, Row(instrument))

    def begin_term(self) -> None:
        """Risk holds nothing, and what the store has is of somebody before us."""
        self.rows = {number: Row(number) for number in self.rows}

    def on_update(self, update: OrderUpdate, now_ns: int, out: list[Message]) -> None:
        """Warm: every change of every order."""
        row = self.rows.get(update.instrument)
        if update.status not in DONE:
            self.working[update.client_order_id] = order = Working(
                update.instrument, update.version, int(update.side), update.price_ticks
            )
            if row is not None and not row.held.covers(order.side, self.price_of(order)):
                self.settle(row, now_ns, out)  # risk was not asked for it: it came to light
            return
        known = self.working.pop(update.client_order_id, None) is not None
        if known and row is not None and row.peers > 0 and row.wide_ns == 0:
            self.look_later(row, now_ns, out)

    def on_peers(self, peers: PeersObserved, now_ns: int, out: list[Message]) -> None:
        row = self.rows.get(peers.instrument)
        if row is None:
            return
        row.peers, row.theirs, row.quiet_ns = peers.peers, Band(peers.bid_max, peers.ask_min), 0
        self.settle(row, now_ns, out, narrow=row.held == EVERYTHING)

    def on_wanted(self, wanted: BandWanted, now_ns: int, out: list[Message]) -> None:
        row = self.rows.get(wanted.instrument)
        if row is None:
            return
        last = row.wish if now_ns < row.wish_ns else NOTHING
        row.wish = Band(wanted.price, last.ask_min) if wanted.side > 0 else Band(last.bid_max, wanted.price)
        row.nearest = wanted.nearest
        row.wish_ns = now_ns + self.desk.settings.wish_ns
        self.settle(row, now_ns, out)

    def settle_all(self, now_ns: int, out: list[Message]) -> None:
        """The orders of before are gone: from here on the bands are ours."""
        for row in self.rows.values():
            self.settle(row, now_ns, out, narrow=not row.settled)

    def on_timer(self, instrument: int, now_ns: int, out: list[Message]) -> None:
        row = self.rows.get(instrument)
        if row is not None:
            self.look(row, now_ns, out)

    # The rule

    def settle(self, row: Row, now_ns: int, out: list[Message], *, narrow: bool = False) -> None:
        """Ask for the band that is needed now. narrow: give up what is not; else only widen."""
        if self.desk.phase is not Phase.HOLDING or row.peers < 0:
            return  # OrdersReady and PeersObserved come here again
        if row.asked or now_ns < row.quiet_ns:
            if narrow:
                row.wide_ns = now_ns  # with the answer, or when the time comes
            if not row.asked:
                self.desk.wake(BAND_TIMER, row.instrument, row.quiet_ns, out)
            return
        target = self.target(row, now_ns)
        if not narrow:  # an order that risk has just approved may not be among the working ones yet
            target = row.held | target
        if row.settled and target == row.held:
            return
        kept = row.held & target
        if kept != row.held:
            self.tell(row, kept, out)
        head = self.desk.head(now_ns)
        row.asked = self.desk.counter
        out.append(PublishBand(*head, row.instrument, target.bid_max, target.ask_min))

    def target(self, row: Row, now_ns: int) -> Band:
        """Alone everything; else our working orders, and what is wished for and would meet nobody."""
        if row.peers == 0:
            return EVERYTHING
        need = self.need(row.instrument)
        if now_ns >= row.wish_ns:
            return need
        theirs, wish = row.theirs, row.wish
        bid_max, ask_min = wish.bid_max, wish.ask_min
        if bid_max and 0 < theirs.ask_min <= bid_max:
            bid_max = theirs.ask_min - 1 if row.nearest else 0
        if ask_min and ask_min <= theirs.bid_max:
            ask_min = theirs.bid_max + 1 if row.nearest and theirs.bid_max < ALL else 0
        return need | Band(bid_max, ask_min)

    def need(self, instrument: int) -> Band:
        need = NOTHING
        for order in self.working.values():
            if order.instrument == instrument:
                price = self.price_of(order)
                need |= Band(price, 0) if order.side > 0 else Band(0, price)
        return need

    def price_of(self, order: Working) -> int:
        """Of a version before this life it is not known, so it might be any."""
        tick = self.ticks.get((order.instrument, order.version), 0)
        return order.price_ticks * tick if tick else ALL if order.side > 0 else 1

    def on_published(self, answer: BandPublished, now_ns: int, out: list[Message]) -> None:
        row = self.rows.get(answer.instrument)
        if row is None or answer.counter != row.asked:
            return
        row.asked = 0
        if answer.outcome is Outcome.RESULT:
            row.settled = True
            granted = Band(answer.bid_max, answer.ask_min)
            if granted | row.wish == granted:
                row.wish = NOTHING  # the order comes now, or is not wished for any more
            self.tell(row, granted, out)
            if row.peers > 0 and row.held == EVERYTHING:
                row.wide_ns = now_ns  # they came while it was asked, and wait for us
            elif row.peers > 0:
                self.look_later(row, now_ns, out)  # anew: the order that was waited for comes only now
        else:
            self.not_granted(row, answer, now_ns, out)
        self.look(row, now_ns, out)

    def look(self, row: Row, now_ns: int, out: list[Message]) -> None:
        """Widen to what is wished for; narrow as well when that is due."""
        narrow = 0 < row.wide_ns <= now_ns
        if narrow:
            row.wide_ns = 0
        elif row.wide_ns:  # the one timer was set for something sooner
            self.desk.wake(BAND_TIMER, row.instrument, row.wide_ns, out)
        self.settle(row, now_ns, out, narrow=narrow)

    def not_granted(self, row: Row, answer: BandPublished, now_ns: int, out: list[Message]) -> None:
        """Refused: it would meet another's. Not answered: it may be ours or not. Neither widens what risk holds."""
        row.quiet_ns = now_ns + self.desk.settings.retry_ns
        if answer.outcome is not Outcome.REFUSED:
            row.settled = False  # the store has one of the two: it is asked for one again, whatever is wished
            return
        detail = (
            f"bid_max={answer.bid_max} ask_min={answer.ask_min} theirs_bid_max={answer.theirs_bid_max} "
            f"theirs_ask_min={answer.theirs_ask_min} reason={answer.reason or 'an order of another scope may rest there'}"
        )
        out.append(Alert(AlertLevel.INFO, NAME, "band_refused", row.instrument, detail))

    def tell(self, row: Row, band: Band, out: list[Message]) -> None:
        if band != row.held:
            row.held = band
            out.append(BandHeld(row.instrument, band.bid_max, band.ask_min))

    def look_later(self, row: Row, now_ns: int, out: list[Message]) -> None:
        row.wide_ns = now_ns + self.desk.settings.narrow_ns
        self.desk.wake(BAND_TIMER, row.instrument, row.wide_ns, out)
