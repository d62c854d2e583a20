"""`touchline check CONFIG --online`, as a process: what the venues say, and whether an engine could start on it."""

import json
from pathlib import Path

from tests.ops.command_line import Venue, touchline


def test_instruments_filters_and_clocks_of_all_venues_are_shown_without_a_key(venue: Venue, tmp_path: Path) -> None:
    path = tmp_path / "engine.toml"
    feed = f'\n[[feed]]\nvenue = "binance-us"\nsymbols = ["ETHUSDT"]\nrest = "{venue.told["rest"]}"\nstreams = "{venue.told["streams"]}"\n'
    path.write_text(venue.config() + feed)
    done = touchline("check", str(path), "--online", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    traded, looked_at = told["venues"]
    assert (told["usable"], traded["venue"], looked_at["venue"]) == (True, "binance-spot", "binance-us")
    [filters] = traded["instruments"]
    assert (filters["symbol"], filters["tick"], filters["lot"], filters["notional_min"]) == (
        "BTCUSDT",
        "0.01",
        "0.00001",
        "5",
    )
    for row in told["venues"]:
        assert abs(row["clock_offset_ms"]) <= row["clock_uncertainty_ms"] + 100
    assert "BTCUSDT" in touchline("check", str(path), "--online").out


def test_what_an_engine_could_not_start_on_is_told_for_each_venue(venue: Venue, tmp_path: Path) -> None:
    path = tmp_path / "engine.toml"
    path.write_text(
        venue.config(('symbol = "BTCUSDT"', 'symbol = "BTCUSTD"')) + '\n[[feed]]\nvenue = "kraken"\nsymbols = ["BTC/USD"]\n'
        'rest = "http://127.0.0.1:9"\nstreams = "ws://127.0.0.1:9"\n'
    )  # fmt: skip
    done = touchline("check", str(path), "--online")
    assert done.code == 2
    assert "did you mean BTCUSDT" in done.err
    assert "[[feed]] kraken rest" in done.err
