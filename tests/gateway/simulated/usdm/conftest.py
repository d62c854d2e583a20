"""A venue with a futures face, and a signing client of it; all over loopback, nothing mocked."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import websockets
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yarl import URL

from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, VenueSettings

Json = Any  # test-side view of payloads
RECEIVE_TIMEOUT_S = 5.0


class Socket:
    """A WebSocket client that reads JSON with a deadline."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection

    async def send(self, payload: Json) -> None:
        await self.connection.send(json.dumps(payload))

    async def receive_until(self, wanted: Callable[[Json], bool]) -> list[Json]:
        """Return frames up to and with the first wanted one."""
        frames = []
        async with asyncio.timeout(RECEIVE_TIMEOUT_S):
            while True:
                frames.append(json.loads(await self.connection.recv()))
                if wanted(frames[-1]):
                    return frames


class Client:
    """Signs as the venue's documents say, written apart from the venue's own code. `account`: which of the venue's it is."""

    def __init__(self, venue: SimulatedVenue, endpoints: Endpoints, key: Ed25519PrivateKey, account: int = 0) -> None:
        self.venue = venue
        self.endpoints = endpoints
        self.key = key
        self.credentials = endpoints.credentials[account]
        self.http = aiohttp.ClientSession()
        self.sockets: list[websockets.ClientConnection] = []
        self.headers: dict[str, str] = {}
        self._ids = itertools.count(1)

    def other(self, account: int) -> "Client":
        """Return a client of another account, which shares this one's sockets and session."""
        twin = object.__new__(Client)
        twin.__dict__ = {**self.__dict__, "credentials": self.endpoints.credentials[account]}
        return twin

    async def get(self, path: str, **params: Any) -> tuple[int, Json]:
        async with self.http.get(self.endpoints.futures_rest + path, params=params) as response:
            return response.status, await response.json()

    async def keyed(self, method: str, path: str) -> tuple[int, Json]:
        headers = {"X-MBX-APIKEY": self.credentials.api_key}
        async with self.http.request(method, self.endpoints.futures_rest + path, headers=headers) as response:
            return response.status, await response.json()

    async def signed(self, method: str, path: str, **params: Any) -> tuple[int, Json]:
        params.setdefault("timestamp", time.time_ns() // 1_000_000)
        query = urlencode(params)
        signature = hmac.new(self.credentials.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = URL(f"{self.endpoints.futures_rest}{path}?{query}&signature={signature}", encoded=True)
        headers = {"X-MBX-APIKEY": self.credentials.api_key}
        async with self.http.request(method, url, headers=headers) as response:
            self.headers = dict(response.headers)
            return response.status, await response.json()

    async def place(self, side: str, quantity: str, price: str = "", **params: Any) -> Json:
        """Place an order in BTCUSDT, LIMIT GTC with a price and MARKET without one; the answer is its final state."""
        kind = {"type": "LIMIT", "timeInForce": "GTC", "price": price} if price else {"type": "MARKET"}
        params = {"symbol": "BTCUSDT", "side": side, "quantity": quantity, "newOrderRespType": "RESULT"} | kind | params
        return (await self.signed("POST", "/fapi/v1/order", **params))[1]

    async def control(self, verb: str, **params: Any) -> Json:
        method = "GET" if verb in ("ledger", "requests", "trades", "streams") else "POST"
        url = f"{self.endpoints.futures_rest}/control/{verb}"
        async with self.http.request(method, url, params={"face": "usdm", **params}) as response:
            return await response.json()

    async def connect(self, path: str) -> Socket:
        url = self.endpoints.futures_streams + path
        connection = await websockets.connect(url, proxy=None, compression=None, close_timeout=1)
        self.sockets.append(connection)
        return Socket(connection)

    async def user_stream(self) -> tuple[str, Socket]:
        _, answer = await self.keyed("POST", "/fapi/v1/listenKey")
        return answer["listenKey"], await self.connect(f"/private/ws/{answer['listenKey']}")

    def params(self, *, ed25519: bool = False, **params: Any) -> Json:
        params |= {"apiKey": self.credentials.api_key, "timestamp": time.time_ns() // 1_000_000}
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()
        if ed25519:
            params["signature"] = base64.b64encode(self.key.sign(payload)).decode()
        else:
            secret = self.credentials.api_secret.encode()
            params["signature"] = hmac.new(secret, payload, hashlib.sha256).hexdigest()
        return params

    async def call(self, socket: Socket, method: str, **params: Any) -> Json:
        """Send one request and return its answer."""
        number = next(self._ids)
        await socket.send({"id": number, "method": method, "params": params})
        return (await socket.receive_until(lambda frame: frame.get("id") == number))[-1]

    @property
    def market(self) -> Any:
        """The futures face's market, as the venue itself has it."""
        return self.venue.faults.faces["usdm"].market


StartFutures = Callable[..., Awaitable[Client]]


@pytest.fixture
async def start_futures() -> AsyncIterator[StartFutures]:
    """Start a venue with a futures face and the given settings (control on) and return a client of it."""
    clients: list[Client] = []
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    async def start(**settings: Any) -> Client:
        given: dict[str, Any] = {"control": True, "futures_port": 0, "ed25519_public_key": pem} | settings
        clock = given.pop("clock", time.time_ns)
        venue = SimulatedVenue(VenueSettings(**given), clock)
        client = Client(venue, await venue.start(), key)
        clients.append(client)
        return client

    yield start
    for client in clients:
        for socket in client.sockets:
            await socket.close()
        await client.http.close()
        await client.venue.stop()


@pytest.fixture
async def futures(start_futures: StartFutures) -> Client:
    return await start_futures()


@pytest.fixture
async def quiet_futures(start_futures: StartFutures) -> Client:
    """A client of a futures face whose crowd stands still."""
    client = await start_futures(accounts=("client", "other"))
    await client.control("pause-flow")
    return client
