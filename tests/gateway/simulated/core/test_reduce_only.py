"""A reduce-only order trades as much as its money model says it may, and expires where that is nothing."""

from typing import Any

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import ExecutionKind, ExpiryReason, Order, Side, Status, TimeInForce
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, RULES, SELL, Desk, levels


class Positions(SpotSettlement):
    """What reduce-only orders may trade together, of either account."""

    left = 0

    def reducible(self, order: Order) -> int:
        return self.left

    def settle(self, rules: SymbolRules, buyer: Order | None, *others: Any) -> dict[Side, tuple[int, str]]:
        if any(order is not None and order.reduce_only for order in (buyer, others[0])):
            self.left -= others[-1]
        return super().settle(rules, buyer, *others)


class FuturesDesk(Desk):
    def __init__(self, left: float) -> None:
        super().__init__()
        money = Positions(Ledger())
        money.left = round(left * SCALE)
        self.engine = MatchingEngine(money)
        self.book = PriceTimeBook("BTCUSDT")
        self.engine.list_instrument(RULES, self.book)
        for account in (ANN, BOB):
            self.engine.open_account(account, FeeRates())
            for asset in ("BTC", "USDT"):
                self.engine.ledger.deposit(account, asset, 100_000 * SCALE)


def test_a_taker_stops_where_its_position_is_closed() -> None:
    desk = FuturesDesk(1.5)
    maker = desk.place(ANN, BUY, 5, 100)
    taker = desk.place(BOB, SELL, 3, 100, reduce_only=True)
    assert (taker.status, taker.executed, maker.executed) == (Status.EXPIRED, 3 * SCALE // 2, 3 * SCALE // 2)
    last = desk.reports()[-1]
    assert (last.kind, last.expiry_reason, last.order) == (ExecutionKind.EXPIRED, ExpiryReason.EXCHANGE_CANCELED, taker)
    assert (levels(desk, BUY), desk.engine.ledger.imbalances()) == ([(100.0, 3.5)], {})


def test_a_maker_that_reduces_nothing_any_more_makes_way() -> None:
    """It trades its part, expires, and the next in the queue trades on."""
    desk = FuturesDesk(0.5)
    first, second = desk.place(ANN, BUY, 2, 100, reduce_only=True), desk.place(ANN, BUY, 2, 100)
    taker = desk.place(BOB, SELL, 1, 100)
    assert (first.status, first.executed, first.locked) == (Status.EXPIRED, SCALE // 2, 0)
    assert (second.executed, taker.status) == (SCALE // 2, Status.FILLED)


def test_one_whose_position_is_enough_is_an_order_like_others() -> None:
    desk = FuturesDesk(10)
    desk.place(ANN, BUY, 2, 100, reduce_only=True)
    assert desk.place(BOB, SELL, 2, 100, reduce_only=True).status is Status.FILLED


def test_fill_or_kill_does_not_count_on_what_reduces_nothing() -> None:
    """Two orders of one position offer more than it has: a FOK that needs more than the position leaves them as they are."""
    desk = FuturesDesk(1)
    makers = [desk.place(ANN, BUY, 1, 100, reduce_only=True) for _ in range(2)]
    killed = desk.place(BOB, SELL, 1.5, 100, time_in_force=TimeInForce.FOK)
    assert (killed.status, killed.executed) == (Status.EXPIRED, 0)
    assert [(maker.status, maker.executed) for maker in makers] == [(Status.NEW, 0)] * 2
    other = desk.place(ANN, BUY, 0.5, 100)
    filled = desk.place(BOB, SELL, 1.5, 100, time_in_force=TimeInForce.FOK)
    assert (filled.status, other.executed) == (Status.FILLED, SCALE // 2)
