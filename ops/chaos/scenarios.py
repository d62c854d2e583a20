"""The scenarios: what is done to whom, and what must come of it before the next round. Each leaves its stage at the end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from functools import partial

from ops.chaos import feeds
from ops.chaos.cast import Instance, Role
from ops.chaos.judge import Fault
from ops.chaos.pauses import EXITS, SYMBOL, pauses
from ops.chaos.stage import START_S_MAX, NothingHappened, Stage

ORDERS_BEFORE = 5
"""Accepted orders of a leader before it is hit; fewer prove nothing. Chosen."""
ORDERS_AFTER = 3
"""Accepted orders of the next leader before the round goes on; chosen."""
MOMENT_S_MAX = 0.5
"""A fault comes at a random moment within it: anywhere in the life of an order, of a keep-alive; chosen."""
TAKEOVER_S_MAX = 20.0
"""How long a successor is waited for: beyond what is judged, so that a late one is measured and not missed."""
MEETING_S = 6.0
"""How long two engines that would trade with each other run against each other in a round; chosen."""
SWEEP = "0.5"
"""BTC that the crowd takes of either side: some levels of its book, and what rests between them; chosen."""
STANDING_BY = "standing_by"
"""The event an engine logs when another one leads (ops/standby.py)."""

PROWLER = "ops.chaos.prowler:Prowler"
QUOTER_PHASE_MS = 250
"""A leader changes sides that often: 4 orders a second and as many cancels, of the 10 that the venue allows; chosen."""
MAKER_PHASE_MS, TAKER_PHASE_MS = 1_500, 2_100
"""Two that would meet want the same side for a while and opposite ones for a while; chosen."""
TAKER_LOTS, TAKER_REACH_TICKS = 20_000, 20
"""Enough to go through several of the crowd's orders (0.05 BTC and more each) and whatever stands between them; chosen."""


async def leader_kill(stage: Stage) -> list[Instance]:
    """SIGKILL the leader; once the other trades, start the killed one again as its standby."""

    async def back(leader: Instance) -> None:
        await leader.gone()
        await leader.start()

    return await _leaders(stage, signal.SIGKILL, back)


async def leader_pause(stage: Stage) -> list[Instance]:
    """SIGSTOP the leader, SIGCONT it once the other trades: it must send nothing more, and stand by."""

    async def back(leader: Instance) -> None:
        await asyncio.sleep(stage.random.uniform(0, MOMENT_S_MAX))
        leader.send(signal.SIGCONT)

    return await _leaders(stage, signal.SIGSTOP, back)


async def self_trade(stage: Stage) -> list[Instance]:
    """Two engines with accounts and strategies of their own, both after the same prices on the same instrument."""
    both = [
        await stage.enter(_prowler(stage, "maker", 1, _parameters(MAKER_PHASE_MS))),
        await stage.enter(_prowler(stage, "taker", 2, _parameters(TAKER_PHASE_MS, TAKER_LOTS, TAKER_REACH_TICKS))),
    ]
    for instance in both:
        await stage.more_orders(instance.account, 1, START_S_MAX, f"the first order of {instance.name}")
    for number in range(1, stage.settings.rounds + 1):
        known = [len(stage.log.accepted(instance.account)) for instance in both]
        await asyncio.sleep(MEETING_S)
        await stage.log.read()
        fresh = [len(stage.log.accepted(instance.account)) - count for instance, count in zip(both, known, strict=True)]
        stage.settings.told(f"round {number}: {fresh[0]} and {fresh[1]} orders")
        if min(fresh) < 1:
            raise NothingHappened(f"round {number}: {fresh[0]} orders of maker, {fresh[1]} of taker: they cannot meet")
    return both


async def cooldown(stage: Stage) -> list[Instance]:
    """Two engines of one group; one makes a loss and asks for a pause, and both only reduce until its end.

    One only buys and the other only sells: when the first gets out, no bid of the second is in its way.
    """
    both = [
        await stage.enter(_prowler(stage, "buyer", 1, _parameters(MAKER_PHASE_MS, only="BUY"), exits=EXITS)),
        await stage.enter(_prowler(stage, "seller", 2, _parameters(MAKER_PHASE_MS, only="SELL"))),
    ]
    for instance in both:
        await stage.more_orders(instance.account, 1, START_S_MAX, f"the first order of {instance.name}")
    await pauses(stage, both[0], both, both[0].role.group)
    return both


