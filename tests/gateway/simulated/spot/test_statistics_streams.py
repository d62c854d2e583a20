"""Candles, tickers and average prices as streams: what is told when, against the same statistics asked for."""

import asyncio
import json
from typing import Any

import pytest

from gateway.simulated.candles import SECOND_NS
from gateway.simulated.core.decimals import decimal_text
from gateway.simulated.crowd.profiles import profile
from gateway.simulated.spot.statistics_streams import StatisticsStreams
from gateway.simulated.virtual import VirtualMarket


class World:
    """A market and its statistics on one virtual clock; `heard` is stream -> events."""

    def __init__(self, *topics: str) -> None:
        profiles = [profile("BTCUSDT"), profile("ETHUSDT")]
        self.virtual = VirtualMarket([p for p in profiles if p is not None], seed=3)
        self.statistics = StatisticsStreams(self.virtual.market, lambda: self.virtual.now_ns)
        self.heard: dict[str, list[Any]] = {}
        self.listen(*topics)

    def listen(self, *topics: str) -> None:
        self.virtual.listen(topics, self._hear)

    def _hear(self, frame: bytes) -> None:
        told = json.loads(frame)
        self.heard.setdefault(told["stream"], []).append(told["data"])

    def run(self, seconds: int) -> None:
        """Let the crowd trade; the statistics are told each second."""
        for _ in range(seconds):
            self.virtual.run(1)
            self.statistics.tick(self.virtual.now_ns)

    def rest(self, seconds: int) -> None:
        """Nothing happens."""
        for _ in range(seconds):
            self.virtual.now_ns += SECOND_NS
            self.statistics.tick(self.virtual.now_ns)


def test_each_candle_is_told_while_it_lasts_and_once_when_it_is_over() -> None:
    """Seconds only when over; minutes every other second, and the closed one before the next one's first."""
    world = World("btcusdt@kline_1s", "btcusdt@kline_1m", "btcusdt@kline_1d@+08:00", "btcusdt@trade")
    world.run(130)
    seconds = [event["k"] for event in world.heard["btcusdt@kline_1s"]]
    assert all(k["x"] for k in seconds)
    assert [k["t"] for k in seconds] == list(range(seconds[0]["t"], seconds[-1]["t"] + 1, 1_000))
    minutes = [event["k"] for event in world.heard["btcusdt@kline_1m"]]
    closed = [k for k in minutes if k["x"]]
    assert len(closed) == 2
    assert len({k["t"] for k in minutes if not k["x"]}) == 3
    trades = [t for t in world.heard["btcusdt@trade"] if closed[1]["t"] <= t["T"] <= closed[1]["T"]]
    assert (closed[1]["f"], closed[1]["L"], closed[1]["n"]) == (trades[0]["t"], trades[-1]["t"], len(trades))
    assert (closed[1]["o"], closed[1]["c"]) == (trades[0]["p"], trades[-1]["p"])
    day = world.heard["btcusdt@kline_1d@+08:00"][-1]["k"]
    assert (day["i"], (day["t"] + 8 * 3_600_000) % 86_400_000) == ("1d", 0)


def test_a_ticker_is_told_when_it_has_changed() -> None:
    names = [
        f"btcusdt@{channel}" for channel in ("ticker", "miniTicker", "ticker_1h", "ticker_4h", "ticker_1d", "avgPrice")
    ]
    world = World(*names, "!miniTicker@arr", "!ticker@arr", "!ticker_1h@arr")
    world.run(30)
    counts = {name: len(events) for name, events in world.heard.items()}
    assert set(counts) == {*names, "!miniTicker@arr", "!ticker@arr", "!ticker_1h@arr"}
    world.rest(5)
    assert {name: len(events) for name, events in world.heard.items()} == counts, "at rest nothing is told"
    last = world.virtual.market.tape.of("BTCUSDT").trades[-1]
    for name in ("btcusdt@ticker", "btcusdt@miniTicker", "btcusdt@ticker_1h"):
        assert world.heard[name][-1]["c"] == decimal_text(last.price)
    assert {event["s"] for told in world.heard["!miniTicker@arr"] for event in told} == {"BTCUSDT", "ETHUSDT"}
    hour = world.heard["btcusdt@ticker_1h"][-1]
    assert (hour["e"], hour["O"] % 60_000) == ("1hTicker", 0)
    average = world.heard["btcusdt@avgPrice"][-1]
    assert (average["i"], average["T"]) == ("5m", last.time_ns // 1_000_000)


def test_whoever_comes_later_is_told_at_once() -> None:
    world = World()
    world.run(20)
    world.listen("btcusdt@miniTicker")
    world.rest(1)
    assert len(world.heard["btcusdt@miniTicker"]) == 1


def test_before_the_first_trade_there_is_no_candle_and_the_ticker_is_empty() -> None:
    world = World("btcusdt@kline_1m", "btcusdt@miniTicker")
    world.rest(3)
    assert set(world.heard) == {"btcusdt@miniTicker"}
    (told,) = world.heard["btcusdt@miniTicker"]
    assert (told["c"], told["v"]) == ("0.00000000", "0.00000000")


def test_a_clock_that_is_set_back_silences_no_candle() -> None:
    world = World("btcusdt@kline_1m")
    world.run(70)
    world.virtual.now_ns -= 40 * SECOND_NS
    before = len(world.heard["btcusdt@kline_1m"])
    world.rest(4)
    assert len(world.heard["btcusdt@kline_1m"]) > before


async def test_over_a_socket_in_the_unit_of_its_url(client: Any) -> None:
    names = "btcusdt@kline_1m/btcusdt@ticker/!miniTicker@arr"
    socket = await client.connect(f"{client.endpoints.streams}/stream?streams={names}&timeUnit=MICROSECOND")
    heard: dict[str, Any] = {}
    while len(heard) < 3:
        frame = await socket.receive()
        heard[frame["stream"]] = frame["data"]
    kline = heard["btcusdt@kline_1m"]["k"]
    assert kline["T"] - kline["t"] == 59_999_999
    assert heard["btcusdt@ticker"]["E"] > 10**15
    assert heard["!miniTicker@arr"][0]["E"] > 10**15


@pytest.mark.parametrize("path", ["/ws/btcusdt@trade", "/ws-api/v3"])
async def test_a_connection_ends_with_its_day(start_client: Any, path: str) -> None:
    """A day that lasts 0.3 s; whoever is cut off may come back."""
    client = await start_client(connection_life_s=0.3)
    for _ in range(2):
        socket = await client.connect(client.endpoints.streams + path)
        await asyncio.wait_for(socket.connection.wait_closed(), 3)
        assert socket.connection.close_code == 1001


async def test_a_unit_that_does_not_exist_opens_no_stream(client: Any) -> None:
    socket = await client.connect(f"{client.endpoints.streams}/ws/btcusdt@trade?timeUnit=FORTNIGHT")
    await asyncio.wait_for(socket.connection.wait_closed(), 3)
    assert socket.connection.close_code == 1008
