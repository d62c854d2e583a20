"""Latency-aware limits: a ladder of steps, climbed at once and left one step at a time. Pure; off the hot path.

Four measures say how much later than the market we are. Each has four thresholds, one a step; the step is the worst of
them. Down goes it one step at a time, when every measure has stayed below half of that step's threshold for `calm_ns`:
a venue that is slow every other second keeps its step. A measure that nobody has told of for FRESH_NS is not known and
holds no step; what is missing then (a book, an answer, a clock) has a reason of its own.

| measure         | what                                                                    | source        |
|-----------------|-------------------------------------------------------------------------|---------------|
| feed            | the worst lag of a traded instrument's stream, certain part             | FeedAge       |
| acknowledgement | approval to the venue's first word, median of the last SAMPLES          | OrderUpdate   |
| loop            | the longest that an input waited                                        | LoopLag       |
| clock           | uncertainty of the trading venue's clock                                | ClockEstimate |
"""

from collections import deque
from enum import IntEnum
from typing import NamedTuple

import msgspec

from actors.risk.limits import THRESHOLDS, LatencyLimits
from bus.messages import LimitsTightened, TradingState

MS = 1_000_000
FRESH_NS = (
    15_000_000_000  # chosen: three times the longest pause between two words on a feed's age, and above a clock's
)
SAMPLES = 9  # chosen: a median of nine is not moved by four answers that were lost
SAMPLES_MIN = 5  # chosen: before that two slow answers of a new connection would be a step
RELEASE = (
    2  # a step is left below its threshold / RELEASE; chosen: half, well outside of what a measure swings by itself
)


class Step(NamedTuple):
    """widen: times the configured width. bounded: whether the configured number of unanswered submits is the most."""

    widen: int
    bounded: bool
    state: TradingState


STEPS: tuple[Step, ...] = (
    Step(0, False, TradingState.ACTIVE),
    Step(1, False, TradingState.ACTIVE),  # the market is a little ahead: stand further off
    Step(2, True, TradingState.ACTIVE),  # and ask for less at once: what is unanswered cannot be canceled by us
    Step(2, True, TradingState.REDUCING),  # slower than prices hold: nothing that adds
    Step(2, True, TradingState.CANCEL_ONLY),  # blind or deaf
)


assert len(STEPS) == THRESHOLDS + 1, "one threshold a step above the normal one"


class Measure(IntEnum):
    FEED = 0
    ACKNOWLEDGEMENT = 1
    LOOP = 2
    CLOCK = 3


FEED, ACKNOWLEDGEMENT, LOOP, CLOCK = Measure


class LadderState(msgspec.Struct):
    """values, said_ns: by measure. feeds: (instrument, lag, said). samples: of acknowledgements, oldest first."""

    step: int = 0
    busy_ns: int = 0
    values: list[int] = msgspec.field(default_factory=lambda: [0] * len(Measure))
    said_ns: list[int] = msgspec.field(default_factory=lambda: [0] * len(Measure))
    feeds: list[tuple[int, int, int]] = []
    samples: list[int] = []
    reason: str = ""


