"""More executions than a page holds, while the engine is dead: its resting orders are taken a lot at a time."""

from typing import Any

from ops.chaos.kills.control import Control
from ops.chaos.kills.engine import ACCOUNT, SYMBOLS, Engine, units

SYMBOL = SYMBOLS[0]
LOT = "0.00001"
LOT_UNITS = 1_000
OF_EACH = 510
"""Of both orders together a little more than a page of 1,000 trades, and of each less than the executions that the venue keeps."""
TAKES = {"BUY": "SELL", "SELL": "BUY"}
LEVELS = "100"


async def rests(control: Control) -> dict[str, Any]:
    """By side, the order of ours that is large enough; empty unless there is one on each."""
    rows = (await control.get("queues", symbol=SYMBOL, account=ACCOUNT))["rows"]
    found = {row["side"]: row for row in rows if units(row["quantity"]) >= OF_EACH * LOT_UNITS}
    return found if len(found) == len(TAKES) else {}


async def burst(engine: Engine, control: Control) -> bool:
    """Nothing else trades meanwhile. False: it had not left an order on each side, large enough; then nothing was done."""
    async with engine.market:
        await control.post("pause-flow")
        try:
            victims = await rests(control)
            if not victims:
                return False
            book = await control.get("book", symbol=SYMBOL, levels=LEVELS)
            for side, levels in (("BUY", book["bids"]), ("SELL", book["asks"])):
                before = _before(levels, victims[side])
                if before:
                    await _take(control, TAKES[side], f"{before / 1e8:.8f}")
                for _ in range(OF_EACH):
                    await _take(control, TAKES[side], LOT)
            engine.burst_fills += len(TAKES) * OF_EACH
            return True
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


async def _take(control: Control, side: str, quantity: str) -> None:
    await control.post("market", symbol=SYMBOL, side=side, quantity=quantity)
