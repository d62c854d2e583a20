"""The contract with market data, kept by the real one on real frames: what the two agree on at every turn."""

import pytest

from actors.orderbook import Orderbook, live
from actors.orderbook.witness import CONTRADICTED_NS
from bus.messages import BookState, Frame, FrameBatch
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.kraken import KrakenWire
from ops.bench.book_frames import FRAME_NS, START_NS, STREAMS, WRITTEN, written
from ops.bench.book_sides import CONNECTION, Desk
from ops.venues import MARKETS


def desk(venue: str, frames: int) -> tuple[Desk, list[bytes]]:
    stream = STREAMS[venue](frames, 4)
    return Desk(MARKETS[venue](), stream, Orderbook), stream.frames


def ended_like(one: Desk, other: Desk) -> None:
    """Both LIVE at the same sequence, with the same levels."""
    assert (one.entry.state, other.entry.state) == (BookState.LIVE, BookState.LIVE)
    assert one.entry.sequence == other.entry.sequence
    assert one.entry.book.levels(50) == other.entry.book.levels(50)
    assert one.orderbook.dropped == 0


def quote_ahead(one: Desk) -> bytes:
    told = f'"u":{one.entry.sequence + 1},"s":"ETHUSDT","b":"2683.00","B":"1.00","a":"2684.00","A":"1.00"'
    return f'{{"stream":"ethusdt@bookTicker","data":{{{told}}}}}'.encode()


def test_a_contradicted_book_whose_stream_goes_on_without_a_hole_was_right_all_the_time() -> None:
    (one, frames), (other, _) = desk("binance-spot", 12), desk("binance-spot", 12)
    for frame in frames[:6]:
        one.frame(frame)
    while one.entry.state == BookState.LIVE:
        one.frame(quote_ahead(one))
    assert one.entry.state == BookState.STALE
    assert one.now_ns > CONTRADICTED_NS
    for frame in frames[6:]:
        one.frame(frame)
    for frame in frames:
        other.frame(frame)
    ended_like(one, other)
    assert one.entry.contradicted == 1
    assert one.market_data.synchronizers[0].bridges == 1


@pytest.mark.parametrize("venue", ["binance-spot", "binance-usdm", "okx", "bybit"])
def test_a_late_frame_mends_the_gap_without_a_snapshot(venue: str) -> None:
    (one, frames), (other, _) = desk(venue, 12), desk(venue, 12)
    for at in (0, 1, 2, 4, 3, 5, 6):
        one.frame(frames[at])
        assert (one.entry.state == BookState.LIVE) == (at != 4)
    for frame in frames[:7]:
        other.frame(frame)
    ended_like(one, other)
    assert one.market_data.synchronizers[0].gaps == 1
    assert one.market_data.synchronizers[0].bridges == other.market_data.synchronizers[0].bridges


@pytest.mark.parametrize("venue", STREAMS)
def test_frames_that_waited_are_all_applied_and_the_last_one_is_shown(venue: str) -> None:
    (one, frames), (other, _) = desk(venue, 12), desk(venue, 12)
    for frame in frames:
        other.frame(frame)
    one.now_ns = other.now_ns
    one.take(FrameBatch(tuple(Frame(CONNECTION, one.now_ns, frame, 1) for frame in frames)))
    ended_like(one, other)
    assert (one.entry.conflated, other.entry.conflated) == (11, 0)
    assert one.entry.sent == other.entry.sent == one.entry.book.touch()


def test_a_book_that_its_checksum_refutes_is_not_shown_and_a_fresh_snapshot_mends_it() -> None:
    """Kraken, whose only proof is the checksum. One digit of the best bid's quantity is another one than the venue meant."""
    true, plan = TrueBook(4, levels=100), WRITTEN["kraken"]
    wire = KrakenWire(plan.symbol, plan.price_decimals, plan.quantity_decimals, plan.levels)
    opening = (*wire.accepted(), wire.snapshot(true, START_NS))
    one = Desk(MARKETS["kraken"](), written("kraken", 1, 4)._replace(opening=opening), Orderbook)
    shown = one.entry.sent
    true.bids[max(true.bids)] = 4_242
    diff = wire.diff(true, START_NS + FRAME_NS)
    assert diff.count(b"0.00004242") == 1
    one.frame(diff.replace(b"0.00004242", b"0.00004243"))
    assert live(one.entry) is None
    assert one.entry.sent == shown
    assert one.entry.checksums.failures == 1
    one.frame(wire.snapshot(true, START_NS + 2 * FRAME_NS))
    true.change()
    one.frame(wire.diff(true, START_NS + 3 * FRAME_NS))
    book = live(one.entry)
    assert book is not None
    assert (book.touch()[0], book.touch()[2]) == (true.top[0], true.top[2])
    assert (one.entry.checksums.checks, one.entry.checksums.failures) == (4, 1)
