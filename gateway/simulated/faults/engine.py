"""Every fault and kill point of a venue: set, heeded, listed, removed. The one noun the rest of the venue knows of faults."""

from collections.abc import Iterable

import msgspec

from ..core.orders import ExecutionKind
from ..operations import Answer, Ask
from . import chances
from . import spec as specs_of
from .active import Fault, Later, Stage
from .clock import VenueClock
from .face import FaultedFace
from .falsehoods import Falsehoods
from .kinds import Acts
from .log import FaultLog
from .market import MarketFaults
from .plan import RequestPlan
from .points import FILLING, Hook, Point
from .requests import Draft, RequestFaultsOfFace
from .spec import FaultSpec, PointSpec, SpecError, Specs
from .timers import TimedFaults
from .users import UserStreamFaults

SET_MAX = 1_000  # chosen: faults and points that are listed at once; those that are over make room


class PresentRow(msgspec.Struct, frozen=True):
    """One fault or point as it is listed. `kind`: of a fault; `at`: of a point."""

    id: int
    name: str
    kind: str
    at: str
    chances: int
    hits: int
    is_over: bool


class FaultEngine:
    """`clock` is the venue's one clock; `later` lets time pass; `seed` stands for a faults file that names none.

    Faces open first, then faults are set. `armed`: whether any request has to be asked about.
    """

    def __init__(self, clock: VenueClock, later: Later, seed: int) -> None:
        self.armed = False
        self.faces: dict[str, FaultedFace] = {}
        self._stage = Stage(clock, later, seed)
        self._falsehoods = Falsehoods()
        self._set: dict[int, Fault | Point] = {}
        self._points: dict[str, list[Point]] = {}
        self._last_number = 0
        self._names: dict[str, int] = {}
        self._requests: dict[str, RequestFaultsOfFace] = {}
        self._markets: dict[str, MarketFaults] = {}
        self._users: dict[str, UserStreamFaults] = {}
        self._timed = TimedFaults(self.faces, self._stage)

    @property
    def log(self) -> FaultLog:
        return self._stage.log

    @property
    def stage(self) -> Stage:
        return self._stage

    def open(self, face: FaultedFace) -> None:
        """Take part in a face from now on."""
        self.faces[face.name] = face
        self._requests[face.name] = RequestFaultsOfFace(face, self._stage, self._falsehoods, self._arm)
        hub = face.market.hub
        hub.faults = self._markets[face.name] = MarketFaults(face.name, hub, self._stage)
        face.users.faults = self._users[face.name] = UserStreamFaults(face, self._stage, self._falsehoods)
        self._spread()

    def close(self) -> None:
        """The venue is over: nothing that waits happens any more."""
        self._stage.closed = True

    # ---- set, list, remove

    def set(self, specs: Specs) -> list[int]:
        """Set all of them, and return their ids, faults first. Raises SpecError, and then none is set."""
        self._check((*specs.faults, *specs.points))
        self._make_room(len(specs.faults) + len(specs.points))
        if specs.seed is not None:
            self._stage.seed = specs.seed
        faults = [self._add_fault(spec) for spec in specs.faults]
        points = [self._add_point(spec, None) for spec in specs.points]
        self._spread()
        for fault in faults:
            if fault.spec.acts in (Acts.PERIOD, Acts.WINDOW):
                self._timed.start(fault)
        return [fault.number for fault in faults] + [point.number for point in points]

    def on_point(self, at: str, hook: Hook, **keys: object) -> int:
        """Call `hook` when the point is reached, once unless `count` says otherwise; `keys` as in a [[point]] table.

        Return its id. Raises SpecError. What the hook raises ends the request, and is the caller's own affair.
        """
        wanted = specs_of.point(at, **keys)
        self._check([wanted])
        self._make_room(1)
        added = self._add_point(wanted, hook)
        self._spread()
        return added.number

    def remove(self, number: int | None = None) -> int:
        """Remove one, or all; what it held is undone. Return how many were removed."""
        chosen = list(self._set) if number is None else [n for n in (number,) if n in self._set]
        removed = [self._set.pop(each) for each in chosen]
        faults = [one for one in removed if isinstance(one, Fault)]
        for fault in faults:
            self._undo(fault)
        self._spread()
        for kind in dict.fromkeys(fault.spec.kind for fault in faults):
            for name in self.faces:
                self._markets[name].let_go(kind)
                self._users[name].let_go(kind)
        return len(chosen)

    def _undo(self, removed: Fault) -> None:
        self._timed.end(removed)
        self._falsehoods.forget(removed.number)
        for requests in self._requests.values():
            requests.undo(removed.number)

    def present(self) -> list[PresentRow]:
        return [
            PresentRow(
                one.number,
                one.spec.name,
                one.spec.kind if isinstance(one, Fault) else "",
                one.spec.at if isinstance(one, Point) else "",
                one.schedule.chances,
                one.schedule.hits,
                one.is_over,
            )
            for one in self._set.values()
        ]

    def _check(self, specs: Iterable[FaultSpec | PointSpec]) -> None:
        """What only the venue can know, once it is open. Raises SpecError."""
        if self.faces:
            for spec in specs:
                chances.check(spec, self.faces)

    def _make_room(self, wanted: int) -> None:
        for number in [n for n, one in self._set.items() if one.is_over]:
            if len(self._set) + wanted <= SET_MAX:
                return
            del self._set[number]
        if len(self._set) + wanted > SET_MAX:
            raise SpecError(f"{SET_MAX} faults and points at most; remove some")

    def _add_fault(self, spec: FaultSpec) -> Fault:
        origin_ns = self._stage.clock.base()
        fault = Fault(self._next(), spec, self._stage, self._key(spec.name), origin_ns)
        self._set[fault.number] = fault
        return fault

    def _add_point(self, spec: PointSpec, hook: Hook | None) -> Point:
        added = Point(self._next(), spec, self._stage, self._key(spec.name), hook)
        self._set[added.number] = added
        return added

    def _next(self) -> int:
        self._last_number += 1
        return self._last_number

    def _key(self, name: str) -> str:
        """What a fault's draws are seeded by: its name, and which of that name it is."""
        self._names[name] = self._names.get(name, 0) + 1
        return f"{name}:{self._names[name]}"

    def _spread(self) -> None:
        """Tell the parts which faults there are."""
        faults = [one for one in self._set.values() if isinstance(one, Fault) and not one.is_over]
        by = {acts: [fault for fault in faults if fault.spec.acts is acts] for acts in Acts}
        wrong = [fault for fault in faults if fault.spec.kind == "balance-wrong"]
        for name in self.faces:
            self._requests[name].use(by[Acts.REQUEST])
            self._markets[name].use(by[Acts.MARKET])
            self._users[name].use([*by[Acts.USER], *wrong])
        self._arm()

    def _arm(self) -> None:
        self._points = {}
        for one in self._set.values():
            if isinstance(one, Point) and not one.is_over:
                self._points.setdefault(one.spec.at, []).append(one)
        self.armed = bool(self._points) or not all(requests.is_idle for requests in self._requests.values())
        for users in self._users.values():
            users.arm()

    # ---- what the desks ask

    def plan(self, face: str, ask: Ask) -> RequestPlan:
        draft = Draft()
        requests = self._requests[face]
        requests.plan(ask, draft)
        if ask.operation.kind in FILLING and self._waits("fill-sent", face, ask):
            draft.events_first = True
        if not self._points and requests.is_idle:
            self._arm()
        return draft.plan()

    def _waits(self, at: str, face: str, ask: Ask) -> bool:
        return any(one.waits_for(self.faces[face], ask) for one in self._points.get(at, ()))

    def reach(self, at: str, face: str, ask: Ask) -> None:
        waiting = self._points.get(at, ())
        for one in waiting:
            one.reach(self.faces[face], ask)
        if any(one.is_over for one in waiting):
            self._arm()

    def is_filled(self, face: str, answer: Answer) -> bool:
        """Whether the events that wait tell of a fill of an order that the answer is about."""
        faced = self.faces[face]
        waiting = faced.market.engine.executions
        filled = {e.order.order_id for e in waiting if e.kind is ExecutionKind.TRADE}
        return bool(filled & order_ids(answer, faced.answer_order.order_id))


def order_ids(answer: Answer, name: str) -> set[int]:
    """The venue's ids of the orders in what was really done."""
    found: set[int] = set()
    waiting: list[object] = [answer.outcome]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            number = part.get(name)
            if isinstance(number, int):
                found.add(number)
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found
