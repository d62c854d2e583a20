"""The group of all commands. Each is imported when it is named: a console need not load what a bench needs."""

import gc
from importlib import import_module

import click

MODULES = {
    "demo": "demo", "run": "run", "venue": "venue", "check": "check", "keys": "keys", "capture": "capture",
    "signals": "signals", "chaos": "chaos", "bench": "bench", "replay": "later", "monitor": "monitor",
    "reconcile": "reconcile", "status": "status", "halt": "halt", "resume": "halt", "cancel-all": "cancel_all",
    "flatten": "flatten", "sentinel": "sentinel",
}  # fmt: skip
"""Module of ops.cli by command."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in MODULES:
            return None
        gc.disable()  # imports make thousands of objects that stay: collecting among them is a fifth of a start
        try:
            command: click.Command = getattr(import_module(f"ops.cli.{MODULES[cmd_name]}"), cmd_name.replace("-", "_"))
        finally:
            gc.enable()
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="touchline")
def main() -> None:
    """Touchline: a low-latency trading engine. Actors decide, the bus carries, the gateway touches the world."""
