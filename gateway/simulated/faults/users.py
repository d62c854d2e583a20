"""What user data streams do wrong: events lost, twice, late, out of order, false, or the stream fallen silent or ended. Pure."""

from collections.abc import Mapping
from typing import cast

from ..core.orders import AccountId
from ..payload import Json, Payload
from . import effects
from .active import Fault, Stage
from .corrupt import changed
from .face import FaultedFace
from .falsehoods import Falsehoods, off_by
from .lanes import Lanes
from .whom import fits_event, report_of

HOLDING = ("user-reorder", "user-delay")
"""Kinds that make events wait."""


class _Draft:
    """What becomes of one event."""

    __slots__ = ("copies", "delay_ns", "ends", "event", "swaps")

    def __init__(self, event: Payload) -> None:
        self.event = event
        self.copies = 1
        self.delay_ns = 0
        self.swaps = False
        self.ends = False


class UserStreamFaults:
    """One face's. While `armed`, `pass_on` has to be asked about every event."""

    def __init__(self, face: FaultedFace, stage: Stage, falsehoods: Falsehoods) -> None:
        self.armed = False
        self._face = face
        self._faults: list[Fault] = []
        self._falsehoods = falsehoods
        self._lanes: Lanes[AccountId, Payload] = Lanes(stage, face.users.deliver, self.arm)

    def use(self, faults: list[Fault]) -> None:
        """Heed these from now on."""
        self._faults = [fault for fault in faults if fault.spec.whom.face in ("", self._face.name)]
        self.arm()

    def let_go(self, kind: str) -> None:
        """A fault of that kind is removed: what it held goes out now, unless another one holds things too."""
        if kind in HOLDING and not any(fault.spec.kind in HOLDING for fault in self._faults):
            self._lanes.release()

    def arm(self) -> None:
        self.armed = bool(self._faults) or self._lanes.are_busy or self._falsehoods.are_told

    def pass_on(self, account: AccountId, event: Payload) -> None:
        draft = _Draft(event)
        over = False
        for fault in self._faults:
            over = over or fault.is_over
            if fits_event(fault.spec.whom, self._face, account, event):
                self._apply(fault, account, draft)
        if over:
            self.use([fault for fault in self._faults if not fault.is_over])
        if draft.ends:
            self._face.users.terminate(account)
        elif draft.copies:
            told = self._falsehoods.in_event(self._face, draft.event)
            self._lanes.pass_on(account, told, draft.copies, draft.delay_ns, swaps=draft.swaps)

    def _apply(self, fault: Fault, account: AccountId, draft: _Draft) -> None:
        if fault.lasts:  # a stall
            draft.copies = 0
            return
        if fault.spec.kind == "balance-wrong" and not self._tells_of(fault.spec.text("asset"), draft.event):
            return
        if not fault.hit():
            return
        done = (
            self._falsify(fault, draft)
            if fault.spec.kind == "balance-wrong"
            else _EFFECTS[fault.spec.kind](fault, draft)
        )
        words = self._face.event_order
        report = report_of(draft.event, words)
        symbol, client_order_id = ("", "") if report is None else (report[words.symbol], report[words.client_order_id])
        about = draft.event.get("e")
        fault.note(done, self._face.name, str(about), str(symbol), str(client_order_id))

    def _tells_of(self, asset: str, event: Payload) -> bool:
        words, found = self._face.event_balance, []

        def see(part: Mapping[str, Json]) -> Mapping[str, Json]:
            if part.get(words.asset) == asset and any(name in part for name in words.amounts):
                found.append(part)
            return part

        changed(event, see)
        return bool(found)

    def _falsify(self, fault: Fault, draft: _Draft) -> str:
        asset, amount = fault.spec.text("asset"), int(fault.spec.number("amount"))
        wrong = off_by(draft.event, self._face.event_balance, asset, amount)
        draft.event = cast(Payload, wrong)  # an object in is an object out
        return f"{asset} told wrong"


def _end(fault: Fault, draft: _Draft) -> str:
    draft.ends = True
    return "the stream ended"


_EFFECTS = {
    "user-drop": effects.drop,
    "user-double": effects.double,
    "user-reorder": effects.reorder,
    "user-delay": effects.delay,
    "user-stall": effects.stall,
    "user-end": _end,
}
