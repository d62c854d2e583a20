"""The console as a person uses it: a real terminal, a real engine on the simulated venue, real keys."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pexpect
import pyte
import pytest

from bus.mailbox import Watcher, ipc_endpoint
from ops.demo import CONFIG
from ops.telemetry import TELEMETRY_MAILBOX, Ladder, Wish, decode_frame
from tests.support.processes import ROOT, WAIT_S, EngineProcess, VenueProcess

ENVIRONMENT = os.environ | {
    "TERM": "xterm-256color",
    "NCURSES_NO_UTF8_ACS": "1",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
}
PRICE = re.compile(r"[0-9,]+\.[0-9]{2}")


class Terminal:
    """A command of ours on a terminal of some size, and what stands on its screen."""

    def __init__(self, *arguments: str, width: int = 160, height: int = 50, **environment: str) -> None:
        self.screen = pyte.Screen(width, height)
        self._tail = b""
        self._stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(
            sys.executable, ["-m", "ops.cli", *arguments], cwd=str(ROOT), timeout=WAIT_S,
            env=ENVIRONMENT | environment, dimensions=(height, width),
        )  # fmt: skip

    def read(self) -> None:
        with contextlib.suppress(pexpect.TIMEOUT):
            raw = self.process.read_nonblocking(65_536, timeout=0.05)
            self._tail = (self._tail + raw)[-4_096:]
            self._stream.feed(raw)

    def gave_back(self) -> bool:
        """The last that was said to the terminal: leave the alternate screen, show the cursor."""
        return b"\x1b[?1049l" in self._tail and self._tail.rindex(b"\x1b[?25h") > self._tail.rfind(b"\x1b[?25l")

    def until(self, held: Callable[[], Any], what: str) -> Any:
        """Read until it is true; its value."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                self.read()
            except pexpect.EOF:
                break
            if value := held():
                return value
        raise AssertionError(f"{what} never stood on the screen:\n" + "\n".join(self.screen.display))

    def shows(self, text: str) -> None:
        self.until(lambda: any(text in row for row in self.screen.display), text)

    def lacks(self, text: str) -> None:
        self.until(lambda: not any(text in row for row in self.screen.display), f"a screen without {text}")

    def resize(self, width: int, height: int) -> None:
        self.screen.resize(height, width)
        self.screen.reset()
        self.process.setwinsize(height, width)

    def end(self) -> int:
        """Its exit code, once it has ended by itself; what it still wrote is on the screen."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                self.read()
            except pexpect.EOF:
                self.process.close()
                return int(self.process.exitstatus if self.process.exitstatus is not None else -1)
        raise AssertionError("still running:\n" + "\n".join(self.screen.display))

    def close(self) -> None:
        self.process.close(force=True)


class TwoSymbols(EngineProcess):
    """The demo's configuration: two instruments, quotes on both sides."""

    def __init__(self, folder: Path, venue: VenueProcess) -> None:
        super().__init__(folder, venue)
        self.config.write_text(CONFIG.format(**venue.told))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSymbols]:
    folder = tmp_path_factory.mktemp("console")
    with VenueProcess(folder) as venue, TwoSymbols(folder, venue) as engine:
        engine.start()
        engine.wait_for("state=ACTIVE")
        yield engine


@pytest.fixture
def console(engine: TwoSymbols) -> Iterator[Terminal]:
    terminal = Terminal("monitor", "--state", str(engine.state))
    yield terminal
    terminal.close()


def ladders(engine: TwoSymbols, meanwhile: Callable[[], None], seconds: float) -> dict[int, Ladder]:
    """Every ladder that the engine showed in this time, by its update."""
    watcher = Watcher(ipc_endpoint(engine.state, TELEMETRY_MAILBOX))
    seen: dict[int, Ladder] = {}
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            watcher.wish(msgspec.msgpack.encode(Wish(50, 0)))
            for raw in watcher.take():
                seen |= {ladder.sequence: ladder for ladder in decode_frame(raw).ladders if ladder.instrument == 0}
            meanwhile()
    finally:
        watcher.close()
    return seen


