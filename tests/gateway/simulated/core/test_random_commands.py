"""Random commands of several accounts on several symbols, all order types and modes, held against a plain second engine.

After every command: both agree on every order's status and quantities, on the book with its queues, on every fill with its
maker (so the maker was the first in line), on every free and locked balance, on every refusal; the book is not crossed; the
ledger adds up, its entries reproduce the balances; the batches of changes rebuild the book.
"""

import hashlib
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.filters import SymbolRules
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import (
    FEES,
    MARKETS,
    STOPS,
    AccountId,
    Execution,
    ExecutionKind,
    NewOrder,
    Order,
    OrderType,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)
from gateway.simulated.core.replace import ReplaceMode, cancel_replace
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from tests.gateway.simulated.core.desk import ANN, BOB, NO_RULES, RULES, Desk
from tests.gateway.simulated.core.oracle import Oracle, Paper, Refused

ASSETS = {"BTCUSDT": ("BTC", "USDT"), "ETHBTC": ("ETH", "BTC")}
SYMBOLS = tuple(ASSETS)
ACCOUNTS = tuple(AccountId(name) for name in ("ann", "bob", "cat", "dan"))
GROUPS = {"ann": "ann", "bob": "bob", "cat": "both", "dan": "both"}
PRICE, QUANTITY, STEP = 333_333, 7_650_000, 10_000  # amounts are not round: each rounding rule is met
DEPOSIT = 600_000_000  # a few orders of usual size: now and then there is too little
KINDS = ("place",) * 9 + ("cancel", "cancel", "amend", "replace", "modify", "expire", "withdraw")
WORDS = {"trigger": "trigger", "take": "match and take", "balance": "insufficient", "liquidity": "liquidity"}
"""What the oracle says no for, and what the venue's text then has."""
PLACED_TYPES = (*OrderType, OrderType.LIMIT, OrderType.LIMIT, OrderType.MARKET)


class Command(msgspec.Struct, frozen=True):
    """Small numbers, so that a failing sequence shrinks."""

    kind: str
    account: AccountId
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    prevention: SelfTradePrevention
    quantity: int
    price: int
    stop: int
    pick: int


COMMANDS = st.builds(
    Command,
    kind=st.sampled_from(KINDS),
    account=st.sampled_from(ACCOUNTS),
    symbol=st.sampled_from(SYMBOLS),
    side=st.sampled_from(Side),
    order_type=st.sampled_from(PLACED_TYPES),
    time_in_force=st.sampled_from((TimeInForce.GTC, *TimeInForce)),
    prevention=st.sampled_from(SelfTradePrevention),
    quantity=st.integers(1, 30),
    price=st.integers(290, 310),
    stop=st.integers(296, 304),
    pick=st.integers(0, 99),
)


def request_of(command: Command, number: int) -> NewOrder:
    kind = command.order_type
    by_quote = kind is OrderType.MARKET and command.pick % 3 == 0
    stands = kind in MARKETS or kind is OrderType.LIMIT_MAKER
    return NewOrder(
        account=command.account,
        symbol=command.symbol,
        client_order_id=f"id{number}",
        side=command.side,
        order_type=kind,
        quantity=0 if by_quote else command.quantity * QUANTITY,
        price=0 if kind in MARKETS else command.price * PRICE,
        time_in_force=TimeInForce.GTC if stands else command.time_in_force,
        prevention=command.prevention,
        stop_price=command.stop * PRICE if kind in STOPS else 0,
        quote_quantity=command.quantity * QUANTITY if by_quote else 0,
    )


T = TypeVar("T")


def attempt(call: Callable[[], T]) -> T | Refused | VenueError:
    try:
        return call()
    except (Refused, VenueError) as refusal:
        return refusal


def agree(paper: Paper | Refused | VenueError, order: Order | Refused | VenueError) -> None:
    """Both accepted it, as the same number; or both refused it, for the same reason."""
    if isinstance(paper, Refused):
        assert isinstance(order, VenueError), paper
        assert WORDS[str(paper)] in order.message, paper
    else:
        assert isinstance(paper, Paper)
        assert isinstance(order, Order), order
        assert order.order_id == paper.number


