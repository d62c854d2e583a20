"""A second matching engine, slow and plain, to judge the first by: lists searched from end to end, nothing kept that can be
worked out anew. It shares with the real one only the vocabulary of requests; the rules are written again from the documents.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

import msgspec

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.orders import AccountId, NewOrder, OrderType, Side

MAKER, TAKER = Fraction(1, 1_000), Fraction(2, 1_000)
PHANTOM = NewOrder(AccountId("nobody"), "", "", Side.BUY, OrderType.MARKET, 0)


@dataclass(eq=False)
class Paper:
    """One order on paper. `queued`: when it joined its queue; None while it is in no queue."""

    number: int
    request: NewOrder
    quantity: int
    executed: int = 0
    prevented: int = 0
    status: str = "NEW"
    queued: int | None = None
    waiting: bool = False
    triggered: bool = False

    @property
    def left(self) -> int:
        return self.quantity - self.executed - self.prevented

    @property
    def buys(self) -> bool:
        return self.request.side == "BUY"

    @property
    def lives(self) -> bool:
        return self.status in ("NEW", "PARTIALLY_FILLED")

    @property
    def rises(self) -> bool:
        """Whether a waiting stop waits for a higher price."""
        return self.buys == self.request.order_type.startswith("STOP")


class Refused(Exception):
    """What the venue says no with: a word of ours for it."""


@dataclass
class Oracle:
    """`assets`: symbol -> (base, quote). `groups`: account -> who may not trade with whom. `step`: of MARKET lots."""

    assets: dict[str, tuple[str, str]]
    groups: dict[str, str]
    step: int
    totals: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    orders: list[Paper] = field(default_factory=list)
    fills: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    _clock: int = 0
    _triggered: list[Paper] = field(default_factory=list)

    # ---- money, worked out from the open orders

    def held(self, account: str, asset: str) -> int:
        return sum(
            amount
            for paper in self.orders
            if paper.lives and paper.request.account == account
            for name, amount in (self._holds(paper),)
            if name == asset
        )

    def free(self, account: str, asset: str) -> int:
        return self.totals[account, asset] - self.held(account, asset)

    def _holds(self, paper: Paper) -> tuple[str, int]:
        base, quote = self.assets[paper.request.symbol]
        if not paper.buys:
            return base, paper.left
        price = paper.request.price or (paper.request.stop_price if paper.waiting else 0)
        return quote, ceil(Fraction(price * paper.left, SCALE))

    # ---- commands

    def place(self, request: NewOrder) -> Paper:
        quantity = self._by_quote(request) if request.quote_quantity else request.quantity
        paper = Paper(len(self.orders) + 1, request, quantity)
        if request.stop_price:
            paper.waiting = True
            last = self._last(request.symbol)
            if last is not None and self._is_reached(paper, last):
                raise Refused("trigger")
        elif request.order_type == "LIMIT_MAKER" and self._crossing(paper):
            raise Refused("take")
        if not self._can_pay(paper):
            raise Refused("balance")
        self.orders.append(paper)
        if not paper.waiting:
            self._work(paper)
            self._cascade()
        return paper

    def cancel(self, paper: Paper) -> None:
        paper.status = "CANCELED"

    def expire(self, paper: Paper, status: str) -> None:
        if status == "EXPIRED_IN_MATCH":
            paper.prevented += paper.left
            self.skip_number()
        paper.status = status

    def skip_number(self) -> None:
        """An order number is used up by what is no order of the venue's."""
        self.orders.append(Paper(len(self.orders) + 1, PHANTOM, 0, status="PHANTOM"))

    def amend(self, paper: Paper, quantity: int) -> None:
        paper.quantity = quantity

    def modify(self, paper: Paper, price: int, quantity: int) -> Paper:
        before, paper.quantity = paper.quantity, paper.executed + paper.prevented
        fresh = Paper(0, msgspec.structs.replace(paper.request, price=price), quantity - paper.quantity)
        if not self._can_pay(fresh):
            paper.quantity = before
            raise Refused("balance")
        paper.request, paper.quantity, paper.queued = fresh.request, quantity, None
        self._work(paper)
        self._cascade()
        return paper

    # ---- rules

    def _last(self, symbol: str) -> int | None:
        bids, asks = self.side(symbol, buys=True), self.side(symbol, buys=False)
        if symbol in self.last:
            return self.last[symbol]
        return (bids[0].request.price + asks[0].request.price) // 2 if bids and asks else None

    def _is_reached(self, paper: Paper, price: int) -> bool:
        stop = paper.request.stop_price
        return price >= stop if paper.rises else price <= stop

    def side(self, symbol: str, *, buys: bool) -> list[Paper]:
        """Everything in the book on one side, first in line first."""
        found = [
            paper
            for paper in self.orders
            if paper.lives and paper.queued is not None and paper.buys == buys and paper.request.symbol == symbol
        ]
        return sorted(found, key=lambda p: (-p.request.price if buys else p.request.price, p.queued))

    def _crossing(self, paper: Paper) -> list[Paper]:
        """Those in the book it could trade with by price, first in line first."""
        price = paper.request.price
        others = self.side(paper.request.symbol, buys=not paper.buys)
        return [
            other
            for other in others
            if not price or (other.request.price <= price if paper.buys else other.request.price >= price)
        ]

    def _are_one(self, paper: Paper, other: Paper) -> bool:
        return self.groups[paper.request.account] == self.groups[other.request.account]

    def _cost(self, offers: list[Paper], quantity: int) -> int:
        cost = 0
        for offer in offers:
            taken = min(quantity, offer.left)
            cost += ceil(Fraction(offer.request.price * taken, SCALE))
            quantity -= taken
        return cost

    def _takeable(self, paper: Paper) -> list[Paper]:
        """Those it could trade with; own orders that would expire before it are none."""
        expires = paper.request.prevention == "EXPIRE_MAKER"
        return [other for other in self._crossing(paper) if not (expires and self._are_one(paper, other))]

    def _can_pay(self, paper: Paper) -> bool:
        """It is not among the orders yet, so it holds nothing."""
        asset, amount = self._holds(paper)
        if paper.buys and not amount:
            amount = self._cost(self._takeable(paper), paper.left)
        return self.free(paper.request.account, asset) >= amount

    def _by_quote(self, request: NewOrder) -> int:
        """The most whole lots that cost no more than was said, by trying."""
        probe = Paper(0, request, 0)
        offers = self._takeable(probe)
        low, high = 0, sum(offer.left for offer in offers)
        while low < high:
            middle = (low + high + 1) // 2
            if self._cost(offers, middle) <= request.quote_quantity:
                low = middle
            else:
                high = middle - 1
        lots = low - low % self.step
        if lots < 1:
            raise Refused("liquidity")
        return lots

    def _work(self, paper: Paper) -> None:
        tif, crossing = paper.request.time_in_force, self._crossing(paper)
        if tif == "FOK" and not self._fills_whole(paper, crossing):
            paper.status = "EXPIRED"
            return
        if tif == "GTX" and crossing:
            paper.status = "EXPIRED"
            return
        while paper.lives and (others := self._crossing(paper)):
            self._meet(paper, others[0])
        if not paper.lives:
            return
        if paper.request.price and tif in ("GTC", "GTD", "GTX"):
            self._clock += 1
            paper.queued = self._clock
        else:
            paper.status = "EXPIRED"

    def _fills_whole(self, paper: Paper, crossing: list[Paper]) -> bool:
        wanted, mode = paper.left, paper.request.prevention
        for other in crossing:
            if mode != "NONE" and self._are_one(paper, other):
                if mode == "EXPIRE_MAKER":
                    continue
                return False
            wanted -= other.left
            if wanted <= 0:
                return True
        return False

    def _meet(self, taker: Paper, maker: Paper) -> None:
        mode, quantity = taker.request.prevention, min(taker.left, maker.left)
        if mode == "NONE" or not self._are_one(taker, maker):
            self._trade(taker, maker, quantity)
            return
        losses = {
            "EXPIRE_TAKER": (taker.left, 0),
            "EXPIRE_MAKER": (0, maker.left),
            "EXPIRE_BOTH": (taker.left, maker.left),
            "DECREMENT": (quantity, quantity),
        }[mode]
        for paper, loss in zip((taker, maker), losses, strict=True):
            if loss:
                paper.prevented += loss
                if not paper.left:
                    paper.status = "EXPIRED_IN_MATCH"

    def _trade(self, taker: Paper, maker: Paper, quantity: int) -> None:
        symbol, price = maker.request.symbol, maker.request.price
        base, quote = self.assets[symbol]
        amount = floor(Fraction(price * quantity, SCALE))
        for paper, rate in ((taker, TAKER), (maker, MAKER)):
            paper.executed += quantity
            paper.status = "PARTIALLY_FILLED" if paper.left else "FILLED"
            account, sign = paper.request.account, 1 if paper.buys else -1
            self.totals[account, base] += sign * quantity
            self.totals[account, quote] -= sign * amount
            received, asset = (quantity, base) if paper.buys else (amount, quote)
            fee = floor(received * rate)
            self.totals[account, asset] -= fee
            self.totals["fees", asset] += fee
        self.fills.append((symbol, maker.number, taker.number, price, quantity))
        self.last[symbol] = price
        reached = [
            p
            for p in self.orders
            if p.lives and p.waiting and not p.triggered and p.request.symbol == symbol and self._is_reached(p, price)
        ]
        for paper in reached:
            paper.triggered = True  # it still waits, and holds what it held, until its turn comes
        self._triggered += sorted(
            reached,
            key=lambda p: (not p.rises, p.request.stop_price if p.rises else -p.request.stop_price, p.number),
        )

    def _cascade(self) -> None:
        while self._triggered:
            paper = self._triggered.pop(0)
            paper.waiting = False
            free = self.free(paper.request.account, self.assets[paper.request.symbol][1])
            if paper.buys and not paper.request.price and free < self._cost(self._takeable(paper), paper.left):
                paper.status = "EXPIRED"
            else:
                self._work(paper)
