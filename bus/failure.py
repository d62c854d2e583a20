"""A handler that raised: what is known of it, for whoever decides what follows; and a receiver that is down meanwhile."""

from collections.abc import Mapping
from typing import NamedTuple

from bus.actor import NOTHING, Handler
from bus.codec import tag_of
from bus.errors import line_of
from bus.messages import ActorFailed, CommandDropped, Message

ERROR_MAX = 400
"""Characters of an error's own text; the line that raised comes behind it. Chosen."""


def printable(text: str) -> str:
    """Text that UTF-8 can hold: an exception's may have half a character in it."""
    return text.encode("utf-8", "backslashreplace").decode()


class Failure(NamedTuple):
    """receiver: whose handler it was. message: what it was given, None if its bytes (raw) could not be read.

    cause: the input behind it, header and all, as in the input log. now_ns: of the input.
    """

    receiver: str
    message: Message | None
    raw: bytes
    cause: bytes
    now_ns: int
    error: BaseException

    @property
    def text(self) -> str:
        """The error on one line, with the line of code that raised it."""
        try:
            text = str(self.error)
        except Exception:  # noqa: BLE001 - an exception of a user's own, which cannot even say what it is
            text = "(it cannot be printed)"
        return printable(f"{type(self.error).__name__}: {text}")[:ERROR_MAX] + line_of(self.error)

    @property
    def told(self) -> ActorFailed:
        """As an input."""
        return ActorFailed(self.receiver, tag_of(type(self.message)) if self.message is not None else 0, self.text)


def dropped(command: Message) -> CommandDropped:
    """The answer to a command that was lost on its way."""
    return CommandDropped(
        getattr(command, "instrument", -1),
        getattr(command, "owner", ""),
        getattr(command, "command", -1),
        getattr(command, "client_order_id", ""),
    )


class _Deaf(dict[type[Message], Handler]):
    def __missing__(self, kind: type[Message]) -> Handler:
        return _ignore


def _ignore(_message: Message, _now_ns: int) -> tuple[Message, ...]:
    return NOTHING


DEAF: Mapping[type[Message], Handler] = _Deaf()
"""Handlers of a receiver that is down: it takes everything and does nothing, so that counts never shift."""
