"""What an actor is. Pure: this is all an actor may see of the bus besides the messages.

An actor is a synchronous state machine: one message and the time in, messages out, in order. It never awaits, reads a
clock, does I/O, logs or draws a random number; what it wants done is a message. If a handler raises, nothing of it
has been emitted.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from bus.messages import Message

Handler = Callable[[Any, int], tuple[Message, ...]]
"""(message, now_ns) -> messages, in order; () for none. The message's type is the handler's key."""

NOTHING: tuple[Message, ...] = ()

StateT = TypeVar("StateT", bound=msgspec.Struct)


class Actor(Generic[StateT]):
    """Base of all actors. A subclass sets `name`, `State`, and `self.handlers`: one bound method for each type it takes."""

    name: ClassVar[str]
    State: ClassVar[type[msgspec.Struct]]
    """All of the actor's state, typed; a dict is kept as a list of items (order is state), a sorted list is rebuilt."""
    state_version: ClassVar[int] = 1
    migrations: ClassVar[Mapping[int, Callable[[Any], Any]]] = {}
    """By version: makes its state, as plain data, that of the next version. A new field with a default needs none."""

    handlers: Mapping[type[Message], Handler]
    deaf: tuple[type[Message], ...] = ()
    """What the topology routes here and this actor, as it is configured, has no use for: it is not delivered."""

    def receive(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        """Decide. Raises KeyError for a type that is not in `handlers`: the topology never routes one here."""
        return self.handlers[type(message)](message, now_ns)

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        """Handlers that fold a journaled fact at recovery; whatever they return is ignored. None by default."""
        return {}

    def checkpoint(self) -> StateT:
        """All state, as a value that shares nothing mutable with the actor once encoded."""
        raise NotImplementedError

    def restore(self, state: StateT) -> None:
        """Become what `checkpoint` saw."""
        raise NotImplementedError

    def view(self) -> dict[str, Any]:
        """What telemetry may read, between cascades only."""
        return {}
