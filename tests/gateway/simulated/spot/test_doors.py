"""The doors take anything: paths, methods, bodies, frames, signatures. A refusal in the venue's words, and the venue goes on."""

import asyncio
import base64
import json
import socket
import time
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import websockets
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yarl import URL

from gateway.simulated.spot import rest
from gateway.simulated.spot.table import OPERATIONS

GONE = (
    "<html>\r\n<head><title>410 Gone</title></head>\r\n<body>\r\n<center><h1>410 Gone</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
"""136 bytes, as its users have seen it."""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v3/nothing", 404),
        ("POST", "/api/v1/order", 404),
        ("GET", "/sapi/v1/nothing/at/all", 404),
        ("POST", "/api/v3/time", 405),
        ("PATCH", "/api/v3/order", 405),
        ("POST", "/api/v3/userDataStream", 410),
        ("PUT", "/api/v3/userDataStream", 410),
        ("DELETE", "/api/v3/userDataStream", 410),
    ],
)
async def test_where_nothing_is(quiet: Any, method: str, path: str, status: int) -> None:
    async with quiet.http.request(method, quiet.endpoints.rest + path) as response:
        text = await response.text()
        assert (response.status, response.content_type) == (status, "text/html")
        if status == 410:
            assert text == GONE


def raw_exchange(port: int, request: bytes) -> bytes:
    """Send bytes over a socket of its own and return what comes back until it closes, or is quiet for a moment."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while block := connection.recv(65_536):
            received += block
        return received


@pytest.mark.parametrize(
    "request_",
    [
        b"GET\r\n\r\n",
        b"GET /api/v3/depth?symbol=%ff%fe%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v3/depth?symbol=\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v3/depth?" + b"a=1&" * 60 + b"b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v3/depth?symbol=" + b"A" * 20_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\nConnection: close\r\n\r\n",
        b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\x00\xff&=",
        b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
    ],
)
async def test_bytes_that_are_no_request(quiet: Any, request_: bytes) -> None:
    """Goal: a refusal with a 4xx, no 5xx, and a venue that answers the next one."""
    port = int(quiet.endpoints.rest.rpartition(":")[2])
    answer = await asyncio.to_thread(raw_exchange, port, request_)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), answer[:200]
    assert (await quiet.get("/api/v3/ping"))[0] == 200


async def test_duplicate_and_too_many_parameters(quiet: Any) -> None:
    for query, code, text in (
        ("symbol=BTCUSDT&symbol=ETHUSDT", -1101, "Duplicate values for a parameter detected."),
        ("&".join(f"p{n}=1" for n in range(60)), -1101, "Too many parameters; expected '50' and received '60'."),
    ):
        async with quiet.http.get(f"{quiet.endpoints.rest}/api/v3/depth?{query}") as response:
            assert (response.status, await response.json()) == (400, {"code": code, "msg": text})


async def test_the_signature_may_stand_anywhere(quiet: Any) -> None:
    """Goal: rest-api.md, "query string or request body": first, last, between, in either; the query wins over the body."""
    parts = ["symbol=BTCUSDT", f"timestamp={time.time_ns() // 1_000_000}", "recvWindow=5000.125"]
    headers = {"X-MBX-APIKEY": quiet.endpoints.api_key, "Content-Type": "application/x-www-form-urlencoded"}

    async def canceled(query: str, body: str) -> int:
        url = f"{quiet.endpoints.rest}/api/v3/openOrders?{query}"
        async with quiet.http.delete(url, data=body, headers=headers) as response:
            return (await response.json())["code"]

    whole = "&".join(parts)
    signature = f"signature={quiet.signature(whole)}"
    for position in range(len(parts) + 1):
        assert await canceled("&".join([*parts[:position], signature, *parts[position:]]), "") == -2011
        assert await canceled("", "&".join([*parts[:position], signature, *parts[position:]])) == -2011
    split = f"signature={quiet.signature(parts[0] + '&'.join(parts[1:]))}"
    assert await canceled(parts[0], "&".join([*parts[1:], split])) == -2011
    assert await canceled(f"{parts[0]}&{split}", "&".join(parts[1:])) == -2011
    overridden = "&".join(["symbol=NOPE", *parts[1:]])
    both = f"signature={quiet.signature(parts[0] + overridden)}"
    assert await canceled(parts[0], f"{overridden}&{both}") == -2011
    assert await canceled(whole, f"signature={'0' * 64}") == -1022


async def test_text_beyond_ascii_is_percent_encoded_before_it_is_signed(quiet: Any) -> None:
    query = urlencode({"symbol": "\uff11\uff12\uff13", "timestamp": time.time_ns() // 1_000_000})
    headers = {"X-MBX-APIKEY": quiet.endpoints.api_key}
    url = f"{quiet.endpoints.rest}/api/v3/openOrders?{query}&signature={quiet.signature(query)}"
    async with quiet.http.get(url, headers=headers) as response:
        assert (await response.json())["code"] == -1121  # signed well; only nobody lists it


async def test_all_three_kinds_of_keys(start_client: Any) -> None:
    """Goal: HMAC, Ed25519 and RSA under one API key, over both doors; a logon takes Ed25519 alone."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    client = await start_client(rsa_public_key=pem)

    def by_rsa(payload: str) -> str:
        return base64.b64encode(key.sign(payload.encode(), padding.PKCS1v15(), SHA256())).decode()

    def by_ed25519(payload: str) -> str:
        return base64.b64encode(client.key.sign(payload.encode())).decode()

    headers = {"X-MBX-APIKEY": client.endpoints.api_key}
    for sign in (by_rsa, by_ed25519, client.signature):
        query = f"timestamp={time.time_ns() // 1_000}"  # in microseconds
        for text, status in ((query, 200), (query + "&recvWindow=1", 400)):
            url = f"{client.endpoints.rest}/api/v3/openOrders?{text}&signature={quote(sign(query), safe='')}"
            async with client.http.get(URL(url, encoded=True), headers=headers) as response:
                assert response.status == status, (sign, await response.text())
    api = await client.api()
    params = {"apiKey": client.endpoints.api_key, "timestamp": time.time_ns() // 1_000_000}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    for sign, logs_on in ((by_rsa, False), (by_ed25519, True), (client.signature, False)):
        signed = params | {"signature": sign(payload)}
        assert (await client.call(api, "openOrders.status", **signed))["status"] == 200
        assert (await client.call(api, "session.logon", **signed))["status"] == (200 if logs_on else 400)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        '{"id":1,"method":"time","params":' + '{"a":' * 10_000 + "}",
        '{"id":1,"method":"time","params":{"a":' + "[" * 30_000,
        '{"id":1,"method":"time","params":{"a":"\\ud800"}}',
        '{"id":1,"method":"time","params":[]}',
        '{"id":[1],"method":"time"}',
        '{"id":1,"method":5}',
        '{"id":1,"method":null}',
        '{"id":1.5,"method":"time"}',
        "nonsense",
        "",
        '"\\u0000"',
    ],
)
async def test_frames_that_are_no_request(quiet: Any, text: str) -> None:
    api = await quiet.api()
    await api.send(text)
    answer = await api.receive()
    assert (answer["status"], answer["error"]) == (400, {"code": -1135, "msg": "Invalid JSON Request"})
    assert (await quiet.call(api, "ping"))["status"] == 200


