"""The crowd: the same for the same seed, lively, and it leaves a sound book."""

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import BACKGROUND, OPPOSITE, AccountId, NewOrder, Order, OrderType, PublicTrade, Side
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.crowd.flow import OrderFlow
from gateway.simulated.crowd.parameters import NEAR_TICKS
from gateway.simulated.crowd.profiles import profile
from gateway.simulated.crowd.regimes import Regime

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


def with_client(symbol: str, seed: int = 1) -> Crowd:
    """A client with money for whatever there is."""
    crowd = Crowd(symbol, seed)
    crowd.engine.open_account(ME, FeeRates())
    for asset in (crowd.profile.rules.base, crowd.profile.rules.quote):
        crowd.engine.ledger.deposit(ME, asset, 10**18)
    return crowd


def far_order(crowd: Crowd, side: Side) -> Order:
    """A client's, at a third of the price or three times it."""
    start = crowd.profile.start_price
    price = start // 3 if side is Side.BUY else start * 3
    price -= price % crowd.profile.rules.tick_size
    quantity = crowd.profile.unit_quantity
    return crowd.engine.place(NewOrder(ME, crowd.book.symbol, side, side, OrderType.LIMIT, quantity, price), SECOND_NS)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT"])
@pytest.mark.parametrize("side", Side)
def test_a_client_who_is_all_there_is_of_a_side_does_not_lead_the_crowd(symbol: str, side: Side) -> None:
    """Goal: the price does not jump to a stray order. Method: one is left on a side whose rest is taken; then ten seconds."""
    for seed in range(4):
        crowd = with_client(symbol, seed)
        stray = far_order(crowd, side)
        rest = sum(quantity for price, quantity in crowd.book.levels(side) if price != stray.price)
        taker = NewOrder(BACKGROUND, symbol, "", OPPOSITE[side], OrderType.MARKET, rest)
        crowd.engine.place(taker, SECOND_NS)
        assert crowd.book.best(side) == stray.price
        crowd.run(10)
        top = crowd.book.top()
        assert abs(top.bid_price / crowd.profile.start_price - 1) < 0.01
        assert abs(top.ask_price / crowd.profile.start_price - 1) < 0.01
        assert stray.executed == 0


def test_behind_clients_far_orders_the_crowd_keeps_its_book_as_ever() -> None:
    """Goal: it adds and cancels at its own end of the book, wherever clients are. Method: far orders on both sides, a crash,
    a minute; then there is as much as it keeps, and hardly more than that where it is farther away than the crowd looks.
    """
    crowd = with_client("BTCUSDT")
    for side in Side:
        far_order(crowd, side)
    crowd.flow.set_regime(Regime.FLASH_CRASH)
    crowd.run(100)
    flow = crowd.profile.flow
    reach = (flow.bands[-1].high + 2 * NEAR_TICKS) * crowd.profile.rules.tick_size
    for side in Side:
        best = crowd.book.best(side)
        assert best is not None
        left_behind = [price for price, _ in crowd.book.levels(side) if abs(price - best) > reach]
        assert crowd.book.level_count(side) >= flow.levels_min - 10
        assert len(left_behind) <= 10 or crowd.book.level_count(side) <= flow.levels_min + 10


def test_a_book_that_is_full_far_behind_is_still_served_near_the_touch() -> None:
    """Goal: what a move left behind does not keep the crowd from the touch. Method: every price from 1,000 ticks on is
    occupied; a minute; near the touch there is as much as without that.
    """

    def near(crowd: Crowd) -> int:
        best, tick = crowd.book.best(Side.BUY), crowd.profile.rules.tick_size
        assert best is not None
        return sum(best - price < NEAR_TICKS * tick for price, _ in crowd.book.levels(Side.BUY))

    counts = {False: 0, True: 0}
    for is_full in counts:
        crowd = Crowd()
        start, tick = crowd.profile.start_price, crowd.profile.rules.tick_size
        for distance in range(1_000, 4_000) if is_full else ():
            request = NewOrder(BACKGROUND, "BTCUSDT", "", Side.BUY, OrderType.LIMIT, 10**5, start - distance * tick)
            crowd.engine.place(request, SECOND_NS)
        for second in range(60, 120):
            crowd.run(second)
            counts[is_full] += near(crowd)
    assert counts[True] > 0.7 * counts[False]
