"""`touchline capture ...`: recorded venue traffic on the command line."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import click
import msgspec

from ops.capture import BadCapture, UnsupportedVenue, VerifyResult
from ops.capture import verify as verify_capture

HOLDS, DOES_NOT_HOLD, UNUSABLE = 0, 1, 2


@click.group()
def capture() -> None:
    """Recorded venue traffic: rebuild its books and verify them."""


@capture.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--tops", type=click.Path(path_type=Path), help="Write the top of book after each update to this CSV.")
def verify(file: Path, as_json: bool, tops: Path | None) -> None:
    """Rebuild the books of a recording and check them.

    Exit 0: all of it holds. 1: a checksum or top differs, a book is crossed or left with a gap, an update of a book cannot
    be read, or nothing could be checked. 2: the file cannot be used.
    """
    try:
        with contextlib.ExitStack() as stack:
            rows: TextIO | None = None
            if tops is not None:
                rows = stack.enter_context(tops.open("w", encoding="utf-8", newline=""))
            result = verify_capture(file, rows, stack.enter_context(progress()))
    except (BadCapture, UnsupportedVenue, OSError) as error:
        click.echo(f"touchline capture verify: {file}: {error}", err=True)
        sys.exit(UNUSABLE)
    click.echo(msgspec.json.encode(result.public()).decode() if as_json else _text(result))
    sys.exit(HOLDS if result.holds else DOES_NOT_HOLD)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[int], None] | None]:
    """What shows how many records were read, while it is open; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        yield lambda records: click.echo(f"\r{records} records", nl=False, err=True)
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)


def _text(result: VerifyResult) -> str:
    checksums, tops = result.checksums, result.tops
    lines = [
        f"venue       {result.venue}",
        f"records     {result.records}",
        f"books       {result.books} went live, {result.live} are live at the end; {result.updates} updates applied",
        f"gaps        {result.gaps}, resyncs {result.resyncs}",
        f"repeated    {result.duplicates} duplicate and {result.stale} stale updates, {result.reordered} gaps filled late",
        f"tops        {tops.checked} compared with the venue's own at equal update ids, {tops.failed} differ",
        f"checksums   {checksums.checked} compared, {checksums.failed} differ",
        f"crossed     {result.crossed}",
    ]
    if result.garbage:
        lines.append(
            f"garbage     {result.garbage} frames or bodies could not be read, {result.lost} of a book or unproven"
        )
    if result.unsynced:
        lines.append(f"unsynced    {' '.join(result.unsynced)}: no snapshot in the capture brings these books back")
    if not result.books:
        lines.append("nothing     no book could be built, so nothing is verified")
    lines.append("ok" if result.holds else "FAILED")
    return "\n".join(lines)
