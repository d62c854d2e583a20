"""`touchline capture ...`: recorded venue traffic on the command line."""

import asyncio
import contextlib
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn, TextIO
from urllib.parse import urlsplit

import click
import msgspec

from bus.clock import EngineClock
from gateway.market import Addresses
from ops.capture import BadCapture, UnsupportedVenue, VerifyResult, capture_name, config_name, market_of
from ops.capture import verify as verify_capture
from ops.capture.recorder import Recorder, Recording, Rotation
from ops.capture.session import RecordFailed, Wanted
from ops.cli.ranges import Real, Whole
from ops.venues import LEVELS
from ops.whole_file import whole_file

HOLDS, DOES_NOT_HOLD, UNUSABLE = 0, 1, 2
TOTALS = ("records", "bytes", "frames", "gaps", "resyncs", "outages", "failed_attempts")
"""Of all files of a recording."""


@click.group()
def capture() -> None:
    """Recorded venue traffic: record it, rebuild its books and verify them."""


@capture.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--tops",
    type=click.Path(path_type=Path),
    help="Write the top of book after each update to this CSV; replaced when complete.",
)
def verify(file: Path, as_json: bool, tops: Path | None) -> None:
    """Rebuild the books of a recording and check them.

    Exit 0: all of it holds. 1: a checksum or top differs, a book is crossed or left with a gap, an update of a book cannot
    be read, or nothing could be checked. 2: the file cannot be used.
    """
    if tops is not None and tops.exists() and file.exists() and tops.samefile(file):
        click.echo(f"touchline capture verify: --tops {tops}: is the recording itself; name another file", err=True)
        sys.exit(UNUSABLE)
    try:
        with contextlib.ExitStack() as stack:
            rows: TextIO | None = None
            if tops is not None:
                rows = stack.enter_context(whole_file(tops))
            result = verify_capture(file, rows, stack.enter_context(progress()))
    except (BadCapture, UnsupportedVenue) as error:
        click.echo(f"touchline capture verify: {file}: {error}", err=True)
        sys.exit(UNUSABLE)
    except OSError as error:
        click.echo(f"touchline capture verify: --tops {tops}: cannot be written: {error.strerror}", err=True)
        sys.exit(UNUSABLE)
    click.echo(msgspec.json.encode(result.public()).decode() if as_json else _text(result))
    sys.exit(HOLDS if result.holds else DOES_NOT_HOLD)


@capture.command()
@click.option("--venue", required=True, help="Whose market data: binance-spot, kraken-v2, okx, ...")
@click.option("--symbols", required=True, help="As the venue writes them, commas between: BTCUSDT,ETHUSDT.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new file; NAME.jsonl.gz.")
@click.option("--seconds", type=Real(min=0.0, min_open=True), help="Default: until Ctrl-C.")
@click.option("--levels", type=Whole(min=1), help="Of a book, a side. Default: usual for the venue.")
@click.option("--rotate-mb", type=Real(min=0.0), default=0.0, help="Begin a new file after so many MB.")
@click.option("--rotate-minutes", type=Real(min=0.0), default=0.0, help="Begin a new file after so long.")
@click.option("--streams", default="", help="WebSocket address instead of the venue's own.")
@click.option("--rest", default="", help="REST address instead of the venue's own.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object on stdout.")
def record(
    venue: str,
    symbols: str,
    out: Path,
    seconds: float | None,
    levels: int | None,
    rotate_mb: float,
    rotate_minutes: float,
    streams: str,
    rest: str,
    as_json: bool,
) -> None:
    """Record a venue's market data, so that `capture verify` can rebuild every book of it.

    Books are built while it runs, and snapshots are asked for when they need one, as in the engine. Ctrl-C ends it with
    complete files. A further file (NAME.2.jsonl.gz, ...) has metadata and snapshots of its own.

    Exit 0: recorded, every book is live at the end. 1: recorded, but a book is not, or the disk is full. 2: nothing was
    recorded.
    """
    try:
        wanted = _wanted(venue, symbols, levels, streams, rest)
        recorder = Recorder(wanted, out, Rotation(int(rotate_mb * 1e6), rotate_minutes * 60.0), EngineClock().now_ns)
        recording = asyncio.run(_record(recorder, seconds))
    except FileExistsError:
        _refuse(f"--out {out}: exists already; name another file")
    except OSError as error:
        _refuse(f"--out {out}: cannot be written: {error.strerror}; check the path")
    except (UnsupportedVenue, RecordFailed) as error:
        _refuse(str(error))
    click.echo(msgspec.json.encode(_recorded(recording)).decode() if as_json else _recording_text(recording))
    if recording.failure:
        click.echo(f"touchline capture record: {recording.failure}", err=True)
    sys.exit(HOLDS if recording.holds else DOES_NOT_HOLD)


