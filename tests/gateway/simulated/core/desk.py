"""Two accounts on one empty book, for tests that say an order in one line: sizes in whole units, times by counting."""

import pytest

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.filters import ExchangeRules, SymbolRules
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import AccountId, Execution, NewOrder, Order, OrderType, Side
from gateway.simulated.core.settlement import FeeRates, SpotSettlement

ANN, BOB = AccountId("ann"), AccountId("bob")
BUY, SELL = Side.BUY, Side.SELL
RULES = SymbolRules("BTCUSDT", "BTC", "USDT")
NO_RULES = SymbolRules(
    "BTCUSDT",
    "BTC",
    "USDT",
    tick_size=0,
    price_min=0,
    price_max=0,
    step_size=0,
    quantity_min=0,
    quantity_max=0,
    market_quantity_max=0,
    notional_min=0,
    notional_max=0,
    orders_max=0,
    bid_multiplier_up=0,
    bid_multiplier_down=0,
    ask_multiplier_up=0,
    ask_multiplier_down=0,
    algo_orders_max=0,
    amends_max=0,
)
"""Every filter is off."""
WITH_LIMIT = (OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT)


class Desk:
    """Ann and Bob have 10 BTC and 100,000 USDT each. `group`: the trade group of both."""

    def __init__(
        self,
        rules: SymbolRules = RULES,
        fees: FeeRates | None = None,
        group: int = -1,
        exchange: ExchangeRules | None = None,
    ) -> None:
        self.engine = MatchingEngine(
            SpotSettlement(Ledger(100_000)), exchange_rules=ExchangeRules() if exchange is None else exchange
        )
        self.book = self.open_book(rules)
        self.now_ns = 0
        for account in (ANN, BOB):
            self.engine.open_account(account, fees or FeeRates(1_000, 2_000), group)
            self.engine.ledger.deposit(account, "BTC", 10 * SCALE)
            self.engine.ledger.deposit(account, "USDT", 100_000 * SCALE)

    def open_book(self, rules: SymbolRules) -> PriceTimeBook:
        book = PriceTimeBook(rules.symbol)
        self.engine.list_instrument(rules, book)
        return book

    def request(
        self, account: AccountId, side: Side, quantity: float, price: float = 0, stop: float = 0, **fields: object
    ) -> NewOrder:
        self.now_ns += 1
        order_type = fields.pop("order_type", OrderType.LIMIT if price else OrderType.MARKET)
        return NewOrder(
            account=account,
            symbol=str(fields.pop("symbol", "BTCUSDT")),
            client_order_id=str(fields.pop("client_order_id", f"id{self.now_ns}")),
            side=side,
            order_type=order_type,  # type: ignore[arg-type]  # tests name fields freely
            quantity=round(quantity * SCALE),
            price=round(price * SCALE),
            stop_price=round(stop * SCALE),
            **fields,  # type: ignore[arg-type]  # tests name fields freely
        )

    def place(
        self, account: AccountId, side: Side, quantity: float, price: float = 0, stop: float = 0, **fields: object
    ) -> Order:
        request = self.request(account, side, quantity, price, stop, **fields)
        return self.engine.place(request, self.now_ns)

    def trade_at(self, price: float, quantity: float = 0.1) -> None:
        """Ann sells to Bob at `price`."""
        self.place(ANN, SELL, quantity, price)
        self.place(BOB, BUY, quantity, price)
        assert any(trade.price == round(price * SCALE) for trade in self.engine.trades)

    def free(self, account: AccountId, asset: str) -> int:
        return self.engine.ledger.free[account][asset]

    def locked(self, account: AccountId, asset: str) -> int:
        return self.engine.ledger.locked[account][asset]

    def reports(self) -> list[Execution]:
        """What happened since the last look."""
        return self.engine.drain()[0]


def levels(desk: Desk, side: Side) -> list[tuple[float, float]]:
    return [(price / SCALE, quantity / SCALE) for price, quantity in desk.book.levels(side)]


def refusal(desk: Desk, *args: object, **kwargs: object) -> tuple[int, str]:
    """Place what is to be refused; return code and text. Nothing has changed by it."""
    before = (desk.book.update_id, desk.engine.ledger.entries.next_number, len(desk.engine.executions))
    with pytest.raises(VenueError) as caught:
        desk.place(*args, **kwargs)  # type: ignore[arg-type]  # forwards the test's own arguments
    assert before == (desk.book.update_id, desk.engine.ledger.entries.next_number, len(desk.engine.executions))
    return caught.value.code, caught.value.message
