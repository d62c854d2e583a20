"""The ladder panel: one book around its touch, asks above, bids below, own orders beside their price. Pure.

price | size | sum from the touch | bar of the size | own order: `<`, lots left, quantity before it in the queue
"""

from typing import NamedTuple

from bus.messages import BookState
from bus.messages import Side as OrderSide
from ops.console.model import Scene
from ops.console.text import Line, Span, Style, age, bar, decimals, fixed, line
from ops.telemetry import Ladder, Listing, OwnOrder

BAR_MIN, OWN_MIN, OWN_MAX = 8, 20, 32
"""Columns; chosen."""


class _Columns(NamedTuple):
    """Widths, of what a panel has room for; sum 0: left out."""

    price: int
    size: int
    sum: int
    bar: int
    own: int


def ladder(scene: Scene, width: int, height: int) -> list[Line]:
    """At most `height` lines: heading, the same number of levels a side, the spread between them."""
    listing = scene.listing
    if listing is None:
        return [line(Span("no instrument yet", Style.DIM))]
    book = scene.model.ladder(listing.instrument)
    if book is None:
        about = scene.model.about
        if about is not None and about.state == "STANDING_BY":
            return [line(Span("no books while it stands by", Style.DIM))]
        return [line(Span(f"no book of {listing.symbol} yet", Style.DIM)), *_elsewhere(scene)][:height]
    if book.state != BookState.LIVE:
        return _no_book(book, scene)[:height]
    rows = max((height - 2) // 2, 0)
    asks = list(zip(book.ask_prices, book.ask_quantities, strict=True))[:rows]
    bids = list(zip(book.bid_prices, book.bid_quantities, strict=True))[:rows]
    whole = max((quantity for _, quantity in (*asks, *bids)), default=0)
    columns = _columns(listing, asks + bids, width)
    own = _own(scene, listing)
    shown = _Side(listing, columns, whole, own, scene.fine)
    if scene.model.books_at:
        where = [*_elsewhere(scene), _heading(columns)]
        sides = (*reversed(shown.lines(asks, OrderSide.SELL)), _spread(book, listing, width))
        return [*where, *sides, *shown.lines(bids, OrderSide.BUY)][:height]
    top = [()] * (rows - len(asks))  # a thin side leaves room at its far end, so that the touch stays where it is
    lines: list[Line] = [_heading(columns), *top, *reversed(shown.lines(asks, OrderSide.SELL))]
    return [*lines, _spread(book, listing, width), *shown.lines(bids, OrderSide.BUY)]


def title(scene: Scene) -> str:
    """Symbol, how many of how many, and the update that is shown."""
    listing = scene.listing
    book = scene.model.ladder(listing.instrument) if listing else None
    if listing is None or book is None:
        return "Ladder"
    return f"{listing.symbol} {'touch' if scene.model.books_at else 'ladder'}, update {book.sequence}"


def _elsewhere(scene: Scene) -> list[Line]:
    """Where the ladder is, when it is not here."""
    if not (host := scene.model.books_at):
        return []
    remedy = "watch it there: touchline monitor --state ITS_DIRECTORY"
    return [line(Span(f"the ladder is at host {host}", Style.STRONG)), line(Span(remedy, Style.DIM))]


class _Side:
    """Writes levels of either side with what both share."""

    def __init__(
        self, listing: Listing, columns: _Columns, whole: int, own: dict[tuple[int, int], str], fine: bool
    ) -> None:
        self._listing, self._columns, self._whole, self._own, self._fine = listing, columns, whole, own, fine
        self._price_places = decimals(listing.tick, listing.price_scale)
        self._size_places = decimals(listing.lot, listing.quantity_scale)

    def lines(self, levels: list[tuple[int, int]], side: OrderSide) -> list[Line]:
        """Best first."""
        style, bar_style = (Style.BID, Style.BID_BAR) if side > 0 else (Style.ASK, Style.ASK_BAR)
        columns, listing, scale, places = self._columns, self._listing, self._listing.quantity_scale, self._size_places
        total = 0
        lines: list[Line] = []
        for price, quantity in levels:
            total += quantity
            text = fixed(price, listing.price_scale, self._price_places).rjust(columns.price)
            size = fixed(quantity, scale, places).rjust(columns.size)
            summed = fixed(total, scale, places).rjust(columns.sum) if columns.sum else ""
            shape = bar(quantity, self._whole, columns.bar, fine=self._fine).ljust(columns.bar)
            mark = self._own.get((side, price), "")
            lines.append(
                (
                    Span(text, style),
                    Span(size),
                    Span(f"{summed}  ", Style.DIM),
                    Span(shape, bar_style),
                    Span(f" {mark}"[: columns.own].ljust(columns.own), Style.OWN),
                )
            )
        return lines


def _columns(listing: Listing, levels: list[tuple[int, int]], width: int) -> _Columns:
    """Widths that do not change from update to update: they follow the digits, with room for one more."""
    price_places, size_places = (
        decimals(listing.tick, listing.price_scale),
        decimals(listing.lot, listing.quantity_scale),
    )
    dearest = max((price for price, _ in levels), default=0)
    largest = max((quantity for _, quantity in levels), default=0)
    price = max(len(fixed(dearest, listing.price_scale, price_places)) + 1, 8)
    size = max(len(fixed(largest, listing.quantity_scale, size_places)) + 2, 10)
    with_sum = width >= price + 2 * size + BAR_MIN + OWN_MIN + 3
    summed = size + 1 if with_sum else 0
    room = width - price - size - summed - 2
    own = min(max(room // 2, OWN_MIN), OWN_MAX)
    return _Columns(price, size, summed, max(room - own, 0), own)


def _heading(columns: _Columns) -> Line:
    summed = "sum".rjust(columns.sum) if columns.sum else ""
    text = f"{'price':>{columns.price}}{'size':>{columns.size}}{summed}  {'':{columns.bar}} own"
    return (Span(text, Style.HEADING),)


def _spread(book: Ladder, listing: Listing, width: int) -> Line:
    """Spread in ticks and basis points of the mid, and the mid."""
    if not book.bid_prices or not book.ask_prices:
        return (Span("one side is empty".center(width), Style.WARN),)
    bid, ask = book.bid_prices[0], book.ask_prices[0]
    places = decimals(listing.tick, listing.price_scale)
    ticks = (ask - bid) // listing.tick
    middle = fixed((bid + ask) // 2, listing.price_scale, min(places + 1, listing.price_scale))
    text = (
        f" mid {middle}   spread {fixed(ask - bid, listing.price_scale, places)}"
        f" = {ticks:,} tick{'s' if ticks != 1 else ''}, {(ask - bid) * 20_000 / (ask + bid):.3f} bp "
    )
    return (Span(text.center(width, "-")[:width], Style.HEADING),)


def _no_book(book: Ladder, scene: Scene) -> list[Line]:
    board = scene.model.board
    row = next((row for row in board.rows if row.instrument == book.instrument), None) if board else None
    why = f", {row.reason}" if row and row.reason and row.state == book.state else ""
    state = BookState(book.state).name
    since = age(scene.engine_ns - book.received_ns) if book.received_ns else "never"
    last = f"last update {book.sequence}, {since} ago" if book.received_ns else "no update yet"
    return [
        line(Span(f"the book is {state}{why}: nobody may use a price of it", Style.WARN)),
        *(_elsewhere(scene) or [line(Span(last, Style.DIM))]),
    ]


def _own(scene: Scene, listing: Listing) -> dict[tuple[int, int], str]:
    """What is written beside a price, by (side, price)."""
    at: dict[tuple[int, int], list[OwnOrder]] = {}
    for order in scene.model.orders():
        if order.instrument == listing.instrument:
            at.setdefault((order.side, order.price_ticks * listing.tick), []).append(order)
    return {key: mark(orders, listing) for key, orders in at.items()}


def mark(orders: list[OwnOrder], listing: Listing) -> str:
    """`< 0.00100 q 0.25000`: ours, lots left, and what the queue has before it. Several orders at a price are summed."""
    places = decimals(listing.lot, listing.quantity_scale)
    leaves = sum(order.leaves_lots for order in orders) * listing.lot
    text = f"< {fixed(leaves, listing.quantity_scale, places)}"
    ahead = min(order.ahead for order in orders)
    if ahead >= 0:
        text += f" q {fixed(ahead * listing.lot, listing.quantity_scale, places)}"
    phases = [order.phase for order in orders if order.phase != "WORKING"]
    return f"{text} {phases[0].lower()}" if phases else text
