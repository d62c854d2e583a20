"""A market as it was: the simulated venue replays a capture, a whole engine trades on it, and its books are checked
against the recorded best quotes wherever their update ids coincide."""

from pathlib import Path

import pytest

from ops.config import load
from tests.scenarios.conftest import log_rows
from tests.scenarios.test_replay import instruments_in
from tests.support.processes import ROOT, EngineProcess, VenueProcess, until
from tests.support.replay import Replay

CAPTURE = ROOT.parent / "shared" / "data" / "captures" / "binance-spot-ethusdt-20240808.jsonl.gz"
RUN_S = 10


@pytest.mark.skipif(not CAPTURE.exists(), reason=f"no recorded data: {CAPTURE.name} is not beside the repository")
def test_the_books_of_a_recorded_market_are_the_venues_own(tmp_path: Path) -> None:
    """Tops, trades, the account at the end, and the run once more from its input log."""
    with (
        VenueProcess(tmp_path, "--replay", str(CAPTURE)) as venue,
        EngineProcess(tmp_path, venue, "ETHUSDT", quantity_lots=200) as engine,
    ):
        engine.start("--seconds", str(RUN_S))
        assert engine.process is not None
        until(lambda: engine.process is not None and engine.process.poll() is not None, "the run is over")
        assert engine.process.returncode == 0, engine.log.read_text(errors="replace")[-3_000:]
        report = engine.report()
        assert report["top_checks"] > 0
        assert report["top_mismatches"] == 0
        assert report["orders_sent"] > 0
        assert report["health"]["actor_failures"] == report["health"]["undecodable"] == 0
        assert venue.open_orders() == []
        assert len(venue.trades("ETHUSDT")) == report["fills"]
    inputs = log_rows(engine.state / "input-log")
    replay = Replay(load(engine.config), instruments_in(inputs))
    assert replay.first_difference(inputs) == -1
    feed = next(actor for actor in replay.actors if actor.name == "market_data").view()
    assert (feed["gaps"], feed["garbage"], feed["trades_missed"]) == (0, 0, 0)
    # What came before a standstill of the process is not taken.
    assert feed["frames"] == report["frames"] or report["standstills"]
