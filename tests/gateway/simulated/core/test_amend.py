"""Order Amend Keep Priority: a smaller quantity in the same place (order_amend_keep_priority.md); and futures' modify."""

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.orders import ExecutionKind, Order, Status, TimeInForce
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, SELL, Desk, levels


def test_it_keeps_its_place_and_its_number() -> None:
    """The document's own example: the second of three in a queue lowers 5.5 to 5."""
    desk = Desk()
    ahead, own, behind = (desk.place(who, BUY, size, 870) for who, size in ((ANN, 1), (BOB, 5.5), (ANN, 4)))
    desk.reports()
    desk.engine.amend(own, 5 * SCALE, "smaller", 9)
    assert levels(desk, BUY) == [(870.0, 10.0)]
    assert next(desk.book.orders(BUY, 1)) == (870 * SCALE, [ahead, own, behind])
    assert desk.engine.queue_ahead(own) == (1, SCALE)
    assert (own.leaves, desk.locked(BOB, "USDT")) == (5 * SCALE, 4_350 * SCALE)
    (report,) = desk.reports()
    assert (report.kind, report.status, report.client_order_id, report.original_client_order_id) == (
        ExecutionKind.REPLACED,
        Status.NEW,
        "smaller",
        "id2",
    )
    assert (report.quantity, report.is_on_book) == (5 * SCALE, True)


def test_the_old_client_id_is_free_again_and_the_new_one_is_taken() -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 2, 100, client_order_id="old")
    desk.engine.amend(order, SCALE, "new", 9)
    find = desk.engine.registry.find
    assert (find(ANN, "BTCUSDT", None, "new"), find(ANN, "BTCUSDT", None, "old")) == (order, None)
    assert find(ANN, "BTCUSDT", order.order_id, "old") is None
    again = desk.place(ANN, BUY, 1, 100, client_order_id="old")
    assert find(ANN, "BTCUSDT", None, "old") is again
    desk.engine.cancel(order, "c", 10)
    assert find(ANN, "BTCUSDT", None, "new") is order


def test_the_present_client_id_may_be_kept() -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 3, 100, client_order_id="mine")
    desk.engine.amend(order, 2 * SCALE, "mine", 9)
    desk.engine.amend(order, SCALE, None, 10)
    assert order.client_order_id == "mine"
    assert [
        (a.original_quantity // SCALE, a.quantity // SCALE, a.client_order_id, a.time_ns)
        for a in desk.engine.registry.amendments(order.order_id)
    ] == [(3, 2, "mine", 9), (2, 1, "mine", 10)]


def test_a_partly_executed_order_is_amended_in_its_whole_quantity() -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 3, 100)
    desk.place(BOB, SELL, 1, 100)
    desk.engine.amend(order, 2 * SCALE, None, 9)
    assert (order.status, order.leaves, levels(desk, BUY)) == (Status.PARTIALLY_FILLED, SCALE, [(100.0, 1.0)])


@pytest.mark.parametrize(
    ("quantity", "client_id", "code", "message"),
    [
        (4, "x", -2038, "Order amend (quantity increase) is not supported."),
        (3, "x", -2038, "The requested action would change no state; rejecting."),
        (1, "x", -2038, "Invalid quantity."),  # that much has been executed
        (2, "other", -2038, "Duplicate order sent."),
        (1.000001, "x", -1013, "Filter failure: LOT_SIZE"),
    ],
)
def test_refusals_change_nothing(quantity: float, client_id: str, code: int, message: str) -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 90, client_order_id="other")
    order = desk.place(ANN, BUY, 3, 100)
    desk.place(BOB, SELL, 1, 100)
    desk.reports()
    assert amend_refused(desk, order, quantity, client_id) == (code, message)
    assert (order.quantity, order.leaves, desk.reports()) == (3 * SCALE, 2 * SCALE, [])


