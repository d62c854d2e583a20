"""A running venue and a signing client for the live tests; all over loopback, nothing mocked."""

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

from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, VenueSettings

Json = Any  # test-side view of payloads
RECEIVE_TIMEOUT_S = 3.0


class Socket:
    """A WebSocket client that reads JSON with a deadline."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self.connection = connection

    async def send(self, payload: Json) -> None:
        await self.connection.send(payload if isinstance(payload, str) else json.dumps(payload))

    async def receive(self) -> Json:
        return json.loads(await asyncio.wait_for(self.connection.recv(), RECEIVE_TIMEOUT_S))

    async def receive_until(self, wanted: Callable[[Json], bool]) -> list[Json]:
        """Return frames up to and with the first wanted one."""
        frames = []
        async with asyncio.timeout(RECEIVE_TIMEOUT_S):
            while True:
                frames.append(json.loads(await self.connection.recv()))
                if wanted(frames[-1]):
                    return frames


class Client:
    """Signs as the venue's documents say, written apart from the venue's own code."""

    def __init__(self, venue: SimulatedVenue, endpoints: Endpoints, key: Ed25519PrivateKey) -> None:
        self.venue = venue
        self.endpoints = endpoints
        self.key = key
        self.http = aiohttp.ClientSession()
        self.sockets: list[websockets.ClientConnection] = []
        self._ids = itertools.count(1)

    async def get(self, path: str, **params: Any) -> tuple[int, Json]:
        async with self.http.get(self.endpoints.rest + path, params=params) as response:
            return response.status, await response.json()

    def signature(self, payload: str) -> str:
        return hmac.new(self.endpoints.api_secret.encode(), payload.encode(), hashlib.sha256).hexdigest()

    def signed_url(self, path: str, **params: Any) -> str:
        params.setdefault("timestamp", time.time_ns() // 1_000_000)
        query = urlencode(params)
        return f"{self.endpoints.rest}{path}?{query}&signature={self.signature(query)}"

    async def signed(self, method: str, path: str, **params: Any) -> tuple[int, Json]:
        url = self.signed_url(path, **params)
        headers = {"X-MBX-APIKEY": self.endpoints.api_key}
        async with self.http.request(method, url, headers=headers) as response:
            return response.status, await response.json()

    async def control(self, verb: str, **params: Any) -> Json:
        method = "GET" if verb in ("ledger", "requests", "trades", "streams") else "POST"
        async with self.http.request(method, f"{self.endpoints.rest}/control/{verb}", params=params) as response:
            return await response.json()

    async def connect(self, url: str) -> Socket:
        connection = await websockets.connect(url, proxy=None, compression=None, close_timeout=1)
        self.sockets.append(connection)
        return Socket(connection)

    async def streams(self, *names: str) -> Socket:
        return await self.connect(f"{self.endpoints.streams}/stream?streams={'/'.join(names)}")

    async def api(self) -> Socket:
        return await self.connect(self.endpoints.websocket_api)

    def params(self, ed25519: bool = False, **params: Any) -> Json:
        """Sign for the first account."""
        return self.params_of(0, ed25519, **params)

    def params_of(self, number: int, ed25519: bool = False, **params: Any) -> Json:
        credentials = self.endpoints.credentials[number]
        params = {"apiKey": credentials.api_key, "timestamp": time.time_ns() // 1_000_000, **params}
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()
        if ed25519:
            params["signature"] = base64.b64encode(self.key.sign(payload)).decode()
        else:
            params["signature"] = hmac.new(credentials.api_secret.encode(), payload, hashlib.sha256).hexdigest()
        return params

    async def call(self, socket: Socket, method: str, **params: Any) -> Json:
        """Send one request and return its answer; events on the way are dropped."""
        number = next(self._ids)
        await socket.send({"id": number, "method": method, "params": params})
        return (await socket.receive_until(lambda frame: frame.get("id") == number))[-1]


StartClient = Callable[..., Awaitable[Client]]


@pytest.fixture
async def start_client() -> AsyncIterator[StartClient]:
    """Start a venue with the given settings (control on) and return a client of it."""
    clients: list[Client] = []
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    async def start(**settings: Any) -> Client:
        venue = SimulatedVenue(VenueSettings(**{"control": True, "ed25519_public_key": pem} | settings))
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
async def client(start_client: StartClient) -> Client:
    return await start_client()


@pytest.fixture
async def quiet(start_client: StartClient) -> Client:
    """A client of a venue whose crowd stands still."""
    client = await start_client()
    await client.control("pause-flow")
    return client
