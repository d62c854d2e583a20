"""An ear at the engine's supervisor."""

from collections.abc import Callable
from typing import Any

from bus.messages import Message
from ops.engine import Engine


class Ear:
    """What the engine said to people and to the log, in order, with its own time."""

    def __init__(self, engine: Engine) -> None:
        self.heard: list[tuple[int, Message]] = []
        handlers = engine.supervisor.handlers
        engine.supervisor.handlers = {kind: self._with_memory(handler) for kind, handler in handlers.items()}

    def _with_memory(self, handler: Callable[[Any, int], tuple[Message, ...]]) -> Callable[[Any, int], Any]:
        def remember(message: Message, now_ns: int) -> tuple[Message, ...]:
            self.heard.append((now_ns, message))
            return handler(message, now_ns)

        return remember

    def all(self, kind: type[Message], after: int = 0) -> list[Any]:
        return [message for _, message in self.heard[after:] if type(message) is kind]
