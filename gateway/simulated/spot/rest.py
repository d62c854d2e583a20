"""The REST door: paths to operations, signatures from header and query, weights to headers, errors to JSON."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from aiohttp import web

from ..connection import Clock
from ..core.errors import BadRequest, LimitReached, NotAuthorized, VenueError, missing_parameter
from ..core.orders import AccountId
from ..limits import WeightLimits
from ..signing import KeyRing, check_timing, rest_payload
from .api import OPERATIONS, Public, VenueApi
from .payloads import NS_PER_MS, Json, encode

ROUTES = {
    ("GET", "/api/v3/ping"): "ping",
    ("GET", "/api/v3/time"): "time",
    ("GET", "/api/v3/exchangeInfo"): "exchangeInfo",
    ("GET", "/api/v3/depth"): "depth",
    ("GET", "/api/v3/historicalTrades"): "trades.historical",
    ("GET", "/api/v3/ticker/bookTicker"): "ticker.book",
    ("GET", "/api/v3/account"): "account.status",
    ("GET", "/api/v3/rateLimit/order"): "account.rateLimits.orders",
    ("GET", "/api/v3/openOrders"): "openOrders.status",
    ("GET", "/api/v3/order"): "order.status",
    ("GET", "/api/v3/allOrders"): "allOrders",
    ("GET", "/api/v3/myTrades"): "myTrades",
    ("POST", "/api/v3/order"): "order.place",
    ("POST", "/api/v3/order/test"): "order.test",
    ("DELETE", "/api/v3/order"): "order.cancel",
    ("DELETE", "/api/v3/openOrders"): "openOrders.cancelAll",
}

PARAMETERS_MAX = 50  # chosen: no request of ours has more than twenty

Headers = dict[str, str]


class RestDoor:
    def __init__(self, api: VenueApi, keys: KeyRing, weights: WeightLimits, clock: Clock) -> None:
        self._api = api
        self._keys = keys
        self._weights = weights
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [web.route(method, path, self._handler(name)) for (method, path), name in ROUTES.items()]

    def _handler(self, name: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = (await request.read()).decode(errors="replace")
            now_ns = self._clock()
            status, headers, payload = self._answer(name, request, body, now_ns)
            headers["X-MBX-USED-WEIGHT-1M"] = str(self._weights.used(request.remote or "", now_ns // NS_PER_MS))
            response = web.Response(
                body=encode(payload), status=status, headers=headers, content_type="application/json"
            )
            # The answer leaves before the events it caused do, as it mostly is on the venue.
            await response.prepare(request)
            await response.write_eof()
            self._api.market.publish(now_ns)
            return response

        return handle

    def _answer(self, name: str, request: web.Request, body: str, now_ns: int) -> tuple[int, Headers, Json]:
        headers: Headers = {}
        try:
            return 200, headers, self._run(name, request, body, now_ns, headers)
        except VenueError as error:
            if isinstance(error, LimitReached):
                headers["Retry-After"] = str(max(1, -(-(error.retry_at_ms - now_ns // NS_PER_MS) // 1_000)))
            return error.status, headers, {"code": error.code, "msg": error.message}

    def _run(self, name: str, request: web.Request, body: str, now_ns: int, headers: Headers) -> Json:
        operation = OPERATIONS[name]
        now_ms = now_ns // NS_PER_MS
        query = request.raw_path.partition("?")[2]
        params = _params(query, body)
        with self._api.evidence.request(name, params, now_ns) as heard:
            self._weights.spend(request.remote or "", operation.weight(params), now_ms)
            if isinstance(operation, Public):
                return operation.run(self._api, params, now_ns)
            heard.account = account = self._authenticate(request, params, query, body)
            check_timing(params, now_ms)
            try:
                heard.answer = operation.run(self._api, account, params, now_ns)
            finally:
                if name == "order.place":
                    short, day = self._api.counts[account].counts(now_ms)
                    headers |= {"X-MBX-ORDER-COUNT-10S": str(short), "X-MBX-ORDER-COUNT-1D": str(day)}
        return heard.answer

    def _authenticate(self, request: web.Request, params: dict[str, str], query: str, body: str) -> AccountId:
        api_key = request.headers.get("X-MBX-APIKEY", "")
        if not api_key:
            raise NotAuthorized(-2014, "API-key format invalid.")
        for name in ("timestamp", "signature"):
            if not params.get(name):
                raise missing_parameter(name)
        return self._keys.authenticate(api_key, rest_payload(query, body), params["signature"])


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
