"""The tape of one instrument: every public trade once, in order of its id, or told as missed. Pure; own checkpoint.

LIVE: prints go on as they come. A hole makes it WAITING for its turn to ask the venue, then ASKED; meanwhile live prints are
held. The answer's prints and the held ones are then told by id, each run of what is late or missing behind its TradesMissed.
What closes the hole earlier (the other one of two overlapping connections, a reordered frame) ends it without a word:
nothing was missed.

A hole is an id too far or, where ids do not follow from each other, the first print after a break of the connection. So a
break costs a request only where something traded.
"""

from bisect import bisect_left
from collections.abc import Iterable
from enum import IntEnum

import msgspec

from bus.messages import Instrument, Message, TradePrint, TradesMissed
from bus.messages.feed import UNNUMBERED, TradeEvent, TradeIds

HELD_MAX = 1_500
"""Chosen: the busiest recorded 5 s have 600 prints. With a page of the answer (1,000) and three receivers each, the worst
flush is 12,000 of the 20,000 messages of a cascade; the rest is left to what strategies answer."""
RECENT_MAX = (
    1_024  # ids remembered where none follows from another; venues repeat at most the last 100 after subscribing
)
RESTART_RUN = 200  # chosen: so many older ids in a row are no repetition: the venue counts anew
RESTART_LATER = 3
"""Chosen: so many suffice where each is stamped later than the last print sent on: a repeated one never is."""
PAST_NS = 1_000_000_000
"""Chosen: a print of the first frame that is older than this is a past one, as venues tell after subscribing."""
MISSED_MAX = 1 << 62  # a checkpoint's integers end at 64 bits, and an id may be anything
NO_ID = -1
"""No print has it: `next_id` while a print needs a look."""


class TapeState(IntEnum):
    LIVE = 0
    WAITING = 1
    ASKED = 2


class TapeEvent(IntEnum):
    HOLE = 0
    ASK = 1
    CLOSE = 2


_S, _E = TapeState, TapeEvent

TRANSITIONS: dict[tuple[TapeState, TapeEvent], TapeState] = {
    (_S.LIVE, _E.HOLE): _S.WAITING,
    (_S.WAITING, _E.ASK): _S.ASKED,
    (_S.WAITING, _E.CLOSE): _S.LIVE,  # a late print filled it, too many were held, or its turn did not come in time
    (_S.ASKED, _E.ASK): _S.ASKED,  # the next page
    (_S.ASKED, _E.CLOSE): _S.LIVE,
}


class Held(msgspec.Struct, frozen=True):
    """A live print that waits for older ones."""

    received_ns: int
    event: TradeEvent


