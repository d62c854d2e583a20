"""More executions than a page holds, while the engine is dead: an order that it left is taken a lot at a time."""

from typing import Any

from ops.chaos.kills.control import Control
from ops.chaos.kills.engine import ACCOUNT, Engine, units
from ops.chaos.kills.face import Burst

PAGE = 1_010
"""A little more than the 1,000 trades of a page."""
TAKES = {"BUY": "SELL", "SELL": "BUY"}
BOOK_SIDES = {"BUY": "bids", "SELL": "asks"}
LEVELS = "100"


async def rests(control: Control, wanted: Burst) -> dict[str, Any] | None:
    """A resting order of ours that is large enough, as the venue tells of it."""
    rows = (await control.get("queues", symbol=wanted.symbol, account=ACCOUNT))["rows"]
    return next((row for row in rows if units(row["quantity"]) > PAGE * wanted.take), None)


async def burst(engine: Engine, control: Control) -> bool:
    """Fill it, and nothing else trades meanwhile. False: it had left no order that is large enough, or the page is not full."""
    wanted = engine.face.burst
    async with engine.market:
        await control.post("pause-flow")
        try:
            victim = await rests(control, wanted)
            if victim is None:
                return False
            await engine.stage.log.read()
            known = len(engine.stage.log.trades)
            book = await control.get("book", symbol=wanted.symbol, levels=LEVELS)
            before = _before(book[BOOK_SIDES[victim["side"]]], victim)
            if before:
                await _take(control, victim, before)
            for _ in range(PAGE):
                await _take(control, victim, wanted.take)
            await _take(control, victim, units(victim["quantity"]) - PAGE * wanted.take)
            await engine.stage.log.read()
            made = len(engine.stage.log.trades) - known
            engine.burst_fills += made
            return made >= PAGE
        finally:
            await control.post("resume-flow")


def _before(levels: list[dict[str, Any]], victim: dict[str, Any]) -> int:
    """What trades before the order: better prices, and who came earlier at its own. 10^-8."""
    better = 0
    for level in levels:
        if units(level["price"]) == units(victim["price"]):
            break
        better += units(level["quantity"])
    return better + units(victim["quantity_ahead"])


async def _take(control: Control, victim: dict[str, Any], quantity: int) -> None:
    await control.post("market", symbol=victim["symbol"], side=TAKES[victim["side"]], quantity=f"{quantity / 1e8:.8f}")
