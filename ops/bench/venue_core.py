"""The simulated venue's matching core by itself: commands a second, in one process and without a socket.

`place_cancel`: limit orders of one client that do not fill, placed and canceled at fifty prices. `mixed`: two clients who
place, cancel and trade with each other, limit and market orders, both sides; the ledger keeps its entries. What happened is
drained as the venue does. A rate is by the time the processor gave us, the median over blocks: what else the machine does
counts little.
"""

import zlib
from random import Random
from time import process_time_ns
from typing import Any

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.ledger import Ledger
from gateway.simulated.core.matching import MatchingEngine
from gateway.simulated.core.orders import AccountId, NewOrder, Order, OrderType, Side, TimeInForce
from gateway.simulated.core.settlement import FeeRates, SpotSettlement
from gateway.simulated.crowd.profiles import profile

SYMBOL = "BTCUSDT"
ACCOUNTS = (AccountId("one"), AccountId("two"))
BLOCK = 1_000
DRAIN = 50
"""Commands between two drains; the venue drains after each, and the crowd's steps are drained one by one."""
OPEN_MAX = 100
"""Of one client: half of what the venue allows on a symbol."""
ENTRIES = 100_000
"""Of the ledger's log, where it is on; chosen."""
START_NS = 1_700_000_000_000_000_000
STEP_NS = 1_000_000
MIDDLE = 60_000 * SCALE
QUANTITY = SCALE // 100


def run(count: int, seed: int = 1) -> dict[str, Any]:
    """`count` commands of each kind, in whole blocks."""
    blocks = max(count // BLOCK, 1)
    return {"place_cancel": _measure(blocks, PlaceCancel()), "mixed": _measure(blocks, Mixed(seed))}


class PlaceCancel:
    def __init__(self) -> None:
        self.engine = make_engine()
        self._resting: Order | None = None
        self._count = 0

    def command(self, now_ns: int) -> None:
        if self._resting is not None:
            self.engine.cancel(self._resting, "cancel", now_ns)
            self._resting = None
            return
        self._count += 1
        price = MIDDLE - self._count % 50 * SCALE
        request = NewOrder(
            ACCOUNTS[0], SYMBOL, f"order-{self._count}", Side.BUY, OrderType.LIMIT, QUANTITY, price=price
        )
        self._resting = self.engine.place(request, now_ns)


class Mixed:
    """Of ten commands four are limit orders behind the touch, three cancels, two limit orders through it, one market."""

    def __init__(self, seed: int) -> None:
        self.engine = make_engine(ENTRIES)
        self._random = Random(seed)
        self._open: dict[AccountId, list[Order]] = {account: [] for account in ACCOUNTS}
        self._count = 0

    def command(self, now_ns: int) -> None:
        self._count += 1
        number = self._random.getrandbits(20)
        account, side = ACCOUNTS[number & 1], (Side.BUY if number & 2 else Side.SELL)
        draw, away = (number >> 2) % 10, (number >> 6) % 20 + 1
        resting = self._open[account]
        if resting and (draw < 3 or len(resting) >= OPEN_MAX):
            order = resting.pop(number % len(resting))
            if order.is_open:
                self.engine.cancel(order, "cancel", now_ns)
                return
        sign = -1 if side is Side.BUY else 1
        identity, size = f"order-{self._count}", QUANTITY * ((number >> 11) % 5 + 1)
        if draw == 9 and book_of(self.engine).middle() is not None:
            request = NewOrder(account, SYMBOL, identity, side, OrderType.MARKET, size)
        elif draw >= 7:
            price = MIDDLE - sign * away * SCALE
            request = NewOrder(account, SYMBOL, identity, side, OrderType.LIMIT, size, price, TimeInForce.IOC)
        else:
            request = NewOrder(account, SYMBOL, identity, side, OrderType.LIMIT, size, MIDDLE + sign * away * SCALE)
        order = self.engine.place(request, now_ns)
        if order.is_open:
            resting.append(order)


def make_engine(entries: int = 0) -> MatchingEngine:
    """One symbol, an empty book, two clients with more money than they need; the ledger keeps so many entries."""
    engine = MatchingEngine(SpotSettlement(Ledger(entries)))
    listed = profile(SYMBOL)
    assert listed is not None
    engine.list_instrument(listed.rules, PriceTimeBook(SYMBOL))
    for account in ACCOUNTS:
        engine.open_account(account, FeeRates())
        for asset in (listed.rules.base, listed.rules.quote):
            engine.ledger.deposit(account, asset, 10**9 * SCALE)
    return engine


def book_of(engine: MatchingEngine) -> PriceTimeBook:
    book = engine.instruments[SYMBOL].book
    assert isinstance(book, PriceTimeBook)
    return book


def _measure(blocks: int, load: PlaceCancel | Mixed) -> dict[str, Any]:
    """Time blocks of commands after one that warms up."""
    now_ns, digest, fills = START_NS, 0, 0
    times: list[int] = []
    command, drain = load.command, load.engine.drain
    for _ in range(blocks + 1):
        happened = []
        start = process_time_ns()
        for number in range(BLOCK):
            now_ns += STEP_NS
            command(now_ns)
            if number % DRAIN == DRAIN - 1:
                happened.append(drain()[0])
        times.append(process_time_ns() - start)
        for executions in happened:
            fills += sum(execution.last_quantity > 0 for execution in executions)
            told = [(e.order.order_id, e.status, e.executed, e.last_price) for e in executions]
            digest = zlib.crc32(repr(told).encode(), digest)
    assert not load.engine.ledger.imbalances()
    ordered = sorted(times[1:])
    return {
        "commands_per_s": round(BLOCK * 1e9 / ordered[len(ordered) // 2]),
        "best_block_per_s": round(BLOCK * 1e9 / ordered[0]),
        "commands": blocks * BLOCK,
        "fills": fills,
        "result_hash": f"{digest:08x}",
    }
