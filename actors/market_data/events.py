"""What a frame says, event by event, off the fast path: whose it is, and who decides about it. Pure."""

from collections.abc import Callable
from typing import Any

from actors.market_data.alerts import AlertGate
from actors.market_data.depth import Depth
from actors.market_data.numbers import Arrival
from actors.market_data.passing import Passing
from actors.market_data.resync import ATTEMPT_DELAYS_NS, leave
from actors.market_data.rolls import Rolls
from actors.market_data.state import STRANGERS_MAX, Counters, Feed
from actors.market_data.sync import SyncEvent, Synchronizer, SyncState
from bus.actor import NOTHING
from bus.messages import AlertLevel, BookReason, Frame, Message
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    Closing,
    DepthDiff,
    DepthReset,
    Finer,
    FundingEvent,
    Garbage,
    MarkEvent,
    Notice,
    Numbering,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)

BELIEVED = (SyncState.LIVE, SyncState.STALE)
EventHandler = Callable[[Feed, Any, Frame, int], tuple[Message, ...]]
SymbolHandler = Callable[[Feed, Synchronizer, Any, Frame, int], tuple[Message, ...]]


class Events:
    """handlers: by the event's type; Batch is one. Holds no state of its own."""

    def __init__(self, depth: Depth, passing: Passing, rolls: Rolls, counters: Counters, alerts: AlertGate) -> None:
        self.depth = depth
        self.resync = depth.resync
        self.rolls = rolls
        self.counters = counters
        self.alerts = alerts
        self._known_diff = self._of_symbol(depth.diff)
        self.handlers: dict[type, EventHandler] = {
            DepthDiff: self._depth_diff,
            DepthReset: self._of_symbol(depth.reset),
            QuoteEvent: self._of_symbol(passing.quote),
            TradeEvent: self._of_symbol(passing.trade),
            MarkEvent: self._of_symbol(passing.mark),
            FundingEvent: self._of_symbol(passing.funding),
            Finer: self._of_symbol(self._finer),
            Batch: self._batch,
            Closing: self._closing,
            SubscriptionRefused: self._refused,
            Notice: self._notice,
            Garbage: self._garbage,
        }

    def _of_symbol(self, handler: SymbolHandler) -> EventHandler:
        """The handler with its event's synchronizer looked up."""

        def handle(feed: Feed, event: Any, frame: Frame, now_ns: int) -> tuple[Message, ...]:
            sync = feed.symbols.get(event.venue_symbol)
            if sync is None:
                self.counters.unknown_symbols += 1
                told = f"symbol={event.venue_symbol}"
                return self.alerts.alert(now_ns, AlertLevel.INFO, "unknown_symbol", -1, told)
            return handler(feed, sync, event, frame, now_ns)

        return handle

    def _depth_diff(self, feed: Feed, event: DepthDiff, frame: Frame, now_ns: int) -> tuple[Message, ...]:
        """Where only the connection's frames are numbered, a diff whose name was damaged is the hole of a book nobody knows."""
        told = self._known_diff(feed, event, frame, now_ns)
        name, strangers = event.venue_symbol, feed.state.strangers
        numbered = feed.rule.numbering == Numbering.CONNECTION and feed.frame != UNNUMBERED
        if not numbered or name in feed.symbols or not feed.named or name in feed.named or name in strangers:
            return told
        if len(strangers) == STRANGERS_MAX:
            del strangers[0]
        strangers.append(name)
        hit = [sync for sync in feed.books if sync.state != SyncState.INIT]
        return (*self.depth.refuse_all(feed, hit, BookReason.GARBAGE, now_ns, mendable=False), *told)

    def _batch(self, feed: Feed, batch: Batch, frame: Frame, now_ns: int) -> tuple[Message, ...]:
        """Several events; and where the venue numbers a connection's frames, the proof that none is missing before them."""
        emitted: list[Message] = []
        arrival = Arrival.NEXT
        if feed.rule.numbering == Numbering.CONNECTION:
            opening = feed.opening(frame.generation)
            if opening is None:
                self.counters.elsewhere += 1
                return NOTHING
            arrival = opening.take(batch.sequence)
            if arrival == Arrival.REPEATED:
                self.counters.repeated_frames += 1
                return NOTHING
            if arrival == Arrival.GAP:
                mendable = bool(opening.missing) or opening.resume != UNNUMBERED
                emitted += self._frames_missing(feed, opening.generation, mendable, now_ns)
            if arrival == Arrival.RESUMED:
                emitted += self._forget(feed, opening.generation, batch.sequence, now_ns)
            feed.frame, feed.late = batch.sequence, arrival == Arrival.LATE
        for event in batch.events:
            emitted += self.handlers[type(event)](feed, event, frame, now_ns)
        feed.frame, feed.late = UNNUMBERED, False
        self.counters.late_frames += arrival == Arrival.LATE
        if arrival in (Arrival.LATE, Arrival.RESUMED):
            emitted += self._all_frames_here(feed, now_ns)
        return tuple(emitted)

    def _frames_missing(self, feed: Feed, generation: int, mendable: bool, now_ns: int) -> tuple[Message, ...]:
        self.counters.frame_gaps += 1
        books = [sync for sync in feed.books if sync.opening == generation and sync.state != SyncState.INIT]
        lost = self.depth.refuse_all(feed, books, BookReason.SEQUENCE_GAP, now_ns, mendable=mendable)
        detail = f"connection={feed.number} generation={generation}"
        return (*lost, *self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_frames_missing", -1, detail, feed.number))

    def _forget(self, feed: Feed, generation: int, number: int, now_ns: int) -> list[Message]:
        """The frame before this one, whose number was beyond it, was none of this connection: nothing of it is used."""
        emitted: list[Message] = []
        for sync in feed.books:
            if sync.opening != generation:
                continue
            sync.buffer = [item for item in sync.buffer if item.frame <= number]
            if sync.state in BELIEVED and sync.frame > number:  # it brought a whole book
                emitted += self.depth.refuse(feed, sync, BookReason.SEQUENCE_GAP, now_ns, mendable=False)
        return emitted

    def _all_frames_here(self, feed: Feed, now_ns: int) -> list[Message]:
        """The last frame that was missing has come: books that nothing else was wrong with go on."""
        healed: list[Message] = []
        if not feed.incomplete:
            for sync in feed.books:
                if sync.intact:
                    healed += self.depth.heal(feed, sync, now_ns)
        return healed

    def _finer(self, feed: Feed, sync: Synchronizer, event: Finer, _frame: Frame, now_ns: int) -> tuple[Message, ...]:
        """Nothing of the frame was read. A new version of the instrument brings finer scales; until then, slow attempts."""
        self.counters.finer += 1
        held = Scales(sync.instrument.price_scale, sync.instrument.quantity_scale)
        detail = f"held={held.price},{held.quantity} needed={event.scales.price},{event.scales.quantity}"
        alert = self.alerts.alert(now_ns, AlertLevel.WARNING, "scales_too_fine", sync.number, detail)
        if sync.state not in BELIEVED:
            sync.intact = False  # what was in it is in no buffer
            return alert
        invalid = leave(sync, SyncEvent.CHANGE, BookReason.INSTRUMENT_CHANGED, now_ns)
        sync.attempts = len(ATTEMPT_DELAYS_NS) + 1
        return (*invalid, *self.resync.attempt(sync, feed, now_ns), *alert)

    def _closing(self, feed: Feed, event: Closing, frame: Frame, now_ns: int) -> tuple[Message, ...]:
        detail = f"connection={feed.number} {event.detail}".strip()
        alert = self.alerts.alert(now_ns, AlertLevel.WARNING, "venue_closing", -1, detail, feed.number)
        return (*self.rolls.closing(feed, frame.generation, event.detail or "closing", now_ns), *alert)

    def _refused(self, feed: Feed, event: SubscriptionRefused, _frame: Frame, now_ns: int) -> tuple[Message, ...]:
        """A book whose subscription was refused is not coming. The next attempt asks for the subscription, too."""
        self.counters.refused += 1
        sync = feed.symbols.get(event.venue_symbol)
        detail = f"connection={feed.number} symbol={event.venue_symbol} {event.detail}"
        number = sync.number if sync else -1
        alert = self.alerts.alert(now_ns, AlertLevel.WARNING, "subscription_refused", number, detail)
        if sync is None or sync.connection != feed.number or sync.state in (SyncState.INIT, SyncState.LIVE):
            return alert
        sync.refused = True
        if sync.state not in (SyncState.SNAPSHOT, SyncState.REPLAY):
            return alert
        return (*self.resync.fail(sync, feed, "subscription refused", now_ns), *alert)

    def _notice(self, _feed: Feed, _event: Notice, _frame: Frame, _now_ns: int) -> tuple[Message, ...]:
        self.counters.notices += 1
        return NOTHING

    def _garbage(self, feed: Feed, event: Garbage, _frame: Frame, now_ns: int) -> tuple[Message, ...]:
        """Whose update was lost in it is INVALID. Where ids or numbers prove the stream, the next event tells the rest."""
        self.counters.garbage += 1
        detail = f"connection={feed.number} symbol={event.venue_symbol} {event.detail}"
        alert = self.alerts.alert(now_ns, AlertLevel.WARNING, "feed_garbage", -1, detail)
        sync = feed.symbols.get(event.venue_symbol)
        numbering = feed.rule.numbering
        by_id = numbering == Numbering.SYMBOL
        if sync is not None and sync.connection == feed.number:
            hit = [sync]
        elif event.venue_symbol or by_id or (numbering == Numbering.CONNECTION and feed.frame == UNNUMBERED):
            return alert
        else:
            hit = feed.books
        # Where ids tell, only a book that is believed needs to hear of it: a buffer with a hole in it is found by itself.
        hit = [sync for sync in hit if sync.state in BELIEVED or not (by_id or sync.state == SyncState.INIT)]
        for sync in hit:
            sync.garbled += 1
        return (*self.depth.refuse_all(feed, hit, BookReason.GARBAGE, now_ns, mendable=by_id), *alert)
