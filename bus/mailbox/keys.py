"""CURVE keys in files, as ZeroMQ's own tools write them: NAME.key (public) and NAME.key_secret (both, for its host alone)."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.auth import create_certificates, load_certificate

from bus.errors import KeyFileError

_Z85 = re.compile(rb"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""32 bytes as ZeroMQ writes them (RFC 32)."""


class KeyPair(NamedTuple):
    """As text of Z85, 40 bytes each."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.public.decode()})"  # the secret is nobody's business


def public_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.key"


def secret_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.key_secret"


def create(folder: Path, name: str) -> None:
    """Both files of a new pair, the secret one for this user alone. Raises KeyFileError; never replaces a file."""
    if not zmq.has("curve"):
        raise KeyFileError(folder, "this libzmq was built without CURVE; install pyzmq's own wheel")
    for path in (public_path(folder, name), secret_path(folder, name)):
        if path.exists():
            raise KeyFileError(path, "is there already; remove it first if its host shall have a new key")
    mask = os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        create_certificates(folder, name)
        public_path(folder, name).chmod(0o644)
    except OSError as error:
        raise KeyFileError(folder, f"cannot be written: {error.strerror}") from error
    finally:
        os.umask(mask)


def load_public(folder: Path, name: str) -> bytes:
    """Raises KeyFileError."""
    return _load(public_path(folder, name))[0]


def load_pair(folder: Path, name: str) -> KeyPair:
    """Raises KeyFileError; also when anybody else may read the secret file."""
    path = secret_path(folder, name)
    public, secret = _load(path)
    if secret is None:
        raise KeyFileError(path, "holds no secret key; copy the file that `touchline keys` made for this host")
    if path.stat().st_mode & 0o077:
        raise KeyFileError(path, f"may be read by others; run: chmod 600 {path}")
    return KeyPair(public, secret)


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        public, secret = load_certificate(path)
    except (OSError, ValueError):
        raise KeyFileError(path, "is not there or holds no key; `touchline keys` makes one") from None
    for key in (public, secret):
        if key is not None and not _Z85.fullmatch(key):
            raise KeyFileError(path, "holds something else than a key; `touchline keys` makes one")
    return public, secret
