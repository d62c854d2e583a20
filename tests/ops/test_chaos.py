"""`touchline chaos` as a person runs it, one round each: real engines, a real store, the venue's word."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest

from ops.cli.chaos import _backend
from tests.ops.command_line import ROOT, touchline

LIMIT_S = 120.0
"""Beyond every wait of a scenario: what it waits for in vain it says itself. A round takes about ten seconds."""


def chaos(*arguments: str) -> tuple[int, dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, "-m", "ops.cli", "chaos", "--rounds", "1", "--json", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


@pytest.mark.parametrize(("scenario", "backend"), [("leader-kill", "local"), ("leader-pause", "etcd")])
def test_another_one_trades_on_and_nobody_beside_it(scenario: str, backend: str) -> None:
    code, told = chaos("--scenario", scenario, "--backend", backend)
    assert (code, told["problems"]) == (0, [])
    assert (told["stale_epoch_orders_accepted"], told["both_traded_overlap_ms"], told["self_trades"]) == (0, 0, 0)
    assert told["takeover_ms"]["count"] == 1
    assert told["ledger_equal"] is True
    assert all(row["accepted"] for row in told["instances"].values())


def test_two_accounts_of_one_owner_do_not_trade_with_each_other() -> None:
    with TemporaryDirectory() as short:  # a socket lies in it, whose path may have 107 characters
        keep = Path(short) / "kept"
        code, told = chaos("--scenario", "self-trade", "--backend", "local", "--keep", str(keep))
        assert (code, told["problems"], told["self_trades"]) == (0, [], 0)
        assert told["ledger_equal"] is True
        assert all(row["accepted"] for row in told["instances"].values())
        kept = {path.name for path in (keep / "self-trade").iterdir()}
        assert kept >= {"maker", "maker.log", "maker.toml", "taker", "taker.log", "venue", "venue.log"}
        assert [path for path in keep.rglob("*") if path.stat().st_mode & 0o077] == []


def test_a_pause_that_one_asks_for_is_kept_by_both() -> None:
    code, told = chaos("--scenario", "cooldown", "--backend", "local")
    assert (code, told["problems"], told["increasing_in_cooldown"]) == (0, [], 0)
    assert told["ledger_equal"] is True


def test_the_same_two_trade_with_each_other_when_nothing_prevents_it() -> None:
    """The control: the strategies do try, and the check does see it."""
    code, told = chaos("--scenario", "self-trade", "--backend", "local", "--unprotected")
    assert told["self_trades"] > 0
    assert code == 1
    assert told["problems"] == [f"{told['self_trades']} trades have accounts of ours on both sides"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--scenario", "leader-kill", "--unprotected"), "--unprotected"),
        (("--scenario", "leader-kill", "--ttl-ms", "1500"), "--ttl-ms 1500: etcd counts whole seconds"),
        (("--scenario", "self-trade", "--keep", "tests"), "--keep tests: not empty"),
    ],
)
def test_what_cannot_be_run_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    touchline("chaos", *arguments).refused(told)


@pytest.mark.parametrize(
    ("scenario", "wanted", "backend"),
    [("feed-roll", None, "local"), ("cooldown", None, "etcd"), ("feed-roll", "etcd", "etcd")],
)
def test_one_engine_alone_needs_no_server(scenario: str, wanted: Literal["etcd"] | None, backend: str) -> None:
    assert _backend(scenario, wanted) == backend


def test_without_etcd_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    command = [sys.executable, "-c", "import sys; sys.prefix = '/nowhere'; from ops.cli import main; main()"]
    ended = subprocess.run(
        [*command, "chaos", "--scenario", "leader-kill"],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert ended.returncode == 2
    assert "etcd-server" in ended.stderr.splitlines()[-1]
    assert "--backend local" in ended.stderr.splitlines()[-1]
