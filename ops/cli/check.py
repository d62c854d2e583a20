"""`touchline check CONFIG`: is this configuration usable, and the topology with it? Nothing is written, and without --online
nothing is connected.
"""

import asyncio
import json
import sys
from pathlib import Path

import click

from ops.assembly import build_actors
from ops.config import ConfigError, load
from ops.hosts import host_names
from ops.online import look, told
from ops.sections import Config


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--topology", type=click.Path(path_type=Path), help="Check this file too: hosts, actors, endpoints.")
@click.option("--online", is_flag=True, help="Ask each venue for its instruments and its time too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def check(config: Path, topology: Path | None, online: bool, as_json: bool) -> None:
    """Check CONFIG: keys, types, values, and that the strategy can be loaded. Exit code 2 when it is unusable.

    Nothing is connected unless --online is given: symbols, and limits against the venue's lots, are checked by it, and by `run`
    at its start; a topology's keys, and whether its endpoints are free, by `run` alone.
    """
    try:
        loaded = load(config)
        build_actors(loaded, [])  # the strategy, and every setting that needs no word of the venue
        hosts = host_names(topology) if topology is not None else ()
    except ConfigError as error:
        if as_json:
            click.echo(json.dumps({"usable": False, "error": str(error)}))
        else:
            click.echo(f"touchline check: {error}", err=True)
        sys.exit(2)
    if online:
        _online(loaded, as_json)
        return
    symbols = [row.symbol for row in loaded.instrument]
    feeds = {row.venue: list(row.symbols) for row in loaded.feed}
    if as_json:
        told = {
            "usable": True,
            "venue": loaded.venue.kind,
            "testnet": loaded.venue.testnet,
            "instruments": symbols,
            "feeds": feeds,
        }
        click.echo(json.dumps(told | ({"hosts": hosts} if topology is not None else {})))
    else:
        venue = f"{loaded.venue.kind} (testnet: {loaded.venue.rest})" if loaded.venue.testnet else loaded.venue.kind
        click.echo(f"{config}: usable; {venue}, {', '.join(symbols)}, strategy {loaded.strategy.use}")
        for venue, looked_at in feeds.items():
            click.echo(f"{config}: looks at {venue}: {', '.join(looked_at)}")
        if topology is not None:
            click.echo(f"{topology}: usable; hosts {', '.join(hosts)}")


def _online(config: Config, as_json: bool) -> None:
    """Exit code 2 when an engine would not start, or not trade, on what the venues say."""
    rows = [told(seen) for seen in asyncio.run(look(config))]
    if as_json:
        click.echo(json.dumps({"usable": not any(row["problems"] for row in rows), "venues": rows}))
    for row in rows if not as_json else []:
        off = (
            f"clock {row['clock_offset_ms']:+} ms +-{row['clock_uncertainty_ms']}"
            if row["clock_offset_ms"] is not None
            else "no clock"
        )
        click.echo(f"{row['venue']}: {off}")
        for filters in row["instruments"]:
            click.echo("  " + " ".join(f"{name}={value}" for name, value in filters.items()))
        for problem in row["problems"]:
            click.echo(f"touchline check: {problem}", err=True)
    if any(row["problems"] for row in rows):
        sys.exit(2)
