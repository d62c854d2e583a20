"""The venue's benchmark runs tiny, and its figures are of what they say: fills happen, every diff arrives, time passes."""

from click.testing import CliRunner

from ops.bench import venue_core, venue_day, venue_fanout, venue_wire
from ops.bench.venue_client import LeanClient
from ops.cli.main import main


def test_the_core_does_the_same_work_each_time() -> None:
    first, again = venue_core.run(2_000, seed=3), venue_core.run(2_000, seed=3)
    assert first["mixed"]["result_hash"] == again["mixed"]["result_hash"]
    assert first["mixed"]["fills"] > 500
    assert first["place_cancel"]["fills"] == 0
    assert venue_core.run(2_000, seed=4)["mixed"]["result_hash"] != first["mixed"]["result_hash"]


def test_the_help_says_what_the_figures_are() -> None:
    told = CliRunner().invoke(main, ["bench", "venue", "--help"]).output
    for name in ("result_hash", "pipelined_cpu_us", "times", "against_engine", "About a minute"):
        assert name in told


def test_orders_go_to_a_venue_and_back() -> None:
    """An answer that is a refusal raises: a time is that of an order."""
    result = venue_wire.run(20)
    for door in ("websocket_api", "rest"):
        for trip in ("place_us", "cancel_us"):
            assert result[door][trip]["p50"] > 0
    assert result["pipelined_per_s"] > 0


def test_every_subscriber_gets_every_diff() -> None:
    """It raises where a byte is missing at one of them."""
    result = venue_fanout.run(5, 0.2, subscribers=10)
    assert result["frames_per_s"] >= result["diffs_per_s"] * 9
    assert result["lag_last_us"]["p50"] >= result["lag_first_us"]["p50"] > 0


def test_the_crowd_lives_in_a_time_of_its_own() -> None:
    result = venue_day.run(0.02)
    assert result["events"] > 1_000
    assert list(result["memory_mb"]) == ["0.02 h"]


def test_a_frame_of_the_lean_client_is_one() -> None:
    client = LeanClient({"rest": "http://127.0.0.1:1", "api_key": "k", "api_secret": "s"})
    frame = client.api_frame("ping", 7, {})
    assert frame[:2] == b"\x81\xfe"
    assert int.from_bytes(frame[2:4], "big") == len(frame) - 8
    assert b'"id": 7' in frame
