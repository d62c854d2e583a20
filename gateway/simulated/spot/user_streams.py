"""The user data stream: who hears which account on which connection, and its events in the reader's unit of time. No sockets here.

Subscriptions and their limits: web-socket-api.md, "User Data Stream subscription"; the envelope: user-data-stream.md.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from ..core.errors import BadRequest
from ..core.matching import MatchingEngine
from ..core.orders import AccountId, Execution
from ..faults.face import UserFaults
from ..payload import ENCODERS, Payload, TimeUnit
from .user_payloads import account_position, balance_update, execution_report, stream_terminated

ACTIVE_MAX = 1_000  # web-socket-api.md: "up to 1,000 active subscriptions simultaneously"
LIFETIME_MAX = 65_535  # the same: "a maximum of 65,535 total subscriptions over its lifetime"


class Listener(Protocol):
    """A connection, as far as its events go."""

    def send(self, payload: bytes) -> None: ...


class _NoFaults:
    armed = False

    def pass_on(self, account: AccountId, event: Payload) -> None:
        raise AssertionError("nothing goes wrong here")


class Subscription(NamedTuple):
    """`by_session`: it ends when the session that asked for it logs out."""

    number: int
    account: AccountId
    unit: TimeUnit
    by_session: bool


class UserStreams:
    """`on_execution` hears of every execution of an account, whether somebody listens or not."""

    def __init__(self, engine: MatchingEngine) -> None:
        self.on_execution: Sequence[Callable[[Execution, int], None]] = ()
        self.faults: UserFaults = _NoFaults()
        self._engine = engine
        self._now_ns = 0
        self._by_connection: dict[Listener, dict[int, Subscription]] = {}
        self._by_account: dict[AccountId, dict[tuple[Listener, int], TimeUnit]] = {}
        self._numbered: dict[Listener, int] = {}

    # ---- subscriptions

    def subscribe(
        self,
        connection: Listener,
        account: AccountId,
        unit: TimeUnit = TimeUnit.MILLISECOND,
        *,
        by_session: bool = False,
    ) -> int:
        """Return the new subscription's id, never used before on its connection. Raises BadRequest beyond the limits."""
        active = self._by_connection.setdefault(connection, {})
        number = self._numbered.get(connection, 0)
        if any(subscription.account == account for subscription in active.values()):
            raise BadRequest(-2035, "User Data Stream subscription already active.")
        if number >= LIFETIME_MAX:
            raise BadRequest(-2042, "Maximum subscription ID reached for this connection.")
        if len(active) >= ACTIVE_MAX:
            message = f"Too many subscriptions. Connection may create up to '{ACTIVE_MAX}' subscriptions at a time."
            raise BadRequest(-1191, message)
        self._numbered[connection] = number + 1
        active[number] = Subscription(number, account, unit, by_session)
        self._by_account.setdefault(account, {})[connection, number] = unit
        return number

    def subscriptions(self, connection: Listener) -> list[int]:
        return list(self._by_connection.get(connection, ()))

    def unsubscribe(self, connection: Listener, number: int | None = None) -> list[Subscription]:
        """End one subscription of `connection`, or all of them; return those. Raises BadRequest where there is none."""
        active = self._by_connection.get(connection, {})
        ended = [subscription for subscription in active.values() if number in (None, subscription.number)]
        if not ended:
            raise BadRequest(-2036, "User Data Stream subscription not active.")
        self._end(connection, ended)
        return ended

    def log_out(self, connection: Listener) -> list[Subscription]:
        """End what the connection's session asked for; return those."""
        ended = [s for s in self._by_connection.get(connection, {}).values() if s.by_session]
        self._end(connection, ended)
        return ended

    def leave(self, connection: Listener) -> None:
        """The connection is over."""
        self._end(connection, list(self._by_connection.get(connection, {}).values()))
        self._by_connection.pop(connection, None)
        self._numbered.pop(connection, None)

    def terminate(self, account: AccountId) -> None:
        """End every subscription to `account` from the venue's side, and say so to each."""
        for connection, number in list(self._by_account.get(account, ())):
            for subscription in self.unsubscribe(connection, number):
                self.say_terminated(connection, subscription, self._now_ns)

    def say_terminated(self, connection: Listener, subscription: Subscription, now_ns: int) -> None:
        _send(connection, subscription.number, ENCODERS[subscription.unit](stream_terminated(now_ns)))

    def _end(self, connection: Listener, ended: list[Subscription]) -> None:
        active = self._by_connection.get(connection, {})
        for subscription in ended:
            del active[subscription.number]
            listeners = self._by_account[subscription.account]
            del listeners[connection, subscription.number]
            if not listeners:
                del self._by_account[subscription.account]

    # ---- events

    def publish_executions(self, executions: list[Execution], now_ns: int) -> None:
        self._now_ns = now_ns
        for execution in executions:
            for hear in self.on_execution:
                hear(execution, now_ns)
            account = execution.order.account
            if account in self._by_account:
                self._tell(account, execution_report(execution, now_ns))

    def publish_balances(self, touched: dict[AccountId, dict[str, None]], now_ns: int) -> None:
        for account, assets in touched.items():
            if account in self._by_account:
                free, locked = self._engine.ledger.free[account], self._engine.ledger.locked[account]
                self._tell(account, account_position([(a, free[a], locked[a]) for a in assets], now_ns))

    def publish_deposit(self, account: AccountId, asset: str, amount: int, now_ns: int) -> None:
        """Both are sent (user-data-stream.md: outboundAccountPosition "any time an account balance has changed"); this order is chosen."""
        if account in self._by_account:
            self._tell(account, balance_update(asset, amount, now_ns))
            self.publish_balances({account: {asset: None}}, now_ns)

    def _tell(self, account: AccountId, event: Payload) -> None:
        if self.faults.armed:
            self.faults.pass_on(account, event)
        else:
            self.deliver(account, event)

    def deliver(self, account: AccountId, event: Payload) -> None:
        """Send the event to each of the account's subscriptions, past all faults: encoded once for each unit of time."""
        encoded: dict[TimeUnit, bytes] = {}
        for (connection, number), unit in list(self._by_account.get(account, {}).items()):
            body = encoded.get(unit)
            if body is None:
                body = encoded[unit] = ENCODERS[unit](event)
            _send(connection, number, body)


def _send(connection: Listener, number: int, event: bytes) -> None:
    connection.send(b'{"subscriptionId":%d,"event":%b}' % (number, event))
