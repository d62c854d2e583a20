"""A terminal's screen as an SVG, for the documentation: `tmux capture-pane -e -N -p | python -m ops.console.picture > x.svg`.

Takes text with SGR sequences (colors, bold, dim), as tmux prints a pane. Frames and bars are drawn as shapes, so that
they join whatever font the reader has. Pure but for `main`.
"""

import re
import sys
from html import escape
from typing import NamedTuple

CELL_WIDTH, CELL_HEIGHT = 8.0, 17.0
"""Pixels of a character in common monospace fonts at 13.3 px."""
FONT_SIZE = 13.3
MARGIN = 10.0
GROUND = "#11151c"
BASE = ("#11151c", "#e06c60", "#6cc070", "#d8b45a", "#6a9fd8", "#b58ad0", "#5cb8c4", "#c9d1d9")
"""The eight colors of a terminal, in a dark theme that reads well on paper too. Chosen."""
DIM_OPACITY = 0.6
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_BLOCKS = {character: eighths / 8 for eighths, character in enumerate(" ▏▎▍▌▋▊▉█") if eighths}
_STROKES = {"─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "rt", "┘": "lt"}
"""Arms of a frame's characters: left, right, top, bottom."""


class Look(NamedTuple):
    ink: str = BASE[7]
    ground: str = GROUND
    bold: bool = False
    dim: bool = False


class Run(NamedTuple):
    """Characters of one line that look alike, from column `start`."""

    start: int
    text: str
    look: Look


def runs(text: str) -> list[list[Run]]:
    """Each line's runs."""
    look, lines = Look(), []
    for raw in text.splitlines():
        column, line = 0, []
        for place, part in enumerate(_SGR.split(raw)):
            if place % 2:
                look = _changed(look, [int(code or 0) for code in part.split(";")])
            elif part:
                line.append(Run(column, part, look))
                column += len(part)
        lines.append(line)
    return lines


def _changed(look: Look, codes: list[int]) -> Look:
    while codes:
        code, *codes = codes
        if code == 0:
            look = Look()
        elif code in (1, 2):
            look = look._replace(bold=code == 1, dim=code == 2)
        elif code == 22:
            look = look._replace(bold=False, dim=False)
        elif code in (38, 48) and codes[:1] == [5]:
            color, codes = _indexed(codes[1]), codes[2:]
            look = look._replace(ink=color) if code == 38 else look._replace(ground=color)
        elif 30 <= code <= 37 or code == 39:
            look = look._replace(ink=BASE[7 if code == 39 else code - 30])
        elif 40 <= code <= 47 or code == 49:
            look = look._replace(ground=BASE[0 if code == 49 else code - 40])
        elif 90 <= code <= 97:
            look = look._replace(ink=BASE[code - 90])
    return look


def _indexed(number: int) -> str:
    """A color of xterm's 256."""
    if number < 16:
        return BASE[number % 8]
    if number >= 232:
        return f"#{8 + 10 * (number - 232):02x}" + f"{8 + 10 * (number - 232):02x}" * 2
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return "#" + "".join(f"{steps[number // part % 6]:02x}" for part in (36, 6, 1))


def svg(text: str) -> str:
    """The whole picture. Raises ValueError for an empty screen."""
    lines = runs(text)
    columns = max((row[-1].start + len(row[-1].text) for row in lines if row), default=0)
    if not columns:
        raise ValueError("the screen is empty")
    width, height = columns * CELL_WIDTH + 2 * MARGIN, len(lines) * CELL_HEIGHT + 2 * MARGIN
    body = [shape for y, row in enumerate(lines) for run in row for shape in _shapes(run, y)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT_SIZE}">',
            f'<rect width="100%" height="100%" rx="6" fill="{GROUND}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _shapes(run: Run, row: int) -> list[str]:
    x, y = MARGIN + run.start * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
    shapes = []
    if run.look.ground not in (GROUND, BASE[0]):
        wide = len(run.text) * CELL_WIDTH
        shapes.append(f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{CELL_HEIGHT:g}" fill="{run.look.ground}"/>')
    for match in re.finditer(r"[ ▏▎▍▌▋▊▉█]*[▏▎▍▌▋▊▉█]|─+|[│┌┐└┘]|[^▏▎▍▌▋▊▉█─│┌┐└┘]+", run.text):
        piece, left = match[0], x + match.start() * CELL_WIDTH
        if piece[-1] in _BLOCKS:
            shapes.append(_bar(piece, left, y, run.look))
        elif piece[0] in _STROKES:
            shapes.append(_stroke(piece, left, y, run.look))
        elif piece.strip():
            shapes.append(_words(piece, left, y, run.look))
    return shapes


def _bar(piece: str, x: float, y: float, look: Look) -> str:
    blank = len(piece) - len(piece.lstrip())
    wide = sum(_BLOCKS[character] for character in piece.lstrip()) * CELL_WIDTH
    left, top = x + blank * CELL_WIDTH, y + 2
    return f'<rect x="{left:g}" y="{top:g}" width="{wide:g}" height="{CELL_HEIGHT - 4:g}" fill="{look.ink}"/>'


def _stroke(piece: str, x: float, y: float, look: Look) -> str:
    middle_x, middle_y = x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2
    ends = {
        "l": f"M{x:g} {middle_y:g}H{middle_x:g}",
        "r": f"M{middle_x:g} {middle_y:g}H{x + CELL_WIDTH:g}",
        "t": f"M{middle_x:g} {y:g}V{middle_y:g}",
        "b": f"M{middle_x:g} {middle_y:g}V{y + CELL_HEIGHT:g}",
    }
    path = "".join(ends[arm] for arm in _STROKES[piece[0]])
    if piece[0] == "─":
        path = f"M{x:g} {middle_y:g}H{x + len(piece) * CELL_WIDTH:g}"
    return f'<path d="{path}" stroke="{look.ink}" stroke-opacity="0.45" fill="none"/>'


def _words(piece: str, x: float, y: float, look: Look) -> str:
    """textLength keeps the columns whatever font is there."""
    blank = len(piece) - len(piece.lstrip())
    words = piece.strip()
    left, base = x + blank * CELL_WIDTH, y + CELL_HEIGHT * 0.76
    more = (' font-weight="bold"' if look.bold else "") + (f' opacity="{DIM_OPACITY}"' if look.dim else "")
    return (
        f'<text x="{left:g}" y="{base:g}" fill="{look.ink}"{more} textLength="{len(words) * CELL_WIDTH:g}" '
        f'xml:space="preserve">{escape(words)}</text>'
    )


def main() -> None:
    sys.stdout.write(svg(sys.stdin.read()))


if __name__ == "__main__":
    main()
