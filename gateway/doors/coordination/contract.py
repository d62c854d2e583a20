"""What instances agree on, as both backends keep it: leadership, cooldowns, self-trade bands, the account's state.

A scope is one account at one venue; who leads it may send orders for it. A group is all scopes whose orders must never
meet. Names (group, scope, symbol, holder) are 1 to 64 characters of A-Z a-z 0-9 . _ : @ -.

CoordinationError
├── Unreachable       no answer in time, from any endpoint; a write may have happened. Ask again
├── TermOver          the store says that another term is in force, or none: stop
├── Refused           the store answered with a definite no (rights, space, a value too large): a person must look
├── EpochsExhausted   epochs no longer fit a client order id
└── Misconfigured     a name, an endpoint or a file that cannot be used; found before anything is asked
"""

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from gateway.doors.coordination.term import Term

EPOCH_MAX = 36**5 - 1
"""Epochs fit five characters of base 36 in a client order id (actors/orders/ids)."""
TTL_MS_MIN = 1_000
"""Of a term: etcd counts whole seconds, and below it the margin leaves too little for four keep-alives."""
ACCOUNT_BYTES_MAX = 1 << 20
"""An account's state; etcd takes requests of up to 1.5 MiB (its default)."""
REASON_LENGTH_MAX = 200
"""Of a cooldown's reason; longer text is cut. Chosen."""

_NAME = re.compile(r"[A-Za-z0-9._:@-]{1,64}")


class CoordinationError(Exception):
    """Base of all errors here."""


class Unreachable(CoordinationError):
    """The outcome is unknown when the operation writes; every operation of the contract may be repeated."""

    def __init__(self, where: str, operation: str, reason: str) -> None:
        self.where, self.operation, self.reason = where, operation, reason
        super().__init__(
            f"{operation}: no answer from {where}: {reason}; see that it runs and that [coordination] names it"
        )


class TermOver(CoordinationError):
    """A write that only the leader may do came from a term that is not in force: nothing was written."""

    def __init__(self, scope: str, epoch: int, reason: str) -> None:
        self.scope, self.epoch, self.reason = scope, epoch, reason
        super().__init__(f"{scope}: the term of epoch {epoch} is over: {reason}")


class Refused(CoordinationError):
    """The store understood and said no. code: the store's own word for it."""

    def __init__(self, where: str, operation: str, reason: str, code: str = "") -> None:
        self.where, self.operation, self.reason, self.code = where, operation, reason, code
        super().__init__(f"{operation}: {where} refused: {reason}")


class EpochsExhausted(CoordinationError):
    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__(f"{scope}: all {EPOCH_MAX} epochs are used up; give [coordination] account another label")


class Misconfigured(CoordinationError):
    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class Leader(NamedTuple):
    """Who leads a scope, as the store has it; it may have died since."""

    scope: str
    epoch: int
    holder: str


class Cooldown(NamedTuple):
    """until_ns: engine time. It holds until then, whoever asked for it lives or not; past ones may still be listed."""

    symbol: str
    until_ns: int
    reason: str


class Band(NamedTuple):
    """What a scope may rest at on one symbol: bids up to bid_max, asks from ask_min on; 0: nothing on that side.

    It outlives the term, as orders do. A band of 0, 0 says that the scope is there: its peers count it.
    """

    symbol: str
    scope: str
    bid_max: int
    ask_min: int


class BandAnswer(NamedTuple):
    """theirs_*: the extremes of all other scopes on that symbol (0: none), as they were when it was decided."""

    granted: bool
    theirs_bid_max: int
    theirs_ask_min: int


class Picture(NamedTuple):
    """All that an instance watches, at one moment of the store. Sorted by symbol and scope."""

    leader: Leader | None
    cooldowns: tuple[Cooldown, ...]
    bands: tuple[Band, ...]


class Waiting(NamedTuple):
    """What a campaign waits for. trouble: why the store cannot be asked; "" when it can."""

    leader: Leader | None
    trouble: str


class Watching(Protocol):
    """A running watch."""

    @property
    def seen_ns(self) -> int:
        """Boottime at which the store last confirmed the picture; 0: not yet."""
        ...

    @property
    def trouble(self) -> str:
        """Why it cannot be asked now; "" when it can."""
        ...

    async def close(self) -> None: ...


