"""What one connection to the WebSocket API is logged on as, and what it is subscribed to (web-socket-api.md, "Session Authentication")."""

from collections.abc import Callable
from typing import Protocol

from ..connection import Connection
from ..core.errors import BadRequest, NotAuthorized
from ..core.orders import AccountId
from ..operations import Params
from ..payload import Instant, Json, TimeUnit
from ..signing import check_timing
from . import parameters
from .user_streams import Subscription, UserStreams


class Authenticate(Protocol):
    def __call__(self, params: dict[str, str], *, ed25519_only: bool = False) -> AccountId:
        """Return who signed. Raises VenueError."""


class Session:
    """`account` is whose session it is, None before a logon."""

    def __init__(
        self,
        connection: Connection,
        users: UserStreams,
        authenticate: Authenticate,
        unit: TimeUnit,
        *,
        returns_limits: bool,
    ) -> None:
        self.account: AccountId | None = None
        self._connection = connection
        self._users = users
        self._authenticate = authenticate
        self._unit = unit
        self._returns_limits = returns_limits
        self._api_key: str | None = None
        self._since_ns = 0
        self._ended: list[Subscription] = []
        self._methods: dict[str, Callable[[dict[str, str], int], Json]] = {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
            "session.subscriptions": self._subscriptions,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def run(self, method: str, params: dict[str, str], now_ns: int) -> Json:
        """Do as asked. Raises BadRequest for a method that nobody has, VenueError for what is refused."""
        own = self._methods.get(method)
        if own is None:
            raise BadRequest(-1000, f"Unknown method '{method[:64]}'.")
        return own(params, now_ns)

    def say_ended(self, now_ns: int) -> None:
        """Tell the subscriptions that ended since, once the answer that ended them is out."""
        ended, self._ended = self._ended, []
        for subscription in ended:
            self._users.say_terminated(self._connection, subscription, now_ns)

    def leave(self) -> None:
        """The connection is over."""
        self._users.leave(self._connection)

    def _logon(self, params: dict[str, str], now_ns: int) -> Json:
        account = self._authenticate(params, ed25519_only=True)
        check_timing(params, now_ns)
        self.account, self._api_key, self._since_ns = account, params["apiKey"], now_ns
        return self._status(params, now_ns)

    def _logout(self, params: dict[str, str], now_ns: int) -> Json:
        self.account, self._api_key = None, None
        self._ended = self._users.log_out(self._connection)
        return self._status(params, now_ns)

    def _status(self, params: Params, now_ns: int) -> Json:
        return {
            "apiKey": self._api_key,
            "authorizedSince": None if self.account is None else Instant(self._since_ns),
            "connectedSince": Instant(self._connection.connected_ns),
            "returnRateLimits": self._returns_limits,
            "serverTime": Instant(now_ns),
            "userDataStream": bool(self._users.subscriptions(self._connection)),
        }

    def _subscriptions(self, params: Params, now_ns: int) -> Json:
        return [{"subscriptionId": number} for number in self._users.subscriptions(self._connection)]

    def _subscribe(self, params: Params, now_ns: int) -> Json:
        if self.account is None:
            raise NotAuthorized(-2015, "Invalid API-key, IP, or permissions for action.")
        number = self._users.subscribe(self._connection, self.account, self._unit, by_session=True)
        return {"subscriptionId": number}

    def _subscribe_signed(self, params: dict[str, str], now_ns: int) -> Json:
        account = self._authenticate(params)
        check_timing(params, now_ns)
        return {"subscriptionId": self._users.subscribe(self._connection, account, self._unit)}

    def _unsubscribe(self, params: Params, now_ns: int) -> Json:
        self._ended = self._users.unsubscribe(self._connection, parameters.integer(params, "subscriptionId"))
        return {}
