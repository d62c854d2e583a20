"""[[fault]] and [[point]] tables, read strictly: what is not in the tables of `kinds` is an error that names table, key and remedy. Pure.

The same tables come from a file (TOML) and over the control door (JSON).
"""

import tomllib
from collections.abc import Mapping, Sequence

import msgspec

from .kinds import ACTIONS, KINDS, ONE_CHANCE, POINTS, SCHEDULE, WHOM, Acts, FaultKind, Parameter
from .values import Span, Value, text

TABLES_MAX = 1_000  # chosen: of one file or request
POINT_FILTERS = ("face", "door", "operation", "symbol", "account", "side", "client_order_id")


class SpecError(ValueError):
    """A table cannot be used; the text names table, key and remedy."""


class ScheduleSpec(msgspec.Struct, frozen=True):
    """When it hits, as `kinds.SCHEDULE` says."""

    probability: float = 1.0
    after: int = 0
    every: int = 1
    count: int | None = None
    from_s: float = 0.0
    until_s: float | None = None


class Whom(msgspec.Struct, frozen=True):
    """Whom it hits; what is empty is not asked about."""

    face: str = ""
    door: str = ""
    operation: str = ""
    symbol: str = ""
    account: str = ""
    side: str = ""
    client_order_id: str = ""
    stream: str = ""


class FaultSpec(msgspec.Struct, frozen=True):
    """`where`: its table, as an error calls it."""

    kind: str
    name: str
    schedule: ScheduleSpec = ScheduleSpec()
    whom: Whom = Whom()
    parameters: dict[str, Value] = {}
    where: str = ""

    @property
    def acts(self) -> Acts:
        return KINDS[self.kind].acts

    def number(self, name: str) -> float:
        value = self.parameters[name]
        assert isinstance(value, int | float), (self.kind, name)
        return value

    def span(self, name: str) -> Span:
        value = self.parameters[name]
        assert isinstance(value, tuple), (self.kind, name)
        first, last = value
        assert isinstance(first, float)
        assert isinstance(last, float)
        return first, last

    def text(self, name: str) -> str:
        value = self.parameters[name]
        assert isinstance(value, str), (self.kind, name)
        return value

    def flag(self, name: str) -> bool:
        return self.parameters[name] is True


class PointSpec(msgspec.Struct, frozen=True):
    """A kill point that waits. Exactly one of `signal` (with `pid` or `pid_file`) and `run` is set, unless it is a callable's."""

    at: str
    name: str
    schedule: ScheduleSpec = ScheduleSpec(count=1)
    whom: Whom = Whom()
    signal: str = ""
    pid: int | None = None
    pid_file: str = ""
    run: tuple[str, ...] = ()
    where: str = ""


class Specs(msgspec.Struct, frozen=True):
    faults: tuple[FaultSpec, ...] = ()
    points: tuple[PointSpec, ...] = ()
    seed: int | None = None


def parse_toml(source: str) -> Specs:
    """Read a faults file. Raises SpecError."""
    try:
        return parse(tomllib.loads(source))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"not TOML ({error}); mend that place") from error