class Ladder:
    """The step, and what it was made of. Each `hear_*` only remembers; `judge` decides.

    in_flight_max: unanswered submits of one instrument; 0: no bound. HOT PATH: read for each order.
    """

    def __init__(self, settings: LatencyLimits) -> None:
        self.settings = settings
        self.thresholds = (settings.feed_ns, settings.acknowledgement_ns, settings.loop_ns, settings.clock_ns)
        self.restore(LadderState())

    # What is told

    def hear_feed(self, instrument: int, lag_ns: int, now_ns: int) -> None:
        """lag_ns: without what may be the clocks' error; below 0: it cannot be known."""
        if lag_ns < 0:
            self.forget_feed(instrument)
        else:
            self.feeds[instrument] = (lag_ns, now_ns)

    def forget_feed(self, instrument: int) -> None:
        """Its book is not LIVE: there is no lag, and a worse reason."""
        self.feeds.pop(instrument, None)

    def hear(self, measure: Measure, value_ns: int, now_ns: int) -> None:
        self.values[measure], self.said_ns[measure] = value_ns, now_ns

    def hear_acknowledgement(self, took_ns: int, now_ns: int) -> bool:
        """One order was answered, or given up. Whether a step may follow: a quick answer never makes one, but that there are
        enough to have a median of. What was measured before a silence, in which nothing was asked for, is not counted with it.
        """
        if now_ns - self.said_ns[ACKNOWLEDGEMENT] > FRESH_NS:
            self.samples.clear()
        self.samples.append(took_ns)
        self.said_ns[ACKNOWLEDGEMENT] = now_ns
        thresholds = self.thresholds[ACKNOWLEDGEMENT]
        return bool(thresholds) and (took_ns >= thresholds[0] or len(self.samples) == SAMPLES_MIN)

    def _acknowledgement(self) -> int:
        """The median; -1: of too few."""
        samples = sorted(self.samples)
        return samples[len(samples) // 2] if len(samples) >= SAMPLES_MIN else -1

    # What follows

    @property
    def state(self) -> TradingState:
        return STEPS[self.step].state

    def judge(self, now_ns: int) -> bool:
        """Bring the step to what the measures say now. Whether it changed."""
        known = self._known(now_ns)
        if not known and not self.step:
            return False
        levels = [(_level(value, self.thresholds[measure]), -measure) for measure, value in known]
        high, worst = max(levels, default=(0, 0))
        if high > self.step:
            self._stand_on(high, now_ns)
            self.reason = self._words(Measure(-worst), known)
            return True
        low = max((_level(value * RELEASE, self.thresholds[measure]) for measure, value in known), default=0)
        if low >= self.step:
            self.busy_ns = now_ns
        elif now_ns - self.busy_ns >= self.settings.calm_ns:
            self._stand_on(self.step - 1, now_ns)
            self.reason = "calmer" if self.step else "calm"
            return True
        return False

    def _stand_on(self, step: int, now_ns: int) -> None:
        self.step, self.busy_ns = step, now_ns
        self.in_flight_max = self.settings.in_flight_max if STEPS[step].bounded else 0

    def said(self) -> LimitsTightened:
        widen = STEPS[self.step].widen
        settings = self.settings
        return LimitsTightened(
            self.step, widen * settings.widen_ticks, self.in_flight_max, self.reason, widen * settings.widen_ppm
        )

    def _known(self, now_ns: int) -> list[tuple[Measure, int]]:
        """(measure, value) of those that somebody has told of lately."""
        known = [
            (measure, self.values[measure])
            for measure in (LOOP, CLOCK)
            if self.said_ns[measure] and now_ns - self.said_ns[measure] <= FRESH_NS
        ]
        median = self._acknowledgement()
        if median >= 0 and now_ns - self.said_ns[ACKNOWLEDGEMENT] <= FRESH_NS:
            known.append((ACKNOWLEDGEMENT, median))
        lags = [lag for lag, said_ns in self.feeds.values() if now_ns - said_ns <= FRESH_NS]
        return [(FEED, max(lags)), *known] if lags else known

    def _words(self, worst: Measure, known: list[tuple[Measure, int]]) -> str:
        value, bound = dict(known)[worst], self.thresholds[worst][self.step - 1]
        return f"{worst.name.lower()} {value // MS} ms, from {bound // MS} ms on step {self.step}"

    # Start, checkpoint, view

    def begin(self) -> None:
        """A new run: what an earlier one measured was of another process and other connections."""
        self.restore(LadderState())

    def saved(self) -> LadderState:
        return LadderState(
            step=self.step,
            busy_ns=self.busy_ns,
            values=list(self.values),
            said_ns=list(self.said_ns),
            feeds=[(number, lag, said_ns) for number, (lag, said_ns) in self.feeds.items()],
            samples=list(self.samples),
            reason=self.reason,
        )

    def restore(self, state: LadderState) -> None:
        self._stand_on(state.step, state.busy_ns)
        self.reason = state.reason
        self.values, self.said_ns = list(state.values), list(state.said_ns)
        self.feeds = {number: (lag, said_ns) for number, lag, said_ns in state.feeds}
        self.samples = deque(state.samples, SAMPLES)

    def view(self) -> dict[str, int | str]:
        """Each measure as last told, in ns, whether it is fresh or not; -1: not known."""
        lags = [lag for lag, _ in self.feeds.values()]
        return {
            "step": self.step,
            "reason": self.reason,
            "feed": max(lags, default=-1),
            "acknowledgement": self._acknowledgement(),
            "loop": self.values[LOOP] if self.said_ns[LOOP] else -1,
            "clock": self.values[CLOCK] if self.said_ns[CLOCK] else -1,
        }


def _level(value_ns: int, thresholds: tuple[int, ...]) -> int:
    """How many of the thresholds it has reached; they rise. None of them: not looked at."""
    level = 0
    for threshold in thresholds:
        if value_ns < threshold:
            break
        level += 1
    return level
