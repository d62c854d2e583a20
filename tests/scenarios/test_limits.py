"""Limits under what may happen next: both sides may fill, both may be canceled, and ours never meet each other."""

from bus.messages import OrderRefused, Refusal
from tests.support.house import CONFIG
from tests.support.stage import Stage

TIGHT = CONFIG.replace('position_max = "2"', 'position_max = "0.00250000"').replace(
    'position_min = "-2"', 'position_min = "-0.00250000"'
)
"""250 lots each way; the strategy would go to 1,000 in quotes of 100."""


def refill(stage: Stage) -> str:
    """The book ticks until there is a new order; it is accepted. "" when none comes."""
    before = len(stage.submits())
    for _ in range(30):
        stage.tick()
        for order in stage.submits()[before:]:
            stage.accept(order)
            return order
    return ""


def test_fills_on_one_side_stop_at_the_position_limit() -> None:
    """Two buys fit into 250 lots; the third would make a worst case of 300 and is refused, whatever is wished."""
    stage = Stage(TIGHT)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.fill(stage.bid)
    second = refill(stage)
    stage.fill(second)
    assert refill(stage) == ""
    assert stage.position() == 200
    assert Refusal.POSITION in {refused.reason for refused in stage.house.said(OrderRefused)}
    assert stage.reserved() == (200, 100)


def test_both_sides_filling_keeps_the_worst_case_inside_the_limit() -> None:
    stage = Stage(TIGHT)
    bid, ask = stage.bid, stage.ask
    stage.accept(bid)
    stage.accept(ask)
    for _ in range(12):
        stage.fill(bid)
        long, short = stage.reserved()
        assert -250 <= short <= long <= 250
        stage.fill(ask)
        long, short = stage.reserved()
        assert -250 <= short <= long <= 250
        stage.tick()
        bid, ask = stage.submits()[-2:]
        stage.accept(bid)
        stage.accept(ask)
    assert stage.position() == 0
    assert len(stage.fills()) == 24


def test_a_partly_filled_order_reserves_its_rest() -> None:
    stage = Stage(TIGHT)
    stage.accept(stage.bid)
    stage.fill(stage.bid, "0.00040000")
    assert stage.reserved() == (100, -60)


def test_own_orders_never_cross_when_the_touch_jumps_over_them() -> None:
    """The market falls through our bid: the new ask may not go while the old bid above it might still work."""
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.move("59990.00", "59999.90")
    assert own_prices(stage) == []
    assert sent(stage) == [("BUY", "60000.0"), ("SELL", "60000.1"), ("BUY", "59990.0")]
    stage.answer_cancel(stage.bid)
    stage.canceled(stage.bid)
    assert own_prices(stage) == []
    assert sent(stage)[3:] == [("SELL", "59999.9")]


def sent(stage: Stage) -> list[tuple[str, str]]:
    return [(row["side"], str(float(row["price"]))) for row in stage.all_submits]


def own_prices(stage: Stage) -> list[tuple[str, str]]:
    """Pairs of ours that would meet: a working bid at or above a working ask, or one that is on its way."""
    open_orders = stage.house.actor("orders").desk.register.open.values()
    bids = [order for order in open_orders if order.side > 0]
    asks = [order for order in open_orders if order.side < 0]
    return [
        (bid.client_order_id, ask.client_order_id) for bid in bids for ask in asks if bid.price_ticks >= ask.price_ticks
    ]
