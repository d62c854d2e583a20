"""The group of all commands."""

import click

from ops.cli.bench import bench
from ops.cli.capture import capture
from ops.cli.chaos import chaos
from ops.cli.check import check
from ops.cli.demo import demo
from ops.cli.keys import keys
from ops.cli.later import replay
from ops.cli.monitor import monitor
from ops.cli.run import run
from ops.cli.signals import signals
from ops.cli.venue import venue


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="touchline")
def main() -> None:
    """Touchline: a low-latency trading engine. Actors decide, the bus carries, the gateway touches the world."""


for command in (demo, run, venue, check, keys, capture, signals, chaos, bench, replay, monitor):
    main.add_command(command)