async def _feed(harm: feeds.Harm, planned: bool, stage: Stage) -> list[Instance]:
    """One engine, whose feed comes to harm."""
    account, key, secret = stage.credentials(1)
    role = Role("quoter", account, key, secret, "account", "chaos", PROWLER, _parameters(QUOTER_PHASE_MS))
    engine = await stage.enter(role)
    await stage.more_orders(account, ORDERS_BEFORE, START_S_MAX, "the first orders")
    await feeds.rounds(stage, engine, harm, planned=planned)
    return [engine]


Scenario = Callable[[Stage], Awaitable[list[Instance]]]
"""Plays all rounds on an open stage; returns who leads at the end. Raises NothingHappened."""

SCENARIOS: dict[str, tuple[Scenario, int]] = {
    "leader-kill": (leader_kill, 1),
    "leader-pause": (leader_pause, 1),
    "self-trade": (self_trade, 2),
    "cooldown": (cooldown, 2),
    "feed-kill": (partial(_feed, feeds.cut, False), 1),
    "feed-stall": (partial(_feed, feeds.silence, False), 1),
    "feed-hole": (partial(_feed, feeds.hole, False), 1),
    "feed-roll": (partial(_feed, feeds.announce, True), 1),
}
"""Name -> what is played, and how many accounts it needs."""


async def _leaders(stage: Stage, fault: signal.Signals, back: Callable[[Instance], Awaitable[None]]) -> list[Instance]:
    """Two engines on one account. In each round the one that leads is hit, replaced, and brought `back` as a standby."""
    account, key, secret = stage.credentials(1)
    for name in ("a", "b"):
        await stage.enter(Role(name, account, key, secret, "account", "chaos", PROWLER, _parameters(QUOTER_PHASE_MS)))
        await stage.more_orders(account, 1, START_S_MAX, "the first order")
    for number in range(1, stage.settings.rounds + 1):
        leader, other = await _ready(stage, account)
        epoch = await _hit(stage, leader, fault)
        stage.settings.told(f"round {number}: {leader.name}, leader of epoch {epoch}: {fault.name}")
        if number % 2:
            await _sweep(stage)  # what he left at work is filled, and nobody of ours hears of it
        await stage.until(
            lambda epoch=epoch: len(stage.log.accepted(account, epoch)) >= ORDERS_AFTER,  # type: ignore[misc]  # bound now
            TAKEOVER_S_MAX,
            f"orders of a later epoch than {epoch}, that of {leader.name}",
        )
        await _sweep(stage)  # what his successor should have canceled would be filled
        await back(leader)
        await stage.until(partial(leader.said, STANDING_BY), START_S_MAX, f"{leader.name} to stand by")
        await stage.more_orders(account, ORDERS_AFTER, START_S_MAX, f"orders of {other.name} after the return")
        stage.settings.told(f"round {number}: {other.name} trades, {leader.name} stands by")
    return [await stage.leader(account)]


async def _ready(stage: Stage, account: str) -> tuple[Instance, Instance]:
    """The leader, trading, and the other one, standing by."""
    leader = await stage.leader(account)
    other = next(instance for instance in stage.instances if instance is not leader)
    await stage.until(partial(other.said, STANDING_BY), START_S_MAX, f"{other.name} to stand by")
    await stage.more_orders(account, ORDERS_BEFORE, START_S_MAX, f"orders of {leader.name}")
    return leader, other


async def _hit(stage: Stage, leader: Instance, number: signal.Signals) -> int:
    """At a random moment. Returns the epoch in which it led."""
    await asyncio.sleep(stage.random.uniform(0, MOMENT_S_MAX))
    epoch = stage.log.epoch(leader.account)
    if epoch not in leader.epochs():
        raise NothingHappened(f"{leader.name} had lost epoch {epoch} before it was hit")
    stage.faults.append(Fault(leader.name, epoch, leader.send(number)))
    return epoch


async def _sweep(stage: Stage) -> None:
    """Whatever works near the touch is filled."""
    for side in ("BUY", "SELL"):
        await stage.control("market", symbol=SYMBOL, side=side, quantity=SWEEP)


def _prowler(stage: Stage, name: str, number: int, parameters: str, exits: str = "enabled = false") -> Role:
    """An engine with an account of its own, on a venue that prevents nothing by itself."""
    account, key, secret = stage.credentials(number)
    group = f"chaos-{name}" if stage.settings.unprotected else "chaos"
    return Role(name, account, key, secret, name, group, PROWLER, parameters, exits, prevention="NONE")


def _parameters(phase_ms: int, quantity_lots: int = 2_000, reach_ticks: int = 0, only: str = "") -> str:
    return (
        f"quantity_lots = {quantity_lots}\nposition_lots_max = {10 * quantity_lots}\n"
        f'phase_ms = {phase_ms}\nreach_ticks = {reach_ticks}\nonly = "{only}"'
    )
