"""Two `touchline run` on one simulated venue: the leader is killed, the other one ends with the venue's own ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.etcd import EtcdNode
from tests.support.etcd import etcd
from tests.support.processes import EngineProcess, VenueProcess, units, until

__all__ = ["etcd"]

SYMBOL = "BTCUSDT"


@pytest.fixture(params=["local", "etcd"])
def section(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """[coordination] of both engines."""
    ttl = "ttl_ms = 2000\n"
    if request.param == "local":
        return f'[coordination]\npath = "{tmp_path / "coordination.sqlite"}"\n{ttl}'
    node: EtcdNode = request.getfixturevalue("etcd")
    return f'[coordination]\nbackend = "etcd"\nendpoints = ["{node.endpoint}"]\ngroup = "{tmp_path.name}"\naccount = "{tmp_path.name}"\n{ttl}'  # fmt: skip


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path) as running:
        yield running


def engine(folder: Path, venue: VenueProcess, section: str) -> EngineProcess:
    folder.mkdir()
    made = EngineProcess(folder, venue)
    made.config.write_text(made.config.read_text() + section)
    return made


def ledger_of(report: object) -> dict[str, int]:
    assert isinstance(report, dict)
    assert report["health"]["ledger_differences"] == [], "it differed on the way"
    return {asset: units(text) for asset, text in report["ledger"].items()}


def test_who_takes_over_trades_on_with_the_true_ledger(tmp_path: Path, venue: VenueProcess, section: str) -> None:
    """The dead leader left orders working and fills that nobody folded; he comes back as a standby, and leads again."""
    with engine(tmp_path / "a", venue, section) as first, engine(tmp_path / "b", venue, section) as second:
        first.start()
        first.wait_for("orders_ready")
        second.start()
        second.wait_for("standing_by")
        until(lambda: len(venue.open_orders()) >= 2, "quotes of the first")
        venue.sweep(SYMBOL, "0.5")
        until(lambda: venue.trades(SYMBOL), "fills of the first")
        first.kill()
        left = {row["clientOrderId"] for row in venue.open_orders()}
        venue.sweep(SYMBOL, "0.5")
        second.wait_for("orders_ready")
        until(lambda: left.isdisjoint(row["clientOrderId"] for row in venue.open_orders()), "leftovers gone")
        fills = len(venue.trades(SYMBOL))
        until(lambda: venue.open_orders(), "quotes of the second")
        venue.sweep(SYMBOL, "0.5")
        until(lambda: len(venue.trades(SYMBOL)) > fills, "fills of the second")
        first.start()
        first.wait_for("standing_by")
        # Whoever waits leads and quotes before the process that resigned has ended: nobody may trade with him until both ledgers were read.
        venue.control("pause-flow")
        assert ledger_of(second.stop()) == venue.balances()
        venue.control("resume-flow")
        first.wait_for("orders_ready")
        assert ledger_of(first.stop()) == venue.balances()
        assert venue.open_orders() == []
        orders = venue.orders(SYMBOL)
        epochs = [row["client_order_id"][2:7] for row in sorted(orders, key=lambda row: row["order_id"])]
        assert epochs == sorted(epochs)
        assert len(set(epochs)) >= 2


def test_a_standby_that_is_stopped_says_who_led_and_ends_well(tmp_path: Path, venue: VenueProcess) -> None:
    section = f'[coordination]\npath = "{tmp_path / "coordination.sqlite"}"\n'
    with engine(tmp_path / "a", venue, section) as first, engine(tmp_path / "b", venue, section) as second:
        first.start()
        first.wait_for("orders_ready")
        second.start("--seconds", "600")
        second.wait_for("standing_by")
        report = second.stop()
        assert first.process is not None
        assert (report["orders_sent"], report["epoch"]) == (0, 0)
        assert report["leader"].endswith(f":{first.process.pid}")
        first.stop()
