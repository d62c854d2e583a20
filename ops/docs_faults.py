"""The rows of the page of faults, from the tables that faults files are checked against."""

from gateway.simulated.faults.kinds import (
    ACTIONS,
    KINDS,
    ONE_CHANCE,
    POINTS,
    SCHEDULE,
    WHOM,
    Acts,
    FaultKind,
    Parameter,
)
from gateway.simulated.operations import Kind as Asks

Row = tuple[str, ...]

TITLES = {
    Acts.REQUEST: "Requests and answers",
    Acts.MARKET: "Market streams",
    Acts.USER: "User data streams",
    Acts.PERIOD: "Every so often",
    Acts.WINDOW: "While a window is open",
}


def kinds(acts: Acts) -> list[Row]:
    """(kind, what happens, its own keys, the filters it takes, for which requests it is)."""
    return [
        (
            f"`{name}`",
            kind.text,
            "; ".join(_parameter(p) for p in kind.parameters),
            _filters(kind),
            _requests(kind),
        )
        for name, kind in KINDS.items()
        if kind.acts is acts
    ]


def chances(acts: Acts) -> str:
    rules = ", ".join(f"`{key}`" for key in ONE_CHANCE)
    return f"A chance: {acts.value}." + (f" So {rules} are no keys here." if acts is Acts.WINDOW else "")


def schedule() -> list[Row]:
    return [_row(p) for p in SCHEDULE]


def whom() -> list[Row]:
    return [_row(p) for p in WHOM]


def points() -> list[Row]:
    return [(f"`{name}`", text) for name, text in POINTS.items()]


def actions() -> list[Row]:
    return [_row(p) for p in ACTIONS]


def _filters(kind: FaultKind) -> str:
    left_out = [f"`{p.name}`" for p in WHOM if p.name not in kind.filters]
    return f"all but {left_out[0]}" if len(left_out) == 1 else ", ".join(f"`{key}`" for key in kind.filters)


def _requests(kind: FaultKind) -> str:
    """For which: operations by kind, and the door where it is but one."""
    asks = "all" if kind.asks == tuple(Asks) else ", ".join(each.value for each in kind.asks)
    return f"{asks}; by door `{kind.door}` only" if kind.door else asks


def _row(parameter: Parameter) -> Row:
    return f"`{parameter.name}`", parameter.form, parameter.text, _default(parameter)


def _parameter(parameter: Parameter) -> str:
    default = "must be given" if parameter.required else _default(parameter)
    return f"`{parameter.name}`: {parameter.text} ({parameter.form}{f'; {default}' if default else ''})"


def _default(parameter: Parameter) -> str:
    value = parameter.default
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
