"""What a host is told of its receivers: who gets what, here and elsewhere. The page itself is ops/topology.py."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bus.actor import Handler
from bus.codec import tag_of
from bus.errors import RouteError
from bus.messages import Message


class Receiver(Protocol):
    """An actor or a door: something with a name and a handler for each type it takes."""

    @property
    def name(self) -> str: ...

    @property
    def handlers(self) -> Mapping[type[Message], Handler]: ...


class RecordSink(Protocol):
    """Where the host appends: the order journal or the input log."""

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int: ...


class Remote(Protocol):
    """Another host, as a receiver: it takes what a cascade sends it, and lets it go at the cascade's end."""

    def offer(self, message: Message, raw: bytes) -> None: ...

    def flush(self, now_ns: int) -> None: ...


class Routing(NamedTuple):
    """The topology page, handed in: see ops/topology.py for what each part means."""

    routes: Mapping[type[Message], tuple[str, ...]]
    answers: Sequence[type[Message]]
    journaled: Sequence[type[Message]]
    commands: Sequence[type[Message]]
    classes: Sequence[Sequence[type[Message]]]


class Beside(NamedTuple):
    """What a message's way is besides its local receivers. kind: in the journal, 0: none; remotes: other hosts."""

    kind: int
    remotes: tuple[Remote, ...]


def beside(message_type: type[Message], routing: Routing, remotes: Sequence[Remote]) -> Beside | None:
    kind = tag_of(message_type) if message_type in routing.journaled else 0
    return Beside(kind, tuple(remotes)) if kind or remotes else None


def inboxes(receivers: Sequence[Receiver], routing: Routing) -> dict[str, list[type[Message]]]:
    """What each receiver gets, by the topology; checked against what it can handle. Raises RouteError.

    One without any handler is switched off: it gets nothing, and a message has a hop less. So has one of a type that its
    receiver is `deaf` to.
    """
    by_name = {receiver.name: receiver for receiver in receivers}
    inboxes: dict[str, list[type[Message]]] = {name: [] for name in by_name}
    for message_type, names in routing.routes.items():
        for name in names:
            if name not in by_name:
                raise RouteError(message_type.__name__, name, "nobody has that name")
            if not by_name[name].handlers or message_type in getattr(by_name[name], "deaf", ()):
                continue
            if message_type not in by_name[name].handlers:
                raise RouteError(message_type.__name__, name, "it has no handler for it")
            inboxes[name].append(message_type)
    for message_type in routing.answers:
        for name, receiver in by_name.items():
            if message_type in receiver.handlers:
                inboxes[name].append(message_type)
    for name, receiver in by_name.items():
        for message_type in receiver.handlers:
            if message_type not in inboxes[name]:
                raise RouteError(message_type.__name__, name, "it handles a type that no route brings")
    return inboxes
