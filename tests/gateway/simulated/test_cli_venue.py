"""`venue` as a process: what it prints, how it ends, what it says when it cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from ops.cli.venue import venue; venue()"]
TIMEOUT_S = 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_where_it_is_and_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        lines = dict(process.stdout.readline().rstrip("\n").split(": ", 1) for _ in range(5))
        assert list(lines) == ["rest", "streams", "websocket_api", "api_key", "api_secret"]
        port = lines["rest"].removeprefix("http://127.0.0.1:")
        assert lines["streams"] == f"ws://127.0.0.1:{port}"
        assert lines["websocket_api"] == f"ws://127.0.0.1:{port}/ws-api/v3"
        with urllib.request.urlopen(f"{lines['rest']}/api/v3/ping", timeout=TIMEOUT_S) as response:
            assert response.read() == b"{}"
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_with_a_crowd_at_full_speed_it_answers_and_ends(tmp_path: Path) -> None:
    """Goal: --speed max starves nobody, on the event loop the command takes. Method: a crash, ten requests, and SIGTERM."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*COMMAND, "--speed", "max", "--regime", "flash-crash", "--cancel-rule", "back"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        rest = process.stdout.readline().removeprefix("rest: ").rstrip("\n")
        ids = []
        for _ in range(10):
            with urllib.request.urlopen(f"{rest}/api/v3/depth?symbol=BTCUSDT&limit=5", timeout=TIMEOUT_S) as response:
                ids.append(json.loads(response.read())["lastUpdateId"])
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0
    assert ids == sorted(set(ids))


def test_more_accounts_print_their_keys_after_the_first(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [*COMMAND, "--accounts", "3"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().split(": ") for _ in range(9)]
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
    assert [name for name, _ in told[3:]] == [
        "api_key", "api_secret", "api_key_2", "api_secret_2", "api_key_3", "api_secret_3",
    ]  # fmt: skip
    assert len({value for _, value in told}) == 9


def run(*arguments: str) -> tuple[int, str, list[str]]:
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    return done.returncode, done.stdout, done.stderr.strip().splitlines()


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out, err = run("--port", str(taken.getsockname()[1]))
    assert (code, out, len(err)) == (2, "", 1)
    assert "--port" in err[0]
    assert "choose another" in err[0]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--replay", "/nowhere/x.gz"), "--replay"),
        (("--replay", "pyproject.toml"), "--replay"),
        (("--ed25519-public-key", "pyproject.toml"), "--ed25519-public-key"),
        (("--ed25519-public-key", "/nowhere.pem"), "--ed25519-public-key"),
        (("--rsa-public-key", "/nowhere.pem"), "--rsa-public-key"),
        (("--symbols", "WHAT"), "--symbols"),
        (("--state", "pyproject.toml"), "--state"),
    ],
)
def test_an_unusable_option_is_named_in_one_line(arguments: tuple[str, ...], option: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out, len(err)) == (2, "", 1), err
    assert option in err[0]


@pytest.mark.parametrize("symbols", ["BTC-USDT", "BTCUSDT,ETH/USDT", "BTCÜUSDT", "BTC USDT", "X" * 30 + "USDT", ","])
def test_symbols_are_letters_and_digits(symbols: str) -> None:
    code, out, err = run("--symbols", symbols)
    assert (code, out, len(err)) == (2, "", 1), err
    assert "--symbols" in err[0]
    assert "letters and digits" in err[0]
    assert "USDT, USDC" in err[0], "the quote assets it knows"


def test_a_wrong_key_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.pem"
    path.write_text("no key")
    for option in ("--ed25519-public-key", "--rsa-public-key"):
        code, out, err = run(option, str(path))
        assert (code, out, len(err)) == (2, "", 1), err
        assert f"{option} {path}: " in err[0]


def capture(path: Path) -> Path:
    """Two frames of a book, a few milliseconds."""
    snapshot = {"lastUpdateId": 100, "bids": [["2683.80", "3.0"]], "asks": [["2683.90", "2.0"]]}
    diff = {"e": "depthUpdate", "E": 1, "s": "ETHUSDT", "U": 101, "u": 101, "b": [["2683.70", "1.0"]], "a": []}
    rows = [
        {"capture": 1, "venue": "binance-spot", "source": "made for a test"},
        [1_000_000, "rest", "/api/v3/depth?symbol=ETHUSDT&limit=1000", json.dumps(snapshot)],
        [9_000_000, "recv", "wss://x/stream", json.dumps({"stream": "ethusdt@depth@100ms", "data": diff})],
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    "words", [("--symbols", "ETHUSDT"), ("--regime", "calm"), ("--cancel-rule", "back")], ids=lambda words: words[0]
)
def test_what_a_replay_has_no_use_for_is_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    code, out, err = run("--replay", str(capture(tmp_path / "small.jsonl")), *words)
    assert (code, out, len(err)) == (2, "", 1), err
    assert f"{words[0]}: " in err[0]
    assert "--futures-port" in err[0]


def test_the_end_of_a_replay_is_said_once(tmp_path: Path) -> None:
    """Goal: who watches knows why nothing moves; the futures face's flow goes on, by the options the replay has no use for."""
    path = capture(tmp_path / "small.jsonl")
    command = [*COMMAND, "--replay", str(path), "--control", "--futures-port", "0", "--regime", "thin"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        rest = process.stdout.readline().removeprefix("rest: ").rstrip("\n")
        assert process.stderr.readline() == f"venue: the replay of {path} is over: the books stand still\n"
        with urllib.request.urlopen(f"{rest}/control/state", timeout=TIMEOUT_S) as response:
            faces = json.loads(response.read())["faces"]
        process.terminate()
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (0, "")
    assert {name: (face["flowing"], face["ended"]) for name, face in faces.items()} == {
        "spot": (False, True),
        "usdm": (True, False),
    }
    assert faces["usdm"]["regimes"]["BTCUSDT"] == "thin"
