"""API keys, and whether a request was signed by one, in time. Pure but for key files, which live at the bottom.

Signed bytes: REST, the raw query string followed by the raw body, less `signature`; WebSocket API, the parameters less
`signature`, sorted by name, as name=value joined by &. HMAC-SHA256 in hex; Ed25519 or RSA (PKCS #1 v1.5 with SHA-256) in
base64 (rest-api.md, "SIGNED Endpoint security").
"""

import base64
import binascii
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .core.errors import BadRequest, NotAuthorized, missing_parameter
from .core.orders import AccountId
from .payload import NS_PER_MS, NS_PER_US
from .settings import Credentials, SettingsError

RECV_WINDOW_NS_DEFAULT = 5_000 * NS_PER_MS  # rest-api.md, "Timing security"
RECV_WINDOW_MS_MAX = 60_000  # the same
CLOCK_AHEAD_NS = 1_000_000_000  # the same: a timestamp may be less than a second ahead of the venue
MICROSECONDS_FROM = 10**15  # a timestamp this large is in microseconds: in milliseconds it would be the year 33658
_API_KEY = re.compile(r"[A-Za-z0-9]{64}")  # of every key the venue gives out; a cut one gets -2014 there
HMAC_DIGITS = 64  # SHA-256 in hex; no Ed25519 or RSA signature is this short


class Credential(msgspec.Struct, frozen=True):
    """What may sign under one API key. The venue's keys are of one kind each; ours may be of several."""

    account: AccountId
    secret: bytes
    ed25519: Ed25519PublicKey | None = None
    rsa: RSAPublicKey | None = None

    def __repr__(self) -> str:
        """Without the secret: a traceback may show it."""
        return f"Credential({self.account!r})"


class KeyRing:
    """Who signs with which key."""

    def __init__(self) -> None:
        self._credentials: dict[str, Credential] = {}

    def add(self, api_key: str, credential: Credential) -> None:
        self._credentials[api_key] = credential

    def owner(self, api_key: str) -> AccountId:
        """Return whose key it is. Raises NotAuthorized for an unknown one, and for what cannot be one."""
        return self._credential(api_key).account

    def authenticate(self, api_key: str, payload: bytes, signature: str, *, ed25519_only: bool = False) -> AccountId:
        """Return whose request it is. Raises NotAuthorized for an unknown key, BadRequest for a wrong signature."""
        credential = self._credential(api_key)
        if not _is_signed(credential, payload, signature, ed25519_only=ed25519_only):
            raise BadRequest(-1022, "Signature for this request is not valid.")
        return credential.account

    def _credential(self, api_key: str) -> Credential:
        credential = self._credentials.get(api_key)
        if credential is None:
            if _API_KEY.fullmatch(api_key) is None:
                raise NotAuthorized(-2014, "API-key format invalid.")
            raise NotAuthorized(-2015, "Invalid API-key, IP, or permissions for action.")
        return credential


def _is_signed(credential: Credential, payload: bytes, signature: str, *, ed25519_only: bool) -> bool:
    if len(signature) == HMAC_DIGITS:
        return not ed25519_only and verify_hmac(credential.secret, payload, signature)
    if credential.ed25519 is not None and verify_ed25519(credential.ed25519, payload, signature):
        return True
    return not ed25519_only and credential.rsa is not None and verify_rsa(credential.rsa, payload, signature)


