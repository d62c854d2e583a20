"""`touchline signals`: every metric after every book update of a recording."""

import contextlib
import sys
from pathlib import Path

import click
import msgspec

from ops.capture import BadCapture, UnsupportedVenue
from ops.cli.capture import DOES_NOT_HOLD, HOLDS, UNUSABLE, progress
from ops.signals import SignalsResult, write_signals
from ops.whole_file import whole_file


@click.command()
@click.argument("capture", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The CSV to write; replaced when complete.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def signals(capture: Path, out: Path, as_json: bool) -> None:
    """Write every metric after every book update of a recording to a CSV.

    One row for the snapshot and for each update after it, computed by the engine's own actors. Prices and quantities are
    the venue's decimals; fields are empty where the book was not live, or had only one side. `ofi` lies between two
    updates, so the first after a snapshot has none. Shape columns (thin, depth, clusters, flickering) are as last read.

    Exit 0: written. 1: written, but `capture verify` says that the recording does not hold. 2: nothing was written.
    """
    if out.exists() and capture.exists() and out.samefile(capture):
        click.echo(f"touchline signals: --out {out}: is the capture itself; name another file", err=True)
        sys.exit(UNUSABLE)
    if not out.absolute().parent.is_dir():
        click.echo(f"touchline signals: --out {out}: its directory does not exist; make it first", err=True)
        sys.exit(UNUSABLE)
    try:
        with contextlib.ExitStack() as stack:
            rows = stack.enter_context(whole_file(out))
            result = write_signals(capture, rows, stack.enter_context(progress()))
    except (BadCapture, UnsupportedVenue) as error:
        click.echo(f"touchline signals: {capture}: {error}", err=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        click.echo(f"touchline signals: --out {out}: cannot be written: {error.strerror}; check the path", err=True)
        sys.exit(UNUSABLE)
    click.echo(msgspec.json.encode(_public(result, out)).decode() if as_json else _text(result, capture, out))
    sys.exit(HOLDS if result.books.holds else DOES_NOT_HOLD)


def _public(result: SignalsResult, out: Path) -> dict[str, object]:
    books = result.books
    return {
        "venue": books.venue,
        "records": books.records,
        "rows": result.rows,
        "live": result.live,
        "books": books.books,
        "holds": books.holds,
        "out": str(out),
    }


def _text(result: SignalsResult, capture: Path, out: Path) -> str:
    lines = [f"rows        {result.rows} in {out}, {result.live} of a live book, {result.books.books} books"]
    if not result.books.holds:
        lines.append(f"FAILED      the recording does not hold; see: touchline capture verify {capture}")
    return "\n".join(lines)
