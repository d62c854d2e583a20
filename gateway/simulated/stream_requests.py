"""The requests of a market-stream connection: read, checked, refused in the venue's words (web-socket-streams.md). Pure.

The texts are those of its section "Error Messages"; on the wire they come inside "error", beside the request's id.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from .payload import Json, Payload

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
ID_MAX = 2**63 - 1  # "64-bit signed integer"
_ID_TEXT = re.compile(r"[A-Za-z0-9_-]{1,36}")
"""The document says alphanumeric; the venue's own Python client sends UUIDs, which have dashes."""
_STREAM = re.compile(r"!?[^@\s]+@\S+|!\S+|[0-9A-Za-z]{64}")
"""The last one is a listen key, which is a stream where there are any."""
NAME_MAX = 128  # chosen: twice the longest there is, a listen key; a connection keeps 1,024 of them
_POSITION = re.compile(r"byte (\d+)")


class StreamRequestError(Exception):
    """A request that is refused: `code` and `message` as sent."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class StreamRequest(msgspec.Struct, frozen=True):
    method: str
    params: list[Any]
    id: int | str | None


class Subscriber(Protocol):
    """A connection, as its requests see it."""

    is_combined: bool

    @property
    def topics(self) -> list[str]: ...

    def subscribe(self, topics: Iterable[str]) -> None: ...

    def unsubscribe(self, topics: Iterable[str]) -> None: ...


def request(text: str) -> StreamRequest:
    """Read one request. Raises StreamRequestError for what is none."""
    said = _decoded(text)
    if not isinstance(said, dict) or "method" not in said:
        raise StreamRequestError(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
    method, params, request_id = said["method"], said.get("params"), said.get("id")
    if method not in METHODS:
        expected = ", ".join(f"`{name}`" for name in METHODS)
        column = text.find(str(method)) + len(str(method)) + 1
        message = f"unknown variant `{str(method)[:64]}`, expected one of {expected} at line 1 column {column}"
        raise StreamRequestError(2, f"Invalid request: {message}")
    if not isinstance(params, list | None):
        message = f"invalid type: {_described(params)}, expected a sequence at line 1 column {len(text)}"
        raise StreamRequestError(2, f"Invalid request: {message}")
    if "id" not in said or not _is_id(request_id):
        raise StreamRequestError(2, "Invalid request: request ID must be an unsigned integer")
    return StreamRequest(method, params or [], request_id)


def _described(value: object) -> str:
    """What was found where a list was expected. The document has no such row: chosen, in the manner of those it has."""
    if isinstance(value, dict):
        return "map"
    if isinstance(value, str):
        return f'string "{value[:64]}"'
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    return "integer" if isinstance(value, int) else "floating point"


def _decoded(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        found = _POSITION.search(str(error))
        before = text.encode()[: int(found[1]) if found else len(text)]
        line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
        raise StreamRequestError(3, f"Invalid JSON: expected value at line {line} column {column}") from error


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return _ID_TEXT.fullmatch(value) is not None
    return value is None or (type(value) is int and -ID_MAX - 1 <= value <= ID_MAX)


def refusal(error: StreamRequestError, asked: StreamRequest | None) -> Payload:
    payload: Payload = {"error": {"code": error.code, "msg": error.message}}
    return payload if asked is None else {**payload, "id": asked.id}


# ---- what each method does


def _names(params: list[Any]) -> list[str]:
    if not all(isinstance(name, str) and len(name) <= NAME_MAX and _STREAM.fullmatch(name) for name in params):
        raise StreamRequestError(2, "Invalid request: invalid stream")
    return params


def _subscribe(client: Subscriber, params: list[Any]) -> Json:
    client.subscribe(_names(params))
    return None


def _unsubscribe(client: Subscriber, params: list[Any]) -> Json:
    client.unsubscribe(_names(params))
    return None


def _list(client: Subscriber, params: list[Any]) -> Json:
    return client.topics


def _property(params: list[Any], count: int) -> None:
    """There is one property, `combined`."""
    if not params or not isinstance(params[0], str):
        raise StreamRequestError(2, "Invalid request: property name must be a string")
    if len(params) > count:
        raise StreamRequestError(2, "Invalid request: too many parameters")
    if params[0] != "combined":
        raise StreamRequestError(0, "Unknown property")


def _set(client: Subscriber, params: list[Any]) -> Json:
    _property(params, 2)
    if len(params) < 2 or not isinstance(params[1], bool):
        raise StreamRequestError(1, "Invalid value type: expected Boolean")
    client.is_combined = params[1]
    return None


def _get(client: Subscriber, params: list[Any]) -> Json:
    _property(params, 1)
    return client.is_combined


ANSWERS: dict[str, Callable[[Subscriber, list[Any]], Json]] = {
    "SUBSCRIBE": _subscribe,
    "UNSUBSCRIBE": _unsubscribe,
    "LIST_SUBSCRIPTIONS": _list,
    "SET_PROPERTY": _set,
    "GET_PROPERTY": _get,
}
