"""The same actors without a bus: by plain function calls, and as objects in a deque. The floors of the tick benchmark."""

from collections import deque
from collections.abc import Callable, Sequence

from bus.actor import Handler
from bus.host import Receiver, Routing
from bus.messages import Message


class DirectRunner:
    """A message is a call: each receiver's handler is called at once, depth first. No mailbox, no codec, no log, no count."""

    def __init__(self, receivers: Sequence[Receiver], routing: Routing, now_ns: Callable[[], int]) -> None:
        by_name = {receiver.name: receiver for receiver in receivers}
        self._now_ns = now_ns
        self._table: dict[type[Message], tuple[Handler, ...]] = {
            kind: tuple(by_name[name].handlers[kind] for name in names if name in by_name)
            for kind, names in routing.routes.items()
        }
        self._answers = {
            (kind, name): receiver.handlers[kind]
            for kind in routing.answers
            for name, receiver in by_name.items()
            if kind in receiver.handlers
        }
        self._inputs: deque[Message] = deque()
        self._after: list[Callable[[int], None]] = []
        self.offset = self.digest = 0
        self.cause = (0, 0)

    def post(self, message: Message) -> None:
        self._inputs.append(message)

    def run(self, inputs_max: int) -> int:
        taken = 0
        while taken < inputs_max and self._inputs:
            self.offset += 1
            taken += 1
            now_ns = self._now_ns()
            self._deliver(self._inputs.popleft(), now_ns)
            while self._after:
                self._after.pop()(now_ns)
        return taken

    def after_cascade(self, action: Callable[[int], None]) -> None:
        self._after.append(action)

    def after_burst(self, receiver: str) -> Callable[[Callable[[int], None]], None]:
        """By plain calls a receiver is called for one message at a time: at once."""
        return lambda action: action(0)

    def _deliver(self, message: Message, now_ns: int) -> None:
        deliver = self._deliver
        for handler in self._handlers(message):
            for produced in handler(message, now_ns):
                deliver(produced, now_ns)

    def _handlers(self, message: Message) -> tuple[Handler, ...]:
        handlers = self._table.get(type(message))
        if handlers is None:
            answer = self._answers.get((type(message), message.actor))  # type: ignore[attr-defined]  # answers name one
            return () if answer is None else (answer,)
        return handlers


class DequeRunner(DirectRunner):
    """As the host, in send order, but the objects themselves travel."""

    def after_burst(self, receiver: str) -> Callable[[Callable[[int], None]], None]:
        """At the cascade's end: within one, a deque of handlers does not know whose messages wait."""
        return self.after_cascade

    def _deliver(self, message: Message, now_ns: int) -> None:
        ready: deque[tuple[Handler, Message]] = deque((handler, message) for handler in self._handlers(message))
        while ready:
            handler, taken = ready.popleft()
            for produced in handler(taken, now_ns):
                for target in self._handlers(produced):
                    ready.append((target, produced))
