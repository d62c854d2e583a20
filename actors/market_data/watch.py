"""Which streams have been silent for longer than they ever are, though their socket may be well. Pure; own checkpoint.

Nothing is done when a word comes but to store its time. Everything else is done at a look, every LOOK_NS: a silence is
known as far as a look saw it (within LOOK_NS), which suffices beside limits of SILENCE_MIN_NS and more.

usual     the longest silence that ended by itself, halved with each HALVED_NS without one as long
limit     PATIENCE times usual, at least SILENCE_MIN_NS and at most the stream's most, which it also is before LEARNT words
beside    looks since its last word in which another stream of the instrument spoke

A trade or a new best price changes the book: depth that says nothing for BESIDE_LOOKS of them has BESIDE_PATIENCE. The
reverse does not hold: quotes, trades and marks are silent for good reasons too. They are judged only while depth speaks,
and no book depends on them.

The recordings (five venues, 10 s to 11 min, 40 books) have gaps of up to 19 s in quiet books and 3 s in Kraken's BTC/USD; a
healthy depth stream never used more than 0.41 of its limit, and was never silent beside more than one look of another
(tests/actors/market_data/test_watch.py).
"""

from enum import IntEnum

import msgspec

from bus.messages import Stream

LOOK_NS = 500_000_000  # chosen: a third of the least limit
PATIENCE = 8
BESIDE_PATIENCE = 2
BESIDE_LOOKS = 3
SILENCE_MIN_NS = 1_500_000_000
SILENCE_MAX_NS = 60_000_000_000
LEARNT = 20  # looks that heard it: 10 s of a busy stream
"""All chosen, and held to the recordings."""
EVENT_MIN_NS, EVENT_MAX_NS = 15_000_000_000, 600_000_000_000
"""Of quotes, trades and marks. Chosen: nobody's book is wrong meanwhile, and a quiet pair trades a few times an hour."""
HALVED_NS = 300_000_000_000  # chosen: the market of five minutes ago is still this one

NEVER_NS = 1 << 62
"""Later than any word: a stream whose last one is this is never overdue."""


class Ending(IntEnum):
    """How a silence ended. CONTINUED: nothing was missed, so it was the market's own, and is learnt.

    RENEWED: a whole book came because we asked, and nobody knows whether anything was missed. The next silence is borne twice
    as long: a venue without continuity never shows that an alarm was false, and it must not repeat for ever. BROKEN: a hole.
    """

    CONTINUED = 0
    RENEWED = 1
    BROKEN = 2


