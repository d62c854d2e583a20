"""The panel of positions and results; of a host with books alone, their states. Pure."""

from bus.messages import BookState
from ops.console.model import Scene
from ops.console.panels import NOTHING_YET, state_style, symbols
from ops.console.text import Column, Line, Span, Style, decimals, fixed, table
from ops.telemetry import BoardRow, Listing


def position(scene: Scene, width: int, height: int) -> list[Line]:
    """All instruments: book state, position with every digit, average price, results in the quote asset.

    Of a host that has books alone, their states and touches.
    """
    board = scene.model.board
    if board is None:
        return [NOTHING_YET]
    listings = {row.instrument: row for row in scene.model.listings}
    shown = [row for row in board.rows if row.instrument in listings]
    if board.trades_at:
        books = (symbols(scene, "instrument"), Column("book", 28, right=False), Column("bid", 13), Column("ask", 13))
        return table(books, [_book(row, listings[row.instrument], scene) for row in shown], width, height)
    rows = [_position(row, listings[row.instrument], scene) for row in shown]
    columns = (
        symbols(scene, "instrument"),
        Column("book", 9, 2, right=False),
        Column("position", 13),
        Column("average", 13, 3),
        Column("unrealized", 12),
        Column("realized", 12),
        Column("working", 9, 4),
    )
    return table(columns, rows, width, height)


def position_title(scene: Scene) -> str:
    where = scene.model.trades_at
    return f"Books; positions are at host {where}" if where else "Positions and results"


def book_state(row: BoardRow) -> str:
    """With the reason, of a book that is not LIVE."""
    return f"{BookState(row.state).name}{' ' if row.reason else ''}{row.reason}"


def _book(row: BoardRow, listing: Listing, scene: Scene) -> tuple[Span, ...]:
    places = decimals(listing.tick, listing.price_scale)
    prices = (fixed(price, listing.price_scale, places) if price else "-" for price in (row.bid, row.ask))
    state = Span(book_state(row), state_style(BookState(row.state).name))
    return (_symbol(listing, scene), state, *(Span(price) for price in prices))


def _symbol(listing: Listing, scene: Scene) -> Span:
    chosen = scene.listing == listing
    return Span(f"{'>' if chosen else ' '} {listing.symbol}", Style.STRONG if chosen else Style.PLAIN)


def _position(row: BoardRow, listing: Listing, scene: Scene) -> tuple[Span, ...]:
    price_places = decimals(listing.tick, listing.price_scale)
    state = BookState(row.state).name
    working = sum(order.instrument == row.instrument for order in scene.model.orders())
    held = Style.BID if row.position > 0 else Style.ASK if row.position < 0 else Style.DIM
    return (
        _symbol(listing, scene),
        Span(state, state_style(state)),
        Span(fixed(row.position, listing.base_scale, min(listing.base_scale, 8), plus=True), held),
        Span(fixed(round(row.average_price), listing.price_scale, price_places) if row.average_price else "-"),
        _result(row.unrealized, listing),
        _result(row.realized, listing),
        Span(str(working or "-")),
    )


def _result(units: int, listing: Listing) -> Span:
    text = fixed(units, listing.quote_scale, min(4, listing.quote_scale), plus=True)
    return Span(text, Style.GOOD if units > 0 else Style.BAD if units < 0 else Style.DIM)
