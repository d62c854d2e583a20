"""What can go wrong on the bus, named for the culprit and the remedy.

BusError
├── RouteError        the topology page and the actors disagree (our mistake; found at start)
├── MailboxError      a mailbox did not do what ZeroMQ promises (our mistake or a broken installation)
├── PlainTcpRefused   a tcp endpoint without CURVE off loopback
├── KeyFileError      a CURVE key file is missing, unreadable or not private (operator)
└── InputsFull        more execution inputs wait than a venue can send: the engine hangs, stop it
"""

from pathlib import Path, PurePath
from types import CodeType


class BusError(Exception):
    """Base of all errors of the bus."""


class RouteError(BusError):
    """A type is routed to an actor that has no handler for it, or to a name that is nobody's."""

    def __init__(self, message_type: str, receiver: str, problem: str) -> None:
        self.message_type, self.receiver, self.problem = message_type, receiver, problem
        super().__init__(f"route {message_type} -> {receiver}: {problem}; mend ops/topology.py or the actor's handlers")


class MailboxError(BusError):
    """A counted message was not there, or a mailbox could not be opened."""

    def __init__(self, mailbox: str, problem: str) -> None:
        self.mailbox, self.problem = mailbox, problem
        super().__init__(f"mailbox {mailbox}: {problem}")


class PlainTcpRefused(BusError):
    """Plain tcp carries orders in the clear and takes them from anyone."""

    def __init__(self, endpoint: str, more: str = "") -> None:
        """more: what else would do."""
        self.endpoint = endpoint
        super().__init__(f"{endpoint}: plain tcp is refused; use ipc:// on one machine{more and ', or ' + more}")


class KeyFileError(BusError):
    """A file of CURVE keys cannot be used. The text says what to do; it never holds a key."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}")


class InputsFull(BusError):
    """A queue of inputs that may never be dropped has reached its limit."""

    def __init__(self, input_class: str, limit: int) -> None:
        self.input_class, self.limit = input_class, limit
        super().__init__(f"{limit} inputs of class {input_class} wait: the engine no longer keeps up; it stops")


def line_of(error: BaseException) -> str:
    """The line that raised, as ` (file.py:12 in function)`: what a strategy's author needs first. Of the first cause; and where
    it was raised from outside, by a signal's handler, the line that it interrupted (its `at`).
    """
    while error.__cause__ is not None:
        error = error.__cause__
    if at := getattr(error, "at", ""):
        return f" ({at})"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f" ({place_of(trace.tb_frame.f_code, trace.tb_lineno)})"


def place_of(code: CodeType, line: int) -> str:
    return f"{PurePath(code.co_filename).name}:{line} in {code.co_name}"
