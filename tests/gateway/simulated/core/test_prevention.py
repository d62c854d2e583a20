"""Self-trade prevention: the scenarios of stp_faq.md ("STP Examples"), trade groups, what is kept of it."""

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.orders import (
    AccountId,
    ExecutionKind,
    Order,
    OrderType,
    SelfTradePrevention,
    Status,
    TimeInForce,
)
from gateway.simulated.core.registry import PREVENTED_MAX
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, NO_RULES, RULES, SELL, Desk, levels, refusal

NONE, TAKER, MAKER, BOTH, DECREMENT = SelfTradePrevention


def states(*orders: Order) -> list[tuple[Status, float, float]]:
    """Status, executed and prevented quantity of each."""
    return [(order.status, order.executed / SCALE, order.prevented / SCALE) for order in orders]


def prevented(desk: Desk, account: AccountId = ANN) -> list[tuple[int, int, int, float, float, float]]:
    """Match id, taker, maker, price, what the taker lost, what the maker lost."""
    return [
        (
            m.match_id,
            m.taker_order_id,
            m.maker_order_id,
            m.price / SCALE,
            m.taker_prevented / SCALE,
            m.maker_prevented / SCALE,
        )
        for m in desk.engine.registry.prevented(account, "BTCUSDT")
    ]


def three_bids(desk: Desk) -> list[Order]:
    """The makers of scenarios B and C, at a hundred times their prices (a notional must be 5)."""
    return [desk.place(ANN, BUY, quantity, price) for quantity, price in ((1.2, 120), (1.3, 110), (8.1, 100))]


def test_scenario_a_without_a_mode_they_trade() -> None:
    desk = Desk()
    maker = desk.place(ANN, BUY, 1, 100)
    taker = desk.place(ANN, SELL, 1, 100)
    assert states(maker, taker) == [(Status.FILLED, 1, 0), (Status.FILLED, 1, 0)]
    assert prevented(desk) == []


def test_scenario_b_expire_maker_clears_the_way() -> None:
    desk = Desk()
    makers = three_bids(desk)
    taker = desk.place(ANN, SELL, 3, 100, prevention=MAKER)
    assert states(*makers) == [(Status.EXPIRED_IN_MATCH, 0, quantity) for quantity in (1.2, 1.3, 8.1)]
    assert states(taker) == [(Status.NEW, 0, 0)]
    assert [maker.prevented_match_id for maker in makers] == [0, 1, 2]
    assert prevented(desk) == [(0, 4, 1, 120, 0, 1.2), (1, 4, 2, 110, 0, 1.3), (2, 4, 3, 100, 0, 8.1)]
    assert (levels(desk, BUY), levels(desk, SELL)) == ([], [(100.0, 3.0)])


def test_scenario_c_expire_taker_leaves_the_book() -> None:
    desk = Desk()
    makers = three_bids(desk)
    taker = desk.place(ANN, SELL, 3, 100, prevention=TAKER)
    assert states(taker, *makers) == [(Status.EXPIRED_IN_MATCH, 0, 3), *[(Status.NEW, 0, 0)] * 3]
    assert prevented(desk) == [(0, 4, 1, 120, 3, 0)]


def test_scenario_d_expire_both() -> None:
    desk = Desk()
    maker = desk.place(ANN, BUY, 1, 100)
    taker = desk.place(ANN, SELL, 3, 100, prevention=BOTH)
    assert states(maker, taker) == [(Status.EXPIRED_IN_MATCH, 0, 1), (Status.EXPIRED_IN_MATCH, 0, 3)]
    assert prevented(desk) == [(0, 2, 1, 100, 3, 1)]
    reports = [e for e in desk.reports() if e.kind is ExecutionKind.TRADE_PREVENTION]
    told = [
        (e.order, e.prevented_total, e.prevented.counter_of(e.order.order_id), e.is_on_book)
        for e in reports
        if e.prevented
    ]
    assert told == [(maker, SCALE, 2, False), (taker, 3 * SCALE, 1, False)]
    assert reports[0].prevented is reports[1].prevented
    assert reports[0].prevented is not None
    assert reports[0].prevented.quantity == SCALE  # what would have traded


