"""The ladder of lateness as it is by default, on real sockets: it stands in nobody's way, and follows the venue up and down."""

from pathlib import Path
from typing import Any

from tests.faults.harness import SELDOM, Play, trading

DEFAULTS = "".join(line for line in SELDOM.splitlines(keepends=True) if "_steps_ms" not in line)
SLOW_NS = 500_000_000
"""Of an acknowledgement: the second step."""


def ladder(play: Play) -> dict[str, Any]:
    shown: dict[str, Any] = play.engine.views()["risk"]["ladder"]
    return shown


def is_slow(play: Play) -> bool:
    return bool(ladder(play)["acknowledgement"] >= SLOW_NS and ladder(play)["step"] >= 2)


async def test_by_default_it_quotes_and_is_filled_on_any_machine(tmp_path: Path) -> None:
    """A step or two up quotes stand further off and go one at a time: the crowd reaches them all the same."""
    assert SELDOM != DEFAULTS
    async with trading(tmp_path, config=DEFAULTS) as play:
        await play.fills(2)
        await play.more_orders()
        assert await play.end() == []


async def test_slow_answers_are_a_step_and_quick_ones_leave_it(tmp_path: Path) -> None:
    async with trading(tmp_path, config=DEFAULTS) as play:
        for operation in ("place", "cancel"):  # a cancel's answer is a word on its order, too
            await play.fault("answer-delay", door="api", operation=operation, delay_ms=700)
        await play.fault("user-delay", delay_ms=700)
        await play.until(lambda: is_slow(play), "they are a step")
        await play.clear()
        await play.until(lambda: ladder(play)["step"] < 2, "it is left")
        await play.more_orders()
        assert await play.end() == []
