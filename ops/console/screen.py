"""The console on a terminal: npyscreen's form and boxes, drawn by a frame loop of our own.

npyscreen's `edit()` looks at the keyboard ten times a second and starves under a held key, so it never runs: an asyncio
loop reads the keys and the frames as they come, and draws at most `hz` times a second what changed.
"""

import asyncio
import curses
import locale
import os
import select
import signal
from collections.abc import Callable
from typing import Any

import npyscreen
from npyscreen.npysThemeManagers import ThemeManager
from npyscreen.wgwidget import Widget

from bus.clock import boottime_ns
from ops.console.layout import PANELS, Place, arrange, too_small
from ops.console.link import Link
from ops.console.model import Rate, Scene
from ops.console.text import Line, Style, clipped, printable
from ops.telemetry import WISH_INTERVAL_S, Listing

REDRAW_S = 0.25
"""Without news the picture is drawn so often, for the ages in it; chosen."""
SIDE_PANEL_NS = 95_000_000
"""Panels beside the ladder are drawn ten times a second: nobody reads numbers faster. Chosen."""
EVERY_FRAME = ("header", "ladder", "position", "orders", "summary")
"""Own orders stand in several of them: of one frame, or they would disagree."""
SLACK = 0.9
"""Of the interval between pictures: frames come in step with the engine's clock, and jitter must not cost every second one."""
RIGHT = (curses.KEY_RIGHT, curses.KEY_DOWN, ord("\t"), ord("n"))
LEFT = (curses.KEY_LEFT, curses.KEY_UP, curses.KEY_BTAB)

COLORS_256 = (("BID_BAR", 65, -1), ("ASK_BAR", 131, -1), ("BANNER", 255, 24), ("ALERT", 231, 160))
"""Where a terminal has 256 colors: (name, foreground, background); -1 is black. Chosen by eye on black."""


class Theme(ThemeManager):  # type: ignore[misc]  # npyscreen ships no types
    """npyscreen's pairs and names, and names of ours for what a ladder needs."""

    _colors_to_define = (*ThemeManager._colors_to_define, ("WHITE_BLUE", curses.COLOR_WHITE, curses.COLOR_BLUE))
    default_colors = ThemeManager.default_colors | {
        "LABEL": "CYAN_BLACK",
        "BID": "GREEN_BLACK",
        "ASK": "RED_BLACK",
        "BID_BAR": "GREEN_BLACK",
        "ASK_BAR": "RED_BLACK",
        "BANNER": "WHITE_BLUE",
        "ALERT": "BLACK_RED",
    }

    def initialize_pairs(self) -> None:
        super().initialize_pairs()
        if curses.COLORS >= 256:
            for name, ink, ground in COLORS_256:
                self.initalize_pair(f"{name}_256", ink, max(ground, 0))

    def initialize_names(self) -> None:
        super().initialize_names()
        if curses.COLORS >= 256:
            self._names.update({name: f"{name}_256" for name, _, _ in COLORS_256})


LOOKS: dict[Style, tuple[str, int]] = {
    Style.PLAIN: ("DEFAULT", curses.A_NORMAL),
    Style.DIM: ("DEFAULT", curses.A_DIM),
    Style.STRONG: ("DEFAULT", curses.A_BOLD),
    Style.HEADING: ("STANDOUT", curses.A_NORMAL),
    Style.BID: ("BID", curses.A_NORMAL),
    Style.ASK: ("ASK", curses.A_NORMAL),
    Style.BID_BAR: ("BID_BAR", curses.A_NORMAL),
    Style.ASK_BAR: ("ASK_BAR", curses.A_NORMAL),
    Style.OWN: ("CAUTION", curses.A_BOLD),
    Style.GOOD: ("GOOD", curses.A_NORMAL),
    Style.WARN: ("CAUTION", curses.A_NORMAL),
    Style.BAD: ("DANGER", curses.A_BOLD),
    Style.ALERT: ("ALERT", curses.A_BOLD),
    Style.BANNER: ("BANNER", curses.A_NORMAL),
}


class Canvas(Widget):  # type: ignore[misc]
    """Lines of styled text; draws those that differ from what stands there."""

    def __init__(self, screen: Any, *args: Any, **keywords: Any) -> None:
        super().__init__(screen, *args, editable=False, **keywords)
        theme = self.parent.theme_manager
        self._looks = {style: theme.findPair(self, name) | attribute for style, (name, attribute) in LOOKS.items()}
        self._shown: list[Line | None] = [None] * self.height

    def show(self, lines: list[Line]) -> None:
        pad, width = self.parent.curses_pad, self.width
        for row in range(self.height):
            spans = lines[row] if row < len(lines) else ()
            if spans == self._shown[row]:
                continue
            self._shown[row] = spans
            y, x = self.rely + row, self.relx
            for text, style in clipped(spans, width):
                pad.addnstr(y, x, text, width, self._looks[style])
                x += len(text)
            if (rest := self.relx + width - x) > 0:
                pad.addnstr(y, x, " " * rest, rest)


