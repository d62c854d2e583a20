"""Our orders against a recorded book: the queue rule as a table of what happens and what fills."""

import pytest

from gateway.simulated.core.book import TopOfBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import BACKGROUND, AccountId, NewOrder, Order, OrderType, Side, Status, TimeInForce
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.recorded.recorded_book import RecordedBook

ME = AccountId("me")
BIDS = [("100.00", "5"), ("99.00", "7")]
ASKS = [("101.00", "4"), ("102.00", "6")]


class Desk:
    def __init__(self) -> None:
        self.engine = MatchingEngine(SpotSettlement(Ledger()))
        self.book = RecordedBook()
        self.book.load(10, BIDS, ASKS)
        self.engine.list_instrument(SymbolRules("ETHUSDT", "ETH", "USDT"), self.book)
        self.engine.open_account(ME, FeeRates(0, 0))
        for account in (ME, BACKGROUND):
            for asset in ("ETH", "USDT"):
                self.engine.ledger.deposit(account, asset, 10**6 * SCALE)
        self._number = 0

    def place(self, side: Side, quantity: int, price: int, **fields: object) -> Order:
        self._number += 1
        order_type = fields.pop("order_type", OrderType.LIMIT)
        request = NewOrder(
            ME,
            "ETHUSDT",
            str(self._number),
            side,
            order_type,  # type: ignore[arg-type]  # tests name fields freely
            quantity * SCALE,
            price * SCALE,
            **fields,  # type: ignore[arg-type]  # tests name fields freely
        )
        return self.engine.place(request, self._number)

    def trade(self, price: int, quantity: int, *, seller_aggresses: bool = True) -> list[int]:
        """Play a recorded trade; return what it filled, in whole units."""
        fills = self.book.see_trade(price * SCALE, quantity * SCALE, buyer_is_maker=seller_aggresses)
        for order, filled in fills:
            self.engine.fill_resting(order, order.price, filled, 99)
        assert self.engine.ledger.imbalances() == {}
        return [filled // SCALE for _, filled in fills]


def test_trades_eat_what_is_ahead_then_fill_us() -> None:
    desk = Desk()
    order = desk.place(Side.BUY, 3, 100)
    assert desk.trade(100, 4) == []
    assert desk.trade(100, 2) == [1]
    assert desk.trade(100, 9) == [2]
    assert order.status is Status.FILLED
    assert desk.trade(100, 9) == []


def test_a_smaller_display_only_caps_what_is_ahead() -> None:
    desk = Desk()
    desk.place(Side.BUY, 3, 100)
    desk.book.apply(11, 11, [("100.00", "20")], [])  # joined behind us
    desk.book.apply(12, 12, [("100.00", "2")], [])  # left, we do not know where: at most 2 are ahead
    assert desk.trade(100, 3) == [1]


@pytest.mark.parametrize(("price", "seller_aggresses"), [(99, True), (99, False)])
def test_a_trade_through_our_price_fills_at_once_at_our_price(price: int, seller_aggresses: bool) -> None:
    desk = Desk()
    order = desk.place(Side.BUY, 3, 100)
    assert desk.trade(price, 1, seller_aggresses=seller_aggresses) == [3]
    assert order.quote_executed == 300 * SCALE


def test_the_other_sides_trades_at_our_price_do_not_count() -> None:
    desk = Desk()
    desk.place(Side.SELL, 1, 101)
    assert desk.trade(101, 50, seller_aggresses=True) == []
    assert desk.trade(101, 5, seller_aggresses=False) == [1]


def test_own_orders_share_a_trade_first_come_first_served() -> None:
    desk = Desk()
    desk.place(Side.BUY, 2, 100)
    desk.place(Side.BUY, 2, 100)
    assert desk.trade(100, 8) == [2, 1]  # 5 ahead of both, then 2 and 1


def test_taking_walks_the_displayed_levels_and_leaves_them() -> None:
    desk = Desk()
    order = desk.place(Side.BUY, 7, 102, time_in_force=TimeInForce.IOC)
    assert (order.status, order.quote_executed) == (Status.FILLED, (4 * 101 + 3 * 102) * SCALE)
    assert desk.book.depth(5) == (
        10,
        [(100 * SCALE, 5 * SCALE), (99 * SCALE, 7 * SCALE)],
        [(101 * SCALE, 4 * SCALE), (102 * SCALE, 6 * SCALE)],
    )
    assert desk.engine.drain()[1] == []  # no public trade either


def test_a_fresher_ticker_decides_what_is_displayed() -> None:
    desk = Desk()
    desk.book.see_top(11, TopOfBook(100 * SCALE, SCALE, 102 * SCALE, 2 * SCALE))
    order = desk.place(Side.BUY, 3, 102, time_in_force=TimeInForce.IOC)
    assert (order.status, order.executed) == (Status.EXPIRED, 2 * SCALE)  # 101 is gone, 2 are left at 102
    desk.place(Side.BUY, 3, 100)
    assert desk.trade(100, 2) == [1]  # 1 ahead, as the ticker says
    desk.book.apply(11, 12, [], [])
    assert desk.place(Side.BUY, 3, 101, time_in_force=TimeInForce.IOC).status is Status.FILLED


def test_post_only_looks_at_the_recorded_book() -> None:
    desk = Desk()
    with pytest.raises(VenueError, match="immediately match"):
        desk.place(Side.SELL, 1, 100, order_type=OrderType.LIMIT_MAKER)
    assert desk.place(Side.SELL, 1, 101, order_type=OrderType.LIMIT_MAKER).status is Status.NEW


def test_old_diffs_are_ignored_and_gaps_remembered() -> None:
    desk = Desk()
    assert not desk.book.apply(9, 10, [("100.00", "0")], [])
    assert desk.book.apply(10, 11, [("100.00", "0")], [])
    assert not desk.book.is_gapped
    assert desk.book.apply(13, 14, [], [])
    assert desk.book.is_gapped