class Tape(msgspec.Struct, dict=True):
    """last_id: greatest sent on (of OPAQUE ids: last). next_id: the one print that needs no look; NO_ID: none.

    recent: ids sent on, oldest first, where they are not CONSECUTIVE. generation: of the asking that is believed; pages:
    asked for in it; since_ns: when the hole was seen. asked_ns: of the last request. backward: older ids in a row, since the tape was at
    backward_at.
    stamp_ns: the venue's, of the print at last_id; 0: it stamps none. later: of `backward`, those in a row stamped later than
    that. restarted: how often the venue counted anew.
    begun: there was a print. first_ns: when past trades came before it. broken: a break came after the last one. missed: told as missing for good.
    `known` (ids of `recent`) and `holding` (of `held`) are no fields: they are taken from those.
    """

    ids: TradeIds = TradeIds.CONSECUTIVE
    state: TapeState = TapeState.LIVE
    last_id: int = NO_ID
    next_id: int = NO_ID
    recent: list[int] = []
    held: list[Held] = []
    generation: int = 0
    pages: int = 0
    since_ns: int = 0
    asked_ns: int = -(1 << 62)
    backward: int = 0
    backward_at: int = NO_ID
    begun: bool = False
    broken: bool = False
    first_ns: int = NO_ID
    holes: int = 0
    repeated: int = 0
    missed: int = 0
    backfilled: int = 0
    stamp_ns: int = 0
    later: int = 0
    restarted: int = 0

    def __post_init__(self) -> None:
        self.known = dict.fromkeys(self.recent)
        self.holding = dict.fromkeys(held.event.trade_id for held in self.held)

    def advance(self, event: TapeEvent) -> None:
        """The one place where the state moves. Only a LIVE tape has a next id; whatever was asked before is disowned."""
        self.state = TRANSITIONS[self.state, event]
        if event is not TapeEvent.CLOSE:
            self.next_id = NO_ID
        self.generation += 1

    @property
    def from_id(self) -> int:
        """The first id to ask for; UNNUMBERED where ids have no order: then for the last trades."""
        return UNNUMBERED if self.ids is TradeIds.OPAQUE else self.last_id + 1

    def sever(self) -> None:
        """The connection was gone, and perhaps prints with it."""
        if self.begun and self.ids is not TradeIds.CONSECUTIVE:
            self.broken = True

    def take(self, instrument: Instrument, event: TradeEvent, received_ns: int) -> tuple[list[Message], bool]:
        """A print that is not simply the next one. Returns what to say, and whether a hole is before it.

        If so it is held: the caller opens the hole (`open`) or gives it up (`close`).
        """
        number = event.trade_id
        ordered = self.ids is not TradeIds.OPAQUE and number != UNNUMBERED and self.last_id != NO_ID
        known = number in self.known and not (ordered and self._is_later(event))
        if known or number in self.holding:
            self.repeated += 1
            return [], False
        if not self.begun and self._begins_before(event, received_ns):
            return [], False
        if ordered and number <= self.last_id:
            return self._older(instrument, event, received_ns), False
        if self.state is not TapeState.LIVE:
            return self._hold(instrument, Held(received_ns, event)), False
        hole = self.broken
        if self.ids is TradeIds.CONSECUTIVE and ordered:
            hole = number != self.last_id + 1
        self.broken = False
        if not hole:
            return [self._print(instrument, event, received_ns)], False
        self.held.append(Held(received_ns, event))
        self.holding[number] = None
        return [], True

    def _begins_before(self, event: TradeEvent, received_ns: int) -> bool:
        """Past trades that came with the first subscription (Coinbase, Kraken) say where the tape stands, and are no news.
        Of the first frame alone, so that a clock that is off costs no more.
        """
        past = event.venue_ns and received_ns - event.venue_ns > PAST_NS
        if not past or self.first_ns not in (NO_ID, received_ns):
            return False
        self.first_ns = received_ns
        if event.trade_id != UNNUMBERED:
            if event.trade_id > self.last_id:
                self.last_id, self.stamp_ns = event.trade_id, event.venue_ns
            if self.ids is not TradeIds.CONSECUTIVE:
                self._remember(event.trade_id)
        return True

    def give_up(self, instrument: Instrument, received_ns: int) -> tuple[Message, ...]:
        """Prints that wait are in scales that are no more: they are missed."""
        if self.state is TapeState.LIVE:
            return ()
        self.advance(TapeEvent.CLOSE)
        first = self.last_id + 1 if self.ids is TradeIds.CONSECUTIVE else 0
        for held in self.held:
            self._print(instrument, held.event, held.received_ns)
        last = self.last_id if first else 0
        self._count_missed(last - first + 1 if first else len(self.held))
        self.held.clear()
        self.holding.clear()
        return (_missed(instrument, received_ns, first, last, 0),)

    def _older(self, instrument: Instrument, event: TradeEvent, received_ns: int) -> list[Message]:
        number, later = event.trade_id, self._is_later(event)
        live = self.state is TapeState.LIVE
        if live and not later and self.recent and number > self.recent[0]:
            # Younger than what is remembered, and never seen: the slower one of two connections brings it.
            at = self.last_id, self.stamp_ns
            late = self._late(instrument, [event], received_ns)
            self.last_id, self.stamp_ns = at
            return [_missed(instrument, received_ns, number, number, 1), *late]
        if self.backward_at != self.last_id:
            self.backward, self.later, self.backward_at = 0, 0, self.last_id
        self.backward += 1
        self.later = self.later + 1 if later else 0
        if live and (self.later >= RESTART_LATER or self.backward >= RESTART_RUN):
            return self._restart(instrument, event, received_ns)
        if later:
            self._count_missed(1)  # it is news; whether the tape goes on with it the next ones show
        else:
            self.repeated += 1
        return []

    def _is_later(self, event: TradeEvent) -> bool:
        """Stamped later than the print that the tape is at; no, where either has no stamp."""
        return 0 < self.stamp_ns < event.venue_ns

    def _restart(self, instrument: Instrument, event: TradeEvent, received_ns: int) -> list[Message]:
        """The venue counts anew, from about this print on."""
        self.restarted += 1
        self.backward = self.later = 0
        self.broken = False
        self.recent.clear()
        self.known.clear()
        return [_missed(instrument, received_ns, 0, 0, 0), self._print(instrument, event, received_ns)]

    def _hold(self, instrument: Instrument, item: Held) -> list[Message]:
        """By id where ids have an order, else as they came: one of two connections may be behind the other."""
        held, number = self.held, item.event.trade_id
        if self.ids is TradeIds.OPAQUE or number == UNNUMBERED or number > held[-1].event.trade_id:
            held.append(item)
        else:
            held.insert(bisect_left(held, number, key=_id_of), item)
        if number != UNNUMBERED:
            self.holding[number] = None
        if self._closed():
            return self.close(instrument, item.received_ns, told=False)
        return self.close(instrument, item.received_ns) if len(held) >= HELD_MAX else []

    def _closed(self) -> bool:
        """Do the held prints continue the tape without a hole?"""
        if self.ids is not TradeIds.CONSECUTIVE:
            return False
        held = self.held
        first, last = held[0].event.trade_id, held[-1].event.trade_id
        return first == self.last_id + 1 and last - first + 1 == len(held)

    def open(self, now_ns: int) -> None:
        """There is a hole: hold what comes, until `close`."""
        self.advance(TapeEvent.HOLE)
        self.holes += 1
        self.pages, self.since_ns = 0, now_ns

    def page(self, instrument: Instrument, found: Iterable[TradeEvent], received_ns: int) -> list[Message]:
        """A part of the answer that does not reach the held prints; fresh ones only."""
        found = tuple(found)
        told: list[Message] = [_missed(instrument, received_ns, found[0].trade_id, found[-1].trade_id, len(found))]
        return told + self._late(instrument, found, received_ns)

    def reaches(self, fresh: list[TradeEvent], full: bool) -> bool:
        """Is the hole behind the last of these? full: the answer was as long as one can be."""
        last = fresh[-1].trade_id
        if self.ids is TradeIds.OPAQUE:
            return True  # there is no asking for what follows an id
        if self.held and self.ids is TradeIds.CONSECUTIVE:
            return last >= self.held[0].event.trade_id - 1
        return not full or bool(self.held and last >= self.held[0].event.trade_id)

    def fresh(self, found: Iterable[TradeEvent]) -> list[TradeEvent]:
        """What of an answer was never sent on, oldest first."""
        if self.ids is TradeIds.OPAQUE:
            events = list({event.trade_id: event for event in found}.values())
            known = [index for index, event in enumerate(events) if event.trade_id in self.known]
            return events[known[-1] + 1 :] if known else events
        later = {event.trade_id: event for event in found if event.trade_id > self.last_id}
        return [later[number] for number in sorted(later)]

    def close(
        self, instrument: Instrument, received_ns: int, found: Iterable[TradeEvent] = (), told: bool = True
    ) -> list[Message]:
        """End the hole: what was found and what is held, in order, each missing or late run behind its TradesMissed.

        found: fresh ones. told: False when the venue has said all, or nothing is missing.
        """
        if self.state is not TapeState.LIVE:
            self.advance(TapeEvent.CLOSE)
        held, self.held = self.held, []
        self.holding.clear()
        if self.ids is TradeIds.CONSECUTIVE:
            return self._close_numbered(instrument, received_ns, held, tuple(found))
        live = {item.event.trade_id for item in held}
        late = [event for event in found if event.trade_id not in live]
        ordered = self.ids is TradeIds.INCREASING
        if held and ordered:
            late = [event for event in late if event.trade_id < held[-1].event.trade_id]
        out: list[Message] = []
        if late or told:
            first, last = (late[0].trade_id, late[-1].trade_id) if late and ordered else (0, 0)
            out.append(_missed(instrument, received_ns, first, last, len(late)))
        merged = [Held(received_ns, event) for event in late] + held
        if ordered:
            merged.sort(key=_id_of)
        self.backfilled += len(late)
        return out + [self._print(instrument, item.event, item.received_ns) for item in merged]

    def _close_numbered(
        self, instrument: Instrument, received_ns: int, held: list[Held], found: tuple[TradeEvent, ...]
    ) -> list[Message]:
        """What was found beyond the last held print is live soon, and left to come."""
        out: list[Message] = []
        place = 0
        for item in held:
            end = item.event.trade_id
            late: list[TradeEvent] = []
            while place < len(found) and found[place].trade_id <= end:
                if found[place].trade_id < end:
                    late.append(found[place])
                place += 1
            if end > self.last_id + 1:
                out.append(_missed(instrument, received_ns, self.last_id + 1, end - 1, len(late)))
                self._count_missed(end - self.last_id - 1 - len(late))
                out += self._late(instrument, late, received_ns)
            out.append(self._print(instrument, item.event, item.received_ns))
        if not held and found:
            first = self.last_id + 1
            out.append(_missed(instrument, received_ns, first, found[-1].trade_id, len(found)))
            self._count_missed(found[-1].trade_id - first + 1 - len(found))
            out += self._late(instrument, found, received_ns)
        return out

    def _count_missed(self, count: int) -> None:
        self.missed = min(self.missed + count, MISSED_MAX)

    def _late(self, instrument: Instrument, events: Iterable[TradeEvent], received_ns: int) -> list[Message]:
        out: list[Message] = [self._print(instrument, event, received_ns) for event in events]
        self.backfilled += len(out)
        return out

    def _print(self, instrument: Instrument, event: TradeEvent, received_ns: int) -> TradePrint:
        """Send it on; the tape is at it."""
        number = event.trade_id
        self.begun = True
        if number != UNNUMBERED:
            self.last_id, self.stamp_ns = number, event.venue_ns
            if self.ids is TradeIds.CONSECUTIVE:
                self.next_id = number + 1 if self.state is TapeState.LIVE else NO_ID
            else:
                self._remember(number)
        return TradePrint(
            instrument.instrument,
            instrument.version,
            number,
            received_ns,
            event.venue_ns,
            event.price,
            event.quantity,
            event.aggressor,
        )

    def _remember(self, number: int) -> None:
        recent, known = self.recent, self.known
        if len(recent) == RECENT_MAX:
            for gone in recent[: RECENT_MAX // 4]:
                del known[gone]
            del recent[: RECENT_MAX // 4]
        recent.append(number)
        known[number] = None


def _missed(instrument: Instrument, received_ns: int, first: int, last: int, backfilled: int) -> TradesMissed:
    return TradesMissed(instrument.instrument, received_ns, first, last, backfilled)


def _id_of(held: Held) -> int:
    return held.event.trade_id
