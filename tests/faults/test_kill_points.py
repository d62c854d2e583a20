"""An engine killed by the venue itself, at the very point of the protocol that a fault file names; then started again."""

import json
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bus.messages import Fill
from tests.faults import harness
from tests.faults.shows import shows
from tests.scenarios.test_sigkill import wrong
from tests.support.processes import WAIT_S, EngineProcess, VenueProcess, until


class Engine(EngineProcess):
    program = "tests.faults.touchline_in_a_hurry"


def set_point(venue: VenueProcess, engine: EngineProcess, at: str, **keys: Any) -> None:
    """Kill the process that holds the engine's state directory, whichever it is by then."""
    point = {"at": at, "signal": "KILL", "pid_file": str(engine.state / "lock"), **keys}
    request = urllib.request.Request(
        f"{venue.told['rest']}/control/faults", json.dumps({"point": [point]}).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=WAIT_S) as response:
        assert response.status == 200


def wait_killed(engine: EngineProcess) -> None:
    assert engine.process is not None
    assert engine.process.wait(timeout=WAIT_S) == -signal.SIGKILL


def trade(venue: VenueProcess, engine: EngineProcess) -> None:
    """The crowd takes what rests until the engine has booked a fill."""

    def booked() -> bool:
        venue.sweep("BTCUSDT", "0.5")
        return any(isinstance(message, Fill) for message in engine.journal())

    until(booked, "a fill")


def configure(engine: EngineProcess, venue: VenueProcess, config: str) -> None:
    engine.config.write_text(config.format(**venue.told))


@shows("kill-request-received", "kill-cancel-received", "kill-answer-sent", "kill-fill-sent")
@pytest.mark.parametrize(
    ("at", "config", "keys"),
    [
        ("request-received", harness.CONFIG, {"operation": "place"}),
        ("cancel-received", harness.CONFIG, {}),
        ("answer-sent", harness.CONFIG, {"operation": "place"}),
        ("fill-sent", harness.TAKING, {}),
    ],
    ids=["request-received", "cancel-received", "answer-sent", "fill-sent"],
)
def test_killed_at_a_kill_point_nothing_is_lost(at: str, config: str, keys: dict[str, Any], tmp_path: Path) -> None:
    """Killed at the third chance of its first life; the second trades on."""
    with VenueProcess(tmp_path, "--symbols", "BTCUSDT") as venue, Engine(tmp_path, venue) as engine:
        configure(engine, venue, config)
        set_point(venue, engine, at, after=2, **keys)
        engine.start()
        wait_killed(engine)
        venue.sweep("BTCUSDT", "0.5")
        engine.start()
        engine.wait_for("orders_ready")
        trade(venue, engine)
        assert wrong(engine, venue, engine.stop()) == []


@shows("kill-query-page")
def test_killed_between_two_pages_each_trade_is_booked_once(tmp_path: Path) -> None:
    """Its quotes are filled while it is dead; the next life is killed at the first full page of what it missed."""
    with VenueProcess(tmp_path, "--symbols", "BTCUSDT") as venue, Engine(tmp_path, venue) as engine:
        configure(engine, venue, harness.CONFIG)
        engine.start()
        engine.wait_for("orders_ready")
        trade(venue, engine)
        until(lambda: len(venue.open_orders()) == 2, "both quotes work")
        engine.kill()
        venue.sweep("BTCUSDT", "0.5")
        set_point(venue, engine, "query-page", operation="myTrades")
        engine.start()
        wait_killed(engine)
        engine.start()
        engine.wait_for("orders_ready")
        assert wrong(engine, venue, engine.stop()) == []
