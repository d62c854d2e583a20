"""Asking for missed trades: when, how many at once, how many pages, and what if nobody answers. Pure; own checkpoint.

One request at a time an instrument and ASKED_MAX in all: after a break of a connection with hundreds of symbols the same
request weight is needed for their books. Whoever waits for its turn or an answer longer than WAIT_MAX_NS is told as missed:
live prints must not be held for long.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from actors.market_data.trades import HELD_MAX, NO_ID, Tape, TapeEvent, TapeState
from bus.messages import Instrument, Message, Outcome, TradesAnswer, TradesRequest
from bus.messages.feed import Garbage, MarketCodec, TradeEvent, TradeIds

PAGE = 1_000  # trades; the most that a venue gives at once (Binance, "Old trade lookup")
PAGES_MAX = 5  # chosen: 5,000 trades are minutes of a busy market; windows that need older ones have passed
ASKED_MAX = 4  # chosen: the REST door has the last word on weight; snapshots go first there
ASK_INTERVAL_NS = 1_000_000_000  # chosen: an instrument with more holes than this has a feed that no asking mends
WAIT_MAX_NS = 5_000_000_000  # chosen: of a turn and its answers together
DEADLINE_NS = 3_000_000_000  # chosen: the door answers AMBIGUOUS by then


class Line(NamedTuple):
    """A tape with what is needed to speak of it. offered: the venue tells old trades. codec: reads them."""

    tape: Tape
    instrument: Instrument
    offered: bool
    codec: MarketCodec


Lines = Mapping[int, Line]
"""By instrument number."""


class Backfill(msgspec.Struct):
    """waiting: instruments whose turn comes, oldest first. asked: those with a request under way.

    late: answers that nobody waits for any more. failed: askings that ended without the venue's word.
    """

    waiting: list[int] = []
    asked: list[int] = []
    late: int = 0
    failed: int = 0

    def trade(self, line: Line, event: TradeEvent, received_ns: int, now_ns: int) -> list[Message]:
        """A print that is not simply the next one."""
        out, hole = line.tape.take(line.instrument, event, received_ns)
        return self._open(line, received_ns, now_ns) if hole else out

    def _open(self, line: Line, received_ns: int, now_ns: int) -> list[Message]:
        tape = line.tape
        askable = line.offered and (tape.last_id != NO_ID or tape.ids is TradeIds.OPAQUE)
        if not askable or now_ns - tape.asked_ns < ASK_INTERVAL_NS:
            return tape.close(line.instrument, received_ns)
        tape.open(now_ns)
        self.waiting.append(line.instrument.instrument)
        return []

    def turns(self, actor: str, lines: Lines, now_ns: int) -> list[Message]:
        """Requests of those whose turn it is. Whoever closed meanwhile has lost it."""
        if not self.waiting and not self.asked:
            return []
        self.asked = [number for number in self.asked if lines[number].tape.state is TapeState.ASKED]
        out: list[Message] = []
        while self.waiting and len(self.asked) < ASKED_MAX:
            number = self.waiting.pop(0)
            line = lines[number]
            if line.tape.state is TapeState.WAITING:
                self.asked.append(number)
                out.append(self._ask(actor, line, now_ns))
        return out

    def _ask(self, actor: str, line: Line, now_ns: int) -> TradesRequest:
        """A page from the first missing id on, no longer than the hole where its end is known."""
        tape, instrument = line.tape, line.instrument
        tape.advance(TapeEvent.ASK)
        tape.asked_ns = now_ns
        tape.pages += 1
        limit = PAGE
        if tape.held and tape.ids is TradeIds.CONSECUTIVE:
            limit = min(PAGE, tape.held[-1].event.trade_id - tape.last_id)
        return TradesRequest(
            actor,
            instrument.instrument,
            tape.generation,
            now_ns + DEADLINE_NS,
            instrument.venue,
            instrument.instrument,
            instrument.venue_symbol,
            tape.from_id,
            limit,
        )

    def answer(self, actor: str, lines: Lines, message: TradesAnswer, now_ns: int) -> list[Message]:
        line = lines.get(message.counter)
        if line is None or line.tape.state is not TapeState.ASKED or line.tape.generation != message.generation:
            self.late += 1
            return []
        tape, instrument, received_ns = line.tape, line.instrument, message.received_ns
        found: tuple[TradeEvent, ...] | Garbage = ()
        if message.outcome is Outcome.RESULT:
            found = line.codec.decode_trades(message.payload, instrument.venue_symbol)
        if message.outcome is not Outcome.RESULT or isinstance(found, Garbage):
            self.failed += 1
            return tape.close(instrument, received_ns)
        fresh = tape.fresh(found)[:PAGE]
        if fresh and not tape.reaches(fresh, len(found) >= PAGE) and tape.pages < PAGES_MAX:
            return [*tape.page(instrument, fresh, received_ns), self._ask(actor, line, now_ns)]
        return tape.close(instrument, received_ns, fresh, told=False)

    def expire(self, actor: str, lines: Lines, now_ns: int) -> list[Message]:
        """Give up what was not answered in time, then give turns. For the sweep; HELD_MAX prints or so at once."""
        out: list[Message] = []
        for number in (*self.asked, *self.waiting):
            line = lines[number]
            if len(out) >= HELD_MAX:
                break
            if line.tape.state is not TapeState.LIVE and now_ns - line.tape.since_ns >= WAIT_MAX_NS:
                self.failed += 1
                out += line.tape.close(line.instrument, now_ns)
        return out + self.turns(actor, lines, now_ns)
