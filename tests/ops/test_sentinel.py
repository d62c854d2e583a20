"""The sentinel: its rules with a beat that the test writes, then real processes that are frozen and killed."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.clock import boottime_ns
from ops import heartbeat as heartbeat_module
from ops import sentinel as module
from ops.at_venue import Open
from ops.heartbeat import Heartbeat, Mood, read_beat
from ops.sentinel import TRANSITIONS, Event, Phase, Sentinel, SentinelLock, epoch_of
from ops.state import StateError
from ops.sweep import Swept, ours
from tests.support.processes import ROOT, WAIT_S, EngineProcess, VenueProcess, until

SILENCE_MS, LOOK_MS = 1_000, 100
S = 1_000_000_000
ORDER = Open(0, "BTCUSDT", "x", "NEW")


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ns = boottime_ns()
        for place in (module, heartbeat_module):
            monkeypatch.setattr(place, "boottime_ns", lambda: self.now_ns)


class Watched:
    """A state directory, a clock, and a venue with `open` orders, of which each sweep takes `gone`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder, self.clock = folder, clock
        (folder / "epoch").write_text("7\n")
        self.open = self.gone = 3
        self.epochs: list[int] = []
        self.during: Callable[[], object] = lambda: None
        self.sentinel = Sentinel(folder, SILENCE_MS, LOOK_MS, self.sweep)
        self.beat = Heartbeat(folder)

    async def sweep(self, epoch: int, go_on: Callable[[], bool]) -> Swept:
        self.epochs.append(epoch)
        self.during()
        gone = min(self.gone, self.open) if go_on() else 0
        self.open -= gone
        return Swept((ORDER,) * (gone + self.open), (ORDER,) * self.open, (), True)

    def wait(self, seconds: float, *, beats: bool = False) -> Phase:
        """Looks, each LOOK_MS."""
        for _ in range(round(seconds * 1_000 / LOOK_MS)):
            self.clock.now_ns += LOOK_MS * 1_000_000
            if beats:
                self.beat.beat()
            asyncio.run(self.sentinel.look())
        return self.sentinel.phase


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(tmp_path, Clock(monkeypatch))


def test_a_beating_engine_is_left_alone(watched: Watched) -> None:
    assert watched.wait(60, beats=True) is Phase.WATCHING
    assert (watched.open, watched.epochs) == (3, [])


def test_silence_has_its_orders_canceled_in_its_own_epochs(watched: Watched) -> None:
    watched.wait(1, beats=True)
    assert watched.wait(0.9) is Phase.WATCHING
    assert watched.wait(0.2) is Phase.CLEARED
    assert (watched.open, watched.epochs, watched.sentinel.alarms) == (0, [7], 1)


def test_what_is_left_is_tried_again_less_and_less_often_until_the_beat_is_back(watched: Watched) -> None:
    watched.gone = 0
    watched.wait(10)
    assert watched.sentinel.phase is Phase.SWEEPING
    assert 3 <= len(watched.epochs) <= 5, "1, 2, 4 ... seconds apart"
    assert watched.wait(0.2, beats=True) is Phase.WATCHING
    count = len(watched.epochs)
    watched.wait(5, beats=True)
    assert len(watched.epochs) == count
    assert watched.sentinel.left == 3


def test_cleared_is_looked_at_again_for_what_came_late(watched: Watched) -> None:
    assert watched.wait(2) is Phase.CLEARED
    watched.open = 1
    watched.wait(5)
    assert (watched.open, watched.sentinel.phase, watched.sentinel.alarms) == (0, Phase.CLEARED, 1)


def test_a_beat_in_the_middle_of_a_sweep_stops_it(watched: Watched) -> None:
    watched.during = watched.beat.beat
    watched.wait(1.0)
    assert (watched.open, watched.sentinel.phase) == (3, Phase.SWEEPING)
    watched.during = lambda: None
    assert watched.wait(0.1, beats=True) is Phase.WATCHING


