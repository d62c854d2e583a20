"""The demo as a person uses it: Ctrl-C twice, a directory twice, a strategy that fails."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from ops.assembly import load_strategy
from ops.config import ConfigError, parse
from tests.support.house import CONFIG


def start(*args: str, temporary: Path | None = None) -> "subprocess.Popen[str]":
    environment = os.environ | ({} if temporary is None else {"TMPDIR": str(temporary)})
    return subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "demo", *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def wait_for(log: Path, text: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if log.exists() and text in log.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{text!r} never stood in {log}")


def test_a_second_ctrl_c_neither_cuts_the_stop_short_nor_starts_anything_again(tmp_path: Path) -> None:
    demo = start("--json", "--state", str(tmp_path / "d"))
    log = tmp_path / "d" / "engine.log"
    wait_for(log, "state=ACTIVE")
    for _ in range(3):
        demo.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out, err = demo.communicate(timeout=30)
    assert demo.returncode == 0, err
    assert '"working_orders_at_exit": 0' in out
    assert '"engine_restarts": 0' in out
    assert log.read_text().count("recovered") == 1


def test_a_directory_of_an_earlier_demo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    demo = start("--headless", "--seconds", "5", "--state", str(tmp_path))
    _, err = demo.communicate(timeout=30)
    assert demo.returncode == 2
    assert "an earlier demo's" in err
    assert [path.name for path in tmp_path.iterdir()] == ["engine"]


def test_a_temporary_folder_is_kept_where_something_failed(tmp_path: Path) -> None:
    """Goal: the log an error names can be read. Method: an engine that does not start, its sockets' paths being too long."""
    temporary = tmp_path / ("long" * 25)
    temporary.mkdir()
    demo = start("--headless", "--seconds", "30", temporary=temporary)
    _, err = demo.communicate(timeout=60)
    assert demo.returncode == 1, err
    [folder] = temporary.glob("touchline-demo-*")
    assert f"demo: logs and state are kept in {folder}" in err
    assert "too long for a socket" in (folder / "engine.log").read_text()
    assert folder.stat().st_mode & 0o077 == 0


def test_a_temporary_folder_is_gone_after_a_run_that_held() -> None:
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:
        demo = start("--json", "--seconds", "4", temporary=Path(temporary))
        _, err = demo.communicate(timeout=60)
        assert demo.returncode == 0, err
        assert list(Path(temporary).iterdir()) == []
    assert "are kept" not in err


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise RuntimeError('no\\nway')", r"boom\.py:1: RuntimeError: no way"),
        ("x = (", r"boom\.py:1: '\(' was never closed"),
        ("import sys; sys.exit(3)", r"boom\.py:1: SystemExit: 3"),
    ],
)
def test_a_strategy_that_cannot_be_imported_is_one_line_with_its_place(
    source: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "boom.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "boom", raising=False)
    with pytest.raises(ConfigError, match=told) as refused:
        load_strategy(
            parse(CONFIG.replace("[strategy.parameters]", '[strategy]\nuse = "boom:X"\n[strategy.parameters]'))
        )
    assert "\n" not in str(refused.value)
