"""`touchline reconcile` as an operator types it: with an engine, without one, and a gap that he accepts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bus.messages import BaselineTaken, Difference, DifferenceKind, LedgerAdjusted, Reconciled
from ops.cli.reconcile import make_report, reconcile, table
from ops.engines import STATE_VARIABLE
from tests.scenarios.test_sigkill import wrong
from tests.support.processes import ROOT, WAIT_S, EngineProcess, VenueProcess, until


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path, "--symbols", "BTCUSDT", "--seed", "3") as process:
        yield process


@pytest.fixture
def engine(tmp_path: Path, venue: VenueProcess) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path, venue) as process:
        yield process


def typed(engine: EngineProcess, *arguments: str) -> tuple[int, Any]:
    """Exit code and what it said, as an object."""
    command = [sys.executable, "-m", "ops.cli", "reconcile", "--state", str(engine.state), "--json", *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, env=engine.environment, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def test_with_no_engine_alive_the_directory_is_compared_and_stays_as_it_was(
    engine: EngineProcess, venue: VenueProcess
) -> None:
    """Killed while it quotes; what rested is filled behind its back; looked at twice; then the next start books it."""
    engine.start()
    engine.wait_for("orders_ready")
    until(lambda: len(venue.open_orders()) == 2, "both quotes work")
    venue.control("pause-flow")  # a quote that is just being replaced would not rest
    assert typed(engine)[1]["equal"]
    until(lambda: len(venue.open_orders()) == 2, "both quotes rest")
    engine.kill()
    rested = {row["clientOrderId"] for row in venue.open_orders()}
    before = files(engine.state)
    assert (typed(engine)[0], typed(engine, "--dry-run")[0]) == (2, 2)
    code, report = typed(engine, "--dry-run", str(engine.config))
    assert (code, report["orders"], report["rows"]) == (0, len(rested), [])

    def filled() -> bool:
        venue.sweep("BTCUSDT", "3")  # a slow machine quotes further off
        return not venue.open_orders()

    until(filled, "both are filled")
    for _ in range(2):
        code, report = typed(engine, "--dry-run", str(engine.config))
        rows = [(row["kind"], row["subject"]) for row in report["rows"]]
        assert (code, sorted(rows)) == (1, sorted(("FILL_MISSING", key) for key in rested))
    assert files(engine.state) == before
    venue.control("resume-flow")
    engine.start()
    engine.wait_for("orders_ready")
    assert wrong(engine, venue, engine.stop()) == []


def test_a_gap_stops_what_adds_until_a_person_accepts_it(engine: EngineProcess, venue: VenueProcess) -> None:
    engine.start()
    engine.wait_for("orders_ready")
    venue.control("deposit", account="client", asset="BTC", amount="0.5")
    code, report = typed(engine)
    assert (code, [(row["kind"], row["subject"]) for row in report["rows"]]) == (1, [("BALANCE", "BTC")])
    engine.wait_for("state=REDUCING")
    assert typed(engine, "--accept")[0] == 2, "not without a reason"
    code, report = typed(engine, "--accept", "--reason", "brought in by hand")
    assert (code, report["adjusted"]) == (
        0,
        [{"asset": "BTC", "amount": "0.5", "reason": "accepted: brought in by hand"}],
    )
    until(lambda: engine.log.read_text().count("state=ACTIVE") == 2, "trading again")
    assert [fact.asset for fact in engine.journal() if isinstance(fact, LedgerAdjusted)] == ["BTC"]
    engine.kill()
    engine.start()
    engine.wait_for("orders_ready")
    assert wrong(engine, venue, engine.stop()) == [], "the adjustment outlives the process"


def test_a_ledger_that_waits_for_a_person_trades_after_his_word(engine: EngineProcess) -> None:
    engine.config.write_text(engine.config.read_text() + '\n[portfolio]\nbaseline = "ask"\n')
    engine.start()
    engine.wait_for("baseline_not_accepted")
    code, report = typed(engine)
    assert (code, {row["subject"] for row in report["rows"]}) == (1, {"BTC", "USDT"})
    assert typed(engine, "--accept", "--reason", "counted")[0] == 0
    engine.wait_for("state=ACTIVE")
    assert len([fact for fact in engine.journal() if isinstance(fact, BaselineTaken)]) == 1


def test_the_table_is_readable() -> None:
    row = Difference(0, DifferenceKind.BALANCE, -1, "BTC", 150_000_000, 50_000_000, "left standing")
    report = make_report([row, Reconciled(0, "operator", 2, 1, 3, 41_000_000)], {})
    assert table(report).splitlines() == [
        "compared in 41 ms: 2 orders open, 1 executions were missing, differences: 3",
        "what     of   ours  venue's  done about it",
        "BALANCE  BTC  1.5   0.5 BTC  left standing",
        "and 2 more",
    ]


def test_the_engine_is_found_as_by_every_command(tmp_path: Path) -> None:
    """The variable names the directory; nobody has to type --state."""
    ended = CliRunner().invoke(reconcile, [], env={STATE_VARIABLE: str(tmp_path)})
    assert ended.exit_code == 2
    assert f"{tmp_path}: no engine has ever run here" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--accept", "--dry-run"], "give one of them"),
        (["--accept", "--reason", " "], "--reason TEXT"),
        ([], "no engine has ever run here"),
        (["--dry-run", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["engine.toml"], "belongs to --dry-run"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], told: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(reconcile, ["--state", str(tmp_path), *arguments])
    assert ended.exit_code == 2
    assert told in ended.stderr
