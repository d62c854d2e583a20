"""Exits outrank strategies, from a hand-made wish to the wire: who leaves, who waits, and what risk never has to refuse.

The position is 100 lots long (one filled bid of the strategy's), the strategy quotes 100 lots at both touches.
"""

from typing import Any

import pytest

from bus.actor import NOTHING, Actor
from bus.messages import OrderRefused, OrderStatus, QuoteIntent, TimerFired
from ops.assembly import ACCOUNT, VENUE
from ops.topology import ROUTES
from tests.support.stage import QUANTITY, Stage

BID, ASK = 6_000_000, 6_000_010  # ticks of the stage's touch
SECOND = 1_000_000_000


class Hand:
    """In place of the exits' own decisions: what the test wishes is said when a timer of theirs fires."""

    def __init__(self) -> None:
        self.wishes: list[QuoteIntent] = []

    def take_over(self, actors: list[Actor[Any]]) -> None:
        [exits] = [actor for actor in actors if actor.name == "exits"]
        heard = [kind for kind, receivers in ROUTES.items() if exits.name in receivers]
        silent = dict.fromkeys(heard, lambda message, now_ns: NOTHING)
        exits.deaf = ()
        exits.handlers = {**silent, TimerFired: lambda message, now_ns: (self.wishes.pop(),)}


class Long(Stage):
    """`bid` and `ask`: the strategy's working quotes, after its first bid was filled."""

    def __init__(self) -> None:
        self.hand = Hand()
        super().__init__(before=self.hand.take_over)
        self.accept(self.bid)
        self.accept(self.ask)
        self.fill(self.bid)
        self.tick()
        self.bid = self.submits()[-1]
        self.accept(self.bid)
        assert self.position() == 100
        self.house.wait(100)
        self.house.forget()

    def exit(self, ticks: int = ASK, lots: int = 100, life_ns: int = 3600 * SECOND, **given: Any) -> None:
        """Exits wish to sell."""
        now_ns = self.house.clock.now_ns()
        wish = QuoteIntent(ACCOUNT, VENUE, 0, 1, "exits", True, 0, 0, now_ns + life_ns, 0, 0, ticks, lots, **given)
        self.hand.wishes.append(wish)
        self.house.post(TimerFired("exits", 0, 0, now_ns))

    def end(self, *orders: str) -> None:
        for order in orders:
            self.answer_cancel(order)
            self.canceled(order)

    def orders(self) -> list[tuple[str, str, float]]:
        """(type, price, quantity in BTC) of what was sent since `forget`; the strategy's and the exits' alike."""
        return [(row["type"], row["price"].rstrip("0"), float(row["quantity"])) for row in self.all_submits]

    def refused(self) -> list[OrderRefused]:
        return self.house.said(OrderRefused)


def leaving() -> Long:
    """Exits have wished to sell it all passively, and the strategy's quotes have left."""
    stage = Long()
    stage.exit(ASK + 5)
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    assert stage.orders() == [], "the strategy's ask may still sell the position"
    stage.end(stage.bid, stage.ask)
    return stage


def test_the_strategy_leaves_first_and_the_exit_is_as_large_as_the_position() -> None:
    stage = leaving()
    assert stage.orders() == [("LIMIT_MAKER", "60000.15", 0.001)]
    assert stage.refused() == []


def test_while_the_exit_is_wished_the_strategy_sends_nothing_and_comes_back_when_it_is_not() -> None:
    stage = leaving()
    [order] = stage.submits()
    stage.accept(order)
    for _ in range(15):
        stage.tick()
    assert stage.submits() == [order]
    assert stage.house.actor("execution").view()["intents_outranked"] > 0
    stage.exit(0, 0)
    assert stage.cancels()[-1] == order
    stage.end(order)
    stage.house.forget()
    for _ in range(15):
        stage.tick()
    assert stage.orders() == [("LIMIT_MAKER", "60000.", 0.001), ("LIMIT_MAKER", "60000.1", 0.001)]


def test_an_exit_that_nobody_renews_gives_the_instrument_back() -> None:
    stage = Long()
    stage.exit(life_ns=SECOND)
    stage.end(stage.bid, stage.ask)
    [order] = stage.submits()
    stage.accept(order)
    stage.house.wait(1_200)
    assert stage.cancels()[-1] == order
    stage.end(order)
    stage.house.forget()
    for _ in range(15):
        stage.tick()
    assert len(stage.submits()) == 2


def test_if_the_strategys_ask_sells_the_position_on_its_way_out_the_exit_sells_nothing() -> None:
    stage = Long()
    stage.exit(BID, cross=True)
    stage.end(stage.bid)
    stage.fill(stage.ask)
    for _ in range(5):
        stage.tick()
    assert (stage.position(), stage.orders(), stage.refused()) == (0, [], [])


def test_if_it_sells_a_part_the_exit_sells_the_rest() -> None:
    stage = Long()
    stage.exit(BID, cross=True)
    stage.end(stage.bid)
    stage.fill(stage.ask, "0.00060000")
    stage.answer_cancel(stage.ask)
    stage.canceled(stage.ask, "0.00060000")
    assert stage.orders() == [("LIMIT", "60000.", 0.0004)]
    assert stage.refused() == []


def test_a_crossing_exit_is_a_limit_order_that_may_take_and_waits_for_our_own_bid_to_be_gone() -> None:
    """Our bid rests where it sells: until its cancel is answered, the exit would be our own counterparty."""
    stage = Long()
    stage.exit(BID - 10, cross=True)
    stage.end(stage.ask)
    assert stage.orders() == []
    stage.end(stage.bid)
    assert stage.orders() == [("LIMIT", "59999.9", 0.001)]
    assert [row["timeInForce"] for row in stage.all_submits] == ["GTC"]
    assert stage.refused() == []


def test_a_resting_exit_becomes_a_crossing_one_in_turn() -> None:
    """Together they could sell 200 of 100. What the first sold before its end is not sold again."""
    stage = leaving()
    [passive] = stage.submits()
    stage.accept(passive)
    stage.house.forget()
    stage.exit(BID, cross=True)
    assert (stage.cancels(), stage.orders()) == ([passive], [])
    stage.fill(passive, "0.00030000")
    assert stage.orders() == []
    stage.answer_cancel(passive)
    stage.canceled(passive, "0.00030000")
    assert stage.orders() == [("LIMIT", "60000.", 0.0007)]
    assert (stage.position(), stage.refused()) == (70, [])


def test_a_resting_exit_that_fills_before_its_cancel_leaves_nothing_to_cross() -> None:
    stage = leaving()
    [passive] = stage.submits()
    stage.accept(passive)
    stage.house.forget()
    stage.exit(BID, cross=True)
    stage.fill(passive)
    stage.answer_cancel(passive, -2011, "Unknown order sent.")
    for _ in range(5):
        stage.tick()
    assert (stage.status(passive), stage.position(), stage.orders()) == (OrderStatus.FILLED, 0, [])


@pytest.mark.parametrize("lots", [100, 250])
def test_an_exit_never_sells_more_than_there_is(lots: int) -> None:
    stage = Long()
    stage.exit(BID, lots, cross=True)
    stage.end(stage.bid, stage.ask)
    [order] = stage.submits()
    stage.accept(order)
    stage.fill(order, QUANTITY)
    for _ in range(5):
        stage.tick()
    assert stage.position() == 0
    assert [row for row in stage.orders() if row[0] == "LIMIT"] == [("LIMIT", "60000.", 0.001)]
