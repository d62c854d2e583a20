"""What a start asks before there is an engine: one answer that is lost, or a venue that stumbles, ends no start."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from gateway.binance_spot.signing import HmacSigner
from gateway.binance_usdm.limits import BinanceUsdmLimits
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from gateway.market import WEIGHT, RateLimit
from ops import preflight
from ops.assembly import VENUE
from ops.preflight import StartFailed, check_clock, read_last_epoch
from ops.sections import VenueSection

LOST, STUMBLED = b"", b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


def said(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@dataclass
class Server:
    """Answers each request with the next of `answers`; an empty one is never given. paths: what was asked."""

    answers: list[Callable[[], bytes]]
    paths: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.paths.append(line.decode().split()[1])
                while (await reader.readline()).strip():
                    pass
                writer.write(self.answers.pop(0)())
        finally:
            writer.close()


@asynccontextmanager
async def asked(*answers: bytes | Callable[[], bytes]) -> AsyncIterator[tuple[RestDoor, Server]]:
    server = Server([answer if callable(answer) else (lambda answer=answer: answer) for answer in answers])
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        rest = RestDoor({VENUE: f"http://127.0.0.1:{port}"}, time.time_ns, VenueTime())
        await rest.open()
        try:
            yield rest, server
        finally:
            await rest.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer is soon given up; the last one is waited for as long as a busy machine needs."""
    for name in ("TIME_S", "PAST_ORDERS_S"):
        monkeypatch.setattr(preflight, name, (0.3, 10.0, 10.0))


def time_now() -> bytes:
    return said({"serverTime": time.time_ns() // 1_000_000})


SECTION = VenueSection(kind="binance-spot")


@pytest.mark.parametrize("first", [LOST, STUMBLED])
async def test_the_clock_is_measured_by_the_attempt_that_was_answered(first: bytes) -> None:
    """What the first attempt waited is no part of how far the estimate may be wrong."""
    async with asked(first, time_now) as (rest, server):
        begun_ns = time.time_ns()
        measured = await check_clock(rest, time.time_ns, SECTION)
        took_ns = time.time_ns() - begun_ns
        assert len(server.paths) == 2
        assert measured.uncertainty_ns < (took_ns - 100_000_000) // 2 + 2_000_000


async def test_a_lost_list_of_orders_is_asked_for_again_with_a_fresh_timestamp() -> None:
    stamps = iter((1_000, 2_000))
    async with asked(LOST, said([])) as (rest, server):
        epoch = await read_last_epoch(
            rest, HmacSigner("key", "secret"), lambda: next(stamps), SECTION, ["BTCUSDT"], "tl"
        )
        assert epoch == 0
        assert ["timestamp=1000&" in server.paths[0], "timestamp=2000&" in server.paths[1]] == [True, True]


async def test_a_refusal_is_an_answer() -> None:
    async with asked(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}") as (rest, server):
        with pytest.raises(StartFailed, match="refused allOrders of BTCUSDT: status 401"):
            await read_last_epoch(rest, HmacSigner("key", "secret"), lambda: 1, SECTION, ["BTCUSDT"], "tl")
        assert len(server.paths) == 1


async def test_a_venue_that_goes_on_stumbling_is_told_after_the_last_attempt() -> None:
    async with asked(STUMBLED, STUMBLED, STUMBLED) as (rest, server):
        with pytest.raises(StartFailed, match="is not the venue: status 503"):
            await check_clock(rest, time.time_ns, SECTION)
        assert len(server.paths) == 3


class Narrow(BinanceUsdmLimits):
    """Ten in 0.3 s: nine for questions, of which the newest orders of a symbol cost five."""

    limits = (RateLimit(WEIGHT, 300_000_000, 10),)


async def test_many_symbols_are_asked_about_as_fast_as_the_limits_allow() -> None:
    """One in each window, and none beyond it; where that would last too long the start says so."""
    section, signer, symbols = (
        VenueSection(kind="binance-usdm"),
        HmacSigner("key", "secret"),
        [f"S{n}" for n in range(4)],
    )
    async with asked(*[said([])] * 4) as (plain, server):
        rest = RestDoor({VENUE: plain.http(VENUE).address}, time.time_ns, VenueTime(), {VENUE: Narrow()})
        await rest.open()
        try:
            begun = time.monotonic()
            assert await read_last_epoch(rest, signer, lambda: 1, section, symbols, "tl") == 0
            assert time.monotonic() - begun > 2 * 0.3
            assert len(server.paths) == len(symbols)
        finally:
            await rest.close()


async def test_a_start_does_not_wait_for_room_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "ROOM_S_MAX", 0.0)
    section, signer = VenueSection(kind="binance-usdm"), HmacSigner("key", "secret")
    async with asked(said([])) as (plain, server):
        rest = RestDoor({VENUE: plain.http(VENUE).address}, time.time_ns, VenueTime(), {VENUE: Narrow()})
        await rest.open()
        try:
            with pytest.raises(StartFailed, match="no room in the venue's rate limit"):
                await read_last_epoch(rest, signer, lambda: 1, section, ["S1", "S2", "S3"], "tl")
        finally:
            await rest.close()
        assert len(server.paths) <= 1


async def test_an_address_that_wants_no_more_is_not_asked_again() -> None:
    """The order of the venue to wait ends the attempts: each one more would earn a ban."""
    async with asked(b"HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n") as (rest, server):
        for _ in range(2):
            with pytest.raises(StartFailed):
                await check_clock(rest, time.time_ns, SECTION)
        assert len(server.paths) == 1
