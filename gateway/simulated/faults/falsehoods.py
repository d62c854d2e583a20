"""What the venue tells beside the truth: balances, and the status of marked orders. Pure; ledger and orders stay true."""

from collections.abc import Mapping
from typing import cast

from ..core.decimals import decimal_text, parse_decimal
from ..core.orders import OPEN
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
    """Orders whose status is told under another word while they are open, by face and venue order id."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, int], str] = {}

    @property
    def are_told(self) -> bool:
        return bool(self._words)

    def mark(self, face: FaultedFace, answer: Json, word: str) -> None:
        """Every order in the answer is told under `word` from now on."""

        def see(part: Mapping[str, Json]) -> Mapping[str, Json]:
            order_id = part.get(face.answer_order.order_id)
            if isinstance(order_id, int):
                self._words[face.name, order_id] = word
            return part

        changed(answer, see)
        while len(self._words) > MARKED_MAX:
            del self._words[next(iter(self._words))]

    def in_answer(self, face: FaultedFace, answer: Json) -> Json:
        return self._told(face, answer, face.answer_order, [])

    def in_event(self, face: FaultedFace, event: Payload) -> Payload:
        """As `in_answer`; an order that a report tells closed is marked no more."""
        if not self._words:
            return event
        closed: list[int] = []
        told = self._told(face, event, face.event_order, closed)
        for order_id in closed:
            self._words.pop((face.name, order_id), None)
        return cast(Payload, told)  # an object in is an object out

    def _told(self, face: FaultedFace, payload: Json, words: OrderWords, closed: list[int]) -> Json:
        def change(part: Mapping[str, Json]) -> Mapping[str, Json]:
            order_id, status = part.get(words.order_id), part.get(words.status)
            word = self._words.get((face.name, order_id)) if isinstance(order_id, int) else None
            if word is None or not isinstance(status, str) or not isinstance(order_id, int):
                return part
            if status in OPEN:
                return {**part, words.status: word}
            closed.append(order_id)
            return part

        return changed(payload, change)