def shown(screen: pyte.Screen) -> tuple[int, list[tuple[str, str]]]:
    """The update that the ladder is of, and its (price, size), top down."""
    text = "\n".join(screen.display)
    sequence = re.search(r"BTCUSDT ladder, update (\d+)", text)
    assert sequence is not None, text
    left = (row[1:75].split() for row in screen.display)
    return int(sequence[1]), [(row[0], row[1]) for row in left if row and PRICE.fullmatch(row[0])]


def test_the_ladder_shows_twelve_levels_a_side_exactly_as_the_engine_has_them(
    console: Terminal, engine: TwoSymbols
) -> None:
    console.shows("fps")
    console.until(
        lambda: len(shown(console.screen)[1]) >= 24 if "update" in console.screen.display[1] else False, "levels"
    )
    pictures: dict[int, list[tuple[str, str]]] = {}

    def look() -> None:
        console.read()
        sequence, rows = shown(console.screen)
        pictures[sequence] = rows

    books = ladders(engine, look, 3.0)
    both = [sequence for sequence in pictures if sequence in books]
    assert both, (list(pictures), list(books))

    def written(book: Ladder, count: int) -> list[tuple[str, str]]:
        asks = list(zip(book.ask_prices, book.ask_quantities, strict=True))[:count]
        bids = list(zip(book.bid_prices, book.bid_quantities, strict=True))[:count]
        rows = [*reversed(asks), *bids]
        return [(f"{price / 10**8:,.2f}", f"{quantity / 10**8:.5f}") for price, quantity in rows]

    matching = [
        sequence for sequence in both if pictures[sequence] == written(books[sequence], len(pictures[sequence]) // 2)
    ]
    # A screen may be read while a picture is half on its way to the terminal: then its title is of another update.
    assert matching, [(pictures[n], written(books[n], 17)) for n in both[:2]]
    assert min(len(pictures[sequence]) for sequence in matching) >= 24


def test_own_orders_position_and_rate_are_on_the_screen(console: Terminal) -> None:
    console.until(lambda: re.search(r"< 0\.00100 q ", "\n".join(console.screen.display)), "an own order with its place")
    console.until(lambda: re.search(r" [1-9]\d*\.\d fps", console.screen.display[0]), "an achieved rate")
    for said in ("ACTIVE", "binance-spot", "leader", "data "):
        console.until(lambda said=said: said in console.screen.display[0], said)
    for said in ("tick to order", "BUY", "> BTCUSDT  LIVE", "Log, UTC"):
        console.shows(said)
    line_of_the_log = re.compile(r"\d\d:\d\d:\d\d\.\d{3}  [a-z_]+")
    console.until(lambda: line_of_the_log.search("\n".join(console.screen.display)), "a line of the log")


def test_q_ends_it_within_a_frame_and_gives_the_terminal_back(console: Terminal) -> None:
    console.shows("fps")
    console.process.send("q")
    assert console.end() == 0
    assert console.gave_back()


def test_tab_goes_to_the_next_instrument_and_question_mark_explains(console: Terminal) -> None:
    console.shows("BTCUSDT ladder")
    console.process.send("\t")
    console.shows("ETHUSDT ladder")
    console.process.send("\x1bOD")  # left
    console.shows("BTCUSDT ladder")
    console.process.send("?")
    console.shows("end the console; the engine runs on")
    console.process.send("?")
    console.shows("BTCUSDT ladder")


def test_held_still_it_says_so_and_does_not_move(console: Terminal) -> None:
    console.shows("BTCUSDT ladder")
    console.process.send("p")
    console.shows("held still")
    before = shown(console.screen)
    for _ in range(10):
        console.read()
    assert shown(console.screen) == before
    console.process.send("p")
    console.lacks("held still")
    console.until(lambda: shown(console.screen) != before, "the next picture")


def test_it_follows_the_terminals_size_down_to_saying_that_it_is_too_small(console: Terminal) -> None:
    console.shows("Latency")
    console.resize(80, 24)
    console.shows("Positions and results")
    console.lacks("Latency")
    console.resize(60, 15)
    console.shows("BTCUSDT ladder")
    console.resize(50, 12)
    console.shows("terminal too small: 50x12, at least 60x15")
    console.process.send("\t")  # nothing to draw on: no harm
    console.resize(160, 50)
    console.shows("ETHUSDT ladder")
    console.process.send("q")
    assert console.end() == 0


@pytest.mark.parametrize("key", ["\x03", "\x1c"], ids=["Ctrl-C", "Ctrl-\\"])
def test_a_signal_of_the_keyboard_ends_it_like_q(console: Terminal, key: str) -> None:
    console.shows("fps")
    console.process.send(key)
    assert console.end() == 0
    assert console.gave_back()


def test_without_its_terminal_it_ends(tmp_path: Path) -> None:
    """One that controls nobody sends no SIGHUP when it goes; it is readable for ever and brings no key."""
    ours, its = os.openpty()
    termios.tcsetwinsize(its, (50, 160))
    with subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "monitor", "--state", str(tmp_path)],
        cwd=ROOT, env=ENVIRONMENT, stdin=its, stdout=its, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(its)
        said = b""
        while b"help" not in said:  # the last line
            said += os.read(ours, 65_536)
        os.close(ours)
        try:
            assert process.wait(WAIT_S) == 0
        finally:
            process.kill()


