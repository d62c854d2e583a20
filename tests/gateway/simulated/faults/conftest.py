"""Setting faults over the control door, and an order that rests."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

ORDER = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}


class FaultClient:
    """A client whose venue's crowd stands still, and its control door."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.rest = client.endpoints.rest

    async def post(self, body: Any) -> tuple[int, Any]:
        async with self.client.http.post(f"{self.rest}/control/faults", json=body) as response:
            return response.status, await response.json()

    async def set(self, kind: str, **keys: Any) -> int:
        """Set one fault; return its id."""
        status, answer = await self.post({"fault": [{"kind": kind, **keys}]})
        assert status == 200, answer
        [number] = answer["ids"]
        assert isinstance(number, int)
        return number

    async def get(self, verb: str, **params: Any) -> Any:
        async with self.client.http.get(f"{self.rest}/control/{verb}", params=params) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def remove(self, **params: Any) -> tuple[int, Any]:
        async with self.client.http.delete(f"{self.rest}/control/faults", params=params) as response:
            return response.status, await response.json()

    async def log(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = (await self.get("fault-log"))["rows"]
        return rows

    async def place(self, socket: Any, name: str, **terms: Any) -> Any:
        return await self.client.call(
            socket, "order.place", **self.client.params(**ORDER | terms, newClientOrderId=name)
        )

    async def cancel(self, socket: Any, name: str, **terms: Any) -> Any:
        params = self.client.params(symbol="BTCUSDT", origClientOrderId=name, **terms)
        return await self.client.call(socket, "order.cancel", **params)

    async def send(self, socket: Any, number: int, method: str, **params: Any) -> None:
        """Send a signed request and wait for nothing."""
        await socket.send({"id": number, "method": method, "params": self.client.params(**params)})

    async def user_stream(self) -> Any:
        """A second connection, which hears the account's events and nothing else."""
        socket = await self.client.api()
        await self.client.call(socket, "userDataStream.subscribe.signature", **self.client.params())
        return socket

    async def query(self, name: str) -> tuple[int, Any]:
        answer: tuple[int, Any] = await self.client.signed(
            "GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId=name
        )
        return answer

    async def silent(self, socket: Any, seconds: float = 0.15) -> bool:
        """Whether nothing comes for so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(socket.connection.recv(), seconds)
            return False
        return True

    async def trade(self, quantity: str = "0.00001", side: str = "BUY") -> None:
        """The crowd takes so much from the touch: a frame of the trade stream."""
        await self.client.control("market", symbol="BTCUSDT", side=side, quantity=quantity)

    async def touch(self, side: str) -> str:
        """The best price at which an order of `side` rests."""
        _, ticker = await self.client.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
        price: str = ticker["bidPrice" if side == "BUY" else "askPrice"]
        return price


@pytest.fixture
async def play(quiet: Any) -> FaultClient:
    return FaultClient(quiet)


@pytest.fixture
async def start_play(start_client: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[FaultClient]]:
    async def start(**settings: Any) -> FaultClient:
        client = await start_client(**settings)
        await client.control("pause-flow")
        return FaultClient(client)

    return start
