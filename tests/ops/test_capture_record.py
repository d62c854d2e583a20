"""`capture record` against venues on real ports: what it writes verifies, whatever happened meanwhile."""

import asyncio
import gzip
import json
import re
import resource
import signal
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from bus.clock import EngineClock
from gateway.market import Addresses, VenueMarket
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import VenueSettings
from ops.capture import verify
from ops.capture.reader import read_capture
from ops.capture.recorder import Recorder, Recording, Rotation, numbered
from ops.capture.session import RecordFailed, Wanted
from ops.capture.writer import CaptureWriter
from ops.cli.capture import capture, progress_line
from tests.conformance.rows import ROWS
from tests.support.listings import LISTINGS
from tests.support.scripted import Talk, page, scripted
from tests.support.traffic import Traffic

SYMBOLS = ("BTCUSDT", "ETHUSDT")
NEVER = Rotation()
SIMULATED = next(row for row in ROWS if row.name == "binance-spot")


def wanted(market: VenueMarket, symbols: tuple[str, ...], rest: str, streams: str) -> Wanted:
    return Wanted(market, market.name, symbols, 100, Addresses(rest, streams))


async def recorded(wanted: Wanted, out: Path, seconds: float, rotation: Rotation = NEVER) -> Recording:
    recorder = Recorder(wanted, out, rotation, EngineClock().now_ns)
    return await recorder.run(seconds, asyncio.Event(), lambda recording: None)


def addresses_of(path: Path, kind: str) -> list[str]:
    return list(dict.fromkeys(record.address for record in read_capture(path).records if record.kind == kind))


@pytest.fixture
async def venue() -> Any:
    simulated = SimulatedVenue(VenueSettings(symbols=SYMBOLS, control=True))
    endpoints = await simulated.start()
    yield endpoints
    await simulated.stop()


async def test_a_cut_connection_is_a_second_opening_and_the_books_come_back(venue: Any, tmp_path: Path) -> None:
    out = tmp_path / "rec.jsonl.gz"
    recording = asyncio.create_task(
        recorded(wanted(SIMULATED.market(), SYMBOLS, venue.rest, venue.streams), out, seconds=2.5)
    )
    await asyncio.sleep(1.0)
    async with aiohttp.ClientSession() as session:
        await session.post(f"{venue.rest}/control/disconnect", params={"kind": "market"})
    told = await recording
    assert told.holds
    result = verify(out)
    assert (result.holds, result.books, result.live) == (True, 2, 2)
    assert result.tops.checked > 0
    assert [address.rpartition("#")[2] for address in addresses_of(out, "recv")][1:] == ["2"]
    assert len(addresses_of(out, "rest")) == 3
    with gzip.open(out) as file:
        assert sum(b"/api/v3/depth" in line[:80] for line in file) >= 4, "each opening has its snapshots"


async def test_every_file_of_a_rotation_verifies_alone_and_none_lacks_what_lies_between(
    venue: Any, tmp_path: Path
) -> None:
    out = tmp_path / "rec.jsonl.gz"
    wish = wanted(SIMULATED.market(), SYMBOLS, venue.rest, venue.streams)
    told = await recorded(wish, out, 3.5, Rotation(seconds=1.0))
    paths = [Path(file.path) for file in told.files]
    assert paths[:2] == [out, tmp_path / "rec.2.jsonl.gz"]
    spans = []
    for path in paths:
        assert verify(path).holds
        times = [record.received_ns for record in read_capture(path).records]
        spans.append((times[0], times[-1]))
    assert all(begun < ended for (_, ended), (begun, _) in pairwise(spans))
    assert told.holds


