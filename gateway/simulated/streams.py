"""Market streams: who listens to what, and the SUBSCRIBE protocol of `/ws` and `/stream` (web-socket-streams.md).

A topic is a stream name such as `btcusdt@depth@100ms`. Each event is encoded once for all that listen to it; once more
where some of them asked for microseconds.
"""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from .connection import Connection
from .payload import ENCODERS, NS_PER_MS, Instant, Payload, TimeUnit, encode
from .stream_requests import ANSWERS, StreamRequestError, refusal, request

STREAMS_MAX = 1_024  # web-socket-streams.md: a single connection can listen to at most 1024 streams
INBOUND_PER_S_MAX = 5  # the same: requests, pings and pongs; a connection that sends more is disconnected
INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
WINDOWS = ("1h", "4h", "1d")
"""Of the rolling-window tickers (web-socket-streams.md)."""
SPOT_CHANNELS = re.compile(
    r"depth((5|10|20)?(@100ms|@1000ms)?)|bookTicker|trade|aggTrade|avgPrice|miniTicker|ticker"
    rf"|ticker_({'|'.join(WINDOWS)})|kline_({'|'.join(INTERVALS)})(@\+08:00)?"
)
SPOT_MARKET_TOPICS = ("!miniTicker@arr", "!ticker@arr", *(f"!ticker_{window}@arr" for window in WINDOWS))
"""Of all symbols. `!ticker@arr` has left the venue's list; stock clients ask for it to this day."""


class FrameFaults(Protocol):
    """Who spoils the streams; asked only while it is `armed`. dropped, stalled: frames lost so far."""

    armed: bool
    dropped: int
    stalled: int

    def pass_on(self, topic: str, payload: bytes, microseconds: bytes) -> None:
        """Have the hub `send` the frame as it should be: now, later, twice, changed, or never."""


class _NoFaults:
    armed = False
    dropped = 0
    stalled = 0

    def pass_on(self, topic: str, payload: bytes, microseconds: bytes) -> None:
        raise AssertionError("nothing goes wrong here")


class StreamHub:
    """Topic -> listeners. clients: every market connection; opened: how many there ever were.

    `channels` matches what may follow a symbol's `@`; `market_topics` are the streams of no one symbol.
    """

    def __init__(
        self,
        symbols: Collection[str],
        channels: re.Pattern[str] = SPOT_CHANNELS,
        market_topics: Collection[str] = SPOT_MARKET_TOPICS,
    ) -> None:
        self.faults: FrameFaults = _NoFaults()
        self.clients: dict[StreamClient, None] = {}
        self.opened = 0
        self._symbols = {symbol.lower() for symbol in symbols}
        self._channels = channels
        self._market_topics = frozenset(market_topics)
        self._listeners: dict[str, dict[StreamClient, None]] = {}

    def has_listeners(self, topic: str) -> bool:
        return topic in self._listeners

    def topics(self) -> list[str]:
        """Return the topics that somebody listens to."""
        return list(self._listeners)

    def tell(self, topic: str, event: Payload | list[Payload]) -> None:
        """Encode `event` and publish it, once for each unit of time that a listener's connection asked for."""
        units = dict.fromkeys(client.unit for client in self._listeners.get(topic, ()))
        if units:
            finer = ENCODERS[TimeUnit.MICROSECOND](event) if TimeUnit.MICROSECOND in units else b""
            self.publish(topic, encode(event), finer)

    def publish(self, topic: str, payload: bytes, microseconds: bytes = b"") -> None:
        """Send `payload` to each listener of `topic`, wrapped for combined ones; `microseconds` to those who want that."""
        listeners = self._listeners.get(topic)
        if not listeners:
            return
        if self.faults.armed:
            self.faults.pass_on(topic, payload, microseconds)
        else:
            self.send(topic, payload, microseconds)

    def send(self, topic: str, payload: bytes, microseconds: bytes = b"") -> None:
        """As `publish`, past all faults."""
        frames: dict[tuple[bool, TimeUnit], bytes] = {}
        for client in list(self._listeners.get(topic, ())):
            kind = client.is_combined, client.unit
            frame = frames.get(kind)
            if frame is None:
                body = microseconds if client.unit is TimeUnit.MICROSECOND and microseconds else payload
                frame = frames[kind] = wrapped(topic, body) if client.is_combined else body
            client.connection.send(frame)

    def announce_shutdown(self, now_ms: int) -> list["StreamClient"]:
        """Tell every market connection there is that it will be closed; return them (web-socket-streams.md, "Server Shutdown")."""
        event: Payload = {"e": "serverShutdown", "E": Instant(now_ms * NS_PER_MS)}
        clients = list(self.clients)
        for client in clients:
            payload = ENCODERS[client.unit](event)
            client.connection.send(wrapped("!serverShutdown", payload) if client.is_combined else payload)
        return clients

    def is_topic(self, topic: str) -> bool:
        if topic in self._market_topics:
            return True
        symbol, _, channel = topic.partition("@")
        return symbol in self._symbols and self._channels.fullmatch(channel) is not None

    def add(self, client: "StreamClient", topic: str) -> None:
        self._listeners.setdefault(topic, {})[client] = None

    def remove(self, client: "StreamClient", topic: str) -> None:
        listeners = self._listeners.get(topic, {})
        listeners.pop(client, None)
        if not listeners:
            self._listeners.pop(topic, None)


class StreamClient:
    """One market-stream connection: its topics and its requests. `is_combined`: its events come wrapped; `unit`: of their times.

    `accepts`: which topics its path has, where those are not just the hub's; others stay silent.
    """

    def __init__(
        self,
        connection: Connection,
        hub: StreamHub,
        *,
        is_combined: bool,
        unit: TimeUnit = TimeUnit.MILLISECOND,
        accepts: Callable[[str], bool] | None = None,
    ) -> None:
        self.connection = connection
        self.is_combined = is_combined
        self.unit = unit
        self._hub = hub
        self._accepts = hub.is_topic if accepts is None else accepts
        self._topics: dict[str, None] = {}
        connection.inbound_per_s_max = INBOUND_PER_S_MAX
        hub.clients[self] = None
        hub.opened += 1

    @property
    def topics(self) -> list[str]:
        """What it listens to, in the order it asked."""
        return list(self._topics)

    def subscribe(self, topics: Iterable[str]) -> None:
        """Listen to `topics`; a name of a symbol or channel that does not exist is accepted and stays silent, as on the venue.

        Raises StreamRequestError, and then nothing has changed.
        """
        wanted = dict.fromkeys(topics)
        if len(self._topics.keys() | wanted.keys()) > STREAMS_MAX:
            raise StreamRequestError(2, f"Invalid request: more than {STREAMS_MAX} streams")
        self._topics |= wanted
        for topic in wanted:
            if self._accepts(topic):
                self._hub.add(self, topic)

    def unsubscribe(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._topics.pop(topic, None)
            self._hub.remove(self, topic)

    def leave(self) -> None:
        self._hub.clients.pop(self, None)
        self.unsubscribe(list(self._topics))

    def handle(self, text: str) -> None:
        """Answer one request frame."""
        asked = None
        try:
            asked = request(text)
            result = ANSWERS[asked.method](self, asked.params)
        except StreamRequestError as error:
            payload = refusal(error, asked)
        else:
            payload = {"result": result, "id": asked.id}
        self.connection.send(encode(payload))


def wrapped(topic: str, payload: bytes) -> bytes:
    return b'{"stream":"%b","data":%b}' % (topic.encode(), payload)