def _refuse(why: str) -> NoReturn:
    click.echo(f"touchline capture record: {why}", err=True)
    sys.exit(UNUSABLE)


def _wanted(venue: str, symbols: str, levels: int | None, streams: str, rest: str) -> Wanted:
    """Raises UnsupportedVenue or RecordFailed."""
    market = market_of(venue)
    names = tuple(dict.fromkeys(name for name in (part.strip() for part in symbols.split(",")) if name))
    if not names:
        raise RecordFailed("--symbols: names none; write them as the venue does, commas between")
    usual, most = LEVELS[config_name(venue)]
    if levels is not None and levels > most:
        raise RecordFailed(f"--levels {levels}: {venue} tells {most} at most")
    try:
        market.plan(names, market.streams, levels or usual)
    except ValueError as error:
        raise RecordFailed(f"--levels {levels}: {error}") from error
    for option, url, schemes in (("--streams", streams, ("ws", "wss")), ("--rest", rest, ("http", "https"))):
        if url and (url.partition("://")[0] not in schemes or not urlsplit(url).hostname):
            raise RecordFailed(f"{option} {url}: is no address; write {schemes[1]}://HOST[:PORT]")
    addresses = Addresses(rest or market.addresses.rest, streams or market.addresses.streams)
    return Wanted(market, capture_name(config_name(venue)), names, levels or usual, addresses)


async def _record(recorder: Recorder, seconds: float | None) -> Recording:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    shown = sys.stderr.isatty()
    try:
        return await recorder.run(seconds, stopped, _show if shown else lambda recording: None)
    finally:
        if shown:
            click.echo("\r\x1b[K", nl=False, err=True)


def _show(recording: Recording) -> None:
    width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be written over
    click.echo(f"\r\x1b[K{progress_line(recording, width)}", nl=False, err=True)


def progress_line(recording: Recording, width: int) -> str:
    """During an outage the reason stands in place of the figures; where it has no room its end, which says most, stays."""
    books = f"{recording.live}/{recording.symbols} books live"
    if not recording.trouble:
        counts = f"{recording.total('frames')} frames, {recording.total('bytes')} bytes"
        return f"{counts}, {books}, {recording.total('gaps')} gaps"[:width]
    line = f"{books}, {recording.total('failed_attempts')} failed attempts: "
    room = max(width - len(line), 0)
    why = recording.trouble
    return (line + (why if len(why) <= room else f"...{why[len(why) - max(room - 3, 0) :]}"))[:width]


def _recorded(recording: Recording) -> dict[str, object]:
    totals = {field: recording.total(field) for field in TOTALS}
    return {
        "venue": recording.venue,
        "symbols": recording.symbols,
        "live": recording.live,
        **totals,
        "files": [msgspec.to_builtins(file) for file in recording.files],
        "failure": recording.failure,
        "trouble": recording.last_trouble,
    }


def _recording_text(recording: Recording) -> str:
    lines = [f"{file.path}  {file.records} records, {file.bytes} bytes" for file in recording.files]
    gaps = f"gaps        {recording.total('gaps')}, resyncs {recording.total('resyncs')}"
    lines += [f"books       {recording.live} of {recording.symbols} live at the end", gaps]
    if recording.last_trouble:
        times = f"{recording.total('outages')} outages, {recording.total('failed_attempts')} failed attempts"
        lines.append(f"trouble     {times}; last: {recording.last_trouble}")
    return "\n".join(lines)


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
        f"proof       {_proof(result)}",
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


def _proof(result: VerifyResult) -> str:
    if result.checksums.checked or result.tops.checked:
        return ", ".join(result.proof)
    without = "(no checksum, no best quote at an equal id)"
    return f"{' '.join(result.proof)} alone {without}" if result.proof else f"none {without}"