@pytest.mark.parametrize("name", ["kraken-10", "okx-checksums", "bybit", "coinbase"])
async def test_books_that_come_on_the_stream(name: str, tmp_path: Path) -> None:
    """A scripted venue plays wire frames, ends the first connection in the middle, and goes on on the second."""
    row = next(row for row in ROWS if row.name == name)
    market = row.market()

    async def play(talk: Talk) -> None:
        number = len(server.talks)
        symbol = row.symbol(0, seed=number)
        traffic = Traffic(market, [symbol], seed=number)
        traffic.open()
        traffic.snapshot(symbol)()
        for _ in range(10):
            traffic.change(symbol, 2)
        for line in traffic.lines:
            await talk.send(line[3].encode())
            await asyncio.sleep(0.02)
        if number == 1:
            await talk.close()

    pages = {path: page(body) for path, body in LISTINGS[market.name](row.symbols).items()}
    async with scripted(play, pages) as server:
        out = tmp_path / "rec.jsonl.gz"
        told = await recorded(wanted(market, row.symbols[:1], server.rest, server.streams), out, 1.4)
    assert (told.holds, told.failure) == (True, "")
    result = verify(out)
    assert (result.holds, result.live, result.gaps, result.updates) == (True, 1, 0, 22)
    assert len(addresses_of(out, "recv")) == 2
    sent = [record for record in read_capture(out).records if record.kind == "send"]
    assert [record.text.encode() for record in sent if not record.address.endswith("#2")] == list(
        server.talks[0].frames
    )
    assert addresses_of(out, "send") == addresses_of(out, "recv")


async def test_what_cannot_be_begun_says_why_and_leaves_no_file(venue: Any, tmp_path: Path) -> None:
    out = tmp_path / "rec.jsonl.gz"
    market = SIMULATED.market()
    with pytest.raises(RecordFailed, match="DOGEUSDT"):
        await recorded(wanted(market, ("DOGEUSDT",), venue.rest, venue.streams), out, 1.0)
    with pytest.raises(RecordFailed, match=r"cannot be reached.*--rest"):
        await recorded(wanted(market, SYMBOLS, "http://127.0.0.1:9", venue.streams), out, 1.0)
    assert list(tmp_path.iterdir()) == []
    out.write_text("of yesterday")
    with pytest.raises(FileExistsError):
        await recorded(wanted(market, SYMBOLS, venue.rest, venue.streams), out, 1.0)
    assert out.read_text() == "of yesterday"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--venue", "mtgox", "--symbols", "A"], "mtgox"),
        (["--venue", "kraken-v2", "--symbols", " , "], "--symbols"),
        (["--venue", "kraken-v2", "--symbols", "BTC/USD", "--levels", "5000"], "1000 at most"),
        (["--venue", "okx", "--symbols", "BTC-USDT", "--streams", "http://x"], "--streams http://x"),
        (["--venue", "okx", "--symbols", "BTC-USDT", "--rest", "nowhere"], "--rest nowhere"),
    ],
)
def test_wrong_words_exit_2_and_are_named(options: list[str], word: str, tmp_path: Path) -> None:
    out = tmp_path / "rec.jsonl.gz"
    result = CliRunner().invoke(capture, ["record", "--out", str(out), *options])
    assert (result.exit_code, result.stdout, out.exists()) == (2, "", False)
    assert word in result.stderr


async def test_ctrl_c_ends_with_a_complete_file_and_a_summary(venue: Any, tmp_path: Path) -> None:
    out = tmp_path / "rec.jsonl.gz"
    process = await begun(out, venue)
    await written_to(out)
    process.send_signal(signal.SIGINT)
    told, _ = await asyncio.wait_for(process.communicate(), 10.0)
    assert process.returncode == 0
    summary = json.loads(told.splitlines()[-1])
    result = verify(out)
    assert result.holds
    assert (summary["records"], summary["live"]) == (result.records, 2)


async def test_a_killed_recorder_leaves_what_it_flushed(venue: Any, tmp_path: Path) -> None:
    out = tmp_path / "rec.jsonl.gz"
    process = await begun(out, venue)
    await written_to(out)
    process.kill()
    await process.wait()
    assert verify(out).holds


