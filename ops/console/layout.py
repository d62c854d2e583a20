"""Where everything stands on a terminal of some size, and what is written there. Pure: a scene and a size in, lines out.

From 136 columns on the ladder has the left side, panels the right, the log the foot. Narrower, everything stands under
the ladder, as far as the height goes. Below 60 x 15 nothing useful fits, and it says so.
"""

from collections.abc import Callable
from typing import NamedTuple

from ops.console import ladder as ladder_panel
from ops.console import panels
from ops.console.model import Scene
from ops.console.text import Line, Span, Style, age, clipped, decimals, fixed, length, line, microseconds, spread_out

WIDTH_MIN, HEIGHT_MIN = 60, 15
WIDE = 136
"""Columns from which panels stand beside the ladder, each with its most important columns. Chosen."""
LADDER_HEIGHT_MIN = 13
"""Rows the ladder keeps, frame included, before another panel is put under it: four levels a side. Chosen."""
LADDER_SHARE = 48
"""Percent of a wide terminal's columns, between the two bounds below."""
LADDER_WIDTH_MIN, LADDER_WIDTH_MAX = 60, 84
STALE_NS = 1_000_000_000
"""A book older than this is shown as old: the venue updates every 100 ms when anything happens. Chosen."""

HELP = (
    "q           end the console; the engine runs on",
    "Tab, right  next instrument; left: the one before",
    "p           hold the picture still, and go on",
    "?           this page, and back",
    "",
    "ladder      asks above, bids below; sum: quantity from the touch to there; bar: the size, longest = largest shown",
    "<           an own order: lots left, q: quantity before it in the queue as execution estimates it",
    "data        age of the last book update when this picture was made; fps: pictures a second that showed something new",
    "latency     of the last half minute (since the engine's start at first); tick to order: frame's receipt to the write",
)


class Panel(NamedTuple):
    """body: lines for (scene, width, height). needs: nouns of the model; while none changes neither does the panel."""

    title: Callable[[Scene], str]
    body: Callable[[Scene, int, int], list[Line]]
    needs: tuple[str, ...]


class Place(NamedTuple):
    """A panel's rectangle. A framed one has its text inside a frame of one character."""

    name: str
    y: int
    x: int
    height: int
    width: int
    framed: bool = True

    @property
    def inside(self) -> tuple[int, int]:
        """Width and height for text: the frame has a blank column at each side."""
        return (self.width - 4, self.height - 2) if self.framed else (self.width, self.height)


def _named(title: str) -> Callable[[Scene], str]:
    return lambda scene: title


PANELS: dict[str, Panel] = {
    "header": Panel(_named(""), lambda scene, width, height: [header(scene, width)], ("frame", "about")),
    "ladder": Panel(ladder_panel.title, ladder_panel.ladder, ("frame", "about")),
    "position": Panel(_named("Positions and results"), panels.position, ("board", "frame", "about")),
    "orders": Panel(_named("Working orders"), panels.orders, ("frame", "about")),
    "trades": Panel(_named("Trades"), panels.trades, ("tape", "about")),
    "latency": Panel(_named("Latency"), panels.latency, ("latency",)),
    "states": Panel(_named("States"), panels.states, ("trading", "exits", "coordination", "about")),
    "health": Panel(_named("Health"), panels.health, ("health",)),
    "signals": Panel(_named("Signals"), panels.signals, ("shape", "about")),
    "log": Panel(_named("Log, UTC"), panels.log, ("log",)),
    "summary": Panel(_named(""), lambda scene, width, height: [summary(scene, width)], ("board", "frame", "latency")),
    "help": Panel(_named("Help"), lambda scene, width, height: [line(text) for text in HELP][:height], ()),
    "footer": Panel(_named(""), lambda scene, width, height: [footer(scene, width)], ("frame",)),
}


def too_small(width: int, height: int) -> str:
    """What to say instead of a picture; empty: it fits."""
    if width >= WIDTH_MIN and height >= HEIGHT_MIN:
        return ""
    return f"terminal too small: {width}x{height}, at least {WIDTH_MIN}x{HEIGHT_MIN}"


