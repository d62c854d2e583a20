"""Which diff continues which book: the table, a stream cut anywhere, and the recordings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages.feed import DepthDiff, Verdict
from gateway.binance_usdm.market import BinanceUsdm
from gateway.binance_usdm.rule import BINANCE_USDM
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.binance_usdm import BinanceUsdmWire
from tests.gateway.wire.replay import CAPTURES, Replay, lines

AT_NS = 1_700_000_000_000_000_000


def diff(first: int, last: int, previous: int) -> DepthDiff:
    return DepthDiff("X", first, last, 0, (), (), (), (), previous)


@pytest.mark.parametrize(
    ("event", "at", "verdict"),
    [
        (diff(110, 120, 105), 121, Verdict.STALE),
        (diff(110, 120, 105), 120, Verdict.NEXT),  # u >= lastUpdateId: the first that is kept may end just there
        (diff(110, 120, 105), 115, Verdict.NEXT),
        (diff(110, 120, 105), 110, Verdict.NEXT),
        (diff(110, 120, 105), 109, Verdict.GAP),  # no + 1, unlike spot
        (diff(110, 120, 105), 105, Verdict.NEXT),  # pu itself: nothing of this symbol lies between
        (diff(110, 120, 105), 104, Verdict.GAP),
    ],
)
def test_the_first_event_after_a_snapshot(event: DepthDiff, at: int, verdict: Verdict) -> None:
    assert BINANCE_USDM.bridge(event, at) == verdict
    assert BINANCE_USDM.too_old(at, event) == (verdict == Verdict.GAP)


@pytest.mark.parametrize(
    ("event", "at", "verdict"),
    [
        (diff(110, 120, 105), 105, Verdict.NEXT),
        (diff(110, 120, 105), 109, Verdict.GAP),  # U == id + 1 proves nothing where symbols share ids
        (diff(110, 120, 105), 112, Verdict.GAP),
        (diff(110, 120, 105), 104, Verdict.GAP),
        (diff(110, 120, 105), 120, Verdict.DUPLICATE),
        (diff(110, 120, 105), 125, Verdict.STALE),
    ],
)
def test_an_event_after_an_event(event: DepthDiff, at: int, verdict: Verdict) -> None:
    assert BINANCE_USDM.follow(event, at) == verdict


@given(
    st.integers(0, 1_000), st.lists(st.integers(1, 4), min_size=2, max_size=30), st.integers(0, 40), st.integers(0, 40)
)
def test_a_book_taken_up_anywhere_is_the_true_one(seed: int, cuts: list[int], taken: int, fetched: int) -> None:
    """The stream is heard from frame `taken` on; the snapshot is of frame `fetched`, and comes when all is there."""
    wire, book, market = BinanceUsdmWire("X", 2, 3), TrueBook(seed, levels=12), BinanceUsdm()
    bodies, frames = [wire.snapshot(book, AT_NS)], []
    for cut in cuts:
        for _ in range(cut):
            book.change()
        frames.append(("recv", "", wire.diff(book, AT_NS)))
        bodies.append(wire.snapshot(book, AT_NS))
    heard, body = frames[taken % len(frames) :], bodies[fetched % len(bodies)]
    replay = Replay(market).run([*heard, ("rest", "/fapi/v1/depth?symbol=X&limit=1000", body)])
    if fetched % len(bodies) < taken % len(frames):
        assert replay.counts["GAP"] == len(heard)  # the snapshot ends before the stream begins
        return
    rebuilt = replay.books["X"]
    assert replay.counts["GAP"] == 0
    scaled = [{price * 10**6: size * 10**5 for price, size in side.items()} for side in (book.bids, book.asks)]
    assert list(rebuilt.sides) == scaled
    assert rebuilt.sequence in (None, wire.update_id(book))


@pytest.mark.skipif(not CAPTURES.exists(), reason="recorded captures are not beside the repository")
@pytest.mark.parametrize(
    ("name", "diffs", "tops"), [("binance-usdm-many-30s", 764, 50), ("binance-usdm-ethusdt-20240808", 6_586, 551)]
)
def test_recorded_books_chain_and_their_tops_are_the_venues(name: str, diffs: int, tops: int) -> None:
    counts = Replay(BinanceUsdm()).run(lines(CAPTURES / f"{name}.jsonl.gz")).counts
    assert counts["NEXT"] + counts["STALE"] == counts["DepthDiff"] == diffs
    assert (counts["equal"], counts["unequal"]) == (tops, 0)
