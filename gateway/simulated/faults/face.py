"""What the faults know of a face: where its market, limits and users are, and the words of its payloads. Pure data."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from ..connection import Connection
from ..core.orders import AccountId, Execution
from ..limits import RequestLimits
from ..market import Market
from ..operations import Operation
from ..payload import Json, Payload


class UserFaults(Protocol):
    """Who spoils a face's user data streams; asked only while it is `armed`."""

    armed: bool

    def pass_on(self, account: AccountId, event: Payload) -> None:
        """Deliver the event as it should be: now, later, twice, changed, or never."""


class FaultedUsers(Protocol):
    """A face's user data streams as the faults need them."""

    faults: UserFaults
    on_execution: Sequence[Callable[[Execution, int], None]]

    def deliver(self, account: AccountId, event: Payload) -> None:
        """Send the event to each of the account's subscriptions, past all faults."""

    def terminate(self, account: AccountId) -> None:
        """End the account's subscriptions, and tell them."""


class OrderWords(NamedTuple):
    """The names under which a payload tells these things of an order."""

    order_id: str
    status: str
    symbol: str
    client_order_id: str
    side: str


class BalanceWords(NamedTuple):
    """The names under which a payload tells an asset and how much of it there is."""

    asset: str
    amounts: tuple[str, ...]


class FaultedFace(NamedTuple):
    """`snapshot` is the answer with a symbol's whole book, `operations` are all that can be asked, by name,
    `balance_operations` of those that answer with balances.

    `connections` returns those of the face's doors that are no market streams.
    """

    name: str
    market: Market
    limits: RequestLimits
    users: FaultedUsers
    snapshot: Callable[[str], Json]
    operations: Mapping[str, Operation]
    connections: Callable[[], list[Connection]]
    answer_order: OrderWords
    event_order: OrderWords
    answer_balance: BalanceWords
    event_balance: BalanceWords
    balance_operations: Collection[str]


BOOK_OPERATION = "depth"
"""What the WebSocket APIs of all faces call the book's snapshot."""
