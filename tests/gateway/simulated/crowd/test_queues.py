"""Where in the queue cancels happen: each rule on a queue made by hand."""

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import BACKGROUND, AccountId, NewOrder, OrderType, Side
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.crowd.parameters import CancelRule
from gateway.simulated.crowd.profiles import profile
from gateway.simulated.crowd.queues import PICKS

ME = AccountId("me")


def picked(rule: CancelRule, uniform: float, queue: list[tuple[AccountId, int]]) -> int | None:
    """Return which of `queue` (account, quantity) the rule picks, by number."""
    found = profile("BTCUSDT")
    assert found is not None
    engine, book = MatchingEngine(SpotSettlement(Ledger())), PriceTimeBook("BTCUSDT")
    engine.list_instrument(found.rules, book)
    engine.open_account(ME, FeeRates())
    for account in (ME, BACKGROUND):
        engine.ledger.deposit(account, "USDT", 10**20)
    orders = [
        engine.place(NewOrder(account, "BTCUSDT", str(n), Side.BUY, OrderType.LIMIT, quantity, 6 * 10**12), 1)
        for n, (account, quantity) in enumerate(queue)
    ]
    level = book.level(Side.BUY, 6 * 10**12)
    assert level is not None
    order = PICKS[rule](level, uniform)
    return None if order is None else orders.index(order)


CROWD = [(BACKGROUND, 10**6), (BACKGROUND, 8 * 10**6), (BACKGROUND, 10**6)]
MIXED = [(ME, 10**6), (BACKGROUND, 10**6), (ME, 10**6), (BACKGROUND, 10**6), (ME, 10**6)]


@pytest.mark.parametrize(
    ("rule", "uniform", "queue", "expected"),
    [
        (CancelRule.FRONT, 0.9, CROWD, 0),
        (CancelRule.BACK, 0.1, CROWD, 2),
        (CancelRule.UNIFORM, 0.0, CROWD, 0),
        (CancelRule.UNIFORM, 0.5, CROWD, 1),
        (CancelRule.UNIFORM, 0.99, CROWD, 2),
        (CancelRule.SIZE_WEIGHTED, 0.05, CROWD, 0),
        (CancelRule.SIZE_WEIGHTED, 0.11, CROWD, 1),
        (CancelRule.SIZE_WEIGHTED, 0.89, CROWD, 1),
        (CancelRule.SIZE_WEIGHTED, 0.95, CROWD, 2),
        (CancelRule.FRONT, 0.5, MIXED, 1),
        (CancelRule.BACK, 0.5, MIXED, 3),
        (CancelRule.UNIFORM, 0.5, MIXED, 3),  # ours was met: the crowd's next one behind it
        (CancelRule.UNIFORM, 0.99, MIXED, 1),  # none behind it: the first
        (CancelRule.SIZE_WEIGHTED, 0.99, MIXED, 3),
        *((rule, 0.5, [(ME, 10**6)], None) for rule in CancelRule),
    ],
)
def test_the_rule_picks(
    rule: CancelRule, uniform: float, queue: list[tuple[AccountId, int]], expected: int | None
) -> None:
    assert picked(rule, uniform, queue) == expected
