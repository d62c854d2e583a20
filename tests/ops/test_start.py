"""`touchline run` started wrongly, as a process: exit code 2 within seconds, one clear line, no traceback."""

import http.server
import json
import os
import re
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from bus.messages import Control, OperatorCommand, StopRequested
from ops.control import NoEngine, send
from tests.ops.command_line import Ended, Running, Venue, touchline


def run(config: str, folder: Path, *more: str, state: Path | None = None, **keys: str) -> Ended:
    path = folder / "config.toml"
    path.write_text(config)
    return touchline("run", str(path), "--state", str(state or folder / "state"), "--seconds", "1", *more, **keys)


@pytest.fixture
def nobody() -> str:
    """host:port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>\n<b>a page</b></html>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def website() -> Iterator[str]:
    """host:port of something that is no venue."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# -- the venue --------------------------------------------------------------------------------------------------------


def test_a_venue_that_cannot_be_reached_is_told_in_seconds(venue: Venue, nobody: str, tmp_path: Path) -> None:
    config = venue.config((venue.told["rest"], f"http://{nobody}"))
    run(config, tmp_path, **venue.keys).refused("[venue] rest", "cannot be reached", nobody, "check the URL")


def test_an_order_entry_that_cannot_be_reached_is_told_in_seconds(venue: Venue, nobody: str, tmp_path: Path) -> None:
    config = venue.config((venue.told["websocket_api"], f"ws://{nobody}"))
    run(config, tmp_path, **venue.keys).refused("[venue] websocket_api", f"ws://{nobody}", "refused", "check the URL")


def test_a_website_is_not_taken_for_the_venue(venue: Venue, website: str, tmp_path: Path) -> None:
    config = venue.config((venue.told["rest"], f"http://{website}"))
    run(config, tmp_path, **venue.keys).refused("[venue] rest", website, "is not the venue", "status 200")


def test_a_clock_that_is_off_is_told_with_its_bound(tmp_path: Path) -> None:
    ahead = Venue("--clock-offset-ms", "5000")
    try:
        line = run(ahead.config(), tmp_path, **ahead.keys).refused("clock", "clock_offset_max_ms = 500", "chrony")
        assert re.search(r"-(49|50)\d\d ms off", line)  # ours is five seconds behind
    finally:
        ahead.stop()


def test_wrong_credentials_are_told_without_showing_them(venue: Venue, tmp_path: Path) -> None:
    wrong = venue.keys | {"TOUCHLINE_API_SECRET": "the-wrong-secret-" + "0" * 40}
    done = run(venue.config(), tmp_path, **wrong)
    done.refused("the venue refused allOrders of BTCUSDT", "-1022", "check the API key")
    assert "the-wrong-secret" not in done.err
    assert venue.told["api_key"] not in done.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("BTCUSDT", "BTCUSDX"), ("[[instrument]] symbol", "BTCUSDX", "did you mean BTCUSDT?")),
        (('"0.01"', '"0.010005"'), ("[[instrument]] BTCUSDT order_max", "0.010005", "not a multiple", "0.00001000")),
    ],
)
def test_what_only_the_venue_can_know_is_checked_at_the_start(
    change: tuple[str, str], told: tuple[str, ...], venue: Venue, tmp_path: Path
) -> None:
    run(venue.config(change), tmp_path, **venue.keys).refused(*told)


