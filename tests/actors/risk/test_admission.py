"""The one check against trading with ourselves, against an oracle that looks through every order there is."""

from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.risk import AccountLimits, Risk, RiskState
from actors.risk.checks import admit
from bus.messages import (
    ApprovedOrder,
    BandHeld,
    CommandDropped,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    Refusal,
    Side,
)
from tests.actors.risk.builders import ALL, NOW, command, fill, limits, position, risk, update

WIDE = limits(position_lots_max=10_000, position_lots_min=-10_000, open_orders_max=500, rejects_max=1_000, fills_max=0)
ACCOUNT = AccountLimits(open_orders_max=500, order_rate=10_000, repeats_max=0)
PRICES = range(9_990, 10_011)
OWNERS = ("maker", "taker", "exits", "operator")
WORKING = [status for status in OrderStatus if status < OrderStatus.FILLED]
ENDED = [status for status in OrderStatus if status >= OrderStatus.FILLED]


class Oracle:
    """Orders that may still fill, as (side, price) by command, kept beside the actor and looked through one by one."""

    def __init__(self, random: Random) -> None:
        self.random, self.risk, self.now = random, risk(WIDE, ACCOUNT), NOW
        self.open: dict[int, OrderUpdate] = {}
        self.ended: dict[int, OrderUpdate] = {}
        self.asked: dict[int, OrderUpdate] = {}
        self.band = (ALL, 1)
        self.number = self.commands = 0
        self.refused = self.approved = 0

    def may_fill(self) -> list[OrderUpdate]:
        return [*self.open.values(), *self.asked.values()]

    def expected(self, side: Side, price: int) -> Refusal:
        for other in self.may_fill():
            if other.side != side and (price - other.price_ticks) * side >= 0:
                return Refusal.SELF_TRADE
        bid_max, ask_min = self.band
        inside = price <= bid_max if side > 0 else bool(ask_min) and price >= ask_min
        return Refusal.NONE if inside else Refusal.BAND

    def submit(self) -> None:
        side, price = self.random.choice(list(Side)), self.random.choice(PRICES)
        self.commands += 1
        owner = self.random.choice(OWNERS)
        wish = command(
            command=self.commands,
            owner=owner,
            side=side,
            price_ticks=price,
            quantity_lots=5,
            received_ns=0,
            post_only=False,
        )
        expected = self.expected(side, price)
        answer = self.risk.receive(wish, self.now)[0]
        if isinstance(answer, ApprovedOrder):
            assert expected is Refusal.NONE
            self.approved += 1
            self.asked[self.commands] = update(
                command=self.commands, owner=owner, client_order_id=f"x{self.commands}", side=side, price_ticks=price,
                quantity_lots=5, leaves_lots=5,
            )  # fmt: skip
        else:
            assert isinstance(answer, OrderRefused)
            assert answer.reason is expected
            self.refused += 1

    def earlier_life(self) -> None:
        self.commands += 1
        price = self.random.choice(PRICES)
        told = update(command=-self.commands, client_order_id=f"y{self.commands}", price_ticks=price, leaves_lots=5)
        side = self.random.choice(list(Side))
        self.tell(-self.commands, msgspec.structs.replace(told, side=side), OrderStatus.SUSPECT)

    def tell(self, number: int, order: OrderUpdate, status: OrderStatus) -> None:
        self.number += 1
        done = status >= OrderStatus.FILLED
        leaves = 0 if done else self.random.randint(1, 5)
        order = msgspec.structs.replace(order, number=self.number, status=status, leaves_lots=leaves)
        self.risk.receive(order, self.now)
        self.asked.pop(number, None)
        (self.ended if done else self.open)[number] = order
        (self.open if done else self.ended).pop(number, None)

    def word(self) -> None:
        if known := {**self.open, **self.asked}:
            number = self.random.choice(list(known))
            self.tell(number, known[number], self.random.choice(WORKING + ENDED))

    def works_after_all(self) -> None:
        """Only of an order that still waits for its fills is anything kept; of the others a new hold is made."""
        if self.ended:
            number = self.random.choice(list(self.ended))
            self.tell(number, self.ended[number], OrderStatus.ACCEPTED)

    def lost(self) -> None:
        if self.asked:
            number = self.random.choice(list(self.asked))
            order = self.asked.pop(number)
            lost = CommandDropped(0, order.owner, number, "")
            refused = OrderRefused(0, order.owner, number, order.side, Refusal.DISK)
            self.risk.receive(self.random.choice([lost, refused]), self.now)

    def late_fill(self) -> None:
        if everything := {**self.open, **self.ended}:
            order = everything[self.random.choice(list(everything))]
            self.number += 1
            self.risk.receive(
                fill(number=self.number, client_order_id=order.client_order_id, side=order.side, quantity_lots=1),
                self.now,
            )
            self.risk.receive(position(0), self.now)

    def other_band(self) -> None:
        self.band = self.random.choice([(ALL, 1), (10_000, 10_000), (0, 0), (9_995, 0), (0, 10_005)])
        self.risk.receive(BandHeld(0, *self.band), self.now)

    def restart(self) -> None:
        saved = msgspec.msgpack.encode(self.risk.checkpoint())
        self.risk = Risk({0: WIDE}, ACCOUNT)
        self.risk.restore(msgspec.msgpack.decode(saved, type=RiskState))

    def check(self) -> None:
        book = self.risk.books[0]
        for side in Side:
            for price in PRICES:
                assert admit(side, price, book) is self.expected(side, price), (side, price, book.own_bid, book.own_ask)
        waiting = [hold for hold in (*book.holds.values(), *book.requests.values()) if hold.waiting and not hold.done]
        assert book.in_flight == len(waiting)

    def run(self, steps: int) -> None:
        rare = (self.earlier_life, self.works_after_all, self.lost, self.late_fill, self.other_band, self.restart)
        for _ in range(steps):
            self.now += 1_000
            self.random.choice((self.submit,) * 6 + (self.word,) * 6 + rare)()
            self.check()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_the_best_of_each_side_says_what_looking_through_all_orders_would(seed: int) -> None:
    """Goal: working, unanswered, UNKNOWN, suspect and being canceled, of every owner, after refusals, losses, late fills,
    orders that work after all, orders of an earlier life and restarts. Method: each price of a small book, each step.
    """
    Oracle(Random(seed)).run(40)


def test_the_oracle_sees_both_answers() -> None:
    one = Oracle(Random(7))
    one.run(1_500)
    assert one.approved > 100
    assert one.refused > 100


def test_who_wishes_it_makes_no_difference_to_the_check() -> None:
    """Rank is execution's: it has what stands in the way canceled first. Past risk nobody meets an own order."""
    for owner in OWNERS:
        actor = risk(WIDE, ACCOUNT)
        actor.receive(command(command=0, owner="maker", side=Side.SELL, price_ticks=10_000), NOW)
        actor.receive(update(number=1, side=Side.SELL, price_ticks=10_000, status=OrderStatus.UNKNOWN_NEW), NOW)
        [answer] = actor.receive(command(command=1, owner=owner, price_ticks=10_000), NOW)
        assert isinstance(answer, OrderRefused)
        assert answer.reason is Refusal.SELF_TRADE
        actor.receive(update(number=2, side=Side.SELL, status=OrderStatus.CANCELED, leaves_lots=0), NOW)
        assert isinstance(actor.receive(command(command=2, owner=owner, price_ticks=10_000), NOW)[0], ApprovedOrder)