class Trial:
    """The engine and the oracle, side by side."""

    def __init__(self) -> None:
        self.engine = MatchingEngine(SpotSettlement(Ledger(1_000_000)))
        self.oracle = Oracle(ASSETS, GROUPS, STEP)
        self.books: dict[str, PriceTimeBook] = {}
        self.rebuilt: dict[str, dict[Side, dict[int, int]]] = {}
        self.history: list[bytes] = []
        self.now_ns = 0
        self.wanted = 0
        self.noted = 0
        for symbol, (base, quote) in ASSETS.items():
            rules = SymbolRules(
                symbol,
                base,
                quote,
                tick_size=0,
                step_size=STEP,
                quantity_min=0,
                notional_min=0,
                algo_orders_max=0,
                bid_multiplier_down=0,
                ask_multiplier_down=0,
                amends_max=0,
            )
            self.books[symbol] = PriceTimeBook(symbol)
            self.engine.list_instrument(rules, self.books[symbol])
            self.rebuilt[symbol] = {Side.BUY: {}, Side.SELL: {}}
        for account in ACCOUNTS:
            self.engine.open_account(account, FeeRates(1_000, 2_000), 7 if GROUPS[account] == "both" else -1)
            for asset in ("BTC", "USDT", "ETH"):
                self.engine.ledger.deposit(account, asset, DEPOSIT)
                self.oracle.totals[account, asset] += DEPOSIT

    # ---- a command, to both

    def do(self, command: Command) -> None:
        self.now_ns += 1
        getattr(self, f"_{command.kind}")(command)

    def _place(self, command: Command) -> None:
        request = request_of(command, self.now_ns)
        paper = attempt(lambda: self.oracle.place(request))
        placed = attempt(lambda: self.engine.place(request, self.now_ns))
        agree(paper, placed)

    def _chosen(self, command: Command) -> Order | None:
        orders = self.engine.registry.open_orders(command.account)
        return orders[command.pick % len(orders)] if orders else None

    def _paper(self, order: Order) -> Paper:
        return self.oracle.orders[order.order_id - 1]

    def _cancel(self, command: Command) -> None:
        if (order := self._chosen(command)) is not None:
            self.oracle.cancel(self._paper(order))
            self.engine.cancel(order, "cancel", self.now_ns)

    def _amend(self, command: Command) -> None:
        """Lower, the same, or higher than it is."""
        order = self._chosen(command)
        if order is None:
            return
        quantity = order.quantity - order.leaves + command.quantity * order.leaves // 25 // STEP * STEP
        paper = self._paper(order)
        amended = attempt(lambda: self.engine.amend(order, quantity, f"amended{self.now_ns}", self.now_ns))
        if paper.executed + paper.prevented < quantity < paper.quantity:
            assert amended is order
            self.oracle.amend(paper, quantity)
        else:
            assert isinstance(amended, VenueError)
            assert amended.code == -2038

    def _modify(self, command: Command) -> None:
        order = self._chosen(command)
        if order is None or order.order_type in (*MARKETS, OrderType.LIMIT_MAKER) or not order.working_ns:
            return
        paper = self._paper(order)
        price, quantity = command.price * PRICE, command.quantity * QUANTITY
        if quantity <= paper.executed + paper.prevented:
            return
        before = attempt(lambda: self.oracle.modify(paper, price, quantity))
        agree(before, attempt(lambda: self.engine.modify(order, price, quantity, self.now_ns)))

    def _expire(self, command: Command) -> None:
        if (order := self._chosen(command)) is not None:
            status = Status.EXPIRED if command.pick % 2 else Status.EXPIRED_IN_MATCH
            self.oracle.expire(self._paper(order), status)
            self.engine.expire(order, status, self.now_ns)

    def _replace(self, command: Command) -> None:
        """The order to cancel may be one that is gone, and the new one may be refused."""
        known = [o for symbol in SYMBOLS for o in self.engine.registry.all_orders(command.account, symbol)]
        if not known:
            return
        order = known[command.pick % len(known)]
        mode = ReplaceMode.ALLOW_FAILURE if command.pick % 2 else ReplaceMode.STOP_ON_FAILURE
        request = request_of(command, self.now_ns)
        paper, was_open = self._paper(order), order.is_open
        placed: Paper | Refused | VenueError | None = None
        if was_open:
            self.oracle.cancel(paper)
        if was_open or mode is ReplaceMode.ALLOW_FAILURE:
            placed = attempt(lambda: self.oracle.place(request))
            if was_open and isinstance(placed, Refused):
                self.oracle.skip_number()  # the rejected one has a number
        done = cancel_replace(self.engine, order, "cancel", request, mode, self.now_ns)
        assert isinstance(done.canceled, Order) == was_open
        if placed is None:
            assert done.placed is None
        else:
            assert done.placed is not None
            agree(placed, done.placed)

    def _withdraw(self, command: Command) -> None:
        """Some free money leaves: later orders find less."""
        asset = ASSETS[command.symbol][command.pick % 2]
        amount = self.engine.ledger.free[command.account][asset] * command.quantity // 100
        self.engine.ledger.deposit(command.account, asset, -amount)
        self.oracle.totals[command.account, asset] -= amount

    # ---- what must hold

    def check(self) -> None:
        executions, trades, _ = self.engine.drain()
        self._check_orders()
        self._check_money()
        for symbol, book in self.books.items():
            self._check_book(symbol, book)
        self._check_fills(executions, trades)

    def note(self) -> None:
        """Keep everything there is to tell, encoded."""
        entries = self.engine.ledger.entries
        rows = entries.rows(self.noted, 1_000)
        self.noted = entries.next_number
        depth = [(book.update_id, book.depth(1_000), book.batches[1].bids) for book in self.books.values()]
        executions, trades, touched = self.engine.drain()
        self.history.append(msgspec.json.encode([executions, trades, touched, rows, depth]))

    def _check_orders(self) -> None:
        registry = self.engine.registry
        known = [o for account in ACCOUNTS for symbol in SYMBOLS for o in registry.all_orders(account, symbol)]
        papers = {paper.number: paper for paper in self.oracle.orders if paper.status != "PHANTOM"}
        assert papers.keys() == {order.order_id for order in known}
        for order in known:
            paper = papers[order.order_id]
            told = (order.status, order.executed, order.prevented, order.quantity, order.leaves)
            assert told == (paper.status, paper.executed, paper.prevented, paper.quantity, paper.left), order
            assert order.quantity == order.executed + order.prevented + order.leaves
            assert order.is_open == (order in registry.open_orders(order.account))
            if order.is_open:
                assert order.leaves > 0
                assert (order.working_ns == 0) == paper.waiting
            else:
                assert order.locked == 0

    def _check_money(self) -> None:
        ledger = self.engine.ledger
        assert ledger.imbalances() == {}
        for account in ACCOUNTS:
            for asset in ("BTC", "USDT", "ETH"):
                assert ledger.free[account][asset] == self.oracle.free(account, asset)
                assert ledger.locked[account][asset] == self.oracle.held(account, asset)
        for asset in ("BTC", "USDT", "ETH"):
            assert ledger.free[FEES][asset] == self.oracle.totals["fees", asset]

    def _check_book(self, symbol: str, book: PriceTimeBook) -> None:
        bid, ask = book.best(Side.BUY), book.best(Side.SELL)
        assert bid is None or ask is None or bid < ask
        for side in Side:
            shown = [order.order_id for _, orders in book.orders(side, 10_000) for order in orders]
            assert shown == [paper.number for paper in self.oracle.side(symbol, buys=side is Side.BUY)]
            batch = book.batches[0]
            self.rebuilt[symbol][side].update(batch.bids if side is Side.BUY else batch.asks)
            rebuilt = {price: quantity for price, quantity in self.rebuilt[symbol][side].items() if quantity}
            assert rebuilt == dict(book.levels(side))
            assert list(book.levels(side)) == sorted(rebuilt.items(), reverse=side is Side.BUY)
            assert all(
                quantity == sum(o.leaves for o in orders) for (_, quantity), (_, orders) in self._levels(book, side)
            )
        book.batches[0].clear(book.update_id)

    def _levels(self, book: PriceTimeBook, side: Side) -> Iterator[tuple[tuple[int, int], tuple[int, list[Order]]]]:
        return zip(book.levels(side), book.orders(side, 10_000), strict=True)

    def _check_fills(self, executions: list[Execution], trades: list[object]) -> None:
        """Reports pair up: each trade has one of its maker and one of its taker, in the oracle's order."""
        wanted = self.oracle.fills[self.wanted :]
        self.wanted = len(self.oracle.fills)
        told = [e for e in executions if e.kind is ExecutionKind.TRADE]
        pairs = list(zip(told[::2], told[1::2], strict=True))
        assert [
            (m.order.symbol, m.order.order_id, t.order.order_id, m.last_price, m.last_quantity) for m, t in pairs
        ] == wanted
        assert all(m.is_maker and not t.is_maker and m.trade_id == t.trade_id for m, t in pairs)
        assert len(trades) == len(pairs)

    def check_ledger(self) -> None:
        """The entries, all of them, reproduce every balance from nothing."""
        ledger = self.engine.ledger
        free: defaultdict[tuple[str, str], int] = defaultdict(int)
        locked: defaultdict[tuple[str, str], int] = defaultdict(int)
        entries = ledger.entries.rows(0, 10**9)
        assert [entry.number for entry in entries] == list(range(ledger.entries.next_number))
        for entry in entries:
            free[entry.account, entry.asset] += entry.free
            locked[entry.account, entry.asset] += entry.locked
        for account in (*ACCOUNTS, FEES):
            for asset in ledger.assets(account):
                assert free[account, asset] == ledger.free[account][asset]
                assert locked[account, asset] == ledger.locked[account][asset]


