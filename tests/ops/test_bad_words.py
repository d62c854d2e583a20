"""Orders that no venue would take and frames that no venue should send, through the whole engine in memory."""

from typing import Any

import pytest

from bus.messages import Alert, ApprovedOrder, OrderCommand, OrderRefused, Refusal, Side, SubmitOrder
from tests.support.house import BTC, START_NS, House

BIDS, ASKS = [["50000.00", "1"]], [["50000.01", "1"]]
TOUCH_TICKS = 5_000_000


@pytest.fixture
def house() -> House:
    """A live book, trading, and nobody who quotes."""
    built = House()
    built.start()
    built.receive(built.depth(1, 5, [], []))
    built.answer_snapshot(5, BIDS, ASKS)
    built.receive(built.depth(6, 7, BIDS, ASKS))
    built.forget()
    return built


def command(**changes: Any) -> OrderCommand:
    fields: dict[str, Any] = {
        "account": 0, "venue": 0, "instrument": 0, "version": 1, "owner": "main", "reduce_only": False, "update_id": 7,
        "received_ns": 0, "expires_ns": START_NS * 2, "command": 900, "side": Side.BUY, "price_ticks": TOUCH_TICKS,
        "quantity_lots": 100, "post_only": True,
    }  # fmt: skip
    return OrderCommand(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"price_ticks": 0}, Refusal.PRICE_FILTER),
        ({"price_ticks": -5}, Refusal.PRICE_FILTER),
        ({"price_ticks": BTC.max_price_ticks + 1}, Refusal.PRICE_FILTER),
        ({"price_ticks": TOUCH_TICKS * 98 // 100}, Refusal.PRICE_COLLAR),
        ({"quantity_lots": 9}, Refusal.MIN_NOTIONAL),  # 0.00009 at 50,000 is 4.50, the venue wants 5
        ({"quantity_lots": 0}, Refusal.QUANTITY_FILTER),
        ({"quantity_lots": -100}, Refusal.QUANTITY_FILTER),
        ({"quantity_lots": 100_001}, Refusal.ORDER_SIZE),
        ({"instrument": 7}, Refusal.UNKNOWN_INSTRUMENT),
        ({"instrument": -1}, Refusal.UNKNOWN_INSTRUMENT),
        ({"version": 2}, Refusal.INSTRUMENT_VERSION),
        ({"expires_ns": 1}, Refusal.EXPIRED),
        ({"reduce_only": True}, Refusal.NOT_REDUCING),
    ],
)
def test_an_order_that_cannot_stand_is_refused_with_its_reason(
    changes: dict[str, Any], refusal: Refusal, house: House
) -> None:
    asked = command(**changes)
    answer = house.actor("risk").receive(asked, house.clock.now_ns())
    assert answer == (OrderRefused(asked.instrument, "main", 900, Side.BUY, refusal),)
    assert house.actor("risk").view()["open_orders"] == house.actor("orders").view()["working"]  # nothing reserved


def test_the_order_between_them_is_let_through(house: House) -> None:
    """Or the table above could pass for the wrong reason."""
    (approved,) = house.actor("risk").receive(command(quantity_lots=10), house.clock.now_ns())
    assert isinstance(approved, ApprovedOrder)


GARBAGE = [
    b"", b"\x00\xff\xfe", b"not json", b"[]", b"null", b'{"stream":1}', b'{"stream":"btcusdt@depth@100ms"}',
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","U":"x"}}',
    b'{"stream":"btcusdt@trade","data":{"e":"trade","p":"not a price"}}', b"{" * 5_000,
]  # fmt: skip


def test_garbage_on_the_market_stream_is_counted_told_and_survived(house: House) -> None:
    before = house.actor("market_data").view()
    for payload in GARBAGE:
        house.receive(payload)
    assert house.host.failures == 0
    told = [message for message in house.asked if isinstance(message, Alert)]
    assert told
    assert all(len(alert.detail) < 1_000 for alert in told)
    assert house.actor("market_data").view() != before
    house.wait(1)
    house.forget()
    now_ms = house.clock.now_ns() // 1_000_000
    trade = {"e": "trade", "E": now_ms, "s": "BTCUSDT", "t": 1, "p": "50000.00", "q": "1", "T": now_ms, "m": True}
    house.receive(house.frame("btcusdt@trade", **trade))
    assert any("strategy" in line for line in house.story()), house.story()  # the next good frame goes its way
    assert house.said(SubmitOrder) == []