def test_a_terminal_without_a_cursor_gets_lines(engine: TwoSymbols) -> None:
    terminal = Terminal("monitor", "--state", str(engine.state), width=300, TERM="dumb")
    terminal.until(
        lambda: any("BTCUSDT" in row and "tick to order" in row for row in terminal.screen.display), "a line"
    )
    terminal.process.sendintr()
    assert terminal.end() == 0


def test_without_a_terminal_it_prints_a_line_a_second(engine: TwoSymbols) -> None:
    command = [sys.executable, "-m", "ops.cli", "monitor", "--state", str(engine.state), "--seconds", "2.5"]
    done = subprocess.run([*command, "--symbol", "ETHUSDT"], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("ETHUSDT" in row and "ACTIVE" in row and "fps" in row for row in lines)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--symbol", "DOGEUSDT", "--seconds", "20"), "--symbol DOGEUSDT: this engine trades BTCUSDT, ETHUSDT"),
        (("--state", "/nowhere/at/all"), "--state /nowhere/at/all: no such directory"),
        (("--hz", "1000"), "1000 is not in the range 1<=x<=100"),
    ],
)
def test_what_it_cannot_do_it_says_in_one_line(engine: TwoSymbols, arguments: tuple[str, ...], said: str) -> None:
    command = [sys.executable, "-m", "ops.cli", "monitor", "--state", str(engine.state), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]


def test_an_engine_that_is_killed_is_said_and_its_return_is_seen(engine: TwoSymbols) -> None:
    console = Terminal("monitor", "--state", str(engine.state))
    console.shows("fps")
    engine.kill()
    console.shows("no engine runs on this directory")
    engine.start()
    console.lacks("no engine runs on this directory")
    console.shows(" ACTIVE ")
    console.process.send("q")
    assert console.end() == 0
    console.close()


def test_a_frozen_console_is_no_business_of_the_engines(engine: TwoSymbols) -> None:
    console = Terminal("monitor", "--state", str(engine.state), "--hz", "100")
    console.shows("fps")
    console.process.kill(signal.SIGSTOP)
    frames = ladders(engine, lambda: time.sleep(0.05), 2.0)
    assert len(frames) > 3  # another watcher is served on
    console.process.kill(signal.SIGCONT)
    console.process.send("q")
    assert console.end() == 0
    console.close()


def test_the_demo_shows_the_console_and_ends_with_the_venues_verdict(tmp_path: Path) -> None:
    terminal = Terminal("demo", "--state", str(tmp_path / "d"))
    terminal.shows("BTCUSDT ladder")
    terminal.shows(" ACTIVE ")
    terminal.process.send("q")
    assert terminal.end() == 0
    said = "\n".join(terminal.screen.display)
    assert "its balances and our ledger are equal; orders left working: 0" in said
    assert (tmp_path / "d" / "console.log").read_text() == ""


def test_a_plain_demo_says_at_its_end_everything_once(tmp_path: Path) -> None:
    terminal = Terminal("demo", "--plain", "--seconds", "3", "--state", str(tmp_path / "d"), width=400)
    assert terminal.end() == 0
    said = "\n".join(terminal.screen.display)
    assert [said.count(text) for text in ("realized: ", "its balances and our ledger are equal")] == [1, 1]
