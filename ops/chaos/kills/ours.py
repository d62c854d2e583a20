"""What our order journal says: orders that were sent, cancels, fills. Read after each death, so that no compaction hides anything."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from bus.codec import decode_any
from bus.log import read
from bus.messages import HEADER_SIZE, CancelOrder, Fill, LedgerAdjusted, Message, OrderStatus, OrderUpdate, SubmitOrder

DONE = OrderStatus.FILLED
"""From here on a status says that the order is over."""
CANCELING = (OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN_CANCEL)


class Sent(NamedTuple):
    """One order as the door journaled it. number: of the record; offset: of the input that caused it."""

    number: int
    offset: int
    epoch: int
    owner: str
    instrument: int
    side: int
    command: int
    client_order_id: str


class OurJournal:
    """Everything journaled so far, up to the last `read`. fills: (client order id, trade id), as often as they were booked;
    booked: the record of the first time.

    cancels: by order, record number and offset at which its cancel was first wanted or sent. done: orders that are over, as we know.
    adjusted: by asset, what was added to the ledger because the venue said so, and no fact did.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = 0
        self.sent: dict[str, Sent] = {}
        self.cancels: dict[str, tuple[int, int]] = {}
        self.fills: list[tuple[str, int]] = []
        self.booked: dict[tuple[str, int], int] = {}
        self.done: set[str] = set()
        self.adjusted: Counter[str] = Counter()

    def read(self) -> None:
        """While no engine runs. Raises LogError: the journal is damaged, which is a finding."""
        if not self._folder.exists():
            return
        for record in read(self._folder, self._next):
            self.take(record.number, record.offset, decode_any(record.body[HEADER_SIZE:]))

    def take(self, number: int, offset: int, message: Message) -> None:
        self._next = number + 1
        match message:
            case SubmitOrder():
                key = message.client_order_id
                head = number, offset, message.epoch, message.owner, message.instrument, int(message.side)
                self.sent.setdefault(key, Sent(*head, message.command, key))
            case CancelOrder():
                self.cancels.setdefault(message.client_order_id, (number, offset))
            case Fill():
                fill = message.client_order_id, message.trade_id
                self.fills.append(fill)
                self.booked.setdefault(fill, number)
            case LedgerAdjusted():
                self.adjusted[message.asset] += message.units
            case OrderUpdate():
                if message.status in CANCELING:  # decided, and perhaps held up by the venue's limits
                    self.cancels.setdefault(message.client_order_id, (number, offset))
                if message.status >= DONE:
                    self.done.add(message.client_order_id)
            case _:
                pass

    def in_flight(self) -> int:
        """Orders sent and not known to be over."""
        return len(self.sent.keys() - self.done)
