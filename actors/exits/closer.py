"""The deciding half of exits: what is reached is stepped through the table, and the phase is made into a wish. Pure.
HOT PATH: from a trigger to a QuoteIntent.

Every method returns what is to be said, in order: the wish first, then the words for people and other instances.
"""

from collections.abc import Mapping

from actors.exits.phases import (
    COOLS,
    DEFENDING,
    HOLDING,
    LOSING_PASSIVE,
    PROFIT_CROSSING,
    REASONS,
    TAKING_PROFIT,
    TRANSITIONS,
    Event,
    Phase,
)
from actors.exits.settings import ExitsSettings
from actors.exits.triggers import event_of
from actors.exits.watch import Watch, Wish
from actors.exits.wishes import OWNER, OrderMax, intent_of, too_small, wish_of
from bus.actor import NOTHING
from bus.messages import Alert, AlertLevel, CooldownRequested, Instrument, Message, SetTimer, Signals, decimal_text

UNCLOSABLE = Event.UNCLOSABLE
STEPS_MAX = len(Phase)
"""Of one decision: no event leads back into a phase that the same market led out of."""


class Closer:
    """order_max: the most one order may have, by instrument. watched: the watches from HOLDING on."""

    def __init__(self, settings: ExitsSettings, order_max: Mapping[int, OrderMax]) -> None:
        self.settings = settings
        self.configured, self.order_max = dict(order_max), dict(order_max)
        self.watched: dict[int, Watch] = {}
        self.counts: dict[str, int] = {}

    def know(self, instrument: Instrument) -> None:
        """The configured bound in its lots. Counted from the configuration's own each time, so that nothing is lost twice."""
        number = instrument.instrument
        configured = self.configured.get(number)
        if configured is not None:
            self.order_max[number] = counted = configured.counted(instrument)
            self.configured[number] = configured if configured.unit else counted

    def act(self, watch: Watch, now_ns: int, received_ns: int, *, anew: bool = False) -> tuple[Message, ...]:
        """Step while something is reached, then wish for what the phase asks. anew: say it even if it is the same.

        received_ns: of the frame that this follows from; 0: none.
        """
        instrument, signals = watch.instrument, watch.signals
        if not watch.may_act or instrument is None:
            return NOTHING
        words: list[Message] = []
        if signals is not None:
            self._advance(watch, signals, now_ns, words)
            if watch.phase >= TAKING_PROFIT and signals.bid and signals.ask:
                wish = self._wanted(watch, instrument, signals, now_ns)
                if wish is not None:
                    wished = self._say(watch, wish, instrument, now_ns, received_ns, anew)
                    return (*wished, *words) if words else wished
                words += self.step(watch, UNCLOSABLE, now_ns)
        if watch.phase < TAKING_PROFIT:
            return (*self._withdraw(watch, instrument, now_ns), *words)
        last = watch.wish
        if last is None:
            return NOTHING
        wish = Wish(
            last.ticks, min(last.lots, abs(watch.lots)), last.cross
        )  # a side is empty: its price stays as it is
        return self._say(watch, wish, instrument, now_ns, received_ns, anew)

    def _advance(self, watch: Watch, signals: Signals, now_ns: int, words: list[Message]) -> None:
        for _ in range(STEPS_MAX):
            phase = watch.phase
            if phase < HOLDING:
                break
            if (phase is DEFENDING or phase is LOSING_PASSIVE) and not watch.deadline_ns:
                watch.deadline_ns = now_ns + self.settings.passive_ns
            event = event_of(watch, signals, self.settings.pressure_ns, now_ns)
            if event is None:
                break
            words += self.step(watch, event, now_ns)

    # The wish

    def _wanted(self, watch: Watch, instrument: Instrument, signals: Signals, now_ns: int) -> Wish | None:
        """None: it is too small to be ordered, and no order of ours is left that could still be filled."""
        last = watch.wish
        most = self.order_max.get(watch.number)
        wish = wish_of(watch, instrument, signals, self.settings.cross_ticks_max, most)
        if not too_small(wish, instrument):
            watch.remainder_ns = 0
            return wish
        watch.remainder_ns = watch.remainder_ns or now_ns
        if last is None or now_ns - watch.remainder_ns >= self.settings.remainder_ns:
            return None
        return Wish(last.ticks, wish.lots, last.cross)  # moved, it could not be placed again

    def _say(
        self, watch: Watch, wish: Wish, instrument: Instrument, now_ns: int, received_ns: int, anew: bool
    ) -> tuple[Message, ...]:
        life_ns = self.settings.wish_life_ns
        if wish == watch.wish and not anew and now_ns - watch.wished_ns < life_ns // 2:
            return self._timer(watch, now_ns)
        watch.wish, watch.wished_ns = wish, now_ns
        side, update_id = watch.thresholds.side, _update_id(watch)
        intent = intent_of(wish, side, instrument, update_id, received_ns, now_ns + life_ns)
        return (intent, *self._timer(watch, now_ns))

    def _withdraw(self, watch: Watch, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        if watch.wish is None:
            return NOTHING
        watch.wish = None
        expires_ns = now_ns + self.settings.wish_life_ns
        return (intent_of(None, watch.thresholds.side, instrument, _update_id(watch), 0, expires_ns),)

    def _timer(self, watch: Watch, now_ns: int) -> tuple[Message, ...]:
        """One an instrument: the wish's renewal or the stage's deadline, whichever comes first."""
        due_ns = watch.wished_ns + self.settings.wish_life_ns // 2
        if now_ns < watch.deadline_ns < due_ns:
            due_ns = watch.deadline_ns
        if watch.timer_ns and watch.timer_ns <= due_ns:
            return NOTHING
        watch.timer_ns = due_ns
        watch.timer_generation += 1
        return (SetTimer(OWNER, watch.number, watch.timer_generation, due_ns),)

    # The table

    def step(self, watch: Watch, event: Event, now_ns: int) -> tuple[Message, ...]:
        """The one place where a phase changes. Raises KeyError for a pair that the table does not know."""
        before = watch.phase
        after = watch.phase = TRANSITIONS[before, event]
        if after is before:
            return NOTHING
        watch.deadline_ns = watch.remainder_ns = 0
        if after >= HOLDING:
            self.watched[watch.number] = watch
        else:
            self.watched.pop(watch.number, None)
            watch.signals = None  # not followed any more: an old price must not judge the next position
        if after >= TAKING_PROFIT:
            return self._begin(watch, before, after)
        return self._end(watch, before, now_ns) if before >= TAKING_PROFIT else NOTHING

    def _begin(self, watch: Watch, before: Phase, after: Phase) -> tuple[Message, ...]:
        if before < TAKING_PROFIT:
            watch.realized_before, watch.told = watch.realized, []
        elif after >= PROFIT_CROSSING:
            return (Alert(AlertLevel.INFO, OWNER, "exit_crosses", watch.number, "passive_first"),)
        reason = REASONS[after]
        self.counts[reason] = self.counts.get(reason, 0) + 1
        return (Alert(AlertLevel.INFO, OWNER, "exit_begun", watch.number, reason),)

    def _end(self, watch: Watch, before: Phase, now_ns: int) -> tuple[Message, ...]:
        realized = watch.realized - watch.realized_before
        words: list[Message] = []
        if realized:
            words.append(Alert(AlertLevel.INFO, OWNER, "exit_ended", watch.number, _realized(watch, realized)))
        if watch.phase < HOLDING and watch.position and watch.told_dust != watch.lots:
            watch.told_dust = watch.lots
            words.append(Alert(AlertLevel.INFO, OWNER, "exit_left_dust", watch.number, _dust(watch)))
        instrument = watch.instrument
        if COOLS[before] and realized < 0 and self.settings.cooldown_ns and instrument is not None:
            watch.pause_until_ns = now_ns + self.settings.cooldown_ns
            words.append(pause(watch, instrument))
        return tuple(words)


def pause(watch: Watch, instrument: Instrument) -> CooldownRequested:
    account, venue = instrument.account, instrument.venue
    return CooldownRequested(account, venue, watch.number, watch.pause_until_ns, "exit at a loss")


def _update_id(watch: Watch) -> int:
    return watch.signals.update_id if watch.signals is not None else 0


def _realized(watch: Watch, realized: int) -> str:
    instrument = watch.instrument
    if instrument is None:
        return f"realized={realized}"
    return f"realized={decimal_text(realized, instrument.quote_scale)} asset={instrument.quote_asset}"


def _dust(watch: Watch) -> str:
    """What is left and why nothing can be done about it: the amount, lots, the venue's least."""
    instrument = watch.instrument
    if instrument is None:
        return f"position={watch.position} lots={watch.lots}"
    held = decimal_text(watch.position, instrument.base_scale)
    least = decimal_text(instrument.min_notional, instrument.quote_scale)
    return f"position={held} lots={watch.lots} min_lots={instrument.min_lots} min_notional={least}"
