"""A frozen engine, with real processes: what waited for it in its sockets is not taken for fresh when it wakes up."""

import signal
import time
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path

import pytest

from bus.codec import decode_any
from bus.log import read
from bus.messages import HEADER_SIZE, ConnectionUp, Frame, Message, SubmitOrder, read_header
from tests.support.processes import EngineProcess, VenueProcess, until
from tests.support.replay import DIGEST_BYTES

SYMBOL = "BTCUSDT"
FROZEN_S = 1.5
"""Longer than a standstill, shorter than the age at which the risk limits or the term would help by themselves (5 s)."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    """Trading, with an order that works."""
    with (
        VenueProcess(tmp_path, "--symbols", SYMBOL, "--seed", "3") as venue,
        EngineProcess(tmp_path, venue, SYMBOL) as process,
    ):
        process.start()
        process.wait_for("orders_ready")
        until(lambda: venue.ledger()["open_orders"], "a working order")
        yield process


def freeze(engine: EngineProcess) -> None:
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    engine.process.send_signal(signal.SIGCONT)


def since_it_woke(engine: EngineProcess) -> list[tuple[int, Message]]:
    """(offset, input) of all inputs after the longest pause between two, which is the one in which it was frozen."""
    rows = list(read(engine.state / "input-log"))
    pauses = [later.now_ns - earlier.now_ns for earlier, later in pairwise(rows)]
    woke = pauses.index(max(pauses)) + 1
    assert max(pauses) > FROZEN_S * 0.9e9
    return [(row.offset, decode_any(row.body[DIGEST_BYTES + HEADER_SIZE :])) for row in rows[woke:]]


def test_a_frozen_engine_drops_its_feed_and_trades_on_from_fresh_frames(engine: EngineProcess) -> None:
    freeze(engine)
    engine.wait_for("state=INVALID reason=CONNECTION_LOST")
    until(lambda: engine.log.read_text().count("state=LIVE") >= 2, "a book that was built anew")
    assert engine.stop()["standstills"] >= 1
    inputs = since_it_woke(engine)
    old = list(takewhile(lambda row: not isinstance(row[1], ConnectionUp), inputs))
    assert len(old) < len(inputs), "it had another connection"
    assert [message for _, message in old if isinstance(message, Frame)] == [], "frames that waited"
    offsets = {offset for offset, _ in old}
    assert [header for header in submits(engine) if header in offsets] == [], "orders made before that"


def submits(engine: EngineProcess) -> list[int]:
    """The input that each order of the journal was made from."""
    rows = list(read(engine.state / "journal"))
    return [read_header(row.body).offset for row in rows if isinstance(decode_any(row.body[HEADER_SIZE:]), SubmitOrder)]
