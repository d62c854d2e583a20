"""The WebSocket API door: request frames to operations, sessions, user data subscriptions (web-socket-api.md)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from ..connection import Clock, Connection
from ..core.errors import BadRequest, LimitReached, NotAuthorized, VenueError, missing_parameter
from ..core.orders import AccountId
from ..desk import Desk
from ..faults.plan import NOTHING
from ..operations import NOBODY, Answer, Ask, Kind, Proof
from ..payload import NS_PER_MS, Json, Payload, encode
from ..signing import KeyRing, check_timing, sorted_payload
from .api import VenueApi
from .table import OPERATIONS

CONNECT_WEIGHT = 2  # web-socket-api.md: connecting costs 2
METHOD_WEIGHT = 2  # the same: of session and user data stream methods
PARAMETERS_MAX = 50  # chosen: no request of ours has more than twenty
TASKS_MAX = 1_000  # chosen: requests of one connection that wait for what was planned for them


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

    def __init__(self, connection: Connection, desk: Desk, api: VenueApi, keys: KeyRing, clock: Clock) -> None:
        self._connection = connection
        self._desk = desk
        self._api = api
        self._keys = keys
        self._clock = clock
        self._session: Session | None = None
        self._tasks: set[asyncio.Task[None]] = set()
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
        self._api.users.unsubscribe(self._connection)

    def handle(self, text: str) -> None:
        """Answer one request; the answer is queued before the events the request causes."""
        now_ns = self._clock()
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.DecodeError as error:
            self._send({"id": None, "status": 400, "error": {"code": -1135, "msg": f"Invalid JSON Request: {error}"}})
            return
        try:
            params = _texts(request.params)
        except VenueError as error:
            self._reply(request, None, Answer(error=error, now_ns=now_ns), wants_limits=True)
            return
        wants_limits = params.pop("returnRateLimits", "true") != "false"
        operation = OPERATIONS.get(request.method)
        if operation is None:
            self._reply(request, None, self._answer_own(request.method, params, now_ns), wants_limits=wants_limits)
            return
        ask = Ask("api", request.method, operation, params, self._connection.address, now_ns, self._identify(params))
        self._serve(request, ask, wants_limits=wants_limits)

    def _serve(self, request: "_Request", ask: Ask, *, wants_limits: bool) -> None:
        plan = self._desk.plan(ask)
        if plan is NOTHING:
            answer = self._desk.answer(ask)
            self._reply(request, ask, answer, wants_limits=wants_limits)
            self._desk.finish(ask, answer)
            return

        async def write(answer: Answer) -> None:
            self._reply(request, ask, answer, wants_limits=wants_limits)

        if len(self._tasks) >= TASKS_MAX:
            self._connection.abort()
            return
        task = asyncio.create_task(self._desk.serve(ask, plan, write, self._connection.abort))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reply(self, request: "_Request", ask: Ask | None, answer: Answer, *, wants_limits: bool) -> None:
        payload: Payload = {"id": request.id, "status": answer.status}
        if answer.error is None:
            payload["result"] = answer.result
        else:
            payload["error"] = _error(answer.error, answer.now_ns)
        if wants_limits:
            payload["rateLimits"] = self._rate_limits(ask, answer)
        self._send(payload)

    def _answer_own(self, method: str, params: dict[str, str], now_ns: int) -> Answer:
        """A method of the connection itself."""
        answer, limits = Answer(now_ns=now_ns), self._desk.limits
        try:
            limits.enter(self._connection.address, now_ns // NS_PER_MS)
            limits.spend(self._connection.address, METHOD_WEIGHT, now_ns // NS_PER_MS)
            own = self._methods.get(method)
            if own is None:
                raise BadRequest(-1000, f"Unknown method '{method[:64]}'.")
            answer.result = own(params, now_ns)
        except VenueError as error:
            answer.error = error
        return answer

    def _identify(self, params: dict[str, str]) -> Callable[[Proof], AccountId]:
        """Who asks: by signature, or by the session for a request without one."""

        def identify(proof: Proof) -> AccountId:
            if proof is Proof.NONE:
                return NOBODY
            if self._session is not None and "apiKey" not in params and "signature" not in params:
                return self._session.account
            return self._authenticate(params)

        return identify

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
            "userDataStream": bool(self._api.users.subscriptions(self._connection)),
        }

    def _subscriptions(self, params: dict[str, str], now_ns: int) -> Json:
        return [{"subscriptionId": number} for number in self._api.users.subscriptions(self._connection)]

    def _subscribe(self, params: dict[str, str], now_ns: int) -> Json:
        if self._session is None:
            raise NotAuthorized(-2015, "Invalid API-key, IP, or permissions for action.")
        return {"subscriptionId": self._api.users.subscribe(self._connection, self._session.account)}

    def _subscribe_signed(self, params: dict[str, str], now_ns: int) -> Json:
        account = self._authenticate(params)
        check_timing(params, now_ns // NS_PER_MS)
        return {"subscriptionId": self._api.users.subscribe(self._connection, account)}

    def _unsubscribe(self, params: dict[str, str], now_ns: int) -> Json:
        number = params.get("subscriptionId")
        if number is not None and not (number.isascii() and number.isdigit() and len(number) < 10):
            raise BadRequest(-1100, "Illegal characters found in parameter 'subscriptionId'.")
        self._api.users.unsubscribe(self._connection, None if number is None else int(number))
        return {}

    def _rate_limits(self, ask: Ask | None, answer: Answer) -> Json:
        limits: list[Json] = []
        now_ms = answer.now_ns // NS_PER_MS
        if ask is not None and ask.operation.kind is Kind.PLACE and answer.account in self._api.counts:
            limits.extend(self._api.counts[answer.account].payload(now_ms))
        used = self._desk.limits.used(self._connection.address, now_ms)
        limits.append({**self._desk.limits.rules.weight_rule(), "count": used})
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
