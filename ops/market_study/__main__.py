"""The command: read the captures, generate as much, print the table of each, and write the plots of the first."""

import sys
from pathlib import Path

import click

from gateway.simulated.recorded.capture import CaptureError, read_events

from .generated import generated
from .measure import Study, measure
from .rows import table

VENUES = ("binance-spot", "binance-us", "binance-usdm")  # whose frames the reader decodes


@click.command()
@click.argument("captures", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--symbol", help="Of the capture; the first with a snapshot unless named.")
@click.option("--like", default="ETHUSDT", show_default=True, help="The generated symbol to compare with.")
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--seconds", type=float, default=600.0, show_default=True, help="How much is generated.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the plots into this folder (SVG).")
def main(
    captures: tuple[Path, ...], symbol: str | None, like: str, seed: int, seconds: float, out: Path | None
) -> None:
    """Hold the generated market against recorded ones."""
    ours = measure(generated(like, seed, seconds), like)
    for number, path in enumerate(captures):
        try:
            theirs = measure(read_events(path, VENUES), symbol)
        except (CaptureError, ValueError) as error:
            click.echo(f"market_study: {path}: {error}", err=True)
            sys.exit(2)
        click.echo(f"{path.name}\n\n{table(theirs, ours)}\n")
        if out is not None and number == 0:
            _plot(theirs, ours, out)


def _plot(theirs: Study, ours: Study, out: Path) -> None:
    try:
        from . import plots
    except ImportError:
        click.echo("market_study: plots need matplotlib: pip install 'touchline[docs]'", err=True)
        sys.exit(2)
    for written in plots.write(theirs, ours, out):
        click.echo(f"wrote {written}", err=True)


if __name__ == "__main__":
    main()
