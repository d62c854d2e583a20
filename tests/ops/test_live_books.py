"""Every venue's books over real sockets: subscribed, kept, rolled over without a break, and back after one."""

import asyncio

import pytest

from actors.market_data import rolls
from bus.messages import BookState, Resubscribe, RollConnection, Stream
from ops.feeds import CONNECTIONS_MAX
from tests.conformance.rows import PRICE_DECIMALS, ROWS, Row
from tests.gateway.doors.peers import until
from tests.support.live_books import Books, TrueVenue, watching

VENUES = [row for row in ROWS if row.name in ("binance-us", "binance-usdm", "kraken-10", "okx", "bybit", "coinbase")]


async def agree(venue: TrueVenue, books: Books) -> None:
    """The venue says nothing more; what is shown is what it has. Prices have the wire's decimals."""
    assert PRICE_DECIMALS == 2
    venue.silent = True
    await until(lambda: books.entry.book.touch() == venue.book.top)
    assert books.live
    venue.silent = False


@pytest.mark.parametrize("row", VENUES, ids=lambda row: row.name)
async def test_a_venues_book_comes_up_rolls_without_a_break_and_returns_after_one(
    row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Subscribe, renew, roll, cut; each time the book is the venue's. A planned roll changes no state and resyncs nothing."""
    monkeypatch.setattr(rolls, "OVERLAP_NS", 300_000_000)
    async with watching(row) as (venue, server, books):
        await until(lambda: books.live)
        await agree(venue, books)
        (plan, *others) = venue.market.plan([venue.name], venue.market.streams, row.depth)
        await until(lambda: len(server.talks) == 1 + len(others))
        mine = [talk for talk in server.talks if talk.path == (plan.path or "/")]
        assert mine[0].frames[: len(plan.opening)] == list(plan.opening)

        books.ask(Resubscribe(CONNECTIONS_MAX, venue.name, Stream.DEPTH, "test"))
        renewal = venue.market.renew(venue.name, Stream.DEPTH, row.depth, 1_001)
        await until(lambda: mine[0].frames[len(plan.opening) :][: len(renewal)] == list(renewal))

        known = len(books.changes)
        books.ask(RollConnection(CONNECTIONS_MAX, 1, "test"))
        await until(lambda: books.connection.generation == 2 and books.connection.open == 1)
        assert [change.state for change in books.changes[known:] if change.state is not BookState.LIVE] == []
        assert (books.market_data["resyncs"], books.market_data["gaps"]) == (0, 0)
        await agree(venue, books)

        for talk in [talk for talk in server.talks if not talk.ended.is_set()]:
            await talk.close()
        await until(lambda: not books.live)
        await until(lambda: books.live)
        await agree(venue, books)
        assert books.host.failures == 0
        assert books.supervisor.failures == 0


async def test_a_depth_that_was_cut_is_back_within_a_second() -> None:
    async with watching(VENUES[0]) as (venue, server, books):
        await until(lambda: books.live)
        loop = asyncio.get_running_loop()
        cut_s = loop.time()
        await server.talks[0].close()
        await until(lambda: not books.live)
        await until(lambda: books.live)
        assert loop.time() - cut_s < 1.5
        await agree(venue, books)
