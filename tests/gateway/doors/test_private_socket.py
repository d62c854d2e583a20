"""A private stream on a socket of its own: its address names a key, which nobody may be told."""

import asyncio

import pytest

from gateway.doors.private_socket import PrivateSocket
from gateway.doors.websocket import ConnectFailed, Patience
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings

KEY = "s3cr3t" * 10
PATIENCE = Patience(connect_s=5.0)


class Venue:
    keep_alive_s = 3_600.0

    def keep_alive(self) -> bytes:
        return b"ping"


def socket(lost: list[str]) -> PrivateSocket:
    return PrivateSocket(Venue(), lambda payload: None, lost.append, PATIENCE)


@pytest.mark.parametrize("path", ["/private/ws/", "/nothing-here/"])
async def test_a_stream_that_cannot_be_opened_tells_no_key(path: str) -> None:
    """Nobody listens at all; or whoever does has no such page."""
    server = SimulatedVenue(VenueSettings(futures_port=0))
    told = await server.start()
    address = f"{told.futures_streams}{path}{KEY}"
    if path == "/private/ws/":
        await server.stop()
    lost: list[str] = []
    with pytest.raises(ConnectFailed) as caught:
        await socket(lost).dial(address)
    await server.stop()
    assert KEY not in f"{caught.value} {caught.value.url} {caught.value.reason} {caught.value.__cause__}"
    assert not any(KEY in line for line in lost)


async def test_one_that_ends_by_itself_is_told_and_one_that_is_dropped_is_not() -> None:
    server = SimulatedVenue(VenueSettings(futures_port=0))
    told = await server.start()
    lost: list[str] = []
    one, other = socket(lost), socket(lost)
    await one.dial(f"{told.futures_streams}/private/ws/{KEY}")
    await other.dial(f"{told.futures_streams}/private/ws/{KEY}")
    assert one.open
    one.drop("not wanted any more")
    assert not one.open
    await server.stop()
    async with asyncio.timeout(60):
        while not lost:
            await asyncio.sleep(0.01)
    assert len(lost) == 1
    assert lost[0].startswith("the private stream was lost")
    assert KEY not in lost[0]


async def test_it_is_kept_alive_when_it_is_time_and_not_before() -> None:
    server = SimulatedVenue(VenueSettings(futures_port=0))
    told = await server.start()
    one = socket([])
    try:
        await one.dial(f"{told.futures_streams}/private/ws/{KEY}")
        now_s = asyncio.get_running_loop().time()
        assert [one.due(now_s), one.due(now_s + 3_601), one.due(now_s + 3_602)] == [b"", b"ping", b""]
    finally:
        one.drop("done")
        await server.stop()
