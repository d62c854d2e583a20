"""Stops wait beside the book, hold their money, trigger by the last trade, and then are market or limit orders."""

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.orders import ExecutionKind, ExpiryReason, OrderType, Side, Status, TimeInForce
from gateway.simulated.core.settlement import FeeRates
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, RULES, SELL, WITH_LIMIT, Desk, levels, refusal

LOSS, LOSS_LIMIT = OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT
PROFIT, PROFIT_LIMIT = OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT
FREE = FeeRates(0, 0)

TRIGGERS = [
    (LOSS, BUY, 101, 100.99, 101),
    (LOSS_LIMIT, BUY, 101, 100.99, 101.5),
    (LOSS, SELL, 99, 99.01, 99),
    (LOSS_LIMIT, SELL, 99, 99.01, 98.5),
    (PROFIT, BUY, 99, 99.01, 98.5),
    (PROFIT_LIMIT, BUY, 99, 99.01, 99),
    (PROFIT, SELL, 101, 100.99, 101),
    (PROFIT_LIMIT, SELL, 101, 100.99, 102),
]
"""Type, side, stop price; a trade that does not trigger it, one that does. The last price before was 100."""


@pytest.mark.parametrize(("kind", "side", "stop", "not_yet", "then"), TRIGGERS)
def test_a_stop_triggers_at_its_price_and_not_before(
    kind: OrderType, side: Side, stop: float, not_yet: float, then: float
) -> None:
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    order = desk.place(BOB, side, 1, stop if kind in WITH_LIMIT else 0, stop, order_type=kind)
    desk.trade_at(not_yet)
    assert (order.status, order.working_ns, levels(desk, side)) == (Status.NEW, 0, [])
    desk.reports()
    desk.trade_at(then)
    assert order.working_ns == desk.now_ns
    told = [(e.kind, e.status) for e in desk.reports() if e.order is order]
    if kind in WITH_LIMIT:
        assert (told, levels(desk, side)) == ([], [(stop, 1.0)])  # the venue does not report the triggering itself
    else:
        assert told == [(ExecutionKind.EXPIRED, Status.EXPIRED)]  # an empty book


@pytest.mark.parametrize(("kind", "side", "stop", "not_yet", "then"), TRIGGERS)
def test_a_stop_that_would_trigger_at_once_is_refused(
    kind: OrderType, side: Side, stop: float, not_yet: float, then: float
) -> None:
    """At the very price too; measured by the last trade, or by the middle of the book before the first one."""
    desk = Desk(fees=FREE)
    desk.trade_at(stop)
    refused = (-2010, "Stop price would trigger immediately.")
    price = stop if kind in WITH_LIMIT else 0
    assert refusal(desk, BOB, side, 1, price, stop, order_type=kind) == refused
    quiet = Desk(fees=FREE)
    quiet.place(ANN, BUY, 1, then - 1)
    quiet.place(ANN, SELL, 1, then + 1)
    assert refusal(quiet, BOB, side, 1, price, stop, order_type=kind) == refused


def test_without_trade_or_book_any_stop_price_will_do() -> None:
    desk = Desk()
    assert desk.place(BOB, SELL, 1, 0, 100, order_type=LOSS).status is Status.NEW


@pytest.mark.parametrize(
    ("kind", "side", "price", "stop", "asset", "held"),
    [
        (LOSS, BUY, 0, 101, "USDT", 202),  # no limit: what it would cost at its stop price
        (LOSS_LIMIT, BUY, 103, 101, "USDT", 206),
        (PROFIT_LIMIT, BUY, 98, 99, "USDT", 196),
        (LOSS, SELL, 0, 99, "BTC", 2),
        (PROFIT_LIMIT, SELL, 102, 101, "BTC", 2),
    ],
)
def test_a_stop_holds_its_money_while_it_waits(
    kind: OrderType, side: Side, price: float, stop: float, asset: str, held: int
) -> None:
    desk = Desk()
    desk.trade_at(100)
    order = desk.place(BOB, side, 2, price, stop, order_type=kind)
    report = desk.reports()[-1]
    assert desk.locked(BOB, asset) == order.locked == held * SCALE
    assert (report.kind, report.is_on_book, report.working_ns) == (ExecutionKind.NEW, False, 0)
    assert desk.engine.queue_ahead(order) == (0, 0)
    desk.engine.cancel(order, "c", desk.now_ns)
    assert desk.locked(BOB, asset) == 0
    assert desk.engine.drain()[0][-1].kind is ExecutionKind.CANCELED


def test_a_triggered_market_stop_sweeps_the_book() -> None:
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    order = desk.place(BOB, SELL, 2, 0, 99, order_type=LOSS)
    for price in (98, 97):
        desk.place(ANN, BUY, 1, price)
    desk.trade_at(99)
    assert (order.status, order.quote_executed, desk.locked(BOB, "BTC")) == (Status.FILLED, 195 * SCALE, 0)


@pytest.mark.parametrize(
    ("time_in_force", "status", "resting"),
    [
        (TimeInForce.GTC, Status.PARTIALLY_FILLED, [(101.0, 1.0)]),
        (TimeInForce.IOC, Status.EXPIRED, []),
        (TimeInForce.FOK, Status.EXPIRED, []),
    ],
)
def test_a_triggered_limit_stop_keeps_its_time_in_force(
    time_in_force: TimeInForce, status: Status, resting: list[tuple[float, float]]
) -> None:
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    order = desk.place(BOB, BUY, 2, 101, 100.5, order_type=LOSS_LIMIT, time_in_force=time_in_force)
    desk.place(ANN, SELL, 0.1, 100.5)
    desk.place(ANN, SELL, 1, 101)
    desk.place(BOB, BUY, 0.1, 100.5)
    assert (order.status, levels(desk, BUY)) == (status, resting)


