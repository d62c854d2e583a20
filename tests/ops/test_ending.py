"""What a run leaves behind at the venue, by its stop policy: the real engine on the real venue, told by real signals."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import WAIT_S, EngineProcess, VenueProcess, until

SYMBOL = "BTCUSDT"


def at_venue(venue: VenueProcess) -> list[dict[str, Any]]:
    """Open orders by the control door: asking there costs no weight of the engine's address."""
    rows: list[dict[str, Any]] = venue.ledger()["open_orders"]
    return rows


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path, "--seed", "5", "--symbols", SYMBOL, "--state", str(tmp_path / "keys")) as venue:
        yield venue


@pytest.fixture
def engine(tmp_path: Path, venue: VenueProcess) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path, venue, SYMBOL) as engine:
        yield engine


def quoting(engine: EngineProcess, venue: VenueProcess, *arguments: str) -> None:
    engine.start(*arguments)
    engine.wait_for("orders_ready")
    until(lambda: at_venue(venue), "orders at the venue")


def holding(engine: EngineProcess, venue: VenueProcess, *arguments: str) -> None:
    """It quotes, and has been filled on one side alone."""
    quoting(engine, venue, *arguments)

    def filled() -> bool:
        venue.control("market", symbol=SYMBOL, side="SELL", quantity="3")
        return bool(venue.trades(SYMBOL))  # a fill of ours; rarely asked

    until(filled, "a fill")


def end(engine: EngineProcess, *signals: signal.Signals) -> int:
    assert engine.process is not None
    for number in signals:
        engine.process.send_signal(number)
    return engine.process.wait(timeout=WAIT_S)


def test_keep_leaves_its_orders_working_and_the_next_start_takes_them_up(
    engine: EngineProcess, venue: VenueProcess
) -> None:
    quoting(engine, venue, "--stop-policy", "keep")
    assert end(engine, signal.SIGTERM) == 0, engine.log.read_text()
    kept = {row["clientOrderId"] for row in at_venue(venue)}
    report = engine.report()
    assert (len(kept), report["unresolved_orders"]) == (report["kept_orders"], 0)
    assert kept
    engine.start()
    engine.wait_for("orders_ready")
    assert not kept & {row["clientOrderId"] for row in at_venue(venue)}, "leftovers are canceled by default"
    engine.stop()


def test_flatten_ends_with_no_order_and_no_position(engine: EngineProcess, venue: VenueProcess) -> None:
    engine.config.write_text(engine.config.read_text().replace("[stop]", '[stop]\npolicy = "flatten"'))
    holding(engine, venue)
    assert end(engine, signal.SIGTERM) == 0, engine.log.read_text()
    report = engine.report()
    assert (report["positions_left"], report["unresolved_orders"], at_venue(venue)) == ("", 0, [])
    assert abs(float(report["positions"][SYMBOL])) < 0.0001, "less than the venue takes may be left"


def test_positions_that_could_not_be_closed_are_said_and_the_code_is_1(
    engine: EngineProcess, venue: VenueProcess
) -> None:
    """The venue's matching does not answer any more, so nothing can be sold."""
    engine.config.write_text(
        engine.config.read_text()
        .replace("[stop]", '[stop]\npolicy = "flatten"\nflatten_s = 1')
        .replace("deadline_s = 60", "deadline_s = 1")
    )
    holding(engine, venue)
    assert engine.process is not None
    venue.process.send_signal(signal.SIGSTOP)
    try:
        assert end(engine, signal.SIGTERM) == 1, engine.log.read_text()
    finally:
        venue.process.send_signal(signal.SIGCONT)
    assert engine.said("positions_left")
    assert "BTCUSDT" in engine.report()["positions_left"]


def test_a_second_signal_cancels_what_would_have_been_kept(engine: EngineProcess, venue: VenueProcess) -> None:
    """The first is held up by an order that the venue does not answer for."""
    engine.config.write_text(engine.config.read_text().replace("[stop]", "[stop]\nflatten_s = 600"))
    holding(engine, venue, "--stop-policy", "flatten")
    assert engine.process is not None
    venue.process.send_signal(signal.SIGSTOP)
    engine.process.send_signal(signal.SIGTERM)
    engine.wait_for("policy=FLATTEN")
    engine.process.send_signal(signal.SIGTERM)
    venue.process.send_signal(signal.SIGCONT)
    assert engine.process.wait(timeout=WAIT_S) in (0, 1)
    assert at_venue(venue) == []
    assert json.loads((engine.folder / "report.json").read_bytes())["unresolved_orders"] == 0
