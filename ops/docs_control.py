"""The page of the simulated venue's control door, from the very tables that serve it."""

from gateway.simulated.control import Command
from gateway.simulated.evidence import Evidence
from gateway.simulated.faults.clock import VenueClock
from gateway.simulated.faults.door import FaultDoor
from gateway.simulated.faults.engine import FaultEngine
from gateway.simulated.stagehand import StageHand
from gateway.simulated.truth import Truth

Row = tuple[str, str, str]


def looks() -> list[Row]:
    """(command, parameters, what it tells) of what looks and changes nothing."""
    return [_row(each) for each in (*Truth({}, Evidence(), {}, _now).commands(), *_faults()) if each.method == "GET"]


def acts() -> list[Row]:
    hand = StageHand({}, _engine(), _now)
    return [_row(each) for each in (*hand.commands(), *_faults()) if each.method != "GET"]


def _faults() -> list[Command]:
    return FaultDoor(_engine()).commands()


def _engine() -> FaultEngine:
    return FaultEngine(VenueClock(_now, 0), lambda delay_ns, action: None, 0)


def _now() -> int:
    return 0


def _row(command: Command) -> Row:
    named = "; ".join(f"`{name}` {meaning}".rstrip() for name, meaning in command.parameters.items())
    return f"`{command.method} {command.path}`", named, command.what
