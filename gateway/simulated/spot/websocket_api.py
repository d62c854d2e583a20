"""The WebSocket API door: request frames to operations and back (web-socket-api.md)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

import msgspec

from ..connection import Clock, Connection
from ..core.errors import BadRequest, Banned, LimitReached, VenueError, missing_parameter
from ..core.orders import AccountId
from ..desk import Desk
from ..faults.plan import NOTHING
from ..operations import NOBODY, SESSION, UNREAD, Answer, Ask, Kind, Operation, PartlyFailed, Proof
from ..payload import ENCODERS, NS_PER_MS, Instant, Json, Payload, TimeUnit
from ..signing import KeyRing, sorted_payload
from .rest import Counts
from .session import Authenticate
from .table import OPERATIONS

METHOD_WEIGHT = 2  # web-socket-api.md: of session and user data stream methods
UNREAD_WEIGHT = 1  # chosen: what cannot be read as a request
PARAMETERS_MAX = 50  # chosen: no request of ours has more than twenty
TASKS_MAX = 1_000  # chosen: requests of one connection that wait for what was planned for them
VERSION = "v3/"  # web-socket-api.md: "method names may be prefixed with explicit version"
COUNTED = (Kind.PLACE, Kind.REPLACE)
"""Whose answers tell how many orders the account has placed."""


class _Request(msgspec.Struct):
    """Parameter values stay raw JSON: a number is signed in the very digits the client wrote."""

    method: str
    id: int | str | None = None
    params: dict[str, msgspec.Raw] = {}


class ConnectionSession(Protocol):
    """What a connection is logged on as, and the methods that are its own."""

    account: AccountId | None

    def run(self, method: str, params: dict[str, str], now_ns: int) -> Json:
        """Do as asked. Raises VenueError."""

    def say_ended(self, now_ns: int) -> None:
        """Tell what the method ended, once its answer is out."""

    def leave(self) -> None:
        """The connection is over."""


class WebSocketApiClient:
    """One connection to the WebSocket API. `unit` and `returns_limits` are what its URL asked for.

    Spot's; another face has its own `operations`, and sessions of its own.
    """

    operations: ClassVar[Mapping[str, Operation]] = OPERATIONS
    counted: ClassVar[tuple[Kind, ...]] = COUNTED

    def __init__(
        self,
        connection: Connection,
        desk: Desk,
        api: Counts,
        keys: KeyRing,
        clock: Clock,
        open_session: Callable[[Authenticate], ConnectionSession],
        unit: TimeUnit = TimeUnit.MILLISECOND,
        *,
        returns_limits: bool = True,
    ) -> None:
        self.is_banned = False
        self._connection = connection
        connection.joins = True
        self._desk = desk
        self._api = api
        self._clock = clock
        self._keys = keys
        self._encode = ENCODERS[unit]
        self._returns_limits = returns_limits
        self._session = open_session(self._authenticate)
        self._tasks: set[asyncio.Task[None]] = set()

    def leave(self) -> None:
        self._session.leave()

    def handle(self, text: str) -> None:
        """Answer one request; the answer is sent before the events the request causes."""
        now_ns = self._clock()
        try:
            request = msgspec.json.decode(text, type=_Request)
        except (msgspec.DecodeError, RecursionError):
            self._refuse(_Request(""), BadRequest(-1135, "Invalid JSON Request"), now_ns)
            return
        try:
            params = _texts(request.params)
        except VenueError as error:
            self._refuse(request, error, now_ns)
            return
        sent = dict(params)  # what was signed, returnRateLimits too
        asked = params.pop("returnRateLimits", None)
        wants_limits = self._returns_limits if asked is None else asked != "false"
        method = request.method.removeprefix(VERSION)
        operation = self.operations.get(method)
        if operation is None:
            answer = self._answer_own(method, sent, now_ns)
            self._reply(request, None, answer, wants_limits=wants_limits)
            self._session.say_ended(now_ns)
            return
        ask = Ask("api", method, operation, params, self._connection.address, now_ns, self._identify(sent))
        self._serve(request, ask, wants_limits=wants_limits)

    def _refuse(self, request: _Request, error: VenueError, now_ns: int) -> None:
        """Answer what cannot be read as a request; it counts as one."""
        answer = Answer(error=error, now_ns=now_ns)
        try:
            self._desk.limits.charge(self._connection.address, UNREAD_WEIGHT, now_ns // NS_PER_MS)
        except LimitReached as limit:
            answer.error = limit
        self._desk.note("api", request.method, UNREAD, {}, answer)
        self._reply(request, None, answer, wants_limits=self._returns_limits)

    def _serve(self, request: _Request, ask: Ask, *, wants_limits: bool) -> None:
        plan = self._desk.plan(ask)
        if plan is NOTHING:
            answer = self._desk.answer(ask)
            self._reply(request, ask, answer, wants_limits=wants_limits)
            self._desk.finish(ask, answer)
            return
        begun = self._desk.begin(ask, plan)

        def tell() -> None:
            if plan.is_told:
                for _ in range(plan.copies):
                    self._reply(request, ask, begun.answer, wants_limits=wants_limits)
                self._desk.finish(ask, begun.answer)
            elif plan.cuts:
                self._connection.abort()

        async def tell_later() -> None:
            await self._desk.wait(ask, plan, begun)
            tell()

        if not begun.is_held and not plan.after_ns:
            tell()
        elif len(self._tasks) >= TASKS_MAX:
            self._connection.abort()
        else:
            task = asyncio.create_task(tell_later())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _reply(self, request: _Request, ask: Ask | None, answer: Answer, *, wants_limits: bool) -> None:
        payload: Payload = {"id": request.id, "status": answer.status}
        if answer.error is None:
            payload["result"] = answer.result
        else:
            payload["error"] = _error(answer.error, answer.now_ns)
        if wants_limits:
            payload["rateLimits"] = self._rate_limits(ask, answer)
        self._send(payload)
        self.is_banned = isinstance(answer.error, Banned)

    def _answer_own(self, method: str, params: dict[str, str], now_ns: int) -> Answer:
        """A method of the connection itself."""
        answer, limits = Answer(now_ns=now_ns), self._desk.limits
        try:
            limits.charge(self._connection.address, METHOD_WEIGHT, now_ns // NS_PER_MS)
            answer.result = answer.outcome = self._session.run(method, params, now_ns)
        except VenueError as error:
            answer.error = error
        self._desk.note("api", method, SESSION, params, answer)
        return answer

    def _identify(self, params: dict[str, str]) -> Callable[[Proof], AccountId]:
        """Who asks: by signature, or by the session for a request without one."""

        def identify(proof: Proof) -> AccountId:
            if proof is Proof.NONE:
                return NOBODY
            if self._session.account is not None and "apiKey" not in params and "signature" not in params:
                return self._session.account
            if proof is Proof.KEY:
                return self._keys.owner(params.get("apiKey", ""))
            return self._authenticate(params)

        return identify

    def _authenticate(self, params: dict[str, str], *, ed25519_only: bool = False) -> AccountId:
        for name in ("apiKey", "timestamp", "signature"):
            if not params.get(name):
                raise missing_parameter(name)
        payload = sorted_payload(params)
        return self._keys.authenticate(params["apiKey"], payload, params["signature"], ed25519_only=ed25519_only)

    def _rate_limits(self, ask: Ask | None, answer: Answer) -> Json:
        limits: list[Json] = []
        now_ms = answer.now_ns // NS_PER_MS
        if ask is not None and ask.operation.kind in self.counted and answer.account in self._api.counts:
            limits.extend(self._api.counts[answer.account].payload(now_ms))
        limits.append(self._desk.limits.payload(self._connection.address, now_ms))
        return limits

    def _send(self, payload: Payload) -> None:
        self._connection.send(self._encode(payload))


def _texts(params: dict[str, msgspec.Raw]) -> dict[str, str]:
    """Return parameter values as text: a string unquoted, anything else in the client's own characters."""
    if len(params) > PARAMETERS_MAX:
        message = f"Too many parameters; expected '{PARAMETERS_MAX}' and received '{len(params)}'."
        raise BadRequest(-1101, message)
    texts: dict[str, str] = {}
    try:
        for name, raw in params.items():
            value = bytes(raw)
            if value == b"null":
                continue
            texts[name] = msgspec.json.decode(value, type=str) if value.startswith(b'"') else value.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(-1135, "Invalid JSON Request") from error
    return texts


def _error(error: VenueError, now_ns: int) -> Payload:
    payload: Payload = {"code": error.code, "msg": error.message}
    if isinstance(error, LimitReached):
        payload["data"] = {"serverTime": Instant(now_ns), "retryAfter": Instant(error.retry_at_ms * NS_PER_MS)}
    elif isinstance(error, PartlyFailed):
        payload["data"] = error.data
    return payload
