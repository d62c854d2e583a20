"""Market streams: who listens to what, and the SUBSCRIBE protocol of `/ws` and `/stream` (web-socket-streams.md)."""

import re
from collections.abc import Collection, Iterable

import msgspec

from .connection import Connection
from .faults.streams import StreamFaults
from .payload import Json, encode

STREAMS_MAX = 1_024  # web-socket-streams.md: a single connection can listen to at most 1024 streams
INBOUND_PER_S_MAX = 5  # the same: a connection that sends more is disconnected
_CHANNELS = re.compile(r"depth(@100ms|@1000ms)?|bookTicker|trade|aggTrade")


class _Request(msgspec.Struct):
    method: str
    id: int | str | None = None
    params: list[str] = []


class StreamHub:
    """Topic -> listeners. A topic is a stream name such as `btcusdt@depth@100ms`. clients: every market connection; opened: how many
    there ever were.
    """

    def __init__(self, symbols: Collection[str]) -> None:
        self.faults = StreamFaults()
        self.clients: dict[StreamClient, None] = {}
        self.opened = 0
        self._symbols = {symbol.lower() for symbol in symbols}
        self._listeners: dict[str, dict[StreamClient, None]] = {}

    def has_listeners(self, topic: str) -> bool:
        return topic in self._listeners

    def publish(self, topic: str, payload: bytes) -> None:
        """Send `payload` to each listener of `topic`, wrapped for those on `/stream`."""
        listeners = self._listeners.get(topic)
        if not listeners or self.faults.loses(topic):
            return
        wrapped = b""
        for client in list(listeners):
            if client.is_combined:
                wrapped = wrapped or _wrapped(topic, payload)
                client.connection.send(wrapped)
            else:
                client.connection.send(payload)

    def announce_shutdown(self, now_ms: int) -> list["StreamClient"]:
        """Tell every market connection there is that it will be closed; return them (web-socket-streams.md, "Server Shutdown")."""
        payload = encode({"e": "serverShutdown", "E": now_ms})
        clients = list(self.clients)
        for client in clients:
            client.connection.send(_wrapped("!serverShutdown", payload) if client.is_combined else payload)
        return clients

    def is_topic(self, topic: str) -> bool:
        symbol, _, channel = topic.partition("@")
        return symbol in self._symbols and _CHANNELS.fullmatch(channel) is not None

    def add(self, client: "StreamClient", topic: str) -> None:
        self._listeners.setdefault(topic, {})[client] = None

    def remove(self, client: "StreamClient", topic: str) -> None:
        listeners = self._listeners.get(topic, {})
        listeners.pop(client, None)
        if not listeners:
            self._listeners.pop(topic, None)


class StreamClient:
    """One market-stream connection: its topics and its requests."""

    def __init__(self, connection: Connection, hub: StreamHub, *, is_combined: bool) -> None:
        self.connection = connection
        self.is_combined = is_combined
        self._hub = hub
        self._topics: dict[str, None] = {}
        self._second = 0
        self._in_second = 0
        hub.clients[self] = None
        hub.opened += 1

    def subscribe(self, topics: Iterable[str]) -> None:
        """Listen to `topics`; an unknown name is accepted and stays silent, as on the venue."""
        for topic in topics:
            self._topics[topic] = None
            if self._hub.is_topic(topic):
                self._hub.add(self, topic)

    def unsubscribe(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._topics.pop(topic, None)
            self._hub.remove(self, topic)

    def leave(self) -> None:
        self._hub.clients.pop(self, None)
        self.unsubscribe(list(self._topics))

    def is_flooding(self, now_ns: int) -> bool:
        """Count one inbound message; true past the allowed rate."""
        second = now_ns // 1_000_000_000
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1
        return self._in_second > INBOUND_PER_S_MAX

    def handle(self, text: str) -> None:
        """Answer one request frame."""
        try:
            request = msgspec.json.decode(text, type=_Request)
        except msgspec.ValidationError as error:
            self._answer(_error(2, f"Invalid request: {error}"))
            return
        except msgspec.DecodeError as error:
            self._answer(_error(3, f"Invalid JSON: {error}"))
            return
        match request.method:
            case "SUBSCRIBE":
                if len(self._topics.keys() | set(request.params)) > STREAMS_MAX:
                    self._answer({**_error(2, f"Invalid request: more than {STREAMS_MAX} streams"), "id": request.id})
                    return
                self.subscribe(request.params)
                self._answer({"result": None, "id": request.id})
            case "UNSUBSCRIBE":
                self.unsubscribe(request.params)
                self._answer({"result": None, "id": request.id})
            case "LIST_SUBSCRIPTIONS":
                self._answer({"result": list(self._topics), "id": request.id})
            case _:
                self._answer({**_error(2, f"Invalid request: unknown variant {request.method!r}"), "id": request.id})

    def _answer(self, payload: dict[str, Json]) -> None:
        self.connection.send(encode(payload))


def _wrapped(topic: str, payload: bytes) -> bytes:
    return b'{"stream":"%b","data":%b}' % (topic.encode(), payload)


def _error(code: int, message: str) -> dict[str, Json]:
    return {"error": {"code": code, "msg": message}}
