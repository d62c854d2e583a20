"""`touchline chaos --kills`: which kills are drawn, what a run must show, the faults files, and one short run for real."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from gateway.simulated.faults.spec import parse_toml
from ops.chaos.kills.burst import PAGE
from ops.chaos.kills.engine import config, units
from ops.chaos.kills.face import FACES, SPOT, Face
from ops.chaos.kills.plan import KILLS_MIN, POINTS, Card, Way, deck, draw, make_room
from ops.chaos.kills.result import shortcomings
from ops.cli.chaos_kills import EXAMPLES, FaultsUnusable, bar_text, kills_text, read_faults, repeat_command
from ops.config import parse
from tests.ops.command_line import ROOT, touchline

LIMIT_S = 300.0
"""Far beyond every wait of a short run, which takes half a minute on a quiet machine."""


# ---- the deck


@pytest.mark.parametrize("count", [5, 6, 7, 12, 40, 199, 200, 1_000])
def test_half_of_all_kills_are_the_venues_and_a_third_in_recovery_or_a_checkpoint(count: int) -> None:
    cards = deck(count, Random(count))
    assert len(cards) == count
    assert {card.way for card in cards} >= set(POINTS)
    assert 2 * sum(card.way in POINTS for card in cards) >= count
    assert 3 * sum(card.starting or card.way is Way.CHECKPOINT for card in cards) >= count


def test_a_seed_is_a_deck() -> None:
    assert deck(50, Random(7)) == deck(50, Random(7))
    assert deck(50, Random(7)) != deck(50, Random(8))


def test_long_runs_have_every_way_but_the_one_that_is_a_miss() -> None:
    assert Counter(card.way for card in deck(200, Random(1))).keys() == set(Way) - {Way.MOMENT}


def card(way: Way, starting: bool = False) -> Card:
    return Card(way, starting, 0.5, 0, sweep=False)


def test_a_kill_in_recovery_waits_while_a_process_runs() -> None:
    cards = [card(Way.PAGE, starting=True), card(Way.FILL), card(Way.CUT)]
    assert draw(cards, alive=True).way is Way.FILL
    assert draw(cards, alive=False).way is Way.PAGE
    cards.append(card(Way.RECOVERY, starting=True))
    assert [draw(cards, alive=True).way for _ in range(2)] == [Way.CUT, Way.RECOVERY]


def test_an_extra_kill_takes_the_place_of_what_is_left_the_most() -> None:
    """Never of a kill point's, nor of one in recovery or in a checkpoint."""
    needed = [card(Way.RECOVERY, starting=True), card(Way.FILL), card(Way.CHECKPOINT)]
    cards = [card(Way.CUT), *needed, card(Way.STOPPED), card(Way.CUT)]
    for left in [Way.CUT, Way.STOPPED], [Way.STOPPED], []:
        assert make_room(cards)
        assert [each.way for each in cards if each not in needed] == left
    assert not make_room(cards)
    assert cards == needed


# ---- what a run must show

HELD: dict[str, Any] = {
    "kills": 10,
    "kills_by_point": dict.fromkeys(POINTS, 1),
    "kills_by_venue": 5,
    "kills_during_recovery": 3,
    "kills_during_checkpoint": 1,
    "orders_in_flight_at_kill": 12,
    "restarts": 9,
    "orders": 200,
    "fills": 1_040,
    "burst_fills": 1_020,
    "lost_fills": 0,
    "duplicate_fills": 0,
    "invented_fills": 0,
    "orphaned_orders": 0,
    "duplicate_orders": 0,
    "unknown_orders": 0,
    "position_difference": "0",
    "limit_violations": 0,
    "ledger_equal": True,
    "recovery_ms": {"p50": 1_000.0, "p95": 1_500.0},
    "seconds": 33.0,
    "problems": [],
}


def test_a_run_that_held_has_no_shortcomings() -> None:
    assert shortcomings(HELD) == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("lost_fills", 1, "lost_fills is 1"),
        ("duplicate_fills", 2, "duplicate_fills is 2"),
        ("invented_fills", 1, "invented_fills is 1"),
        ("orphaned_orders", 1, "orphaned_orders is 1"),
        ("duplicate_orders", 1, "duplicate_orders is 1"),
        ("unknown_orders", 1, "unknown_orders is 1"),
        ("limit_violations", 1, "limit_violations is 1"),
        ("position_difference", "0.00000001", "positions differ by 0.00000001"),
        ("ledger_equal", False, "the ledger differs from the venue's"),
        ("ledger_equal", None, "no ledger could be compared"),
        ("kills_by_point", {**HELD["kills_by_point"], "fill-sent": 0}, "no kill hit fill-sent"),
        ("kills_by_venue", 4, "fewer than half of the kills were fired by the venue"),
        ("kills_during_recovery", 2, "fewer than a third of the kills hit in recovery or in a checkpoint"),
        ("orders", 199, "fewer than 20 orders a kill"),
        ("fills", 1_039, "fewer than 2 fills a kill"),
    ],
)
def test_each_shortcoming_is_told(name: str, value: Any, told: str) -> None:
    assert shortcomings({**HELD, name: value}) == [told]


def test_a_person_reads_what_failed() -> None:
    assert kills_text(HELD).endswith("  ok")
    text = kills_text({**HELD, "problems": ["lost_fills is 1"]})
    assert text.splitlines()[-1].split(maxsplit=1) == ["FAILED", "lost_fills is 1"]


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_the_progress_stays_on_one_line(columns: int) -> None:
    """Whatever the terminal's width: a line that wraps is not overwritten by the next one."""
    words = "90000 orders, 90000 fills, recovery p50 12000 ms"
    for text in bar_text(0, 1_000, "starting", columns), bar_text(1_500, 1_000, words, columns):
        assert len(text) == columns - 1
    assert bar_text(3, 6, words, 80).rstrip() == f"[{'#' * 10}{'.' * 10}] 3/6 kills, {words}"[:79]


