"""What the book shows: levels, queues, places in them, batches; what the registry keeps of orders that are gone."""

import pytest

from gateway.simulated.core import registry
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.orders import BACKGROUND, ExecutionKind, ExpiryReason, Side, Status, TimeInForce
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, SELL, Desk, levels

DEEP = (7, 3, 9, 1, 5, 8, 2, 6, 4)


@pytest.mark.parametrize(("side", "wanted"), [(BUY, sorted(DEEP, reverse=True)), (SELL, sorted(DEEP))])
def test_levels_are_best_first_however_they_came_and_went(side: Side, wanted: list[int]) -> None:
    desk = Desk()
    orders = {price: desk.place(ANN, side, 1, 90 + price) for price in DEEP}
    assert [price - 90 for price, _ in levels(desk, side)] == wanted
    for gone in (4, 9, 1):
        desk.engine.cancel(orders[gone], "c", 99)
        wanted.remove(gone)
        assert [price - 90 for price, _ in levels(desk, side)] == wanted
        assert desk.book.best(side) == (90 + wanted[0]) * SCALE
        assert [price for price, _ in desk.book.from_worst(side)] == [
            (90 + price) * SCALE for price in reversed(wanted)
        ]
        assert desk.book.level_count(side) == len(wanted)
    assert len(desk.book.depth(4)[1 if side is BUY else 2]) == 4


def test_queues_are_in_time_order_and_know_what_is_ahead() -> None:
    desk = Desk()
    orders = [desk.place(who, SELL, size, 100) for who, size in ((ANN, 1), (BOB, 2), (ANN, 3))]
    deeper = desk.place(BOB, SELL, 1, 101)
    assert list(desk.book.orders(SELL, 1)) == [(100 * SCALE, orders)]
    assert [desk.engine.queue_ahead(order) for order in (*orders, deeper)] == [
        (0, 0),
        (1, SCALE),
        (2, 3 * SCALE),
        (0, 0),
    ]
    desk.place(BOB, BUY, 1.5, 100)
    assert desk.engine.queue_ahead(orders[2]) == (1, round(1.5 * SCALE))
    assert desk.engine.queue_ahead(orders[0]) == (0, 0)  # it is filled


def test_top_and_middle_of_an_empty_and_a_half_empty_book() -> None:
    desk = Desk()
    assert (desk.book.middle(), desk.book.best(BUY), list(desk.book.from_worst(SELL))) == (None, None, [])
    desk.place(ANN, BUY, 2, 100)
    top = desk.book.top()
    assert (top.bid_price, top.bid_quantity, top.ask_price, top.ask_quantity) == (100 * SCALE, 2 * SCALE, 0, 0)
    assert desk.book.middle() is None


@pytest.mark.parametrize(
    ("time_in_force", "reason"),
    [
        (TimeInForce.IOC, ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED),
        (TimeInForce.FOK, ExpiryReason.UNFILLED_FOK_ORDER_EXPIRED),
        (TimeInForce.GTC, ExpiryReason.INSUFFICIENT_LIQUIDITY),
    ],
)
def test_an_order_that_may_not_rest_says_why_it_expired(time_in_force: TimeInForce, reason: ExpiryReason) -> None:
    """GTC is the one of a MARKET order."""
    desk = Desk()
    price = 0 if time_in_force is TimeInForce.GTC else 100
    order = desk.place(ANN, SELL, 1, price, time_in_force=time_in_force)
    new, expired = desk.reports()
    assert (order.status, expired.kind, expired.expiry_reason) == (Status.EXPIRED, ExecutionKind.EXPIRED, reason)
    assert (new.is_on_book, new.working_ns, expired.is_on_book) == (True, 1, False)


@pytest.mark.parametrize(("price", "status"), [(100, Status.EXPIRED), (99.99, Status.NEW)])
def test_post_only_on_futures_is_accepted_and_expires_where_it_would_take(price: float, status: Status) -> None:
    desk = Desk()
    desk.place(ANN, SELL, 1, 100)
    order = desk.place(BOB, BUY, 1, price, time_in_force=TimeInForce.GTX)
    assert (order.status, order.executed) == (status, 0)


def test_closed_orders_are_forgotten_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, by client id, in the history; what is still open is not."""
    monkeypatch.setattr(registry, "CLOSED_ORDERS_MAX", 3)
    desk = Desk()
    kept = desk.place(ANN, BUY, 1, 90, client_order_id="kept")
    gone = [desk.place(ANN, BUY, 1, 100, client_order_id=f"gone{n}") for n in range(5)]
    desk.engine.amend(gone[0], SCALE // 2, "renamed", 8)
    for order in gone:
        desk.engine.cancel(order, "c", 9)
    known = desk.engine.registry
    assert known.all_orders(ANN, "BTCUSDT") == [kept, *gone[2:]]
    assert [known.find(ANN, "BTCUSDT", None, name) for name in ("gone0", "renamed", "gone1", "gone2", "kept")] == [
        None,
        None,
        None,
        gone[2],
        kept,
    ]
    assert (known.find(ANN, "BTCUSDT", gone[0].order_id, None), known.amendments(gone[0].order_id)) == (None, [])
    assert set(known.orders) == {order.order_id for order in (kept, *gone[2:])}


def test_questions_about_what_nobody_knows_leave_nothing_behind() -> None:
    desk = Desk()
    known = desk.engine.registry
    for symbol in ("NONE", "", "BTCUSDT"):
        assert known.find(BOB, symbol, 1, None) is None
        assert known.find(BOB, symbol, None, "x") is None
        assert known.all_orders(BOB, symbol) == known.open_orders(BOB, symbol) == []
        assert not known.is_open_client_id(BOB, symbol, "x")
    assert known.sections(BOB) == []


def test_the_crowds_orders_are_in_the_book_and_nowhere_else() -> None:
    desk = Desk()
    order = desk.place(BACKGROUND, SELL, 1, 100)
    desk.engine.ledger.deposit(BACKGROUND, "BTC", SCALE)
    desk.place(ANN, BUY, 0.4, 100)
    assert levels(desk, SELL) == [(100.0, 0.6)]
    assert {e.order.account for e in desk.reports()} == {ANN}
    assert desk.engine.registry.client_orders() == []
    desk.engine.cancel(order, "", 9)
    assert (order.status, levels(desk, SELL)) == (Status.CANCELED, [])
