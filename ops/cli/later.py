"""Commands that have a name but do not work yet. They say so and fail: exit code 2."""

import sys

import click


def _not_yet(name: str, instead: str) -> None:
    click.echo(f"touchline {name} does not work yet: {instead}", err=True)
    sys.exit(2)


@click.command(short_help="(not yet) Repeat a run from its input log.")
@click.argument("input_log", required=False)
def replay(input_log: str | None) -> None:
    """Repeat a run from its input log. NOT WORKING YET; runs record the log already."""
    _not_yet("replay", "every run records its inputs in STATE/input-log, which it will read")
