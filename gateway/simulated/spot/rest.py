"""The REST door: paths to operations, signatures from header and query, weights to headers, errors to JSON."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Protocol
from urllib.parse import unquote_plus

from aiohttp import web

from ..connection import Clock
from ..core.errors import (
    BadRequest,
    LimitReached,
    StatusUnknown,
    VenueError,
    missing_parameter,
)
from ..core.orders import AccountId
from ..desk import Desk
from ..faults.plan import NOTHING, RequestPlan
from ..limits import OrderCounts
from ..operations import NOBODY, UNREAD, Answer, Ask, Kind, Operation, PartlyFailed, Proof
from ..payload import ENCODERS, NS_PER_MS, Json, TimeUnit, time_unit
from ..signing import KeyRing, rest_payload
from .errors import bad_time_unit
from .table import REST_OPERATIONS, ROUTES

UNREAD_WEIGHT = 1  # chosen: what cannot be read as a request
PARAMETERS_MAX = 50  # chosen: no request of ours has more than twenty
HANG_S = 60.0  # chosen: a request whose answer is lost keeps its client waiting so long
BODY_S_MAX = 60.0  # chosen, as nginx does: for a body to come
COUNTED = (Kind.PLACE, Kind.REPLACE)
"""Whose answers tell how many orders the account has placed."""

PREFIXES = ("/api/", "/sapi/")
LISTEN_KEY_PATHS = ("/api/v1/userDataStream", "/api/v3/userDataStream")
"""Gone since 2026-02-20 (CHANGELOG.md); nginx answers 410 for the venue."""
_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)

Headers = dict[str, str]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Counts(Protocol):
    """What a door needs of the API behind its operations."""

    @property
    def counts(self) -> Mapping[AccountId, OrderCounts]: ...


class RestDoor:
    """Spot's; another face has its own tables, `prefixes` of its paths, and paths that are `gone`."""

    operations: ClassVar[Mapping[str, Operation]] = REST_OPERATIONS
    paths: ClassVar[Mapping[tuple[str, str], str]] = ROUTES
    prefixes: ClassVar[tuple[str, ...]] = PREFIXES
    gone: ClassVar[tuple[str, ...]] = LISTEN_KEY_PATHS
    counted: ClassVar[tuple[Kind, ...]] = COUNTED

    def __init__(self, desk: Desk, api: Counts, keys: KeyRing, clock: Clock) -> None:
        self._desk = desk
        self._api = api
        self._keys = keys
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return a route for every operation, and those that answer for paths nothing stands behind."""
        return [
            *(web.route(method, path, self._handler(name)) for (method, path), name in self.paths.items()),
            *(web.route("*", path, _gone) for path in self.gone),
            *(web.route("*", prefix + "{rest:.*}", self._nothing_here) for prefix in self.prefixes),
        ]

    def _handler(self, name: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            # rest-api.md: "For GET endpoints, parameters must be sent as a query string."
            try:
                body = await _read(request) if request.can_read_body and request.method != "GET" else b""
            except TimeoutError:
                return _page(408, "408 Request Time-out")
            return await self._serve(name, request, body)

        return handle

    async def _serve(self, name: str, request: web.Request, body: bytes) -> web.StreamResponse:
        """The answer leaves before the events it caused do, as it mostly is on the venue."""
        now_ns = self._clock()
        try:
            unit = _unit(request)
        except VenueError as error:
            return await self._refuse(name, request, Answer(error=error, now_ns=now_ns), TimeUnit.MILLISECOND)
        try:
            ask = self._ask(name, request, body, now_ns)
        except VenueError as error:
            return await self._refuse(name, request, Answer(error=error, now_ns=now_ns), unit)
        plan = self._desk.plan(ask)
        if plan is not NOTHING:
            return await self._serve_as_planned(request, ask, plan, unit)
        answer = self._desk.answer(ask)
        try:
            return await self._write(request, ask, answer, unit)
        finally:
            self._desk.finish(ask, answer)

    async def _refuse(self, name: str, request: web.Request, answer: Answer, unit: TimeUnit) -> web.StreamResponse:
        """Answer what cannot be read as a request of its operation; it counts as one."""
        try:
            self._desk.limits.charge(request.remote or "", UNREAD_WEIGHT, answer.now_ns // NS_PER_MS)
        except LimitReached as limit:
            answer.error = limit
        self._desk.note("rest", name, UNREAD, {}, answer)
        return await self._write(request, None, answer, unit)

    async def _serve_as_planned(
        self, request: web.Request, ask: Ask, plan: RequestPlan, unit: TimeUnit
    ) -> web.StreamResponse:
        """HTTP has one answer a request: the second copy of one stays at home."""
        begun = self._desk.begin(ask, plan)
        await self._desk.wait(ask, plan, begun)
        if plan.is_told:
            try:
                return await self._write(request, ask, begun.answer, unit)
            finally:
                self._desk.finish(ask, begun.answer)
        if not plan.cuts:
            await asyncio.sleep(HANG_S)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=504)  # the connection is gone: nobody reads it

    def _ask(self, name: str, request: web.Request, body: bytes, now_ns: int) -> Ask:
        query = request.raw_path.partition("?")[2].encode(errors="surrogateescape")
        params = _params(query, body)

        def identify(proof: Proof) -> AccountId:
            if proof is Proof.NONE:
                return NOBODY
            api_key = request.headers.get("X-MBX-APIKEY", "")
            if not api_key or proof is Proof.KEY:
                return self._keys.owner(api_key)
            for mandatory in ("timestamp", "signature"):
                if not params.get(mandatory):
                    raise missing_parameter(mandatory)
            return self._keys.authenticate(api_key, rest_payload(query, body), params["signature"])

        return Ask("rest", name, self.operations[name], params, request.remote or "", now_ns, identify)

    async def _nothing_here(self, request: web.Request) -> web.StreamResponse:
        """nginx's words for an unknown path, and for a known one that is asked by another method (both chosen)."""
        if any(path == request.path for _, path in self.paths):
            return _page(405, "405 Not Allowed")
        return _page(404, "404 Not Found")

    async def _write(self, request: web.Request, ask: Ask | None, answer: Answer, unit: TimeUnit) -> web.StreamResponse:
        page = answer.error.page if isinstance(answer.error, StatusUnknown) else b""
        response = web.Response(
            body=page or ENCODERS[unit](_body(answer)),
            status=answer.status,
            headers={} if page else self._headers(request.remote or "", ask, answer),
            content_type="text/html" if page else "application/json",
        )
        with contextlib.suppress(ConnectionError):  # a client that left has no use for an answer
            await response.prepare(request)
            await response.write_eof()
        return response

    def _headers(self, address: str, ask: Ask | None, answer: Answer) -> Headers:
        now_ms = answer.now_ns // NS_PER_MS
        used = str(self._desk.limits.used(address, now_ms))
        headers = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if ask is not None and ask.operation.kind in self.counted and answer.account in self._api.counts:
            headers |= self._api.counts[answer.account].headers(now_ms)
        return headers | retry_after(answer.error, now_ms)