def test_what_cannot_be_paid_when_it_triggers_expires() -> None:
    """It held the cost at its stop price; meanwhile the book asks for more, and the rest of the money is gone."""
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    order = desk.place(BOB, BUY, 8, 0, 101, order_type=LOSS)
    desk.engine.ledger.deposit(BOB, "USDT", -desk.free(BOB, "USDT"))
    desk.place(ANN, SELL, 0.1, 101)
    desk.place(ANN, SELL, 8, 150)
    desk.engine.ledger.deposit(BOB, "USDT", 11 * SCALE)
    desk.place(BOB, BUY, 0.1, 101)
    report = next(e for e in reversed(desk.reports()) if e.order is order)
    assert (order.status, order.executed, desk.locked(BOB, "USDT")) == (Status.EXPIRED, 0, 0)
    assert (report.kind, report.expiry_reason) == (ExecutionKind.EXPIRED, ExpiryReason.REJECTED)


def test_the_nearest_price_triggers_first_then_the_older_order() -> None:
    """One trade jumps past all of them; what waited for a rise comes before what waited for a fall."""
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    placed = [
        desk.place(BOB, BUY, 0.1, 110, 103, order_type=LOSS_LIMIT),
        desk.place(BOB, SELL, 0.1, 120, 104, order_type=PROFIT_LIMIT),
        desk.place(BOB, BUY, 0.1, 110, 102, order_type=LOSS_LIMIT),
        desk.place(ANN, BUY, 0.1, 110, 103, order_type=LOSS_LIMIT),
    ]
    desk.trade_at(105)
    resting = [order for _, orders in desk.book.orders(BUY, 10) for order in orders]
    assert resting == [placed[2], placed[0], placed[3]]
    assert levels(desk, SELL) == [(120.0, 0.1)]


def test_falling_stops_trigger_from_the_highest_down() -> None:
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    placed = [desk.place(BOB, SELL, 0.1, 90, stop, order_type=LOSS_LIMIT) for stop in (97, 98, 97, 96)]
    desk.trade_at(95)
    resting = [order for _, orders in desk.book.orders(SELL, 10) for order in orders]
    assert resting == [placed[1], placed[0], placed[2], placed[3]]


def test_a_cascade_runs_to_its_end() -> None:
    """Every stop's sale triggers the next: each works once, in order, within the one command that began it."""
    rules = SymbolRules("BTCUSDT", "BTC", "USDT", algo_orders_max=0, orders_max=0)
    desk = Desk(rules, FREE)
    desk.trade_at(200)
    count = 90
    stops = [desk.place(BOB, SELL, 0.1, 0, 199 - number, order_type=LOSS) for number in range(count)]
    for number in range(count + 1):
        desk.place(ANN, BUY, 0.1, 199 - number)
    before = desk.engine.trade_count
    desk.place(BOB, SELL, 0.1, 199)
    assert desk.engine.trade_count - before == count + 1
    assert {order.status for order in stops} == {Status.FILLED}
    filled = [e.order for e in desk.reports() if e.kind is ExecutionKind.TRADE and e.order in stops]
    assert filled == stops
    assert len(desk.engine.instruments["BTCUSDT"].stops) == 0
    assert desk.engine.ledger.imbalances() == {}


def test_a_stop_may_trigger_by_its_own_accounts_trade_and_meet_its_own_order() -> None:
    desk = Desk(fees=FREE)
    desk.trade_at(100)
    stop = desk.place(BOB, SELL, 1, 0, 99, order_type=LOSS)
    desk.place(BOB, BUY, 1, 98)
    desk.place(ANN, BUY, 0.5, 99)
    desk.place(BOB, SELL, 0.5, 99)
    assert stop.status is Status.FILLED
    assert desk.engine.ledger.imbalances() == {}


def test_recorded_trades_trigger_stops() -> None:
    desk = Desk()
    desk.engine.see_trade("BTCUSDT", 100 * SCALE, SCALE, 1)
    order = desk.place(BOB, SELL, 1, 98, 99, order_type=LOSS_LIMIT)
    desk.engine.fill_resting(order, 98 * SCALE, SCALE, 2)
    assert order.executed == 0  # it is not in the book, whatever a recording says
    desk.engine.see_trade("BTCUSDT", 99 * SCALE, SCALE, 3)
    assert (order.working_ns, levels(desk, SELL)) == (3, [(98.0, 1.0)])


def test_a_waiting_stop_may_be_amended_and_expired() -> None:
    desk = Desk()
    desk.trade_at(100)
    order = desk.place(BOB, SELL, 3, 0, 99, order_type=LOSS)
    desk.engine.amend(order, 2 * SCALE, None, desk.now_ns)
    assert (order.leaves, desk.locked(BOB, "BTC")) == (2 * SCALE, 2 * SCALE)
    desk.engine.expire(order, Status.EXPIRED, desk.now_ns)
    assert (order.status, desk.locked(BOB, "BTC")) == (Status.EXPIRED, 0)
    desk.trade_at(98)
    assert order.executed == 0


@pytest.mark.parametrize(
    ("kind", "price", "stop"),
    [(LOSS, 0, 0), (LOSS, 99, 101), (LOSS_LIMIT, 0, 101), (OrderType.LIMIT, 99, 101), (OrderType.MARKET, 0, 101)],
)
def test_prices_must_be_those_of_the_type(kind: OrderType, price: float, stop: float) -> None:
    desk = Desk(RULES)
    assert refusal(desk, BOB, BUY, 1, price, stop, order_type=kind)[0] == -1013
