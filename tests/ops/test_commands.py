"""Every command says what it does, and those that do not work yet say that."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ops.cli import main
from tests.ops.command_line import touchline
from tests.support.hosts import DATA, TRADE, topology
from tests.support.house import CONFIG


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group by its words."""
    found = [path]
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        found += commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


def test_all_commands_of_the_page_are_there() -> None:
    assert {words[0] for words in commands() if words} >= {
        "demo", "run", "venue", "check", "capture", "bench", "replay", "monitor",
    }  # fmt: skip


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words) or "touchline")
def test_help_says_what_it_does_and_what_each_option_is_for(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, [*words, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word) or command
    assert command.help
    assert len(command.help.split()) >= 4
    silent = [param.name for param in command.params if isinstance(param, click.Option) and not param.help]
    assert silent == []


@pytest.mark.parametrize("words", [("replay",), ("replay", "some.log")])
def test_what_does_not_work_yet_says_so_and_fails(words: tuple[str, ...]) -> None:
    line = touchline(*words).refused(f"touchline {words[0]} does not work yet", "input-log")
    assert "NOT WORKING YET" in CliRunner().invoke(main, [words[0], "--help"]).stdout
    assert "\n" not in line


@pytest.mark.parametrize(
    "words", [("runn",), ("run",), ("check",), ("monitor",), ("run", "x.toml"), ("demo", "--secnds", "3")]
)
def test_wrong_usage_is_exit_code_2_without_a_traceback(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_headless_demo_without_an_end_is_refused() -> None:
    done = CliRunner().invoke(main, ["demo", "--headless"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "--headless needs --seconds" in done.stderr


def test_check_tells_a_machine_as_well(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[venu]\n")
    done = CliRunner().invoke(main, ["check", str(path), "--json"])
    told = json.loads(done.stdout.splitlines()[-1])
    assert (done.exit_code, told["usable"]) == (2, False)
    assert "did you mean 'venue'?" in told["error"]


def test_check_looks_at_a_topology_as_well(tmp_path: Path) -> None:
    config, hosts = tmp_path / "good.toml", tmp_path / "hosts.toml"
    config.write_text(CONFIG)
    placed = {"data": (DATA, "ipc://data.ipc"), "trade": (("strategy", *TRADE), "ipc://trade.ipc")}
    hosts.write_text(topology(placed))
    done = CliRunner().invoke(main, ["check", str(config), "--topology", str(hosts)])
    assert (done.exit_code, done.stdout.splitlines()[1]) == (0, f"{hosts}: usable; hosts data, trade")
    hosts.write_text(topology(placed | {"trade": (TRADE, "ipc://trade.ipc")}))
    done = CliRunner().invoke(main, ["check", str(config), "--topology", str(hosts)])
    assert done.exit_code == 2
    assert "strategy is placed nowhere; add it to one host" in done.stderr


def test_signals_into_a_folder_that_does_not_exist_is_told_with_the_remedy(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["signals", "none.gz", "--out", str(tmp_path / "absent" / "out.csv")])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "its directory does not exist; make it first" in done.stderr
