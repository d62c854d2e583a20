"""The whole engine as a process, against the simulated venue: it reads metadata while it trades, and does what they say."""

import json
import urllib.parse
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

from bus.codec import decode_any
from bus.log import read
from bus.messages import HEADER_SIZE, ClockEstimate, Instrument
from tests.ops.command_line import Running, Venue
from tests.support.processes import until

DIGEST_SIZE = 4
"""Of everything sent before an input; it stands in front of it."""


def ask(venue: Venue, operation: str, **params: str) -> Any:
    url = f"{venue.told['rest']}/control/{operation}?{urllib.parse.urlencode(params)}"
    request = urllib.request.Request(url, method="POST" if params else "GET")
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)


def test_a_changed_grid_a_halt_and_the_venues_clock_reach_a_running_engine(tmp_path: Path) -> None:
    venue = Venue()
    try:
        path = tmp_path / "engine.toml"
        path.write_text(
            venue.config(('kind = "binance-spot"', 'kind = "binance-spot"\nmetadata_interval_s = 1'))
            + '\n[[feed]]\nvenue = "binance-us"\nsymbols = ["ETHUSDT"]\n'
            + f'rest = "{venue.told["rest"]}"\nstreams = "{venue.told["streams"]}"\n'
        )
        engine = Running("run", str(path), "--state", str(tmp_path / "state"), "--json", **venue.keys)
        engine.read_until("orders_ready", "instrument=BTCUSDT state=LIVE")
        ask(venue, "filters", symbol="BTCUSDT", tickSize="0.1", stepSize="0.0001")
        log = engine.read_until("version=2 trading=False", "version=3 trading=True")
        assert "grid_changes instrument=BTCUSDT" in log
        ask(venue, "filters", symbol="ETHUSDT", status="BREAK")
        engine.read_until("instrument=ETHUSDT version=2 trading=False")
        orders = quotes_of(venue)
        engine.process.terminate()
        done = engine.end()
        left = ask(venue, "ledger")["open_orders"]
    finally:
        venue.stop()
    assert (done.code, left) == (0, []), done.err
    assert orders
    assert all(
        Decimal(row["price"]) % Decimal("0.1") == 0 == Decimal(row["origQty"]) % Decimal("0.0001") for row in orders
    )
    inputs = [decode_any(record.body[DIGEST_SIZE + HEADER_SIZE :]) for record in read(tmp_path / "state" / "input-log")]
    versions = [(row.venue_symbol, row.version, row.trading) for row in inputs if isinstance(row, Instrument)]
    assert versions == [
        ("BTCUSDT", 1, True),
        ("ETHUSDT", 1, True),
        ("BTCUSDT", 2, False),
        ("BTCUSDT", 3, True),
        ("ETHUSDT", 2, False),
    ]
    clocks = {row.venue: row for row in inputs if isinstance(row, ClockEstimate)}
    assert set(clocks) == {0, 1}
    assert abs(clocks[1].offset_ns) <= clocks[1].uncertainty_ns + 100_000_000
    assert "metadata_not_read" not in done.err


def quotes_of(venue: Venue) -> list[Any]:
    """Open orders of ours, as soon as there are some."""
    return list(until(lambda: ask(venue, "ledger")["open_orders"], "open orders"))