def parse_json(source: bytes) -> Specs:
    """Read the control door's body. Raises SpecError."""
    try:
        tables = msgspec.json.decode(source, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise SpecError(f'not a JSON object ({error}); send {{"fault": [...], "point": [...]}}') from error
    if "seed" in tables:
        raise SpecError("seed: it belongs into the faults file; leave it out")
    _refuse_unknown("the body", tables, ("fault", "point"))
    return parse(tables)


def parse(tables: Mapping[str, object]) -> Specs:
    """Read the tables of a file. Raises SpecError."""
    _refuse_unknown("the file", tables, ("seed", "fault", "point"))
    seed = tables.get("seed")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise SpecError("seed: give a whole number")
    return Specs(
        tuple(_fault(where, table) for where, table in _tables(tables, "fault")),
        tuple(_point(where, table) for where, table in _tables(tables, "point")),
        seed,
    )


def fault(**keys: object) -> FaultSpec:
    """One [[fault]] from its keys, as a file would have them. Raises SpecError."""
    return _fault("fault", keys)


def point(at: str, **keys: object) -> PointSpec:
    """One [[point]] for a callable: `at`, schedule and filters."""
    return _point("point", {"at": at, **keys}, needs_action=False)


def _tables(tables: Mapping[str, object], name: str) -> list[tuple[str, Mapping[str, object]]]:
    """Return the tables of [[name]], each with what to call it in an error."""
    found = tables.get(name, [])
    if not isinstance(found, Sequence) or isinstance(found, str) or len(found) > TABLES_MAX:
        raise SpecError(f"{name}: give a list of tables, [[{name}]], {TABLES_MAX} at most")
    rows: list[tuple[str, Mapping[str, object]]] = []
    for number, table in enumerate(found, 1):
        if not isinstance(table, Mapping):
            raise SpecError(f"{name} {number}: give a table, [[{name}]]")
        rows.append((f"{name} {number}", table))
    return rows


def _fault(where: str, table: Mapping[str, object]) -> FaultSpec:
    name = table.get("kind")
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None or not isinstance(name, str):
        raise SpecError(f"{where}: kind {_shown(name)}: give one of {', '.join(KINDS)}")
    where = f"{where} ({name})"
    own = [p.name for p in kind.parameters]
    schedule_keys = _schedule_keys(kind)
    _refuse_unknown(where, table, ("kind", "name", *schedule_keys, *kind.filters, *own))
    parameters = {p.name: _read(where, table, p) for p in kind.parameters}
    if name == "filters" and not any(parameters.values()):
        raise SpecError(f"{where}: give at least one of {', '.join(own)}")
    if parameters.get("code") is not None and parameters.get("status") is not None:
        raise SpecError(f"{where}: status and code: give one of them")
    called = _text(where, table, "name") or name
    schedule = _schedule(where, table, schedule_keys, None)
    return FaultSpec(name, called, schedule, _whom(where, table), parameters, where)


def _point(where: str, table: Mapping[str, object], *, needs_action: bool = True) -> PointSpec:
    at = table.get("at")
    if not isinstance(at, str) or at not in POINTS:
        raise SpecError(f"{where}: at {_shown(at)}: give one of {', '.join(POINTS)}")
    where = f"{where} ({at})"
    schedule_keys = tuple(p.name for p in SCHEDULE)
    actions = tuple(p.name for p in ACTIONS)
    _refuse_unknown(where, table, ("at", "name", *schedule_keys, *POINT_FILTERS, *(actions if needs_action else ())))
    action = {p.name: _read(where, table, p) for p in ACTIONS}
    signal, pid, pid_file, run = (action[name] for name in ("signal", "pid", "pid_file", "run"))
    if needs_action and (signal is None) == (run is None):
        raise SpecError(f"{where}: give either signal, with pid or pid_file, or run")
    if (signal is not None) != ((pid is None) != (pid_file is None)) or (pid is not None and pid_file is not None):
        raise SpecError(f"{where}: signal: give it one of pid and pid_file, and give them nothing else")
    return PointSpec(
        at,
        _text(where, table, "name") or at,
        _schedule(where, table, schedule_keys, 1),
        _whom(where, table),
        signal if isinstance(signal, str) else "",
        pid if isinstance(pid, int) else None,
        pid_file if isinstance(pid_file, str) else "",
        tuple(str(word) for word in run) if isinstance(run, tuple) else (),
        where,
    )


def _schedule_keys(kind: FaultKind) -> tuple[str, ...]:
    return tuple(p.name for p in SCHEDULE if kind.acts is not Acts.WINDOW or p.name not in ONE_CHANCE)


def _schedule(where: str, table: Mapping[str, object], keys: Sequence[str], count: int | None) -> ScheduleSpec:
    found = {p.name: _read(where, table, p) for p in SCHEDULE if p.name in keys and p.name in table}
    schedule = msgspec.convert({"count": count, **found}, ScheduleSpec)
    if schedule.until_s is not None and schedule.until_s <= schedule.from_s:
        raise SpecError(f"{where}: until_s {schedule.until_s:g}: give a time after from_s, {schedule.from_s:g}")
    return schedule


def _whom(where: str, table: Mapping[str, object]) -> Whom:
    return msgspec.convert({p.name: _read(where, table, p) for p in WHOM if p.name in table}, Whom)


def _read(where: str, table: Mapping[str, object], parameter: Parameter) -> Value:
    if parameter.name not in table:
        if parameter.required:
            raise SpecError(f"{where}: {parameter.name} is missing; give it ({parameter.form})")
        return parameter.default
    try:
        return parameter.read(table[parameter.name])
    except ValueError as error:
        raise SpecError(f"{where}: {parameter.name} {_shown(table[parameter.name])}: {error}") from error


def _text(where: str, table: Mapping[str, object], key: str) -> str:
    value = _read(where, table, Parameter(key, text, "text", ""))
    return value if isinstance(value, str) else ""


def _refuse_unknown(where: str, table: Mapping[str, object], known: Sequence[str]) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"{where}: {_shown(key)} is not a key here; give one of {', '.join(known)}")


def _shown(value: object) -> str:
    return repr(value)[:60]
