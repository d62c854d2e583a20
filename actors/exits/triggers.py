"""What the market is to a position in its phase: which event, if any. Pure; integers, but for what signals are. HOT PATH."""

from actors.exits.phases import (
    DEFENDING,
    HOLDING,
    LOSING_CROSSING,
    LOSING_PASSIVE,
    TAKING_PROFIT,
    Event,
)
from actors.exits.watch import Watch
from bus.messages import Signals

TARGET_REACHED, FELL_BACK, GAINED, BACK_AT_EVEN, STOP_REACHED, RAN_AWAY, PRESSED, DEADLINE_PASSED = list(Event)[5:]


def follow(watch: Watch, signals: Signals, pressure_threshold: float, now_ns: int) -> None:
    """Remember the best price to close at, and since when the book leans against the position.

    It leans when the resting depth and the aggressive volume both do, by the threshold at least: depth alone is easily
    shown and taken away again, volume alone may meet a book that has room for it.
    """
    watch.signals = signals
    side = watch.thresholds.side
    out = signals.bid if side > 0 else signals.ask
    if out and (not watch.best or (out - watch.best) * side > 0):
        watch.best = out
    if not pressure_threshold:
        return
    lean = -pressure_threshold
    if signals.warm and signals.depth_imbalance * side <= lean and signals.pressure * side <= lean:
        watch.against_ns = watch.against_ns or now_ns
    else:
        watch.against_ns = 0


def event_of(watch: Watch, signals: Signals, pressure_ns: int, now_ns: int) -> Event | None:
    """The first thing that the table should hear of; losses first. None: nothing, or the book has an empty side."""
    bid, ask = signals.bid, signals.ask
    if not bid or not ask:
        return None
    at, phase = watch.thresholds, watch.phase
    side = at.side
    out, own = (bid, ask) if side > 0 else (ask, bid)
    if phase is not LOSING_PASSIVE and (out - at.stop) * side <= 0:
        return None if phase is LOSING_CROSSING else STOP_REACHED
    pressed = watch.against_ns > 0 and now_ns - watch.against_ns >= pressure_ns
    if phase < TAKING_PROFIT:
        if pressed and (out - at.pressed) * side <= 0:
            return PRESSED
        if (own - at.target) * side >= 0:
            return TARGET_REACHED
        if phase is HOLDING:
            return GAINED if watch.best and (watch.best - at.armed) * side >= 0 else None
        return BACK_AT_EVEN if (out - at.even) * side <= 0 else None
    if phase is TAKING_PROFIT:
        if pressed and (out - at.even) * side >= 0:
            return PRESSED  # only while crossing still leaves a gain
        return FELL_BACK if (own - at.released) * side < 0 else None
    if phase is DEFENDING or phase is LOSING_PASSIVE:
        if (out - (at.even_run_away if phase is DEFENDING else at.stop_run_away)) * side <= 0:
            return RAN_AWAY
        if pressed:
            return PRESSED
        return DEADLINE_PASSED if now_ns >= watch.deadline_ns else None
    return None
