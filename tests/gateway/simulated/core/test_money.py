"""The ledger and its log; fees in the received asset and in a discount asset; orders by quote quantity."""

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.ledger import Ledger, Reason
from gateway.simulated.core.orders import BACKGROUND, FEES, AccountId, OrderType, SelfTradePrevention, Status
from gateway.simulated.core.settlement import FeeRates
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, RULES, SELL, Desk, refusal

WITH_BNB = FeeRates(1_000, 2_000, discount_asset="BNB")
BNB_RULES = SymbolRules("BNBUSDT", "BNB", "USDT")


def test_entries_tell_whole_a_fill_of_two_orders() -> None:
    """Lock, release, payment, fee: with the order, the trade and the time of each."""
    desk = Desk()
    desk.place(ANN, SELL, 1, 100)
    first = desk.engine.ledger.entries.next_number
    desk.place(BOB, BUY, 1, 101)
    rows = desk.engine.ledger.entries.rows(first, 100)
    assert [(e.account, e.asset, e.free, e.locked, e.reason, e.order_id, e.trade_id) for e in rows] == [
        (BOB, "USDT", -101 * SCALE, 101 * SCALE, Reason.LOCK, 2, 0),
        (ANN, "BTC", SCALE, -SCALE, Reason.RELEASE, 1, 0),
        (BOB, "USDT", 101 * SCALE, -101 * SCALE, Reason.RELEASE, 2, 0),
        (BOB, "USDT", -100 * SCALE, 0, Reason.TRADE, 2, 1),
        (ANN, "USDT", 100 * SCALE, 0, Reason.TRADE, 1, 1),
        (ANN, "BTC", -SCALE, 0, Reason.TRADE, 1, 1),
        (BOB, "BTC", SCALE, 0, Reason.TRADE, 2, 1),
        (ANN, "USDT", -SCALE // 10, 0, Reason.FEE, 1, 1),
        (FEES, "USDT", SCALE // 10, 0, Reason.FEE, 1, 1),
        (BOB, "BTC", -SCALE // 500, 0, Reason.FEE, 2, 1),
        (FEES, "BTC", SCALE // 500, 0, Reason.FEE, 2, 1),
    ]
    assert {e.time_ns for e in rows} == {2}
    assert [e.number for e in rows] == list(range(first, first + 11))


def test_the_log_is_bounded_and_may_be_off() -> None:
    kept, off = Ledger(3), Ledger()
    for ledger in (kept, off):
        ledger.open(ANN)
        for amount in range(1, 6):
            ledger.deposit(ANN, "BTC", amount)
    assert [(e.number, e.free) for e in kept.entries.rows(0, 10)] == [(2, 3), (3, 4), (4, 5)]
    assert (kept.entries.first_number, kept.entries.next_number) == (2, 5)
    assert (off.entries.rows(0, 10), off.entries.next_number) == ([], 0)


def test_the_crowds_own_changes_are_not_logged_but_add_up() -> None:
    desk = Desk()
    desk.engine.ledger.deposit(BACKGROUND, "USDT", 10**6 * SCALE)
    desk.place(BACKGROUND, BUY, 1, 100)
    desk.place(ANN, SELL, 1, 100)
    assert BACKGROUND not in {e.account for e in desk.engine.ledger.entries.rows(0, 1_000)}
    assert desk.engine.ledger.imbalances() == {}


def test_a_wallet_that_may_owe_goes_below_zero_and_still_adds_up() -> None:
    ledger = Ledger(10, may_owe=True)
    for account in (ANN, BOB):
        ledger.open(account)
    ledger.deposit(ANN, "USDT", 5)
    ledger.pay(ANN, BOB, "USDT", 8, Reason.PROFIT)
    ledger.pay(ANN, BOB, "USDT", -2, Reason.FUNDING)
    assert (ledger.free[ANN]["USDT"], ledger.free[BOB]["USDT"], ledger.imbalances()) == (-1, 6, {})


# ---- fees in another asset


def discounted(bnb: float = 10) -> Desk:
    """Bob pays in BNB, which was last sold at 200 USDT; his fee as a taker is 0.2 %, 0.15 % in BNB."""
    desk = Desk(fees=FeeRates(0, 0))
    desk.open_book(BNB_RULES)
    payer = AccountId("payer")
    desk.engine.open_account(payer, WITH_BNB)
    for asset, amount in (("BTC", 10), ("USDT", 100_000), ("BNB", bnb)):
        desk.engine.ledger.deposit(payer, asset, round(amount * SCALE))
    desk.engine.ledger.deposit(ANN, "BNB", 10 * SCALE)
    desk.place(ANN, SELL, 1, 200, symbol="BNBUSDT")
    desk.place(BOB, BUY, 1, 200, symbol="BNBUSDT")
    return desk


PAYER = AccountId("payer")


def test_a_fee_on_the_quote_is_paid_in_the_discount_asset() -> None:
    desk = discounted()
    desk.place(ANN, BUY, 1, 1_000)
    desk.reports()
    desk.place(PAYER, SELL, 1, 1_000)
    executions, _, touched = desk.engine.drain()
    assert [(e.fee / SCALE, e.fee_asset) for e in executions if e.order.account == PAYER and e.trade_id > 0] == [
        (0.0075, "BNB")  # 2 USDT, less a quarter, at 200
    ]
    assert desk.free(PAYER, "USDT") == 101_000 * SCALE
    assert desk.free(PAYER, "BNB") == 10 * SCALE - SCALE * 75 // 10_000
    assert set(touched[PAYER]) == {"BTC", "USDT", "BNB"}
    assert desk.engine.ledger.imbalances() == {}


def test_without_enough_of_it_the_whole_fee_comes_off_what_is_received() -> None:
    desk = discounted(bnb=0.007)
    desk.place(ANN, BUY, 1, 1_000)
    desk.place(PAYER, SELL, 1, 1_000)
    assert (desk.free(PAYER, "USDT"), desk.free(PAYER, "BNB")) == (100_998 * SCALE, SCALE * 7 // 1_000)


def test_without_a_price_for_it_too() -> None:
    """There is none from BTC to BNB: what was bought pays."""
    desk = discounted()
    desk.place(ANN, SELL, 1, 1_000)
    desk.place(PAYER, BUY, 1, 1_000)
    assert (desk.free(PAYER, "BTC"), desk.free(PAYER, "BNB")) == (11 * SCALE - SCALE // 500, 10 * SCALE)


@pytest.mark.parametrize(("side", "fee", "asset"), [(BUY, 0.0015, "BNB"), (SELL, 0.4, "USDT")])
def test_the_discount_asset_itself_is_traded(side: str, fee: float, asset: str) -> None:
    """Bought, it pays with a part of itself; sold, it is not asked for: what is free of it may be spoken for."""
    desk = discounted()
    desk.place(ANN, SELL if side == BUY else BUY, 1, 200, symbol="BNBUSDT")
    desk.reports()
    desk.place(PAYER, BUY if side == BUY else SELL, 1, 200, symbol="BNBUSDT")
    told = [(e.fee / SCALE, e.fee_asset) for e in desk.reports() if e.order.account == PAYER and e.trade_id > 0]
    assert told == [(fee, asset)]


def test_a_price_may_be_quoted_the_other_way_round() -> None:
    """ETHBNB gives what ETH is worth in BNB."""
    desk = discounted()
    desk.open_book(SymbolRules("ETHBNB", "ETH", "BNB", notional_min=0))
    desk.open_book(SymbolRules("ETHUSDT", "ETH", "USDT"))
    for account in (ANN, PAYER):
        desk.engine.ledger.deposit(account, "ETH", 10 * SCALE)
    desk.engine.ledger.deposit(BOB, "BNB", 100 * SCALE)
    desk.place(ANN, SELL, 1, 20, symbol="ETHBNB")
    desk.place(BOB, BUY, 1, 20, symbol="ETHBNB")
    desk.place(ANN, SELL, 1, 4_000, symbol="ETHUSDT")
    desk.place(PAYER, BUY, 1, 4_000, symbol="ETHUSDT")
    assert desk.free(PAYER, "BNB") == 10 * SCALE - SCALE * 3 // 100  # 0.002 ETH, less a quarter, at 20 BNB


# ---- orders by what they spend or want


@pytest.mark.parametrize(
    ("side", "quote", "executed", "status"),
    [
        (BUY, 100, 1, Status.FILLED),
        (BUY, 150, 1.45454, Status.FILLED),  # 0.454545 at 110, in whole lots
        (BUY, 400, 3, Status.FILLED),  # all there is
        (SELL, 90, 1, Status.FILLED),
        (SELL, 130, 1.5, Status.FILLED),
    ],
)
def test_by_quote_quantity(side: str, quote: float, executed: float, status: Status) -> None:
    desk = Desk(fees=FeeRates(0, 0))
    for maker, prices in ((SELL, (100, 110, 120)), (BUY, (90, 80, 70))):
        for price in prices:
            desk.place(ANN, maker, 1, price)
    order = desk.place(BOB, BUY if side == BUY else SELL, 0, quote_quantity=quote * SCALE, order_type=OrderType.MARKET)
    assert (order.status, order.executed, order.quote_quantity) == (status, round(executed * SCALE), quote * SCALE)
    assert order.quote_executed <= quote * SCALE


def test_own_orders_that_would_expire_are_not_counted_in() -> None:
    desk = Desk()
    desk.place(BOB, SELL, 1, 100)
    desk.place(ANN, SELL, 1, 200)
    order = desk.place(BOB, BUY, 0, quote_quantity=100 * SCALE, prevention=SelfTradePrevention.EXPIRE_MAKER)
    assert (order.quantity, order.quote_executed) == (SCALE // 2, 100 * SCALE)


@pytest.mark.parametrize(
    ("rules", "quote", "code", "message"),
    [
        ({}, 4, -1013, "Filter failure: NOTIONAL"),
        ({"quantity_min": SCALE}, 99, -2010, "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."),
        (
            {"market_quantity_min": SCALE},
            99,
            -2010,
            "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity.",
        ),
        ({"market_quantity_max": SCALE}, 101, -1013, "Filter failure: MARKET_LOT_SIZE"),
        ({}, 200_000, -2010, "Account has insufficient balance for requested action."),
    ],
)
def test_refusals_by_quote_quantity(rules: dict[str, int], quote: int, code: int, message: str) -> None:
    desk = Desk(SymbolRules("BTCUSDT", "BTC", "USDT", **rules))
    desk.engine.ledger.deposit(ANN, "BTC", 2_000 * SCALE)
    desk.place(ANN, SELL, 1_990, 100)
    if quote > 100_000:
        desk.engine.instruments["BTCUSDT"].rules = SymbolRules("BTCUSDT", "BTC", "USDT", market_quantity_max=0)
    assert refusal(desk, BOB, BUY, 0, quote_quantity=quote * SCALE) == (code, message)


def test_an_empty_book_has_no_liquidity() -> None:
    assert refusal(Desk(RULES), BOB, BUY, 0, quote_quantity=100 * SCALE) == (
        -2010,
        "Order book liquidity is less than symbol minimum quantity.",
    )


def test_a_quote_quantity_is_for_market_orders_without_another() -> None:
    refused = (-1106, "Parameter 'quoteOrderQty' sent when not required.")
    assert refusal(Desk(), BOB, BUY, 0, 100, quote_quantity=SCALE) == refused
    assert refusal(Desk(), BOB, BUY, 1, quote_quantity=SCALE) == refused
