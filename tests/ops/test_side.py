"""A host beside the one that trades, without processes: whose instruments it takes, and what it does when it stood still."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bus.codec import encode
from bus.link import Arrived
from bus.messages import HEADER, HEADER_VERSION, Instrument
from ops.config import parse
from ops.hosts import place
from ops.side import SideHost
from ops.state import StateDirectory
from tests.support.hosts import DATA, TRADE, topology
from tests.support.house import BTC, CONFIG

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


async def test_a_new_version_of_an_instrument_is_taken(host: SideHost) -> None:
    host.post_arrived([told(BTC)])
    host.post_arrived([told(msgspec.structs.replace(BTC, version=2))])
    assert not host.failure.done()
