"""Cancel-replace: both modes, every outcome of both halves (rest-api.md, "Cancel an Existing Order and Send a New Order")."""

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import BadRequest, OrderRefused, VenueError, unknown_order
from gateway.simulated.core.orders import ExecutionKind, NewOrder, Order, OrderType, Status
from gateway.simulated.core.replace import Replaced, ReplaceMode, cancel_replace
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, SELL, Desk

STOP, ALLOW = ReplaceMode.STOP_ON_FAILURE, ReplaceMode.ALLOW_FAILURE


def replace(desk: Desk, found: Order | VenueError, request: NewOrder, mode: ReplaceMode) -> Replaced:
    return cancel_replace(desk.engine, found, "cancel-id", request, mode, desk.now_ns)


@pytest.mark.parametrize("mode", ReplaceMode)
def test_both_succeed(mode: ReplaceMode) -> None:
    """The new order is paid with what the canceled one held, and the client id may be the same."""
    desk = Desk()
    old = desk.place(ANN, BUY, 1_000, 100, client_order_id="mine")
    request = desk.request(ANN, BUY, 500, 200, client_order_id="mine")
    done = replace(desk, old, request, mode)
    assert isinstance(done.placed, Order)
    assert (done.canceled, old.status, done.placed.status) == (old, Status.CANCELED, Status.NEW)
    assert [(e.kind, e.client_order_id) for e in desk.reports()] == [
        (ExecutionKind.NEW, "mine"),
        (ExecutionKind.CANCELED, "cancel-id"),
        (ExecutionKind.NEW, "mine"),
    ]


@pytest.mark.parametrize("mode", ReplaceMode)
def test_the_new_one_fails_after_the_cancel_and_is_reported_as_rejected(mode: ReplaceMode) -> None:
    desk = Desk()
    old = desk.place(ANN, BUY, 1, 100)
    desk.place(BOB, SELL, 1, 101)
    desk.reports()
    done = replace(desk, old, desk.request(ANN, BUY, 1, 102, order_type=OrderType.LIMIT_MAKER), mode)
    assert isinstance(done.placed, OrderRefused)
    assert (done.canceled, done.placed.code) == (old, -2010)
    canceled, rejected = desk.reports()
    assert (canceled.kind, rejected.kind, rejected.status) == (
        ExecutionKind.CANCELED,
        ExecutionKind.REJECTED,
        Status.REJECTED,
    )
    assert (rejected.reject_reason, rejected.order.price) == ("WOULD_MATCH_IMMEDIATELY", 102 * SCALE)
    assert desk.engine.registry.find(ANN, "BTCUSDT", rejected.order.order_id, None) is None
    assert desk.locked(ANN, "USDT") == 0


@pytest.mark.parametrize(
    ("price", "stop", "kind", "reason"),
    [
        (200_000, 0, OrderType.LIMIT, "INSUFFICIENT_BALANCES"),
        (102, 99, OrderType.STOP_LOSS_LIMIT, "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY"),
        (100, 0, OrderType.LIMIT, "NONE"),  # a duplicate: the venue has no word for it
    ],
)
def test_reject_reasons(price: float, stop: float, kind: OrderType, reason: str) -> None:
    desk = Desk()
    desk.engine.see_trade("BTCUSDT", 100_000 * SCALE, SCALE, 1)
    desk.engine.instruments["BTCUSDT"].rules = desk.engine.instruments["BTCUSDT"].rules.__class__(
        "BTCUSDT", "BTC", "USDT", bid_multiplier_down=0
    )
    desk.place(ANN, BUY, 1, 90, client_order_id="taken")
    old = desk.place(ANN, BUY, 1, 100)
    request = desk.request(
        ANN, BUY, 1, price, stop, order_type=kind, client_order_id="taken" if reason == "NONE" else "new"
    )
    assert isinstance(replace(desk, old, request, STOP).placed, OrderRefused)
    assert desk.reports()[-1].reject_reason == reason


def test_the_cancel_fails_and_the_new_one_is_not_attempted() -> None:
    desk = Desk()
    old = desk.place(ANN, BUY, 1, 100)
    desk.engine.cancel(old, "c", 9)
    desk.reports()
    done = replace(desk, old, desk.request(ANN, BUY, 1, 100), STOP)
    assert isinstance(done.canceled, OrderRefused)
    assert (done.canceled.code, done.placed, desk.reports()) == (-2011, None, [])


def test_the_cancel_fails_and_the_new_one_is_placed_all_the_same() -> None:
    desk = Desk()
    done = replace(desk, unknown_order(), desk.request(ANN, BUY, 1, 100), ALLOW)
    assert isinstance(done.canceled, VenueError)
    assert isinstance(done.placed, Order)
    assert [e.kind for e in desk.reports()] == [ExecutionKind.NEW]


def test_both_fail() -> None:
    """Nothing was canceled, so nothing is reported as rejected."""
    desk = Desk()
    done = replace(desk, unknown_order(), desk.request(ANN, BUY, 1_001, 100), ALLOW)
    assert (isinstance(done.canceled, VenueError), isinstance(done.placed, VenueError)) == (True, True)
    assert desk.reports() == []


@pytest.mark.parametrize("mode", ReplaceMode)
def test_filters_are_looked_at_before_anything_is_done(mode: ReplaceMode) -> None:
    desk = Desk()
    old = desk.place(ANN, BUY, 1, 100)
    with pytest.raises(BadRequest, match="LOT_SIZE"):
        replace(desk, old, desk.request(ANN, BUY, 0.000001, 100), mode)
    with pytest.raises(BadRequest, match="Invalid symbol"):
        replace(desk, old, desk.request(ANN, BUY, 1, 100, symbol="NONE"), mode)
    assert old.is_open
