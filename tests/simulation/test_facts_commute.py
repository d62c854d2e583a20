"""The venue's facts on orders commute over the whole engine, and a second comparison has no news.

Whatever order the private stream tells a story in, however often, and however much of it only answers bring: the same
orders, fills, position and ledger, and nothing stays reserved.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bus.messages import (
    Control,
    Difference,
    Fill,
    LedgerAdjusted,
    Message,
    OperatorCommand,
    OrderUpdate,
    Reconciled,
)
from tests.support.play import Play
from tests.support.transcript import do

FACTS = (
    "bid1 answered",
    "bid1 reported NEW NEW",
    "bid1 filled 40 of 40 in trade 1",
    "bid1 filled 30 of 70 in trade 3",
    "bid1 filled 10 of 80 in trade 4",
    "bid1 canceled with 80 executed",
    "ask1 answered",
    "ask1 reported NEW NEW",
    "ask1 filled 60 of 60 in trade 2",
    "ask1 filled 40 of 100 in trade 5",
)
TRUTH = "ORDER bid1=CANCELED/80 ask1=FILLED/100; TRADES bid1!1/40 ask1!2/60 bid1!3/30 bid1!4/10 ask1!5/40"
EVENTS: tuple[type[Message], ...] = (OrderUpdate, Fill, Difference, LedgerAdjusted)


def end(play: Play) -> dict[str, Any]:
    house = play.stage.house
    assert house.host.failures == 0
    journaled = house.journal.messages()
    updates = [message for message in journaled if isinstance(message, OrderUpdate)]
    return {
        "orders": {row.client_order_id: (row.status.name, row.cumulative_lots, row.leaves_lots) for row in updates},
        "fills": sorted((m.client_order_id, m.trade_id, m.quantity) for m in journaled if isinstance(m, Fill)),
        "position": play.stage.position(),
        "ledger": house.actor("portfolio").view()["ledger"],
        "reserved": play.stage.reserved(),
        "open": house.actor("risk").view()["open_orders"],
    }


def told(facts: list[str], *, heard: bool = True) -> Play:
    """heard: the stream tells them; else the stream was away, and answers do."""
    play = Play()
    play.operator("HALT", "no new orders")
    if not heard:
        play.stage.lose_connection()
    for fact in facts:
        do(play, fact)
    if not heard:
        play.reconnect()
    play.settle("8", "s", TRUTH)
    return play


EXPECTED = end(told(list(FACTS)))


def test_the_story_ends_as_it_should() -> None:
    assert sorted(EXPECTED["orders"].values()) == [("CANCELED", 80, 0), ("FILLED", 100, 0)]
    assert (EXPECTED["position"], EXPECTED["reserved"], EXPECTED["open"], len(EXPECTED["fills"])) == (
        -20,
        (-20, -20),
        0,
        5,
    )


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_order_any_repeats_and_any_gaps_end_the_same(data: st.DataObject) -> None:
    """Each fact is told once, twice, or never: then the answers to our questions bring it."""
    repeats = data.draw(st.lists(st.sampled_from(FACTS), max_size=5), label="repeats")
    lost = data.draw(st.sets(st.sampled_from(FACTS)), label="lost")
    facts = data.draw(st.permutations([fact for fact in (*FACTS, *repeats) if fact not in lost]), label="told")
    assert end(told(facts)) == EXPECTED


def test_answers_alone_tell_the_same() -> None:
    assert end(told([], heard=False)) == EXPECTED


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_second_comparison_says_nothing(data: st.DataObject) -> None:
    """By a person's word, on a reconnect, and in another process: compared, and no event of it."""
    play = told(data.draw(st.permutations(FACTS)))
    for again in data.draw(st.lists(st.sampled_from(["asked for", "reconnect", "restart"]), min_size=1, max_size=3)):
        before = len(play.stage.house.journal.records)
        if again == "restart":
            play.restart()
        elif again == "reconnect":
            play.stage.lose_connection()
            play.reconnect()
        else:
            play.stage.house.post(OperatorCommand(Control.RECONCILE, -1, "to be sure", asker="a person"))
        house = play.stage.house
        house.tap.carried.clear()
        play.settle("3", "s", TRUTH)
        assert [m.differences for m in dict.fromkeys(m for _, m in house.tap.carried) if isinstance(m, Reconciled)] == [
            0
        ]
        assert [message for message in house.journal.messages()[before:] if isinstance(message, EVENTS)] == []
    assert end(play) == EXPECTED