class Box(npyscreen.BoxTitle):  # type: ignore[misc]
    """npyscreen's titled frame around a canvas."""

    _contained_widget = Canvas


class Picture(npyscreen.FormBaseNew):  # type: ignore[misc]
    """One arrangement of panels. A terminal of another size gets another Picture."""

    BLANK_LINES_BASE = BLANK_COLUMNS_RIGHT = 0
    FRAMED = False

    def __init__(self, places: tuple[Place, ...], width: int, height: int) -> None:
        self._size = (height, width)
        super().__init__(lines=height + 1, columns=width)  # a line more: curses cannot fill the last cell of a pad
        self._places = places
        self._drawn: dict[str, tuple[Any, ...]] = {}
        self._boxes: dict[str, Any] = {}
        self._canvases: dict[str, Canvas] = {}
        for place in places:
            where = {"rely": place.y, "relx": place.x, "max_height": place.height, "max_width": place.width}
            if place.framed:
                self._boxes[place.name] = box = self.add_widget(Box, name=" ", editable=False, **where)
                self._canvases[place.name] = box._my_widgets[0]  # its proxy, `entry_widget`, is slower
            else:
                self._canvases[place.name] = self.add_widget(Canvas, **where)

    def _max_physical(self) -> tuple[int, int]:
        """npyscreen asks the terminal on stderr, which may be a file."""
        height, width = self._size
        return height - 1, width - 1

    def useable_space(self, rely: int = 0, relx: int = 0) -> tuple[int, int]:
        """All of it; npyscreen would keep a margin."""
        return self.lines - rely, self.columns - relx

    def draw(self, scene: Scene, *, all_panels: bool) -> None:
        """Lay out what is due, put what changed on the screen."""
        versions = scene.model.versions
        for place in self._places:
            panel = PANELS[place.name]
            known = tuple(versions.get(noun) for noun in panel.needs)
            if place.name in EVERY_FRAME or (
                all_panels and (known != self._drawn.get(place.name) or "frame" in panel.needs)
            ):
                self._drawn[place.name] = known
                self._title(place.name, panel.title(scene))
                self._canvases[place.name].show(panel.body(scene, *place.inside))
        self.refresh()

    def _title(self, name: str, title: str) -> None:
        box = self._boxes.get(name)
        if box is not None and box.name != (title := printable(title, len(title))):
            box.name = title
            npyscreen.BoxBasic.update(box, clear=False)


