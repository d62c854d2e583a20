"""Whatever is traded: contracts, money and margin add up after every step, over all accounts and the crowd. No sockets."""

import dataclasses
from random import Random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.simulated.core.decimals import quote_amount_up
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.orders import AccountId, Side
from gateway.simulated.core.settlement import FeeRates
from gateway.simulated.crowd.regimes import Regime
from gateway.simulated.evidence import Evidence
from gateway.simulated.operations import Call
from gateway.simulated.usdm.api import PerpetualApi
from gateway.simulated.usdm.margin import ASSET, CLEARING
from gateway.simulated.usdm.market import PerpetualMarket
from gateway.simulated.usdm.profiles import perpetual
from gateway.simulated.usdm.table import OPERATIONS

ACCOUNTS = tuple(map(AccountId, ("alice", "bob", "carol")))
SYMBOLS = ("BTCUSDT", "ETHUSDT")
START_NS = 1_799_971_200_000_000_000
SECOND_NS = 1_000_000_000
STEPS = 120


class Market:
    """Two contracts, three accounts of which one hedges, and a crowd that lives on the test's clock."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now_ns = START_NS - 20 * SECOND_NS
        profiles = [profile for profile in map(perpetual, SYMBOLS) if profile is not None]
        self.market = PerpetualMarket(profiles, seed, lambda: self.now_ns, Ledger(may_owe=True), funding_rate=-30_000)
        self.margin = self.market.margin
        for account in ACCOUNTS:
            self.market.engine.open_account(account, FeeRates(maker_ppm=200, taker_ppm=500))
            self.market.engine.ledger.deposit(account, ASSET, 500 * 10**8)
        self.margin.accounts[ACCOUNTS[2]].hedges = True
        self.api = PerpetualApi(self.market, ACCOUNTS, Evidence())
        self.answered = self.refused = 0

    def ask(self, account: AccountId, name: str, **params: object) -> None:
        call = Call(account, {key: str(value) for key, value in params.items()}, self.now_ns)
        try:
            OPERATIONS[name].run(self.api, call)
            self.answered += 1
        except VenueError:
            self.refused += 1
        self.market.publish(self.now_ns)

    def step(self) -> None:
        random = self.random
        account, symbol = random.choice(ACCOUNTS), random.choice(SYMBOLS)
        orders = self.market.engine.registry.open_orders(account, symbol)
        match random.randrange(10):
            case 0 if orders:
                self.ask(account, "order.cancel", symbol=symbol, orderId=random.choice(orders).order_id)
            case 1 if orders:
                order = random.choice(orders)
                wanted = self._priced(symbol) | {"side": order.side, "orderId": order.order_id}
                self.ask(account, "order.modify", symbol=symbol, **wanted)
            case 2:
                self.ask(account, "leverage", symbol=symbol, leverage=random.choice((20, 125, 125)))
            case 3:
                self._pass(random.choice((0.2, 1.2, 6)))
            case 4 if random.random() < 0.3:
                self.market.set_regime(Regime.FLASH_CRASH, symbol)
                self._pass(12)
            case _:
                self._order(account, symbol)
        self._pass(0.05)

    def _pass(self, seconds: float) -> None:
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += SECOND_NS // 20
            self.market.advance(self.now_ns)
            self.market.chores.tick(self.now_ns)

    def _priced(self, symbol: str) -> dict[str, object]:
        rules = self.market.engine.instruments[symbol].rules
        ticks = self.margin.marks[symbol] // rules.tick_size + self.random.randint(-30, 30)
        most = 800 if symbol == "BTCUSDT" else 16_000
        quantity = self.random.randint(2, most) / 1_000
        return {"price": f"{ticks * rules.tick_size / 10**8:.2f}", "quantity": f"{quantity:.3f}"}

    def _order(self, account: AccountId, symbol: str) -> None:
        random = self.random
        order = self._priced(symbol) | {"symbol": symbol, "side": random.choice(("BUY", "SELL"))}
        if random.random() < 0.3:
            order |= {"type": "MARKET"}
            del order["price"]
        else:
            kept = random.choice(("GTC", "GTC", "IOC", "FOK", "GTX"))
            mode = random.choice(("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"))
            order |= {"type": "LIMIT", "timeInForce": kept, "selfTradePreventionMode": mode}
        if self.margin.accounts[account].hedges:
            order |= {"positionSide": random.choice(("LONG", "SHORT"))}
        elif random.random() < 0.3:
            order |= {"reduceOnly": "true"}
        self.ask(account, "order.place", **order)

    # ---- what must hold

    def check(self) -> None:
        self._check_money()
        for symbol in SYMBOLS:
            held = [
                position.quantity
                for account in self.margin.accounts.values()
                for (name, _), position in account.positions.items()
                if name == symbol
            ]
            assert sum(held) == 0, "contracts are held as many long as short"
            top = self.market.top(symbol)
            assert top.bid_price < top.ask_price
        for account in ACCOUNTS:
            self._check_orders(account)
        assert self.margin.realized == {}, "every fill was told with what it realized"

    def _check_money(self) -> None:
        """Wallets less costs, so wallets and unrealized PnL at any mark, are what was deposited."""
        assert self.market.engine.ledger.imbalances() == {}
        assert self.margin.costs() + self.margin.wallet(CLEARING) == 0

    def _check_orders(self, account: AccountId) -> None:
        """The notional of open orders is theirs, and no reduce-only order is without a position."""
        held = self.margin.accounts[account]
        for side in Side:
            expected: dict[Any, int] = {}
            for order in self.market.engine.registry.open_orders(account):
                if order.side is side and not order.reduce_only:
                    key = (order.symbol, order.position_side)
                    expected[key] = expected.get(key, 0) + quote_amount_up(order.price, order.leaves)
                elif order.side is side:
                    assert self.margin.reducible(order) > 0
            assert {key: amount for key, amount in held.order_notionals(side).items() if amount} == expected
        for (_, position_side), position in held.positions.items():
            assert position_side != "LONG" or position.quantity >= 0
            assert position_side != "SHORT" or position.quantity <= 0


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
@example(0)  # with liquidations
def test_contracts_money_and_margin_add_up_after_every_step(seed: int) -> None:
    """Goal: nothing is made or lost by trading, modifying, self-trade prevention, hedging, funding or liquidation. Method:
    random requests of three accounts amid the crowd, and every sum held against its parts after each.
    """
    market = Market(seed)
    for _ in range(STEPS):
        market.step()
        market.check()
    assert market.answered > STEPS // 8


def test_the_same_seed_gives_the_same_end() -> None:
    ends = []
    for _ in range(2):
        market = Market(7)
        for _ in range(STEPS):
            market.step()
        positions = {
            (account, key): dataclasses.astuple(position)
            for account, held in market.margin.accounts.items()
            for key, position in held.positions.items()
        }
        ends.append((market.answered, market.refused, positions, dict(market.margin.ledger.free)))
    assert ends[0] == ends[1]
