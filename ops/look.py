"""One look at a running engine, over its telemetry: everything it shows, or as much as comes in time."""

import time
from collections.abc import Callable
from pathlib import Path

from ops.console.link import Link
from ops.console.model import Model
from ops.telemetry import WISH_INTERVAL_S, Ladder

LOOK_S = 3.0
"""A round of all sections takes about a second of a free engine; chosen."""
PAUSE_S = 0.02
HZ = 50


class NoPicture(Exception):
    """The engine shows nothing. The text says why."""


def look(state: Path, seconds: float = LOOK_S) -> Model:
    """What the engine on `state` shows of itself, complete unless `seconds` were over before. Raises NoPicture, BusError.

    One that stands by shows who it is and its log, which is all it has.
    """
    model = Model()
    link = Link(state, model, HZ)
    try:
        _watch(link, lambda: _complete(model), seconds)
    finally:
        link.close()
    if model.about is None:
        raise NoPicture(model.trouble or f"it showed nothing in {seconds:g} s: it is starting, or stands still")
    return model


def look_at_held(state: Path, seconds: float = LOOK_S) -> tuple[Model, dict[int, Ladder]]:
    """The same, and the book of each instrument that is held, as far as it is shown. Raises NoPicture, BusError."""
    model = look(state, seconds)
    ladders: dict[int, Ladder] = {}
    link = Link(state, model, HZ)
    try:
        for row in model.board.rows if model.board is not None else ():
            if row.position:
                link.instrument = row.instrument
                _watch(link, lambda number=row.instrument: model.ladder(number) is not None, 1.0)  # type: ignore[misc]  # bound now
                if (ladder := model.ladder(row.instrument)) is not None:
                    ladders[row.instrument] = ladder
    finally:
        link.close()
    return model, ladders


def _watch(link: Link, seen: Callable[[], bool], seconds: float) -> None:
    until, wished = time.monotonic() + seconds, 0.0
    while not seen() and time.monotonic() < until:
        if time.monotonic() - wished > WISH_INTERVAL_S:
            link.wish()
            wished = time.monotonic()
        if not link.take():
            time.sleep(PAUSE_S)


def _complete(model: Model) -> bool:
    if model.about is None or model.log is None:
        return False
    if model.about.state == "STANDING_BY":
        return True
    trades = model.about.phase != ""  # else orders, risk and positions are another host's
    return None not in (model.board, model.health, model.upkeep) and (not trades or model.trading is not None)
