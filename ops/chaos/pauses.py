"""The scenario "cooldown": one engine makes a loss and asks for a pause, which both of the group must keep."""

import asyncio
import time

from gateway.doors.coordination.contract import Cooldown, Coordinator
from ops.chaos.cast import Instance
from ops.chaos.judge import increasing, position
from ops.chaos.stage import START_S_MAX, NothingHappened, Stage

SYMBOL = "BTCUSDT"
EXITS = """\
enabled = true
profit_target_bps = 0
profit_release_bps = 0
break_even_trigger_bps = 0
stop_loss_bps = 1
run_away_bps = 0
passive_ms = 0
cross_ticks_max = 100
cooldown_ms = 4000"""
"""Of the engine that shall make a loss: nothing but a stop, as near as it can be written, and a pause after it."""
FALL_BPS = 1.5
"""How far the price is moved against the position: beyond stop_loss_bps, within the crowd's book (about 2). Measured."""
HELD_MIN = 1_000_000
"""A position worth a loss, 0.01 BTC: half an order; what fees leave over is dust that nobody can sell."""
TRIES_MAX = 5
"""Sweeps until a loss was made: the position may change its sign in between; chosen."""
SEEN_S_MAX = 3.0
"""From a sweep to the cooldown in the store; chosen."""
GRACE_NS = 300_000_000
"""Orders that had left when the pause was heard of; chosen, tens of round trips on loopback."""


async def pauses(stage: Stage, asks: Instance, both: list[Instance], group: str) -> None:
    """All rounds. Sets what was found on the stage; raises NothingHappened."""
    stage.increasing_in_cooldown = 0
    coordinator = stage.store.coordinator()
    await coordinator.open()
    try:
        for number in range(1, stage.settings.rounds + 1):
            stage.increasing_in_cooldown += await _round(stage, coordinator, asks, both, group)
            stage.settings.told(f"round {number}: both paused and went on")
    finally:
        await coordinator.close()


async def _round(stage: Stage, coordinator: Coordinator, asks: Instance, both: list[Instance], group: str) -> int:
    """How many orders of both increased a position while the cooldown was in force."""
    for instance in both:
        instance.listen()
    pause = await _loss(stage, coordinator, asks, group)
    await stage.until(
        lambda: all(instance.said("state=REDUCING") for instance in both),
        SEEN_S_MAX,
        "both engines to hold the cooldown",
    )
    from_ns = time.time_ns() + GRACE_NS
    if from_ns >= pause.until_ns:
        raise NothingHappened("the cooldown was over before both held it: nothing is proven")
    await asyncio.sleep((pause.until_ns - time.time_ns()) / 1e9)

    def again(instance: Instance) -> bool:
        far_ns = time.time_ns()
        return bool(increasing(stage.log.orders, stage.log.trades, instance.account, pause.until_ns, far_ns))

    await stage.until(lambda: all(map(again, both)), START_S_MAX, "both engines to trade again after the cooldown")
    return sum(
        len(increasing(stage.log.orders, stage.log.trades, instance.account, from_ns, pause.until_ns))
        for instance in both
    )


async def _loss(stage: Stage, coordinator: Coordinator, asks: Instance, group: str) -> Cooldown:
    """Let the price fall under the position of `asks`, and the crowd stand still, until it has asked for a pause."""
    began_ns = time.time_ns()
    for _ in range(TRIES_MAX):
        await stage.until(lambda: _held(stage, asks) >= HELD_MIN, START_S_MAX, f"a position of {asks.name}")
        await stage.control("pause-flow")
        try:
            await stage.log.read()
            found = None
            if quantity := await _enough(stage):
                await stage.control("market", symbol=SYMBOL, side="SELL", quantity=f"{quantity:.5f}")
                found = await _seen(coordinator, group, began_ns)
        finally:
            await stage.control("resume-flow")
        if found is not None:
            return found
    raise NothingHappened(f"{TRIES_MAX} falls of the price, and {asks.name} asked for no cooldown")


async def _seen(coordinator: Coordinator, group: str, after_ns: int) -> Cooldown | None:
    """A cooldown that ends after that time, as the store has it; None when none came."""
    due = time.monotonic() + SEEN_S_MAX
    while time.monotonic() < due:
        for found in await coordinator.cooldowns(group):
            if found.symbol == SYMBOL and found.until_ns > after_ns:
                return found
        await asyncio.sleep(0.05)
    return None


async def _enough(stage: Stage) -> float:
    """What the crowd must sell for the best bid to fall by FALL_BPS; the last level always stays. 0: there is too little."""
    depth = await stage.ask("/api/v3/depth", symbol=SYMBOL, limit="5000")
    bids = [(float(price), float(quantity)) for price, quantity in depth["bids"]]
    return sum(quantity for price, quantity in bids[:-1] if (1 - price / bids[0][0]) * 10_000 < FALL_BPS)


def _held(stage: Stage, instance: Instance) -> int:
    return position(stage.log.trades, instance.account, time.time_ns())
