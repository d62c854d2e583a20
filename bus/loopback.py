"""The same bus in memory: mailboxes that are deques, for tests, replay and simulation on a virtual clock.

It carries the same bytes in the same order as bus.mailbox, so that a run over it gives the same outbound checksum.
"""

from collections import deque

from bus.errors import MailboxError
from bus.mailbox import Mailbox


class LoopbackMailboxes:
    """Mailboxes without sockets."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[bytes]] = {}

    def open(self, name: str) -> Mailbox:
        if name in self._queues:
            raise MailboxError(name, "opened twice")
        queue: deque[bytes] = deque()
        self._queues[name] = queue
        return Mailbox(queue.append, queue.popleft)

    def close(self) -> None:
        self._queues.clear()
