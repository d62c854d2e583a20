"""What the generated market is like, on its own figures: no recorded data needed, seeded, so it cannot flake.

The crowd is as busy as the capture it was measured on; `python -m ops.market_study` holds it against that.
"""

from functools import cache

import pytest

from gateway.simulated.crowd.profiles import profile
from gateway.simulated.crowd.regimes import CRASH, MEAN_S, NEXT, Regime, RegimeSchedule
from gateway.simulated.virtual import VirtualMarket
from ops.market_study.generated import generated
from ops.market_study.measure import Study, measure

SYMBOL = "ETHUSDT"


@cache
def study() -> Study:
    """A minute; a long one is what the command is for."""
    return measure(generated(SYMBOL, seed=3, seconds=60.0))


def live(symbol: str = SYMBOL, seed: int = 1) -> VirtualMarket:
    """As a venue is started with."""
    found = profile(symbol)
    assert found is not None
    return VirtualMarket([found], seed)


def middle(world: VirtualMarket, symbol: str = SYMBOL) -> float:
    """The mid as soon as there is one: in a crash a side is empty for moments."""
    for _ in range(20):
        top = world.market.top(symbol)
        if top.bid_price and top.ask_price:
            break
        world.run(0.05)
    assert top.bid_price
    assert top.ask_price
    return (top.bid_price + top.ask_price) / 2


def test_the_spread_is_mostly_one_tick() -> None:
    assert 0.97 < study().spread_time.get(1, 0.0) <= 1.0


def test_imbalance_predicts_the_next_move() -> None:
    """P(up) rises with the imbalance, and is far from a coin at both ends."""
    rising = study().up_by_imbalance
    assert rising[0] < 0.3
    assert rising[-1] > 0.7
    assert rising[0] < rising[len(rising) // 2] < rising[-1]


def test_sizes_are_heavy_tailed() -> None:
    assert 1.0 < study().taker_tail < 2.5


def test_trades_of_one_side_follow_each_other() -> None:
    assert 0.25 < study().sign_correlation[1] < 0.7
    assert study().sign_correlation[1] > study().sign_correlation[10] > 0.0


def test_events_come_in_bursts() -> None:
    """Poisson's coefficient of variation is 1."""
    assert study().ticker_gap_variation > 1.4
    assert study().taker_gap_variation > 1.1


def test_lifetimes_are_short_and_some_long() -> None:
    """Most best prices are gone in a tenth of a second; some stay for more than one."""
    low, high = study().best_life_s[0.5], study().best_life_s[0.99]
    assert low < 0.1
    assert high > 0.5


def test_a_thin_market_is_wide() -> None:
    def wide(regime: Regime) -> float:
        world = live()
        world.market.set_regime(regime)
        spreads = []
        for _ in range(300):
            world.run(0.1)
            top = world.market.top(SYMBOL)
            spreads.append((top.ask_price - top.bid_price) / 10**6)
        return sum(spreads) / len(spreads)

    assert wide(Regime.CALM) < 2.0
    assert wide(Regime.THIN) > 4.0


def test_a_trend_goes_somewhere() -> None:
    """In a trend the price goes much farther in a minute than in the calm market, on the average of four seeds."""

    def way(regime: Regime) -> float:
        ways = []
        for seed in range(4):
            world = live(SYMBOL, seed)
            start = middle(world)
            world.market.set_regime(regime)
            world.run(60.0)
            ways.append(abs(middle(world) - start))
        return sum(ways) / len(ways)

    assert way(Regime.TRENDING) > 1.5 * way(Regime.CALM)


@pytest.mark.parametrize("symbol", ["ETHUSDT", "BTCUSDT", "SOLUSDT"])
def test_a_flash_crash_falls_and_recovers(symbol: str) -> None:
    """Goal: so deep, so fast, back so far, and then what was before. Method: the mid at the times the path names."""
    world = live(symbol)
    world.run(5.0)
    start = middle(world, symbol)
    world.market.set_regime(Regime.FLASH_CRASH)
    world.run(CRASH.fall_s)
    fallen = 1 - middle(world, symbol) / start
    assert 0.7 < fallen * 1_000_000 / CRASH.depth_ppm < 1.4
    assert world.market.regimes() == {symbol: Regime.FLASH_CRASH}
    world.run(CRASH.stand_s + CRASH.recover_s)
    recovered = 1 - (1 - middle(world, symbol) / start) / fallen
    assert 0.4 < recovered < 1.0
    world.run(1.0)
    assert world.market.regimes() == {symbol: Regime.CALM}
    assert world.engine.ledger.imbalances() == {}


def test_the_schedule_visits_the_regimes_and_is_the_same_for_a_seed() -> None:
    def visited(seed: str, count: int = 400) -> list[tuple[Regime, float]]:
        schedule, regime, found = RegimeSchedule(seed), Regime.CALM, []
        for _ in range(count):
            found.append((regime, schedule.lasts_s(regime)))
            regime = schedule.after(regime)
        return found

    first = visited("1")
    assert {regime for regime, _ in first} == set(Regime)
    assert first == visited("1") != visited("2")
    calm_s = [lasts_s for regime, lasts_s in first if regime is Regime.CALM]
    assert sum(calm_s) / len(calm_s) == pytest.approx(MEAN_S[Regime.CALM], rel=0.3)


def test_a_scheduled_market_changes_by_itself_and_a_regime_set_by_hand_stays() -> None:
    """Goal: None is the schedule, a name holds. Method: look for the first change; then name a regime and wait as long."""
    world = live("SOLUSDT")
    world.market.set_regime(None)
    minutes = 0
    while world.market.regimes()["SOLUSDT"] is Regime.CALM:
        world.run(60.0)
        minutes += 1
        assert minutes < 30
    world.market.set_regime(Regime.THIN)
    for _ in range(3):
        world.run(100.0)
        assert world.market.regimes() == {"SOLUSDT": Regime.THIN}


@pytest.mark.parametrize("meets", [Regime.CALM, Regime.FLASH_CRASH])
def test_a_crash_by_hand_gives_the_schedule_back(meets: Regime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the schedule was at: `meets`."""
    world = live("SOLUSDT")
    if meets is Regime.FLASH_CRASH:
        monkeypatch.setitem(MEAN_S, Regime.CALM, 1.0)
        monkeypatch.setitem(NEXT, Regime.CALM, ((Regime.FLASH_CRASH, 1.0),))
    world.market.set_regime(None)
    while world.market.regimes() != {"SOLUSDT": meets}:
        world.run(1.0)
    monkeypatch.undo()
    world.market.set_regime(Regime.FLASH_CRASH)
    world.run(CRASH.length_s + 1.0)
    assert world.market.regimes() == {"SOLUSDT": Regime.CALM}
    for _ in range(30):
        world.run(60.0)
        if world.market.regimes() != {"SOLUSDT": Regime.CALM}:
            return
    raise AssertionError("the schedule does not go on")
