"""What the console writes, without a terminal: pure functions of a scene and a size."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.latency import Histogram
from bus.messages import BookReason, BookState
from ops.cli.monitor import monitor
from ops.console import picture, plain
from ops.console.edges import header, summary
from ops.console.guide import WORDS, guide
from ops.console.layout import HEIGHT_MIN, PANELS, WIDE, WIDTH_MIN, arrange, render, too_small
from ops.console.model import SNAPSHOT_NS, WINDOW_NS, Model, Rate, Scene
from ops.console.panels import signals
from ops.console.screen import EVERY_FRAME
from ops.console.text import Column, Span, Style, age, bar, clipped, clock, decimals, fixed, line, printable, table
from ops.telemetry import (
    About,
    Board,
    BoardRow,
    Coordination,
    ExitRow,
    Exits,
    Frame,
    Health,
    Ladder,
    Latency,
    Listing,
    Log,
    LogLine,
    OwnOrder,
    Print,
    Section,
    Shape,
    Side,
    Tape,
    Trading,
)

S = 1_000_000_000
NOW = 1_700_000_000 * S
BTC = Listing(0, "BTCUSDT", "BTC", "USDT", 8, 8, 8, 8, 1_000_000, 1_000)
ETH = Listing(1, "ETHUSDT", "ETH", "USDT", 8, 8, 8, 8, 1_000_000, 10_000)
BID, ASK, TICK = 6_000_000_000_000, 6_000_001_000_000, 1_000_000


def ladder(levels: int = 25, state: BookState = BookState.LIVE) -> Ladder:
    """Quantities grow from the touch: 0.01, 0.02, ..."""
    quantities = tuple(1_000_000 * (n + 1) for n in range(levels))
    bids, asks = (tuple(start + sign * TICK * n for n in range(levels)) for start, sign in ((BID, -1), (ASK, 1)))
    return Ladder(0, state, 4711, NOW - 12_000_000, bids, quantities, asks, quantities)


def about(state: str = "ACTIVE", leader: str = "vm:7", phase: str = "READY") -> About:
    return About(7, "engine", leader, "binance-spot", "main", "main", 123_456, NOW - 65 * S, state, phase, (BTC, ETH))


SECTIONS: tuple[Section, ...] = (
    about(),
    Board((BoardRow(0, 1, BID, ASK, -150_000, 6.0e12, 123_456_789, -2_345), BoardRow(1, 1, 0, 0, 0, 0.0, 0, 0))),
    Tape(0, (Print(NOW, BID, 5_000_000, -1), Print(NOW - S, ASK, 7_000_000, 1))),
    Shape(0, True, -25_000_000, 1.5e6, -0.25, 3, Side(True, 9), Side()),
    Exits(True, (ExitRow(0, "HOLDING", NOW, BID + 99 * TICK, 0, BID - 99 * TICK),)),
    Coordination("LEADING", ((0, 1, 0, 0),), ((1, NOW + 90 * S, "stop loss"), (0, NOW - S, "over"))),
    Trading((("engine", "ACTIVE"), ("instrument:1", "CANCEL_ONLY")), (("instrument:1", "rejects", "CANCEL_ONLY", "5 in 1 s"),),
            1, "loop 159 ms", (("feed", -1), ("acknowledgement", 12_000_000), ("loop", 159_000_000)), 2),
    Health((("frames", 1_234_567), ("gaps", 2), ("stall_max_s", 0.25))),
    Log((LogLine(1, NOW / 1e9, 20, "recovered epoch=7"), LogLine(2, NOW / 1e9, 50, "engine_failed reason=\x1b[2J"))),
    Latency("tick_to_order", Histogram([0] * 960).counts),
)  # fmt: skip
OWN = (
    OwnOrder(0, "main", 1, 6_000_000, 100, "WORKING", "tl1", NOW - 3 * S, 25, 4),
    OwnOrder(0, "main", -1, 6_000_003, 250, "SENT", "tl2", NOW - S),
)


def scene(*sections: Section, book: Ladder | None = None, orders: tuple[OwnOrder, ...] = OWN, **more: object) -> Scene:
    """A second after boot the engine sent one frame with everything."""
    model = Model()
    model.take(Frame(1, NOW, S, (book or ladder(),), orders, sections or SECTIONS), S)
    return Scene(model, **({"now_ns": S, "fps": 50.0} | more))  # type: ignore[arg-type]


def rows_of(picture_lines: list[str]) -> dict[str, str]:
    """The ladder's rows of a 160x50 picture by price."""
    left = [row[2:74] for row in picture_lines]
    return {cells[0]: row for row in left if (cells := row.split()) and re.fullmatch(r"[0-9,]+\.[0-9]{2}", cells[0])}


