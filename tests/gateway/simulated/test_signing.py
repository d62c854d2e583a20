"""Signatures against the vectors of the venue's documents, and the timing rules."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.orders import AccountId
from gateway.simulated.payload import NS_PER_MS
from gateway.simulated.signing import (
    Credential,
    KeyRing,
    check_timing,
    rest_payload,
    sorted_payload,
    verify_ed25519,
    verify_hmac,
)

VECTORS = Path(__file__).parents[4] / "shared" / "data" / "signatures" / "binance_signatures.json"
NOW_MS = 1_700_000_000_000
# rest-api.md, "SIGNED Endpoint examples": the venue's own published example key.
SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
PAYLOAD = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def vectors(algorithm: str) -> list[dict[str, Any]]:
    if not VECTORS.exists():
        pytest.skip("../shared/data/signatures is absent")
    return [v for v in json.loads(VECTORS.read_text()) if v["alg"] == algorithm]


def test_hmac_vectors() -> None:
    found = vectors("HMAC-SHA256")
    assert len(found) >= 4
    for vector in found:
        payload = vector["payload"].encode()
        assert verify_hmac(vector["secret"].encode(), payload, vector["signature"]), vector["name"]
        assert not verify_hmac(vector["secret"].encode(), payload + b"0", vector["signature"])


def test_sorted_payload_vectors() -> None:
    """The WebSocket API's vectors hold the payload already sorted; any order of parameters must give it back."""
    for vector in vectors("HMAC-SHA256"):
        if vector["name"].startswith("ws_api"):
            params = dict(part.split("=", 1) for part in reversed(vector["payload"].split("&")))
            assert sorted_payload(params | {"signature": "x"}) == vector["payload"].encode()


def test_ed25519_vectors() -> None:
    for vector in vectors("Ed25519"):
        private_key = load_pem_private_key(vector["private_key_pem"].encode(), None)
        assert isinstance(private_key, Ed25519PrivateKey)
        payload = vector["payload"].encode()
        assert verify_ed25519(private_key.public_key(), payload, vector["signature"])
        assert not verify_ed25519(private_key.public_key(), payload + b"0", vector["signature"])
        assert not verify_ed25519(private_key.public_key(), payload, "not base64!")


@pytest.mark.parametrize("split", [0, 1, 3, 8])
def test_a_rest_request_may_be_split_between_query_and_body(split: int) -> None:
    parts = PAYLOAD.split("&")
    query, body = "&".join(parts[:split]), "&".join(parts[split:])
    whole = rest_payload(query.encode(), f"{body}&signature={SIGNATURE}".encode())
    assert verify_hmac(SECRET, whole, SIGNATURE) == (split in (0, 8))  # the two are joined without an ampersand


def test_the_venues_example_in_upper_case_hex() -> None:
    assert verify_hmac(SECRET, rest_payload(f"{PAYLOAD}&signature={SIGNATURE}".encode(), b""), SIGNATURE.upper())


def test_keys_are_told_apart() -> None:
    keys = KeyRing()
    keys.add("key", Credential(AccountId("ann"), SECRET))
    payload = PAYLOAD.encode()
    assert keys.authenticate("key", payload, SIGNATURE) == "ann"
    for api_key, signature, ed25519_only, code in (
        ("f" * 64, SIGNATURE, False, -2015),
        ("f" * 63, SIGNATURE, False, -2014),
        ("", SIGNATURE, False, -2014),
        ("key", "0" * 64, False, -1022),
        ("key", SIGNATURE, True, -1022),
        ("key", "ä", False, -1022),
    ):
        with pytest.raises(VenueError) as caught:
            keys.authenticate(api_key, payload, signature, ed25519_only=ed25519_only)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"timestamp": str(NOW_MS)}, None),
        ({"timestamp": str(NOW_MS + 999)}, None),
        ({"timestamp": str(NOW_MS + 1_000)}, -1021),
        ({"timestamp": str(NOW_MS - 5_000)}, None),
        ({"timestamp": str(NOW_MS - 5_001)}, -1021),
        ({"timestamp": str(NOW_MS - 101), "recvWindow": "100.5"}, -1021),
        ({"timestamp": str(NOW_MS - 100), "recvWindow": "100.5"}, None),
        ({"timestamp": str(NOW_MS * 1_000)}, None),
        ({"timestamp": str(NOW_MS), "recvWindow": "60001"}, -1131),
        ({"timestamp": str(NOW_MS), "recvWindow": "1.2345"}, -1100),
        ({"timestamp": "soon"}, -1100),
        ({}, -1102),
    ],
)
def test_timing(params: dict[str, str], code: int | None) -> None:
    if code is None:
        check_timing(params, NOW_MS * NS_PER_MS)
        return
    with pytest.raises(VenueError) as caught:
        check_timing(params, NOW_MS * NS_PER_MS)
    assert caught.value.code == code
