"""The crowd: the same for the same seed, lively, and it leaves a sound book."""

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import BACKGROUND, AccountId, NewOrder, OrderType, PublicTrade, Side
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.crowd.flow import OrderFlow
from gateway.simulated.crowd.profiles import profile

SECOND_NS = 1_000_000_000
ME = AccountId("me")


class Crowd:
    def __init__(self, symbol: str = "BTCUSDT", seed: int = 1) -> None:
        found = profile(symbol)
        assert found is not None
        self.profile = found
        self.engine = MatchingEngine(SpotSettlement(Ledger()))
        self.book = PriceTimeBook(symbol)
        self.engine.list_instrument(found.rules, self.book)
        self.flow = OrderFlow(self.engine, self.book, found, seed)
        self.flow.fill_book(SECOND_NS)

    def step(self) -> None:
        self.flow.step(self.flow.next_ns)

    def run(self, seconds: int) -> list[PublicTrade]:
        while self.flow.next_ns < (1 + seconds) * SECOND_NS:
            self.step()
        return self.engine.drain()[1]


def test_same_seed_same_market() -> None:
    one, two, other = Crowd(), Crowd(), Crowd(seed=2)
    assert one.run(20) == two.run(20)
    assert one.book.depth(1_000) == two.book.depth(1_000)
    assert one.book.depth(5) != other.book.depth(5)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_a_minute_is_lively_and_sound(symbol: str) -> None:
    crowd = Crowd(symbol)
    start_id = crowd.book.update_id
    trades = crowd.run(60)
    assert 50 < (crowd.book.update_id - start_id) / 60 < 150
    assert 2 < len(trades) / 60 < 20
    assert crowd.engine.ledger.imbalances() == {}
    for side in Side:
        assert crowd.profile.flow.levels_min <= crowd.book.level_count(side) <= crowd.profile.flow.levels_max
    top = crowd.book.top()
    assert 0 < top.bid_price < top.ask_price < top.bid_price * 1.001


def test_an_order_at_the_touch_fills_every_few_seconds() -> None:
    """Goal: a maker gets something to do. Method: rest a small bid at the best, renew it when filled or left behind."""
    crowd = Crowd()
    crowd.engine.open_account(ME, FeeRates())
    crowd.engine.ledger.deposit(ME, "USDT", 10**16)
    step = crowd.profile.rules.step_size
    order, fills, number = None, 0, 0
    while crowd.flow.next_ns < 90 * SECOND_NS:
        crowd.step()
        best = crowd.book.best(Side.BUY)
        assert best is not None
        if order is not None and order.is_open and order.price < best:
            crowd.engine.cancel(order, "c", crowd.flow.next_ns)
        if order is None or not order.is_open:
            fills += order is not None and order.executed > 0
            number += 1
            request = NewOrder(ME, "BTCUSDT", str(number), Side.BUY, OrderType.LIMIT, 100 * step, best)
            order = crowd.engine.place(request, crowd.flow.next_ns)
    assert 1 / 3 < fills / 90 < 3


def test_an_emptied_side_comes_back() -> None:
    """Goal: whatever is taken, there is a market again. Method: everything is bought; wait ten seconds."""
    crowd = Crowd()
    everything = sum(quantity for _, quantity in crowd.book.levels(Side.SELL))
    crowd.engine.place(NewOrder(BACKGROUND, "BTCUSDT", "", Side.BUY, OrderType.MARKET, everything), SECOND_NS)
    assert crowd.book.best(Side.SELL) is None
    crowd.run(10)
    bid, ask = crowd.book.best(Side.BUY), crowd.book.best(Side.SELL)
    assert bid is not None
    assert ask is not None
    assert bid < ask < bid * 1.01


def test_the_crowd_never_cancels_a_client() -> None:
    """Goal: retreats, trimming and cancels take the crowd's orders only. Method: orders of ours all over the bid, for a
    minute; what is gone of them was filled.
    """
    crowd = Crowd()
    crowd.engine.open_account(ME, FeeRates())
    crowd.engine.ledger.deposit(ME, "USDT", 10**18)
    best, tick = crowd.book.best(Side.BUY), crowd.profile.rules.tick_size
    assert best is not None
    placed = [
        crowd.engine.place(
            NewOrder(ME, "BTCUSDT", str(n), Side.BUY, OrderType.LIMIT, 10**5, best - n * n * tick), SECOND_NS
        )
        for n in range(80)
    ]
    crowd.run(60)
    assert all(order.is_open or order.leaves == 0 for order in placed)
    assert any(order.leaves == 0 for order in placed)
    assert any(order.is_open for order in placed)
