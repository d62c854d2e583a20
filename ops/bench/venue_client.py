"""A lean client for measuring a venue: blocking sockets, HMAC, frames built by hand. It costs microseconds where a library costs a hundred.

It reads an answer as what one recv brings: the venue writes each in one piece, and one request is under way at a time.
"""

import base64
import hashlib
import hmac
import json
import os
import socket
from urllib.parse import urlencode, urlsplit

RECEIVE_BYTES = 1 << 18
TIMEOUT_S = 5.0
TEXT, PING, PONG = b"\x81", b"\x89", b"\x8a"


class LeanClient:
    def __init__(self, told: dict[str, str]) -> None:
        self._key, self._secret = told["api_key"], told["api_secret"].encode()
        address = urlsplit(told["rest"])
        assert address.hostname is not None
        assert address.port is not None
        self._address = (address.hostname, address.port)

    def connect(self) -> socket.socket:
        opened = socket.create_connection(self._address, TIMEOUT_S)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened

    def open_websocket(self, path: str) -> socket.socket:
        """Raises RuntimeError where the venue does not take it."""
        opened = self.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        opened.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {self._address[0]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = opened.recv(1)  # not a byte of what follows
            if not piece:
                raise RuntimeError(f"the venue closed {path}")
            head += piece
        status = head.splitlines()[0].decode()
        if " 101 " not in status:
            raise RuntimeError(f"{path}: {status}")
        return opened

    def api_frame(self, method: str, number: int, params: dict[str, str]) -> bytes:
        signed = params | {"apiKey": self._key}
        text = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
        signed["signature"] = self._sign(text)
        return masked(json.dumps({"id": number, "method": method, "params": signed}).encode())

    def rest_request(self, method: str, path: str, params: dict[str, str]) -> bytes:
        query = urlencode(params)
        return (
            f"{method} {path}?{query}&signature={self._sign(query)} HTTP/1.1\r\nHost: {self._address[0]}\r\n"
            f"X-MBX-APIKEY: {self._key}\r\n\r\n"
        ).encode()

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def receive(opened: socket.socket) -> bytes:
    """Return what one recv brings but the venue's pings, which are answered. Raises RuntimeError at its end."""
    while True:
        data = opened.recv(RECEIVE_BYTES)
        if not data:
            raise RuntimeError("the venue closed the connection")
        while data[:1] == PING:
            end = 2 + data[1]
            opened.sendall(masked(data[2:end], PONG))
            data = data[end:]
        if data:
            return data


def masked(payload: bytes, kind: bytes = TEXT) -> bytes:
    """A client's frame; its mask is zero, which leaves the payload as it is."""
    length = len(payload)
    size = bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return kind + size + bytes(4) + payload