class Screen:
    """One terminal and one link, from `run` to its end. Keys: see guide.WORDS."""

    def __init__(self, screen: Any, link: Link, symbol: str) -> None:
        self._screen, self._link, self._model, self._hz, self._symbol = screen, link, link.model, link.hz, symbol
        self._ended = asyncio.Event()
        self._rate = Rate()
        self._chosen = 0
        self._paused = self._held = self._help = False
        self._picture: Picture | None = None
        self._instruments = 0
        self._failure: BaseException | None = None
        self._drawn_ns = self._side_ns = 0
        self._news = False
        self._later: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._fine = locale.nl_langinfo(locale.CODESET).upper() == "UTF-8"

    async def run(self) -> None:
        """Until q, a signal, or the terminal's end; or until something of ours raises, which is raised here."""
        loop = self._loop
        loop.set_exception_handler(self._failed)  # the default one would write across the picture
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            loop.add_signal_handler(number, self._ended.set)
        loop.add_signal_handler(signal.SIGWINCH, self._resized)
        self._screen.nodelay(True)
        self._screen.keypad(True)
        loop.add_reader(0, self._on_keys)
        loop.add_reader(self._link.descriptor, self._on_frames)
        self._resized()
        ticking = [
            loop.create_task(self._each(WISH_INTERVAL_S, self._wish)),
            loop.create_task(self._each(REDRAW_S, self._idle)),
        ]
        try:
            await self._ended.wait()
        finally:
            for task in ticking:
                task.cancel()
            loop.remove_reader(0)
            loop.remove_reader(self._link.descriptor)
        if self._failure is not None:
            raise self._failure

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._failure = self._failure or context.get("exception") or RuntimeError(context["message"])
        self._ended.set()

    async def _each(self, seconds: float, action: Callable[[], None]) -> None:
        while True:
            action()
            await asyncio.sleep(seconds)

    # -- what comes in --------------------------------------------------------------------------------------------

    def _wish(self) -> None:
        listing = self._listing()
        self._link.instrument = listing.instrument if listing else -1
        self._link.wish()
        self._on_frames()  # sending may have eaten the descriptor's edge

    def _on_frames(self) -> None:
        if self._link.take():
            self._news = True
            self._draw_soon()

    def _idle(self) -> None:
        now_ns = boottime_ns()
        self._link.look(now_ns)
        if now_ns - self._drawn_ns > REDRAW_S * 0.5e9:
            self._draw(now_ns)

    def _on_keys(self) -> None:
        while (key := self._screen.getch()) != -1:
            self._on_key(key)
        if _is_gone():  # it would stay readable for ever, and bring no key
            self._ended.set()

    def _on_key(self, key: int) -> None:
        if key in (ord("q"), ord("Q")):
            self._ended.set()
            return
        if key in RIGHT or key in LEFT:
            self._chosen += 1 if key in RIGHT else -1
            self._wish()
        elif key in (ord("p"), ord(" ")):
            self._paused = not self._paused
        elif key in (ord("?"), ord("h")):
            self._help = not self._help
            self._resized()
        self._held = False
        self._side_ns = 0
        self._draw(boottime_ns())

    def _listing(self) -> Listing | None:
        """The chosen instrument; the one asked for on the command line as soon as the engine has named it."""
        if self._symbol and self._model.listings:
            self._chosen = self._link.place_of(self._symbol)
            self._symbol = ""
        return self._model.listing(self._chosen)

    # -- what goes out --------------------------------------------------------------------------------------------

    def _resized(self) -> None:
        """A new size, or another set of panels: everything is drawn anew."""
        width, height = os.get_terminal_size(1)
        curses.resizeterm(height, width)
        self._screen.erase()
        self._screen.noutrefresh()
        self._picture = None
        if problem := too_small(width, height):
            self._screen.addnstr(0, 0, problem, max(width - 1, 1))
            self._screen.refresh()
            return
        self._instruments = len(self._model.listings)
        places = arrange(width, height, self._instruments, help=self._help)
        try:
            self._picture = Picture(places, width, height)
        except npyscreen.NotEnoughSpaceForWidget as error:  # a resize in between; the next signal brings the right size
            self._screen.addnstr(0, 0, f"terminal too small: {error}"[: width - 1], max(width - 1, 1))
            self._screen.refresh()
            return
        self._side_ns = 0
        self._draw(boottime_ns())

    def _draw_soon(self) -> None:
        """At most hz times a second."""
        if self._later is not None:
            return
        now_ns = boottime_ns()
        due_ns = self._drawn_ns + int(SLACK * 1e9 / self._hz)
        if now_ns >= due_ns:
            self._draw(now_ns)
        else:
            self._later = self._loop.call_later((due_ns - now_ns) / 1e9, self._draw_later)

    def _draw_later(self) -> None:
        self._later = None
        self._draw(boottime_ns())

    def _draw(self, now_ns: int) -> None:
        if self._picture is None or (self._paused and self._held):
            return
        self._listing()
        if len(self._model.listings) != self._instruments:  # the engine has named them meanwhile: they take rows
            self._resized()
            return
        if self._news:
            self._rate.count(now_ns)
            self._news = False
        self._drawn_ns, self._held = now_ns, self._paused
        all_panels = self._paused or now_ns - self._side_ns >= SIDE_PANEL_NS
        if all_panels:
            self._side_ns = now_ns
        fps = self._rate.per_second(now_ns)
        scene = Scene(self._model, now_ns, self._chosen, fps, self._paused, self._help, self._fine)
        self._picture.draw(scene, all_panels=all_panels)


def show(link: Link, symbol: str = "") -> None:
    """Take the terminal until the person or a signal ends it; it is given back however this ends. Raises SymbolUnknown."""

    async def main(screen: Any) -> None:
        npyscreen.setTheme(Theme)
        await Screen(screen, link, symbol).run()

    try:
        npyscreen.wrapper_basic(lambda screen: asyncio.run(main(screen)))
    except (curses.error, OSError):
        if not _is_gone():  # else: nobody is there to give it back to
            raise


def _is_gone() -> bool:
    """Whether the terminal has ended: the other side of a pseudo terminal, or its connection."""
    keyboard = select.poll()
    keyboard.register(0, 0)  # asks for nothing: what is told then is its end
    return bool(keyboard.poll(0))
