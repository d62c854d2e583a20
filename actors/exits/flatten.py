"""The way out at a person's word, or at a stop's: every position closed, at once, within a collar. Pure; off the hot path.

It works beside exits' own rules and without them. While it lasts it wishes, as the owner "operator" that outranks all
others, one crossing order an instrument: priced the collar away from the mid, never larger than one order may be, moved
when it crosses no more, until nothing is left that the venue would take. A wish is only ever made of prices of a LIVE book.
"""

from collections.abc import Mapping

import msgspec

from actors.exits.watch import Flattening, FlattenState, Place, Wish, lots_of
from actors.exits.wishes import OrderMax, intent_of, most_lots, too_small
from actors.exits.words import held, left_of, symbol_of
from bus.actor import NOTHING
from bus.messages import (
    Alert,
    AlertLevel,
    AnswerKind,
    BookState,
    BookStateChanged,
    CommandAnswered,
    Control,
    Instrument,
    Mark,
    Message,
    OperatorCommand,
    OrderRefused,
    PositionUpdate,
    Refusal,
    SetTimer,
)

OPERATOR = "operator"
TIMER = -1
"""Of the one timer; those from 0 on are instruments of the exits' own rules."""
TICK_NS = 250_000_000
"""Between two looks while it lasts; chosen: a wish lives eight of them."""
NEWS_NS = 3_000_000_000
"""Between two words on what is left, so that who asked knows that it goes on; chosen."""
CROSSING_NS = 500_000_000
"""So long it lasts at least: what rested is being canceled, and may be filled on the way. Chosen: a slow cancel's."""
BPS = 10_000
PASSING = (Refusal.MIN_NOTIONAL, Refusal.QUANTITY_FILTER, Refusal.NOT_REDUCING, Refusal.SELF_TRADE, Refusal.OPEN_ORDERS)
"""Refusals that pass with the end of an order that is being canceled, or say that the rest is too small: no news."""


class FlattenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """collar_bps: how far from the mid an order that closes may be priced. seconds_ns: after it the rest is given up.

    wish_life_ns, remainder_ns: as in ExitsSettings. All chosen. goes_on: one that a person ordered and a kill interrupted is
    gone on with by the next run, as long as its time is not up.
    """

    collar_bps: int = 50
    seconds_ns: int = 30_000_000_000
    wish_life_ns: int = 2_000_000_000
    remainder_ns: int = 1_000_000_000
    goes_on: bool = True