async def _read(request: web.Request) -> bytes:
    """Return the body. Raises TimeoutError for one that does not end."""
    async with asyncio.timeout(BODY_S_MAX):
        return await request.read()


def retry_after(error: VenueError | None, now_ms: int) -> Headers:
    """rest-api.md: "A Retry-After header is sent with a 418 or 429 responses"; in seconds."""
    if not isinstance(error, LimitReached):
        return {}
    return {"Retry-After": str(max(1, math.ceil((error.retry_at_ms - now_ms) / 1_000)))}


def _unit(request: web.Request) -> TimeUnit:
    """Raises BadRequest for a unit the venue does not know."""
    name = request.headers.get("X-MBX-TIME-UNIT")
    unit = TimeUnit.MILLISECOND if name is None else time_unit(name)
    if unit is None:
        raise bad_time_unit()
    return unit


def _body(answer: Answer) -> Json:
    error = answer.error
    if error is None:
        return answer.result
    said: dict[str, Json] = {"code": error.code, "msg": error.message}
    return said | {"data": error.data} if isinstance(error, PartlyFailed) else said


def _params(query: bytes, body: bytes) -> dict[str, str]:
    """Read query and form body; where both name a parameter the query's is used (rest-api.md)."""
    params = _pairs(body) if body else {}
    params.update(_pairs(query))
    return params


def _pairs(raw: bytes) -> dict[str, str]:
    parts = raw.decode(errors="replace").split("&")
    if len(parts) > PARAMETERS_MAX:
        message = f"Too many parameters; expected '{PARAMETERS_MAX}' and received '{len(parts)}'."
        raise BadRequest(-1101, message)
    params: dict[str, str] = {}
    for part in parts:
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in params:
            raise BadRequest(-1101, "Duplicate values for a parameter detected.")
        params[name] = value
    return params


# ---- where nothing is


async def _gone(request: web.Request) -> web.StreamResponse:
    return _page(410, "410 Gone")


def _page(status: int, title: str) -> web.Response:
    return web.Response(text=_PAGE.format(title), status=status, content_type="text/html")