def verify_hmac(secret: bytes, payload: bytes, signature: str) -> bool:
    """The hex digits may be of either case."""
    expected = hmac.digest(secret, payload, "sha256").hex()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def verify_ed25519(public_key: Ed25519PublicKey, payload: bytes, signature: str) -> bool:
    try:
        public_key.verify(base64.b64decode(signature, validate=True), payload)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def verify_rsa(public_key: RSAPublicKey, payload: bytes, signature: str) -> bool:
    try:
        public_key.verify(base64.b64decode(signature, validate=True), payload, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def rest_payload(query: bytes, body: bytes) -> bytes:
    """Return the signed bytes of a REST request: its query string and body as they came, less the signature."""
    return _without_signature(query) + _without_signature(body)


def _without_signature(raw: bytes) -> bytes:
    start = raw.find(b"signature=")
    if start < 0:
        return raw
    if raw.find(b"&", start) < 0 and start and raw[start - 1] == ord("&"):
        return raw[: start - 1]  # at the end, where clients put it
    return b"&".join(part for part in raw.split(b"&") if not part.startswith(b"signature="))


def sorted_payload(params: Mapping[str, str]) -> bytes:
    """Return the signed bytes of a WebSocket API request."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature").encode()


def check_timing(params: Mapping[str, str], now_ns: int) -> int:
    """Return until when (ns) the request may reach the matching engine. Raises BadRequest if it is too late or too early now."""
    timestamp_ns = _timestamp_ns(params)
    deadline_ns = timestamp_ns + _recv_window_ns(params)
    if timestamp_ns >= now_ns + CLOCK_AHEAD_NS:
        raise BadRequest(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ns > deadline_ns:
        raise too_late()
    return deadline_ns


def too_late() -> BadRequest:
    return BadRequest(-1021, "Timestamp for this request is outside of the recvWindow.")


def _timestamp_ns(params: Mapping[str, str]) -> int:
    text = params.get("timestamp", "")
    if not text:
        raise missing_parameter("timestamp")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(-1100, "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'.")
    timestamp = int(text)
    return timestamp * (NS_PER_US if timestamp >= MICROSECONDS_FROM else NS_PER_MS)


def _recv_window_ns(params: Mapping[str, str]) -> int:
    text = params.get("recvWindow")
    if text is None:
        return RECV_WINDOW_NS_DEFAULT
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    if not whole or not digits.isascii() or not digits.isdigit() or len(fraction) > 3 or len(whole) > 9:
        raise BadRequest(-1100, "Illegal characters found in parameter 'recvWindow'.")
    window_ns = int(whole) * NS_PER_MS + int(fraction.ljust(3, "0")) * NS_PER_US
    if window_ns > RECV_WINDOW_MS_MAX * NS_PER_MS:
        raise BadRequest(-1131, "recvWindow must be less than 60000.")
    return window_ns


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
        _close_to_others(path)
        stored = msgspec.json.decode(path.read_bytes(), type=list[_StoredKey]) if path.exists() else []
        kept = {key.account: Credentials(key.account, key.api_key, key.api_secret) for key in stored}
        known = {**{a: new_credentials(a) for a in accounts if a not in kept}, **kept}
        if len(known) > len(kept):
            _write_keys(path, list(known.values()))
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"--state {state}: {path.name} cannot be used ({error}); name another directory") from error
    return tuple(known[account] for account in accounts)


def _close_to_others(path: Path) -> None:
    """A copied file may have been given another mode."""
    if path.exists() and path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _write_keys(path: Path, credentials: list[Credentials]) -> None:
    """Replace the file in one step, so that a crash leaves the old keys or the new ones; readable by the owner only."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode([_StoredKey(c.account, c.api_key, c.api_secret) for c in credentials]))
    temporary.replace(path)


def parse_public_key(pem: str | None) -> Ed25519PublicKey | None:
    key = _public_key(pem, "--ed25519-public-key")
    if key is not None and not isinstance(key, Ed25519PublicKey):
        raise SettingsError("--ed25519-public-key: the PEM holds another kind of key; give an Ed25519 one")
    return key


def parse_rsa_public_key(pem: str | None) -> RSAPublicKey | None:
    key = _public_key(pem, "--rsa-public-key")
    if key is not None and not isinstance(key, RSAPublicKey):
        raise SettingsError("--rsa-public-key: the PEM holds another kind of key; give an RSA one")
    return key


def _public_key(pem: str | None, option: str) -> object:
    if pem is None:
        return None
    try:
        return load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{option}: not a PEM public key ({error}); give one") from error
