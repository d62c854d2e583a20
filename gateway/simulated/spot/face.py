"""Binance Spot as one face of the venue: its doors, over a market."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from ..connection import CLOSE_POLICY, Clock, Connection
from ..core.errors import VenueError
from ..core.orders import AccountId
from ..desk import Desk, RequestFaults
from ..evidence import Evidence
from ..faults.face import FaultedFace
from ..limits import LimitRules, RequestLimits
from ..market import Market
from ..payload import NS_PER_MS, time_unit
from ..signing import KeyRing
from ..stream_requests import StreamRequestError
from ..streams import StreamClient
from .api import VenueApi
from .errors import bad_time_unit
from .faulted import faulted_face
from .rest import Headers, RestDoor, retry_after
from .session import Authenticate, Session
from .statistics_streams import StatisticsStreams
from .user_streams import UserStreams
from .websocket_api import WebSocketApiClient

CONNECT_WEIGHT = 2  # web-socket-api.md: connecting costs 2

Serve = Callable[[Connection], Awaitable[None]]
Attend = Callable[[web.Request, Serve], Awaitable[web.StreamResponse]]
"""Open a WebSocket, serve it to its end, close it: the server's part."""


class SpotFace:
    """`attend` belongs to the server, which knows every connection."""

    def __init__(
        self,
        market: Market,
        users: UserStreams,
        accounts: tuple[AccountId, ...],
        keys: KeyRing,
        evidence: Evidence,
        faults: RequestFaults,
        clock: Clock,
        attend: Attend,
        limits: LimitRules,
    ) -> None:
        self.name = "spot"
        self.market = market
        self.limits = RequestLimits(limits)
        self._api = VenueApi(market, users, accounts, evidence, limits)
        self._desk = Desk("spot", self._api, market, self.limits, faults, evidence, clock)
        self._users = users
        self._keys = keys
        self._clock = clock
        self._attend = attend
        self._api_connections: dict[Connection, None] = {}

    def faulted(self) -> FaultedFace:
        """Return what the faults know of this face."""
        return faulted_face(self._api, self.market, self._users, self.limits, lambda: list(self._api_connections))

    async def run(self) -> None:
        """Tell the statistics of the market, each second, until canceled."""
        await StatisticsStreams(self.market, self._clock).run()

    def routes(self) -> list[web.RouteDef]:
        return [
            *RestDoor(self._desk, self._api, self._keys, self._clock).routes(),
            web.get("/ws", self._streams),
            web.get("/ws/{names:.+}", self._streams),
            web.get("/stream", self._streams),
            web.get("/ws-api/v3", self._websocket_api),
        ]

    async def _streams(self, request: web.Request) -> web.StreamResponse:
        is_combined = request.path == "/stream"
        named = request.query.get("streams", "") if is_combined else request.match_info.get("names", "")
        named = named.encode(errors="replace").decode()  # a path of broken UTF-8 must not break a later answer
        unit = time_unit(request.query.get("timeUnit", "MILLISECOND"))
        refused = self._refusal(request, 0)
        if refused is not None:
            return refused

        async def serve(connection: Connection) -> None:
            if unit is None:
                await connection.close(CLOSE_POLICY)
                return
            client = StreamClient(connection, self.market.hub, is_combined=is_combined, unit=unit)
            try:
                client.subscribe(name for name in named.split("/") if name)
                while (text := await connection.next_text()) is not None:
                    client.handle(text)
            except StreamRequestError:
                await connection.close(CLOSE_POLICY)  # too many names in the URL
            finally:
                client.leave()

        return await self._attend(request, serve)

    async def _websocket_api(self, request: web.Request) -> web.StreamResponse:
        unit = time_unit(request.query.get("timeUnit", "MILLISECOND"))
        returns_limits = request.query.get("returnRateLimits", "true") != "false"
        if unit is None:
            return _error(bad_time_unit())
        refused = self._refusal(request, CONNECT_WEIGHT)
        if refused is not None:
            return refused

        async def serve(connection: Connection) -> None:
            def open_session(authenticate: Authenticate) -> Session:
                return Session(connection, self._users, authenticate, unit, returns_limits=returns_limits)

            client = WebSocketApiClient(
                connection,
                self._desk,
                self._api,
                self._keys,
                self._clock,
                open_session,
                unit,
                returns_limits=returns_limits,
            )
            self._api_connections[connection] = None
            try:
                while not client.is_banned and (text := await connection.next_text()) is not None:
                    client.handle(text)
            finally:
                del self._api_connections[connection]
                client.leave()

        return await self._attend(request, serve)

    def _refusal(self, request: web.Request, weight: int) -> web.Response | None:
        """Count the opening of a WebSocket; return what is answered instead of opening it, past a limit."""
        now_ms = self._clock() // NS_PER_MS
        try:
            self.limits.connect(request.remote or "", now_ms)
            if weight:  # market streams cost none, and are not refused for what was spent elsewhere
                self.limits.spend(request.remote or "", weight, now_ms)
        except VenueError as error:
            return _error(error, retry_after(error, now_ms))
        return None


def _error(error: VenueError, headers: Headers | None = None) -> web.Response:
    return web.json_response({"code": error.code, "msg": error.message}, status=error.status, headers=headers)
