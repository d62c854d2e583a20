"""What the next start on a directory will begin with, as far as the directory knows: by the newest checkpoint, the journal behind
it, and the halts that lie there. Read only; for directories whose engine is over, or shows nothing.

It asks the actors themselves: risk and exits come back as a start brings them back, and are told that a run begins.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from actors.exits import Exits
from actors.orders import Orders
from actors.risk import AccountLimits, Risk
from bus.actor import Actor
from bus.checkpoint import ActorState, Checkpoint, NewerProgram, migrated, newest, state_of
from bus.codec import TYPE_OF_TAG, decode_any
from bus.log import read
from bus.messages import (
    HEADER_SIZE,
    BaselineTaken,
    CommandAnswered,
    EngineStarted,
    Message,
    OperatorCommand,
    TradingState,
)
from ops import halts

FOLDED = (OperatorCommand, CommandAnswered, BaselineTaken)
PASSING = ("orders", "latency")
"""Reasons that each start has, and ends by itself."""


class _Known:
    """Of the newest checkpoint that can be read."""

    def __init__(self) -> None:
        self.risk, self.exits = Risk({}, AccountLimits()), Exits(None, {})
        self.kept_aside = 0

    def use(self, checkpoint: Checkpoint) -> None:
        """Raises ValueError: another one must do."""
        actors: tuple[Actor[Any], ...] = (self.risk, self.exits)
        try:
            for saved in checkpoint.actors:
                for actor in actors:
                    if saved.name == actor.name:
                        actor.restore(_state(saved, actor))
                if saved.name == Orders.name:
                    self.kept_aside = len(_state(saved, Orders).quarantine)
        except (msgspec.MsgspecError, NewerProgram, KeyError, TypeError, IndexError) as error:
            raise ValueError(str(error)) from error


def next_start(state: Path, names: Mapping[int, str]) -> dict[str, Any]:
    """names: symbols by instrument. Raises LogError, OSError, ValueError.

    state: of the whole engine; reasons: all, each with its scope as people say it. strategies: whose calls the last run had
    stopped; a start calls them again. unreadable: files of halts that cannot be read. flatten: one that was going on. kept_aside: words of the venue that fit nothing.
    """
    known = _Known()
    checkpoint, _ = newest(state / "checkpoints", known.use)
    _fold(known, state / "journal", checkpoint.journal_number if checkpoint is not None else 0)
    risk, lasting = known.risk, known.exits.flatten.lasting
    strategies = [
        {"strategy": _named(reason.scope, names), "text": reason.text}
        for reason in risk.switch.reasons.saved()
        if reason.name == "quarantine"
    ]
    risk.on_engine_started(EngineStarted(0, 0), 0)
    left = halts.read(state)
    for halt in left.halts:
        risk.switch.on_operator(halt.command(), 0)
    for path, why in left.unreadable:
        risk.switch.on_operator(halts.unreadable_command(path, why), 0)
    reasons = [reason for reason in risk.switch.reasons.saved() if reason.name not in PASSING]
    begins = max((row.state for row in reasons if row.scope == "engine"), default=TradingState.ACTIVE)
    return {
        "state": begins.name,
        "reasons": [
            {"scope": _named(row.scope, names), "reason": row.name, "state": row.state.name, "text": row.text}
            for row in reasons
        ],
        "unreadable": [str(path) for path, _ in left.unreadable],
        "strategies": strategies,
        "flatten": {"symbol": names.get(lasting.instrument, "")} if lasting is not None and lasting.ordered else None,
        "kept_aside": known.kept_aside,
    }


def _fold(known: _Known, journal: Path, start: int) -> None:
    """What a person said, what it came to, and the ledger's start: all else of the journal leaves no trading state."""
    folds: dict[type[Message] | None, list[Callable[[Any, int], object]]] = {}
    recovering: tuple[Actor[Any], ...] = (known.risk, known.exits)
    for actor in recovering:
        for kind, fold in actor.recovers().items():
            if kind in FOLDED:
                folds.setdefault(kind, []).append(fold)
    for record in read(journal, start) if journal.exists() else ():
        wanted = folds.get(TYPE_OF_TAG.get(record.kind), ())
        message = decode_any(record.body[HEADER_SIZE:]) if wanted else None
        for fold in wanted:
            fold(message, record.now_ns)


def _state(saved: ActorState, actor: Actor[Any] | type[Actor[Any]]) -> Any:
    return state_of(migrated(saved, actor.state_version, actor.migrations), actor.State)


def _named(scope: str, names: Mapping[int, str]) -> str:
    """As people say it."""
    kind, _, rest = scope.partition(":")
    if kind == "instrument" and rest.isdecimal():
        return names.get(int(rest), rest)
    return scope if kind == "venue" else rest or scope
