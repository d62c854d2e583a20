"""What the venue tells beside the truth: balances, and the status of marked orders. Pure; ledger and orders stay true."""

from collections.abc import Callable, Mapping
from typing import cast

from ..core.decimals import decimal_text, parse_decimal
from ..core.orders import OPEN, Execution
from ..payload import Json, Payload
from .corrupt import changed
from .face import BalanceWords, FaultedFace, OrderWords

MARKED_MAX = 10_000  # chosen: the oldest marked order is told truly again


def off_by(payload: Json, words: BalanceWords, asset: str, amount: int) -> Json:
    """Return the payload with that asset's amounts moved by `amount` (10^-8), not below 0."""

    def change(part: Mapping[str, Json]) -> Mapping[str, Json]:
        if part.get(words.asset) != asset:
            return part
        return {name: _moved(value, amount) if name in words.amounts else value for name, value in part.items()}

    return changed(payload, change)


def _moved(told: Json, amount: int) -> Json:
    if not isinstance(told, str):
        return told
    units = -parse_decimal(told[1:]) if told.startswith("-") else parse_decimal(told)
    return decimal_text(max(0, units + amount))


class Falsehoods:
    """Orders whose status is told under another word while they are open, by face and venue order id.

    The venue's own executions say when an order is closed, whether somebody hears of that or not.
    """

    def __init__(self) -> None:
        self._words: dict[tuple[str, int], tuple[str, int]] = {}  # the word, and whose it is
        self._ears: dict[str, Callable[[Execution, int], None]] = {}

    @property
    def are_told(self) -> bool:
        return bool(self._words)

    def mark(self, face: FaultedFace, answer: Json, word: str, fault: int) -> None:
        """Every order in the answer is told under `word` from now on, until `forget(fault)`."""

        def see(part: Mapping[str, Json]) -> Mapping[str, Json]:
            order_id = part.get(face.answer_order.order_id)
            if isinstance(order_id, int):
                self._words[face.name, order_id] = word, fault
            return part

        changed(answer, see)
        while len(self._words) > MARKED_MAX:
            del self._words[next(iter(self._words))]
        if face.name not in self._ears:
            self._listen(face)

    def forget(self, fault: int) -> None:
        """What that fault had marked is told as it is."""
        self._words = {order: marked for order, marked in self._words.items() if marked[1] != fault}

    def _listen(self, face: FaultedFace) -> None:
        def hear(execution: Execution, now_ns: int) -> None:
            if execution.status not in OPEN:
                self._words.pop((face.name, execution.order.order_id), None)

        self._ears[face.name] = hear
        face.users.on_execution = (*face.users.on_execution, hear)

    def in_answer(self, face: FaultedFace, answer: Json) -> Json:
        return self._told(face, answer, face.answer_order)

    def in_event(self, face: FaultedFace, event: Payload) -> Payload:
        if not self._words:
            return event
        return cast(Payload, self._told(face, event, face.event_order))  # an object in is an object out

    def _told(self, face: FaultedFace, payload: Json, words: OrderWords) -> Json:
        def change(part: Mapping[str, Json]) -> Mapping[str, Json]:
            order_id, status = part.get(words.order_id), part.get(words.status)
            marked = self._words.get((face.name, order_id)) if isinstance(order_id, int) else None
            return part if marked is None or status not in OPEN else {**part, words.status: marked[0]}

        return changed(payload, change)
