"""What orders and positions need of an account's margin, in rows worked out by hand."""

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import BACKGROUND, AccountId, NewOrder, Order, OrderType, PositionSide, Side
from gateway.simulated.core.settlement import FeeRates
from gateway.simulated.usdm.filters import check_filters
from gateway.simulated.usdm.margin import ASSET, CLEARING, INSURANCE, Margin
from gateway.simulated.usdm.profiles import perpetual

ALICE, BOB = AccountId("alice"), AccountId("bob")
SYMBOL = "BTCUSDT"
BUY, SELL = Side.BUY, Side.SELL
CENT = SCALE // 100
NOW_NS = 1_000_000_000


@dataclass
class Stage:
    """An engine with one contract at a mark of 60,000, two accounts with 10,000 USDT each, and no crowd."""

    engine: MatchingEngine
    margin: Margin

    def order(self, account: AccountId, side: Side, quantity: float, price: int, **more: Any) -> Order:
        """`price` 0: a MARKET order."""
        kind = OrderType.LIMIT if price else OrderType.MARKET
        number = len(self.engine.registry.orders) + 1
        request = NewOrder(
            account, SYMBOL, f"o{number}-{account}", side, kind, round(quantity * SCALE), price * SCALE, **more
        )
        return self.engine.place(request, NOW_NS)

    def trade(self, quantity: float, price: int) -> None:
        """Alice buys of Bob, or sells to him where the quantity is negative."""
        maker, taker = (SELL, BUY) if quantity > 0 else (BUY, SELL)
        self.order(BOB, maker, abs(quantity), price)
        self.order(ALICE, taker, abs(quantity), price)

    def mark(self, price: int) -> None:
        self.margin.marks[SYMBOL] = price * SCALE

    def adds_up(self) -> bool:
        sums = self.margin.costs() + self.margin.wallet(CLEARING)
        return not self.engine.ledger.imbalances() and sums == 0


@pytest.fixture
def stage() -> Stage:
    margin = Margin(Ledger(may_owe=True))
    engine = MatchingEngine(
        margin, lambda rules, order, price, count, stops: check_filters(rules, order, margin.marks[SYMBOL], count)
    )
    profile = perpetual(SYMBOL)
    assert profile is not None
    engine.list_instrument(profile.rules, PriceTimeBook(SYMBOL))
    margin.marks[SYMBOL] = 60_000 * SCALE
    for account in (ALICE, BOB):
        engine.open_account(account, FeeRates(maker_ppm=200, taker_ppm=500))
        engine.ledger.deposit(account, ASSET, 10_000 * SCALE)
    return Stage(engine, margin)


def figures(stage: Stage, account: AccountId) -> tuple[float, ...]:
    """Wallet, unrealized PnL, position margin, order margin, maintenance margin, available: in USDT."""
    total = stage.margin.accounts[account].total(stage.margin.marks)
    values = (stage.margin.wallet(account), *total, stage.margin.available(account))
    return tuple(value / SCALE for value in values)


def test_a_bought_position(stage: Stage) -> None:
    """Alice takes 1 BTC at 60,000 for a fee of 0.05 %: 30; margin a twentieth: 3,000; maintenance 0.4 %: 240. Bob's fee is 0.02 %."""
    stage.trade(1, 60_000)
    assert figures(stage, ALICE) == (9_970, 0, 3_000, 0, 240, 6_970)
    assert figures(stage, BOB) == (9_988, 0, 3_000, 0, 240, 6_988)
    assert stage.adds_up()


def test_a_position_as_the_mark_price_moves(stage: Stage) -> None:
    """At 61,000 Alice's PnL is +1,000, the notional and so the margin a twentieth of 61,000; Bob's is the opposite."""
    stage.trade(1, 60_000)
    stage.mark(61_000)
    assert figures(stage, ALICE) == (9_970, 1_000, 3_050, 0, 244, 7_920)
    assert figures(stage, BOB) == (9_988, -1_000, 3_050, 0, 244, 5_938)


def test_a_position_partly_closed(stage: Stage) -> None:
    """Alice sells 0.4 of 1 BTC at 61,000: realizes 400, pays 30 and 12.2; 0.6 remain."""
    stage.trade(1, 60_000)
    stage.trade(-0.4, 61_000)
    assert figures(stage, ALICE)[:3] == (10_000 - 30 - 12.2 + 400, 0, 1_800)
    assert stage.margin.position(ALICE, SYMBOL, PositionSide.BOTH).entry_price == 60_000 * SCALE
    assert stage.adds_up()


