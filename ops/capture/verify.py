"""`capture verify`: a recording's books rebuilt and checked, in as many runs as its figures need."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

from gateway.market import VenueMarket
from ops.capture.learnt import NOTHING_LEARNT, SYMBOLS_MAX, Learnt, RunAgain
from ops.capture.reader import Capture, read_capture
from ops.capture.result import VerifyResult
from ops.capture.verifier import Verifier
from ops.venues import MARKETS

RUNS_MAX = 8
"""Of one recording; chosen. A run learns the decimals of all that is left of it, so few are needed."""
CAPTURE_NAMES = {"kraken-v2": "kraken"}
"""Where captures call a venue otherwise than configurations do."""


class UnsupportedVenue(Exception):
    """The capture is of a venue whose books cannot be rebuilt."""

    def __init__(self, venue: str) -> None:
        supported = ", ".join(sorted(capture_name(name) for name in MARKETS))
        super().__init__(f"venue {venue!r} is not supported; supported: {supported}")


def config_name(venue: str) -> str:
    """What configurations call a venue, whichever of its two names this is."""
    return CAPTURE_NAMES.get(venue, venue)


def capture_name(venue: str) -> str:
    """What captures call a venue of ours."""
    return next((name for name, ours in CAPTURE_NAMES.items() if ours == venue), venue)


def market_of(capture_venue: str) -> VenueMarket:
    """Raises UnsupportedVenue."""
    make = MARKETS.get(config_name(capture_venue))
    if make is None:
        raise UnsupportedVenue(capture_venue)
    return make()


def verify(path: Path, tops: TextIO | None = None, progress: Callable[[int], None] | None = None) -> VerifyResult:
    """Run the whole capture. Raises BadCapture or UnsupportedVenue. tops: takes a CSV row for each applied update."""

    def attempt(capture: Capture, learnt: Learnt, rows: TextIO | None) -> VerifyResult:
        return Verifier(market_of(capture.venue), learnt, rows).run(capture, progress)

    return attempts(path, attempt, tops)


ResultT = TypeVar("ResultT")
Attempt = Callable[[Capture, Learnt, TextIO | None], ResultT]
"""One run of a verifier; rows go to the third."""


def attempts(path: Path, attempt: Attempt[ResultT], out: TextIO | None = None) -> ResultT:
    """Run a capture until nothing is left to learn. `out` gets the rows of the last run."""
    learnt = NOTHING_LEARNT
    for _ in range(RUNS_MAX):
        with contextlib.ExitStack() as stack:
            rows = None
            if out is not None:
                rows = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=""))
            try:
                result = attempt(read_capture(path), learnt, rows)
            except RunAgain as again:
                learnt = _taught(learnt, again, path)
                continue
            if rows is not None and out is not None:
                rows.seek(0)
                shutil.copyfileobj(rows, out)
            return result
    raise AssertionError(f"{path} has not told all in {RUNS_MAX} runs")


def _taught(learnt: Learnt, again: RunAgain, path: Path) -> Learnt:
    if again.ends:
        records = read_capture(path).records
        return learnt._replace(ends={record.address: record.line for record in records if record.kind == "recv"})
    if again.symbols:
        return learnt._replace(symbols=SYMBOLS_MAX)
    return learnt._replace(scales={**learnt.scales, **again.scales})