def test_scenario_f_a_market_order_finds_nothing_but_its_own() -> None:
    desk = Desk()
    maker = desk.place(ANN, BUY, 1, 100)
    taker = desk.place(ANN, SELL, 1, prevention=MAKER)
    assert states(maker, taker) == [(Status.EXPIRED_IN_MATCH, 0, 1), (Status.EXPIRED, 0, 0)]


def test_scenario_g_decrement_takes_as_much_off_both() -> None:
    desk = Desk()
    maker = desk.place(ANN, BUY, 6, 200)
    taker = desk.place(ANN, SELL, 2, 200, prevention=DECREMENT)
    assert states(maker, taker) == [(Status.NEW, 0, 2), (Status.EXPIRED_IN_MATCH, 0, 2)]
    assert maker.prevented_match_id == taker.prevented_match_id == 0
    assert (levels(desk, BUY), desk.locked(ANN, "USDT")) == ([(200.0, 4.0)], 800 * SCALE)
    told = [(e.order, e.status, e.is_on_book) for e in desk.reports() if e.kind is ExecutionKind.TRADE_PREVENTION]
    assert told == [(maker, Status.NEW, True), (taker, Status.EXPIRED_IN_MATCH, False)]
    desk.place(BOB, SELL, 4, 200)
    assert states(maker) == [(Status.FILLED, 4, 2)]  # nothing is left of it


@pytest.mark.parametrize(
    ("maker_quantity", "maker_state", "taker_state"),
    [
        (1, (Status.EXPIRED_IN_MATCH, 0, 1), (Status.NEW, 0, 1)),
        (2, (Status.EXPIRED_IN_MATCH, 0, 2), (Status.EXPIRED_IN_MATCH, 0, 2)),
        (3, (Status.NEW, 0, 2), (Status.EXPIRED_IN_MATCH, 0, 2)),
    ],
)
def test_decrement_expires_the_smaller_or_both(
    maker_quantity: int, maker_state: tuple[Status, float, float], taker_state: tuple[Status, float, float]
) -> None:
    desk = Desk()
    maker = desk.place(ANN, BUY, maker_quantity, 100)
    taker = desk.place(ANN, SELL, 2, 100, prevention=DECREMENT)
    assert states(maker, taker) == [maker_state, taker_state]
    assert desk.engine.ledger.imbalances() == {}


def test_others_in_the_queue_are_traded_with_as_they_come() -> None:
    """Bob's stands before Ann's, whose own expires; the third of the queue is Bob's again."""
    desk = Desk()
    first, own, third = (desk.place(who, BUY, 1, 100) for who in (BOB, ANN, BOB))
    taker = desk.place(ANN, SELL, 2, 100, prevention=MAKER)
    assert states(first, own, third, taker) == [
        (Status.FILLED, 1, 0),
        (Status.EXPIRED_IN_MATCH, 0, 1),
        (Status.FILLED, 1, 0),
        (Status.FILLED, 2, 0),
    ]


def test_a_partly_executed_order_loses_only_its_leaves() -> None:
    desk = Desk()
    maker = desk.place(ANN, BUY, 3, 100)
    desk.place(BOB, SELL, 1, 100)
    desk.place(ANN, SELL, 1, 100, prevention=BOTH)
    assert states(maker) == [(Status.EXPIRED_IN_MATCH, 1, 2)]
    assert desk.locked(ANN, "USDT") == 0


def test_the_makers_mode_does_not_matter() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 100, prevention=BOTH)
    assert desk.place(ANN, SELL, 1, 100).status is Status.FILLED


def test_a_trade_group_is_kept_apart_as_one_account_is() -> None:
    desk = Desk(group=7)
    maker = desk.place(ANN, BUY, 1, 100)
    taker = desk.place(BOB, SELL, 1, 100, prevention=MAKER)
    assert states(maker, taker) == [(Status.EXPIRED_IN_MATCH, 0, 1), (Status.NEW, 0, 0)]
    assert prevented(desk, ANN) == prevented(desk, BOB) == [(0, 2, 1, 100, 0, 1)]
    assert desk.engine.registry.prevented(ANN, "BTCUSDT")[0].trade_group == desk.engine.trade_group(ANN) == 7


