"""What is dialed and asked within the venue's limits, and how the recordings' books chain."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side, Stream
from bus.messages.feed import DepthDiff, Garbage, TradeEvent, Verdict
from gateway.binance_spot.codec import BinanceSpotCodec
from gateway.binance_spot.market import BINANCE_US, BinanceSpot
from gateway.binance_spot.rule import BINANCE_SPOT
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.binance_spot import BinanceSpotWire
from tests.gateway.wire.replay import CAPTURES, Replay, lines

MARKET = BinanceSpot()
ALL = (Stream.DEPTH, Stream.QUOTE, Stream.TRADE)
AT_NS = 1_700_000_000_000_000_000


def test_few_symbols_are_named_in_the_path() -> None:
    (plan,) = MARKET.plan(["BTCUSDT", "ETHUSDT"], (*ALL, Stream.MARK), 1_000)
    assert plan.path == (
        "/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade"
        "/ethusdt@depth@100ms/ethusdt@bookTicker/ethusdt@trade"
    )
    assert (plan.streams, plan.opening) == (ALL, ())
    assert MARKET.plan([], ALL, 5) == MARKET.plan(["BTCUSDT"], (Stream.MARK,), 5) == ()


def test_hundreds_are_subscribed_to_in_fewer_frames_than_a_second_allows() -> None:
    symbols = [f"COIN{number}USDT" for number in range(400)]
    plans = MARKET.plan(symbols, ALL, 1_000)
    assert [(plan.path, len(plan.venue_symbols)) for plan in plans] == [("/stream", 341), ("/stream", 59)]
    for plan in plans:
        asked = [msgspec.json.decode(frame) for frame in plan.opening]
        names = [name for request in asked for name in request["params"]]
        assert len(names) == len(set(names)) == 3 * len(plan.venue_symbols) <= MARKET.limits.streams_max
        assert len(asked) < MARKET.limits.frames_per_s
        assert max(map(len, plan.opening)) < 8_000


def test_a_stream_is_renewed_by_its_own_name() -> None:
    assert [msgspec.json.decode(frame) for frame in MARKET.renew("BTCUSDT", Stream.DEPTH, 5, 77)] == [
        {"method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 77},
        {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 77},
    ]


@pytest.mark.parametrize(("levels", "weight"), [(100, 5), (101, 25), (1_000, 50), (5_000, 250)])
def test_a_snapshot_costs_what_the_documents_say(levels: int, weight: int) -> None:
    assert MARKET.snapshot_path("BTCUSDT", levels) == f"/api/v3/depth?symbol=BTCUSDT&limit={levels}"
    assert MARKET.snapshot_weight(levels) == weight
    assert MARKET.snapshot_path("BTCUSDT", 9_999).endswith("limit=5000")


def test_binance_us_is_the_same_venue_elsewhere() -> None:
    us = BinanceSpot("binance-us", BINANCE_US)
    assert (us.name, us.addresses.rest, us.rule) == ("binance-us", "https://api.binance.us", MARKET.rule)
    assert us.trades_path("BTCUSD", 7, 10) == ""  # a key would be needed


def test_past_trades_are_read_oldest_first() -> None:
    path = MARKET.trades_path("BTCUSDT", 28_457, 5_000)
    assert path == "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=28457&limit=1000"
    row = {"id": 28457, "price": "4.00000100", "qty": "12", "quoteQty": "48", "time": 1499865549590}
    body = msgspec.json.encode([row | {"isBuyerMaker": True, "isBestMatch": True}])
    sold = TradeEvent("BTCUSDT", 28457, 1499865549590000000, 400_000_100, 1_200_000_000, Side.SELL)
    assert BinanceSpotCodec().decode_trades(body, "BTCUSDT") == (sold,)
    assert BinanceSpotCodec().decode_trades(b"[]", "BTCUSDT") == ()
    for bad in (b'{"code":-1003}', b"[{}]", b"[", body.replace(b'"12"', b'"nan"')):
        event = BinanceSpotCodec().decode_trades(bad, "BTCUSDT")
        assert isinstance(event, Garbage)
        assert event.venue_symbol == "BTCUSDT"


def diff(first: int, last: int) -> DepthDiff:
    return DepthDiff("X", first, last, 0, (), (), (), (), first - 1)


@pytest.mark.parametrize(
    ("event", "at", "verdict"),
    [
        (diff(6, 9), 5, Verdict.NEXT),
        (diff(6, 9), 7, Verdict.NEXT),  # an overlap: quantities are absolute, nothing is lost
        (diff(6, 9), 4, Verdict.GAP),
        (diff(6, 9), 9, Verdict.DUPLICATE),
        (diff(6, 9), 10, Verdict.STALE),
    ],
)
def test_what_a_diff_is_to_a_book(event: DepthDiff, at: int, verdict: Verdict) -> None:
    assert BINANCE_SPOT.follow(event, at) == BINANCE_SPOT.bridge(event, at) == verdict


def test_a_snapshot_from_before_the_stream_is_too_old() -> None:
    assert [BINANCE_SPOT.too_old(last, diff(6, 9)) for last in (4, 5, 6)] == [True, True, False]


@given(
    st.integers(0, 1_000), st.lists(st.integers(1, 4), min_size=2, max_size=30), st.integers(0, 40), st.integers(0, 40)
)
def test_a_book_taken_up_anywhere_is_the_true_one(seed: int, cuts: list[int], taken: int, fetched: int) -> None:
    """The stream is heard from frame `taken` on; the snapshot is of frame `fetched`, and comes when all is there."""
    wire, book = BinanceSpotWire("X", 2, 5), TrueBook(seed, levels=12)
    bodies, frames = [wire.snapshot(book, AT_NS)], []
    for cut in cuts:
        for _ in range(cut):
            book.change()
        frames.append(("recv", "", wire.diff(book, AT_NS)))
        bodies.append(wire.snapshot(book, AT_NS))
    heard, body = frames[taken % len(frames) :], bodies[fetched % len(bodies)]
    replay = Replay(MARKET).run([*heard, ("rest", "/api/v3/depth?symbol=X&limit=1000", body)])
    if fetched % len(bodies) < taken % len(frames):
        assert replay.counts["GAP"] == len(heard)  # the snapshot ends before the stream begins
        return
    rebuilt = replay.books["X"]
    assert replay.counts["GAP"] == 0
    scaled = [{price * 10**6: size * 10**3 for price, size in side.items()} for side in (book.bids, book.asks)]
    assert list(rebuilt.sides) == scaled
    assert rebuilt.sequence in (None, wire.update_id(book))


@pytest.mark.skipif(not CAPTURES.exists(), reason="recorded captures are not beside the repository")
@pytest.mark.parametrize(
    ("name", "diffs", "tops"),
    [
        ("binance-spot-ethusdt-20240808", 6_470, 1_056),
        ("binance-spot-many-30s", 177, 26),
        ("binance-us-btcusdt-2026", 25, 0),
        ("binance-us-many-30s", 336, 56),
    ],
)
def test_recorded_books_chain_and_their_tops_are_the_venues(name: str, diffs: int, tops: int) -> None:
    counts = Replay(MARKET).run(lines(CAPTURES / f"{name}.jsonl.gz")).counts
    assert counts["NEXT"] + counts["STALE"] + counts["DUPLICATE"] == counts["DepthDiff"] == diffs
    assert (counts["equal"], counts["unequal"]) == (tops, 0)
