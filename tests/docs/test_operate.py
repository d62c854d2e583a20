"""What the operator's page tells works as written: its configuration, and every option of its commands."""

import re
from pathlib import Path

import click
import pytest

from ops.cli.main import MODULES, main
from ops.config import parse
from ops.sections import SentinelSection, StopSection
from tests.support.house import CONFIG

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "operate.md").read_text(encoding="utf-8")
COMMANDS = ("status", "halt", "resume", "cancel-all", "flatten", "sentinel")


def test_its_configuration_is_the_default_one() -> None:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    config = parse(CONFIG + text)
    assert config.stop == StopSection()
    assert f"({config.sentinel.silence_ms // 1_000} s)" in PAGE
    assert SentinelSection().api_key_env in PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained_with_its_options(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert name in MODULES
    assert f"touchline {name}" in PAGE
    assert command.help, "and says what its exit codes mean"
    assert "2:" in command.help
    options = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    not_worth_a_word = {"--reason", "--seconds"}
    assert [option for option in options if option not in PAGE and option not in not_worth_a_word] == []


def test_only_resume_insists_on_a_reason() -> None:
    for name in COMMANDS:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        wanted = [parameter.name for parameter in command.params if parameter.required]
        assert ("reason" in wanted) is (name == "resume")
