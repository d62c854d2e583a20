"""SUBSCRIBE and its kin without sockets: every refusal of web-socket-streams.md's "Error Messages", and what is accepted."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulated.payload import Instant, TimeUnit
from gateway.simulated.streams import STREAMS_MAX, StreamClient, StreamHub

TRADE = "btcusdt@trade"


class Ear:
    """What a stream client uses of a connection."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def send(self, payload: bytes) -> None:
        self.heard.append(json.loads(payload))


def client(hub: StreamHub | None = None, **options: Any) -> tuple[StreamClient, list[Any]]:
    ear = Ear()
    hub = StreamHub(["BTCUSDT", "ETHUSDT"]) if hub is None else hub
    options.setdefault("is_combined", False)
    return StreamClient(ear, hub, **options), ear.heard  # type: ignore[arg-type]  # it only sends


def ask(listener: StreamClient, heard: list[Any], request: object) -> Any:
    listener.handle(request if isinstance(request, str) else json.dumps(request))
    return heard.pop()


def refusal(code: int, message: str, **beside: Any) -> dict[str, Any]:
    return {"error": {"code": code, "msg": message}, **beside}


VARIANTS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
NAME = "Invalid request: property name must be a string"
ID = "Invalid request: request ID must be an unsigned integer"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"method": "GET_PROPERTY", "params": ["colour"], "id": 1}, refusal(0, "Unknown property", id=1)),
        (
            {"method": "SET_PROPERTY", "params": ["combined", 1], "id": 2},
            refusal(1, "Invalid value type: expected Boolean", id=2),
        ),
        (
            {"method": "SET_PROPERTY", "params": ["combined"], "id": 2},
            refusal(1, "Invalid value type: expected Boolean", id=2),
        ),
        ({"method": "SET_PROPERTY", "params": [1, True], "id": "a"}, refusal(2, NAME, id="a")),
        ({"method": "GET_PROPERTY", "params": [], "id": None}, refusal(2, NAME, id=None)),
        ({"method": "GET_PROPERTY", "id": 3}, refusal(2, NAME, id=3)),
        (
            {"method": "GET_PROPERTY", "params": ["combined", True], "id": 4},
            refusal(2, "Invalid request: too many parameters", id=4),
        ),
        ({"method": "LIST_SUBSCRIPTIONS"}, refusal(2, ID)),
        ({"method": "LIST_SUBSCRIPTIONS", "id": 1.5}, refusal(2, ID)),
        ({"method": "LIST_SUBSCRIPTIONS", "id": True}, refusal(2, ID)),
        ({"method": "LIST_SUBSCRIPTIONS", "id": 2**63}, refusal(2, ID)),
        ({"method": "LIST_SUBSCRIPTIONS", "id": "x" * 37}, refusal(2, ID)),
        (
            '{"method":"SUBSCRIB","id":1}',
            refusal(2, f"Invalid request: unknown variant `SUBSCRIB`, expected one of {VARIANTS} at line 1 column 20"),
        ),
        ('{"id":1}', refusal(2, "Invalid request: missing field `method` at line 1 column 8")),
        ("[]", refusal(2, "Invalid request: missing field `method` at line 1 column 2")),
        ("{,}", refusal(3, "Invalid JSON: expected value at line 1 column 2")),
        ('{\n"id": x}', refusal(3, "Invalid JSON: expected value at line 2 column 7")),
        (
            {"method": "SUBSCRIBE", "params": ["not a stream"], "id": 5},
            refusal(2, "Invalid request: invalid stream", id=5),
        ),
        (
            {"method": "SUBSCRIBE", "params": ["a" * 200 + "@trade"], "id": 5},
            refusal(2, "Invalid request: invalid stream", id=5),
        ),
        (
            '{"method":"SUBSCRIBE","params":"x","id":1}',
            refusal(2, 'Invalid request: invalid type: string "x", expected a sequence at line 1 column 42'),
        ),
        (
            '{"method":"UNSUBSCRIBE","params":{"a":1},"id":1}',
            refusal(2, "Invalid request: invalid type: map, expected a sequence at line 1 column 48"),
        ),
        (
            '{"method":"GET_PROPERTY","params":true,"id":1}',
            refusal(2, "Invalid request: invalid type: boolean `true`, expected a sequence at line 1 column 46"),
        ),
        (
            '{"method":"SUBSCRIBE","params":1.5,"id":1}',
            refusal(2, "Invalid request: invalid type: floating point, expected a sequence at line 1 column 42"),
        ),
        (
            '{"method":"SUBSCRIBE","params":%s,"id":1}' % ("9" * 30),
            refusal(2, "Invalid request: invalid type: integer, expected a sequence at line 1 column 69"),
        ),
        ({"method": "SUBSCRIBE", "params": [5], "id": 5}, refusal(2, "Invalid request: invalid stream", id=5)),
        (
            {"method": "SUBSCRIBE", "params": [f"s{n}@trade" for n in range(STREAMS_MAX + 1)], "id": 6},
            refusal(2, f"Invalid request: more than {STREAMS_MAX} streams", id=6),
        ),
    ],
)
def test_refused_in_the_venues_words(request_: object, answer: dict[str, Any]) -> None:
    listener, heard = client()
    assert ask(listener, heard, request_) == answer
    assert ask(listener, heard, {"method": "LIST_SUBSCRIPTIONS", "id": 9}) == {"result": [], "id": 9}


