"""What a question or an order of the control door names must be there: a misspelt name is no empty answer."""

from typing import Any

import pytest


async def ask(client: Any, method: str, name: str, **params: str) -> tuple[int, Any]:
    url = f"{client.endpoints.rest}/control/{name}"
    async with client.http.request(method, url, params=params) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("requests", {"kind": "plce"}, ("'kind'", "place", "session", "unread")),
        ("requests", {"door": "x"}, ("'door'", "rest, api")),
        ("requests", {"face": "margin"}, ("'face'", "spot, usdm")),
        ("requests", {"account": "bob"}, ("'account'", "client")),
        ("requests", {"symbol": "btcusdt"}, ("'symbol'", "BTCUSDT, ETHUSDT")),
        ("requests", {"kind": ""}, ("'kind'", "place")),
        ("orders", {"face": "margin"}, ("'face'", "spot, usdm")),
        ("orders", {"account": "bob"}, ("'account'", "client")),
        ("orders", {"symbol": "XXX"}, ("'symbol'", "BTCUSDT")),
        ("trades", {"face": "margin"}, ("'face'", "spot, usdm")),
        ("trades", {"symbol": "XXX"}, ("'symbol'", "BTCUSDT")),
        ("queues", {"account": "bob"}, ("'account'", "client")),
        ("queues", {"symbol": "btcusdt"}, ("'symbol'", "BTCUSDT")),
        ("ledger-entries", {"account": "bob"}, ("'account'", "client")),
        ("ledger-entries", {"asset": "DOGE"}, ("'asset'", "BTC, ETH, USDT")),
        ("ledger-entries", {"face": "usdm", "asset": "BTC"}, ("'asset'", "one of USDT.")),
    ],
)
async def test_a_name_that_is_none_is_refused_with_those_there_are(
    start_client: Any, name: str, params: dict[str, str], words: tuple[str, ...]
) -> None:
    client = await start_client(futures_port=0)
    status, answer = await ask(client, "GET", name, **params)
    assert (status, answer["code"]) == (400, -1130)
    assert all(word in answer["msg"] for word in words), answer


@pytest.mark.parametrize("name", ["requests", "orders", "trades", "queues", "ledger-entries", "fault-log"])
async def test_a_parameter_that_is_none_is_refused_with_those_there_are(quiet: Any, name: str) -> None:
    status, answer = await ask(quiet, "GET", name, simbol="BTCUSDT")
    assert (status, answer["code"]) == (400, -1104)
    assert ("from" if name != "queues" else "symbol") in answer["msg"]


async def test_names_that_are_there_pass_on_every_face(start_client: Any) -> None:
    """Goal: nothing that exists is refused. Method: each filter with a true value; what only one face has, without naming it."""
    client = await start_client(futures_port=0, symbols=("BTCUSDT", "ETHBTC"))
    for name, params in (
        ("requests", {"kind": "unread", "door": "api", "face": "usdm", "account": "client", "symbol": "BTCUSDT"}),
        ("requests", {"symbol": "ETHBTC"}),
        ("orders", {"account": "insurance"}),
        ("ledger-entries", {"asset": "ETH"}),
        ("ledger-entries", {"face": "usdm", "account": "clearing", "asset": "USDT"}),
        ("queues", {"symbol": "ETHBTC", "account": "client"}),
        ("trades", {"symbol": "ETHBTC"}),
    ):
        assert (await ask(client, "GET", name, **params))[0] == 200, (name, params)
    assert (await ask(client, "GET", "queues", face="usdm", symbol="ETHBTC"))[0] == 400


@pytest.mark.parametrize(
    ("name", "params", "words"),
    [
        ("filters", {"status": "WHATEVER"}, ("'status'", "TRADING", "END_OF_DAY", "HALT", "BREAK")),
        ("filters", {"status": "SETTLING"}, ("'status'", "END_OF_DAY")),
        ("filters", {"status": "END_OF_DAY", "face": "usdm"}, ("'status'", "SETTLING")),
        ("filters", {"tickSize": "0"}, ("'tickSize'", "above 0")),
        ("filters", {"stepSize": "0.0"}, ("'stepSize'", "above 0")),
        ("deposit", {"account": "client", "asset": "DOGE", "amount": "1"}, ("'asset'", "BTC, ETH, USDT")),
        ("deposit", {"account": "bob", "asset": "USDT", "amount": "1"}, ("'account'", "client")),
        ("deposit", {"account": "background", "asset": "USDT", "amount": "1"}, ("'account'", "client")),
    ],
)
async def test_what_cannot_be_done_names_what_can(
    start_client: Any, name: str, params: dict[str, str], words: tuple[str, ...]
) -> None:
    client = await start_client(futures_port=0)
    about = {"symbol": "BTCUSDT"} if name == "filters" else {}
    status, answer = await ask(client, "POST", name, **about, **params)
    assert (status, answer["code"]) == (400, -1130)
    assert all(word in answer["msg"] for word in words), answer
    _, listed = await client.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    assert listed["symbols"][0]["status"] == "TRADING"


async def test_every_status_that_is_documented_can_be_set(start_client: Any) -> None:
    client = await start_client(futures_port=0)
    for face, status in (("spot", "END_OF_DAY"), ("spot", "TRADING"), ("usdm", "SETTLING"), ("usdm", "HALT")):
        answer = (await ask(client, "POST", "filters", face=face, symbol="BTCUSDT", status=status))[1]
        assert answer["status"] == status