# ---- options


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.name)
def test_the_examples_load_and_are_found_by_name(path: Path) -> None:
    assert parse_toml(path.read_text()).faults
    assert read_faults(Path(path.name)) == read_faults(path)
    assert set(read_faults(path)) == {"fault"}


def test_there_are_examples() -> None:
    assert len(list(EXAMPLES.glob("*.toml"))) >= 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[fault]]\nkind = 'lost'\n", "fault 1"),
        ("[[fault]\n", "not TOML"),
        (None, "cannot be read"),
    ],
)
def test_a_faults_file_that_cannot_be_used_is_named(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "faults.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(FaultsUnusable, match=told) as raised:
        read_faults(path)
    assert f"--faults {path}" in str(raised.value)


def test_what_to_type_again_is_a_command() -> None:
    assert repeat_command(200, 7, None) == "touchline chaos --kills 200 --seed 7 --keep DIR"
    assert repeat_command(9, 1, Path("my faults.toml")) == (
        "touchline chaos --kills 9 --seed 1 --faults 'my faults.toml' --keep DIR"
    )
    assert repeat_command(9, 1, None, "usdm") == "touchline chaos --kills 9 --seed 1 --venue usdm --keep DIR"


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_what_is_configured_on_a_face_is_what_is_judged(face: Face) -> None:
    """The configuration that is written can be read, and bounds positions as the judge does."""
    urls = {"rest": "https://rest.test", "streams": "wss://streams.test", "websocket_api": "wss://api.test"}
    told = {face.told + name: url for name, url in urls.items()}
    words = {"prevention": "EXPIRE_TAKER", "strategy": "ops.chaos.bustler:Bustler", "name": "engine", "prefix": "tl"}
    written = config(face).format(
        **told, **words, parameters="lots = {}\nphase_ms = 1", exits="enabled = false", ttl_ms=2_000
    )
    read = parse(written)
    assert (read.venue.rest, read.venue.kind) == (
        "https://rest.test",
        {"spot": "binance-spot", "usdm": "binance-usdm"}[face.name],
    )
    assert read.venue.dead_man_ms == face.dead_man_s * 1_000 or face is SPOT
    assert {
        row.symbol: (units(row.order_max), units(row.position_max), units(row.position_min)) for row in read.instrument
    } == {symbol: (row.order_max, row.position_max, row.position_min) for symbol, row in face.limits.items()}
    for symbol, lots in zip(face.limits, face.lots, strict=True):
        assert lots * face.limits[symbol].lot == face.limits[symbol].order_max
    assert face.limits[face.burst.symbol].order_max > PAGE * face.burst.take


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "--scenario and --kills: give one of the two"),
        (("--kills", "9", "--scenario", "cooldown"), "--scenario and --kills: give one of the two"),
        (("--scenario", "cooldown", "--faults", "x.toml"), "--faults x.toml: belongs to --kills"),
        (("--kills", "9", "--rounds", "2"), "--rounds: belongs to --scenario"),
        (("--scenario", "cooldown", "--venue", "usdm"), "--venue: belongs to --kills"),
        (("--kills", "9", "--faults", "missing.toml"), "--faults missing.toml: cannot be read"),
        (("--kills", "9", "--keep", "tests"), "--keep tests: not empty"),
        (("--kills", "9", "--keep", "README.md"), "--keep README.md: not a directory"),
    ],
)
def test_what_does_not_fit_together_is_one_line(arguments: tuple[str, ...], told: str) -> None:
    touchline("chaos", *arguments).refused(told)


def test_what_could_not_be_run_is_kept_and_can_be_repeated(tmp_path: Path) -> None:
    """Sockets lie in the directory: one whose path is too long for them is refused before anything is started."""
    keep = tmp_path / ("x" * 100)
    ended = touchline("chaos", "--kills", "9", "--venue", "usdm", "--keep", str(keep))
    told = ended.refused(str(keep), "again: touchline chaos --kills 9 --seed 1 --venue usdm --keep DIR")
    assert "name a shorter directory with --keep" in ended.err
    assert told.count(str(keep)) == 1
    assert list(keep.iterdir()) == []


# ---- for real


@pytest.mark.parametrize("venue", FACES)
def test_killed_at_every_point_and_the_books_are_the_venues(venue: str) -> None:
    """The whole of it: engine and venue as processes, each point once, and a checkpoint that was not finished."""
    with TemporaryDirectory() as short:  # a socket lies in it, whose path may have 107 characters
        ended = subprocess.run(
            [sys.executable, "-m", "ops.cli", "chaos", "--kills", str(KILLS_MIN + 1), "--seed", "5", "--json", "--venue", venue,
             "--keep", f"{short}/kept"],
            cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert ended.stdout, ended.stderr
        told = json.loads(ended.stdout)
        assert (ended.returncode, told["problems"]) == (0, []), ended.stderr
        assert told["kills"] >= KILLS_MIN + 1
        assert all(told["kills_by_point"][way] for way in POINTS)
        assert told["orders_in_flight_at_kill"] > 0
        assert told["recovery_ms"]["p95"] > 0
        assert {path.name for path in (Path(short) / "kept").iterdir()} >= {"engine", "engine.log", "engine.toml"}
