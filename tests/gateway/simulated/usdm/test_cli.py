"""`venue --futures-port` as a process: what it prints, and what it says when it cannot start."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[4]
COMMAND = [sys.executable, "-c", "from ops.cli.venue import venue; venue()", "--futures-port", "0"]
TIMEOUT_S = 60


def run(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen([*COMMAND, *options], cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True)


def test_it_prints_both_faces(tmp_path: Path) -> None:
    with run(tmp_path) as process:
        assert process.stdout is not None
        lines = dict(process.stdout.readline().rstrip("\n").split(": ", 1) for _ in range(8))
        assert list(lines)[3:6] == ["futures_rest", "futures_streams", "futures_websocket_api"]
        port = lines["futures_rest"].removeprefix("http://127.0.0.1:")
        assert lines["futures_websocket_api"] == f"ws://127.0.0.1:{port}/ws-fapi/v1"
        assert lines["rest"] != lines["futures_rest"]
        url = f"{lines['futures_rest']}/fapi/v1/exchangeInfo"
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
            assert json.loads(response.read())["futuresType"] == "U_MARGINED"
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0


def test_without_a_contract_there_is_no_futures_face(tmp_path: Path) -> None:
    with run(tmp_path, "--symbols", "ETHBTC") as process:
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err.strip()) == (
        2,
        "venue: --futures-port: contracts are in USDT; give --symbols such as BTCUSDT",
    )
