"""Market data that is lost, repeated, reordered, wrong, late or silent; the book is never believed beyond what is proven."""

from pathlib import Path
from typing import Any

from bus.messages import BookReason, BookState, BookStateChanged
from tests.faults.harness import TOPS_DIFFER, Play, trading
from tests.faults.shows import shows

LIVE, INVALID, STALE = BookState.LIVE, BookState.INVALID, BookState.STALE


async def lost_and_back(play: Play, mark: int) -> list[BookStateChanged]:
    """Wait until the book was taken away since `mark` and is LIVE again; what it went through."""
    await play.until(lambda: play.books(mark)[1:] and play.books(mark)[-1] is LIVE, "the book is lost and back")
    return play.ear.all(BookStateChanged, mark)


def market(play: Play) -> dict[str, Any]:
    return play.engine.views()["market_data"]


@shows("market-drop-depth")
async def test_a_lost_update_takes_the_book_away_until_it_is_whole(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-drop", stream="depth", count=1)
        await play.hit("market-drop")
        changes = await lost_and_back(play, mark)
        assert (changes[0].state, changes[0].reason) == (INVALID, BookReason.SEQUENCE_GAP)
        await play.more_orders()
        assert await play.end() == []


@shows("market-drop-trade")
async def test_lost_trades_are_asked_for_and_told(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark, before = play.mark(), market(play)
        await play.sweep()
        await play.fault("market-drop", stream="trade", count=2)
        await play.hit("market-drop", 2)
        await play.sweep()
        await play.until(
            lambda: market(play)["trades_backfilled"] >= before["trades_backfilled"] + 2, "the trades are fetched"
        )
        assert play.believed(mark)
        assert await play.end() == []


@shows("market-drop-quote")
async def test_lost_best_quotes_change_nothing(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-drop", stream="bookTicker")
        await play.hit("market-drop", 5)
        await play.more_orders()
        assert play.believed(mark)
        assert await play.end() == []


@shows("market-double")
async def test_what_comes_twice_counts_once(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-double", stream="all")
        await play.hit("market-double", 20)
        await play.sweep()
        await play.more_orders()
        counts = market(play)
        assert counts["duplicates"] > 0
        assert counts["trades_repeated"] > 0
        assert counts["trades_missed"] == 0
        assert play.believed(mark)
        assert await play.end() == []


@shows("market-reorder")
async def test_updates_that_change_places_need_no_snapshot(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-reorder", stream="depth", count=1)
        changes = await lost_and_back(play, mark)
        assert changes[0].state is INVALID
        assert changes[-2].reason is BookReason.REORDERED
        assert market(play)["reordered"] == 1
        await play.more_orders()
        assert await play.end() == []


@shows("market-reorder-trade")
async def test_trades_that_change_places_are_told_in_order(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.sweep()  # the tape has begun
        await play.fault("market-reorder", stream="trade", count=1)
        await play.sweep()
        await play.hit("market-reorder")
        await play.more_orders()
        assert play.believed(mark)
        assert market(play)["trades_missed"] == 0
        assert await play.end() == []


@shows("market-corrupt-json", "market-corrupt-truncated")
async def test_an_update_that_cannot_be_read_is_a_lost_one(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        for times, how in enumerate(("json", "truncated"), 1):
            mark = play.mark()
            await play.fault("market-corrupt", stream="depth", how=how, count=1)
            changes = await lost_and_back(play, mark)
            assert changes[0].state is INVALID
            assert market(play)["garbage"] == times
        assert "feed_garbage" in play.alerts()
        await play.more_orders()
        assert await play.end() == []


@shows("market-corrupt-sequence")
async def test_ids_that_moved_on_are_a_gap(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-corrupt", stream="depth", how="sequence", count=1)
        await play.hit("market-corrupt")
        changes = await lost_and_back(play, mark)
        assert (changes[0].state, changes[0].reason) == (INVALID, BookReason.SEQUENCE_GAP)
        await play.more_orders()
        assert await play.end() == []


@shows("market-corrupt-price")
async def test_a_wrong_price_is_found_out(tmp_path: Path) -> None:
    """Several, because it hits bids as well as asks: a bid above the ask crosses, an ask far away hides nothing."""
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-corrupt", stream="depth", how="price", count=3)
        await play.hit("market-corrupt", 3)
        await lost_and_back(play, mark)
        await play.more_orders()
        prices = [float(row["price"]) for row in await play.placed()]
        assert max(prices) < 1.02 * min(prices)
        assert set(await play.end()) <= {TOPS_DIFFER}


@shows("market-stall-depth")
async def test_a_silent_book_is_not_believed(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        mark = play.mark()
        await play.fault("market-stall", stream="depth", seconds=4)
        await play.hit("market-stall")
        await play.until(lambda: STALE in play.books(mark), "the book is STALE")
        [reason] = [change.reason for change in play.ear.all(BookStateChanged, mark)][:1]
        assert reason in (BookReason.SILENT, BookReason.CONTRADICTED)
        await play.until(lambda: play.orders["working"] == 0, "the quotes are pulled")
        await play.clear()
        await lost_and_back(play, mark)
        await play.more_orders()
        assert await play.end() == []


@shows("snapshot-stale")
async def test_an_old_snapshot_makes_no_book(tmp_path: Path) -> None:
    async with trading(tmp_path) as play:
        await play.fault("snapshot-stale", age_s=5.0)
        mark = play.mark()
        await play.fault("market-drop", stream="depth", count=1)
        await play.hit("snapshot-stale", 2)
        assert LIVE not in play.books(mark)
        await play.clear()
        await lost_and_back(play, mark)
        await play.more_orders()
        assert await play.end() == []