# -- the ladder -------------------------------------------------------------------------------------------------------


def test_at_160_by_50_at_least_twelve_levels_a_side_stand_around_the_touch_in_order() -> None:
    prices = list(rows_of(render(scene(), 160, 50)))
    asks, bids = prices[: len(prices) // 2], prices[len(prices) // 2 :]
    assert len(asks) == len(bids) >= 12
    assert asks == [f"60,000.{n:02d}" for n in range(len(asks), 0, -1)]
    assert bids == ["60,000.00", *(f"59,999.{99 - n:02d}" for n in range(len(bids) - 1))]


def test_a_level_has_price_size_sum_from_the_touch_and_a_bar_of_its_size() -> None:
    rows = rows_of(render(scene(), 160, 50))
    bars = [row.split()[3] for row in rows.values()]
    assert rows["60,000.04"].split()[:3] == ["60,000.04", "0.04000", "0.10000"]
    asks = bars[: len(bars) // 2]
    assert set(asks[0]) == {"█"}
    assert asks[-1] == bar(1, len(asks), len(asks[0]))
    assert asks == sorted(asks, key=len, reverse=True)


def test_own_orders_stand_beside_their_price_with_lots_left_and_the_queue_before_them() -> None:
    rows = rows_of(render(scene(), 160, 50))
    assert rows["60,000.00"].rstrip().endswith("< 0.00100 q 0.00025")
    assert rows["60,000.03"].rstrip().endswith("< 0.00250 sent")
    assert [price for price, row in rows.items() if "<" in row] == ["60,000.03", "60,000.00"]


def test_orders_at_one_price_are_summed_and_the_first_in_the_queue_is_told() -> None:
    twice = (OWN[0], OwnOrder(0, "exits", 1, 6_000_000, 50, "WORKING", "tl3", NOW, 7, 0))
    assert "< 0.00150 q 0.00007" in rows_of(render(scene(orders=twice), 160, 50))["60,000.00"]


def test_a_book_that_is_not_live_shows_no_price_but_its_state() -> None:
    lost = Ladder(0, BookState.INVALID, 4711, NOW - 3 * S)
    picture_lines = render(scene(book=lost), 160, 50)
    assert rows_of(picture_lines) == {}
    assert "the book is INVALID" in "".join(picture_lines)
    assert "last update 4711, 3.0 s ago" in "".join(picture_lines)


@pytest.mark.parametrize("state", [state for state in BookState if state != BookState.LIVE])
def test_signals_of_a_book_that_is_not_live_are_blank(state: BookState) -> None:
    def figures(shown: Scene) -> list[str]:
        return ["".join(span.text for span in row).split()[-1] for row in signals(shown, 30, 9)]

    live, lost = figures(scene()), figures(scene(book=Ladder(0, state, 4711, NOW - 3 * S)))
    assert live == ["-0.25", "-0.250", "+3", "1.50", "bids", "0", "full"]
    assert lost == ["-"] * len(live)
    assert "frame" in PANELS["signals"].needs, "the state is the frame's: drawn when the ladder is emptied"


def test_a_side_with_few_levels_leaves_the_touch_where_it_is() -> None:
    def middle(book: Ladder) -> int:
        return next(n for n, row in enumerate(render(scene(book=book), 160, 50)) if "spread" in row)

    assert middle(ladder(3)) == middle(ladder(25))


def test_an_empty_side_is_said() -> None:
    whole = ladder()
    half = Ladder(0, 1, 1, NOW, whole.bid_prices, whole.bid_quantities)
    assert "one side is empty" in "".join(render(scene(book=half), 160, 50))


def test_the_spread_is_told_in_ticks_and_basis_points() -> None:
    assert "mid 60,000.005   spread 0.01 = 1 tick, 0.002 bp" in "".join(render(scene(), 160, 50))


# -- the other panels -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "> BTCUSDT LIVE -0.00150000 60,000.00 0.0000 +1.2345 2", "ETHUSDT LIVE 0.00000000 - 0.0000 0.0000 -",
        "BTCUSDT BUY 60,000.00 0.00100 0.00025 0.00004 working 3.0 s tl1", "SELL 60,000.03 0.00250 - - sent 1.0 s tl2",
        "22:13:20.000 60,000.00 0.05000",  # a trade
        "engine ACTIVE", "ETHUSDT CANCEL_ONLY", "ETHUSDT: rejects (5 in 1 s)",
        "late, step 1: loop 159 ms", "late ms: ack 12 loop 159", "requests held back: 2",
        "leader vm:7", "BTCUSDT 1 peer", "ETHUSDT cools down 90 s: stop loss",
        "BTCUSDT exit holding", "target 60,000.99", "stop 59,999.01",
        "| gaps 2 |", "frames 1,234,567",
        "pressure -0.25", "order flow -0.250", "thin ice bids", "spread ticks 1.50",
        "22:13:20.000 recovered epoch=7", "engine_failed reason=?[2J",  # what a venue wrote is no escape sequence
    ],
)  # fmt: skip
def test_a_large_picture_tells(said: str) -> None:
    assert said in " ".join("\n".join(render(scene(), 200, 64)).split())