@pytest.mark.parametrize(("steps", "phase"), [(20, Phase.CLEARED), (1, Phase.SWEEPING)])
async def test_a_slow_venue_is_no_standstill_of_ours_and_a_standstill_is_no_silence(
    watched: Watched, steps: int, phase: Phase
) -> None:
    """Goal: waiting 2 s for the venue is one alarm, not the end of it; and 2 s that nobody lived stop the sweep.

    Method: a sweep of 2 s, on a clock that goes on in steps while the loop turns, or at once.
    """
    sentinel = Sentinel(watched.folder, SILENCE_MS, 1, watched.sweep)

    async def slow(epoch: int, go_on: Callable[[], bool]) -> Swept:
        for _ in range(steps):
            await asyncio.sleep(0.01)
            watched.clock.now_ns += 2 * S // steps
        return await watched.sweep(epoch, go_on)

    sentinel._sweep = slow
    for _ in range(20):
        watched.clock.now_ns += LOOK_MS * 1_000_000
        await sentinel.look()
        if sentinel.sweeps:
            break
    assert (sentinel.phase, watched.open) == (phase, 0 if steps > 1 else 3)
    watched.clock.now_ns += LOOK_MS * 1_000_000
    await sentinel.look()
    assert sentinel.phase is (Phase.CLEARED if steps > 1 else Phase.WATCHING)
    assert sentinel.alarms == 1


def test_a_run_that_ended_well_needs_nobody(watched: Watched) -> None:
    watched.wait(1, beats=True)
    watched.beat.end()
    watched.beat.beat()
    assert watched.wait(60) is Phase.IDLE
    assert (watched.open, watched.epochs) == (3, []), "kept orders are kept"


def test_a_directory_without_an_engine_is_none(tmp_path: Path, watched: Watched) -> None:
    (tmp_path / "beat").unlink()
    assert watched.wait(60) is Phase.IDLE
    assert watched.epochs == []


def test_who_stood_still_himself_gives_a_whole_silence(watched: Watched) -> None:
    """The machine slept: the beat is as old as the sleep, and the engine is about to go on."""
    watched.wait(1, beats=True)
    watched.clock.now_ns += 3_600 * S
    asyncio.run(watched.sentinel.look())
    assert watched.sentinel.phase is Phase.WATCHING
    assert watched.wait(0.8) is Phase.WATCHING
    assert watched.wait(0.4) is Phase.CLEARED


def test_a_loop_that_turns_while_the_host_takes_nothing_does_not_beat(tmp_path: Path) -> None:
    beat = Heartbeat(tmp_path)
    beat.progress, beat.waiting = lambda: 5, lambda: 1
    assert beat.beat()
    assert not beat.beat(), "inputs wait, and none was taken since"
    beat.waiting = lambda: 0
    assert beat.beat()
    beat.whole = lambda: False
    assert not beat.beat()


def test_a_beat_of_another_boot_or_another_program_is_an_old_one(tmp_path: Path) -> None:
    Heartbeat(tmp_path).beat()
    raw = (tmp_path / "beat").read_bytes()
    assert (found := read_beat(tmp_path)) is not None
    assert found.mood is Mood.ALIVE
    assert found.age_ns < 60 * S
    for other in (raw.replace(b"TLb1", b"????"), raw[:20] + b"another-boot 5".ljust(len(raw) - 20, b"\0")):
        (tmp_path / "beat").write_bytes(other[: len(raw)])
        assert (found := read_beat(tmp_path)) is not None
        assert found.age_ns > 1 << 60
    (tmp_path / "beat").write_bytes(b"short")
    assert read_beat(tmp_path) is None


def test_every_phase_knows_every_event_that_can_come(watched: Watched) -> None:
    """By the table: what `look` may step is in it for each phase that it may be in."""
    looked = {(phase, event) for phase in Phase for event in (Event.BEAT, Event.ENDED, Event.SILENCE)}
    assert looked - set(TRANSITIONS) == {(Phase.SWEEPING, Event.SILENCE)}, "which only goes on"


def test_ids_of_a_later_epoch_are_a_successors() -> None:
    made = ours("tl", 3_626_234)
    assert made(Open(0, "BTCUSDT", "tl25q0q000000k5", "NEW"))
    assert not ours("tl", 3_626_233)(Open(0, "BTCUSDT", "tl25q0q000000k5", "NEW"))
    assert not made(Open(0, "BTCUSDT", "somebody-elses", "NEW"))


