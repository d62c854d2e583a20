"""A person trades by hand on the engine's account: what the configuration makes of it, with the venue's own ledger as the judge."""

from bus.messages import Fill, ForeignTraded, TradingState
from tests.support.days import wrong
from tests.support.world import CONFIG, World


def by_hand(policy: str) -> World:
    """An engine that trades, on an account that a person uses too: two market orders, and one that rests far away."""
    world = World(5, config=CONFIG + f'\n[orders]\nexternal = "{policy}"\nreconcile_interval_ms = 2_000\n')
    world.start()
    assert world.run(30.0, world.is_ready)
    world.run(3.0)
    world.person("BTCUSDT", "BUY", "0.004", "web_1")
    world.run(1.0)
    world.person("BTCUSDT", "SELL", "0.001", "web_1")
    world.person("ETHUSDT", "BUY", "0.01", "web_2", price="2000.00")
    world.run(10.0)
    return world


def journaled(world: World, kind: type) -> list[object]:
    return [message for message in world.house.journal.messages() if isinstance(message, kind)]


def held(world: World) -> dict[int, int]:
    """Instrument -> base units, of all fills."""
    found: dict[int, int] = {}
    for fill in journaled(world, Fill):
        assert isinstance(fill, Fill)
        found[fill.instrument] = found.get(fill.instrument, 0) + fill.side * fill.quantity
    return found


def test_left_alone_it_moves_the_ledger_and_no_position() -> None:
    world = by_hand("leave")
    assert len(journaled(world, ForeignTraded)) >= 2
    portfolio = world.house.actor("portfolio").view()
    assert abs(portfolio["positions"][0]["position"] - held(world).get(0, 0)) <= abs(portfolio["fees"].get("BTC", 0))
    assert world.our_ledger() == world.venue_ledger()
    assert world.house.actor("risk").view()["states"]["engine"] == TradingState.ACTIVE.name
    assert "web_2" in world.working_at_venue()
    assert "external_order" in world.house.alerts()


def test_left_alone_while_we_were_away_it_is_found_by_the_next_look() -> None:
    world = by_hand("leave")
    world.cut_orders()
    world.person("BTCUSDT", "BUY", "0.002", "web_3")
    assert world.run(30.0, world.is_ready)
    world.run(5.0)
    assert world.our_ledger() == world.venue_ledger()
    assert world.house.actor("risk").view()["states"]["engine"] == TradingState.ACTIVE.name


def test_claimed_it_is_the_engines_position() -> None:
    world = by_hand("claim")
    owners = {fill.owner for fill in journaled(world, Fill) if isinstance(fill, Fill)}
    assert "external" in owners
    assert journaled(world, ForeignTraded) == []
    assert world.our_ledger() == world.venue_ledger()
    world.stop()
    world.run(60.0, world.is_quiet)
    assert wrong(world) == []


def test_canceled_on_sight_nothing_of_it_rests() -> None:
    world = by_hand("cancel")
    assert "web_2" not in world.working_at_venue()
    assert world.our_ledger() == world.venue_ledger()