async def begun(out: Path, venue: Any, file_bytes_max: int = resource.RLIM_INFINITY) -> asyncio.subprocess.Process:
    arguments = ("--streams", venue.streams, "--rest", venue.rest, "--json")
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ops.cli", "capture", "record", "--venue", "binance-spot", "--symbols", "BTCUSDT,ETHUSDT",
        "--out", str(out), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes_max, file_bytes_max)),
    )  # fmt: skip


async def written_to(out: Path) -> None:
    """Frames are in the file: more than metadata and snapshots."""
    async with asyncio.timeout(60):
        while not out.exists() or b'"recv"' not in read_all(out):
            await asyncio.sleep(0.2)


def read_all(path: Path) -> bytes:
    with gzip.open(path) as file:
        return file.read()


async def test_a_file_that_can_grow_no_more_ends_readable_with_the_reason(venue: Any, tmp_path: Path) -> None:
    """As on a full disk: a part of a member is written, then the system refuses."""
    out = tmp_path / "rec.jsonl.gz"
    process = await begun(out, venue, file_bytes_max=20_000)
    told, error = await asyncio.wait_for(process.communicate(), 30.0)
    assert process.returncode == 1
    assert b"rec.jsonl.gz: cannot be written: File too large" in error
    records = sum(1 for _ in read_capture(out).records)
    summary = json.loads(told.splitlines()[-1])
    assert (summary["records"], summary["bytes"]) == (records, out.stat().st_size)
    assert 0 < out.stat().st_size < 20_000
    assert "File too large" in summary["failure"]


async def test_an_outage_is_told_with_its_reason_and_the_attempts(tmp_path: Path) -> None:
    simulated = SimulatedVenue(VenueSettings(symbols=SYMBOLS))
    endpoints = await simulated.start()
    shown: list[str] = []
    recorder = Recorder(
        wanted(SIMULATED.market(), SYMBOLS, endpoints.rest, endpoints.streams),
        tmp_path / "a.gz",
        NEVER,
        EngineClock().now_ns,
    )
    stopped = asyncio.Event()
    task = asyncio.create_task(recorder.run(None, stopped, lambda said: shown.append(progress_line(said, 79))))
    async with asyncio.timeout(60):
        while not (shown and recorder.recording.live == 2):
            await asyncio.sleep(0.05)
        await simulated.stop()
        while "Connect call failed" not in shown[-1]:
            await asyncio.sleep(0.05)
    stopped.set()
    told = await task
    assert re.fullmatch(r"\d+ frames, \d+ bytes, [02]/2 books live, 0 gaps", shown[0])
    assert re.fullmatch(r"0/2 books live, \d+ failed attempts: \.\.\..*Connect call failed .*", shown[-1])
    assert max(map(len, shown)) <= 79
    assert (told.total("outages"), told.holds) == (1, False)
    assert re.search(r"connection 0, attempt \d+: cannot connect to ws://", told.last_trouble)
    assert told.total("failed_attempts") > 0


def test_a_writer_never_leaves_half_a_second(tmp_path: Path) -> None:
    path = tmp_path / "c.gz"
    writer = CaptureWriter(path, "binance-spot", "test")
    assert list(read_capture(path).records) == []
    writer.append(1, "recv", "ws", b'{"a":"\xc3\xa9"}')
    writer.append(2, "recv", "ws", b"\xff")
    assert list(read_capture(path).records) == []
    writer.flush()
    assert [record[1:] for record in read_capture(path).records] == [
        (1, "recv", "ws", '{"a":"é"}'),
        (2, "recv", "ws", "\ufffd"),
    ]
    assert (writer.records, writer.bytes_written) == (2, path.stat().st_size)
    writer.close()
    writer.close()
    with pytest.raises(FileExistsError):
        CaptureWriter(path, "binance-spot", "test")


@pytest.mark.parametrize(
    ("out", "third"), [("a.jsonl.gz", "a.3.jsonl.gz"), ("a.b.gz", "a.b.3.gz"), ("a", "a.3"), ("a.csv", "a.csv.3")]
)
def test_names_of_further_files(out: str, third: str) -> None:
    assert (numbered(Path(out), 1).name, numbered(Path(out), 3).name) == (out, third)