def test_trouble_stands_before_the_other_counters() -> None:
    text = "\n".join(render(scene(), 160, 50))
    assert text.index("| gaps ") < text.index("| frames ")


def test_a_cooldown_that_is_over_is_not_shown() -> None:
    assert ": over" not in "\n".join(render(scene(), 200, 64))


def test_more_orders_than_room_are_counted() -> None:
    many = tuple(OwnOrder(0, "main", 1, 6_000_000 - n, 100, "WORKING", f"tl{n}", NOW) for n in range(30))
    assert "and 27 more" in "\n".join(render(scene(orders=many), 160, 50))


def test_before_the_first_section_every_panel_says_so() -> None:
    model = Model()
    assert "connecting" in "".join(render(Scene(model, S), 160, 50))


# -- header -----------------------------------------------------------------------------------------------------------


def head(shown: Scene, width: int = 160) -> str:
    return "".join(span.text for span in header(shown, width))


def test_the_header_names_venue_symbol_state_term_age_and_rate() -> None:
    said = head(scene())
    for part in (
        "binance-spot",
        "BTCUSDT 1/2",
        " ACTIVE ",
        "epoch 123,456",
        "leader vm:7",
        "up 65 s",
        "12 ms old",
        "50.0 fps",
    ):
        assert part in said
    assert len(said) == 160


def test_the_least_important_gives_way_and_symbol_state_age_and_rate_stay() -> None:
    said = head(scene(), 60)
    assert len(said) == 60
    for part in ("BTCUSDT 1/2", "ACTIVE", "12 ms old", "50.0 fps"):
        assert part in said


@pytest.mark.parametrize(
    ("state", "phase", "said"),
    [
        ("HALTED", "READY", " HALTED "),
        ("CANCEL_ONLY", "ASKING", " CANCEL_ONLY, orders ASKING "),
        ("STANDING_BY", "", " standing by, vm:7 leads "),
    ],
)
def test_a_state_that_is_not_active_cannot_be_overlooked(state: str, phase: str, said: str) -> None:
    spans = header(scene(about(state, phase=phase)), 160)
    assert [span.text for span in spans if span.style is Style.ALERT] == [said]


def test_data_older_than_a_second_is_marked() -> None:
    old = [span.text for span in header(scene(now_ns=2 * S - 1), 160) if span.style is Style.ALERT]
    assert old == [" data 1.0 s old "]


