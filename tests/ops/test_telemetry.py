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
from bus.messages import Balance, BookReason, BookState, BookStateChanged, Reconciled
from ops import events
from ops.config import parse
from ops.hosts import ALONE, HostSection, Placement
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
    OwnOrder,
    Reader,
    Telemetry,
    Trading,
    Upkeep,
    Wish,
    decode_frame,
    encode_frame,
)
from ops.telemetry import publisher as publisher_module
from ops.telemetry.books import within_level
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
        async with asyncio.timeout(60):
            while not held():
                await asyncio.sleep(0.005)

    async def begin(self, hz: int = 100) -> None:
        """Connected, and frames come."""
        async with asyncio.timeout(60):
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
    async with asyncio.timeout(60):
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
        recent=events.Recent(), order_door=house.door, stalls=0, stall_max_s=0.0,
        records=SimpleNamespace(index=SimpleNamespace(behind=0)), rest=SimpleNamespace(budgets={}),
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


@pytest.mark.parametrize("host", ["whole", "data", "trade"])
def test_the_lag_is_as_the_feed_last_told(house: House, host: str) -> None:
    """On a host with books market data knows it, on one without risk, which judges by it."""
    part = node(house) if host == "whole" else split(house, host)
    part.supervisor.handlers[BookStateChanged](BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 5), 0)
    assert Reader(part).frame((0,), 50).ladders[0].lag_ns == -1
    feed = house.actor("market_data").synchronizers[0]
    told = feed.age.say(0, 12_000_000, 3_000_000, 0, house.clock.now_ns())
    house.actor("risk").receive(told, house.clock.now_ns())
    [ladder] = decode_frame(encode_frame(Reader(part).frame((0,), 50))).ladders
    assert (ladder.lag_ns, ladder.uncertainty_ns) == (12_000_000, 3_000_000)


def test_every_section_comes_round_within_a_second_at_any_rate(house: House) -> None:
    for hz in (1, 10, 50, 100):
        reader = Reader(node(house))
        frames = [decode_frame(encode_frame(reader.frame((0,), hz))) for _ in range(hz)]
        sections = [section for frame in frames for section in frame.sections]
        assert {About, Board, Trading, Health, Log, Latency} <= {type(section) for section in sections}
        hops = {section.name for section in sections if isinstance(section, Latency)}
        assert hops == {*house.host.histograms(), "tick_to_order", "journal", "write", "frame"}


def test_a_book_that_is_not_live_shows_no_price(house: House) -> None:
    house.receive(house.depth(999, 999, [], []))  # a gap
    [ladder] = Reader(node(house)).frame((0,), 50).ladders
    assert (ladder.bid_prices, ladder.ask_prices) == ((), ())


def test_what_another_host_has_is_left_out(house: House) -> None:
    part = split(house, "data")
    del part.order_door
    reader = Reader(part)
    frames = [reader.frame((0,), 50) for _ in range(60)]
    assert frames[0].orders == ()
    assert frames[0].ladders[0].bid_prices
    kinds = {type(section).__name__ for frame in frames for section in frame.sections}
    assert kinds == {"About", "Board", "Health", "Log", "Latency", "Shape", "Tape", "Upkeep"}


def split(house: House, name: str) -> Any:
    """One host of an engine on two: "data" with the books, "trade" with everything else."""
    books = ("market_data", "orderbook", "microstructure")
    actors = {"data": books, "trade": tuple(actor.name for actor in house.actors if actor.name not in books)}
    hosts = {number: HostSection(host, actors[host], "ipc://x") for number, host in enumerate(actors)}
    part = node(house)
    number = list(actors).index(name)
    part.placement = Placement(number, hosts.pop(number), hosts)
    part.actors = [actor for actor in house.actors if actor.name in actors[name]]
    return part


def sections(reader: Reader, kind: type[Any]) -> list[Any]:
    """All of a kind that a second brings."""
    frames = [reader.frame((0,), 50) for _ in range(50)]
    return [section for frame in frames for section in frame.sections if isinstance(section, kind)]


def test_a_host_with_books_alone_says_so_and_where_trading_is(house: House) -> None:
    part = split(house, "data")
    del part.order_door
    assert {section.state for section in sections(Reader(part), About)} == {"BOOKS_ONLY"}
    board = sections(Reader(part), Board)[0]
    assert (board.books_at, board.trades_at, board.rows[0].state) == ("", "trade", BookState.LIVE)


