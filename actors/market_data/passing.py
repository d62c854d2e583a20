"""What passes beside the depth: quotes, trades, marks and funding, each once though two generations may tell it. Pure."""

from actors.market_data.liveness import Liveness
from actors.market_data.state import Counters, Feed
from actors.market_data.sync import Synchronizer, SyncState
from bus.actor import NOTHING
from bus.messages import BestQuote, Frame, FundingRate, MarkPrice, Message, TradePrint
from bus.messages.feed import UNNUMBERED, FundingEvent, MarkEvent, QuoteEvent, TradeEvent


class Passing:
    """Holds no state of its own."""

    def __init__(self, counters: Counters, liveness: Liveness) -> None:
        self.counters = counters
        self.liveness = liveness

    def quote(
        self, feed: Feed, sync: Synchronizer, event: QuoteEvent, frame: Frame, _now_ns: int
    ) -> tuple[Message, ...]:
        """Sent on while SYNCING too: the orderbook keeps it until it reaches that update id."""
        sync.vigil.quote_ns = frame.received_ns
        if sync.state == SyncState.INIT:
            self.counters.unsynced += 1
            return NOTHING
        if not feed.rule.comparable or event.last < 0:
            if self._elsewhere(feed, sync, frame):
                return NOTHING
        elif feed.overlapping and event.last <= sync.last_quote_id:
            sync.overlapped += 1
            return NOTHING
        sync.last_quote_id = event.last
        return (
            BestQuote(
                sync.number,
                sync.version,
                event.last,
                frame.received_ns,
                event.bid,
                event.bid_quantity,
                event.ask,
                event.ask_quantity,
            ),
        )

    def trade(
        self, feed: Feed, sync: Synchronizer, event: TradeEvent, frame: Frame, now_ns: int
    ) -> tuple[Message, ...]:
        """Mostly the next one of the tape. Prints that bear no number are heard from one generation alone."""
        number, tape = event.trade_id, sync.tape
        sync.vigil.trade_ns = frame.received_ns
        if number != tape.next_id:
            if number == UNNUMBERED and self._elsewhere(feed, sync, frame):
                return NOTHING
            return self.liveness.trade(sync, event, frame, now_ns)
        tape.last_id = number
        tape.next_id = number + 1
        tape.stamp_ns = event.venue_ns
        return (
            TradePrint(
                sync.number,
                sync.version,
                number,
                frame.received_ns,
                event.venue_ns,
                event.price,
                event.quantity,
                event.aggressor,
            ),
        )

    def mark(self, feed: Feed, sync: Synchronizer, event: MarkEvent, frame: Frame, _now_ns: int) -> tuple[Message, ...]:
        sync.vigil.mark_ns = frame.received_ns
        if self._elsewhere(feed, sync, frame):
            return NOTHING
        number, version = sync.number, sync.version
        return (MarkPrice(number, version, frame.received_ns, event.venue_ns, event.mark, event.index),)

    def funding(
        self, feed: Feed, sync: Synchronizer, event: FundingEvent, frame: Frame, _now_ns: int
    ) -> tuple[Message, ...]:
        if self._elsewhere(feed, sync, frame):
            return NOTHING
        number, version = sync.number, sync.version
        return (FundingRate(number, version, frame.received_ns, event.venue_ns, event.rate, event.next_ns),)

    def _elsewhere(self, feed: Feed, sync: Synchronizer, frame: Frame) -> bool:
        """Without ids to tell by, one generation is heard: the one that the symbol's book comes from."""
        heard = sync.opening if sync.connection == feed.number else feed.state.generation
        if 0 < frame.generation != heard:
            self.counters.elsewhere += 1
            return True
        return False