@pytest.mark.parametrize(
    ("lag_ns", "uncertainty_ns", "said", "style"),
    [
        (12_000_000, 3_000_000, " lag 12 ms +-3 ms ", Style.BANNER),
        (0, 900_000, " lag 0 ms +-1 ms ", Style.BANNER),
        (1_500_000_000, 600_000_000, " lag 1.5 s +-600 ms ", Style.BANNER),  # it may be below a second
        (1_500_000_000, 400_000_000, " lag 1.5 s +-400 ms ", Style.ALERT),
        (-1, 0, "", Style.BANNER),
    ],
)
def test_the_lag_of_the_venues_stamps_stands_beside_the_age(
    lag_ns: int, uncertainty_ns: int, said: str, style: Style
) -> None:
    lagging = msgspec.structs.replace(ladder(), lag_ns=lag_ns, uncertainty_ns=uncertainty_ns)
    found = [span for span in header(scene(book=lagging), 160) if "lag" in span.text]
    assert found == ([Span(said, style)] if said else [])
    shown = {width: head(scene(book=lagging), width) for width in (60, 75)}
    assert all("12 ms old" in text for text in shown.values())
    assert [width for width, text in shown.items() if "lag" in text] == ([75] if style is Style.ALERT else [])


def test_an_engine_that_is_gone_is_said_with_the_reason_and_since_when() -> None:
    gone = scene(now_ns=6 * S)
    gone.model.trouble = "no engine runs on this directory; start it with `touchline run`"
    assert "no engine runs on this directory; start it with `touchline run`, last frame 5.0 s ago" in head(gone)


def test_a_line_for_a_file_says_the_same() -> None:
    said = plain.text(scene())
    for part in ("BTCUSDT", "ACTIVE", "50.0 fps", "position -0.00150", "realized +1.2345", "2 working"):
        assert part in said
    assert "\n" not in said


# -- hosts of a split engine ------------------------------------------------------------------------------------------


def row(state: BookState = BookState.LIVE, reason: str = "", instrument: int = 0) -> BoardRow:
    return BoardRow(instrument, state, BID, ASK, 0, 0.0, 0, 0, reason)


LOST = row(BookState.INVALID, "HOST_LOST")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((row(), row(instrument=1)), []),
        ((LOST, row(instrument=1)), [" BTCUSDT INVALID HOST_LOST "]),
        ((row(), row(BookState.SYNCING, instrument=1)), [" ETHUSDT SYNCING "]),
        ((row(BookState.STALE, "CONNECTION_LOST", 1), LOST), [" BTCUSDT INVALID HOST_LOST, 1 more "]),
    ],
)
def test_books_that_are_not_live_stand_in_red_whatever_the_engines_state(rows: Any, said: list[str]) -> None:
    seen = scene(about(), Board(rows, books_at="data"))
    assert [span.text for span in header(seen, 160) if span.style is Style.ALERT] == said
    assert [text.strip() in plain.text(seen) for text in said] == [True] * len(said)


def test_the_smallest_header_still_has_the_book_that_is_lost() -> None:
    assert "BTCUSDT INVALID HOST_LOST" in head(scene(about(), Board((LOST,))), 60)


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (160, 50)])
def test_a_host_without_books_shows_the_touch_and_where_the_ladder_is(size: tuple[int, int]) -> None:
    text = "\n".join(render(scene(about(), Board((row(),), books_at="data"), book=ladder(1)), *size))
    for said in ("the ladder is at host data", "touchline monitor --state ITS_DIRECTORY", "BTCUSDT touch, update 4711",
                 "60,000.01", "60,000.00", "< 0.00100 q 0.00025"):  # fmt: skip
        assert said in text


def test_a_host_whose_books_are_lost_says_why_and_where_they_are() -> None:
    gone = Ladder(0, BookState.INVALID, 0, 0)
    text = "\n".join(render(scene(about(), Board((LOST,), books_at="data"), book=gone), 60, 15))
    assert "the book is INVALID, HOST_LOST" in text
    assert "no update yet" not in text
    assert "the ladder is at host data" in text


