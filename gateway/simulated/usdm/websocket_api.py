"""The futures face's WebSocket API: spot's door, with its own methods and plainer sessions (docs, "WebSocket API General Info")."""

from collections.abc import Callable, Mapping
from typing import ClassVar

from ..connection import Connection
from ..core.errors import BadRequest
from ..core.orders import AccountId
from ..operations import Kind, Operation
from ..payload import Instant, Json
from ..signing import HMAC_DIGITS, check_timing
from ..spot.session import Authenticate
from ..spot.websocket_api import WebSocketApiClient
from .errors import hmac_unsupported
from .rest import COUNTED
from .table import OPERATIONS, WEBSOCKET_API


class PerpetualApiClient(WebSocketApiClient):
    operations: ClassVar[Mapping[str, Operation]] = {name: OPERATIONS[name] for name in WEBSOCKET_API}
    counted: ClassVar[tuple[Kind, ...]] = COUNTED


class PerpetualSession:
    """A `ConnectionSession`: log on, ask, log out. User data streams have listen keys and no subscriptions here."""

    def __init__(self, connection: Connection, authenticate: Authenticate, *, returns_limits: bool) -> None:
        self.account: AccountId | None = None
        self._connection = connection
        self._authenticate = authenticate
        self._returns_limits = returns_limits
        self._api_key: str | None = None
        self._since_ns = 0
        self._methods: dict[str, Callable[[dict[str, str], int], Json]] = {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
        }

    def run(self, method: str, params: dict[str, str], now_ns: int) -> Json:
        own = self._methods.get(method)
        if own is None:
            raise BadRequest(-1000, f"Unknown method '{method[:64]}'.")
        return own(params, now_ns)

    def say_ended(self, now_ns: int) -> None:
        """Nothing ever ends with a session."""

    def leave(self) -> None:
        """Nothing is kept of a connection."""

    def _logon(self, params: dict[str, str], now_ns: int) -> Json:
        if len(params.get("signature", "")) == HMAC_DIGITS:
            self._authenticate(params)
            raise hmac_unsupported()
        account = self._authenticate(params, ed25519_only=True)
        check_timing(params, now_ns)
        self.account, self._api_key, self._since_ns = account, params["apiKey"], now_ns
        return self._status(params, now_ns)

    def _logout(self, params: dict[str, str], now_ns: int) -> Json:
        self.account, self._api_key = None, None
        return self._status(params, now_ns)

    def _status(self, params: dict[str, str], now_ns: int) -> Json:
        return {
            "apiKey": self._api_key,
            "authorizedSince": None if self.account is None else Instant(self._since_ns),
            "connectedSince": Instant(self._connection.connected_ns),
            "returnRateLimits": self._returns_limits,
            "serverTime": Instant(now_ns),
        }
