"""A host beside the one that trades, without processes: whose instruments it takes, and what it waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from bus.clock import EngineClock
from bus.codec import encode
from bus.link import Arrived, Own
from bus.links import Links
from bus.mailbox import ZmqMailboxes
from bus.messages import HEADER, HEADER_VERSION, BookReason, BookState, BookStateChanged, Instrument, Message
from bus.vocabulary_lock import vocabulary_hash
from ops.config import parse
from ops.feeds import NOBODY
from ops.hosts import place
from ops.side import SideHost
from ops.state import StateDirectory
from tests.support.hosts import DATA, TRADE, topology
from tests.support.house import BTC, CONFIG

LIMIT_S = 60.0
ETH = msgspec.structs.replace(BTC, instrument=1, venue_symbol="ETHUSDT", base_asset="ETH")


def told(instrument: Instrument) -> Arrived:
    return Arrived(Instrument, HEADER.pack(0, HEADER_VERSION, 1, 1, 1) + encode(instrument), 1, 1, 1, 1, 0)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[SideHost]:
    """Made, not started."""
    path = tmp_path / "topology.toml"
    path.write_text(topology({"data": (DATA, "ipc://data.ipc"), "trade": (("strategy", *TRADE), "ipc://trade.ipc")}))
    state = StateDirectory(tmp_path / "state")
    made = SideHost(parse(CONFIG), state, place(path, "data"))
    yield made
    await made.close()
    state.close()


async def test_its_instruments_are_those_that_it_is_told_at_first(host: SideHost) -> None:
    host.post_arrived([told(BTC), told(ETH)])
    assert host.instruments == {0: BTC, 1: ETH}
    host.post_arrived([told(BTC)])
    assert not host.failure.done(), "told again by a new session"


async def test_a_number_that_means_another_instrument_ends_it(host: SideHost) -> None:
    """A book under a wrong number would be a price of something else."""
    host.post_arrived([told(BTC)])
    host.post_arrived([told(msgspec.structs.replace(ETH, instrument=0))])
    assert "number 0 is ETHUSDT" in host.failure.result()
    assert "start this host again" in host.failure.result()
    assert host.instruments == {0: BTC}


async def test_a_venue_that_its_own_file_does_not_name_ends_it(host: SideHost) -> None:
    """Which venue number 1 is, only the file says: whoever guessed would dial another one's book."""
    looked_at = msgspec.structs.replace(ETH, venue=1, account=NOBODY, venue_symbol="ETH-USDT")
    host.post_arrived([told(BTC), told(looked_at)])
    assert "looks at ETH-USDT of venue 1" in host.failure.result()
    assert "give both the same [[feed]] rows" in host.failure.result()
    assert host.instruments == {0: BTC}


async def test_a_new_version_of_an_instrument_is_taken(host: SideHost) -> None:
    host.post_arrived([told(BTC)])
    host.post_arrived([told(msgspec.structs.replace(BTC, version=2))])
    assert not host.failure.done()


# -- while it waits ---------------------------------------------------------------------------------------------------


class Neighbor:
    """Another host of the topology, as far as its links: it hears everything and says what it is told to."""

    def __init__(self, path: Path, name: str, to: str) -> None:
        placement = place(path, name)
        self._mailboxes, self._clock = ZmqMailboxes(), EngineClock()
        own = Own(placement.number, self._clock.now_ns(), bytes.fromhex(vocabulary_hash()))
        senders = placement.open_senders(self._mailboxes)
        self._links = Links(own, senders, self._clock.now_ns, lambda peer, event: None)
        self._to = next(number for number, row in placement.others.items() if row.name == to)
        self._number = placement.number
        self._links.start(placement.open_listener(self._mailboxes), self)

    def post_arrived(self, messages: list[Arrived]) -> None:
        for message in messages:
            self._links.taken(message)

    def say(self, message: Message) -> None:
        """As a host does at the end of a cascade."""
        peer = self._links.peers[self._to]
        peer.offer(message, HEADER.pack(0, HEADER_VERSION, self._number, 1, 1) + encode(message))
        peer.flush(self._clock.now_ns())

    def end(self) -> None:
        self._links.stop()
        self._mailboxes.close()


async def until(held: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not held():
            await asyncio.sleep(0.01)


@pytest.fixture
def topology_path(tmp_path: Path) -> Path:
    path = tmp_path / "topology.toml"
    names = {"data": DATA, "strategy": ("strategy",), "trade": TRADE}
    path.write_text(topology({name: (actors, f"ipc://{name}.ipc") for name, actors in names.items()}))
    return path


@pytest.fixture
async def waiting(tmp_path: Path, topology_path: Path) -> AsyncIterator[SideHost]:
    """The host with the strategy alone, not started."""
    state = StateDirectory(tmp_path / "state")
    made = SideHost(parse(CONFIG), state, place(topology_path, "strategy"))
    yield made
    await made.close()
    state.close()


async def test_books_of_a_host_that_was_lost_before_it_began_are_not_believed(
    waiting: SideHost, topology_path: Path
) -> None:
    starting = asyncio.ensure_future(waiting.start(asyncio.Event()))
    data = Neighbor(topology_path, "data", "strategy")
    data.say(BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 1))
    await until(lambda: hasattr(waiting, "neighbors") and waiting.neighbors.up["data"])
    data.end()
    await until(lambda: waiting.neighbors.losses)
    trade = Neighbor(topology_path, "trade", "strategy")
    trade.say(BTC)
    await starting
    assert [(n, change.state) for n, change in waiting.supervisor.books.items()] == [(0, BookState.INVALID)]
    trade.end()


async def test_a_failure_ends_its_waiting(waiting: SideHost) -> None:
    starting = asyncio.ensure_future(waiting.start(asyncio.Event()))
    await until(lambda: hasattr(waiting, "neighbors"))
    waiting.post_arrived([told(BTC), told(msgspec.structs.replace(ETH, instrument=0))])
    async with asyncio.timeout(LIMIT_S):
        await starting
        assert "start this host again" in await waiting.wait(None, asyncio.Event())