def test_a_notional_too_small_and_a_closed_order() -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 1, 100)
    assert amend_refused(desk, order, 0.04) == (-1013, "Filter failure: NOTIONAL")
    desk.engine.cancel(order, "c", 8)
    assert amend_refused(desk, order, 0.5) == (-2038, "Unknown order sent.")


def test_the_older_notional_filter_counts_too() -> None:
    desk = Desk(SymbolRules("BTCUSDT", "BTC", "USDT", plain_notional_min=50 * SCALE))
    order = desk.place(ANN, BUY, 1, 100)
    assert amend_refused(desk, order, 0.4) == (-1013, "Filter failure: MIN_NOTIONAL")


@pytest.mark.parametrize("most", [10, 0])
def test_an_order_is_amended_ten_times_at_most(most: int) -> None:
    """0 switches the filter off."""
    desk = Desk(SymbolRules("BTCUSDT", "BTC", "USDT", amends_max=most))
    order = desk.place(ANN, BUY, 1, 100)
    for number in range(1, 11):
        desk.engine.amend(order, SCALE - number * SCALE // 100, None, 9)
    if most:
        assert amend_refused(desk, order, 0.5) == (-2038, "Filter failure: MAX_NUM_ORDER_AMENDS")
    else:
        desk.engine.amend(order, SCALE // 2, None, 9)
    assert len(desk.engine.registry.amendments(order.order_id)) == 10 + (not most)


def amend_refused(desk: Desk, order: Order, quantity: float, client_id: str = "x") -> tuple[int, str]:
    with pytest.raises(VenueError) as caught:
        desk.engine.amend(order, round(quantity * SCALE), client_id, 9)
    return caught.value.code, caught.value.message


# ---- modify


def test_a_modified_order_goes_to_the_end_of_its_queue() -> None:
    desk = Desk()
    own, other = desk.place(ANN, BUY, 2, 100), desk.place(BOB, BUY, 1, 101)
    desk.engine.modify(own, 101 * SCALE, 3 * SCALE, 9)
    assert next(desk.book.orders(BUY, 1)) == (101 * SCALE, [other, own])
    assert (desk.locked(ANN, "USDT"), desk.reports()[-1].kind) == (303 * SCALE, ExecutionKind.REPLACED)


def test_a_modified_order_may_take() -> None:
    desk = Desk()
    own = desk.place(ANN, BUY, 2, 100)
    desk.place(BOB, SELL, 1, 105)
    desk.engine.modify(own, 106 * SCALE, 2 * SCALE, 9)
    assert (own.status, own.quote_executed, levels(desk, BUY)) == (
        Status.PARTIALLY_FILLED,
        105 * SCALE,
        [(106.0, 1.0)],
    )


def test_a_post_only_order_modified_into_the_book_expires() -> None:
    desk = Desk()
    own = desk.place(ANN, BUY, 2, 100, time_in_force=TimeInForce.GTX)
    desk.place(BOB, SELL, 1, 105)
    desk.engine.modify(own, 106 * SCALE, 2 * SCALE, 9)
    assert (own.status, own.executed, desk.locked(ANN, "USDT")) == (Status.EXPIRED, 0, 0)


@pytest.mark.parametrize(("price", "quantity"), [(100, 1_001), (100, 1), (0, 3)])
def test_a_refused_modification_leaves_the_order_in_its_place(price: float, quantity: float) -> None:
    """Too dear, no more than has been executed, no price."""
    desk = Desk()
    own, behind = desk.place(ANN, BUY, 2, 100), desk.place(BOB, BUY, 1, 100)
    desk.place(BOB, SELL, 1, 100)
    before = (own.price, own.quantity, own.locked, desk.locked(ANN, "USDT"))
    with pytest.raises(VenueError):
        desk.engine.modify(own, round(price * SCALE), round(quantity * SCALE), 9)
    assert (own.price, own.quantity, own.locked, desk.locked(ANN, "USDT")) == before
    assert next(desk.book.orders(BUY, 1))[1] == [own, behind]
