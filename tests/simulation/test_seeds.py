"""Seeded days: the whole engine against the simulated venue's core, over lines that delay, lose, repeat and break.

Each seed is one run on a virtual clock: 15 s of trading under faults, then a stop. At the end the venue's word counts.
A seed that fails is a bug of today: `pytest tests/simulation -k 'seed_7'` runs it again, to the byte.
"""

from random import Random

import pytest

from bus.messages import Fill, OrderUpdate, SubmitOrder
from tests.support.world import CLIENT, NONE, ROUGH, SYMBOLS, Faults, World

SEEDS = range(1, 17)
TRADING_S = 15.0


def faults_of(seed: int) -> Faults:
    """Every fourth seed is calm and fast; the others are rough in different mixtures."""
    if seed % 4 == 0:
        return NONE
    draw = Random(seed)
    return Faults(
        lose_answer=draw.choice((0.0, 0.05, 0.2)),
        lose_request=draw.choice((0.0, 0.05)),
        say_twice=draw.choice((0.0, 0.2)),
        fail_query=draw.choice((0.0, 0.2)),
        cut_s=draw.choice((0.0, 3.0, 6.0)),
        delay_ms=draw.choice(((0.5, 5.0), (0.5, 80.0), (20.0, 300.0))),
    )


def run(seed: int, faults: Faults) -> World:
    world = World(seed, faults)
    world.start()
    world.run(TRADING_S)
    world.stop()
    world.run(90.0, world.is_quiet)
    return world


def wrong(world: World) -> list[str]:
    """What must hold after a stop, whatever happened before; empty when it does."""
    house = world.house
    journaled = house.journal.messages()
    fills = [message for message in journaled if isinstance(message, Fill)]
    submits = [message.client_order_id for message in journaled if isinstance(message, SubmitOrder)]
    updates = [message.number for message in journaled if isinstance(message, OrderUpdate)]
    books = house.actor("orderbook").view()["books"].values()
    host = house.host
    rules = [
        (world.is_quiet(), "the engine never said that it is quiet"),
        (world.working_at_venue() == [], "an order of ours still works at the venue"),
        (world.our_ledger() == world.venue_ledger(), f"ledger {world.our_ledger()} is not {world.venue_ledger()}"),
        (world.matching.ledger.imbalances() == {}, "the venue's own ledger does not add up"),
        (host.failures == 0 and host.broken == "" and host.undecodable == 0, "an actor failed"),
        (house.actor("risk").view()["open_orders"] == 0, "risk still holds a reservation"),
        (house.actor("execution").view()["orders"] == [], "execution still holds an order"),
        (len(submits) == len(set(submits)), "a client order id was used twice"),
        (len({(f.instrument, f.trade_id, f.client_order_id) for f in fills}) == len(fills), "a fill was booked twice"),
        (len(fills) == sum(len(world.matching.registry.trades(CLIENT, s)) for s in SYMBOLS), "fills are missing"),
        ([fill.number for fill in fills] == list(range(1, len(fills) + 1)), "fills are not numbered gaplessly"),
        (updates == list(range(1, len(updates) + 1)), "updates are not numbered gaplessly"),
        (all(book["top_mismatches"] == 0 for book in books), "a rebuilt top differs from the venue's"),
    ]
    return [text for held, text in rules if not held]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_whatever_happens_nothing_is_left_and_the_ledgers_agree(seed: int) -> None:
    faults = faults_of(seed)
    world = run(seed, faults)
    assert wrong(world) == [], f"seed {seed}: {faults}"


def test_the_seeds_trade_and_suffer() -> None:
    """A simulation in which nothing happens proves nothing: a rough world has fills, cuts, losses and repeats."""
    world = run(4, ROUGH)
    counts = world.house.actor("orders").view()["counts"]
    assert world.house.actor("portfolio").view()["fills"] > 0
    assert world.cuts > 0
    assert world.requests_failed > 0
    assert counts["execution_repeated"] > 0
    assert counts.get("submit_ambiguous", 0) + counts.get("cancel_ambiguous", 0) > 0


def test_a_seed_is_a_run_to_the_byte() -> None:
    first, second = run(3, ROUGH), run(3, ROUGH)
    assert first.digest() == second.digest()
    assert first.house.journal.records == second.house.journal.records


def test_a_venue_that_keeps_a_fill_to_itself_is_found_out() -> None:
    """The checks can fail: money moves at the venue behind our back, and the ledgers differ."""
    world = run(4, NONE)
    world.matching.ledger.deposit(CLIENT, "BTC", 1)
    assert len(wrong(world)) == 1