ORDER_ROWS = [
    # position, open bids (quantity, price), open offers -> position margin, order margin
    (0, [(1, 59_000)], [], 0, 2_950),
    (0, [(1, 59_000)], [(1, 61_000)], 0, 3_050),
    (0, [(1, 59_000), (0.5, 58_000)], [(1, 61_000)], 0, 4_400),
    (1, [], [(1, 61_000)], 3_000, 0),
    (1, [], [(2, 61_000)], 3_000, 100),
    (1, [(0.5, 59_000)], [(1, 61_000)], 3_000, 1_475),
    (-1, [(1, 59_000)], [], 3_000, 0),
    (-1, [(1, 59_000)], [(0.5, 61_000)], 3_000, 1_525),
]


@pytest.mark.parametrize(("position", "bids", "offers", "position_margin", "order_margin"), ORDER_ROWS)
def test_margin_of_open_orders(
    stage: Stage,
    position: float,
    bids: list[tuple[float, int]],
    offers: list[tuple[float, int]],
    position_margin: float,
    order_margin: float,
) -> None:
    """The larger of what the position would be with all bids or all offers filled, at a leverage of 20."""
    if position:
        stage.trade(position, 60_000)
    for side, orders in ((BUY, bids), (SELL, offers)):
        for quantity, price in orders:
            stage.order(ALICE, side, quantity, price)
    assert figures(stage, ALICE)[2:4] == (position_margin, order_margin)
    for order in stage.engine.registry.open_orders(ALICE):
        stage.engine.cancel(order, "", NOW_NS)
    assert figures(stage, ALICE)[2:4] == (position_margin, 0)


COVERED_ROWS = [
    # leverage, side, quantity, price -> code
    (20, BUY, 3.333, 60_000, 0),  # 9,999 of 10,000
    (20, BUY, 3.334, 60_000, -2019),  # 10,002
    (20, SELL, 3.333, 60_000, 0),
    (20, SELL, 3.334, 60_000, -2019),
    (20, BUY, 2.0, 63_000, -2019),  # 6,300 of margin, and a loss of 6,000 against the mark
    (20, BUY, 1.0, 63_000, 0),  # 3,150 and 3,000
    (1, BUY, 0.166, 60_000, 0),  # 9,960
    (1, BUY, 0.167, 60_000, -2019),  # 10,020
    (125, BUY, 20.833, 60_000, 0),  # 9,999.84
    (125, BUY, 20.834, 60_000, -2019),  # 10,000.32
]


@pytest.mark.parametrize(("leverage", "side", "quantity", "price", "code"), COVERED_ROWS)
def test_what_margin_an_order_needs(
    stage: Stage, leverage: int, side: Side, quantity: float, price: int, code: int
) -> None:
    stage.margin.accounts[ALICE].set_leverage(SYMBOL, leverage)
    assert refusal(stage, ALICE, side, quantity, price) == code


def refusal(stage: Stage, account: AccountId, side: Side, quantity: float, price: int, **more: Any) -> int:
    """The code of what was refused, and then nothing is left of it; 0 where it was not."""
    before = figures(stage, account)
    try:
        stage.order(account, side, quantity, price, **more)
    except VenueError as error:
        assert figures(stage, account) == before
        return error.code
    return 0


def test_margin_is_taken_from_what_positions_won_and_lost(stage: Stage) -> None:
    """With 9,970 less 3,000 free, at 57,000 the PnL of -3,000 leaves 9,970 - 3,000 - 2,850 = 4,120: 1.445 BTC at 20."""
    stage.trade(1, 60_000)
    stage.mark(57_000)
    assert refusal(stage, ALICE, BUY, 1.446, 57_000) == -2019
    assert refusal(stage, ALICE, BUY, 1.445, 57_000) == 0


def test_what_reduces_a_position_needs_no_margin(stage: Stage) -> None:
    """Alice has nothing free any more; she may still close, and no more than that."""
    for account in (ALICE, BOB):
        stage.margin.accounts[account].set_leverage(SYMBOL, 125)
    stage.trade(15, 60_000)
    stage.mark(59_650)
    assert stage.margin.available(ALICE) < 0
    assert refusal(stage, ALICE, BUY, 0.002, 59_650) == -2019
    assert refusal(stage, ALICE, SELL, 15, 59_650) == 0


