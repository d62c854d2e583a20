"""A person's CANCEL_ALL, followed until each order that was open is done by the venue's word. Pure.

Looked at by a timer while somebody waits, so that nothing of it is on the way of an order. Who asked is gone with the
process: nothing of it is saved.
"""

from actors.orders.cancels import cancel_all
from actors.orders.desk import ANSWER_TIMER, NAME, Desk
from bus.messages import AnswerKind, CommandAnswered, Message, OperatorCommand, SetTimer

LOOK_NS = 50_000_000
"""Between two looks; chosen: a venue's answer takes some ms to some hundred."""
SECONDS_NS = 8_000_000_000
"""After it the rest is told. Chosen: below the longest silence that whoever asks waits for (ops.control.ANSWER_S)."""
NAMED_MAX = 20
"""Ids named in an answer; chosen."""


class CancelWatch:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.waiting: dict[str, tuple[OperatorCommand, tuple[str, ...], int]] = {}
        """By asker: the command, the orders that were open when it came, and until when they are waited for."""

    def begin(self, command: OperatorCommand, now_ns: int, out: list[Message]) -> None:
        wanted = [key for key, order in self.desk.register.open.items() if command.instrument in (-1, order.instrument)]
        cancel_all(self.desk, command.instrument, now_ns, out)
        if not command.asker:
            return
        if not wanted:
            out.append(_answer(command, AnswerKind.DONE, "no order of ours is open"))
            return
        out.append(_answer(command, AnswerKind.FOLLOWS, f"{_orders_are(len(wanted))} being canceled"))
        self.waiting[command.asker] = (command, tuple(wanted), now_ns + SECONDS_NS)
        self._arm(now_ns, out)

    def on_timer(self, now_ns: int, out: list[Message]) -> None:
        register = self.desk.register
        for asker, (command, wanted, until_ns) in list(self.waiting.items()):
            left = [key for key in wanted if key in register.open]
            if left and now_ns < until_ns:
                continue
            del self.waiting[asker]
            gone = len(wanted) - len(left)
            if left:
                rows = [f"{key} {register.open[key].status.name}" for key in left[:NAMED_MAX]]
                text = f"{_orders_are(gone)} gone, {len(left)} may still work: {', '.join(rows)}"
                out.append(_answer(command, AnswerKind.FAILED, text))
            else:
                out.append(_answer(command, AnswerKind.DONE, f"{_orders_are(gone)} gone, by the venue's word"))
        self._arm(now_ns, out)

    def _arm(self, now_ns: int, out: list[Message]) -> None:
        if self.waiting:
            out.append(SetTimer(NAME, ANSWER_TIMER, 0, now_ns + LOOK_NS))


def _orders_are(count: int) -> str:
    return f"{count} order is" if count == 1 else f"{count} orders are"


def _answer(command: OperatorCommand, kind: AnswerKind, text: str) -> CommandAnswered:
    return CommandAnswered(command.asker, command.control, command.instrument, kind, text)
