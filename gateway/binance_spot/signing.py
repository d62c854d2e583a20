"""Signatures of Binance Spot: what is signed, and by which key. Pure; the only importer of cryptography here.

REST signs the query string as it is sent, non-ASCII percent-encoded before (docs, rest-api, "SIGNED endpoint").
The WebSocket API signs all params but the signature, sorted by name, raw UTF-8 (docs, web-socket-api, "Signed request").
A signer never shows its secret: not in repr, not in an exception, and it keeps no text of it.
"""

import binascii
import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol
from urllib.parse import quote, urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.binance_spot.errors import SigningKeyError

_BLOCK = 64  # bytes of a SHA-256 block (FIPS 180-4); HMAC pads its key to it (RFC 2104)
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class Signer(Protocol):
    """api_key goes into the `X-MBX-APIKEY` header (REST) or the `apiKey` param (WebSocket API)."""

    api_key: str

    @property
    def algorithm(self) -> str: ...

    def sign(self, payload: bytes) -> str: ...


class HmacSigner:
    """HMAC-SHA256 in hex. Keeps the two hash states that follow the key, not the key.

    Two states copied and updated: 0.8 us for 300 bytes; hmac.digest 1.9, hmac.new 1.7 (p50, back to back).
    """

    __slots__ = ("_inner", "_outer", "api_key")
    algorithm: ClassVar[str] = "HMAC-SHA256"

    def __init__(self, api_key: str, secret: str) -> None:
        if not secret:
            raise SigningKeyError("HMAC-SHA256: the secret is empty")
        key = secret.encode()
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        key = key.ljust(_BLOCK, b"\0")
        self.api_key = api_key
        self._inner = hashlib.sha256(key.translate(_INNER))
        self._outer = hashlib.sha256(key.translate(_OUTER))

    def sign(self, payload: bytes) -> str:
        """Return the signature as hex."""
        inner = self._inner.copy()
        inner.update(payload)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()

    def __repr__(self) -> str:
        return "HmacSigner(secret hidden)"


class Ed25519Signer:
    """Ed25519 in base64. The only kind of key with which the venue lets a session log on."""

    __slots__ = ("_sign", "api_key")
    algorithm: ClassVar[str] = "Ed25519"

    def __init__(self, api_key: str, private_key_pem: str) -> None:
        try:
            key = load_pem_private_key(private_key_pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
            key = None  # the library's own text may quote the file: raised below, without it
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyError("Ed25519: not an unencrypted PKCS#8 PEM private key of that kind")
        self.api_key = api_key
        self._sign = key.sign

    def sign(self, payload: bytes) -> str:
        """Return the signature as base64, as the WebSocket API wants it; a query string percent-encodes it."""
        return b64encode(self._sign(payload)).decode()

    def __repr__(self) -> str:
        return "Ed25519Signer(private key hidden)"


def rest_payload(params: Sequence[tuple[str, str]]) -> str:
    """Return the query string in the order given, percent-encoded: what REST signs and sends."""
    return urlencode(params, quote_via=quote)


def signed_query(signer: Signer, params: Sequence[tuple[str, str]]) -> str:
    """Return the query string with its signature at the end."""
    payload = rest_payload(params)
    return f"{payload}&signature={quote(signer.sign(payload.encode()), safe='')}"


def websocket_payload(params: Mapping[str, str | int]) -> bytes:
    """Return what the WebSocket API signs: sorted by name, raw UTF-8."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params)).encode()


def signed_params(signer: Signer, params: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return `params` with `apiKey` and `signature`. `orders` does the same by template for orders and cancels."""
    with_key = {**params, "apiKey": signer.api_key}
    return {**with_key, "signature": signer.sign(websocket_payload(with_key))}
