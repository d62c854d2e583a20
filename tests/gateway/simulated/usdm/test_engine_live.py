"""The engine's own USD-M market data against the futures face, over real sockets: two readings of one set of documents."""

import asyncio
from contextlib import suppress
from typing import Any

from bus.messages import BookState
from tests.conformance.rows import PRICE_DECIMALS, QUANTITY_DECIMALS, ROWS
from tests.gateway.doors.peers import until
from tests.support.live_books import Books, TrueVenue
from tests.support.scripted import ScriptedVenue, silence

USDM = next(row for row in ROWS if row.name == "binance-usdm")


def levels(rows: Any) -> list[tuple[int, int]]:
    """A snapshot's texts in the units that the engine's instrument has here."""
    return [(round(float(price) * 10**PRICE_DECIMALS), round(float(q) * 10**QUANTITY_DECIMALS)) for price, q in rows]


async def test_the_engine_s_book_goes_live_and_stays_the_venue_s(futures: Any) -> None:
    """Goal: the engine subscribes, joins snapshot and diffs, and keeps the book through traffic without a gap. Method: the
    engine's doors and actors look at the simulated face for a while; then the crowd stops, and 100 levels a side are compared.
    """
    venue, server = TrueVenue(USDM), ScriptedVenue(silence, {})
    server.rest, server.streams = futures.endpoints.futures_rest, futures.endpoints.futures_streams
    books = Books(venue, server)
    await books.rest.open()
    work = asyncio.ensure_future(books.feed.run())
    try:
        await until(lambda: books.live)
        depth = futures.market._books["BTCUSDT"]
        known = depth.update_id
        await until(lambda: depth.update_id > known + 300)
        await futures.control("pause-flow")
        _, truth = await futures.get("/fapi/v1/depth", symbol="BTCUSDT", limit=100)
        expected = [levels(truth["bids"]), levels(truth["asks"])]
        await until(lambda: [list(zip(*side, strict=True)) for side in books.entry.book.levels(100)] == expected)
        assert [change.state for change in books.changes if change.state is BookState.LIVE] == [BookState.LIVE]
        assert (books.market_data["resyncs"], books.market_data["gaps"]) == (0, 0)
        assert (books.host.failures, books.supervisor.failures) == (0, 0)
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        books.feed.close()
        await books.rest.close()
        books.pump.stop()
