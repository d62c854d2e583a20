"""The venue changes an instrument while we trade it: the whole engine against the simulated venue, on a virtual clock."""

import shutil
from pathlib import Path

import msgspec
import pytest

from bus.messages import Instrument, SubmitOrder
from gateway.simulated.core.decimals import SCALE
from tests.support.days import wrong
from tests.support.mortal import MortalWorld
from tests.support.relisting import Relisting
from tests.support.world import CLIENT, CONFIG, NONE, Faults, World

BTC, NUMBER = "BTCUSDT", 0
LOT = SCALE // 100_000  # at the start, base units
TICK = SCALE // 100


def position(world: World) -> int:
    """Base units."""
    return int(world.house.actor("portfolio").holdings.positions[NUMBER].quantity)


def quotes(world: World) -> list[tuple[int, int]]:
    """(price, quantity) of ours that work at the venue, in its units of 10^-8."""
    return [(order.price, order.quantity) for order in world.matching.registry.open_orders(CLIENT, BTC)]


def trading() -> tuple[World, Relisting]:
    """A world that quotes, and holds some BTC that is no whole number of ten lots."""
    world = World(3)
    relisting = Relisting(world)
    world.start()
    assert world.run(30.0, lambda: abs(position(world)) > 20 * LOT and position(world) % (10 * LOT) != 0)
    assert world.run(5.0, lambda: bool(quotes(world)))
    return world, relisting


def finished(world: World) -> World:
    world.finish()
    return world


def journaled_since(world: World, count: int) -> list[object]:
    return list(world.house.journal.messages()[count:])


def test_other_limits_are_in_force_from_that_input_on() -> None:
    world, relisting = trading()
    relisting.change(BTC, notional_min=400 * SCALE)  # a quote is worth some 60 USDT
    before = len(world.house.journal.records)
    relisting.read()
    [row] = relisting.posted
    assert (row.version, row.trading, row.min_notional) == (2, True, 400 * SCALE)
    world.run(5.0)
    sent = [m for m in journaled_since(world, before) if isinstance(m, SubmitOrder) and m.instrument == NUMBER]
    assert sent == []
    assert world.house.actor("risk").view()["refused"]["MIN_NOTIONAL"] > 0
    relisting.change(BTC, notional_min=5 * SCALE)
    relisting.read()
    assert world.run(5.0, lambda: bool(quotes(world)))
    assert wrong(finished(world)) == []


def test_a_halt_pulls_quotes_and_keeps_the_book_and_its_end_resumes() -> None:
    world, relisting = trading()
    relisting.change(BTC, status="BREAK")
    relisting.read()
    assert world.run(2.0, lambda: not quotes(world))
    books = world.house.actor("orderbook").view()["books"]
    sequence = books[NUMBER]["sequence"]
    world.run(3.0)
    book = world.house.actor("orderbook").view()["books"][NUMBER]
    assert (quotes(world), book["state"]) == ([], "LIVE")
    assert book["sequence"] > sequence
    assert world.house.actor("risk").view()["states"]["instrument:0"] == "CANCEL_ONLY"
    relisting.read()
    relisting.change(BTC, status="TRADING")
    relisting.read()
    assert [row.trading for row in relisting.posted] == [False, True]
    assert world.run(5.0, lambda: bool(quotes(world)))
    assert wrong(finished(world)) == []


def test_a_symbol_that_is_not_listed_any_more_stops_and_may_come_back() -> None:
    world, relisting = trading()
    relisting.delisted.add(BTC)
    relisting.read()
    assert world.run(2.0, lambda: not quotes(world))
    relisting.delisted.clear()
    relisting.read()
    assert world.run(5.0, lambda: bool(quotes(world)))
    assert wrong(finished(world)) == []


