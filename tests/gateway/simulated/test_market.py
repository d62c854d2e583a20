"""The generated market: the same bytes for the same seed, its speeds, and that it looks only at books that can have changed."""

import asyncio
import time
from hashlib import sha256

import pytest

from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import BACKGROUND, NewOrder, OrderType, Side
from gateway.simulated.core.settlement import SpotSettlement
from gateway.simulated.crowd.profiles import SymbolProfile, profile
from gateway.simulated.crowd.regimes import Regime
from gateway.simulated.flow_clock import AS_FAST_AS_POSSIBLE, FlowClock
from gateway.simulated.market import LAG_NS_MAX, GeneratedMarket
from gateway.simulated.spot.publisher import BookPublisher
from gateway.simulated.virtual import START_NS, Nobody, VirtualMarket

SECOND_NS = 1_000_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
CHANNELS = ("depth@100ms", "depth", "depth5", "bookTicker", "trade", "aggTrade")


def listed(*symbols: str) -> list[SymbolProfile]:
    found = [profile(symbol) for symbol in symbols]
    return [each for each in found if each is not None]


def digest(seed: int, regime: Regime | None = Regime.CALM, step_s: float = 10.0) -> str:
    """Of every byte that a listener to everything gets in ten seconds, with its time."""
    world = VirtualMarket(listed(*SYMBOLS), seed, regime)
    heard = sha256()
    topics = [f"{symbol.lower()}@{channel}" for symbol in SYMBOLS for channel in CHANNELS]
    world.listen(topics, lambda payload: heard.update(b"%d %b\n" % (world.now_ns, payload)))
    for _ in range(round(10.0 / step_s)):
        world.run(step_s)
    return heard.hexdigest()


@pytest.mark.parametrize("regime", [*Regime, None])
def test_the_same_seed_sends_the_same_bytes(regime: Regime | None) -> None:
    assert digest(1, regime) == digest(1, regime) != digest(2, regime)


def test_how_time_is_cut_does_not_matter() -> None:
    assert digest(1) == digest(1, step_s=0.5)


def test_symbols_do_not_disturb_each_other() -> None:
    """Goal: a symbol's crowd is its own. Method: the same book with another symbol beside it and without."""
    alone, together = VirtualMarket(listed("ETHUSDT"), 1), VirtualMarket(listed(*SYMBOLS), 1)
    for world in (alone, together):
        world.run(10.0)
    assert alone.market.depth("ETHUSDT", 5_000) == together.market.depth("ETHUSDT", 5_000)


class Spy(BookPublisher):
    looks = 0

    def publish_top(self, now_ns: int) -> None:
        self.looks += 1
        super().publish_top(now_ns)


class Stage:
    """A market on a clock of ours, with a spy for each symbol's publisher."""

    def __init__(self, *symbols: str, speed: float = 1.0) -> None:
        self.now_ns = START_NS
        self.spies: dict[str, Spy] = {}
        self.market = GeneratedMarket(
            MatchingEngine(SpotSettlement(Ledger())),
            listed(*symbols),
            1,
            lambda: self.now_ns,
            Nobody(),
            lambda symbol, book, hub: self.spies.setdefault(symbol, Spy(symbol, book, hub)),
            speed=speed,
        )

    def run(self, seconds: float) -> int:
        before, end_ns = self.market.events, self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, max(self.now_ns, self.market.due_ns()))
            self.market.advance(self.now_ns)
        return self.market.events - before


def test_an_event_looks_at_its_own_book_only() -> None:
    stage = Stage(*SYMBOLS)
    events = stage.run(5.0)
    assert sum(spy.looks for spy in stage.spies.values()) < 1.5 * events  # a trade's symbol is the event's own


def test_an_order_of_the_crowd_is_published_where_it_traded() -> None:
    stage = Stage(*SYMBOLS)
    assert stage.market.background_order("ETHUSDT", Side.BUY, 10**8, stage.now_ns) == 10**8
    stage.market.publish(stage.now_ns)
    assert {symbol: spy.looks for symbol, spy in stage.spies.items()} == {"BTCUSDT": 0, "ETHUSDT": 1, "SOLUSDT": 0}


# ---- speed


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
def test_so_many_times_as_many_events(speed: float) -> None:
    """Two seconds of the venue's clock at each speed; the cadence of the depth streams is not touched."""
    events = Stage("ETHUSDT", speed=speed).run(2.0)
    one = Stage("ETHUSDT").run(2.0 * speed)
    assert events == pytest.approx(one, abs=2)


def test_trades_bear_the_venues_time_at_any_speed() -> None:
    stage = Stage("ETHUSDT", speed=50.0)
    stage.run(2.0)
    times = [trade.time_ns for trade in stage.market.tape.of("ETHUSDT").trades]
    assert len(times) > 50
    assert times == sorted(times)
    assert START_NS <= times[0] <= times[-1] <= stage.now_ns


