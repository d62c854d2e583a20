"""Where everything stands on a terminal of some size, and what is written there. Pure: a scene and a size in, lines out.

From 136 columns on the ladder has the left side, panels the right, the log the foot. Narrower, everything stands under
the ladder, as far as the height goes. Below 60 x 15 nothing useful fits, and it says so.
"""

from collections.abc import Callable
from typing import NamedTuple

from ops.console import ladder as ladder_panel
from ops.console import panels, results
from ops.console.edges import footer, header, summary
from ops.console.guide import guide
from ops.console.model import Scene
from ops.console.text import Line, clipped

WIDTH_MIN, HEIGHT_MIN = 60, 15
WIDE = 136
"""Columns from which panels stand beside the ladder, each with its most important columns. Chosen."""
LADDER_HEIGHT_MIN = 13
"""Rows the ladder keeps, frame included, before another panel is put under it: four levels a side. Chosen."""
LADDER_SHARE = 48
"""Percent of a wide terminal's columns, between the two bounds below."""
LADDER_WIDTH_MIN, LADDER_WIDTH_MAX = 60, 84


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
    "header": Panel(_named(""), lambda scene, width, height: [header(scene, width)], ("frame", "about", "board")),
    "ladder": Panel(ladder_panel.title, ladder_panel.ladder, ("frame", "about", "board")),
    "position": Panel(results.position_title, results.position, ("board", "frame", "about")),
    "orders": Panel(_named("Working orders"), panels.orders, ("frame", "about", "board")),
    "trades": Panel(_named("Trades"), panels.trades, ("tape", "about", "board")),
    "latency": Panel(_named("Latency"), panels.latency, ("latency",)),
    "states": Panel(_named("States"), panels.states, ("trading", "exits", "coordination", "about", "board")),
    "health": Panel(_named("Health"), panels.health, ("health",)),
    "signals": Panel(_named("Signals"), panels.signals, ("frame", "shape", "about", "board")),
    "log": Panel(_named("Log, UTC"), panels.log, ("log",)),
    "summary": Panel(_named(""), lambda scene, width, height: [summary(scene, width)], ("board", "frame", "latency")),
    "help": Panel(_named("Help"), lambda scene, width, height: guide(width, height), ()),
    "footer": Panel(_named(""), lambda scene, width, height: [footer(scene, width)], ("frame",)),
}


def too_small(width: int, height: int) -> str:
    """What to say instead of a picture, what is needed first where a terminal is narrow; empty: it fits."""
    if width >= WIDTH_MIN and height >= HEIGHT_MIN:
        return ""
    whole = f"terminal too small: {width}x{height}, at least {WIDTH_MIN}x{HEIGHT_MIN}"
    return whole if len(whole) < width else f"{WIDTH_MIN}x{HEIGHT_MIN} needed: {width}x{height}"


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