def test_subscriptions_are_listed_in_their_order_and_unknown_symbols_stay_silent() -> None:
    listener, heard = client()
    names = ["ethusdt@trade", TRADE, "nope@trade", TRADE]
    assert ask(listener, heard, {"method": "SUBSCRIBE", "params": names, "id": "a-1"}) == {"result": None, "id": "a-1"}
    assert ask(listener, heard, {"method": "UNSUBSCRIBE", "params": ["ethusdt@trade"], "id": -1})["result"] is None
    assert ask(listener, heard, {"method": "LIST_SUBSCRIPTIONS", "id": None})["result"] == [TRADE, "nope@trade"]


def test_combined_can_be_set_and_asked() -> None:
    hub = StreamHub(["BTCUSDT"])
    listener, heard = client(hub)
    listener.subscribe([TRADE])
    hub.publish(TRADE, b'{"t":1}')
    assert ask(listener, heard, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 1}) == {
        "result": None,
        "id": 1,
    }
    hub.publish(TRADE, b'{"t":2}')
    assert heard == [{"t": 1}, {"stream": TRADE, "data": {"t": 2}}]
    assert ask(listener, heard, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2})["result"] is True


def test_microseconds_go_to_those_who_asked() -> None:
    hub = StreamHub(["BTCUSDT"])
    plain, fine = client(hub), client(hub, unit=TimeUnit.MICROSECOND, is_combined=True)
    for listener, _ in (plain, fine):
        listener.subscribe([TRADE])
    hub.tell(TRADE, {"E": Instant(1_700_000_000_123_456_789)})
    assert plain[1] == [{"E": 1_700_000_000_123}]
    assert fine[1] == [{"stream": TRADE, "data": {"E": 1_700_000_000_123_456}}]


def names() -> Iterable[str]:
    for speed in ("", "@100ms", "@1000ms"):
        yield from (f"btcusdt@depth{levels}{speed}" for levels in ("", "5", "10", "20"))
    channels = (
        "bookTicker",
        "trade",
        "aggTrade",
        "avgPrice",
        "miniTicker",
        "ticker",
        "ticker_4h",
        "kline_1s",
        "kline_1M",
    )
    yield from (f"btcusdt@{channel}" for channel in channels)
    yield from ("btcusdt@kline_1d@+08:00", "!miniTicker@arr", "!ticker@arr", "!ticker_1h@arr")


def test_what_there_is_to_listen_to() -> None:
    hub = StreamHub(["BTCUSDT"])
    assert all(hub.is_topic(name) for name in names())
    for stranger in (
        "btcusdt@depth7",
        "btcusdt@kline_7m",
        "BTCUSDT@trade",
        "btcusdt",
        "!bookTicker",
        "btcusdt@ticker_2h",
    ):
        assert not hub.is_topic(stranger), stranger


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
)
def test_anything_gets_an_answer(text: str) -> None:
    listener, heard = client()
    listener.handle(text)
    (answer,) = heard
    assert answer["error"]["code"] in (2, 3)