def test_after_a_stall_it_goes_on_without_a_burst() -> None:
    """Goal: a minute that nobody ran is not caught up with. Method: one advance after a minute, and the next second."""
    stage = Stage("ETHUSDT")
    stage.run(1.0)
    stage.now_ns += 60 * SECOND_NS
    before = stage.market.events
    stage.run(1.0)
    usual = Stage("ETHUSDT").run(1.0 + LAG_NS_MAX / SECOND_NS)
    assert stage.market.events - before < 3 * usual


def test_a_paused_flow_stands_still_and_goes_on_where_it_was() -> None:
    stage = Stage("ETHUSDT")
    stage.run(1.0)
    stage.market.flowing.clear()
    assert stage.run(5.0) == 0
    stage.market.flowing.set()
    assert stage.run(1.0) > 0


@pytest.mark.parametrize("speed", [0.25, 1.0, 7.0])
def test_the_flow_clock_is_its_own_inverse(speed: float) -> None:
    clock = FlowClock(speed, START_NS)
    for flow_ns in range(START_NS, START_NS + SECOND_NS, 12_345_678):
        venue_ns = clock.venue_ns(flow_ns)
        assert clock.flow_ns(venue_ns) >= flow_ns
        assert clock.flow_ns(venue_ns - 1) <= flow_ns


async def test_as_fast_as_possible_lets_the_doors_work() -> None:
    """Goal: the crowd at full speed, and everybody else gets the loop in between. Method: a sleeper beside it counts its
    turns; the crowd does far more than it would in that time.
    """
    stage = Stage("ETHUSDT", speed=AS_FAST_AS_POSSIBLE)
    stage.market._clock = time.time_ns
    running = asyncio.create_task(stage.market.run())
    turns, events = 0, 0
    while events < 5_000:
        await asyncio.sleep(0)
        turns += 1
        events = stage.market.events
    running.cancel()
    assert turns > 10
    times = [trade.time_ns for trade in stage.market.tape.of("ETHUSDT").trades]
    assert times[-1] - times[0] < 60 * SECOND_NS  # the venue's time, not the minutes that the crowd lived


async def test_paused_at_full_speed_it_waits() -> None:
    stage = Stage("ETHUSDT", speed=AS_FAST_AS_POSSIBLE)
    stage.market._clock = time.time_ns
    stage.market.flowing.clear()
    running = asyncio.create_task(stage.market.run())
    await asyncio.sleep(0.02)
    assert stage.market.events == 0
    stage.market.flowing.set()
    while not stage.market.events:
        await asyncio.sleep(0.01)
    running.cancel()


# ---- regimes, through the market


def test_a_regime_for_one_symbol() -> None:
    stage = Stage(*SYMBOLS)
    stage.market.set_regime(Regime.THIN, "ETHUSDT")
    assert stage.market.regimes() == {"BTCUSDT": Regime.CALM, "ETHUSDT": Regime.THIN, "SOLUSDT": Regime.CALM}
    stage.market.set_regime(Regime.TRENDING)
    assert set(stage.market.regimes().values()) == {Regime.TRENDING}


@pytest.mark.parametrize(("speed", "paused_s"), [(1.0, 600), (300.0, 0)])
def test_a_crash_falls_also_where_the_flow_is_behind_its_clock(speed: float, paused_s: int) -> None:
    """Goal: a regime begins where the crowd is, not where the clock would have it. Method: a crash after a long pause, and
    at a speed that the crowd cannot keep up with; the price goes down, and never far up.
    """
    stage = Stage("BTCUSDT", speed=speed)
    for _ in range(20):
        stage.now_ns += SECOND_NS // 10
        stage.market.advance(stage.now_ns)
    start = stage.market.top("BTCUSDT").bid_price
    stage.market.flowing.clear()
    stage.now_ns += paused_s * SECOND_NS
    stage.market.advance(stage.now_ns)
    stage.market.set_regime(Regime.FLASH_CRASH)
    stage.market.flowing.set()
    prices = []
    for _ in range(60):
        stage.now_ns += SECOND_NS // 10
        stage.market.advance(stage.now_ns)
        prices.append(stage.market.top("BTCUSDT").bid_price)
    assert min(prices) < 0.999 * start
    assert max(prices) < 1.002 * start


def test_the_ledger_adds_up_after_a_crash_at_twenty_times_the_speed() -> None:
    stage = Stage("BTCUSDT", speed=20.0)
    stage.market.set_regime(Regime.FLASH_CRASH)
    stage.run(3.0)
    assert stage.market.engine.ledger.imbalances() == {}
    order = NewOrder(BACKGROUND, "BTCUSDT", "", Side.BUY, OrderType.MARKET, 10**6)
    assert stage.market.engine.place(order, stage.now_ns).executed == 10**6