def test_what_comes_with_the_books_is_where_they_are() -> None:
    text = "\n".join(render(scene(about(), Board((row(),), books_at="data")), 160, 50))
    assert text.count("| at host data ") == 2, "trades and signals"


def test_figures_of_a_tenth_of_a_second_do_not_run_into_each_other() -> None:
    slow = Histogram()
    slow.record(142_606_000)
    text = "\n".join(render(scene(*SECTIONS[:-1], Latency("risk", slow.counts)), 160, 50))
    assert re.search(r"risk +1[0-9]{2},[0-9]{3} +1[0-9]{2},[0-9]{3} +1[0-9]{2},[0-9]{3} ", text)


def test_a_host_with_books_alone_says_where_the_rest_is() -> None:
    seen = scene(about("BOOKS_ONLY", "", ""), Board((row(),), trades_at="trade"), orders=())
    said = head(seen)
    assert " books only " in said
    assert [span for span in header(seen, 160) if span.style is Style.ALERT] == []
    assert [word for word in ("CANCEL_ONLY", "orders", "epoch", "account") if word in said] == []
    assert "bid 60,000.00  ask 60,000.01  orders are at host trade" in "".join(span.text for span in summary(seen, 100))
    text = "\n".join(render(seen, 160, 50))
    for part in ("Books; positions are at host trade", "orders are at host trade", "trading: trade"):
        assert part in text


def test_panels_that_tell_own_orders_are_drawn_from_every_frame() -> None:
    assert {"ladder", "position", "orders"} <= set(EVERY_FRAME)


# -- the page that explains -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(156, 46), (196, 60)])
def test_a_large_terminal_has_every_word_explained(width: int, height: int) -> None:
    text = "\n".join("".join(span.text for span in spans) for spans in guide(width, height))
    assert [name for _, words in WORDS for name, _ in words if name not in text] == []
    assert [title for title, _ in WORDS if title not in text] == []
    assert "lines more" not in text


@given(width=st.integers(30, 200), height=st.integers(1, 70))
def test_the_page_has_its_size_and_says_what_is_missing(width: int, height: int) -> None:
    lines = guide(width, height)
    assert len(lines) <= height
    assert len(lines) < height or "lines more" in lines[-1][0].text or len(guide(width, 200)) >= height
    assert all(len("".join(span.text for span in spans)) <= max(width, 56) for spans in lines[:-1])


# -- where ------------------------------------------------------------------------------------------------------------


@given(
    width=st.integers(WIDTH_MIN, 300), height=st.integers(HEIGHT_MIN, 100), count=st.integers(0, 9), help=st.booleans()
)
def test_panels_never_overlap_nor_leave_the_terminal(width: int, height: int, count: int, help: bool) -> None:
    taken: set[tuple[int, int]] = set()
    places = arrange(width, height, count, help=help)
    for place in places:
        assert min(place.inside) > 0
        cells = {(y, x) for y in range(place.y, place.y + place.height) for x in range(place.x, place.x + place.width)}
        assert not cells & taken
        taken |= cells
    assert all(0 <= y < height and 0 <= x < width for y, x in taken)
    assert help or "ladder" in [place.name for place in places]


@given(width=st.integers(WIDTH_MIN, 200), height=st.integers(HEIGHT_MIN, 70))
def test_a_picture_has_exactly_its_size(width: int, height: int) -> None:
    lines = render(scene(), width, height)
    assert [len(row) for row in lines] == [width] * height


@pytest.mark.parametrize(("size", "names"), [
    ((160, 50), {"ladder", "position", "orders", "trades", "latency", "states", "health", "signals", "log"}),
    ((136, 30), {"ladder", "position", "orders", "trades", "latency", "log"}),
    ((80, 24), {"ladder", "position"}),
    ((60, 15), {"ladder", "summary"}),
])  # fmt: skip
def test_smaller_terminals_drop_panels(size: tuple[int, int], names: set[str]) -> None:
    assert {place.name for place in arrange(*size, 2)} == names | {"header", "footer"}