def test_accounts_without_a_group_trade() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 100, prevention=BOTH)
    assert desk.place(BOB, SELL, 1, 100, prevention=BOTH).status is Status.FILLED
    assert desk.engine.trade_group(ANN) == -1


@pytest.mark.parametrize(
    ("mode", "status"), [(NONE, Status.FILLED), (MAKER, Status.FILLED), (TAKER, Status.EXPIRED), (BOTH, Status.EXPIRED)]
)
def test_fill_or_kill_counts_own_orders_as_its_mode_treats_them(mode: SelfTradePrevention, status: Status) -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 100)
    desk.place(BOB, BUY, 2, 100)
    assert desk.place(ANN, SELL, 2, 100, time_in_force=TimeInForce.FOK, prevention=mode).status is status


def test_what_is_kept_of_prevented_matches_is_bounded() -> None:
    desk = Desk(RULES)
    for _ in range(PREVENTED_MAX + 3):
        desk.place(ANN, BUY, 1, 100)
        desk.place(ANN, SELL, 1, 100, prevention=BOTH)
        desk.reports()
    rows = prevented(desk)
    assert (len(rows), rows[0][0]) == (PREVENTED_MAX, 3)
    assert desk.engine.registry.prevented(ANN, "ETHUSDT") == []


def test_expired_in_match_out_of_the_blue_is_told_as_a_match_with_a_stranger() -> None:
    desk = Desk()
    order = desk.place(ANN, BUY, 2, 100, order_type=OrderType.LIMIT)
    desk.place(BOB, SELL, 1, 100)
    desk.reports()
    desk.engine.expire(order, Status.EXPIRED_IN_MATCH, 9)
    (report,) = desk.reports()
    assert states(order) == [(Status.EXPIRED_IN_MATCH, 1, 1)]
    assert (report.kind, report.prevented_total) == (ExecutionKind.TRADE_PREVENTION, SCALE)
    assert report.prevented is not None
    stranger = report.prevented.counter_of(order.order_id)
    assert stranger not in {o.order_id for who in (ANN, BOB) for o in desk.engine.registry.all_orders(who, "BTCUSDT")}
    assert desk.place(BOB, SELL, 1, 100).order_id > stranger
    assert desk.locked(ANN, "USDT") == 0


@pytest.mark.parametrize("kind", [OrderType.MARKET, OrderType.STOP_LOSS])
def test_what_expires_pays_for_nothing(kind: OrderType) -> None:
    """Goal: a MARKET order and a stop are measured by what they would take, not by own orders that make way.

    Method: own offers near and a stranger's far away; there is money for the near ones alone. Nothing may change but what a
    refusal, or a stop that cannot be paid, changes.
    """
    desk = Desk(NO_RULES)
    desk.trade_at(99)
    for price in (100, 101):
        desk.place(BOB, SELL, 1, price)
    desk.place(ANN, SELL, 5, 900)
    desk.engine.ledger.deposit(BOB, "USDT", 1_500 * SCALE - desk.free(BOB, "USDT"))
    if kind is OrderType.MARKET:
        told = refusal(desk, BOB, BUY, 3, prevention=MAKER)
        assert told == (-2010, "Account has insufficient balance for requested action.")
    else:
        stop = desk.place(BOB, BUY, 3, 0, 100, order_type=kind, prevention=MAKER)
        desk.engine.see_trade("BTCUSDT", 100 * SCALE, SCALE, 9)
        assert (stop.status, stop.executed, stop.locked) == (Status.EXPIRED, 0, 0)
    assert levels(desk, SELL) == [(100.0, 1.0), (101.0, 1.0), (900.0, 5.0)]
    assert (desk.free(BOB, "USDT"), desk.engine.ledger.imbalances()) == (1_500 * SCALE, {})
