"""One look at a running engine, over its telemetry: everything it shows, or as much as comes in time."""

import time
from pathlib import Path

from ops.console.link import Link
from ops.console.model import Model
from ops.telemetry import WISH_INTERVAL_S

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
        until, wished = time.monotonic() + seconds, 0.0
        while not _complete(model) and time.monotonic() < until:
            if time.monotonic() - wished > WISH_INTERVAL_S:
                link.wish()
                wished = time.monotonic()
            if not link.take():
                time.sleep(PAUSE_S)
    finally:
        link.close()
    if model.about is None:
        raise NoPicture(model.trouble or f"it showed nothing in {seconds:g} s: it is starting, or stands still")
    return model


def _complete(model: Model) -> bool:
    if model.about is None or model.log is None:
        return False
    if model.about.state == "STANDING_BY":
        return True
    trades = model.about.phase != ""  # else orders, risk and positions are another host's
    return None not in (model.board, model.health, model.upkeep) and (not trades or model.trading is not None)
