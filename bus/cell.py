"""One receiver as its host sees it, and an input that stays on its host."""

from collections.abc import Iterable
from typing import NamedTuple

from bus.codec import decoder
from bus.latency import Histogram
from bus.mailbox import Mailboxes
from bus.messages import Message
from bus.routing import Receiver


class Here(NamedTuple):
    """An input of this host that no other host shall hear of."""

    message: Message


class Cell:
    """A receiver's mailbox, and the handlers that read it at present: another receiver's, once it was renewed."""

    __slots__ = ("counts", "decode", "handlers", "histogram", "name", "receive", "send")

    def __init__(self, receiver: Receiver, inbox: Iterable[type[Message]], mailboxes: Mailboxes) -> None:
        self.name = receiver.name
        self.send, self.receive = mailboxes.open(receiver.name)
        self.decode = decoder(inbox)
        self.handlers = receiver.handlers
        self.histogram = Histogram()
        self.counts = self.histogram.counts