def test_a_host_without_books_shows_the_touch_it_judges_by_and_where_the_books_are(house: House) -> None:
    part = split(house, "trade")
    part.supervisor.handlers[BookStateChanged](BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 5), 0)
    [ladder] = Reader(part).frame((0,), 50).ladders
    assert (ladder.bid_prices, ladder.bid_quantities) == ((6_000_000_000_000,), (700_000_000,))
    assert (ladder.ask_prices, ladder.ask_quantities) == ((6_000_001_000_000,), (100_000_000,))
    assert ladder.received_ns > 0
    board = sections(Reader(part), Board)[0]
    assert (board.books_at, board.trades_at) == ("data", "")


def test_a_book_whose_host_was_lost_is_told_with_the_reason(house: House) -> None:
    part = split(house, "trade")
    lost = BookStateChanged(0, BookState.INVALID, BookReason.HOST_LOST, 0)
    part.supervisor.handlers[BookStateChanged](lost, 0)
    [ladder] = Reader(part).frame((0,), 50).ladders
    assert (ladder.state, ladder.bid_prices, ladder.ask_prices) == (BookState.INVALID, (), ())
    row = sections(Reader(part), Board)[0].rows[0]
    assert (row.state, row.reason) == (BookState.INVALID, "HOST_LOST")


def test_a_frame_before_the_first_input_has_no_book_yet() -> None:
    """A watched standby takes over: its reader begins with the host, and instruments are the host's first inputs."""
    reader = Reader(node(House()))
    frames = [decode_frame(encode_frame(reader.frame((-1,), 50))) for _ in range(50)]
    assert {frame.ladders for frame in frames} == {()}
    kinds = {type(section) for frame in frames for section in frame.sections}
    assert {About, Board, Trading, Health, Log, Latency} <= kinds


@pytest.mark.parametrize(
    ("side", "cents", "ahead", "shown"),
    [
        (1, 0, 800_000, 700_000), (1, 0, 600_000, 600_000), (1, -1, 900_000, 200_000), (-1, 1, 900_000, 100_000),
        (-1, 0, 900_000, 0), (1, 0, -1, -1),  # a level that the book lacks; not known
        (1, -5_000, 900_000, 900_000), (-1, 5_000, 900_000, 900_000),  # beyond what the book is known of
    ],
)  # fmt: skip
def test_nobody_waits_before_an_order_whom_its_level_does_not_show(
    house: House, side: int, cents: int, ahead: int, shown: int
) -> None:
    entry = house.actor("orderbook").entries[0]
    entry.book.bid_horizon, entry.book.ask_horizon = 59_990 * 10**8, -60_010 * 10**8
    order = OwnOrder(0, "main", side, 6_000_000 + cents, 100, "WORKING", "tl1", 0, ahead)
    assert within_level(order, entry, house.instrument).ahead == shown


@pytest.mark.parametrize(("lots", "shown"), [(0, False), (-8, False), (8, False), (9, True), (-9, True)])
def test_an_average_is_told_of_what_the_venue_would_take_as_an_order(house: House, lots: int, shown: bool) -> None:
    """At 60,000 a notional of 5 takes 9 lots of 0.00001; fees weigh on fewer as if they had been bought at any price."""
    part = node(house)
    lot = house.instrument.lot * 10**house.instrument.base_scale // 10**house.instrument.quantity_scale
    view = {"positions": {0: {"position": lots * lot, "average_price": 9e12}}, "pnl": {}, "fees": {}}
    part.actors = [
        SimpleNamespace(name="portfolio", view=lambda: view) if actor.name == "portfolio" else actor
        for actor in part.actors
    ]
    assert sections(Reader(part), Board)[0].rows[0].average_price == (9e12 if shown else 0.0)


def test_at_100_hz_every_second_frame_bears_no_section(house: House) -> None:
    reader = Reader(node(house))
    assert sum(not reader.frame((0,), 100).sections for _ in range(200)) == 100


def test_what_an_operator_asks_first_is_told(house: House) -> None:
    """Two quotes whose submits nobody has answered are UNKNOWN after a while, and each is named."""
    part = node(house)
    part.supervisor.handlers[Reconciled](Reconciled(0, "start", 0, 0, 2, 5), 77)
    house.wait(30_000)
    told = sections(Reader(part), Upkeep)[0]
    assert told.working == (("UNKNOWN_NEW", 2),)
    assert [(number, status) for _, number, status in told.doubtful] == [(0, "UNKNOWN_NEW")] * 2
    assert told.reconciled == (("start", 77, 2),)
    assert (told.order_entry, told.private_stream) == ("up", "TRUSTED")
