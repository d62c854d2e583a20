"""What the page about two instances tells a reader to write works as written."""

import re
import shlex
from pathlib import Path

import pytest

from ops.assembly import build_actors
from ops.cli.chaos import chaos
from ops.config import parse
from ops.sections import Config

DOCS = Path(__file__).resolve().parents[2] / "docs" / "howto"
PAGE = (DOCS / "two-instances.md").read_text(encoding="utf-8")
LOCAL, ETCD, SECOND = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def config(section: str) -> Config:
    """The section behind the configuration of the page it builds upon."""
    [rest] = re.findall(r"```toml\n(.*?)```", (DOCS / "run.md").read_text(encoding="utf-8"), re.DOTALL)
    return parse(rest + section)


@pytest.mark.parametrize("section", [LOCAL, ETCD, SECOND], ids=["local", "etcd", "second account"])
def test_every_configuration_is_usable(section: str) -> None:
    assert "coordination" in [actor.name for actor in build_actors(config(section), [])]


def test_instances_that_shall_see_each_other_name_one_file_and_one_group() -> None:
    first, second = config(LOCAL).coordination, config(SECOND).coordination
    assert Path(first.path).is_absolute()
    assert first.path == second.path
    assert first.account != second.account


@pytest.mark.parametrize("line", re.findall(r"touchline chaos (.*)", PAGE))
def test_every_chaos_command_is_one(line: str) -> None:
    assert chaos.make_context("chaos", shlex.split(line)).params["scenario"]
