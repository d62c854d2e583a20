"""What risk is told, counted book by book: prices, orders, fills, positions, bands. Pure. HOT PATH: Touch, OrderUpdate in.

What follows of a fact beside its count is the business of watch.py, losses.py and storms.py.
"""

from collections.abc import Mapping

from actors.risk.checks import Book
from actors.risk.limits import RiskLimits
from actors.risk.losses import Losses
from actors.risk.state import RiskState
from actors.risk.storms import Storms, of_hold
from actors.risk.sums import Account
from actors.risk.watch import Watch
from bus.actor import NOTHING
from bus.messages import (
    BandHeld,
    BookState,
    BookStateChanged,
    CommandDropped,
    FeedAge,
    Fill,
    Mark,
    Message,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    Refusal,
    Touch,
)

REJECTED, FILLED = OrderStatus.REJECTED, OrderStatus.FILLED  # by name: a look-up costs 75-117 ns on Python 3.11
CLOSED = RiskLimits(order_lots_max=1, position_lots_max=0)
"""Bounds of an instrument that only appears in facts. Its Instrument is not taken, so nothing can be approved."""


class Facts:
    """books: by instrument number; account: their sums. Both are the same objects for good. repeated: what was heard before."""

    def __init__(self, limits: Mapping[int, RiskLimits], watch: Watch, losses: Losses, storms: Storms) -> None:
        self.limits = limits
        self.watch, self.losses, self.storms, self.repeats = watch, losses, storms, storms.repeats
        self.account = Account()
        self.books: dict[int, Book] = {}
        self.last_update = self.last_fill = -1
        self.repeated = 0
        self._begin()

    def _begin(self) -> None:
        self.account.open_orders, self.account.notional = 0, {}
        self.books.clear()
        for number, bounds in self.limits.items():
            self._add_book(number, bounds)

    def _add_book(self, number: int, bounds: RiskLimits) -> Book:
        book = Book(number, self.account)
        book.configure(bounds)
        self.books[number] = book
        self.storms.configure(number, bounds)
        return book

    def _book(self, number: int) -> Book:
        """Facts of an instrument nobody configured limits for are counted too; it can only not trade."""
        book = self.books.get(number)
        return book if book is not None else self._add_book(number, CLOSED)

    # Market data

    def on_touch(self, touch: Touch, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(touch.instrument)
        if book is not None and not book.lost:
            book.touch = touch
        return NOTHING

    def on_feed_age(self, age: FeedAge, now_ns: int) -> tuple[Message, ...]:
        if age.instrument not in self.limits:
            return NOTHING
        self.books[age.instrument].hear_age(age, now_ns)
        return self.watch.on_feed_age(age, now_ns)

    def on_mark(self, mark: Mark, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(mark.instrument)
        return NOTHING if book is None else self.losses.on_mark(mark, book.instrument, now_ns)

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """LIVE again brings its own Touch; until then there is no price to judge by. A Touch of the same cascade that comes
        behind the loss is of before.
        """
        book = self.books.get(change.instrument)
        if book is None:
            return NOTHING
        book.lost = change.state != BookState.LIVE
        if not book.lost:
            return self.watch.on_live(change.instrument, now_ns)
        book.touch = None
        return self.watch.on_lost(change.instrument, now_ns)

    # Orders and positions

    def on_update(self, update: OrderUpdate, now_ns: int) -> tuple[Message, ...]:
        if update.number <= self.last_update:
            self.repeated += 1
            return NOTHING
        self.last_update = update.number
        book = self._book(update.instrument)
        in_flight = book.in_flight
        hold = book.on_update(update)
        changes: tuple[Message, ...] = NOTHING
        if hold is not None and book.in_flight < in_flight:  # its first answer, or it is given up
            changes = self.watch.on_answered(now_ns - hold.sent_ns, now_ns)
            if self.repeats.rows and update.status < FILLED:
                self.repeats.accepted(of_hold(update.instrument, hold))
        if update.status is REJECTED and update.refusal is Refusal.VENUE_REJECTED:
            return (*changes, *self.storms.on_rejected(update, hold, now_ns))
        return changes

    def on_fill(self, fill: Fill, now_ns: int) -> tuple[Message, ...]:
        if fill.number <= self.last_fill:
            self.repeated += 1
            return NOTHING
        self.last_fill = fill.number
        self._book(fill.instrument).on_fill(fill, now_ns)
        return NOTHING if fill.recovered else self.storms.on_fill(fill.instrument, now_ns)

    def on_position(self, position: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        book = self._book(position.instrument)
        book.on_position(position, now_ns)
        return self.losses.on_position(position, book.instrument, now_ns)

    def fold_position(self, position: PositionUpdate, now_ns: int) -> None:
        book = self._book(position.instrument)
        book.on_position(position, now_ns)
        self.losses.fold(position, book.instrument, now_ns)

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        """Our own refusals come back here as well: nothing is reserved for those."""
        book = self.books.get(refused.instrument)
        if book is not None:
            book.release(refused.owner, refused.command)
        return NOTHING

    def on_dropped(self, dropped: CommandDropped, now_ns: int) -> tuple[Message, ...]:
        """Only what has no order yet is released: once there is an order, its OrderUpdate says how it ended."""
        book = self.books.get(dropped.instrument)
        if book is not None and dropped.command >= 0:
            book.release(dropped.owner, dropped.command)
        return NOTHING

    def on_band(self, band: BandHeld, now_ns: int) -> tuple[Message, ...]:
        book = self.books.get(band.instrument)
        if book is not None:
            book.hold_band(band.bid_max, band.ask_min)
        return NOTHING

    # Checkpoint

    def restore(self, state: RiskState) -> None:
        self._begin()
        for saved in state.books:
            self._book(saved.number).restore(saved)
        for number, bid_max, ask_min in state.bands:
            self.books[number].hold_band(bid_max, ask_min)
        self.last_update, self.last_fill, self.repeated = state.last_update, state.last_fill, state.repeated
