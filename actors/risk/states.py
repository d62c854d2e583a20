"""Trading states: what passes in which, and why one holds. Pure; tables.

A state is never set by itself: named reasons are, each holding one, and the strictest holds. So the clock getting
well does not lift what the operator ordered, and a reason ends only where it began.
"""

from enum import IntEnum

import msgspec

from bus.messages import TradingState, TradingStateChanged

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState


class Command(IntEnum):
    NEW_INCREASING = 0
    NEW_REDUCING = 1
    AMEND_DOWN = 2
    CANCEL = 3
    MASS_CANCEL = 4
    QUERY = 5


PASSES: dict[tuple[TradingState, Command], bool] = {
    (ACTIVE, Command.NEW_INCREASING): True,
    (ACTIVE, Command.NEW_REDUCING): True,
    (ACTIVE, Command.AMEND_DOWN): True,
    (ACTIVE, Command.CANCEL): True,
    (ACTIVE, Command.MASS_CANCEL): True,
    (ACTIVE, Command.QUERY): True,
    (REDUCING, Command.NEW_INCREASING): False,
    (REDUCING, Command.NEW_REDUCING): True,
    (REDUCING, Command.AMEND_DOWN): True,
    (REDUCING, Command.CANCEL): True,
    (REDUCING, Command.MASS_CANCEL): True,
    (REDUCING, Command.QUERY): True,
    (CANCEL_ONLY, Command.NEW_INCREASING): False,
    (CANCEL_ONLY, Command.NEW_REDUCING): False,
    (CANCEL_ONLY, Command.AMEND_DOWN): True,  # it only shrinks what already rests
    (CANCEL_ONLY, Command.CANCEL): True,
    (CANCEL_ONLY, Command.MASS_CANCEL): True,
    (CANCEL_ONLY, Command.QUERY): True,
    (HALTED, Command.NEW_INCREASING): False,
    (HALTED, Command.NEW_REDUCING): False,
    (HALTED, Command.AMEND_DOWN): False,
    (HALTED, Command.CANCEL): True,  # a halt that kept orders resting would be a trap
    (HALTED, Command.MASS_CANCEL): True,
    (HALTED, Command.QUERY): True,
}

ENGINE = "engine"


def venue_scope(venue: int) -> str:
    return f"venue:{venue}"


def instrument_scope(instrument: int) -> str:
    return f"instrument:{instrument}"


def owner_scope(owner: str) -> str:
    return f"owner:{owner}"


class Reason(msgspec.Struct):
    """Why a scope is not ACTIVE. text: for people."""

    scope: str
    name: str
    state: TradingState
    text: str


class Reasons:
    """All reasons, and the state of each scope that follows from them. Dicts, so that order is the order of arrival."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Reason] = {}
        self.states: dict[str, TradingState] = {ENGINE: ACTIVE}
        self.engine = ACTIVE

    def hold(self, scope: str, name: str, state: TradingState, text: str) -> tuple[TradingStateChanged, ...]:
        """Add or change one reason. Returns the change of the scope's state, if it is one."""
        self.held[scope, name] = Reason(scope, name, state, text)
        return self._derive(scope, text)

    def drop(self, scope: str, name: str, text: str) -> tuple[TradingStateChanged, ...]:
        """Take one reason away; not an error when it does not hold."""
        if self.held.pop((scope, name), None) is None:
            return ()
        return self._derive(scope, text)

    def holds(self, scope: str, name: str) -> bool:
        return (scope, name) in self.held

    def _derive(self, scope: str, text: str) -> tuple[TradingStateChanged, ...]:
        state = max((reason.state for reason in self.held.values() if reason.scope == scope), default=ACTIVE)
        before = self.states.get(scope, ACTIVE)
        self.states[scope] = state
        self.engine = self.states[ENGINE]
        return () if state == before else (TradingStateChanged(scope, state, text),)

    def saved(self) -> list[Reason]:
        return list(self.held.values())

    def restore(self, reasons: list[Reason]) -> None:
        self.held = {(reason.scope, reason.name): reason for reason in reasons}
        self.states = {ENGINE: ACTIVE}
        for reason in reasons:
            self.states[reason.scope] = max(self.states.get(reason.scope, ACTIVE), reason.state)
        self.engine = self.states[ENGINE]