async def test_a_binary_or_oversized_frame_ends_its_connection_alone(quiet: Any) -> None:
    for frame in (b"\x00\x01", "x" * 100_000):
        api, other = await quiet.api(), await quiet.api()
        await api.connection.send(frame)
        with pytest.raises(websockets.ConnectionClosed):
            await api.receive()
        assert (await quiet.call(other, "ping"))["status"] == 200


async def test_a_request_that_took_too_long_to_come_is_stale(start_client: Any) -> None:
    """Goal: recvWindow is held against the moment the whole request is here. Method: a body that is slow to end."""
    client = await start_client()
    query = f"symbol=BTCUSDT&recvWindow=100&timestamp={time.time_ns() // 1_000_000}"
    body = f"{query}&signature={client.signature(query)}".encode()

    async def slowly() -> Any:
        yield body[:10]
        await asyncio.sleep(0.3)
        yield body[10:]

    headers = {"X-MBX-APIKEY": client.endpoints.api_key, "Content-Type": "application/x-www-form-urlencoded"}
    async with client.http.delete(
        client.endpoints.rest + "/api/v3/openOrders", data=slowly(), headers=headers
    ) as response:
        answer = await response.json()
    assert answer == {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}


async def test_a_body_that_never_ends(quiet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "BODY_S_MAX", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(quiet.endpoints.rest.rpartition(":")[2]))
    writer.write(b"POST /api/v3/order HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nsymbol")
    async with asyncio.timeout(60):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()


async def test_garbage_fills_no_log(quiet: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Goal: bad input is normal input: no traceback of it, for a client may send it all day."""
    port = int(quiet.endpoints.rest.rpartition(":")[2])
    for garbage in (b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        assert b" 400 " in await reader.readline()
        writer.close()
    assert not caplog.records


async def test_an_answer_to_everything(quiet: Any) -> None:
    """Goal: whatever operation, without parameters: a well-formed answer, never a 5xx."""
    api = await quiet.api()
    for name in OPERATIONS:
        answer = await quiet.call(api, name, **quiet.params())
        assert answer["status"] in (200, 400), (name, answer)
        if answer["status"] == 400:
            assert set(answer["error"]) == {"code", "msg"}, name
            assert answer["error"]["code"] < -1000, name
    assert json.dumps(answer)
