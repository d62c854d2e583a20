"""The pure core: price-time matching, money, refusals; and a property over random commands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE, quote_amount_up
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import (
    FEES,
    AccountId,
    ExecutionKind,
    NewOrder,
    Order,
    OrderType,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)
from gateway.simulated.core.settlement import FeeRates, SpotSettlement

ANN, BOB = AccountId("ann"), AccountId("bob")
BUY, SELL = Side.BUY, Side.SELL
RULES = SymbolRules("BTCUSDT", "BTC", "USDT")


class Desk:
    """Two accounts on one empty book; sizes in whole units, times by counting."""

    def __init__(self, rules: SymbolRules = RULES, fees: FeeRates | None = None) -> None:
        self.engine = MatchingEngine(SpotSettlement(Ledger()))
        self.book = PriceTimeBook(rules.symbol)
        self.engine.list_instrument(rules, self.book)
        self.now_ns = 0
        for account in (ANN, BOB):
            self.engine.open_account(account, fees or FeeRates(1_000, 2_000))
            self.engine.ledger.deposit(account, "BTC", 10 * SCALE)
            self.engine.ledger.deposit(account, "USDT", 100_000 * SCALE)

    def place(self, account: AccountId, side: Side, quantity: float, price: float = 0, **fields: object) -> Order:
        self.now_ns += 1
        order_type = fields.pop("order_type", OrderType.LIMIT if price else OrderType.MARKET)
        request = NewOrder(
            account=account,
            symbol="BTCUSDT",
            client_order_id=str(fields.pop("client_order_id", f"id{self.now_ns}")),
            side=side,
            order_type=order_type,  # type: ignore[arg-type]  # tests name fields freely
            quantity=round(quantity * SCALE),
            price=round(price * SCALE),
            **fields,  # type: ignore[arg-type]  # tests name fields freely
        )
        return self.engine.place(request, self.now_ns)

    def free(self, account: AccountId, asset: str) -> int:
        return self.engine.ledger.free[account][asset]


def levels(desk: Desk, side: Side) -> list[tuple[float, float]]:
    return [(price / SCALE, quantity / SCALE) for price, quantity in desk.book.levels(side)]


def refusal(desk: Desk, *args: object, **kwargs: object) -> tuple[int, str]:
    with pytest.raises(VenueError) as caught:
        desk.place(*args, **kwargs)  # type: ignore[arg-type]  # forwards the test's own arguments
    return caught.value.code, caught.value.message


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


@pytest.mark.parametrize(
    ("mode", "taker", "maker"),
    [
        (SelfTradePrevention.NONE, Status.FILLED, Status.FILLED),
        (SelfTradePrevention.EXPIRE_TAKER, Status.EXPIRED_IN_MATCH, Status.NEW),
        (SelfTradePrevention.EXPIRE_MAKER, Status.FILLED, Status.EXPIRED_IN_MATCH),
        (SelfTradePrevention.EXPIRE_BOTH, Status.EXPIRED_IN_MATCH, Status.EXPIRED_IN_MATCH),
    ],
)
def test_the_takers_mode_decides_on_self_trades(mode: SelfTradePrevention, taker: Status, maker: Status) -> None:
    """Ann's own bid stands before Bob's at the same price; her sell meets it first."""
    desk = Desk()
    own = desk.place(ANN, BUY, 1, 100)
    other = desk.place(BOB, BUY, 1, 100)
    order = desk.place(ANN, SELL, 1, 100, prevention=mode)
    assert (order.status, own.status) == (taker, maker)
    expected = Status.FILLED if mode is SelfTradePrevention.EXPIRE_MAKER else Status.NEW
    assert other.status is expected
    assert desk.engine.ledger.imbalances() == {}
    assert desk.engine.ledger.locked[ANN]["USDT"] == (100 * SCALE if own.is_open else 0)


def test_prevention_is_reported_for_both_orders_with_one_match_id() -> None:
    desk = Desk()
    own = desk.place(ANN, BUY, 1, 100)
    order = desk.place(ANN, SELL, 2, 100, prevention=SelfTradePrevention.EXPIRE_BOTH)
    reports = [e for e in desk.engine.drain()[0] if e.kind is ExecutionKind.TRADE_PREVENTION]
    matches = [
        (e.order.order_id, e.prevented.match_id, e.prevented.prevented_of(e.order.order_id))
        for e in reports
        if e.prevented
    ]
    assert matches == [(own.order_id, 0, SCALE), (order.order_id, 0, 2 * SCALE)]


def test_prevention_mode_of_other_accounts_does_not_matter() -> None:
    desk = Desk()
    desk.place(ANN, BUY, 1, 100, prevention=SelfTradePrevention.EXPIRE_BOTH)
    assert desk.place(BOB, SELL, 1, 100, prevention=SelfTradePrevention.EXPIRE_BOTH).status is Status.FILLED


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


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from([ANN, BOB]),
        st.sampled_from([BUY, SELL]),
        st.sampled_from([OrderType.LIMIT, OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.MARKET]),
        st.sampled_from(TimeInForce),
        st.sampled_from(SelfTradePrevention),
        st.integers(1, 2 * SCALE),  # quantity
        st.integers(99 * SCALE, 101 * SCALE),  # price
        st.integers(0, 5),  # cancels one open order at 0
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(COMMANDS)
def test_money_adds_up_and_the_book_never_crosses(commands: list[tuple[object, ...]]) -> None:
    """Prices and quantities off every round number, so that each rounding rule is met."""
    rules = SymbolRules("BTCUSDT", "BTC", "USDT", tick_size=0, step_size=0, quantity_min=1, notional_min=0)
    desk = Desk(rules)
    for account, side, order_type, time_in_force, prevention, quantity, price, dice in commands:
        _apply(desk, account, side, order_type, time_in_force, prevention, quantity, price, dice)  # type: ignore[arg-type]  # unpacked by hypothesis
        assert desk.engine.ledger.imbalances() == {}
        bid, ask = desk.book.best(BUY), desk.book.best(SELL)
        assert bid is None or ask is None or bid < ask
        for owner in (ANN, BOB):
            orders = desk.engine.registry.open_orders(owner)
            locked = desk.engine.ledger.locked[owner]
            assert locked["BTC"] == sum(o.leaves for o in orders if o.side is SELL)
            assert locked["USDT"] == sum(quote_amount_up(o.price, o.leaves) for o in orders if o.side is BUY)
    resting = sum(o.leaves for owner in (ANN, BOB) for o in desk.engine.registry.open_orders(owner))
    assert resting == sum(quantity for side in (BUY, SELL) for _, quantity in desk.book.levels(side))


def _apply(
    desk: Desk,
    account: AccountId,
    side: Side,
    order_type: OrderType,
    time_in_force: TimeInForce,
    prevention: SelfTradePrevention,
    quantity: int,
    price: int,
    dice: int,
) -> None:
    desk.now_ns += 1
    is_limit = order_type is OrderType.LIMIT
    request = NewOrder(
        account,
        "BTCUSDT",
        f"id{desk.now_ns}",
        side,
        order_type,
        quantity,
        0 if order_type is OrderType.MARKET else price,
        time_in_force if is_limit else TimeInForce.GTC,
        prevention,
    )
    open_orders = desk.engine.registry.open_orders(account)
    if dice == 0 and open_orders:
        desk.engine.cancel(open_orders[0], "cancel", desk.now_ns)
        return
    before = desk.book.update_id
    try:
        desk.engine.place(request, desk.now_ns)
    except VenueError:
        assert desk.book.update_id == before