def test_no_epoch_means_no_order_is_touched(tmp_path: Path) -> None:
    assert epoch_of(tmp_path) == 0
    (tmp_path / "epoch").write_text("ruined")
    assert epoch_of(tmp_path) == 0


def test_one_sentinel_a_directory(tmp_path: Path) -> None:
    first = SentinelLock(tmp_path)
    with pytest.raises(StateError, match="another sentinel"):
        SentinelLock(tmp_path)
    first.close()
    SentinelLock(tmp_path).close()


# -- processes --------------------------------------------------------------------------------------------------------


def at_venue(venue: VenueProcess) -> list[dict[str, Any]]:
    """Open orders by the control door: asking there costs no weight of the engine's address."""
    rows: list[dict[str, Any]] = venue.ledger()["open_orders"]
    return rows


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    keys = str(tmp_path / "keys")
    with VenueProcess(tmp_path, "--seed", "5", "--symbols", "BTCUSDT", "--state", keys) as venue:
        yield venue


@pytest.fixture
def engine(tmp_path: Path, venue: VenueProcess) -> Iterator[EngineProcess]:
    with EngineProcess(tmp_path, venue, "BTCUSDT") as engine:
        engine.config.write_text(engine.config.read_text() + "\n[sentinel]\nsilence_ms = 1000\nlook_ms = 50\n")
        yield engine


class SentinelProcess:
    def __init__(self, folder: Path, engine: EngineProcess, venue: VenueProcess) -> None:
        keys = {
            "TOUCHLINE_SENTINEL_API_KEY": venue.told["api_key"],
            "TOUCHLINE_SENTINEL_API_SECRET": venue.told["api_secret"],
        }
        self.log = folder / "sentinel.log"
        command = [sys.executable, "-m", "ops.cli", "sentinel", str(engine.config), "--state", str(engine.state)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--json"], cwd=ROOT, env=engine.environment | keys, stdout=subprocess.PIPE, stderr=log
            )
        until(lambda: b"sentinel_watches" in self.log.read_bytes() or self.process.poll() is not None, "a sentinel")

    def end(self) -> dict[str, Any]:
        self.process.terminate()
        out, _ = self.process.communicate(timeout=WAIT_S)
        told: dict[str, Any] = json.loads(out)
        return told | {"code": self.process.returncode}


def test_a_frozen_engine_loses_its_orders_and_goes_on_when_it_wakes(
    tmp_path: Path, engine: EngineProcess, venue: VenueProcess
) -> None:
    """A sentinel cancels what a stopped process left, never before; the engine continues, finds them gone and quotes anew."""
    watch = SentinelProcess(tmp_path, engine, venue)
    engine.start()
    engine.wait_for("orders_ready")
    before = {row["clientOrderId"] for row in until(lambda: at_venue(venue), "orders")}
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    until(lambda: not at_venue(venue), "the frozen engine's orders gone")
    until(lambda: b"engine_silent" in watch.log.read_bytes(), "an alarm")
    engine.process.send_signal(signal.SIGCONT)
    after = {row["clientOrderId"] for row in until(lambda: at_venue(venue), "the engine quoting again")}
    assert not before & after
    engine.stop()
    told = watch.end()
    assert (told["alarms"], told["left"], told["code"]) == (1, 0, 0), watch.log.read_text()
    assert watch.log.read_text().count(" sentinel_waits ") == 1, (
        "before the first engine: a directory may be misspelled"
    )
    assert told["canceled"] >= 1


def test_a_killed_engines_orders_are_canceled_and_its_next_run_is_left_alone(
    tmp_path: Path, engine: EngineProcess, venue: VenueProcess
) -> None:
    watch = SentinelProcess(tmp_path, engine, venue)
    engine.start()
    engine.wait_for("orders_ready")
    until(lambda: at_venue(venue), "orders")
    engine.kill()
    until(lambda: not at_venue(venue), "the dead engine's orders gone")
    engine.start()
    engine.wait_for("orders_ready")
    until(lambda: at_venue(venue), "orders of the next run")
    assert engine.stop()["unresolved_orders"] == 0
    assert watch.end()["phase"] == "IDLE"
