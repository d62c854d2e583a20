"""Price-time matching, what orders hold and pay, refusals: one rule a test."""

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.orders import (
    FEES,
    ExecutionKind,
    OrderType,
    Side,
    Status,
    TimeInForce,
)
from gateway.simulated.core.settlement import FeeRates
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, SELL, Desk, levels, refusal


def test_better_price_first_then_earlier_order() -> None:
    desk = Desk()
    late, early, better = (
        desk.place(ANN, SELL, 1, 101),
        desk.place(ANN, SELL, 1, 101),
        desk.place(ANN, SELL, 1, 100.5),
    )
    taker = desk.place(BOB, BUY, 2.5, 102)
    assert (better.status, late.status, early.status) == (Status.FILLED, Status.FILLED, Status.PARTIALLY_FILLED)
    assert (taker.status, taker.quote_executed) == (Status.FILLED, round((100.5 + 101 + 50.5) * SCALE))
    assert levels(desk, SELL) == [(101.0, 0.5)]


def test_fee_is_taken_from_what_each_side_receives() -> None:
    desk = Desk()
    desk.place(ANN, SELL, 2, 100)
    desk.place(BOB, BUY, 2, 100)
    assert desk.free(BOB, "BTC") == 12 * SCALE - 2 * SCALE * 2_000 // 1_000_000  # taker, buys base
    assert desk.free(ANN, "USDT") == 100_200 * SCALE - 200 * SCALE * 1_000 // 1_000_000  # maker, receives quote
    assert desk.engine.ledger.free[FEES] == {"BTC": 400_000, "USDT": 20_000_000}
    assert desk.engine.ledger.imbalances() == {}


def test_fee_is_rounded_down() -> None:
    rules = SymbolRules("BTCUSDT", "BTC", "USDT", step_size=1, quantity_min=1, notional_min=0)
    desk = Desk(rules)
    desk.place(ANN, SELL, 999 / SCALE, 100)
    desk.place(BOB, BUY, 999 / SCALE, 100)
    assert desk.engine.ledger.free[FEES]["BTC"] == 1  # 999 * 0.2 % = 1.998


def test_a_taker_pays_the_makers_price_and_gets_the_rest_back() -> None:
    desk = Desk(fees=FeeRates(0, 0))
    desk.place(ANN, SELL, 1, 100)
    desk.place(BOB, BUY, 1, 150)
    assert desk.free(BOB, "USDT") == 99_900 * SCALE
    assert desk.engine.ledger.locked[BOB]["USDT"] == 0


@pytest.mark.parametrize(
    ("time_in_force", "status", "executed", "resting"),
    [
        (TimeInForce.GTC, Status.PARTIALLY_FILLED, 1, [(100.0, 2.0)]),
        (TimeInForce.IOC, Status.EXPIRED, 1, []),
        (TimeInForce.FOK, Status.EXPIRED, 0, []),
    ],
)
def test_time_in_force_of_a_half_fillable_order(
    time_in_force: TimeInForce, status: Status, executed: int, resting: list[tuple[float, float]]
) -> None:
    desk = Desk()
    desk.place(ANN, SELL, 1, 100)
    order = desk.place(BOB, BUY, 3, 100, time_in_force=time_in_force)
    assert (order.status, order.executed, levels(desk, BUY)) == (status, executed * SCALE, resting)


def test_fill_or_kill_takes_several_levels_when_they_suffice() -> None:
    desk = Desk()
    desk.place(ANN, SELL, 1, 100)
    desk.place(ANN, SELL, 2, 101)
    assert desk.place(BOB, BUY, 3, 101, time_in_force=TimeInForce.FOK).status is Status.FILLED


def test_a_market_order_takes_what_there_is_and_expires() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 100)
    order = desk.place(BOB, SELL, 3)
    assert (order.status, order.executed) == (Status.EXPIRED, SCALE)
    assert desk.engine.ledger.locked[BOB]["BTC"] == 0


def test_cancel_releases_what_was_locked_and_reports_both_client_ids() -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 1, 100, client_order_id="mine")
    desk.engine.drain()
    desk.engine.cancel(order, "my-cancel", 9)
    executions, _, touched = desk.engine.drain()
    report = executions[0]
    assert (report.kind, report.client_order_id, report.original_client_order_id) == (
        ExecutionKind.CANCELED,
        "my-cancel",
        "mine",
    )
    assert (desk.free(ANN, "USDT"), touched) == (100_000 * SCALE, {ANN: {"USDT": None}})
    with pytest.raises(VenueError, match="Unknown order sent"):
        desk.engine.cancel(order, "again", 10)