class Flatten:
    """most: what risk lets one order have, by instrument."""

    def __init__(self, settings: FlattenSettings, most: Mapping[int, OrderMax]) -> None:
        self.settings = settings
        self.configured, self.most = dict(most), dict(most)
        self.places: dict[int, Place] = {}
        self.lasting: Flattening | None = None
        self.last_position = -1
        self.generation = 0

    # What is known of each instrument

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        place = self._place(instrument.instrument)
        known, place.instrument = place.instrument, instrument
        if known is None or known.version != instrument.version:
            place.bid = place.ask = 0
            place.wish = None
            configured = self.configured.get(place.number)
            if configured is not None:
                self.most[place.number] = counted = configured.counted(instrument)
                self.configured[place.number] = configured if configured.unit else counted
        place.lots = lots_of(place.position, instrument)
        return NOTHING

    def on_position(self, update: PositionUpdate, now_ns: int) -> tuple[Message, ...]:
        """After a fill the wish is said anew, even if it is the same: execution waits for that."""
        self.fold_position(update, now_ns)
        place = self._place(update.instrument)
        self._join(place)
        return self._look(place, now_ns, anew=True)

    def fold_position(self, update: PositionUpdate, now_ns: int) -> None:
        if update.number > self.last_position:
            self.last_position = update.number
            place = self._place(update.instrument)
            place.position = update.position
            place.lots = lots_of(place.position, place.instrument) if place.instrument else update.position_lots

    def on_mark(self, mark: Mark, now_ns: int) -> tuple[Message, ...]:
        place = self._place(mark.instrument)
        if place.instrument is not None and place.instrument.version == mark.version:
            place.bid, place.ask, place.update_id = mark.bid, mark.ask, mark.update_id
            return self._look(place, now_ns)
        return NOTHING

    def on_book_state(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        """A book that is not LIVE has no price, and execution has dropped the wish."""
        place = self.places.get(change.instrument)
        if place is not None and change.state != BookState.LIVE:
            place.bid = place.ask = 0
            place.wish = None
        return NOTHING

    def on_refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        """Said once a kind: execution tries again by itself, and most pass with the cancel of what was resting."""
        place = self.places.get(refused.instrument)
        lasting = self.lasting
        if place is None or lasting is None or refused.owner != OPERATOR or refused.reason is place.refusal:
            return NOTHING
        place.refusal = refused.reason
        if refused.reason in PASSING:
            return NOTHING
        text = f"{symbol_of(place)}: an order was refused: {refused.reason.name}; it is tried again"
        return (self._answer(lasting, AnswerKind.FOLLOWS, text),)

    # Begin, end

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        """FLATTEN begins; another word on the trading state of what is being closed ends it."""
        if command.control is Control.FLATTEN:
            until_ns = now_ns + self.settings.seconds_ns
            return self.begin(command.asker, command.instrument, until_ns, now_ns, ordered=True)
        return self.end(f"ended by {command.control.name}", now_ns) if self._ends(command) else NOTHING

    def _ends(self, command: OperatorCommand) -> bool:
        lasting = self.lasting
        if lasting is None or command.owner or command.control > Control.RESUME:
            return False
        return -1 in (command.instrument, lasting.instrument) or command.instrument == lasting.instrument

    def begin(
        self, asker: str, instrument: int, until_ns: int, now_ns: int, *, ordered: bool = False
    ) -> tuple[Message, ...]:
        """ordered: by a person, and not by a stop."""
        out = self.end("a later one took its place", now_ns)
        news_ns, least_ns = now_ns + NEWS_NS, now_ns + CROSSING_NS
        self.lasting = Flattening(asker, instrument, until_ns, [], [], news_ns, least_ns, ordered)
        return (*out, *self._begin_all(self.lasting, now_ns))

    def _begin_all(self, lasting: Flattening, now_ns: int) -> tuple[Message, ...]:
        out: tuple[Message, ...] = ()
        numbers = lasting.numbers = [place.number for place in self._held_of(lasting)]
        for number in numbers:
            _begin(self.places[number])
        if numbers:
            told = ", ".join(held(self.places[number]) for number in numbers)
            out += (self._answer(lasting, AnswerKind.FOLLOWS, f"closing {told}"),)
        for number in list(numbers):
            out += self._look(self.places[number], now_ns)
        return (*out, *self._finish(now_ns))

    def _held_of(self, lasting: Flattening) -> list[Place]:
        return [place for place in self.places.values() if lasting.instrument in (-1, place.number) and place.position]

    def _join(self, place: Place) -> None:
        """A fill of what is being canceled has opened a position, or turned one: that is closed as well."""
        lasting = self.lasting
        if lasting is None or not place.lots or lasting.instrument not in (-1, place.number):
            return
        if place.number not in lasting.numbers:
            lasting.numbers.append(place.number)
            _begin(place)
        elif place.held_before * place.position < 0:
            _begin(place)

    def end(self, why: str, now_ns: int) -> tuple[Message, ...]:
        """Before everything is closed. Wishes are taken back: what works of them is canceled."""
        lasting, self.lasting = self.lasting, None
        if lasting is None:
            return NOTHING
        places = [self.places[number] for number in lasting.numbers]
        out = [message for place in places for message in self._withdraw(place, now_ns)]
        left = ", ".join(left_of(place) for place in places)
        text = "; ".join([*lasting.closed, f"{why}: {left}"])
        answer = self._answer(lasting, AnswerKind.FAILED, text)
        if not (lasting.resumed and places):
            return (*out, answer)
        return (*out, answer, _not_finished(lasting, f"{why}: {left}"))

    # Runs

    def start(self, now_ns: int) -> tuple[Message, ...]:
        """A new run: books and wishes are gone with the one before, and so is a stop's flatten. A person's goes on until its
        time is up, all of it: what the start finds filled is closed too. If it does not, that is said.
        """
        lasting, self.lasting = self.lasting, None
        self.generation += 1
        for place in self.places.values():
            place.bid = place.ask = 0
            place.wish = None
        if lasting is None or not lasting.ordered:
            return NOTHING
        told = ", ".join(held(place) for place in self._held_of(lasting) if place.lots)
        if now_ns < lasting.until_ns and self.settings.goes_on:
            lasting.resumed, lasting.closed = True, []
            lasting.news_ns, lasting.least_ns = now_ns + NEWS_NS, lasting.until_ns
            self.lasting = lasting
            left_s = (lasting.until_ns - now_ns) // 1_000_000_000
            more = f"for {left_s} s more: {told or 'nothing is held'}"
            alert = Alert(AlertLevel.WARNING, "exits", "flatten_goes_on", lasting.instrument, more)
            return (alert, *self._begin_all(lasting, now_ns))
        if not told:
            return NOTHING
        why = "its time was up before this run began" if self.settings.goes_on else "this run does not go on with it"
        return (_not_finished(lasting, f"{why}: {told}"),)

    def fold_operator(self, command: OperatorCommand, now_ns: int) -> None:
        """From the journal: what a person had ordered when the run ended."""
        if command.control is Control.FLATTEN:
            until_ns = now_ns + self.settings.seconds_ns
            self.lasting = Flattening(command.asker, command.instrument, until_ns, [], [], ordered=True)
        elif self._ends(command):
            self.lasting = None

    def fold_answer(self, answer: CommandAnswered, now_ns: int) -> None:
        """An asker asks once, so his answer ends his own and no later one."""
        over = answer.control is Control.FLATTEN and answer.kind is not AnswerKind.FOLLOWS
        if over and self.lasting is not None and answer.asker == self.lasting.asker:
            self.lasting = None

    def on_timer(self, generation: int, now_ns: int) -> tuple[Message, ...]:
        lasting = self.lasting
        if lasting is None or generation != self.generation:
            return NOTHING
        if lasting.numbers and now_ns >= lasting.until_ns:
            return self.end("not closed in time", now_ns)
        out: tuple[Message, ...] = ()
        for number in list(lasting.numbers):
            out += self._look(self.places[number], now_ns)
        if lasting.numbers and now_ns >= lasting.news_ns:
            lasting.news_ns = now_ns + NEWS_NS
            left = ", ".join(left_of(self.places[number]) for number in lasting.numbers)
            out += (self._answer(lasting, AnswerKind.FOLLOWS, left),)
        return (*out, *self._finish(now_ns))

    def _finish(self, now_ns: int) -> tuple[Message, ...]:
        """The answer, if all is closed; else the next look."""
        lasting = self.lasting
        if lasting is None:
            return NOTHING
        if lasting.numbers or now_ns < min(lasting.least_ns, lasting.until_ns):
            self.generation += 1
            return (SetTimer("exits", TIMER, self.generation, now_ns + TICK_NS),)
        self.lasting = None
        return (self._answer(lasting, AnswerKind.DONE, "; ".join(lasting.closed) or "nothing is held"),)

    # One instrument

    def _look(self, place: Place, now_ns: int, *, anew: bool = False) -> tuple[Message, ...]:
        """Wish for what closes it, or let it go when it is closed. The end of all is told by the next tick."""
        lasting = self.lasting
        if lasting is None or place.number not in lasting.numbers:
            return NOTHING
        if place.lots == 0:
            return self._closed(lasting, place, now_ns)
        instrument = place.instrument
        if instrument is None or not (place.bid or place.ask):
            return NOTHING
        wish = self._wish(place, instrument)
        if too_small(wish, instrument):
            place.remainder_ns = place.remainder_ns or now_ns
            last = place.wish
            if last is None or now_ns - place.remainder_ns >= self.settings.remainder_ns:
                return self._closed(lasting, place, now_ns)
            wish = Wish(last.ticks, wish.lots, True)  # its order stays: moved, it could not be placed again
        if wish == place.wish and not anew and now_ns - place.wished_ns < self.settings.wish_life_ns // 2:
            return NOTHING
        place.wish, place.wished_ns = wish, now_ns
        return (self._intent(place, instrument, wish, now_ns),)

    def _wish(self, place: Place, instrument: Instrument) -> Wish:
        """The collar away from the mid, through the touch; one that still crosses is left where it is, within the collar."""
        most = self.most.get(place.number)
        bps = min(self.settings.collar_bps, most.collar_bps) if most is not None else self.settings.collar_bps
        bid, ask = place.bid or place.ask, place.ask or place.bid
        twice, tick, last = bid + ask, instrument.tick, place.wish
        if place.lots > 0:
            ticks = max(-(-twice * (BPS - bps) // (2 * BPS * tick)), 1)
            if last is not None and ticks <= last.ticks <= bid // tick:
                ticks = last.ticks
        else:
            ticks = twice * (BPS + bps) // (2 * BPS * tick)
            if last is not None and -(-ask // tick) <= last.ticks <= ticks:
                ticks = last.ticks
        return Wish(ticks, most_lots(abs(place.lots), ticks, instrument, most), True)

    def _closed(self, lasting: Flattening, place: Place, now_ns: int) -> tuple[Message, ...]:
        lasting.numbers.remove(place.number)
        told = left_of(place)
        if told not in lasting.closed:
            lasting.closed.append(told)
        return self._withdraw(place, now_ns)

    def _withdraw(self, place: Place, now_ns: int) -> tuple[Message, ...]:
        if place.wish is None or place.instrument is None:
            return NOTHING
        place.wish = None
        return (self._intent(place, place.instrument, None, now_ns),)

    def _intent(self, place: Place, instrument: Instrument, wish: Wish | None, now_ns: int) -> Message:
        side = 1 if place.held_before > 0 else -1
        expires_ns = now_ns + self.settings.wish_life_ns
        return intent_of(wish, side, instrument, place.update_id, 0, expires_ns, OPERATOR)

    def _place(self, number: int) -> Place:
        place = self.places.get(number)
        if place is None:
            place = self.places[number] = Place(number)
        return place

    def _answer(self, lasting: Flattening, kind: AnswerKind, text: str) -> CommandAnswered:
        return CommandAnswered(lasting.asker, Control.FLATTEN, lasting.instrument, kind, text)

    # Checkpoint

    def saved(self) -> FlattenState:
        return FlattenState(list(self.places.values()), self.lasting, self.last_position, self.generation)

    def restore(self, state: FlattenState) -> None:
        self.places = {place.number: place for place in state.places}
        self.lasting = state.lasting
        self.last_position, self.generation = state.last_position, state.generation


def _begin(place: Place) -> None:
    """What is held now is what is to be closed."""
    place.held_before, place.wish, place.remainder_ns, place.refusal = place.position, None, 0, Refusal.NONE


def _not_finished(lasting: Flattening, detail: str) -> Alert:
    return Alert(AlertLevel.CRITICAL, "exits", "flatten_not_finished", lasting.instrument, detail)
