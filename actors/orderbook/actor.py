"""Orderbook: depth stream in; touch, view, mark, watched levels and validity out. Pure. HOT PATH: `depth_update`.

Order of what an update emits: Touch before BookView. The view starts the way to the order (signals, strategy,
execution), and whoever decides at its end must already have this update's touch; execution and risk take it first.
Watched levels go last: they tell orders that rest where they stand, and no order is made from them.
"""

from typing import Any

import msgspec

from actors.orderbook.book import LEVELS_MAX
from actors.orderbook.entry import Entry, EntryState, live
from actors.orderbook.spread import NO_SPREAD
from actors.orderbook.validity import EVENTS, BookEvent
from bus.actor import NOTHING, Actor
from bus.messages import (
    Alert,
    AlertLevel,
    BestQuote,
    BookReason,
    BookState,
    BookStateChanged,
    BookView,
    DepthSnapshot,
    DepthUpdate,
    Instrument,
    Mark,
    Message,
    Touch,
    WatchLevels,
)

VIEW_LEVELS = 20  # of BookView (the vocabulary's promise)
MARK_INTERVAL_NS = 1_000_000_000  # chosen: PnL is for people; a hop less before most orders
TOUCH_REFRESH_NS = 250_000_000  # an unchanged touch is sent again after so long: its age then proves the feed's
SNAPSHOT_LEVELS = 1_000  # what market data asks for: a side with fewer is known to its end

LIVE = BookState.LIVE  # by name: an enum's look-up costs 75-117 ns on Python 3.11
_DROP_FROM = BookState.STALE
"""From this state on (STALE, INVALID) an update has no book to go to."""


class OrderbookState(msgspec.Struct):
    """Entries in the order in which the instruments came. dropped: updates to a book that was not there."""

    entries: list[EntryState]
    dropped: int


