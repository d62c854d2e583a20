"""The REST door: paths to operations, signatures from header and query, weights to headers, errors to JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from aiohttp import web

from ..connection import Clock
from ..core.errors import BadRequest, LimitReached, NotAuthorized, VenueError, missing_parameter
from ..core.orders import AccountId
from ..desk import Desk
from ..faults.plan import NOTHING, RequestPlan
from ..operations import NOBODY, Answer, Ask, Kind, Proof
from ..payload import NS_PER_MS, Json, encode
from ..signing import KeyRing, rest_payload
from .api import VenueApi
from .table import OPERATIONS, ROUTES

PARAMETERS_MAX = 50  # chosen: no request of ours has more than twenty
HANG_S = 60.0  # chosen: a request whose answer is lost keeps its client waiting so long

Headers = dict[str, str]


class RestDoor:
    def __init__(self, desk: Desk, api: VenueApi, keys: KeyRing, clock: Clock) -> None:
        self._desk = desk
        self._api = api
        self._keys = keys
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.route(method, path, self._handler(name)) for (method, path), name in ROUTES.items()]

    def _handler(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = (await request.read()).decode(errors="replace")
            return await self._serve(name, request, body)

        return handle

    async def _serve(self, name: str, request: web.Request, body: str) -> web.StreamResponse:
        """The answer leaves before the events it caused do, as it mostly is on the venue."""
        now_ns = self._clock()
        try:
            ask = self._ask(name, request, body, now_ns)
        except VenueError as error:
            return await self._write(request, None, Answer(error=error, now_ns=now_ns))
        plan = self._desk.plan(ask)
        if plan is NOTHING:
            answer = self._desk.answer(ask)
            response = await self._write(request, ask, answer)
            self._desk.finish(ask, answer)
            return response
        return await self._serve_as_planned(request, ask, plan)

    async def _serve_as_planned(self, request: web.Request, ask: Ask, plan: RequestPlan) -> web.StreamResponse:
        """HTTP has one answer a request: the second copy of one stays at home."""
        written: list[web.StreamResponse] = []

        async def write(answer: Answer) -> None:
            if not written:
                written.append(await self._write(request, ask, answer))

        def cut() -> None:
            if request.transport is not None:
                request.transport.abort()

        await self._desk.serve(ask, plan, write, cut)
        if written:
            return written[0]
        if not plan.cuts:
            await asyncio.sleep(HANG_S)
            cut()
        return web.Response(status=504)  # the connection is gone: nobody reads it

    def _ask(self, name: str, request: web.Request, body: str, now_ns: int) -> Ask:
        query = request.raw_path.partition("?")[2]
        params = _params(query, body)

        def identify(proof: Proof) -> AccountId:
            if proof is Proof.NONE:
                return NOBODY
            api_key = request.headers.get("X-MBX-APIKEY", "")
            if not api_key:
                raise NotAuthorized(-2014, "API-key format invalid.")
            if proof is Proof.KEY:
                return self._keys.owner(api_key)
            for mandatory in ("timestamp", "signature"):
                if not params.get(mandatory):
                    raise missing_parameter(mandatory)
            return self._keys.authenticate(api_key, rest_payload(query, body), params["signature"])

        return Ask("rest", name, OPERATIONS[name], params, request.remote or "", now_ns, identify)

    async def _write(self, request: web.Request, ask: Ask | None, answer: Answer) -> web.StreamResponse:
        response = web.Response(
            body=encode(_body(answer)),
            status=answer.status,
            headers=self._headers(request.remote or "", ask, answer),
            content_type="application/json",
        )
        await response.prepare(request)
        await response.write_eof()
        return response

    def _headers(self, address: str, ask: Ask | None, answer: Answer) -> Headers:
        now_ms = answer.now_ns // NS_PER_MS
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._desk.limits.used(address, now_ms))}
        if ask is not None and ask.operation.kind is Kind.PLACE and answer.account in self._api.counts:
            headers |= self._api.counts[answer.account].headers(now_ms)
        if isinstance(answer.error, LimitReached):
            headers["Retry-After"] = str(max(1, -(-(answer.error.retry_at_ms - now_ms) // 1_000)))
        return headers


def _body(answer: Answer) -> Json:
    error = answer.error
    return answer.result if error is None else {"code": error.code, "msg": error.message}


def _params(query: str, body: str) -> dict[str, str]:
    """Read query and form body; where both name a parameter the query's is used (rest-api.md)."""
    params = _pairs(body)
    params.update(_pairs(query))
    return params


def _pairs(raw: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=PARAMETERS_MAX)
    except ValueError as error:
        raise BadRequest(-1101, "Too many parameters sent for this endpoint.") from error
    params = dict(pairs)
    if len(params) < len(pairs):
        raise BadRequest(-1101, "Duplicate values for a parameter detected.")
    return params