# -- where ------------------------------------------------------------------------------------------------------------


def arrange(width: int, height: int, instruments: int, *, help: bool = False) -> tuple[Place, ...]:
    """Rectangles of a terminal that is large enough; they neither overlap nor leave it."""
    top, foot = Place("header", 0, 0, 1, width, False), Place("footer", height - 1, 0, 1, width, False)
    if help:
        return top, Place("help", 1, 0, height - 2, width), foot
    board = 3 + min(max(instruments, 1), 6)
    body = _beside(width, height - 2, board) if width >= WIDE else _under(width, height - 2, board)
    return (top, *body, foot)


def _beside(width: int, height: int, board: int) -> list[Place]:
    log = 9 if height >= 40 else 6 if height >= 28 else 0
    places = [Place("log", 1 + height - log, 0, log, width)] if log else []
    left = min(max(width * LADDER_SHARE // 100, LADDER_WIDTH_MIN), LADDER_WIDTH_MAX)
    places.append(Place("ladder", 1, 0, height - log, left))
    y = 1
    for names, rows in _stack(height - log, board):
        places += _row(names, y, left, rows, width - left)
        y += rows
    return places


def _row(names: tuple[str, ...], y: int, x: int, height: int, width: int) -> list[Place]:
    """Panels side by side, equally wide but for the last column or two."""
    edges = [x + width * place // len(names) for place in range(len(names) + 1)]
    return [Place(name, y, edges[n], height, edges[n + 1] - edges[n]) for n, name in enumerate(names)]


def _stack(height: int, board: int) -> list[tuple[tuple[str, ...], int]]:
    """Rows of panels and their heights, by importance: what does not fit is left out, what is left over is handed on."""
    wanted: list[tuple[tuple[str, ...], int, int]] = [
        (("position",), min(board, height), board),
        (("orders",), 7, 9),
        (("trades", "latency"), 7, 19),
        (("states", "health", "signals"), 6, 9),
    ]
    rows: list[list[int]] = []
    for _, least, most in wanted:
        if sum(row[0] for row in rows) + least > height:
            break
        rows.append([least, most])
    left = height - sum(row[0] for row in rows)
    for place in (3, 2, 1):  # the last row first: its panels are short, and then whole
        if place < len(rows):
            more = min(rows[place][1] - rows[place][0], left)
            rows[place][0] += more
            left -= more
    rows[-1][0] += left
    return [(names, row[0]) for (names, _, _), row in zip(wanted, rows, strict=False)]


def _under(width: int, height: int, board: int) -> list[Place]:
    """The ladder, and below it as many panels as leave it LADDER_HEIGHT_MIN rows; else one line that sums up."""
    below: list[tuple[tuple[str, ...], int]] = []
    left = height
    wanted: tuple[tuple[tuple[str, ...], int], ...] = (
        *((("position",), board), (("orders",), 6)),
        *((("trades", "latency"), 10), (("log",), 7)),
    )
    for names, rows in wanted:
        if left - rows < LADDER_HEIGHT_MIN:
            break
        below.append((names, rows))
        left -= rows
    if not below:
        return [Place("ladder", 1, 0, height - 1, width), Place("summary", height, 0, 1, width, False)]
    places = [Place("ladder", 1, 0, left, width)]
    y = 1 + left
    for names, rows in below:
        places += _row(names, y, 0, rows, width)
        y += rows
    return places


# -- what stands in the lines without a frame -------------------------------------------------------------------------


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
    left.append((0, _engine_state(scene)))
    if about is not None:
        up = age(scene.engine_ns - about.started_ns) if not scene.model.silent(scene.now_ns) else "-"
        leader = f" leader {about.leader} " if about.leader else ""
        host = f" host {about.host} " if about.host != "engine" else ""
        texts = (
            (4, f" account {about.account} "),
            (5, f" epoch {about.epoch:,} "),
            (6, leader),
            (1, host),
            (7, f" up {up} "),
        )
        left += [(rank, Span(text, Style.BANNER)) for rank, text in texts if text]
    right = _freshness(scene)
    while left and length(span for _, span in left) + length(right) >= width and max(left)[0]:
        left.remove(max(left))
    return spread_out(tuple(span for _, span in left), right, width, Style.BANNER)


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
    style = Style.BANNER if state == "ACTIVE" else Style.ALERT
    return Span(f" {state}{'' if model.about.phase == 'READY' else f', orders {model.about.phase}'} ", style)


def _freshness(scene: Scene) -> Line:
    listing = scene.listing
    book = scene.model.ladder(listing.instrument) if listing else None
    spans: list[Span] = []
    if scene.paused:
        spans.append(Span(" held still, p goes on ", Style.ALERT))
    if book is not None and book.received_ns:
        old = scene.engine_ns - book.received_ns
        spans.append(Span(f" data {age(old)} old ", Style.ALERT if old > STALE_NS else Style.BANNER))
    spans.append(Span(f" {scene.fps:5.1f} fps ", Style.BANNER))
    return tuple(spans)


def summary(scene: Scene, width: int) -> Line:
    """Position, results, orders and latency of the chosen instrument in one line."""
    listing, board = scene.listing, scene.model.board
    row = next((row for row in board.rows if listing and row.instrument == listing.instrument), None) if board else None
    if listing is None or row is None:
        return panels.NOTHING_YET
    places = min(4, listing.quote_scale)
    parts = [
        f"position {fixed(row.position, listing.base_scale, decimals(listing.lot, listing.quantity_scale), plus=True)}",
        f"unrealized {fixed(row.unrealized, listing.quote_scale, places, plus=True)}",
        f"realized {fixed(row.realized, listing.quote_scale, places, plus=True)}",
        f"{sum(order.instrument == row.instrument for order in scene.model.orders())} working",
    ]
    if (hop := scene.model.hops.get("tick_to_order")) is not None and hop.count:
        parts.append(f"tick to order {microseconds(hop.quantile(0.5))}/{microseconds(hop.quantile(0.99))} us")
    return clipped(line(" " + "  ".join(parts)), width)


def footer(scene: Scene, width: int) -> Line:
    keys = " q quit   Tab next instrument   p hold still   ? help "
    frame = scene.model.frame
    right = f" frame {frame.number:,} " if frame else ""
    return spread_out((Span(keys, Style.BANNER),), (Span(right, Style.BANNER),), width, Style.BANNER)


# -- the whole picture as text ----------------------------------------------------------------------------------------


def render(scene: Scene, width: int, height: int) -> list[str]:
    """The picture without colors, `height` lines of `width` characters: for tests, and for looking at it in a log."""
    if problem := too_small(width, height):
        return [problem[:width].ljust(width)] + [" " * width] * (height - 1)
    grid = [[" "] * width for _ in range(height)]

    def write(y: int, x: int, text: str) -> None:
        grid[y][x : x + len(text)] = text

    for place in arrange(width, height, len(scene.model.listings), help=scene.help):
        panel = PANELS[place.name]
        inner_width, inner_height = place.inside
        offset_y, offset_x = (1, 2) if place.framed else (0, 0)
        if place.framed:
            write(
                place.y, place.x, "+" + f"- {panel.title(scene)} ".ljust(place.width - 2, "-")[: place.width - 2] + "+"
            )
            for y in range(place.y + 1, place.y + place.height - 1):
                write(y, place.x, "|" + " " * (place.width - 2) + "|")
            write(place.y + place.height - 1, place.x, "+" + "-" * (place.width - 2) + "+")
        for row, spans in enumerate(panel.body(scene, inner_width, inner_height)[:inner_height]):
            write(
                place.y + offset_y + row, place.x + offset_x, "".join(span.text for span in clipped(spans, inner_width))
            )
    return ["".join(row) for row in grid]
