"""Faults that need no request and no frame: every so often, or while a window is open. Pure but for connections they cut."""

import math
from collections.abc import Callable, Mapping

from ..connection import Connection
from ..core.instrument import Instrument
from ..core.orders import Status
from ..payload import NS_PER_MS
from .active import Fault, Stage
from .face import FaultedFace
from .kinds import Acts
from .overlay import Overlay, Rule, Undo
from .whom import fits_order

RULES = {
    "tick_size": ("tick_size", "price_min"),
    "step_size": ("step_size", "quantity_min"),
    "notional_min": ("notional_min",),
}
"""Parameters, and the rules that follow them: the least price is one tick, the least quantity one lot."""


class TimedFaults:
    """`faces` is the venue's live table."""

    def __init__(self, faces: Mapping[str, FaultedFace], stage: Stage) -> None:
        self._faces = faces
        self._stage = stage
        self._undo: dict[int, list[Undo]] = {}
        self._overlay = Overlay()
        self._periodic: dict[str, Callable[[Fault], None]] = {
            "disconnect": self._disconnect,
            "server-shutdown": self._shut_down,
            "expired-in-match": self._expire,
        }
        self._lasting: dict[str, Callable[[Fault], tuple[str, list[Undo]]]] = {
            "clock-skew": self._skew,
            "halt": self._halt,
            "filters": self._filter,
        }

    def start(self, fault: Fault) -> None:
        """As soon as its window opens: a timer may come a little early, and then it waits for the rest."""
        wait_s = fault.spec.schedule.from_s - fault.elapsed_s
        if wait_s > 0:
            self._stage.call_later(math.ceil(wait_s * 1e9), lambda: self.start(fault))
        elif fault.ended:
            return
        elif fault.spec.acts is Acts.PERIOD:
            self._tick(fault)
        else:
            self._open(fault)

    def end(self, fault: Fault) -> None:
        """Undo what it holds; safe to call more than once."""
        fault.ended = True
        undone = self._undo.pop(fault.number, [])
        for undo in reversed(undone):
            undo()
        if undone:
            fault.note("over")

    # ---- every so often

    def _tick(self, fault: Fault) -> None:
        if fault.is_over:
            return
        self._periodic[fault.spec.kind](fault)
        self._stage.call_later(int(fault.spec.number("period_s") * 1e9), lambda: self._tick(fault))

    def _of(self, fault: Fault) -> list[FaultedFace]:
        return [face for face in self._faces.values() if fault.spec.whom.face in ("", face.name)]

    def _disconnect(self, fault: Fault) -> None:
        if not fault.hit():
            return
        kind, cut = fault.spec.text("connections"), 0
        for face in self._of(fault):
            cut += disconnect(face, kind)
        fault.note(f"cut {cut} connections", about=kind)

    def _shut_down(self, fault: Fault) -> None:
        if fault.hit():
            seconds = fault.spec.number("seconds")
            told = sum(shut_down(face, seconds, self._stage) for face in self._of(fault))
            fault.note(f"announced to {told} connections")

    def _expire(self, fault: Fault) -> None:
        whom = fault.spec.whom
        found = [
            (face, order)
            for face in self._of(fault)
            for order in face.market.engine.registry.client_orders()
            if fits_order(whom, face.name, order)
        ]
        if not found or not fault.hit():
            return
        face, order = fault.schedule.draws.choice(found)
        now_ns = self._stage.clock()
        face.market.engine.expire(order, Status.EXPIRED_IN_MATCH, now_ns)
        face.market.publish(now_ns)
        fault.note("expired", face.name, "", order.symbol, order.client_order_id)

    # ---- while a window is open

    def _open(self, fault: Fault) -> None:
        if not fault.hit():
            fault.ended = True
            return
        done, undo = self._lasting[fault.spec.kind](fault)
        fault.note(done, symbol=fault.spec.whom.symbol)
        self._undo[fault.number] = undo
        seconds = fault.spec.parameters.get("seconds")
        until_s = fault.spec.schedule.until_s
        ends_s = [] if until_s is None else [until_s - fault.elapsed_s]
        if isinstance(seconds, float):
            ends_s.append(seconds)
        if ends_s:
            self._stage.call_later(int(min(ends_s) * 1e9), lambda: self.end(fault))

    def _skew(self, fault: Fault) -> tuple[str, list[Undo]]:
        offset_ns = int(fault.spec.number("offset_ms") * NS_PER_MS)
        clock = self._stage.clock
        clock.offset_ns += offset_ns

        def back() -> None:
            clock.offset_ns -= offset_ns

        return f"{offset_ns / NS_PER_MS:g} ms", [back]

    def _halt(self, fault: Fault) -> tuple[str, list[Undo]]:
        status = fault.spec.text("status")
        return status, [self._overlay.put(listed, {"status": status}) for listed in self._listed(fault)]

    def _filter(self, fault: Fault) -> tuple[str, list[Undo]]:
        given = {name: value for name, value in fault.spec.parameters.items() if isinstance(value, int)}
        changes: dict[str, Rule] = {}
        for name, value in given.items():
            changes |= dict.fromkeys(RULES[name], value)
        return ", ".join(given), [self._overlay.put(listed, changes) for listed in self._listed(fault)]

    def _listed(self, fault: Fault) -> list[Instrument]:
        symbol = fault.spec.whom.symbol
        instruments = [face.market.engine.instruments for face in self._of(fault)]
        return [listed for each in instruments for name, listed in each.items() if symbol in ("", name)]


def disconnect(face: FaultedFace, kind: str) -> int:
    """Cut the face's connections of that kind: market, api, or all. Return how many."""
    market = [client.connection for client in face.market.hub.clients]
    chosen: list[Connection] = []
    if kind != "api":
        chosen += market
    if kind != "market":
        chosen += face.connections()
    for connection in chosen:
        connection.abort()
    return len(chosen)


def shut_down(face: FaultedFace, seconds: float, stage: Stage) -> int:
    """Announce the end to every market connection, and cut it after so long. Return how many were told."""
    told = face.market.hub.announce_shutdown(stage.clock() // NS_PER_MS)
    for client in told:
        stage.call_later(int(seconds * 1e9), client.connection.abort)
    return len(told)