def test_each_changed_level_is_one_update_id() -> None:
    desk = Desk()
    start = desk.book.update_id
    desk.place(ANN, SELL, 1, 100)
    desk.place(ANN, SELL, 1, 101)
    desk.place(BOB, BUY, 3, 101)  # empties two levels, rests one
    assert desk.book.update_id == start + 5
    assert desk.book.batches[0].bids == {101 * SCALE: SCALE}
    assert desk.book.batches[0].asks == {100 * SCALE: 0, 101 * SCALE: 0}


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((ANN, BUY, 1, 100.005), -1013, "Filter failure: PRICE_FILTER"),
        ((ANN, BUY, 1, 2_000_000), -1013, "Filter failure: PRICE_FILTER"),
        ((ANN, BUY, 0.000001, 100), -1013, "Filter failure: LOT_SIZE"),
        ((ANN, BUY, 9_001, 100), -1013, "Filter failure: LOT_SIZE"),
        ((ANN, BUY, 101), -1013, "Filter failure: MARKET_LOT_SIZE"),
        ((ANN, BUY, 0.01, 100), -1013, "Filter failure: NOTIONAL"),
        ((ANN, BUY, 9_000, 1_001), -1013, "Filter failure: NOTIONAL"),
        ((ANN, BUY, 0, 100), -1013, "Invalid quantity."),
        ((ANN, BUY, 1_001, 100), -2010, "Account has insufficient balance for requested action."),
        ((ANN, SELL, 11, 100), -2010, "Account has insufficient balance for requested action."),
    ],
)
def test_refusals_on_an_empty_book(args: tuple[object, ...], code: int, message: str) -> None:
    desk = Desk()
    assert refusal(desk, *args) == (code, message)
    assert desk.engine.drain() == ([], [], {})


@pytest.mark.parametrize(
    ("side", "price", "ok"), [(BUY, 19.9, False), (BUY, 20, True), (SELL, 500, True), (SELL, 500.1, False)]
)
def test_percent_price_by_side_around_the_middle(side: Side, price: float, ok: bool) -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 99)
    desk.place(ANN, SELL, 1, 101)
    if ok:
        assert desk.place(BOB, side, 1, price).status is not Status.EXPIRED
    else:
        assert refusal(desk, BOB, side, 1, price) == (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")


def test_a_market_buy_must_be_paid_from_what_is_free() -> None:
    desk = Desk()
    desk.engine.ledger.deposit(ANN, "BTC", 2_000 * SCALE)
    desk.place(ANN, SELL, 90, 1_200)
    assert refusal(desk, BOB, BUY, 84)[0] == -2010
    assert desk.place(BOB, BUY, 83).status is Status.FILLED


def test_other_refusals() -> None:
    desk = Desk(SymbolRules("BTCUSDT", "BTC", "USDT", orders_max=2))
    desk.place(ANN, SELL, 1, 100, client_order_id="a")
    assert refusal(desk, BOB, BUY, 1, 100, order_type=OrderType.LIMIT_MAKER) == (
        -2010,
        "Order would immediately match and take.",
    )
    assert refusal(desk, ANN, SELL, 1, 100, client_order_id="a") == (-2010, "Duplicate order sent.")
    desk.place(ANN, SELL, 1, 100, client_order_id="b")
    assert refusal(desk, ANN, SELL, 1, 100) == (-1013, "Filter failure: MAX_NUM_ORDERS")
    assert desk.place(BOB, BUY, 1, 99.99, order_type=OrderType.LIMIT_MAKER).status is Status.NEW


def test_a_client_id_may_be_used_again_once_its_order_is_closed() -> None:
    desk = Desk()
    first = desk.place(ANN, BUY, 1, 100, client_order_id="a")
    desk.engine.cancel(first, "x", 9)
    second = desk.place(ANN, BUY, 1, 100, client_order_id="a")
    assert desk.engine.registry.find(ANN, "BTCUSDT", None, "a") is second
    assert desk.engine.registry.find(ANN, "BTCUSDT", first.order_id, None) is first
    assert desk.engine.registry.find(BOB, "BTCUSDT", first.order_id, None) is None
