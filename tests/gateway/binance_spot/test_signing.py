"""Signatures against the venue's own examples, and secrets that stay secret."""

import hashlib
import hmac
import json
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.binance_spot.errors import SigningKeyError
from gateway.binance_spot.signing import (
    Ed25519Signer,
    HmacSigner,
    rest_payload,
    signed_params,
    signed_query,
    websocket_payload,
)

# The example key of the venue's documentation (rest-api, "SIGNED Endpoint Examples"): public, worth nothing.
API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
PEM = (
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n"
    "-----END PRIVATE KEY-----\n"
)
WIDE = "\uff11\uff12\uff13\uff14\uff15\uff16"
REST: list[tuple[str, str]] = [
    ("symbol", "LTCBTC"),
    ("side", "BUY"),
    ("type", "LIMIT"),
    ("timeInForce", "GTC"),
    ("quantity", "1"),
    ("price", "0.1"),
    ("recvWindow", "5000"),
    ("timestamp", "1499827319559"),
]
VECTORS = Path(__file__).parents[4] / "shared" / "data" / "signatures" / "binance_signatures.json"


def test_rest_signs_the_query_as_in_the_docs() -> None:
    signature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    assert signed_query(HmacSigner(API_KEY, SECRET), REST) == f"{rest_payload(REST)}&signature={signature}"


def test_rest_percent_encodes_before_signing() -> None:
    query = signed_query(HmacSigner(API_KEY, SECRET), [("symbol", WIDE), *REST[1:]])
    assert query.startswith("symbol=%EF%BC%91%EF%BC%92")
    assert query.endswith("&signature=e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3")


def test_the_websocket_api_signs_sorted_raw_text() -> None:
    params: dict[str, str | int] = {
        "type": "LIMIT",
        "timestamp": 1645423376532,
        "symbol": WIDE,
        "side": "BUY",
        "timeInForce": "GTC",
        "quantity": "1.00000000",
        "price": "0.10000000",
        "recvWindow": 5000,
    }
    signed = signed_params(HmacSigner(API_KEY, SECRET), params)
    assert signed["signature"] == "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"
    assert websocket_payload({**params, "apiKey": API_KEY}).decode().split("&")[0] == f"apiKey={API_KEY}"


def test_ed25519_signs_as_in_the_docs() -> None:
    payload = b"A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223"
    signature = "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="
    assert Ed25519Signer("key", PEM).sign(payload) == signature


def test_a_base64_signature_is_percent_encoded_in_a_query() -> None:
    query = signed_query(Ed25519Signer("key", PEM), REST)
    signature = query.partition("&signature=")[2]
    assert not set(signature) & set("+/=")
    assert signature.endswith("%3D%3D")


@pytest.mark.skipif(not VECTORS.exists(), reason="no signature vectors beside the repository")
def test_every_vector_is_reproduced() -> None:
    vectors: list[dict[str, Any]] = json.loads(VECTORS.read_text())
    for vector in vectors:
        signer: HmacSigner | Ed25519Signer
        if vector["alg"] == "Ed25519":
            signer = Ed25519Signer("key", vector["private_key_pem"])
        else:
            signer = HmacSigner(vector["api_key"], vector["secret"])
        assert signer.sign(vector["payload"].encode()) == vector["signature"], vector["name"]
        assert signer.algorithm == vector["alg"]


@given(st.text(min_size=1, max_size=150), st.binary(max_size=300))
def test_hmac_equals_the_standard_library(secret: str, payload: bytes) -> None:
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    signer = HmacSigner("key", secret)
    assert [signer.sign(payload), signer.sign(payload)] == [expected, expected]


def test_no_secret_is_shown() -> None:
    for signer, secret in ((HmacSigner("key", SECRET), SECRET), (Ed25519Signer("key", PEM), PEM.split("\n")[1])):
        shown = [repr(signer), str(signer), f"{signer!r}", repr([getattr(signer, name) for name in signer.__slots__])]
        with pytest.raises(TypeError) as refused:
            pickle.dumps(signer)
        assert not any(secret in text for text in [*shown, str(refused.value)])


@pytest.mark.parametrize("pem", ["", "nonsense-4711", PEM.replace("MC4C", "4711"), PEM.replace("PRIVATE", "PUBLIC")])
def test_a_bad_key_is_refused_without_showing_it(pem: str) -> None:
    with pytest.raises(SigningKeyError) as refused:
        Ed25519Signer("key", pem)
    text = "".join(traceback.format_exception(refused.value))
    assert "Ed25519" in str(refused.value)
    assert "4711" not in text
    assert "CIEIIJEYW" not in text


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(SigningKeyError):
        HmacSigner("key", "")
