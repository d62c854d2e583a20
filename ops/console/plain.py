"""The console where there is no terminal to draw on: a line a second."""

import select
import time
from collections.abc import Callable

from bus.clock import boottime_ns
from ops.console.edges import header, summary
from ops.console.link import Link
from ops.console.model import Rate, Scene
from ops.telemetry import WISH_INTERVAL_S

HZ = 10
"""Frames a second asked for: enough to be current, nearly free for the engine. Chosen."""
LINE_WIDTH = 400
"""Characters of a line: all there is to say; a file has no edge."""
LINE_S = 1.0


def text(scene: Scene) -> str:
    """Header and summary of the chosen instrument in one line."""
    spans = (*header(scene, LINE_WIDTH), *summary(scene, LINE_WIDTH))
    return "  ".join(" ".join(span.text.split()) for span in spans if span.text.strip())


def run(
    link: Link, symbol: str, seconds: float | None, write: Callable[[str], None], ended: Callable[[], bool]
) -> None:
    """A line a second to `write`, until `seconds` have passed or `ended` says so. Raises SymbolUnknown."""
    rate, started = Rate(), time.monotonic()
    lines = 0
    while not ended():
        passed = time.monotonic() - started
        if seconds is not None and passed >= seconds:
            return
        link.wish()
        _receive(link, rate, min(WISH_INTERVAL_S, (lines + 1) * LINE_S - passed))
        if time.monotonic() - started >= (lines + 1) * LINE_S:
            lines += 1
            chosen = link.place_of(symbol)
            now_ns = boottime_ns()
            link.look(now_ns)
            write(text(Scene(link.model, now_ns, chosen, rate.per_second(now_ns))))


def _receive(link: Link, rate: Rate, seconds: float) -> None:
    """Take frames for so long."""
    until = time.monotonic() + seconds
    while True:
        if link.take():  # first: a wish may have eaten the descriptor's edge
            rate.count(boottime_ns())
        if (left := until - time.monotonic()) <= 0:
            return
        select.select([link.descriptor], [], [], left)
