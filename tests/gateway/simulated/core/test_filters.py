"""Each filter of filters.md: what it lets through and what it refuses, its code and text, that 0 switches it off, its listing."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.filters import ExchangeRules, SymbolRules, exchange_filters_payload, filters_payload
from gateway.simulated.core.orders import OrderType, Status
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, NO_RULES, SELL, Desk, refusal


@dataclass
class Row:
    """With only `rules` on: `passes` and `fails` are quantity and price (0: MARKET) of a BUY, or what `fields` make of it."""

    name: str
    rules: dict[str, int | bool]
    passes: list[tuple[float, float]]
    fails: list[tuple[float, float]]
    fields: dict[str, Any] = field(default_factory=dict)


ROWS = [
    Row("PRICE_FILTER", {"tick_size": SCALE // 2}, [(1, 99.5), (1, 0)], [(1, 99.4), (1, 0.3)]),
    Row("PRICE_FILTER", {"price_min": 90 * SCALE}, [(1, 90)], [(1, 89.99)]),
    Row("PRICE_FILTER", {"price_max": 110 * SCALE}, [(1, 110)], [(1, 110.01)]),
    Row("LOT_SIZE", {"quantity_min": SCALE}, [(1, 100), (1, 0)], [(0.9, 100), (0.9, 0)]),
    Row("LOT_SIZE", {"quantity_max": 2 * SCALE}, [(2, 100), (2, 0)], [(2.1, 100), (2.1, 0)]),
    Row("LOT_SIZE", {"step_size": SCALE // 4}, [(1.25, 100), (0.75, 0)], [(1.2, 100), (0.7, 0)]),
    Row("MARKET_LOT_SIZE", {"market_quantity_max": 2 * SCALE}, [(2, 0), (3, 100)], [(2.1, 0)]),
    Row("MARKET_LOT_SIZE", {"market_quantity_min": SCALE}, [(1, 0), (0.5, 100)], [(0.9, 0)]),
    Row("MARKET_LOT_SIZE", {"market_step_size": SCALE}, [(2, 0), (1.5, 100)], [(1.5, 0)]),
    Row("NOTIONAL", {"notional_min": 50 * SCALE}, [(0.5, 100), (0.5, 0)], [(0.49, 100), (0.49, 0)]),
    Row(
        "NOTIONAL",
        {"notional_min": 50 * SCALE, "notional_min_to_market": False},
        [(0.5, 100), (0.1, 0)],
        [(0.49, 100)],
    ),
    Row("NOTIONAL", {"notional_max": 200 * SCALE}, [(2, 100), (3, 0)], [(2.01, 100)]),
    Row(
        "NOTIONAL",
        {"notional_max": 200 * SCALE, "notional_max_to_market": True},
        [(2, 100), (2, 0)],
        [(2.01, 100), (2.01, 0)],
    ),
    Row("MIN_NOTIONAL", {"plain_notional_min": 50 * SCALE}, [(0.5, 100), (0.5, 0)], [(0.49, 100), (0.49, 0)]),
    Row("PERCENT_PRICE", {"multiplier_up": 13_000, "multiplier_down": 7_000}, [(1, 130), (1, 70)], [(1, 131), (1, 69)]),
    Row("PERCENT_PRICE_BY_SIDE", {"bid_multiplier_up": 12_000}, [(1, 120), (1, 1)], [(1, 120.1)]),
    Row("PERCENT_PRICE_BY_SIDE", {"bid_multiplier_down": 8_000}, [(1, 80), (1, 300)], [(1, 79)]),
    Row("PERCENT_PRICE_BY_SIDE", {"ask_multiplier_up": 12_000}, [(1, 120)], [(1, 121)], {"side": SELL}),
    Row("PERCENT_PRICE_BY_SIDE", {"ask_multiplier_down": 8_000}, [(1, 80)], [(1, 79)], {"side": SELL}),
    Row("MAX_POSITION", {"position_max": 11 * SCALE}, [(1, 100), (1, 0)], [(1.1, 100)]),
    Row(
        "PRICE_FILTER",
        {"tick_size": SCALE // 2},
        [(1, 100)],
        [(1, 100)],
        {"stop": 101.3, "order_type": OrderType.STOP_LOSS_LIMIT},
    ),
]


def traded_at_100(rules: SymbolRules, exchange: ExchangeRules | None = None) -> Desk:
    """The reference price is 100, and there is something on both sides."""
    desk = Desk(NO_RULES, exchange=exchange)
    desk.engine.see_trade("BTCUSDT", 100 * SCALE, SCALE, 1)
    desk.place(BOB, SELL, 5, 400)
    desk.place(BOB, BUY, 1, 99)
    desk.engine.instruments["BTCUSDT"].rules = rules
    return desk


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}-{'-'.join(row.rules)}")
def test_a_filter_alone(row: Row) -> None:
    rules = msgspec.structs.replace(NO_RULES, **row.rules)
    fields = {"side": BUY, **row.fields}
    stop = fields.pop("stop", 0)
    side = fields.pop("side")
    for quantity, price in row.fails:
        desk = traded_at_100(rules)
        assert refusal(desk, ANN, side, quantity, price, stop, **fields) == (-1013, f"Filter failure: {row.name}")
        desk.engine.instruments["BTCUSDT"].rules = NO_RULES
        assert desk.place(ANN, side, quantity, price, stop, **fields).status is not None
    for quantity, price in row.passes:
        desk = traded_at_100(rules)
        desk.place(ANN, side, quantity, price, 101 if stop else 0, **fields)


@pytest.mark.parametrize(("stops", "others"), [(5, 0), (5, 3), (0, 8)])
def test_open_orders_on_a_symbol_are_counted(stops: int, others: int) -> None:
    """Stops count as orders too; a closed one does not; a MARKET order is never one too many."""
    desk = traded_at_100(msgspec.structs.replace(NO_RULES, orders_max=8, algo_orders_max=5))
    stop = {"order_type": OrderType.STOP_LOSS}
    placed = [desk.place(ANN, SELL, 0.1, 500 + n) for n in range(others)]
    placed += [desk.place(ANN, SELL, 0.1, 0, 90 - n, **stop) for n in range(stops)]
    too_many = "MAX_NUM_ORDERS" if stops + others == 8 else "MAX_NUM_ALGO_ORDERS"
    assert refusal(desk, ANN, SELL, 0.1, 0, 50, **stop) == (-1013, f"Filter failure: {too_many}")
    assert desk.place(ANN, SELL, 0.001).status is Status.FILLED
    assert desk.place(BOB, SELL, 0.1, 0, 50, **stop).is_open  # every account is counted by itself
    desk.engine.cancel(placed[-1], "c", desk.now_ns)
    assert desk.place(ANN, SELL, 0.1, 0, 50, **stop).is_open


def test_the_count_of_stops_falls_however_one_ends() -> None:
    """By a trigger and a fill, by a cancel, by expiry: five may wait again afterwards."""
    desk = traded_at_100(msgspec.structs.replace(NO_RULES, algo_orders_max=5))
    kind = {"order_type": OrderType.STOP_LOSS}
    placed = [desk.place(ANN, SELL, 0.1, 0, 90 + n, **kind) for n in range(5)]
    desk.engine.cancel(placed[0], "c", 5)
    desk.engine.expire(placed[1], Status.EXPIRED, 6)
    desk.engine.see_trade("BTCUSDT", 92 * SCALE, SCALE, 7)
    assert [order.is_open for order in placed] == [False] * 5
    for number in range(5):
        desk.place(ANN, SELL, 0.1, 0, 80 + number, **kind)
    assert refusal(desk, ANN, SELL, 0.1, 0, 70, **kind)[1] == "Filter failure: MAX_NUM_ALGO_ORDERS"


@pytest.mark.parametrize(
    ("exchange", "name"),
    [
        (ExchangeRules(orders_max=3), "EXCHANGE_MAX_NUM_ORDERS"),
        (ExchangeRules(algo_orders_max=2), "EXCHANGE_MAX_NUM_ALGO_ORDERS"),
    ],
)
def test_exchange_filters_count_over_all_symbols(exchange: ExchangeRules, name: str) -> None:
    desk = traded_at_100(NO_RULES, exchange)
    desk.open_book(msgspec.structs.replace(NO_RULES, symbol="BTCEUR", quote="EUR"))
    stop = {"order_type": OrderType.STOP_LOSS}
    desk.place(ANN, SELL, 0.1, 0, 90, symbol="BTCEUR", **stop)
    desk.place(ANN, SELL, 0.1, 0, 90, **stop)
    if exchange.orders_max:
        desk.place(ANN, SELL, 0.1, 500)
    assert refusal(desk, ANN, SELL, 0.1, 0, 90, **stop) == (-1013, f"Filter failure: {name}")
    assert refusal(desk, ANN, SELL, 0.1, 0, 90, symbol="BTCEUR", **stop) == (-1013, f"Filter failure: {name}")
    assert exchange_filters_payload(exchange)[0]["filterType"] == name
    assert exchange_filters_payload(ExchangeRules()) == []


def test_a_position_is_what_is_owned_and_what_is_bid_for() -> None:
    desk = traded_at_100(msgspec.structs.replace(NO_RULES, position_max=12 * SCALE))
    desk.place(ANN, SELL, 2, 500)  # what is offered still is owned
    desk.place(ANN, BUY, 1.5, 90)
    assert refusal(desk, ANN, BUY, 0.6, 90) == (-1013, "Filter failure: MAX_POSITION")
    assert desk.place(ANN, BUY, 0.5, 90).is_open
    assert desk.place(ANN, SELL, 5, 500).is_open


@pytest.mark.parametrize("status", ["BREAK", "HALT"])
def test_a_symbol_that_is_not_trading_takes_no_order_and_lets_them_be_canceled(status: str) -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 1, 100)
    desk.engine.instruments["BTCUSDT"].rules = msgspec.structs.replace(NO_RULES, status=status)
    assert refusal(desk, ANN, BUY, 1, 100) == (-1013, "Market is closed.")
    assert desk.engine.cancel(order, "c", 9).status is Status.CANCELED


def test_the_average_price_is_what_prices_are_held_against() -> None:
    """0 minutes mean the last price; otherwise trades of that long, weighted by their quantity."""
    for minutes, highest in ((5, 176), (0, 192)):
        rules = msgspec.structs.replace(NO_RULES, bid_multiplier_up=11_000, average_minutes=minutes)
        desk = Desk(rules)
        for price, quantity, second in ((400, 1, 0), (100, 1, 400), (180, 3, 401)):
            desk.engine.see_trade("BTCUSDT", price * SCALE, quantity * SCALE, second * 10**9)
        desk.now_ns = 402 * 10**9 + (300 * 10**9 if minutes == 0 else 0)
        desk.engine.instruments["BTCUSDT"].average.add(180 * SCALE, 0, desk.now_ns)
        assert desk.place(ANN, BUY, 0.1, highest if minutes else 198).is_open
        assert refusal(desk, ANN, BUY, 0.1, highest + 0.5 if minutes else 198.5)[1].endswith("PERCENT_PRICE_BY_SIDE")


def test_filters_are_listed_in_the_venues_order_and_form() -> None:
    """Names and fields as in filters.md and BTCUSDT's own exchangeInfo."""
    listed = filters_payload(SymbolRules("BTCUSDT", "BTC", "USDT"))
    assert [row["filterType"] for row in listed] == [
        "PRICE_FILTER",
        "LOT_SIZE",
        "ICEBERG_PARTS",
        "MARKET_LOT_SIZE",
        "TRAILING_DELTA",
        "PERCENT_PRICE_BY_SIDE",
        "NOTIONAL",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ORDER_LISTS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
    ]
    assert listed[0] == {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.01000000",
        "maxPrice": "1000000.00000000",
        "tickSize": "0.01000000",
    }
    assert listed[-1] == {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": 10}


def test_every_filter_can_be_listed() -> None:
    rules = SymbolRules(
        "BTCUSDT",
        "BTC",
        "USDT",
        multiplier_up=13_000,
        multiplier_down=7_000,
        plain_notional_min=SCALE,
        iceberg_orders_max=5,
        position_max=SCALE,
    )
    listed = {str(row["filterType"]): row for row in filters_payload(rules)}
    assert listed["PERCENT_PRICE"]["multiplierUp"] == "1.3"
    assert listed["MIN_NOTIONAL"]["minNotional"] == "1.00000000"
    assert listed["MAX_NUM_ICEBERG_ORDERS"]["maxNumIcebergOrders"] == 5
    assert listed["MAX_POSITION"]["maxPosition"] == "1.00000000"


def test_a_position_is_bounded_also_where_the_size_is_said_in_quote() -> None:
    """Bob has 10 BTC; 200 USDT would be 2 more."""
    desk = Desk(msgspec.structs.replace(NO_RULES, position_max=11 * SCALE))
    desk.place(ANN, SELL, 5, 100)
    assert refusal(desk, BOB, BUY, 0, quote_quantity=200 * SCALE) == (-1013, "Filter failure: MAX_POSITION")
    assert desk.place(BOB, BUY, 0, quote_quantity=100 * SCALE).executed == SCALE