def unnoticed(waiting: Waiting) -> None:
    """For who does not care what a campaign waits for."""


class Coordinator(Protocol):
    """One instance's access to what all agree on. Every operation ends within a named time, with an error of the tree.

    Operations may run at the same time, on one event loop. `open` needs no server: a standby may start before its store.
    """

    @property
    def private(self) -> bool:
        """Whether the store is one state directory's alone: nobody else can lead."""
        ...

    async def open(self) -> None:
        """Raises Misconfigured."""
        ...

    async def close(self) -> None:
        """Terms that were not resigned run out by themselves. Idempotent."""
        ...

    async def campaign(
        self, scope: str, above: Callable[[], int], waiting: Callable[[Waiting], None] = unnoticed
    ) -> Term:
        """Waits until the scope is ours, through any outage; may be canceled, and then leaves nothing behind.

        The term's epoch is above every epoch of this scope before, and above `above()`, asked at the moment of winning:
        the highest epoch that journal and state directory know, and the minutes since 2020 (so that a store that was lost
        does not repeat epochs). `waiting` is called when what it waits for has changed.
        Raises EpochsExhausted, Refused.
        """
        ...

    async def resign(self, term: Term) -> None:
        """Ends the term at once for ourselves, then for others. Raises Unreachable: it then runs out by itself."""
        ...

    async def observe(self, scope: str) -> Leader | None:
        """Raises Unreachable, Refused, as all below."""
        ...

    def watch(self, group: str, scope: str, changed: Callable[[Picture], None]) -> Watching:
        """Calls `changed` on the event loop, first with the picture as it is, then whenever it is another."""
        ...

    async def hold_cooldown(self, group: str, symbol: str, until_ns: int, reason: str) -> Cooldown:
        """Pause a symbol for the group; returns the one in force, which ends later if a later end was there already."""
        ...

    async def cooldowns(self, group: str) -> tuple[Cooldown, ...]: ...

    async def put_band(self, term: Term, group: str, symbol: str, bid_max: int, ask_min: int) -> BandAnswer:
        """Hold this band instead of the scope's last, if it meets no other scope's; all or nothing.

        Raises TermOver: a predecessor must not narrow what its successor holds.
        """
        ...

    async def drop_band(self, term: Term, group: str, symbol: str) -> None:
        """The scope has nothing there any more and is no peer: after its orders are proven gone. Raises TermOver."""
        ...

    async def bands(self, group: str, symbol: str = "") -> tuple[Band, ...]:
        """Of all scopes; of all symbols when none is named."""
        ...

    async def put_account(self, term: Term, state: bytes) -> None:
        """Leave the account's state for a successor; at most ACCOUNT_BYTES_MAX. Raises TermOver."""
        ...

    async def get_account(self, scope: str) -> bytes | None: ...


def check_name(field: str, name: str) -> str:
    """The name, if it can stand in a key. Raises Misconfigured."""
    if not _NAME.fullmatch(name):
        raise Misconfigured(field, f"{name!r} is not 1 to 64 characters of A-Z a-z 0-9 . _ : @ -")
    return name


def check_account(state: bytes) -> bytes:
    """The state, if it is small enough for every backend. Raises Refused."""
    if len(state) > ACCOUNT_BYTES_MAX:
        raise Refused(
            "coordination",
            "put_account",
            f"{len(state)} bytes are above {ACCOUNT_BYTES_MAX}; fewer instruments an account",
        )
    return state


def next_epoch(scope: str, counter: int, above: int) -> int:
    """The epoch of a new term. Raises EpochsExhausted."""
    epoch = max(counter, above) + 1
    if epoch > EPOCH_MAX:
        raise EpochsExhausted(scope)
    return epoch


def judge_band(mine: Band, bands: tuple[Band, ...]) -> BandAnswer:
    """Whether `mine` meets none of the other scopes' on its symbol."""
    others = [band for band in bands if band.symbol == mine.symbol and band.scope != mine.scope]
    bid_max = max((band.bid_max for band in others), default=0)
    ask_min = min((band.ask_min for band in others if band.ask_min > 0), default=0)
    meets = (ask_min > 0 and mine.bid_max >= ask_min) or (mine.ask_min > 0 and mine.ask_min <= bid_max)
    return BandAnswer(not meets, bid_max, ask_min)