def test_a_key_file_that_is_no_key_is_told_and_not_quoted(venue: Venue, tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text("-----BEGIN PRIVATE KEY-----\nthe-private-part\n-----END PRIVATE KEY-----\n")
    pem.chmod(0o600)
    config = venue.config(("[[instrument]]", f'private_key_file = "{pem}"\n[[instrument]]'))
    done = run(config, tmp_path, **venue.keys)
    done.refused("[venue] private_key_file", str(pem), "PKCS#8 PEM")
    assert "the-private-part" not in done.err
    pem.chmod(0o644)
    run(config, tmp_path, **venue.keys).refused("[venue] private_key_file", "others may read", f"chmod 600 {pem}")


def test_a_report_into_nowhere_is_told_before_anything_starts(venue: Venue, tmp_path: Path) -> None:
    done = run(venue.config(), tmp_path, "--report", str(tmp_path / "no" / "report.json"), **venue.keys)
    done.refused("--report", "its directory does not exist")
    assert not (tmp_path / "state").exists()


# -- the state directory ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lived(venue: Venue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of an engine that ran, traded and ended well. Copy it."""
    folder = tmp_path_factory.mktemp("lived")
    done = run(venue.config(), folder, **venue.keys)
    assert (done.code, "Traceback" in done.err) == (0, False), done.err
    return folder / "state"


LIVES = count(1)


@pytest.fixture
def state(lived: Path, tmp_path: Path) -> Path:
    """A copy with an epoch of its own: two copies of one directory would give out the same ids on one venue."""
    copy = Path(shutil.copytree(lived, tmp_path / "state", ignore=shutil.ignore_patterns("*.ipc", "*.sqlite*")))
    epoch = copy / "epoch"
    epoch.write_text(f"{int(epoch.read_text()) + 10 * next(LIVES)}\n")
    return copy


def spoil(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_a_directory_in_use_names_its_holder(venue: Venue, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(venue.config())
    first = Running("run", str(config), "--state", str(tmp_path / "state"), **venue.keys)
    first.read_until("orders_ready")
    second = run(venue.config(), tmp_path, **venue.keys)
    second.refused("in use by another engine", f"(process {first.process.pid})", "--state")
    first.process.send_signal(signal.SIGTERM)
    assert first.end().code == 0


def test_a_path_too_long_for_the_control_socket_is_told(venue: Venue, tmp_path: Path) -> None:
    long = tmp_path / ("d" * 100)
    run(venue.config(), tmp_path, state=long, **venue.keys).refused("too long for a socket", "shorter --state")


def test_no_directory_repeats_an_epoch_that_the_venue_has_seen_from_another(venue: Venue, tmp_path: Path) -> None:
    """Goal: ids never repeat, whichever directory a start is on. Method: one far ahead of the minutes since 2020 trades;
    then a fresh one, then the first with its counter put back, as if it were the older of the two.
    """
    ahead, fresh = tmp_path / "ahead", tmp_path / "fresh"
    ahead.mkdir()
    (ahead / "epoch").write_text("9000000\n")
    first = json.loads(run(venue.config(), tmp_path, "--json", state=ahead, **venue.keys).out)
    assert (first["epoch"], first["orders_sent"] > 0) == (9_000_001, True)
    for epoch, state in ((9_000_002, fresh), (9_000_003, ahead)):
        done = run(venue.config(), tmp_path, "--json", state=state, **venue.keys)
        assert_ran_whole(done)
        assert json.loads(done.out)["epoch"] == epoch
        assert "order_of_a" not in done.err
        assert "executions_missing" not in done.err
        (ahead / "epoch").write_text("9000000\n")


def test_a_corrupt_epoch_is_never_guessed(venue: Venue, state: Path, tmp_path: Path) -> None:
    (state / "epoch").write_text("a lot")
    run(venue.config(), tmp_path, state=state, **venue.keys).refused(
        "'a lot' is not an epoch", "highest epoch ever used"
    )


def assert_ran_whole(done: Ended) -> None:
    """Traded and stopped clean. Runs of other tests trade on the account too, so the ledger alone may differ: then, and
    only then, it ends with 1.
    """
    assert done.code == (1 if "ledger_difference" in done.err else 0), done.err
    assert "orders_ready" in done.err
    assert "stopped unresolved=0" in done.err
    assert "actor_failed" not in done.err


def test_a_corrupt_checkpoint_is_told_and_the_one_before_it_used(venue: Venue, state: Path, tmp_path: Path) -> None:
    before, newest = sorted((state / "checkpoints").iterdir())[-2:]
    spoil(newest, 40, b"\xff\xff\xff")
    done = run(venue.config(), tmp_path, state=state, **venue.keys)
    assert_ran_whole(done)
    assert f"{newest}: the checksum does not fit: the file is torn" in done.err
    assert f"recovered checkpoint={int(before.stem)} " in done.err


def test_without_any_readable_checkpoint_the_whole_journal_is_folded(venue: Venue, state: Path, tmp_path: Path) -> None:
    for path in (state / "checkpoints").iterdir():
        spoil(path, 40, b"\xff\xff\xff")
    done = run(venue.config(), tmp_path, state=state, **venue.keys)
    assert_ran_whole(done)
    assert "no checkpoint can be used: the whole journal is folded" in done.err


@pytest.mark.parametrize(
    ("at", "data", "told"),
    [
        (64 + 36 + 10, b"\xff" * 8, ("record 0", "damaged", "cancel there by hand")),
        (8, b"\x63", ("version 99", "this release reads 1", "version 99")),
    ],
    ids=["in the middle", "of a newer version"],
)
def test_a_journal_that_cannot_be_trusted_stops_the_start(
    at: int, data: bytes, told: tuple[str, ...], venue: Venue, state: Path, tmp_path: Path
) -> None:
    for path in (state / "checkpoints").iterdir():
        path.unlink()
    (segment,) = (state / "journal").glob("*.log")
    spoil(segment, at, data)
    before = segment.read_bytes()
    run(venue.config(), tmp_path, state=state, **venue.keys).refused(
        "the order journal cannot be read", str(segment), *told
    )
    assert segment.read_bytes() == before


# -- signals and operators --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, "operator"])
def test_told_to_stop_it_cancels_its_orders_and_ends_well(
    how: signal.Signals | str, venue: Venue, tmp_path: Path
) -> None:
    config, state = tmp_path / "config.toml", tmp_path / "state"
    config.write_text(venue.config())
    engine = Running("run", str(config), "--state", str(state), "--json", **venue.keys)
    engine.read_until("state=ACTIVE", "state=LIVE")
    time.sleep(0.5)
    if isinstance(how, signal.Signals):
        engine.process.send_signal(how)
    else:
        send(state, StopRequested("by hand", time.time_ns() + 5_000_000_000))
    done = engine.end()
    assert done.code == 0, done.err
    assert "stopped unresolved=0" in done.err
    assert '"unresolved_orders": 0' in done.out
    assert open_orders(venue) == []
    assert not (state / "control.ipc").exists() or engine.process.poll() == 0


def open_orders(venue: Venue) -> list[object]:
    with urllib.request.urlopen(f"{venue.told['rest']}/control/ledger", timeout=5) as response:
        return list(json.load(response)["open_orders"])


def test_an_operators_word_from_another_process_halts_and_resumes(venue: Venue, tmp_path: Path) -> None:
    config, state = tmp_path / "config.toml", tmp_path / "state"
    config.write_text(venue.config())
    engine = Running("run", str(config), "--state", str(state), **venue.keys)
    engine.read_until("state=ACTIVE")
    send(state, OperatorCommand(Control.HALT, -1, "lunch"))
    assert "scope=engine" in engine.read_until("state=HALTED reason=lunch")
    send(state, OperatorCommand(Control.RESUME, -1, "back"))
    engine.read_until("state=ACTIVE")
    os.kill(engine.process.pid, signal.SIGTERM)
    assert engine.end().code == 0


def test_a_word_to_nobody_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    halt = OperatorCommand(Control.HALT, -1, "lunch")
    with pytest.raises(NoEngine, match=r"no engine has ever run here .*; check --state"):
        send(tmp_path, halt)
    (tmp_path / "lock").write_text("")
    with pytest.raises(NoEngine, match="no engine runs on this directory; start it"):
        send(tmp_path, halt)
