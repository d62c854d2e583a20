"""Whatever is sent, a well-formed answer comes back, the money adds up, and the venue lives: drawn parameters and frames."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from gateway.simulated.limits import LimitRules
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, VenueSettings
from gateway.simulated.signing import sorted_payload
from gateway.simulated.spot.new_order import NAMES
from gateway.simulated.spot.orders import REPLACE_NAMES
from gateway.simulated.spot.table import OPERATIONS, REST_OPERATIONS, ROUTES

WITHOUT_LIMIT = LimitRules(10**9, ((10, 10**9), (86_400, 10**9)), 0, connections_per_5_minutes=0)
EXAMPLES = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Door:
    """A venue on a loop of its own, so that a drawn example can be sent from a test that is no coroutine."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.venue = SimulatedVenue(VenueSettings(control=True, limits=WITHOUT_LIMIT))
        self.endpoints: Endpoints = self.runner.run(self.venue.start())
        self.http: aiohttp.ClientSession = self.runner.run(self._client())
        self.socket = self.runner.run(self._connect())

    async def _client(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def _connect(self) -> websockets.ClientConnection:
        return await websockets.connect(self.endpoints.websocket_api, proxy=None, compression=None)

    def signed(self, params: dict[str, str]) -> dict[str, str]:
        params = params | {"apiKey": self.endpoints.api_key, "timestamp": str(time.time_ns() // 1_000_000)}
        return params | {"signature": self.signature(sorted_payload(params))}

    def signature(self, payload: bytes) -> str:
        return hmac.new(self.endpoints.api_secret.encode(), payload, hashlib.sha256).hexdigest()

    def call(self, frame: str) -> Any:
        """Send one frame and return the answer to it."""

        async def ask() -> Any:
            await self.socket.send(frame)
            while True:
                answer = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
                if "event" not in answer:
                    return answer

        return self.runner.run(ask())

    def get(self, method: str, path: str) -> tuple[int, Any]:
        async def ask() -> tuple[int, Any]:
            url = self.endpoints.rest + path
            headers = {"X-MBX-APIKEY": self.endpoints.api_key}
            async with self.http.request(method, url, headers=headers) as response:
                return response.status, await response.json(content_type=None)

        return self.runner.run(ask())

    def close(self) -> None:
        async def end() -> None:
            await self.socket.close()
            await self.http.close()
            await self.venue.stop()

        self.runner.run(end())
        self.runner.close()


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    opened = Door()
    try:
        opened.call(json.dumps({"id": 0, "method": "userDataStream.subscribe.signature", "params": opened.signed({})}))
        yield opened
        assert opened.get("GET", "/control/ledger")[1]["adds_up"] is True
    finally:
        opened.close()


VALUES = st.one_of(
    st.sampled_from(
        (
            *("BTCUSDT", "ETHUSDT", "BUY", "SELL", "LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS", "TAKE_PROFIT_LIMIT"),
            *("GTC", "IOC", "FOK", "0.01", "50000", "70000", "1", "0", "-1", "1e5", "", "true", "false", "NONE"),
            *("EXPIRE_MAKER", "DECREMENT", "ACK", "STOP_ON_FAILURE", "ALLOW_FAILURE", "mine", "yours", "a.b", "9" * 30),
            *("[]", '["BTCUSDT"]', "{}", "null", "ONLY_NEW", "CANCEL_ONLY", "1000000", "0.000000001"),
        )
    ),
    st.text(max_size=12),
    st.integers(-(2**70), 2**70).map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
)
PARAMETERS = sorted(
    {*NAMES.split(), *REPLACE_NAMES.split(), "orderId", "origClientOrderId", "newQty", "limit", "fromId", "startTime"}
    | {"endTime", "omitZeroBalances", "computeCommissionRates", "preventedMatchId", "subscriptionId", "recvWindow"}
)


def check(answer: Any, told: Any) -> None:
    """A result, or an error of a code and a text; never an internal one."""
    assert answer["status"] in (200, 400, 401, 409), (told, answer)
    if answer["status"] != 200:
        assert isinstance(answer["error"]["code"], int), (told, answer)
        assert answer["error"]["code"] <= -1000
        assert isinstance(answer["error"]["msg"], str)
    else:
        assert "result" in answer, (told, answer)


PRICES = st.integers(5_000_000, 8_000_000).map(lambda ticks: f"{ticks / 100:.2f}")
TIMES = st.sampled_from(("GTC", "IOC", "FOK"))
OF_TYPE: dict[str, dict[str, st.SearchStrategy[str]]] = {
    "LIMIT": {"price": PRICES, "timeInForce": TIMES},
    "LIMIT_MAKER": {"price": PRICES},
    "MARKET": {},
    "STOP_LOSS": {"stopPrice": PRICES},
    "STOP_LOSS_LIMIT": {"stopPrice": PRICES, "price": PRICES, "timeInForce": TIMES},
    "TAKE_PROFIT": {"stopPrice": PRICES},
    "TAKE_PROFIT_LIMIT": {"stopPrice": PRICES, "price": PRICES, "timeInForce": TIMES},
}
REPLACING = {
    "cancelReplaceMode": st.sampled_from(("STOP_ON_FAILURE", "ALLOW_FAILURE")),
    "cancelOrigClientOrderId": st.sampled_from(("mine", "yours")),
}


def orders(**more: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """Orders that mostly are right."""
    return st.one_of(
        [
            st.fixed_dictionaries(
                {
                    "symbol": st.just("BTCUSDT"),
                    "side": st.sampled_from(("BUY", "SELL")),
                    "type": st.just(order_type),
                    "quantity": st.integers(10, 5_000).map(lambda lots: f"{lots / 100_000:.5f}"),
                    **wanted,
                    **more,
                },
                optional={
                    "selfTradePreventionMode": st.sampled_from(("NONE", "EXPIRE_TAKER", "EXPIRE_BOTH", "DECREMENT")),
                    "newClientOrderId": st.sampled_from(("mine", "yours")),
                },
            )
            for order_type, wanted in OF_TYPE.items()
        ]
    )


@EXAMPLES
@given(
    method=st.sampled_from(sorted(OPERATIONS)), params=st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=8)
)
def test_any_parameters_to_any_operation(door: Door, method: str, params: dict[str, str]) -> None:
    told = {"id": 1, "method": method, "params": door.signed(params)}
    check(door.call(json.dumps(told)), told)


@EXAMPLES
@given(method=st.sampled_from(("order.place", "order.test")), params=orders())
def test_orders_that_are_nearly_right(door: Door, method: str, params: dict[str, str]) -> None:
    told = {"id": 1, "method": method, "params": door.signed(params)}
    check(door.call(json.dumps(told)), told)


@EXAMPLES
@given(params=orders(**REPLACING))
def test_replacements_that_are_nearly_right(door: Door, params: dict[str, str]) -> None:
    told = {"id": 1, "method": "order.cancelReplace", "params": door.signed(params)}
    check(door.call(json.dumps(told)), told)


def test_some_of_them_were_right(door: Door) -> None:
    known = {"id": 1, "method": "allOrders", "params": door.signed({"symbol": "BTCUSDT"})}
    assert len(door.call(json.dumps(known))["result"]) > 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@EXAMPLES
@given(
    frame=st.one_of(
        st.text(max_size=60).filter(lambda text: text < "\ud800" or True),
        JSON.map(json.dumps),
        st.fixed_dictionaries(
            {"method": st.one_of(st.sampled_from(sorted(OPERATIONS)), st.text(max_size=9))},
            optional={"id": JSON, "params": JSON},
        ).map(json.dumps),
    )
)
def test_any_frame(door: Door, frame: str) -> None:
    answer = door.call(frame)
    check(answer, frame)
    assert set(answer) >= {"id", "status"}


@EXAMPLES
@given(
    route=st.sampled_from(sorted(ROUTES)),
    query=st.one_of(
        st.dictionaries(st.sampled_from(PARAMETERS), VALUES, max_size=6).map(
            lambda params: "&".join(f"{name}={_quoted(value)}" for name, value in params.items())
        ),
        st.text(alphabet="abc=&%+0;/?\x7f", max_size=30),
    ),
    is_signed=st.booleans(),
)
def test_any_query_to_any_path(door: Door, route: tuple[str, str], query: str, is_signed: bool) -> None:
    method, path = route
    query = f"{query}&timestamp={time.time_ns() // 1_000_000}"
    if is_signed:
        query = f"{query}&signature={door.signature(query.encode())}"
    target = str(URL(f"{path}?{_printable(query)}", encoded=True))
    status, answer = door.get(method, target)
    assert status in (200, 400, 401, 409), (method, target, answer)
    if status != 200:
        assert {"code", "msg"} <= set(answer) <= {"code", "msg", "data"}, (method, target, answer)


def _quoted(value: str) -> str:
    return quote(value.encode(errors="replace"), safe="")


def _printable(query: str) -> str:
    return "".join(letter for letter in query if "!" <= letter <= "~" and letter != "#")


def test_every_route_has_an_operation_and_every_operation_a_route() -> None:
    assert set(ROUTES.values()) == set(REST_OPERATIONS)