REDUCE_ROWS = [
    # position, side, quantity -> code
    (0, BUY, 1, -2022),
    (0, SELL, 1, -2022),
    (1, BUY, 1, -2022),
    (1, SELL, 1, 0),
    (1, SELL, 0.4, 0),
    (1, SELL, 1.001, -2022),
    (-1, SELL, 1, -2022),
    (-1, BUY, 1, 0),
    (-1, BUY, 1.001, -2022),
]


@pytest.mark.parametrize(("position", "side", "quantity", "code"), REDUCE_ROWS)
def test_reduce_only(stage: Stage, position: float, side: Side, quantity: float, code: int) -> None:
    if position:
        stage.trade(position, 60_000)
    price = 61_000 if side is SELL else 59_000
    assert refusal(stage, ALICE, side, quantity, price, reduce_only=True) == code


def test_a_reduce_only_order_never_opens(stage: Stage) -> None:
    """Goal: however a sweep comes, a position is not turned by reduce-only orders. Method: two of them each as large as the
    position, and an order that takes both.
    """
    stage.trade(1, 60_000)
    stage.order(ALICE, SELL, 1, 61_000, reduce_only=True)
    stage.order(ALICE, SELL, 1, 61_100, reduce_only=True)
    stage.order(BOB, BUY, 2, 61_200)
    assert stage.margin.position(ALICE, SYMBOL, PositionSide.BOTH).quantity == 0
    assert stage.engine.registry.open_orders(ALICE) == []
    assert stage.adds_up()


def test_hedge_mode_keeps_two_positions(stage: Stage) -> None:
    """Long 1 at 60,000 and short 1 at 61,000: each has its margin, and together they have earned 1,000."""
    stage.order(BOB, SELL, 1, 60_000)
    stage.order(ALICE, BUY, 1, 60_000, position_side=PositionSide.LONG)
    stage.order(BOB, BUY, 1, 61_000)
    stage.order(ALICE, SELL, 1, 61_000, position_side=PositionSide.SHORT)
    positions = stage.margin.accounts[ALICE].positions
    assert {key[1]: p.quantity // SCALE for key, p in positions.items()} == {
        PositionSide.LONG: 1,
        PositionSide.SHORT: -1,
    }
    assert figures(stage, ALICE)[1:3] == (1_000, 6_000)
    assert stage.adds_up()


def test_liquidation_price_is_where_the_margin_balance_meets_maintenance(stage: Stage) -> None:
    """Method: put the mark there, and a tick above and below it."""
    for quantity in (3, -3):
        stage.trade(quantity, 60_000)
    stage.trade(3, 60_000)
    account = stage.margin.accounts[ALICE]
    price = account.liquidation_price(SYMBOL, stage.margin.wallet(ALICE), stage.margin.marks)
    assert not stage.margin.is_liquidated(ALICE)
    stage.margin.marks[SYMBOL] = price + CENT
    assert not stage.margin.is_liquidated(ALICE)
    stage.margin.marks[SYMBOL] = price - CENT
    assert stage.margin.is_liquidated(ALICE)


@pytest.mark.parametrize(("long", "short"), [(2.5, 0.5), (0.5, 2.5)])
def test_both_sides_of_a_hedge_are_liquidated_at_one_price(stage: Stage, long: float, short: float) -> None:
    """Method: put the mark there; a cent on the losing side of it is too far, a cent on the other is not."""
    stage.order(BOB, SELL, long, 60_000)
    stage.order(ALICE, BUY, long, 60_000, position_side=PositionSide.LONG)
    stage.order(BOB, BUY, short, 60_000)
    stage.order(ALICE, SELL, short, 60_000, position_side=PositionSide.SHORT)
    account = stage.margin.accounts[ALICE]
    price = account.liquidation_price(SYMBOL, stage.margin.wallet(ALICE), stage.margin.marks)
    losing = -CENT if long > short else CENT
    for offset, failed in ((losing, True), (-losing, False)):
        stage.margin.marks[SYMBOL] = price + offset
        assert stage.margin.is_liquidated(ALICE) is failed


def test_funding_goes_from_the_long_side_to_the_short(stage: Stage) -> None:
    """0.01 % of 60,000 is 6."""
    stage.trade(1, 60_000)
    assert stage.margin.pay_funding(ALICE, SYMBOL, 10_000, NOW_NS) == -6 * SCALE
    assert stage.margin.pay_funding(BOB, SYMBOL, 10_000, NOW_NS) == 6 * SCALE
    assert stage.margin.wallet(BACKGROUND) == 0
    assert stage.margin.wallet(INSURANCE) == 0
    assert stage.adds_up()
