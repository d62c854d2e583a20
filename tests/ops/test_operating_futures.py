"""cancel-all and flatten with no engine alive, on futures: as processes, the venue's own books asked for what came of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.futures import CONFIG, FACE
from tests.ops.test_operating import DID_NOT_HOLD, SYMBOL, Rig
from tests.support.processes import EngineProcess, VenueProcess, until


class FuturesVenue(VenueProcess):
    """Its ledger, and its crowd, are the futures face's."""

    def _ask(self, question: str, **params: str) -> Any:
        return super()._ask(question, **params, face=FACE)

    def control(self, operation: str, **params: str) -> Any:
        return super().control(operation, **params, face=FACE)


class FuturesRig(Rig):
    def held(self) -> float:
        """By the venue's own row of the position."""
        rows = self.venue.ledger().get("positions", {}).get("client", [])
        return sum(abs(float(row["quantity"])) for row in rows)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[FuturesRig]:
    """Without a dead man's switch: what a killed engine leaves is there for whoever comes."""
    keys = str(tmp_path / "keys")
    arguments = ("--seed", "5", "--symbols", SYMBOL, "--futures-port", "0", "--state", keys)
    with FuturesVenue(tmp_path, *arguments) as venue, EngineProcess(tmp_path, venue, SYMBOL) as engine:
        told = {name: venue.told[f"futures_{name}"] for name in ("rest", "streams", "websocket_api")}
        engine.config.write_text(CONFIG.replace("dead_man_ms = 5000", "dead_man_ms = 0").format(**told))
        yield FuturesRig(tmp_path, venue, engine)


def test_cancel_all_without_an_engine(rig: FuturesRig) -> None:
    """And the next engine finds its books equal, and trades."""
    rig.quoting()
    rig.engine.kill()
    left = rig.told("status", code=DID_NOT_HOLD)
    assert {row["symbol"] for row in left["open_orders"]} == {SYMBOL}
    assert rig.open_orders()
    told = rig.told("cancel-all", "--config", str(rig.engine.config))
    assert (told["done"], told["left"], rig.open_orders()) == (True, [], [])
    rig.quoting()
    assert rig.engine.stop()["health"]["ledger_differences"] == []


def test_flatten_without_an_engine_leaves_no_position(rig: FuturesRig) -> None:
    """By orders that only reduce, so it cannot turn the position around; and it stays so until somebody resumes."""
    rig.quoting()
    rig.holding()
    rig.engine.kill()
    until(lambda: rig.held() > 0, "it holds something still")
    told = rig.told("flatten", "--yes", "--config", str(rig.engine.config))
    assert told["done"], told
    assert (rig.held(), rig.open_orders()) == (0.0, [])
    rig.engine.start()
    rig.engine.wait_for("orders_ready")
    assert rig.told("status")["state"] == "CANCEL_ONLY"
    report = rig.engine.stop()
    assert (report["positions"], report["health"]["ledger_differences"]) == ({SYMBOL: "0"}, [])
