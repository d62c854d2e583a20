"""What a venue's doors can be asked to do, and one request on its way: the same for REST, the WebSocket API and every face. Pure."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import msgspec

from .core.errors import BadRequest, VenueError
from .core.orders import AccountId
from .payload import Json, Payload

Params = Mapping[str, str]
Weight = Callable[[Params], int]

NOBODY = AccountId("")
SESSION = "session"
UNREAD = "unread"
"""Kinds, for the record, of requests without an operation: of their connection; and what cannot be read as one."""
PROOF_NAMES = frozenset(("apiKey", "timestamp", "recvWindow", "signature"))


class Kind(Enum):
    """What a request is about, for whoever counts, records or spoils it."""

    PLACE = "place"
    CANCEL = "cancel"
    REPLACE = "replace"
    AMEND = "amend"
    QUERY = "query"
    MARKET = "market"
    ACCOUNT = "account"


class Proof(Enum):
    """What a request must bring: nothing, an API key, or a key and a signature with a timestamp."""

    NONE = "none"
    KEY = "key"
    SIGNATURE = "signature"


class PartlyFailed(VenueError):
    """An operation that was not done whole. `data` tells what became of its parts; `outcome` is that, if any part was done."""

    def __init__(self, code: int, message: str, status: int, data: Payload, *, is_begun: bool) -> None:
        super().__init__(code, message)
        self.status = status
        self.data = data
        self.outcome = data if is_begun else None


class Call(NamedTuple):
    """One request as an operation sees it. `account` is NOBODY where no proof is asked for."""

    account: AccountId
    params: Params
    now_ns: int
    address: str = ""


class Operation(NamedTuple):
    """`run` takes the face's API and the call, and returns the result; it raises VenueError to refuse.

    A request of `pages` rows at most is a page of a longer answer, where the client asked for no less. `names` are the
    parameters it reads, proof included; None where that is not checked.
    """

    run: Callable[[Any, Call], Json]
    weight: Weight
    kind: Kind
    proof: Proof = Proof.SIGNATURE
    pages: int = 0
    names: frozenset[str] | None = None


def constant(weight: int) -> Weight:
    return lambda _: weight


def public(run: Callable[[Any, Call], Json], weight: int | Weight) -> Operation:
    """Market data: nobody has to prove anything."""
    return Operation(run, _weight(weight), Kind.MARKET, Proof.NONE)


def signed(
    kind: Kind, run: Callable[[Any, Call], Json], weight: int | Weight, names: str | None = None, *, pages: int = 0
) -> Operation:
    """`names`: the parameters it reads, apart by spaces; those of the proof come with it."""
    read = None if names is None else PROOF_NAMES.union(names.split())
    return Operation(run, _weight(weight), kind, Proof.SIGNATURE, pages, read)


def check_names(operation: Operation, params: Params) -> None:
    """Raise BadRequest for a parameter that the operation does not read, in the venue's words (errors.md, -1104)."""
    if operation.names is None or operation.names.issuperset(params):
        return
    read = len(operation.names.intersection(params))
    message = f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(params)}'."
    raise BadRequest(-1104, message)


def _weight(weight: int | Weight) -> Weight:
    return constant(weight) if isinstance(weight, int) else weight


class Ask(msgspec.Struct, frozen=True):
    """A request that has arrived. `identify` proves who asks: it returns the account or raises VenueError."""

    door: str
    """rest, or api for the WebSocket API."""
    name: str
    """The operation, as the WebSocket API names it."""
    operation: Operation
    params: Params
    address: str
    received_ns: int
    identify: Callable[[Proof], AccountId]


class Answer(msgspec.Struct):
    """What goes back: a result, or the error that refused it. `account`: who was proven to ask.

    `outcome` is what was really done, whatever the answer says; None when nothing was.
    """

    result: Json = None
    error: VenueError | None = None
    account: AccountId = NOBODY
    now_ns: int = 0
    outcome: Json = None

    @property
    def status(self) -> int:
        return 200 if self.error is None else self.error.status
