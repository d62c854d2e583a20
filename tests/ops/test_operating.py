"""The operator's commands, typed as a person in a hurry would, on a real engine and a real venue: processes of their own."""

import contextlib
import json
import os
import pty
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bus.messages import AnswerKind, CommandAnswered, Control
from ops.cli import main
from ops.control import LATE_S, Asker, NoAnswer
from tests.support.processes import ROOT, WAIT_S, EngineProcess, VenueProcess, until

SYMBOL = "BTCUSDT"
REFUSED, DID_NOT_HOLD = 2, 1


class Rig:
    """An engine that quotes, and commands that find it by the environment."""

    def __init__(self, folder: Path, venue: VenueProcess, engine: EngineProcess) -> None:
        self.folder, self.venue, self.engine = folder, venue, engine
        self.environment = engine.environment | {"TOUCHLINE_STATE": str(engine.state)}

    def quoting(self) -> None:
        self.engine.start()
        self.engine.wait_for("orders_ready")
        until(self.open_orders, "orders at the venue")

    def holding(self) -> None:
        def filled() -> bool:
            self.venue.control("market", symbol=SYMBOL, side="SELL", quantity="2")
            return self.held() > 0.001

        until(filled, "a position")

    def held(self) -> float:
        """By the venue's ledger: base asset of our account beyond what it began with."""
        balance = self.venue.ledger()["accounts"]["client"]["BTC"]
        return abs(float(balance["free"]) + float(balance["locked"]) - self.began)

    def open_orders(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.venue.ledger()["open_orders"]
        return rows

    def touchline(self, *arguments: str, code: int = 0) -> str:
        """Its output, or what it said of an error. In this process: an interpreter's start is no part of what is shown."""
        done = CliRunner().invoke(main, arguments, env=self.environment)
        assert done.exit_code == code, (arguments, done.output, done.exception)
        return done.stdout if code != REFUSED else done.stderr

    def told(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The one JSON object, as the last line of stdout."""
        if code == REFUSED:
            raise AssertionError("its stdout is what is asked for")
        answer: dict[str, Any] = json.loads(self.touchline(*arguments, "--json", code=code).splitlines()[-1])
        return answer

    began = 0.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    keys = str(tmp_path / "keys")
    with (
        VenueProcess(tmp_path, "--seed", "5", "--symbols", SYMBOL, "--state", keys) as venue,
        EngineProcess(tmp_path, venue, SYMBOL) as engine,
    ):
        rig = Rig(tmp_path, venue, engine)
        rig.began = rig.held()
        yield rig


def test_halt_takes_orders_down_outlives_a_sigkill_and_ends_with_resume(rig: Rig) -> None:
    rig.quoting()
    assert rig.touchline("halt", "--reason", "look").startswith("engine: HALTED\n")
    assert rig.open_orders() == []
    rig.engine.kill()
    ordered = {"scope": "engine", "reason": "operator", "state": "HALTED", "text": "look"}
    begins = rig.told("status", code=DID_NOT_HOLD)["next_start"]
    assert (begins["state"], begins["reasons"], begins["flatten"]) == ("HALTED", [ordered], None)
    assert "the next start begins HALTED, with\n  engine HALTED: operator: look\n" in rig.touchline(
        "status", code=DID_NOT_HOLD
    )
    rig.engine.start()
    rig.engine.wait_for("orders_ready")
    status = rig.told("status")
    assert (status["alive"], status["state"]) == (True, "HALTED")
    assert ordered in status["trading"]["reasons"]
    assert rig.open_orders() == []
    assert "Missing option" in rig.touchline("resume", code=REFUSED)
    assert rig.touchline("resume", "--reason", "looked") == "engine: ACTIVE\n"
    until(rig.open_orders, "quotes again")
    assert rig.touchline("halt", SYMBOL.lower(), "--to", "cancel-only").startswith("BTCUSDT: CANCEL_ONLY\n")
    assert "there is BTCUSDT" in rig.touchline("halt", "NOPE", code=REFUSED)
    assert rig.told("status")["trading"]["states"]["BTCUSDT"] == "CANCEL_ONLY"
    rig.engine.stop()


@contextlib.contextmanager
def frozen(rig: Rig) -> Iterator[int]:
    """Inside, the process is there and does nothing."""
    assert rig.engine.process is not None
    rig.engine.process.send_signal(signal.SIGSTOP)
    try:
        yield rig.engine.process.pid
    finally:
        if rig.engine.process.poll() is None:
            rig.engine.process.send_signal(signal.SIGCONT)


def test_a_halt_survives_the_sigkill_of_an_engine_that_hangs(rig: Rig) -> None:
    rig.quoting()
    with frozen(rig) as pid:
        told = rig.told("halt", "--reason", "it hangs", code=DID_NOT_HOLD)
        assert f"process {pid} hangs" in told["answer"]
        assert f"kill -9 {pid}" in told["answer"]
        assert f"cancel-all --config CONFIG --state {rig.engine.state}" in told["answer"]
        rig.engine.kill()
    rig.engine.start()
    rig.engine.wait_for("orders_ready")
    status = rig.told("status")
    assert {"scope": "engine", "reason": "operator", "state": "HALTED", "text": "it hangs"} in status["trading"][
        "reasons"
    ]
    assert rig.open_orders() == []
    until(lambda: not list((rig.engine.state / "halts").iterdir()), "the file to be taken away")
    assert rig.touchline("resume", "--reason", "looked") == "engine: ACTIVE\n"
    until(rig.open_orders, "quotes again")
    rig.engine.kill()
    rig.engine.start()
    rig.engine.wait_for("orders_ready")
    assert rig.told("status")["state"] == "ACTIVE", "a later resume is not undone"
    rig.engine.stop()


def test_a_halt_with_no_engine_alive_is_found_by_the_next_one(rig: Rig) -> None:
    rig.quoting()
    rig.engine.kill()
    state = str(rig.engine.state)
    shown = rig.touchline("halt", SYMBOL.lower(), "--to", "cancel-only", "--reason", "before anybody starts it")
    assert f"--state {state}" in shown.splitlines()[0], "what works is not canceled by it"
    assert shown.splitlines()[-1] == "BTCUSDT: no engine runs; the next one starts CANCEL_ONLY"
    assert rig.told("status", code=DID_NOT_HOLD)["next_start"]["reasons"] == [
        {"scope": SYMBOL, "reason": "operator", "state": "CANCEL_ONLY", "text": "before anybody starts it"}
    ]
    assert "then type it again" in rig.touchline("resume", "--reason", "x", code=REFUSED)
    assert "there is BTCUSDT" in rig.touchline("halt", "BTCUST", code=REFUSED)
    assert "no owner of that name; there are operator, exits" in rig.touchline(
        "halt", "--strategy", "mkaer", code=REFUSED
    )
    rig.engine.start()
    rig.engine.wait_for("orders_ready")
    assert rig.told("status")["trading"]["states"]["BTCUSDT"] == "CANCEL_ONLY"
    rig.engine.stop()


def test_an_engine_that_wakes_up_halts_late_and_resumes_never(rig: Rig) -> None:
    """A stopped process hears nothing over its socket: the halt is found in its directory. What comes too late is refused."""
    rig.quoting()
    with frozen(rig), Asker(rig.engine.state) as asker:
        with pytest.raises(NoAnswer, match="hangs or stands still"):
            list(asker.ask(Control.HALT, reason="late is right", seconds=0.2))
        with pytest.raises(NoAnswer, match="hangs or stands still"):
            list(asker.ask(Control.RESUME, reason="late is wrong", seconds=0.2))
    rig.engine.wait_for("late is right")
    with Asker(rig.engine.state) as asker:
        *_, said = asker.ask(Control.RESUME, reason="too late", seconds=-LATE_S / 2)
    assert isinstance(said, CommandAnswered)
    assert (said.kind, said.text[:16]) == (AnswerKind.FAILED, "refused: it came")
    assert rig.engine.said("operator_too_late")
    # On a slow machine its term ran out as well, and it stands by for a moment.
    until(lambda: rig.told("status")["state"] == "HALTED", "it stays halted")
    rig.engine.stop()


def test_cancel_all_through_the_engine_and_without_one(rig: Rig) -> None:
    rig.quoting()
    told = rig.told("cancel-all")
    assert (told["done"], rig.open_orders()) == (True, [])
    assert rig.told("status")["state"] == "CANCEL_ONLY"
    rig.touchline("resume", "--reason", "go on")
    until(rig.open_orders, "quotes again")
    rig.engine.kill()
    left = rig.told("status", code=DID_NOT_HOLD)
    assert not left["alive"]
    assert {row["symbol"] for row in left["open_orders"]} == {SYMBOL}
    assert "its journal's word" in rig.touchline("status", code=DID_NOT_HOLD)
    assert "--config CONFIG" in rig.touchline("cancel-all", code=REFUSED)
    assert rig.open_orders()
    told = rig.told("cancel-all", "--config", str(rig.engine.config))
    assert (told["done"], told["left"], rig.open_orders()) == (True, [], [])


def test_cancel_all_goes_to_the_venue_when_the_engine_is_frozen(rig: Rig) -> None:
    """Interleaving of every day: the process is there, and nobody answers."""
    rig.quoting()
    with frozen(rig):
        assert "so it is done from here" in rig.touchline("cancel-all", "--config", str(rig.engine.config))
        assert rig.open_orders() == []
        assert "it showed nothing" in rig.told("status", code=DID_NOT_HOLD)["why"]
    until(lambda: rig.told("status")["state"] == "CANCEL_ONLY", "what it was told, once it goes on")
    assert rig.open_orders() == []
    rig.engine.stop()


def test_flatten_refuses_to_guess_closes_and_keeps_it_so(rig: Rig) -> None:
    rig.quoting()
    rig.holding()
    assert "nobody can be asked here" in rig.touchline("flatten", code=REFUSED)
    told = rig.told("flatten", "--yes")
    assert told["done"], told
    assert (rig.held() < 0.0001, rig.open_orders()) == (True, [])
    assert rig.told("status")["state"] == "CANCEL_ONLY"
    rig.engine.stop()


def test_flatten_asks_and_takes_a_no(rig: Rig) -> None:
    """On a terminal of its own: what is held and what it costs is shown, then the question; n changes nothing."""
    rig.quoting()
    rig.holding()
    rig.touchline("halt", "--reason", "so that what is held stays")
    before = rig.held()
    for word, code in ((b"n\n", DID_NOT_HOLD), (b"y\n", 0)):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-m", "ops.cli", "flatten"], dict(rig.environment))
        shown = read_until(terminal, b"[y/N]")
        assert b"BTCUSDT" in shown
        assert b"worse than the mid" in shown
        os.write(terminal, word)
        drain(terminal)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == code
        if code:
            assert rig.held() == before
    assert rig.held() < 0.0001
    rig.engine.stop()


def test_flatten_without_an_engine_starts_one_that_does_only_that(rig: Rig) -> None:
    rig.quoting()
    rig.holding()
    rig.engine.kill()
    assert "--config CONFIG" in rig.touchline("flatten", "--yes", code=REFUSED)
    typo = rig.touchline("flatten", "btcusd", "--yes", "--config", str(rig.engine.config), code=REFUSED)
    assert "it has BTCUSDT" in typo
    assert rig.open_orders(), "nothing was started for it, so nothing was canceled"
    told = rig.told("flatten", "--yes", "--config", str(rig.engine.config))
    assert told["done"], told
    assert (rig.held() < 0.0001, rig.open_orders()) == (True, [])
    rig.engine.start()
    rig.engine.wait_for("orders_ready")
    assert rig.told("status")["state"] == "CANCEL_ONLY", "until somebody resumes"
    rig.engine.stop()


def test_a_flatten_goes_on_in_the_run_after_a_sigkill(rig: Rig) -> None:
    """By orders of a tenth of what is held; killed at its first word, half a second before it could be done."""
    text = rig.engine.config.read_text()
    rig.engine.config.write_text(text.replace('order_max = "1"', 'order_max = "0.001"'))
    rig.quoting()
    until(
        lambda: rig.venue.control("market", symbol=SYMBOL, side="SELL", quantity="2") and rig.held() > 0.005,
        "a position",
    )
    with Asker(rig.engine.state) as asker:
        said = next(asker.ask(Control.FLATTEN, reason="out"))
        rig.engine.kill()
    assert isinstance(said, CommandAnswered)
    assert said.text.startswith("closing BTCUSDT")
    rows = rig.told("status", code=DID_NOT_HOLD)["next_start"]
    assert (rows["state"], rows["flatten"]["symbol"]) == ("CANCEL_ONLY", "")
    rig.engine.start()
    rig.engine.wait_for("flatten_goes_on")
    until(lambda: rig.held() < 0.0001, "it to be closed")
    assert rig.told("status")["state"] == "CANCEL_ONLY", "until somebody resumes"
    rig.touchline("halt", "--reason", "enough")
    rig.engine.stop()


def test_flatten_without_an_engine_names_who_leads(rig: Rig, tmp_path: Path) -> None:
    """Another directory, the same shared store: its engine lives and leads."""
    store = f'\n[coordination]\npath = "{tmp_path / "shared.sqlite"}"\nttl_ms = 2000\n'
    rig.engine.config.write_text(rig.engine.config.read_text() + store)
    rig.quoting()
    other = tmp_path / "other"
    command = ("flatten", "--yes", "--config", str(rig.engine.config), "--state", str(other))
    assert "no engine has ever run here; check --state" in rig.touchline(*command, code=REFUSED)
    assert not other.exists(), "nothing is held in a directory that is mistyped: that is no answer"
    other.mkdir()
    (other / "lock").touch()
    told = rig.told(*command, code=DID_NOT_HOLD)
    assert f":{rig.engine.process.pid} leads this account" in told["answer"]  # type: ignore[union-attr]  # it runs
    assert rig.open_orders()
    rig.engine.stop()


def test_a_directory_where_nothing_ran_is_said(rig: Rig, tmp_path: Path) -> None:
    for command in (
        ("status",), ("halt",), ("resume", "--reason", "x"), ("cancel-all",), ("flatten", "--yes"), ("reconcile",)
    ):  # fmt: skip
        line = rig.touchline(*command, "--state", str(tmp_path / "nowhere"), code=REFUSED)
        assert line.startswith(f"touchline {command[0]}: {tmp_path}/nowhere: no engine")


def read_until(terminal: int, text: bytes) -> bytes:
    seen, end = b"", time.monotonic() + WAIT_S
    while text not in seen:
        assert time.monotonic() < end, seen
        seen += os.read(terminal, 1_024)
    return seen


def drain(terminal: int) -> None:
    """To its end: the child's exit is an error of the terminal."""
    try:
        while os.read(terminal, 1_024):
            continue
    except OSError:
        os.close(terminal)
