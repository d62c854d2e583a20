"""Why trading may be stopped, as a table: each cause with its scope, its state and its end. Pure.

A reason's name begins with its cause; an asset or a venue may follow after a colon. The documentation prints this table,
and a test holds against it what the actor does.
"""

from enum import IntEnum
from typing import NamedTuple


class Resume(IntEnum):
    """Whether a person's RESUME ends it."""

    NEVER = 0
    """It says what is not known or not possible; a word does not change that."""
    ENDS = 1
    OWN = 2
    """A RESUME of the scope itself, and not one of the engine: whoever means the strategy names it."""


class Cause(NamedTuple):
    """binds_operator: whether it holds back an order that a person wants, to get out of a position, as well: what is open or held
    is not known, or nobody would take the order. Whatever else stops trading is no reason not to get out.
    """

    scope: str
    state: str
    ends: str
    resume: Resume = Resume.NEVER
    binds_operator: bool = False


NEVER, ENDS, OWN = Resume

CAUSES: dict[str, Cause] = {
    "orders": Cause("engine", "CANCEL_ONLY", "OrdersReady", binds_operator=True),
    "stop": Cause("engine", "CANCEL_ONLY", "the next EngineStarted"),
    "leadership": Cause("engine", "CANCEL_ONLY", "the next EngineStarted", binds_operator=True),
    "clock": Cause("engine", "CANCEL_ONLY", "a good ClockEstimate of the trading venue", binds_operator=True),
    "latency": Cause("engine", "by the ladder", "its steps, one at a time"),
    "operator": Cause("any", "as ordered", "RESUME with a reason", ENDS),
    "actor_failed": Cause("engine", "CANCEL_ONLY", "ActorsRestarted, RESUME, EngineStarted", ENDS, binds_operator=True),
    "ledger": Cause("engine", "REDUCING", "RESUME; a comparison that agrees again", ENDS),
    "baseline": Cause("engine", "CANCEL_ONLY", "BaselineTaken"),
    "loss": Cause("engine", "REDUCING", "RESUME, which also grants the day anew", ENDS),
    "drawdown": Cause("engine", "REDUCING, beyond twice as configured", "RESUME, which also begins a new peak", ENDS),
    "disconnects": Cause("venue", "CANCEL_ONLY", "RESUME; a quiet time", ENDS),
    "rejects": Cause("instrument", "CANCEL_ONLY", "RESUME", ENDS),
    "fills": Cause("instrument", "REDUCING", "RESUME", ENDS),
    "stale": Cause("instrument", "CANCEL_ONLY", "a LIVE book that speaks"),
    "cooldown": Cause("instrument", "REDUCING", "CooldownHeld again, at or after its end"),
    "venue": Cause("instrument", "CANCEL_ONLY", "an Instrument that is traded again", binds_operator=True),
    "quarantine": Cause("owner", "CANCEL_ONLY", "RESUME of the owner; the next EngineStarted", OWN),
    "settings": Cause("owner", "as configured", "a change of the configuration"),
}


def cause_of(name: str) -> Cause:
    """Of a reason's name. Raises KeyError for one that the table does not have."""
    return CAUSES[name.partition(":")[0]]
