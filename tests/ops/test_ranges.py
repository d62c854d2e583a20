"""Numbers on the command line: what is none is called what it is, and not-a-number is in no range."""

from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner

from ops.cli.main import MODULES, main
from ops.cli.ranges import Real, Whole


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["venue", "--port", "x"], "'x' is not a valid whole number"),
        (["venue", "--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["venue", "--accounts", "1.5"], "'1.5' is not a valid whole number"),
        (["bench", "venue", "--hours", "long"], "'long' is not a valid number"),
        (["bench", "venue", "--hours", "nan"], "'nan' is not a valid number"),
        (["demo", "--seconds", "1"], "1.0 is not in the range x>=3.0"),
    ],
)
def test_a_number_that_is_none_is_refused_in_plain_words(words: Sequence[str], text: str) -> None:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == 2
    assert text in done.output
    assert "range." not in done.output


def test_every_range_of_the_command_line_is_one_of_these() -> None:
    """Method: every option of every command and of its commands."""
    context = click.Context(main)
    waiting = [command for name in MODULES if (command := main.get_command(context, name)) is not None]
    kinds: set[type] = set()
    while waiting:
        command = waiting.pop()
        kinds |= {type(p.type) for p in command.params if isinstance(p.type, click.IntRange | click.FloatRange)}
        if isinstance(command, click.Group):
            waiting += command.commands.values()
    assert kinds == {Whole, Real}