@pytest.mark.parametrize(
    ("tick", "lot", "quantity_max"),
    [
        (TICK * 10, LOT * 10, 9_000 * SCALE),
        (TICK // 10, LOT // 10, 9_000 * SCALE),
        (TICK * 10, LOT, 9_000 * SCALE),
        (TICK, LOT * 10, 9_000_000_000 * SCALE),  # one decimal less in a quantity, too
    ],
    ids=["coarser", "finer", "tick_alone", "another_quantity_scale"],
)
def test_another_grid_comes_when_nothing_of_ours_rests_and_everything_counts_it(
    tick: int, lot: int, quantity_max: int
) -> None:
    world, relisting = trading()
    first = relisting.present(BTC)
    relisting.change(BTC, tick_size=tick, step_size=lot, price_min=tick, quantity_min=lot, quantity_max=quantity_max)
    relisting.read()
    [halt] = relisting.posted
    assert (halt.trading, halt.version, halt.tick, halt.lot) == (False, 2, first.tick, first.lot)
    assert world.run(3.0, lambda: len(relisting.posted) == 2)
    row = relisting.posted[1]
    assert quotes(world) == [], "the grid came while an order of ours worked"
    assert (row.trading, row.version, row.tick) == (True, 3, tick)
    check_lots(world, row)
    assert world.run(10.0, lambda: len(quotes(world)) == 2)
    for price, quantity in quotes(world):
        assert (price % tick, quantity % lot) == (0, 0)
        assert quantity <= 100 * LOT, "the strategy's amount is no larger than it was"
    world.run(10.0)
    check_lots(world, row)
    most = world.house.actor("risk").books[NUMBER].lots_max
    assert most * unit_of(row) == SCALE // 100, "order_max is 0.01 BTC in whatever lots"
    assert wrong(finished(world)) == []


def unit_of(row: Instrument) -> int:
    """Base units of a lot."""
    return row.lot * int(10 ** (row.base_scale - row.quantity_scale))


def check_lots(world: World, row: Instrument) -> None:
    """Whoever keeps the position in lots has as many whole ones as the ledger holds."""
    unit = unit_of(row)
    held = position(world)
    lots = held // unit if held > 0 else -(-held // unit)
    house = world.house
    exposure = house.actor("risk").books[NUMBER]
    kept = {
        "execution": house.actor("execution").register.position_lots[NUMBER],
        "strategy": house.actor("strategy").context.position_lots(NUMBER),
        "risk": exposure.portfolio,
    }
    assert (kept, exposure.unit) == (dict.fromkeys(kept, lots), unit)


def test_a_grid_waits_for_as_long_as_an_order_of_ours_may_work() -> None:
    world, relisting = trading()
    world.faults = Faults(lose_request=1.0)  # no cancel arrives
    world.market.flowing.clear()  # and nobody fills what rests
    relisting.change(BTC, tick_size=TICK * 10, price_min=TICK * 10)
    relisting.read()
    world.run(5.0)
    assert len(relisting.posted) == 1
    assert quotes(world) != []
    world.faults = NONE
    world.market.flowing.set()
    assert world.run(60.0, lambda: len(relisting.posted) == 2)
    assert wrong(finished(world)) == []


@pytest.mark.parametrize("checkpoints", [True, False], ids=["from_a_checkpoint", "from_the_journal_alone"])
@pytest.mark.parametrize("leftovers", ["cancel", "adopt"])
@pytest.mark.parametrize(("up", "down"), [(10, 1), (1, 10)], ids=["coarser", "finer"])
def test_a_grid_that_changed_while_we_were_down(
    up: int, down: int, leftovers: str, checkpoints: bool, tmp_path: Path
) -> None:
    """Killed with orders resting and a position; the next start finds another tick and lot."""
    world = MortalWorld(3, NONE, tmp_path, 0, CONFIG + f'\n[orders]\nleftovers = "{leftovers}"\n')
    try:
        relisting = Relisting(world)
        world.start()
        world.run(6.0)  # the first checkpoint comes after five seconds
        assert world.run(30.0, lambda: abs(position(world)) > 20 * LOT and bool(quotes(world)))
        tick, lot = TICK * up // down, LOT * up // down
        relisting.change(BTC, tick_size=tick, step_size=lot, price_min=tick, quantity_min=lot)
        before = relisting.present(BTC)
        row = msgspec.structs.replace(before, version=2, tick=tick, lot=lot, min_lots=1, min_price_ticks=1)
        world.house.instruments = [row, *world.house.instruments[1:]]
        if not checkpoints:
            shutil.rmtree(tmp_path / "checkpoints")
        world._restart()
        world.run(5.0)  # until then what is restored looks ready, and what rests is of before
        assert world.run(20.0, lambda: world.is_ready() and len(quotes(world)) == 2)
        check_lots(world, row)
        assert all((price % tick, quantity % lot) == (0, 0) for price, quantity in quotes(world))
        world.run(5.0)
        check_lots(world, row)
        assert wrong(finished(world)) == []
    finally:
        world.close()
