"""`touchline keys`: CURVE keys for the hosts of a topology."""

import json
import sys
from pathlib import Path

import click

from bus.errors import KeyFileError
from bus.mailbox.keys import create, public_path, secret_path
from ops.config import ConfigError
from ops.hosts import check_name


@click.command()
@click.argument("hosts", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the files; made if missing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def keys(hosts: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Make a CURVE key pair for each of HOSTS (data and trade, if none is named), as [[host]] names them.

    Each host needs its own HOST.key_secret and every HOST.key; a secret file is readable by its owner alone and leaves
    this machine only for its own host. A file that is there already is never replaced: exit code 2.
    """
    names = hosts or ("data", "trade")
    try:
        for name in names:
            check_name(name, "HOSTS")
        for name in names:
            create(out, name)
    except (KeyFileError, ConfigError) as error:
        click.echo(f"touchline keys: {error}", err=True)
        sys.exit(2)
    files = {name: {"public": str(public_path(out, name)), "secret": str(secret_path(out, name))} for name in names}
    if as_json:
        click.echo(json.dumps(files))
    else:
        for name, made in files.items():
            click.echo(f"{name}: {made['public']} (for every host), {made['secret']} (for this host alone)")
