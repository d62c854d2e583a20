"""What passes beside the depth: quotes, trades, marks and funding, each once though two generations may tell it. Pure."""

from actors.market_data.state import Counters, Feed
from actors.market_data.sync import Synchronizer, SyncState
from bus.actor import NOTHING
from bus.messages import BestQuote, Frame, FundingRate, MarkPrice, Message, TradePrint
from bus.messages.feed import FundingEvent, MarkEvent, QuoteEvent, TradeEvent, TradeIds


class Passing:
    """Holds no state of its own."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters

    def quote(
        self, feed: Feed, sync: Synchronizer, event: QuoteEvent, frame: Frame, _now_ns: int
    ) -> tuple[Message, ...]:
        """Sent on while SYNCING too: the orderbook keeps it until it reaches that update id."""
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
        self, feed: Feed, sync: Synchronizer, event: TradeEvent, frame: Frame, _now_ns: int
    ) -> tuple[Message, ...]:
        ids, last = feed.rule.trade_ids, sync.last_trade_id
        if ids == TradeIds.OPAQUE:
            if self._elsewhere(feed, sync, frame):
                return NOTHING
        elif event.trade_id <= last:
            sync.trades_repeated += 1  # after a reconnection, or of two generations; a trade is printed once
            return NOTHING
        if last and ids == TradeIds.CONSECUTIVE:
            sync.trades_missed += event.trade_id - last - 1
        sync.last_trade_id = event.trade_id
        return (
            TradePrint(
                sync.number,
                sync.version,
                event.trade_id,
                frame.received_ns,
                event.venue_ns,
                event.price,
                event.quantity,
                event.aggressor,
            ),
        )

    def mark(self, feed: Feed, sync: Synchronizer, event: MarkEvent, frame: Frame, _now_ns: int) -> tuple[Message, ...]:
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
