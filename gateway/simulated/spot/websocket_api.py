"""The WebSocket API door: request frames to operations, sessions, user data subscriptions (web-socket-api.md)."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ..connection import Clock, Connection
from ..core.errors import BadRequest, LimitReached, NotAuthorized, VenueError, missing_parameter
from ..core.orders import AccountId
from ..limits import WEIGHT_RULE, WeightLimits
from ..signing import KeyRing, check_timing, sorted_payload
from .api import OPERATIONS, Public, VenueApi
from .payloads import NS_PER_MS, Json, Payload, encode

CONNECT_WEIGHT = 2  # web-socket-api.md: connecting costs 2
METHOD_WEIGHT = 2  # the same: of session and user data stream methods
PARAMETERS_MAX = 50  # chosen: no request of ours has more than twenty
ORDER_METHODS = ("order.place",)


class _Request(msgspec.Struct):
    """Parameter values stay raw JSON: a number is signed in the very digits the client wrote."""

    method: str
    id: int | str | None = None
    params: dict[str, msgspec.Raw] = {}


@dataclass(slots=True)
class Session:
    """What `session.logon` established on one connection."""

    account: AccountId
    api_key: str
    since_ms: int


class WebSocketApiClient:
    """One connection to the WebSocket API."""

    def __init__(
        self, connection: Connection, api: VenueApi, keys: KeyRing, weights: WeightLimits, clock: Clock
    ) -> None:
        self._connection = connection
        self._api = api
        self._keys = keys
        self._weights = weights
        self._clock = clock
        self._session: Session | None = None
        self._asking: AccountId | None = None  # whose request is being answered
        self._methods: dict[str, Callable[[dict[str, str], int], Json]] = {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
            "session.subscriptions": self._subscriptions,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def leave(self) -> None:
        self._api.market.users.unsubscribe(self._connection)

    def handle(self, text: str) -> None:
        """Answer one request; the answer is queued before the events the request causes."""
        now_ns = self._clock()
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.DecodeError as error:
            self._send({"id": None, "status": 400, "error": {"code": -1135, "msg": f"Invalid JSON Request: {error}"}})
            return
        self._send(self._answer(request, now_ns))
        self._api.market.publish(now_ns)

    def _answer(self, request: _Request, now_ns: int) -> Payload:
        answer: Payload = {"id": request.id}
        wants_limits = True
        self._asking = None
        try:
            params = _texts(request.params)
            wants_limits = params.pop("returnRateLimits", "true") != "false"
            answer |= {"status": 200, "result": self._run(request.method, params, now_ns)}
        except VenueError as error:
            answer |= {"status": error.status, "error": _error(error, now_ns)}
        if wants_limits:
            answer["rateLimits"] = self._rate_limits(request.method, now_ns // NS_PER_MS)
        return answer

    def _run(self, method: str, params: dict[str, str], now_ns: int) -> Json:
        now_ms = now_ns // NS_PER_MS
        operation = OPERATIONS.get(method)
        if operation is None:
            return self._run_own(method, params, now_ns)
        with self._api.evidence.request(method, params, now_ns) as heard:
            self._weights.spend(self._connection.address, operation.weight(params), now_ms)
            if isinstance(operation, Public):
                return operation.run(self._api, params, now_ns)
            heard.account = self._asking = self._account(params)
            check_timing(params, now_ms)
            heard.answer = operation.run(self._api, self._asking, params, now_ns)
        return heard.answer

    def _run_own(self, method: str, params: dict[str, str], now_ns: int) -> Json:
        """A method of the connection itself."""
        self._weights.spend(self._connection.address, METHOD_WEIGHT, now_ns // NS_PER_MS)
        own = self._methods.get(method)
        if own is None:
            raise BadRequest(-1000, f"Unknown method '{method[:64]}'.")
        return own(params, now_ns)

    def _account(self, params: dict[str, str]) -> AccountId:
        """Return who asks: by signature, or by the session for a request without one."""
        if self._session is None or "apiKey" in params or "signature" in params:
            return self._authenticate(params)
        return self._session.account

    def _authenticate(self, params: dict[str, str], *, ed25519_only: bool = False) -> AccountId:
        for name in ("apiKey", "timestamp", "signature"):
            if not params.get(name):
                raise missing_parameter(name)
        payload = sorted_payload(params)
        return self._keys.authenticate(params["apiKey"], payload, params["signature"], ed25519_only=ed25519_only)

    # ---- session and user data stream

    def _logon(self, params: dict[str, str], now_ns: int) -> Json:
        account = self._authenticate(params, ed25519_only=True)
        check_timing(params, now_ns // NS_PER_MS)
        self._session = Session(account, params["apiKey"], now_ns // NS_PER_MS)
        return self._status(params, now_ns)

    def _logout(self, params: dict[str, str], now_ns: int) -> Json:
        self._session = None
        return self._status(params, now_ns)

    def _status(self, params: dict[str, str], now_ns: int) -> Json:
        session = self._session
        return {
            "apiKey": None if session is None else session.api_key,
            "authorizedSince": None if session is None else session.since_ms,
            "connectedSince": self._connection.connected_ns // NS_PER_MS,
            "returnRateLimits": True,
            "serverTime": now_ns // NS_PER_MS,
            "userDataStream": bool(self._api.market.users.subscriptions(self._connection)),
        }

    def _subscriptions(self, params: dict[str, str], now_ns: int) -> Json:
        return [{"subscriptionId": number} for number in self._api.market.users.subscriptions(self._connection)]

    def _subscribe(self, params: dict[str, str], now_ns: int) -> Json:
        if self._session is None:
            raise NotAuthorized(-2015, "Invalid API-key, IP, or permissions for action.")
        return {"subscriptionId": self._api.market.users.subscribe(self._connection, self._session.account)}

    def _subscribe_signed(self, params: dict[str, str], now_ns: int) -> Json:
        account = self._authenticate(params)
        check_timing(params, now_ns // NS_PER_MS)
        return {"subscriptionId": self._api.market.users.subscribe(self._connection, account)}

    def _unsubscribe(self, params: dict[str, str], now_ns: int) -> Json:
        number = params.get("subscriptionId")
        if number is not None and not (number.isascii() and number.isdigit() and len(number) < 10):
            raise BadRequest(-1100, "Illegal characters found in parameter 'subscriptionId'.")
        self._api.market.users.unsubscribe(self._connection, None if number is None else int(number))
        return {}

    def _rate_limits(self, method: str, now_ms: int) -> Json:
        limits: list[Json] = []
        if method in ORDER_METHODS and self._asking is not None:
            limits.extend(self._api.counts[self._asking].payload(now_ms))
        limits.append({**WEIGHT_RULE, "count": self._weights.used(self._connection.address, now_ms)})
        return limits

    def _send(self, payload: Payload) -> None:
        self._connection.send(encode(payload))


def _texts(params: dict[str, msgspec.Raw]) -> dict[str, str]:
    """Return parameter values as text: a string unquoted, anything else in the client's own characters."""
    if len(params) > PARAMETERS_MAX:
        raise BadRequest(-1101, "Too many parameters sent for this endpoint.")
    texts: dict[str, str] = {}
    for name, raw in params.items():
        value = bytes(raw)
        if value == b"null":
            continue
        texts[name] = msgspec.json.decode(value, type=str) if value.startswith(b'"') else value.decode()
    return texts


def _error(error: VenueError, now_ns: int) -> Payload:
    payload: Payload = {"code": error.code, "msg": error.message}
    if isinstance(error, LimitReached):
        payload["data"] = {"serverTime": now_ns // NS_PER_MS, "retryAfter": error.retry_at_ms}
    return payload
