"""What a person is told of the trading states. Pure; text."""

from collections.abc import Iterable, Sequence

from actors.risk.causes import ENDS, cause_of
from actors.risk.states import ENGINE, Reason
from bus.messages import Alert, AlertLevel, AnswerKind, CommandAnswered, OperatorCommand


def alert(level: AlertLevel, event: str, detail: str, instrument: int = -1) -> Alert:
    return Alert(level, "risk", event, instrument, detail)


def answer(command: OperatorCommand, kind: AnswerKind, text: str) -> CommandAnswered:
    return CommandAnswered(command.asker, command.control, command.instrument, kind, text)


def standing(reasons: Iterable[Reason], scopes: Sequence[str], resumed: str) -> str:
    """Why these scopes are not all ACTIVE, the strictest state first; "" if they are. resumed: the one that was meant.

    What a resume of the whole engine would end, and one of the scope within it does not, is told with what to type.
    """
    held = [reason for reason in reasons if reason.scope in scopes]
    if not held:
        return ""
    told = "; ".join(f"{reason.scope} {reason.name}: {reason.text}{_remedy(reason, resumed)}" for reason in held)
    return f"still {max(reason.state for reason in held).name}: {told}"


def _remedy(reason: Reason, resumed: str) -> str:
    wider = reason.scope == ENGINE and resumed != ENGINE and cause_of(reason.name).resume is ENDS
    return " (touchline resume --reason TEXT)" if wider else ""