def test_the_smallest_terminal_has_four_levels_a_side() -> None:
    rows = [row.split()[1] for row in render(scene(), 60, 15) if re.match(r"\| +[0-9,]+\.[0-9]{2} ", row)]
    assert len(rows) == 8


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((59, 50), "terminal too small: 59x50, at least 60x15"), ((160, 14), "terminal too small: 160x14, at least 60x15"),
        ((40, 10), "60x15 needed: 40x10"), ((20, 10), "60x15 needed: 20x10"), ((1, 1), "60x15 needed: 1x1"),
    ],
)  # fmt: skip
def test_a_terminal_that_is_too_small_is_told_what_it_lacks(size: tuple[int, int], said: str) -> None:
    assert too_small(*size) == said
    assert len(render(scene(), *size)) == size[1]


def test_what_a_narrow_terminal_lacks_is_not_cut() -> None:
    assert [
        (width, height) for width in range(20, 60) for height in (1, 99) if len(too_small(width, height)) >= width
    ] == []


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_the_summary_has_whole_pieces_the_most_important_first(width: int) -> None:
    pieces = ["position -0.00150", "2 working", "unrealized 0.0000", "realized +1.2345"]
    said = "".join(span.text for span in summary(scene(), width)).strip().split("  ")
    assert said == pieces[: {20: 1, 40: 2, 60: 3}.get(width, 4)]


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("size", [(1, 1), (12, 3), (40, 1), (200, 60)])
def test_no_panel_writes_more_lines_than_it_has(name: str, size: tuple[int, int]) -> None:
    assert len(PANELS[name].body(scene(), *size)) <= max(size[1], 2)


# -- the model --------------------------------------------------------------------------------------------------------


def test_a_frame_that_counts_anew_is_another_engine_and_nothing_of_the_last_one_stays() -> None:
    model = scene().model
    model.take(Frame(1, NOW, 2 * S, (), (), ()), 2 * S)
    assert (model.about, model.board, model.hops, model.tapes) == (None, None, {}, {})


def test_latencies_are_of_the_last_half_minute_once_so_long_was_watched() -> None:
    model = Model()

    def sees(number: int, at_ns: int, values: list[int]) -> Histogram:
        counted = Histogram()
        for value in values:
            counted.record(value)
        model.take(Frame(number, NOW, at_ns, (), (), (Latency("risk", counted.counts),)), at_ns)
        return model.hops["risk"]

    outlier, usual = 9_000_000, 7_000
    assert sees(1, 0, [outlier]).max_ns >= outlier
    assert sees(2, SNAPSHOT_NS, [outlier, usual]).count == 2
    seen = sees(3, WINDOW_NS + SNAPSHOT_NS, [outlier, usual, usual])
    assert (seen.count, seen.max_ns < 2 * usual) == (1, True)


def test_a_rate_is_of_the_last_two_seconds() -> None:
    rate = Rate()
    for n in range(200):
        rate.count(n * S // 50)
    assert rate.per_second(4 * S) == pytest.approx(50.0)
    assert rate.per_second(7 * S) == 0.0


def test_a_round_of_instruments_goes_both_ways() -> None:
    model = scene().model
    assert [row.symbol for row in map(model.listing, (-1, 0, 1, 2)) if row] == [
        "ETHUSDT",
        "BTCUSDT",
        "ETHUSDT",
        "BTCUSDT",
    ]


# -- numbers and text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("units", "scale", "places", "text"),
    [
        (-150_000_000, 8, 2, "-1.50"), (-1, 8, 2, "0.00"), (123_456_789_012, 8, 2, "1,234.56"), (5, 0, 0, "5"),
        (5, 0, 2, "5.00"), (1_234_567, 0, 0, "1,234,567"), (0, 8, 4, "0.0000"),
    ],
)  # fmt: skip
def test_integers_become_text_with_thousands(units: int, scale: int, places: int, text: str) -> None:
    assert fixed(units, scale, places) == text


def test_a_sign_is_shown_where_it_says_something() -> None:
    assert [fixed(units, 8, 2, plus=True) for units in (10**8, 0, -(10**8))] == ["+1.00", "0.00", "-1.00"]


