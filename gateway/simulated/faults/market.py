"""What market streams do wrong: frames lost, twice, late, out of order, corrupted, or a stream fallen silent. Pure.

A fault gets its chance with every frame it is for, whatever else happens to the frame.
"""

from typing import Protocol

from . import effects
from .active import Fault, Stage
from .corrupt import corrupt
from .lanes import Lanes
from .whom import fits_topic

HOLDING = ("market-reorder", "market-delay")
"""Kinds that make frames wait."""
Frame = tuple[bytes, bytes]
"""The same event in milliseconds and, where somebody wants that, in microseconds; else empty."""


class Sends(Protocol):
    def send(self, topic: str, payload: bytes, microseconds: bytes) -> None:
        """To every listener."""


class _Draft:
    """What becomes of one frame."""

    __slots__ = ("copies", "delay_ns", "frame", "swaps")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.copies = 1
        self.delay_ns = 0
        self.swaps = False


class MarketFaults:
    """One face's. While `armed`, `pass_on` has to be asked about every frame. dropped, stalled: frames lost so far."""

    def __init__(self, face: str, hub: Sends, stage: Stage) -> None:
        self.armed = False
        self.dropped = 0
        self.stalled = 0
        self._face = face
        self._faults: list[Fault] = []
        self._lanes: Lanes[str, Frame] = Lanes(stage, lambda topic, frame: hub.send(topic, *frame), self._arm)

    def use(self, faults: list[Fault]) -> None:
        """Heed these from now on."""
        self._faults = [fault for fault in faults if fault.spec.whom.face in ("", self._face)]
        self._arm()

    def let_go(self, kind: str) -> None:
        """A fault of that kind is removed: what it held goes out now, unless another one holds things too."""
        if kind in HOLDING and not any(fault.spec.kind in HOLDING for fault in self._faults):
            self._lanes.release()

    def _arm(self) -> None:
        self.armed = bool(self._faults) or self._lanes.are_busy

    def pass_on(self, topic: str, payload: bytes, microseconds: bytes) -> None:
        draft = _Draft((payload, microseconds))
        over = False
        for fault in self._faults:
            over = over or fault.is_over
            if fits_topic(fault.spec.whom, self._face, topic):
                self._apply(fault, topic, draft)
        if over:
            self.use([fault for fault in self._faults if not fault.is_over])
        if draft.copies:
            self._lanes.pass_on(topic, draft.frame, draft.copies, draft.delay_ns, swaps=draft.swaps)

    def _apply(self, fault: Fault, topic: str, draft: _Draft) -> None:
        kind = fault.spec.kind
        if fault.lasts:  # a stall
            self.stalled += draft.copies > 0
            draft.copies = 0
            return
        if not fault.hit():
            return
        done = _EFFECTS[kind](fault, draft)
        if kind == "market-drop":
            self.dropped += 1
        elif kind == "market-stall":
            self.stalled += 1
        symbol = "" if topic.startswith("!") else topic.partition("@")[0].upper()
        fault.note(done, self._face, topic, symbol)


def _corrupt(fault: Fault, draft: _Draft) -> str:
    how, draw = fault.spec.text("how"), fault.schedule.draws.random()
    payload, microseconds = draft.frame
    draft.frame = corrupt(payload, how, draw), microseconds and corrupt(microseconds, how, draw)
    return f"corrupted: {how}" if draft.frame[0] is not payload else f"nothing there to corrupt: {how}"


_EFFECTS = {
    "market-drop": effects.drop,
    "market-double": effects.double,
    "market-reorder": effects.reorder,
    "market-corrupt": _corrupt,
    "market-delay": effects.delay,
    "market-stall": effects.stall,
}
