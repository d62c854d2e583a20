"""Seeded days with exits, in a market that a crowd pushes about: what closes a position never opens one.

The generated market alone moves a basis point in minutes, so nothing would ever be reached. Everything else is as in
`test_seeds`, whose rules hold here as well.
"""

from collections import Counter
from random import Random

import pytest

from bus.messages import Fill, OrderRefused, Refusal
from gateway.simulated.core.orders import Side
from tests.support.days import faults_of, wrong
from tests.support.world import CONFIG, LONG, SYMBOLS, Faults, World

SEEDS = range(1, 5)
TRADING_S = 20.0
PUSH = {"BTCUSDT": 12 * 10**8, "ETHUSDT": 180 * 10**8}
"""The largest market order of the crowd, 10^-8; chosen: a few times what stands at a touch."""
EXITS = """
[exits]
enabled = true
profit_target_bps = 3
profit_release_bps = 1
break_even_trigger_bps = 2
stop_loss_bps = 2
run_away_bps = 3
passive_ms = 1000
pressure_threshold = 0.3
pressure_ms = 300
pressure_stop_bps = 1
cooldown_ms = 3000
"""


def push(world: World, random: Random) -> None:
    """Now and for ever: somebody takes, three times in four on the side of the time before."""
    symbol = random.choice(SYMBOLS)
    sides = (Side.BUY, Side.SELL) if world.now_ns // 4_000_000_000 % 2 else (Side.SELL, Side.BUY)
    lots = int(PUSH[symbol] * random.random()) // 10_000 + 1
    world.take(symbol, random.choices(sides, (3, 1))[0], lots * 10_000)
    world.later(random.uniform(50, 600), lambda: push(world, random))


def run(seed: int, faults: Faults) -> World:
    deep = CONFIG.replace("snapshot_levels = 500", "snapshot_levels = 5000")  # the crowd eats 500 in a few seconds
    world = World(seed, faults, config=deep + EXITS)
    world.start()
    random = Random(f"push:{seed}")
    world.later(2_000, lambda: push(world, random))
    world.run(TRADING_S)
    world.finish()
    return world


def opened_by_exits(world: World) -> list[Fill]:
    """Executions of exits that made a position larger, or turned it over. A fee in the base asset is in the position."""
    positions: Counter[int] = Counter()
    opened = []
    for fill in world.house.journal.messages():
        if isinstance(fill, Fill):
            before = positions[fill.instrument]
            after = before + fill.side * fill.quantity
            if fill.owner == "exits" and (before * fill.side >= 0 or before * after < 0):
                opened.append(fill)
            base = world.house.instruments[fill.instrument].base_asset
            positions[fill.instrument] = after - (fill.fee if fill.fee_asset == base else 0)
    return opened


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_an_exit_only_ever_closes_and_nothing_of_it_is_left(seed: int) -> None:
    faults = faults_of(seed)
    world = run(seed, faults)
    assert opened_by_exits(world) == []
    assert wrong(world) == [], f"seed {seed}: {faults}"
    refused = {m.reason for m in world.house.asked if isinstance(m, OrderRefused) and m.owner == "exits"}
    assert not refused & {Refusal.NOT_REDUCING, Refusal.SELF_TRADE, Refusal.ORDER_SIZE}, (
        "execution keeps to these itself"
    )


def test_the_days_have_exits() -> None:
    """Without this the rules above could hold because nothing ever happened."""
    world = run(3, LONG)
    assert world.house.actor("exits").view()["begun"].get("stop_loss", 0) > 0
    assert any(isinstance(m, Fill) and m.owner == "exits" for m in world.house.journal.messages())