def test_digits_after_the_point_follow_tick_and_lot() -> None:
    assert [decimals(unit, 8) for unit in (1_000_000, 1_000, 100_000_000, 1)] == [2, 5, 0, 8]


def test_bars_are_exact_to_an_eighth_and_never_longer_than_their_room() -> None:
    assert [bar(value, 8, 1) for value in range(9)] == ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"]
    assert (bar(1, 10**9, 5), bar(10**9, 10**9, 5), bar(2 * 10**9, 10**9, 5)) == ("▏", "█████", "█████")
    assert (bar(1, 2, 4, fine=False), bar(0, 2, 4), bar(1, 0, 4)) == ("##", "", "")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (-5, "0 ms"),
        (999_000_000, "999 ms"),
        (3_210_000_000, "3.2 s"),
        (61 * S, "61 s"),
        (120 * S, "2 min"),
        (7_200 * S, "2 h"),
    ],
)
def test_ages_are_in_the_unit_a_person_would_choose(ns: int, text: str) -> None:
    assert age(ns) == text


def test_times_are_of_the_utc_day() -> None:
    assert (clock(NOW), clock(NOW + 7_000_000, millis=True)) == ("22:13:20", "22:13:20.007")


def test_text_from_elsewhere_stays_on_its_line_and_in_its_width() -> None:
    assert printable("a\nb\x1b[2J", 80) == "a?b?[2J"
    assert printable("abcdef", 4) == "abc~"
    assert clipped(line("a\0b", Span("\x1b[2Jcd", Style.BID)), 6) == (Span("a?b"), Span("?[2", Style.BID))


def test_a_table_drops_the_columns_that_matter_least() -> None:
    columns = (Column("a", 3), Column("b", 4, 2), Column("c", 5, 1), Column("d", 3, 9, right=False))
    rows = [[Span("1"), Span("2"), Span("3"), Span("four")]]

    def texts(width: int) -> list[str]:
        return ["".join(span.text for span in row) for row in table(columns, rows, width, 9)]

    assert texts(15) == ["  a   b    cd  ", "  1   2    3fou"]
    assert texts(12) == ["  a   b    c", "  1   2    3"]
    assert texts(8) == ["  a    c", "  1    3"]
    assert texts(2) == ["  a", "  1"]
    assert table(columns, rows, 15, 1) == table(columns, [], 15, 1)
    assert line("x", Span("y", Style.DIM)) == (Span("x"), Span("y", Style.DIM))


# -- the picture for the documentation --------------------------------------------------------------------------------


def test_a_screen_becomes_an_svg_with_its_colors_frames_and_bars() -> None:
    screen = "\x1b[38;5;255m\x1b[48;5;24m head \x1b[0m\n┌── a<b ┐\n│\x1b[1;32m1.50\x1b[22m ██▌\x1b[39m │\n"
    drawn = picture.svg(screen)
    assert '<rect x="10" y="10" width="48" height="17" fill="#005f87"/>' in drawn
    assert 'fill="#eeeeee" textLength="32" xml:space="preserve">head</text>' in drawn
    assert "a&lt;b" in drawn
    assert 'font-weight="bold" textLength="32" xml:space="preserve">1.50</text>' in drawn
    assert f'<rect x="58" y="46" width="20" height="13" fill="{picture.BASE[2]}"/>' in drawn
    assert drawn.count("<path") == 5
    with pytest.raises(ValueError, match="empty"):
        picture.svg("\n\n")


def test_the_howto_names_every_option_and_every_key() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "console.md").read_text(encoding="utf-8")
    options = [option for parameter in monitor.params for option in parameter.opts]
    assert [option for option in options if f"`{option}" not in page] == []
    assert [key for key in ("`q`", "Tab", "`p`", "`?`") if key not in page] == []
    assert [name for _, words in WORDS[1:] for name, _ in words if f"**{name}**" not in page] == []
    never_said = {BookReason.BUFFER_FULL}
    assert [reason.name for reason in set(BookReason) - never_said if reason.name not in page] == []
    assert f"{WIDTH_MIN} x {HEIGHT_MIN} is" in page
    assert f"From {WIDE} columns on" in page
