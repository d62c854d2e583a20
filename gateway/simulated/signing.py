"""API keys, and whether a request was signed by one, in time. Pure but for key files, which live at the bottom.

Signed bytes: REST, the raw query string followed by the raw body, less `signature`; WebSocket API, the parameters less
`signature`, sorted by name, as name=value joined by &. HMAC-SHA256 in hex, or Ed25519 in base64 (rest-api.md, "SIGNED").
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .core.errors import BadRequest, NotAuthorized, missing_parameter
from .core.orders import AccountId
from .settings import Credentials, SettingsError

RECV_WINDOW_MS_DEFAULT = 5_000.0  # rest-api.md, "Timing security"
RECV_WINDOW_MS_MAX = 60_000.0  # the same
CLOCK_AHEAD_MS = 1_000  # the same: a timestamp may be less than a second ahead of the venue
MICROSECONDS_FROM = 10**15  # a timestamp this large is in microseconds: in milliseconds it would be the year 33658


class Credential(msgspec.Struct, frozen=True):
    account: AccountId
    secret: bytes
    public_key: Ed25519PublicKey | None


class KeyRing:
    """Who signs with which key."""

    def __init__(self) -> None:
        self._credentials: dict[str, Credential] = {}

    def add(self, api_key: str, credential: Credential) -> None:
        self._credentials[api_key] = credential

    def owner(self, api_key: str) -> AccountId:
        """Return whose key it is. Raises NotAuthorized for an unknown one."""
        credential = self._credentials.get(api_key)
        if credential is None:
            raise NotAuthorized(-2015, "Invalid API-key, IP, or permissions for action.")
        return credential.account

    def authenticate(self, api_key: str, payload: bytes, signature: str, *, ed25519_only: bool = False) -> AccountId:
        """Return whose request it is. Raises NotAuthorized for an unknown key, BadRequest for a wrong signature."""
        credential = self._credentials.get(api_key)
        if credential is None:
            raise NotAuthorized(-2015, "Invalid API-key, IP, or permissions for action.")
        hmac_matches = not ed25519_only and verify_hmac(credential.secret, payload, signature)
        if not hmac_matches and not verify_ed25519(credential.public_key, payload, signature):
            raise BadRequest(-1022, "Signature for this request is not valid.")
        return credential.account


def verify_hmac(secret: bytes, payload: bytes, signature: str) -> bool:
    expected = hmac.new(secret, payload, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def verify_ed25519(public_key: Ed25519PublicKey | None, payload: bytes, signature: str) -> bool:
    if public_key is None:
        return False
    try:
        public_key.verify(base64.b64decode(signature, validate=True), payload)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def rest_payload(query: str, body: str) -> bytes:
    """Return the signed bytes of a REST request: its raw query string and body without the signature."""
    return (_without_signature(query) + _without_signature(body)).encode(errors="surrogateescape")


def _without_signature(raw: str) -> str:
    return "&".join(part for part in raw.split("&") if not part.startswith("signature="))


def sorted_payload(params: Mapping[str, str]) -> bytes:
    """Return the signed bytes of a WebSocket API request."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature").encode()


def check_timing(params: Mapping[str, str], now_ms: int) -> None:
    """Raise BadRequest unless the request's `timestamp` lies within its `recvWindow` of the venue's clock."""
    timestamp_ms = _timestamp_ms(params)
    window_ms = _recv_window_ms(params)
    if timestamp_ms >= now_ms + CLOCK_AHEAD_MS:
        raise BadRequest(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - timestamp_ms > window_ms:
        raise BadRequest(-1021, "Timestamp for this request is outside of the recvWindow.")


def _timestamp_ms(params: Mapping[str, str]) -> float:
    text = params.get("timestamp", "")
    if not text:
        raise missing_parameter("timestamp")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(-1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'.")
    timestamp = int(text)
    return timestamp / 1_000 if timestamp >= MICROSECONDS_FROM else timestamp


def _recv_window_ms(params: Mapping[str, str]) -> float:
    text = params.get("recvWindow")
    if text is None:
        return RECV_WINDOW_MS_DEFAULT
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit() or len(fraction) > 3 or len(whole) > 9:
        raise BadRequest(-1100, "Illegal characters found in parameter 'recvWindow'.")
    window_ms = float(text)
    if window_ms > RECV_WINDOW_MS_MAX:
        raise BadRequest(-1131, "recvWindow must be less than 60000.")
    return window_ms


# ---- key material


class _StoredKey(msgspec.Struct):
    account: str
    api_key: str
    api_secret: str


KEY_FILE = "venue-keys.json"


def new_credentials(account: str) -> Credentials:
    """Return a random key and secret, 64 characters each as the venue's are."""
    return Credentials(account, secrets.token_hex(32), secrets.token_hex(32))


def load_credentials(state: Path | None, accounts: tuple[str, ...]) -> tuple[Credentials, ...]:
    """Return credentials for `accounts`: kept in `state` (file mode 0600), or fresh ones where there is no state."""
    if state is None:
        return tuple(new_credentials(account) for account in accounts)
    path = state / KEY_FILE
    try:
        state.mkdir(parents=True, exist_ok=True)
        stored = msgspec.json.decode(path.read_bytes(), type=list[_StoredKey]) if path.exists() else []
        kept = {key.account: Credentials(key.account, key.api_key, key.api_secret) for key in stored}
        known = {**{a: new_credentials(a) for a in accounts if a not in kept}, **kept}
        if len(known) > len(kept):
            _write_keys(path, list(known.values()))
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"--state {state}: {path.name} cannot be used ({error}); name another directory") from error
    return tuple(known[account] for account in accounts)


def _write_keys(path: Path, credentials: list[Credentials]) -> None:
    """Replace the file in one step, so that a crash leaves the old keys or the new ones; readable by the owner only."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode([_StoredKey(c.account, c.api_key, c.api_secret) for c in credentials]))
    temporary.replace(path)


def parse_public_key(pem: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise SettingsError(f"--ed25519-public-key: not a PEM public key ({error}); give an Ed25519 one") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError("--ed25519-public-key: the PEM holds another kind of key; give an Ed25519 one")
    return key
