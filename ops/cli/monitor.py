"""`touchline monitor`: the console of a running engine."""

import signal
import sys
from pathlib import Path

import click

from bus.errors import BusError
from ops.cli.ranges import Real, Whole
from ops.console import plain
from ops.console.link import Link, SymbolUnknown
from ops.console.model import Model
from ops.console.terminal import able
from ops.telemetry import HZ_MAX


@click.command()
@click.option(
    "--state", type=click.Path(path_type=Path), required=True, help="State directory of the engine to look at."
)
@click.option(
    "--symbol", default="", help="Instrument shown first, as the venue writes it. Default: the first configured."
)
@click.option("--hz", type=Whole(1, HZ_MAX), default=50, show_default=True, help="Pictures a second at most.")
@click.option("--seconds", type=Real(min=1.0), help="End by itself after this long (lines only).")
@click.option("--plain", "as_lines", is_flag=True, help="A line a second, even on a terminal.")
def monitor(state: Path, symbol: str, hz: int, seconds: float | None, as_lines: bool) -> None:
    """Look at a running engine; it does not notice. q ends the console, ? explains it.

    Where standard output is no terminal it prints a line a second. It may be started before the engine, and stays when
    the engine is restarted.
    """
    if not state.is_dir():
        click.echo(f"touchline monitor: --state {state}: no such directory; give the one of `touchline run`", err=True)
        sys.exit(2)
    lines = as_lines or seconds is not None or not able()
    try:
        link = Link(state, Model(), plain.HZ if lines else hz)
    except BusError as error:
        click.echo(f"touchline monitor: {error}", err=True)
        sys.exit(2)
    try:
        if lines:
            _lines(link, symbol, seconds)
        else:
            from ops.console.screen import show  # npyscreen is for this command alone

            show(link, symbol)
    except SymbolUnknown as error:
        click.echo(f"touchline monitor: {error}", err=True)
        sys.exit(2)
    finally:
        link.close()


def _lines(link: Link, symbol: str, seconds: float | None) -> None:
    ended: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: ended.append(number))
    plain.run(link, symbol, seconds, click.echo, lambda: bool(ended))
