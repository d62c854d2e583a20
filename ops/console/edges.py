"""The lines without a frame: header, summary of one instrument, footer. Pure."""

from bus.messages import BookState
from ops.console.model import Scene
from ops.console.panels import NOTHING_YET
from ops.console.results import book_state
from ops.console.text import Line, Span, Style, age, decimals, fixed, length, line, microseconds, spread_out
from ops.telemetry import Board, BoardRow, Listing

STALE_NS = 1_000_000_000
"""A book older than this is shown as old: the venue updates every 100 ms when anything happens. Chosen."""
SIDE_HOSTS = {"BOOKS_ONLY": "books only", "STRATEGY_ONLY": "strategy only"}
"""States of hosts of a split engine that do not trade: neither account nor epoch is theirs."""


def header(scene: Scene, width: int) -> Line:
    """Venue, symbol, state and term on the left; age of the data and achieved rate on the right. The least important go
    first where there is no room.
    """
    about, listing = scene.model.about, scene.listing
    count = len(scene.model.listings)
    place = f" {scene.chosen % count + 1}/{count}" if count > 1 else ""
    left = [(2, Span(" touchline ", Style.BANNER))]
    if about is not None and listing is not None:
        left += [(3, Span(f" {about.venue} ", Style.BANNER)), (0, Span(f" {listing.symbol}{place} ", Style.BANNER))]
    left += [(0, _engine_state(scene)), *((0, span) for span in _books(scene))]
    if about is not None:
        up = age(scene.engine_ns - about.started_ns) if not scene.model.silent(scene.now_ns) else "-"
        leader = f" leader {about.leader} " if about.leader else ""
        host = f" host {about.host} " if about.host != "engine" else ""
        trades = about.state not in SIDE_HOSTS
        texts = (
            (5, f" account {about.account} " if trades else ""),
            (6, f" epoch {about.epoch:,} " if trades else ""),
            (7, leader),
            (1, host),
            (8, f" up {up} "),
        )
        left += [(rank, Span(text, Style.BANNER)) for rank, text in texts if text]
    right = _freshness(scene)
    while length(span for _, span in (*left, *right)) >= width:
        least = max((*left, *right), key=_rank)
        if not least[0]:
            break
        (left if least in left else right).remove(least)
    return spread_out(tuple(span for _, span in left), tuple(span for _, span in right), width, Style.BANNER)


def _rank(piece: tuple[int, Span]) -> int:
    """The highest goes first where there is no room; 0 stays."""
    return piece[0]


def _engine_state(scene: Scene) -> Span:
    model = scene.model
    if model.silent(scene.now_ns):
        since = age(scene.now_ns - model.frame_ns) if model.frame_ns else ""
        return Span(f" {model.trouble or 'connecting'}{f', last frame {since} ago' if since else ''} ", Style.ALERT)
    if model.about is None:
        return Span(" connecting ", Style.WARN)
    state = model.about.state
    if state == "STANDING_BY":
        return Span(f" standing by{f', {model.about.leader} leads' if model.about.leader else ''} ", Style.ALERT)
    if state in SIDE_HOSTS:
        return Span(f" {SIDE_HOSTS[state]} ", Style.BANNER)
    style = Style.BANNER if state == "ACTIVE" else Style.ALERT
    return Span(f" {state}{'' if model.about.phase == 'READY' else f', orders {model.about.phase}'} ", style)


def _books(scene: Scene) -> Line:
    """What nobody may trade on, whatever the engine's state: the first book that is not LIVE, the chosen one before others."""
    board, listings = scene.model.board, {row.instrument: row for row in scene.model.listings}
    if board is None or scene.model.silent(scene.now_ns):
        return ()
    chosen = scene.listing.instrument if scene.listing else -1
    dead = [row for row in board.rows if row.state != BookState.LIVE and row.instrument in listings]
    if not dead:
        return ()
    first = min(dead, key=lambda row: row.instrument != chosen)
    more = f", {len(dead) - 1} more" if len(dead) > 1 else ""
    text = f" {listings[first.instrument].symbol} {book_state(first)}{more} "
    return (Span(text, Style.ALERT),)


def _freshness(scene: Scene) -> list[tuple[int, Span]]:
    """With ranks: how old the last update is, and how late the venue's stamps said that updates come."""
    listing = scene.listing
    book = scene.model.ladder(listing.instrument) if listing else None
    spans: list[tuple[int, Span]] = []
    if scene.paused:
        spans.append((0, Span(" held still, p goes on ", Style.ALERT)))
    if book is not None and book.lag_ns >= 0:
        late = book.lag_ns - book.uncertainty_ns > STALE_NS
        unsure = age(book.uncertainty_ns + 999_999)  # up: nothing is known to 0 ms
        text = f" lag {age(book.lag_ns)} +-{unsure} "
        spans.append((1 if late else 4, Span(text, Style.ALERT if late else Style.BANNER)))
    if book is not None and book.received_ns:
        old = scene.engine_ns - book.received_ns
        spans.append((0, Span(f" data {age(old)} old ", Style.ALERT if old > STALE_NS else Style.BANNER)))
    spans.append((0, Span(f" {scene.fps:5.1f} fps ", Style.BANNER)))
    return spans


def summary(scene: Scene, width: int) -> Line:
    """Position, results, orders and latency of the chosen instrument in one line: whole pieces, as many as fit."""
    listing, board = scene.listing, scene.model.board
    row = next((row for row in board.rows if listing and row.instrument == listing.instrument), None) if board else None
    if listing is None or row is None or board is None:
        return NOTHING_YET
    text = ""
    for part in _touch(row, listing, board) if board.trades_at else _standing(row, listing, scene):
        if len(text) + 2 + len(part) > width:
            break
        text += f"{'  ' if text else ' '}{part}"
    return line(text)


def _touch(row: BoardRow, listing: Listing, board: Board) -> list[str]:
    places = decimals(listing.tick, listing.price_scale)
    bid, ask = (fixed(price, listing.price_scale, places) if price else "-" for price in (row.bid, row.ask))
    return [f"bid {bid}", f"ask {ask}", f"orders are at host {board.trades_at}"]


def _standing(row: BoardRow, listing: Listing, scene: Scene) -> list[str]:
    """The most important first: what does not fit is at the end."""
    places = min(4, listing.quote_scale)
    parts = [
        f"position {fixed(row.position, listing.base_scale, decimals(listing.lot, listing.quantity_scale), plus=True)}",
        f"{sum(order.instrument == row.instrument for order in scene.model.orders())} working",
        f"unrealized {fixed(row.unrealized, listing.quote_scale, places, plus=True)}",
        f"realized {fixed(row.realized, listing.quote_scale, places, plus=True)}",
    ]
    if (hop := scene.model.hops.get("tick_to_order")) is not None and hop.count:
        parts.append(f"tick to order {microseconds(hop.quantile(0.5))}/{microseconds(hop.quantile(0.99))} us")
    return parts


def footer(scene: Scene, width: int) -> Line:
    keys = " q quit   Tab next instrument   p hold still   ? help "
    frame = scene.model.frame
    right = f" frame {frame.number:,} " if frame else ""
    return spread_out((Span(keys, Style.BANNER),), (Span(right, Style.BANNER),), width, Style.BANNER)
