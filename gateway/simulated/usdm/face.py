"""Binance USD-M futures as one face of the venue: its doors, over a market of its own."""

from collections.abc import Iterable
from functools import partial

from aiohttp import web

from ..connection import CLOSE_POLICY, Clock, Connection
from ..core.errors import VenueError
from ..core.orders import AccountId
from ..desk import Desk, RequestFaults
from ..evidence import Evidence
from ..faults.face import FaultedFace
from ..limits import RequestLimits
from ..payload import NS_PER_MS
from ..signing import KeyRing
from ..spot.face import Attend
from ..spot.session import Authenticate
from ..stream_requests import StreamRequestError
from ..streams import StreamClient
from .api import FACE, FUTURES_LIMITS, PerpetualApi
from .faulted import faulted_face
from .market import PerpetualMarket
from .rest import PerpetualRestDoor
from .routes import ROUTES, Accepts
from .websocket_api import PerpetualApiClient, PerpetualSession

CONNECT_WEIGHT = 5  # docs, "WebSocket API General Info": connecting costs 5
INBOUND_PER_S_MAX = 10  # docs, "Websocket Market Streams": a connection that sends more is disconnected
PRIVATE = "/private"


class PerpetualFace:
    """`attend` belongs to the server, which knows every connection."""

    def __init__(
        self,
        market: PerpetualMarket,
        accounts: tuple[AccountId, ...],
        keys: KeyRing,
        evidence: Evidence,
        faults: RequestFaults,
        clock: Clock,
        attend: Attend,
    ) -> None:
        self.name = FACE
        self.market = market
        self.limits = RequestLimits(FUTURES_LIMITS)
        self._api = PerpetualApi(market, accounts, evidence)
        self._desk = Desk(FACE, self._api, market, self.limits, faults, evidence, clock)
        self._keys = keys
        self._clock = clock
        self._attend = attend
        self._api_connections: dict[Connection, None] = {}

    def faulted(self) -> FaultedFace:
        """Return what the faults know of this face."""
        return faulted_face(self._api, self.limits, lambda: list(self._api_connections))

    async def run(self) -> None:
        """Do what the market does by the clock, until canceled."""
        await self.market.do_chores()

    # ---- doors

    def routes(self) -> list[web.RouteDef]:
        return [
            *PerpetualRestDoor(self._desk, self._api, self._keys, self._clock).routes(),
            *(route for prefix, has in ROUTES.items() for route in self._stream_routes(prefix, self._topics(has))),
            *self._stream_routes(PRIVATE, self._api.users.keys.is_key),
            web.get("/ws-fapi/v1", self._websocket_api),
        ]

    def _topics(self, has: Accepts) -> Accepts:
        is_topic = self.market.hub.is_topic
        return lambda topic: is_topic(topic) and has(topic)

    def _stream_routes(self, prefix: str, accepts: Accepts) -> Iterable[web.RouteDef]:
        for path in ("/ws", "/ws/{names:.+}", "/stream"):
            yield web.get(prefix + path, partial(self._streams, accepts=accepts))

    async def _streams(self, request: web.Request, accepts: Accepts) -> web.StreamResponse:
        is_combined = request.path.endswith("/stream")
        named = request.query.get("streams", "") if is_combined else request.match_info.get("names", "")
        named = "/".join((named, request.query.get("listenKey", "")))
        names = [name for name in named.encode(errors="replace").decode().split("/") if name]

        async def serve(connection: Connection) -> None:
            client = StreamClient(connection, self.market.hub, is_combined=is_combined, accepts=accepts)
            connection.inbound_per_s_max = INBOUND_PER_S_MAX
            try:
                client.subscribe(names)
                while (text := await connection.next_text()) is not None:
                    client.handle(text)
            except StreamRequestError:
                await connection.close(CLOSE_POLICY)  # too many names in the URL
            finally:
                client.leave()

        return await self._attend(request, serve)

    async def _websocket_api(self, request: web.Request) -> web.StreamResponse:
        now_ms = self._clock() // NS_PER_MS
        returns_limits = request.query.get("returnRateLimits", "true") != "false"
        try:
            self.limits.enter(request.remote or "", now_ms)
            self.limits.spend(request.remote or "", CONNECT_WEIGHT, now_ms)
        except VenueError as error:
            return web.json_response({"code": error.code, "msg": error.message}, status=error.status)

        async def serve(connection: Connection) -> None:
            def open_session(authenticate: Authenticate) -> PerpetualSession:
                return PerpetualSession(connection, authenticate, returns_limits=returns_limits)

            client = PerpetualApiClient(
                connection,
                self._desk,
                self._api,
                self._keys,
                self._clock,
                open_session,
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
