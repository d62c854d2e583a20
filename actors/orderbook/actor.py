"""Orderbook: depth stream in; touch, view, mark, watched levels and validity out. Pure. HOT PATH: `depth_update`.

Order of what an update emits: Touch before BookView. The view starts the way to the order (signals, strategy,
execution), and whoever decides at its end must already have this update's touch; execution and risk take it first.
Watched levels go last: they tell orders that rest where they stand, and no order is made from them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from actors.orderbook.book import LEVELS_MAX
from actors.orderbook.entry import Entry, EntryState
from actors.orderbook.spread import NO_SPREAD
from actors.orderbook.validity import BookEvent, Validity, event_of
from actors.orderbook.witness import Kind
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
    TradePrint,
    WatchLevels,
)
from bus.messages.feed import UNNUMBERED, BookShape, Scales

VIEW_LEVELS = 20  # of BookView (the vocabulary's promise)
MARK_INTERVAL_NS = 1_000_000_000  # chosen: PnL is for people; a hop less before most orders
TOUCH_REFRESH_NS = 250_000_000  # an unchanged touch is sent again after so long: its age then proves the feed's
SNAPSHOT_LEVELS = 1_000  # what market data asks for: a side with fewer is known to its end

LIVE = BookState.LIVE  # by name: an enum's look-up costs 75-117 ns on Python 3.11
_DROP_FROM = Validity.SUSPENDED
"""From here on (SUSPENDED, INVALID) an update has no book to go to."""
_PLAIN = BookShape()


class OrderbookState(msgspec.Struct):
    """Entries in the order in which the instruments came. dropped: updates to a book that was not there."""

    entries: list[EntryState]
    dropped: int


class Orderbook(Actor[OrderbookState]):
    """All books of a host, by instrument number."""

    name = "orderbook"
    State = OrderbookState
    state_version = 2

    def __init__(
        self,
        snapshot_levels: int = SNAPSHOT_LEVELS,
        levels_max: int = LEVELS_MAX,
        shapes: Mapping[int, BookShape] | None = None,
    ) -> None:
        """shapes: by venue number; a venue that has none gives neither a depth nor checksums."""
        self.snapshot_levels = snapshot_levels
        self.levels_max = levels_max
        self.shapes = shapes or {}
        self.entries: dict[int, Entry] = {}
        self.dropped = 0
        self.handlers = {
            DepthUpdate: self.depth_update,
            WatchLevels: self.watch_levels,
            BestQuote: self.best_quote,
            TradePrint: self.trade_print,
            DepthSnapshot: self.depth_snapshot,
            BookStateChanged: self.book_state_changed,
            Instrument: self.instrument,
        }

    def depth_update(self, message: DepthUpdate, now_ns: int) -> tuple[Message, ...]:
        entry = self.entries[message.instrument]
        if entry.validity >= _DROP_FROM:
            self.dropped += 1
            return NOTHING
        assert message.previous_sequence == entry.sequence, "market data promises a gapless stream"
        book = entry.book
        book.apply(message.bid_prices, message.bid_quantities, message.ask_prices, message.ask_quantities)
        entry.sequence = sequence = message.last_sequence
        entry.received_ns = message.received_ns
        entry.version = message.version
        told = message.checksum
        if told >= 0 and not entry.checksums.agrees(told, book, entry.shape, entry.scales):
            return self._refuse(entry, BookReason.CHECKSUM, now_ns)
        held = entry.tops.held
        if held:
            if sequence < message.previous_sequence:
                held.clear()  # the venue counts anew
            elif held[0].update_id <= sequence and not entry.tops.reached(sequence, book.known_touch()):
                return self._refuse(entry, BookReason.TOP_MISMATCH, now_ns)
        if entry.state is not LIVE:
            return NOTHING
        if message.more:
            return self._conflate(entry, now_ns)
        watched = entry.watched
        if not (watched.bids or watched.asks):
            return self._publish(entry, now_ns, False)
        out = self._publish(entry, now_ns, False)
        return out + self._watched(entry) if entry.state is LIVE else out

    def _conflate(self, entry: Entry, now_ns: int) -> tuple[Message, ...]:
        """An update behind which another one waits: judged as any other, and not shown."""
        book = entry.book
        if not book.sound:
            if book.crossed:
                return self._refuse(entry, BookReason.CROSSED, now_ns)
            if not book.within_horizon:
                return self._refuse(entry, BookReason.SNAPSHOT_TOO_OLD, now_ns)
        entry.conflated += 1
        return NOTHING

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
            entry.shape.levels or self.snapshot_levels,
        )
        if message.sequence < entry.sequence:
            entry.tops.held.clear()  # as in `depth_update`
        entry.sequence, entry.received_ns, entry.version = message.sequence, message.received_ns, message.version
        if message.checksum >= 0 and not entry.checksums.agrees(message.checksum, book, entry.shape, entry.scales):
            return self._refuse(entry, BookReason.CHECKSUM, now_ns)
        if not entry.tops.reached(message.sequence, book.known_touch()):
            return self._refuse(entry, BookReason.TOP_MISMATCH, now_ns)
        return NOTHING

    def best_quote(self, message: BestQuote, now_ns: int) -> tuple[Message, ...]:
        """A check of the top at its update id; of a later one, or of none, a witness."""
        entry = self.entries[message.instrument]
        update_id, sequence = message.update_id, entry.sequence
        if update_id < sequence:
            if update_id != UNNUMBERED or entry.state is not LIVE:
                return NOTHING  # nine of ten: bookTicker is faster than the diffs
            bid, _, ask, _ = entry.book.touch()
            through = bool((ask and message.bid >= ask) or (message.ask and message.ask <= bid))
            return self._dispute(entry, Kind.PRICE, through, message, now_ns)
        top = entry.book.known_touch() if entry.validity < _DROP_FROM else None
        if not entry.tops.quote(message, sequence, top):
            return self._refuse(entry, BookReason.TOP_MISMATCH, now_ns)
        if update_id == sequence or entry.state is not LIVE:
            return NOTHING
        return self._dispute(entry, Kind.AHEAD, True, message, now_ns)

    def trade_print(self, message: TradePrint, now_ns: int) -> tuple[Message, ...]:
        """Nothing but a witness."""
        entry = self.entries[message.instrument]
        if entry.state is not LIVE:
            return NOTHING
        bid, _, ask, _ = entry.book.touch()
        through = message.price < bid or 0 < ask < message.price
        return self._dispute(entry, Kind.PRICE, through, message, now_ns)

    def _dispute(
        self, entry: Entry, kind: Kind, against: bool, message: BestQuote | TradePrint, now_ns: int
    ) -> tuple[Message, ...]:
        """STALE when the book has been contradicted for too long; it keeps its levels and follows its updates unseen."""
        lasted_ns = entry.witness.disputes(kind, against, entry.received_ns, message.received_ns)
        if not lasted_ns:
            return NOTHING
        entry.contradicted += 1
        entry.advance(BookEvent.STALE)
        entry.spread.observe(now_ns, NO_SPREAD)
        bid, _, ask, _ = entry.book.touch()
        detail = f"update_id={entry.sequence} bid={bid} ask={ask} contradicted_ns={lasted_ns} {_testimony(message)}"
        return (
            BookStateChanged(entry.number, BookState.STALE, BookReason.CONTRADICTED, entry.sequence),
            Alert(AlertLevel.WARNING, self.name, "book_contradicted", entry.number, detail),
        )

    def book_state_changed(self, message: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        entry = self.entries[message.instrument]
        was_live = entry.state == BookState.LIVE
        event = event_of(message.state, message.reason)
        if event == BookEvent.RESUME and entry.validity != Validity.INVALID:
            assert message.sequence == entry.sequence, "market data resumes where it stopped"
        entry.advance(event)
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
        """Other scales change what a checksum is made of, and leave nothing of the old ones to compare with; for the rest
        each update says which version its figures are of. The levels follow by themselves: market data has the book anew.
        """
        scales = Scales(message.price_scale, message.quantity_scale)
        entry = self.entries.get(message.instrument)
        if entry is not None:
            if scales != entry.scales:
                entry.rescale(scales)
            return NOTHING
        number, venue = message.instrument, message.venue
        shape = self.shapes.get(venue, _PLAIN)
        self.entries[number] = Entry(number, message.version, venue, scales, shape, self.levels_max)
        return NOTHING

    def checkpoint(self) -> OrderbookState:
        return OrderbookState([entry.checkpoint() for entry in self.entries.values()], self.dropped)

    def restore(self, state: OrderbookState) -> None:
        self.entries = {
            entry.number: Entry.restored(entry, self.shapes.get(entry.venue, _PLAIN), self.levels_max)
            for entry in state.entries
        }
        self.dropped = state.dropped

    def view(self) -> dict[str, Any]:
        return {"dropped": self.dropped, "books": {entry.number: entry.summary() for entry in self.entries.values()}}


def _testimony(message: BestQuote | TradePrint) -> str:
    if isinstance(message, BestQuote):
        return f"witness=quote quote_id={message.update_id} quote_bid={message.bid} quote_ask={message.ask}"
    return f"witness=trade trade_id={message.trade_id} price={message.price} venue_ns={message.venue_ns}"
