"""Telemetry: built only while somebody watches, between inputs, and never in anybody's way."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bus.collector import Collector
from bus.errors import MailboxError
from bus.latency import Histogram
from bus.mailbox import Tap, Watcher, ZmqMailboxes, ipc_endpoint
from bus.messages import Balance
from ops import events
from ops.config import parse
from ops.hosts import ALONE
from ops.supervisor import Supervisor
from ops.telemetry import (
    FORMAT,
    LADDER_LEVELS,
    About,
    Board,
    FormatDiffers,
    Frame,
    Health,
    Latency,
    Log,
    Reader,
    Telemetry,
    Trading,
    Wish,
    decode_frame,
    encode_frame,
)
from ops.telemetry import publisher as publisher_module
from tests.support.house import CONFIG, MS, House

EMPTY = Frame(1, 0, 0, (), (), ())


class Counting:
    """A source that counts what it was asked for."""

    def __init__(self) -> None:
        self.built = Histogram()
        self.asked: list[tuple[tuple[int, ...], int]] = []
        self.fault: Exception | None = None

    def frame(self, foci: tuple[int, ...], hz: int) -> Frame:
        self.asked.append((foci, hz))
        if self.fault is not None:
            raise self.fault
        return EMPTY


class Stage:
    """A publisher and a watcher on a real socket."""

    def __init__(self, folder: Path) -> None:
        self.endpoint = ipc_endpoint(folder, "telemetry")
        self.mailboxes = ZmqMailboxes()
        self.source, self.inputs = Counting(), 0
        self.telemetry = Telemetry(self.source, Tap(self.mailboxes, "telemetry", self.endpoint), lambda: self.inputs)
        self.watcher = Watcher(self.endpoint)

    def wish(self, hz: int = 100, instrument: int = 0) -> None:
        self.watcher.wish(msgspec.msgpack.encode(Wish(hz, instrument)))

    async def until(self, held: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not held():
                await asyncio.sleep(0.005)

    async def begin(self, hz: int = 100) -> None:
        """Connected, and frames come."""
        async with asyncio.timeout(10):
            while not self.telemetry.frames:
                self.wish(hz)
                await asyncio.sleep(0.02)

    def close(self) -> None:
        self.watcher.close()
        self.telemetry.close()
        self.mailboxes.close()


@pytest.fixture
async def stage(tmp_path: Path) -> Any:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


async def test_nothing_is_built_and_no_timer_is_armed_while_nobody_watches(stage: Stage) -> None:
    await asyncio.sleep(0.1)
    assert stage.source.asked == []
    assert stage.telemetry._armed is None


async def test_a_wish_brings_frames_of_what_it_names_until_it_runs_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "LEASE_NS", 200 * MS)
    await stage.begin(hz=100)
    raws: list[bytes] = []
    await stage.until(lambda: bool(raws.extend(stage.watcher.take()) or raws))
    assert decode_frame(raws[0]) == EMPTY
    assert stage.source.asked[0] == ((0,), 100)
    await stage.until(lambda: stage.telemetry._armed is None)
    assert stage.telemetry.hz == 0
    built = stage.telemetry.frames
    stage.wish()
    await stage.until(lambda: stage.telemetry.frames > built)


async def test_the_fastest_of_several_wishes_counts_and_the_latest_instruments_come_first(stage: Stage) -> None:
    await stage.begin(hz=10)
    for hz, instrument in ((1_000_000, 3), (20, 7)):
        stage.wish(hz, instrument)
    await stage.until(lambda: stage.source.asked[-1][0] == (7, 3, 0))
    assert stage.source.asked[-1][1] == 100


async def test_what_is_no_wish_is_passed_over(stage: Stage) -> None:
    for raw in (b"\xff", msgspec.msgpack.encode(["fast"]), b"x" * 200):
        stage.watcher.wish(raw)
    await stage.begin()
    assert set(stage.source.asked) == {((0,), 100)}


async def test_a_frame_waits_for_inputs_to_end_but_not_for_ever(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.begin()
    monkeypatch.setattr(publisher_module, "OVERDUE_NS", 3_600_000 * MS)
    stage.inputs, before = 1, stage.telemetry.frames
    await stage.until(lambda: stage.telemetry.put_off > 10)
    assert stage.telemetry.frames == before
    monkeypatch.setattr(publisher_module, "OVERDUE_NS", 20 * MS)
    stage.wish()
    await stage.until(lambda: stage.telemetry.frames > before)


async def test_a_view_that_raises_is_told_and_tried_again_with_the_next_wish(stage: Stage) -> None:
    stage.source.fault = KeyError("trades")
    recent = events.Recent()
    stage.wish()
    async with asyncio.timeout(10):
        while stage.telemetry.failures < 5:
            stage.wish()
            await asyncio.sleep(0.01)
    lines = [text for _, _, _, text in recent.tail(10) if "telemetry_failed" in text]
    recent.close()
    assert [line.split()[1] for line in lines] == ["times=1", "times=2", "times=4"]
    stage.source.fault = None
    await stage.begin()


async def test_a_watcher_that_never_reads_blocks_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await stage.begin()
    frame = msgspec.structs.replace(EMPTY, sections=(Latency("hop", list(range(1_000_000, 1_000_960))),))
    raw = encode_frame(frame)
    for _ in range(5_000):  # 24 MB; what is kept for it is a few frames and a kernel buffer
        stage.telemetry._tap.publish(raw)
    await asyncio.sleep(0.1)
    assert len(stage.watcher.take()) < 500


async def test_the_socket_is_the_users_alone_and_never_taken_from_a_live_owner(stage: Stage) -> None:
    path = Path(stage.endpoint.removeprefix("ipc://"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700  # as umask 077 leaves a socket
    with pytest.raises(MailboxError, match="held by another process"):
        Tap(stage.mailboxes, "telemetry", stage.endpoint)


def test_a_frame_of_another_version_says_what_to_do() -> None:
    no_text = encode_frame(msgspec.structs.replace(EMPTY, sections=(Health((("good", 1),)),))).replace(
        b"good", b"b\xffd!"
    )
    for raw in (b"TT0rest", FORMAT + b"\xc1", b"", no_text):
        with pytest.raises(FormatDiffers, match="touchline"):
            decode_frame(raw)
    assert decode_frame(encode_frame(EMPTY)) == EMPTY


# -- the reader -------------------------------------------------------------------------------------------------------


@pytest.fixture
def house() -> House:
    """Forty levels a side around 60000.00 x 60000.01, and an order of ours on each."""
    house = House()
    house.start(balances=(Balance("BTC", 10**9, 0), Balance("USDT", 10**14, 0)))
    house.receive(house.depth(1, 5, [], []))
    bids = [[f"{60_000 - n / 100:.2f}", f"{n + 1}.00000"] for n in range(40)]
    asks = [[f"{60_000.01 + n / 100:.2f}", f"{n + 1}.00000"] for n in range(40)]
    house.answer_snapshot(5, bids, asks)
    house.receive(house.depth(6, 6, [["60000.00", "7.00000"]], []))
    return house


def node(house: House) -> Any:
    """As much of a node as a reader looks at: its actors, host, doors and counters are real."""
    return SimpleNamespace(
        actors=house.actors, host=house.host, instruments={row.instrument: row for row in house.instruments},
        clock=house.clock, config=parse(CONFIG), placement=ALONE, supervisor=Supervisor(), collector=Collector(),
        recent=events.Recent(), order_door=house.door, index=SimpleNamespace(behind=0), stalls=0, stall_max_s=0.0,
    )  # fmt: skip


def test_a_frame_has_the_book_and_the_orders_as_they_are_between_two_inputs(house: House) -> None:
    frame = Reader(node(house)).frame((-1,), 50)
    [ladder] = frame.ladders
    bids, asks = house.actor("orderbook").entries[0].book.levels(LADDER_LEVELS)
    assert (ladder.bid_prices, ladder.bid_quantities) == bids
    assert (ladder.ask_prices, ladder.ask_quantities) == asks
    assert len(ladder.bid_prices) == len(ladder.ask_prices) == 25
    assert (ladder.sequence, ladder.bid_quantities[0]) == (6, 700_000_000)
    assert frame.now_ns == house.clock.now_ns()
    rows = house.actor("execution").view()["orders"]
    assert [(o.side, o.price_ticks, o.leaves_lots) for o in frame.orders] == [
        ({"BUY": 1, "SELL": -1}[row[2]], row[3], row[4]) for row in rows
    ]
    assert {order.side for order in frame.orders} == {1, -1}


def test_every_section_comes_round_within_a_second_at_any_rate(house: House) -> None:
    for hz in (1, 10, 50, 100):
        reader = Reader(node(house))
        frames = [decode_frame(encode_frame(reader.frame((0,), hz))) for _ in range(hz)]
        sections = [section for frame in frames for section in frame.sections]
        assert {About, Board, Trading, Health, Log, Latency} <= {type(section) for section in sections}
        hops = {section.name for section in sections if isinstance(section, Latency)}
        assert hops == {*house.host.histograms(), "tick_to_order", "write", "frame"}


def test_a_book_that_is_not_live_shows_no_price(house: House) -> None:
    house.receive(house.depth(999, 999, [], []))  # a gap
    [ladder] = Reader(node(house)).frame((0,), 50).ladders
    assert (ladder.bid_prices, ladder.ask_prices) == ((), ())


def test_what_another_host_has_is_left_out(house: House) -> None:
    part = node(house)
    part.actors = [actor for actor in house.actors if actor.name in ("market_data", "orderbook", "microstructure")]
    del part.order_door
    reader = Reader(part)
    frames = [reader.frame((0,), 50) for _ in range(60)]
    assert frames[0].orders == ()
    assert frames[0].ladders[0].bid_prices
    kinds = {type(section).__name__ for frame in frames for section in frame.sections}
    assert kinds == {"About", "Health", "Log", "Latency", "Shape", "Tape"}


def test_at_100_hz_every_second_frame_bears_no_section(house: House) -> None:
    reader = Reader(node(house))
    assert sum(not reader.frame((0,), 100).sections for _ in range(200)) == 100