@settings(max_examples=250, deadline=None)
@given(st.lists(COMMANDS, max_size=60))
def test_the_engine_agrees_with_a_plain_one_after_every_command(commands: list[Command]) -> None:
    trial = Trial()
    for command in commands:
        trial.do(command)
        trial.check()
    trial.check_ledger()


def random_commands(seed: int, count: int) -> list[Command]:
    random = Random(seed)
    return [
        Command(
            kind=random.choice(KINDS),
            account=random.choice(ACCOUNTS),
            symbol=random.choice(SYMBOLS),
            side=random.choice(tuple(Side)),
            order_type=random.choice(PLACED_TYPES),
            time_in_force=random.choice((TimeInForce.GTC, *TimeInForce)),
            prevention=random.choice(tuple(SelfTradePrevention)),
            quantity=random.randint(1, 30),
            price=random.randint(290, 310),
            stop=random.randint(296, 304),
            pick=random.randint(0, 99),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_long_histories_agree_too(seed: int) -> None:
    """Longer than a shrinking test can be: books grow, stops cascade, accounts run out of money."""
    trial = Trial()
    for command in random_commands(seed, 400):
        trial.do(command)
        trial.check()
    trial.check_ledger()


def test_the_same_commands_give_the_same_history_byte_for_byte() -> None:
    """Also under another hash seed, in another process: nothing iterates over a set."""
    here = history_digest()
    assert here == history_digest()
    script = "from tests.gateway.simulated.core.test_random_commands import history_digest; print(history_digest())"
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(Path(__file__).parents[4])}
    told = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == here


def history_digest() -> str:
    trial = Trial()
    for command in random_commands(99, 300):
        trial.do(command)
        trial.note()
    return hashlib.sha256(b"\n".join(trial.history)).hexdigest()


ANYTHING = st.one_of(st.integers(-3, 3), st.integers(-(10**30), 10**30), st.just(SCALE), st.just(100 * SCALE))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            NewOrder,
            account=st.sampled_from((ANN, BOB)),
            symbol=st.sampled_from(("BTCUSDT", "NONE", "")),
            client_order_id=st.sampled_from(("a", "b", "")),
            side=st.sampled_from(Side),
            order_type=st.sampled_from(OrderType),
            quantity=ANYTHING,
            price=ANYTHING,
            time_in_force=st.sampled_from(TimeInForce),
            prevention=st.sampled_from(SelfTradePrevention),
            stop_price=ANYTHING,
            quote_quantity=ANYTHING,
            reduce_only=st.booleans(),
        ),
        max_size=8,
    ),
    ANYTHING,
    st.booleans(),
)
def test_whatever_a_client_sends_is_accepted_or_refused_in_the_venues_words(
    requests: list[NewOrder], number: int, strict: bool
) -> None:
    """Absurd numbers and combinations, with the usual filters and with none: no other exception, no money made."""
    desk = Desk(RULES if strict else NO_RULES)
    for request in requests:
        attempt(partial(desk.engine.place, request, 1))
    for account in (ANN, BOB):
        for order in desk.engine.registry.open_orders(account):
            attempt(partial(desk.engine.amend, order, number, "a", 2))
            attempt(partial(desk.engine.modify, order, number, number, 3))
            attempt(partial(desk.engine.cancel, order, "", 4))
        assert not any(desk.engine.ledger.locked[account].values())
        assert all(amount >= 0 for amount in desk.engine.ledger.free[account].values())
    assert desk.engine.ledger.imbalances() == {}
