"""What misbehaves in a real process: a strategy that raises, is slow, hangs or lets nothing through; an actor that raises."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.misbehaving import MISBEHAVE
from tests.support.processes import WAIT_S, EngineProcess, VenueProcess, units, until

SYMBOL = "BTCUSDT"
HANG_MS = 300


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path, "--symbols", SYMBOL, "--seed", "3") as process:
        yield process


class Misbehaved(EngineProcess):
    """An engine whose strategy or orders actor misbehaves when it is told to."""

    def __init__(self, folder: Path, venue: VenueProcess, strategy: str = "", more: str = "") -> None:
        super().__init__(folder, venue)
        self.told = folder / "misbehave"
        self.environment[MISBEHAVE] = str(self.told)
        if strategy:
            section = (
                f'[strategy]\nuse = "tests.support.misbehaving:{strategy}"\nhang_ms = {HANG_MS}\nbudget_us = 5000\n\n'
            )
            more += section
        else:
            self.program = "tests.support.touchline_with_a_bomb"
        self.config.write_text(self.config.read_text().replace("[strategy.parameters]", f"{more}[strategy.parameters]"))

    def count(self, event: str) -> int:
        return self.log.read_text(errors="replace").count(event)

    def poison(self) -> list[dict[str, object]]:
        return [json.loads(path.read_bytes()) for path in sorted((self.state / "poison").glob("*.json"))]

    def end(self) -> int:
        """SIGTERM; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=WAIT_S)


def quoting(engine: Misbehaved, venue: VenueProcess) -> None:
    engine.start()
    engine.wait_for("orders_ready")
    until(venue.open_orders, "a working order")


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("Raising", "as a user's code does (misbehaving.py:"),
        ("Slow", "calls took longer than budget_us = 5000"),
        ("Hanging", "a hook did not come back within 0.3 s"),
    ],
)
def test_a_strategy_that_misbehaves_is_quarantined_and_the_engine_lives_on(
    strategy: str, reason: str, venue: VenueProcess, tmp_path: Path
) -> None:
    with Misbehaved(tmp_path, venue, strategy) as engine:
        quoting(engine, venue)
        engine.told.touch()
        engine.wait_for("strategy_quarantined")
        until(lambda: not venue.open_orders(), "its quotes gone at the venue")
        assert reason in engine.log.read_text()
        placed = len(venue.orders(SYMBOL))
        venue.sweep(SYMBOL, "1")
        assert engine.process is not None
        assert engine.process.poll() is None
        assert len(venue.orders(SYMBOL)) == placed, "it is called no more"
        assert engine.end() == 1
        assert engine.said("stopped unresolved=0")
        assert [row["receiver"] for row in engine.poison()] == ([] if strategy == "Slow" else ["strategy"])


def test_one_that_lets_nothing_through_ends_the_process_and_the_next_start_finds_its_orders(
    venue: VenueProcess, tmp_path: Path
) -> None:
    with Misbehaved(tmp_path, venue, "Swallowing") as engine:
        quoting(engine, venue)
        engine.told.touch()
        assert engine.process is not None
        assert engine.process.wait(timeout=WAIT_S) == 1
        assert engine.said("strategy_never_returns")
        engine.told.unlink()
        engine.start()
        engine.wait_for("orders_ready")
        assert equal(engine.stop(), venue)


def equal(report: object, venue: VenueProcess) -> bool:
    assert isinstance(report, dict)
    ours = {asset: units(text) for asset, text in report["ledger"].items()}
    venues = venue.balances()
    return venue.open_orders() == [] and ours == {asset: venues[asset] for asset in ours}


def test_a_run_that_an_actor_ended_is_followed_by_another_in_the_same_process(
    venue: VenueProcess, tmp_path: Path
) -> None:
    with Misbehaved(tmp_path, venue) as engine:
        quoting(engine, venue)
        engine.told.touch()
        until(lambda: engine.count("orders_ready") == 2, "a second run")
        assert engine.said("actors_restarted")
        until(venue.open_orders, "a working order of the second run")
        assert engine.end() == 1, "an actor failed: a person should look"
        assert engine.said("stopped unresolved=0")
        assert equal(engine.report(), venue)
        [poison] = engine.poison()
        assert poison["receiver"] == "orders"
        assert "the bomb" in str(poison["traceback"])
        text = json.dumps(poison)
        assert not any(os.environ.get(name, engine.environment[name]) in text for name in SECRETS)


SECRETS = ("TOUCHLINE_API_KEY", "TOUCHLINE_API_SECRET")


def test_what_fails_too_often_cancels_what_it_can_and_ends(venue: VenueProcess, tmp_path: Path) -> None:
    with Misbehaved(tmp_path, venue, more="[supervision]\nrestarts_max = 1\n\n") as engine:
        quoting(engine, venue)
        engine.told.touch()
        until(lambda: engine.count("orders_ready") == 2, "a second run")
        until(venue.open_orders, "a working order of the second run")
        engine.told.touch()
        assert engine.process is not None
        assert engine.process.wait(timeout=WAIT_S) == 1
        assert engine.said("restarts_used_up")
        assert engine.said("stopped unresolved=0")
        assert equal(engine.report(), venue)
