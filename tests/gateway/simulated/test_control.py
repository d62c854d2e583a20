"""The administration door: who may come in, what is refused, and that no input ends the process."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.simulated.control import _is_loopback

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}


async def ask(client: Any, method: str, path: str, *, body: bytes = b"", headers: Any = None, **params: str) -> Any:
    """Return status and payload; what is not JSON is returned as text."""
    url = f"{client.endpoints.rest}{path}"
    async with client.http.request(method, url, params=params, data=body, headers=headers or {}) as response:
        text = await response.text()
        return response.status, json.loads(text) if response.content_type == "application/json" else text


async def test_the_index_is_what_there_is(quiet: Any) -> None:
    """Goal: the list tells the truth. Method: each row is asked without parameters and is there."""
    status, rows = await ask(quiet, "GET", "/control/")
    assert status == 200
    assert {"GET /control/ledger", "POST /control/faults", "GET /control/book"} <= {
        f"{row['method']} {row['path']}" for row in rows
    }
    listed = [f"`{row['method']} {row['path']}`" for row in rows]
    page = (Path(__file__).parents[3] / "docs" / "reference" / "venue-control.md").read_text()
    assert sorted(listed) == sorted(
        line.split("|")[1].strip() for line in page.splitlines() if "/control/" in line[:30]
    )
    for row in rows:
        assert row["what"]
        status, answer = await ask(quiet, row["method"], row["path"])
        assert status in (200, 400), row
        assert status == 200 or answer["code"] < 0
        status, answer = await ask(quiet, row["method"], row["path"], nonsense="1")
        assert (status, answer["code"]) == (400, -1104)


async def test_the_door_is_shut_unless_it_is_asked_for(start_client: Any) -> None:
    client = await start_client(control=False)
    for path in ("/control/", "/control/ledger", "/control/faults"):
        assert (await ask(client, "GET", path))[0] == 404
    assert (await ask(client, "POST", "/control/disconnect"))[0] in (404, 405)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "http://127.0.0.1"}, 200),
        ({"Origin": "http://[::1]:8080"}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:9000"}, 200),
        ({"Origin": "http://example.com"}, 403),
        ({"Origin": "http://localhost.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Host": "venue.example.com"}, 403),
        ({"Host": "127.0.0.1.example.com:80"}, 403),
        ({"Host": "10.0.0.1"}, 403),
    ],
)
async def test_a_page_of_another_site_gets_nothing(quiet: Any, headers: dict[str, str], status: int) -> None:
    """Goal: neither a form of a web page nor a name that resolves to this machine passes."""
    assert (await ask(quiet, "POST", "/control/pause-flow", headers=headers))[0] == status
    assert (await ask(quiet, "GET", "/control/ledger", headers=headers))[0] == status


@pytest.mark.parametrize(
    ("address", "passes"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("192.168.0.1", False),
        ("0.0.0.0", False),
        ("", False),
        ("somebody", False),
        (None, False),
    ],
)
def test_only_this_machine_is_loopback(address: str | None, passes: bool) -> None:
    assert _is_loopback(address) is passes


@pytest.mark.parametrize(
    ("method", "name", "params", "code"),
    [
        ("GET", "requests", {"from": "x"}, -1100),
        ("GET", "requests", {"from": "-1"}, -1100),
        ("GET", "orders", {"limit": "1e3"}, -1100),
        ("GET", "ledger", {"face": "options"}, -1130),
        ("GET", "ledger-entries", {"face": ""}, -1130),
        ("GET", "book", {}, -1102),
        ("GET", "book", {"symbol": "NOSUCH"}, -1121),
        ("GET", "book", {"symbol": "BTCUSDT", "levels": "many"}, -1100),
        ("GET", "queues", {"symbols": "BTCUSDT"}, -1104),
        ("POST", "deposit", {"account": "client", "asset": "USDT", "amount": "-1"}, -1100),
        ("POST", "deposit", {"account": "nobody", "asset": "USDT", "amount": "1"}, -1130),
        ("POST", "market", {"symbol": "BTCUSDT", "side": "HOLD", "quantity": "1"}, -1117),
        ("POST", "filters", {"symbol": "BTCUSDT", "tickSize": "1e9"}, -1100),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    quiet: Any, method: str, name: str, params: dict[str, str], code: int
) -> None:
    status, answer = await ask(quiet, method, f"/control/{name}", **params)
    assert (status, answer["code"]) == (400, code)


async def test_a_parameter_that_is_there_twice_is_refused(quiet: Any) -> None:
    status, answer = await ask(quiet, "GET", "/control/requests?limit=1&limit=2")
    assert (status, answer["code"]) == (400, -1101)


async def test_a_wrong_method_is_not_done(client: Any) -> None:
    assert (await ask(client, "GET", "/control/disconnect"))[0] in (404, 405)
    assert (await ask(client, "POST", "/control/ledger"))[0] in (404, 405)


WORDS = ("", "0", "1", "-1", "true", "all", "BTCUSDT", "btcusdt", "x" * 300, "\x00", "\udcff", "é✓", "1e999", "nan")
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"fault":[{}]}',
    b'{"fault":[{"kind":1}]}',
    b"\xff\xfe",
    b"[" * 5_000,
    b"{}" * 99,
)


async def test_no_input_ends_the_process(quiet: Any) -> None:
    """Goal: bad input is normal input. Method: 400 seeded requests of known names with unlikely words, then the index."""
    _, rows = await ask(quiet, "GET", "/control/")
    random = Random(5)
    for _ in range(400):
        row = random.choice(rows)
        names = random.sample(sorted(row["parameters"]), random.randint(0, len(row["parameters"])))
        if random.random() < 0.1:
            names.append(random.choice(WORDS) or "empty")
        params = {
            name.encode(errors="replace").decode(): random.choice(WORDS).encode(errors="replace").decode()
            for name in names
        }
        method = random.choice((row["method"], row["method"], "GET", "POST", "DELETE"))
        status, answer = await ask(quiet, method, row["path"], body=random.choice(BODIES), **params)
        assert status < 500, (method, row["path"], params, answer)
        assert status == 200 or status in (404, 405) or answer["code"] < 0
    assert (await ask(quiet, "GET", "/control/"))[0] == 200
    assert (await quiet.get("/api/v3/ping"))[0] == 200


async def test_a_body_without_end_is_cut_off(quiet: Any) -> None:
    status, _ = await ask(quiet, "POST", "/control/faults", body=b"[" * 200_000)
    assert status == 413
    assert (await ask(quiet, "GET", "/control/"))[0] == 200