class Orderbook(Actor[OrderbookState]):
    """All books of a host, by instrument number."""

    name = "orderbook"
    State = OrderbookState

    def __init__(self, snapshot_levels: int = SNAPSHOT_LEVELS, levels_max: int = LEVELS_MAX) -> None:
        self.snapshot_levels = snapshot_levels
        self.levels_max = levels_max
        self.entries: dict[int, Entry] = {}
        self.dropped = 0
        self.handlers = {
            DepthUpdate: self.depth_update,
            WatchLevels: self.watch_levels,
            BestQuote: self.best_quote,
            DepthSnapshot: self.depth_snapshot,
            BookStateChanged: self.book_state_changed,
            Instrument: self.instrument,
        }

    def depth_update(self, message: DepthUpdate, now_ns: int) -> tuple[Message, ...]:
        entry = self.entries[message.instrument]
        if entry.state >= _DROP_FROM:
            self.dropped += 1
            return NOTHING
        assert message.previous_sequence == entry.sequence, "market data promises a gapless stream"
        book = entry.book
        book.apply(message.bid_prices, message.bid_quantities, message.ask_prices, message.ask_quantities)
        entry.sequence = sequence = message.last_sequence
        entry.received_ns = message.received_ns
        entry.version = message.version
        held = entry.tops.held
        if held and held[0].update_id <= sequence and not entry.tops.reached(sequence, book.touch()):
            return self._refuse(entry, BookReason.TOP_MISMATCH, now_ns)
        if entry.state is not LIVE:
            return NOTHING
        if not entry.watched:
            return self._publish(entry, now_ns, False)
        out = self._publish(entry, now_ns, False)
        return out + self._watched(entry) if entry.state is LIVE else out

    def _publish(self, entry: Entry, now_ns: int, first: bool) -> tuple[Message, ...]:
        """What others see of a LIVE book after an update.

        The view goes out every time, even when no level in it changed: its update id and received_ns are what the
        age of a signal is measured by. The touch goes to more rooms and is sent when it changed or was not for long.
        """
        book = entry.book
        top = book.touch()
        bid, _, ask, _ = top
        known = bid and ask
        if known and bid >= ask:
            return self._refuse(entry, BookReason.CROSSED, now_ns)
        if not (known and bid >= book.bid_horizon and -ask >= book.ask_horizon) and not book.within_horizon:
            return self._refuse(entry, BookReason.SNAPSHOT_TOO_OLD, now_ns)
        entry.spread.observe(now_ns, ask - bid if known else NO_SPREAD)
        number, version, sequence, received_ns = entry.number, entry.version, entry.sequence, entry.received_ns
        bids, asks = book.levels(VIEW_LEVELS)
        view = BookView(number, version, sequence, received_ns, bids[0], bids[1], asks[0], asks[1])
        mark_due = known and now_ns - entry.mark_ns >= MARK_INTERVAL_NS
        if not first and not mark_due and top == entry.sent and now_ns - entry.touch_ns < TOUCH_REFRESH_NS:
            return (view,)
        entry.sent, entry.touch_ns = top, now_ns
        touch = Touch(number, version, sequence, received_ns, *top)
        if not mark_due:
            return (touch, view)
        entry.mark_ns = now_ns
        return (touch, view, Mark(number, version, sequence, bid, ask))

    def _refuse(self, entry: Entry, reason: BookReason, now_ns: int) -> tuple[Message, ...]:
        """The book is wrong, or no longer known where it matters. Validity first, then the word to people."""
        entry.crossed += reason == BookReason.CROSSED
        entry.exhausted += reason == BookReason.SNAPSHOT_TOO_OLD
        entry.advance(BookEvent.INVALID)
        entry.spread.observe(now_ns, NO_SPREAD)
        bid, bid_quantity, ask, ask_quantity = entry.book.touch()
        detail = (
            f"reason={reason.name} update_id={entry.sequence} "
            f"bid={bid} bid_quantity={bid_quantity} ask={ask} ask_quantity={ask_quantity}"
        )
        return (
            BookStateChanged(entry.number, BookState.INVALID, reason, entry.sequence),
            Alert(AlertLevel.WARNING, self.name, "book_refused", entry.number, detail),
        )

    def depth_snapshot(self, message: DepthSnapshot, now_ns: int) -> tuple[Message, ...]:
        """Replaces the book; it is read only when market data says LIVE."""
        entry = self.entries[message.instrument]
        entry.advance(BookEvent.SNAPSHOT)
        book = entry.book
        book.load(
            message.bid_prices,
            message.bid_quantities,
            message.ask_prices,
            message.ask_quantities,
            self.snapshot_levels,
        )
        entry.sequence, entry.received_ns, entry.version = message.sequence, message.received_ns, message.version
        if not entry.tops.reached(message.sequence, book.touch()):
            return self._refuse(entry, BookReason.TOP_MISMATCH, now_ns)
        return NOTHING

    def best_quote(self, message: BestQuote, now_ns: int) -> tuple[Message, ...]:
        entry = self.entries[message.instrument]
        sequence = entry.sequence
        if message.update_id < sequence:
            return NOTHING  # nine of ten: bookTicker is faster than the diffs
        top = entry.book.touch() if entry.state < _DROP_FROM else None
        if entry.tops.quote(message, sequence, top):
            return NOTHING
        return self._refuse(entry, BookReason.TOP_MISMATCH, now_ns)

    def book_state_changed(self, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        entry = self.entries[message.instrument]
        was_live = entry.state == BookState.LIVE
        entry.advance(EVENTS[message.state])
        if entry.state != BookState.LIVE:
            entry.spread.observe(now_ns, NO_SPREAD)
            if message.reason in (BookReason.CONNECTION_LOST, BookReason.INSTRUMENT_CHANGED):
                entry.tops.held.clear()  # quotes of another connection, or in another scale
            return NOTHING
        if was_live:
            return NOTHING
        out = self._publish(entry, now_ns, True)
        entry.watched.forget()
        return out + self._watched(entry) if entry.state is LIVE else out

    def watch_levels(self, message: WatchLevels, _now_ns: int) -> tuple[Message, ...]:
        """All of them at once if the book is LIVE; else when it is."""
        entry = self.entries[message.instrument]
        entry.watched.replace(message)
        return self._watched(entry) if entry.state is LIVE else NOTHING

    def _watched(self, entry: Entry) -> tuple[Message, ...]:
        return entry.watched.news(entry.book, entry.number, entry.version, entry.sequence, entry.received_ns)

    def instrument(self, message: Instrument, _now_ns: int) -> tuple[Message, ...]:
        """A new version needs nothing here: each update says which one its figures are of."""
        if message.instrument not in self.entries:
            self.entries[message.instrument] = Entry(message.instrument, message.version, self.levels_max)
        return NOTHING

    def checkpoint(self) -> OrderbookState:
        return OrderbookState([entry.checkpoint() for entry in self.entries.values()], self.dropped)

    def restore(self, state: OrderbookState) -> None:
        self.entries = {entry.number: Entry.restored(entry, self.levels_max) for entry in state.entries}
        self.dropped = state.dropped

    def view(self) -> dict[str, Any]:
        return {"dropped": self.dropped, "books": {entry.number: _summary(entry) for entry in self.entries.values()}}


def _summary(entry: Entry) -> dict[str, Any]:
    """For people; prices only of a LIVE book."""
    book = live(entry)
    return {
        "state": entry.state.name,
        "sequence": entry.sequence,
        "touch": book.touch() if book else None,
        "horizon": book.horizon if book else None,
        "levels": (len(entry.book.bid_keys), len(entry.book.ask_keys)),
        "top_checks": entry.tops.checks,
        "top_mismatches": entry.tops.mismatches,
        "crossed": entry.crossed,
        "exhausted": entry.exhausted,
        "watched": (len(entry.watched.bids), len(entry.watched.asks)),
        "watched_beyond_limit": entry.watched.beyond_limit,
        "spread": entry.spread.summary(),
    }