class StreamWatch(msgspec.Struct):
    """One stream of one instrument. last_ns: its last word as of the last look; NEVER_NS: nothing is expected of it.

    quiet_ns: how long the silence since then was at that look. heard: looks that found a new word; 0: it may not be
    subscribed. decayed_ns: when usual_ns was last set or halved. silent: judged so, and not spoken since. renewals: asked for
    in this silence; renew_ns: when the next one may be.
    """

    stream: Stream
    last_ns: int = NEVER_NS
    usual_ns: int = 0
    quiet_ns: int = 0
    heard: int = 0
    beside: int = 0
    decayed_ns: int = 0
    silent: bool = False
    renewals: int = 0
    renew_ns: int = 0

    def begin(self, now_ns: int) -> None:
        """It is subscribed anew: silence counts from now on. What is known of it stays, and whether it is called silent."""
        self.last_ns, self.quiet_ns, self.beside, self.renewals = now_ns - 1, 0, 0, 0  # a word at that moment counts

    def rest(self) -> None:
        """It has no connection."""
        self.last_ns = NEVER_NS

    def look(self, last_ns: int, beside: bool, now_ns: int) -> bool:
        """Take in its last word, and whether another stream spoke since the last look. Returns whether it spoke."""
        if self.silent:
            return False  # `speak` is for that
        spoke = last_ns > self.last_ns
        if spoke:
            self.learn(self.quiet_ns, now_ns)
            self.last_ns = last_ns
            self.heard += 1
            self.beside = 0
        elif beside:
            self.beside += 1
        self.quiet_ns = now_ns - self.last_ns
        return spoke

    def learn(self, silence_ns: int, now_ns: int) -> None:
        """A silence that ended by itself, or one that we choose to bear from now on."""
        if silence_ns > self.usual_ns:
            self.usual_ns, self.decayed_ns = silence_ns, now_ns
        elif now_ns - self.decayed_ns >= HALVED_NS:
            self.usual_ns, self.decayed_ns = max(self.usual_ns >> 1, silence_ns), now_ns

    def limit_ns(self) -> int:
        if self.stream is not Stream.DEPTH:
            if self.heard < LEARNT:
                return EVENT_MAX_NS
            return min(max(PATIENCE * self.usual_ns, EVENT_MIN_NS), EVENT_MAX_NS)
        if self.beside >= BESIDE_LOOKS:
            limit_ns = BESIDE_PATIENCE * self.usual_ns
        elif self.heard >= LEARNT:
            limit_ns = PATIENCE * self.usual_ns
        else:
            return SILENCE_MAX_NS
        return min(max(limit_ns, SILENCE_MIN_NS), SILENCE_MAX_NS)

    def overdue(self, now_ns: int) -> bool:
        """Longer silent than it ever is, on the evidence that its kind of stream needs."""
        silence_ns = now_ns - self.last_ns
        if silence_ns <= SILENCE_MIN_NS or silence_ns <= self.limit_ns():
            return False
        return self.stream is Stream.DEPTH or (self.heard > 0 and self.beside >= BESIDE_LOOKS)

    def speak(self, last_ns: int, ending: Ending, now_ns: int) -> int:
        """A silent stream spoke. Returns how long it was silent."""
        silence_ns = last_ns - self.last_ns
        if ending is Ending.CONTINUED:
            self.learn(silence_ns, now_ns)
        elif ending is Ending.RENEWED and self.renewals:
            self.learn(2 * max(PATIENCE * self.usual_ns, SILENCE_MIN_NS) // PATIENCE, now_ns)
        self.last_ns, self.quiet_ns, self.beside, self.renewals = last_ns, 0, 0, 0
        self.silent = False
        return silence_ns


class Vigil(msgspec.Struct):
    """The streams of one instrument. quote_ns, trade_ns, mark_ns: last words; depth's is the Synchronizer's.

    built: books that it had had when depth fell silent: one more, and it did not just go on.
    """

    watches: tuple[StreamWatch, StreamWatch, StreamWatch, StreamWatch]
    built: int = 0
    quote_ns: int = 0
    trade_ns: int = 0
    mark_ns: int = 0

    @staticmethod
    def fresh() -> "Vigil":
        depth, quote, trade, mark = (StreamWatch(stream) for stream in Stream)
        return Vigil((depth, quote, trade, mark))

    def begin(self, streams: tuple[Stream, ...], now_ns: int) -> None:
        """These are subscribed from now on."""
        for stream in streams:
            self.watches[stream].begin(now_ns)

    def rest(self, streams: tuple[Stream, ...]) -> None:
        """These have no connection: nothing is expected of them."""
        for stream in streams:
            self.watches[stream].rest()

    def look(self, depth_ns: int, now_ns: int, stale: bool = False) -> bool:
        """Take in all last words. Returns whether any stream needs a closer look, as depth of a `stale` book does."""
        depth, quote, trade, mark = self.watches
        quote_ns, trade_ns, mark_ns = self.quote_ns, self.trade_ns, self.mark_ns
        others = trade_ns > trade.last_ns or quote_ns > quote.last_ns
        spoke = depth.look(depth_ns, others, now_ns)
        odd = stale or depth.silent or depth.overdue(now_ns)
        if quote_ns:
            quote.look(quote_ns, spoke, now_ns)
            odd = odd or quote.silent or quote.overdue(now_ns)
        if trade_ns:
            trade.look(trade_ns, spoke, now_ns)
            odd = odd or trade.silent or trade.overdue(now_ns)
        if mark_ns:
            mark.look(mark_ns, spoke, now_ns)
            odd = odd or mark.silent or mark.overdue(now_ns)
        return odd

    def words(self, depth_ns: int) -> tuple[int, int, int, int]:
        """Last words by Stream; 0: none yet."""
        return depth_ns, self.quote_ns, self.trade_ns, self.mark_ns
