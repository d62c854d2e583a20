"""The order bench runs tiny, and what it says of a day is so: a start knows every fill again (it raises where not)."""

from pathlib import Path

from ops.bench import order_day


def test_a_short_day_comes_back_whole(tmp_path: Path) -> None:
    told: list[str] = []
    result = order_day.run(3_000, 50, told.append)
    day = result["day"]
    assert day["events"] >= 3_000
    assert day["restart"]["done_orders"] == day["orders"] > 100
    assert day["restart"]["fills"] == day["orders"] // order_day.FILLED_EVERY
    assert len(told) == len(day["memory_mb"]) == 10


def test_syncs_happen_where_they_are_asked_for(tmp_path: Path) -> None:
    assert order_day.append_us(tmp_path / "never", 500, 0)["syncs"] == 0
    assert order_day.append_us(tmp_path / "often", 2_000, 1)["syncs"] > 0
