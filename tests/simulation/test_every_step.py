"""A restart at every step of a story ends where no restart would: orders, fills, position, ledger and reservations.

The story is small and told by the venue; what it says while the process is dead nobody hears, and only questions bring it.
The process dies behind each step, and in the middle of each: before and behind every record of its journal.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from bus.messages import Fill, OrderUpdate
from tests.support.mortal import Killed, MortalJournal
from tests.support.play import Play
from tests.support.transcript import do


class Step(NamedTuple):
    """line: of a transcript. orders, trades: the venue's truth from then on, as answers say it."""

    line: str
    orders: str
    trades: str = ""


STORY = (
    Step("bid1 answered", "bid1 ask1"),
    Step("bid1 reported NEW NEW", "bid1 ask1"),
    Step("ask1 accepted", "bid1 ask1"),
    Step("bid1 filled 40 of 40 in trade 1", "bid1=WORKING/40 ask1", "bid1!1/40"),
    Step("ask1 filled 100 in trade 2", "bid1=WORKING/40 ask1=FILLED/100", "bid1!1/40 ask1!2/100"),
    Step("operator HALT: enough", "bid1=WORKING/40 ask1=FILLED/100", "bid1!1/40 ask1!2/100"),
    Step("bid1 filled 30 of 70 in trade 3", "bid1=WORKING/70 ask1=FILLED/100", "bid1!1/40 ask1!2/100 bid1!3/30"),
    Step("bid1 canceled with 80 executed", "bid1=CANCELED/80 ask1=FILLED/100", "bid1!1/40 ask1!2/100 bid1!3/30 bid1!4/10"),
    Step("bid1 filled 10 of 80 in trade 4", "bid1=CANCELED/80 ask1=FILLED/100", "bid1!1/40 ask1!2/100 bid1!3/30 bid1!4/10"),
)  # fmt: skip
ADOPT = '\n[orders]\nleftovers = "adopt"\n'
"""Else a start would cancel what the story still needs."""
STARTS_RECORDS = 4
"""At least so many the journal gets in each start of this story: ids reserved, and what becomes of the orders."""


class Told:
    """One telling. journal.left: records until the process dies, 0 and below: never."""

    def __init__(self) -> None:
        self.play = Play(ADOPT)
        house = self.play.stage.house
        self.journal = MortalJournal()
        self.journal.records = house.journal.records
        house.journal = house.door._journal = house.host.journal = self.journal
        self.before = len(self.journal.records)
        self.deaths = 0

    def tell(self, *, dies_behind: int = -1, again: int = -1, checkpoint_behind: int = -1) -> None:
        """again: and once more, before that record of the start that follows."""
        for number, step in enumerate(STORY):
            try:
                do(self.play, step.line)
            except Killed:
                self.come_back(step)
                if step.line.startswith("operator"):
                    do(self.play, step.line)  # a person whose word was lost says it again
            if number == checkpoint_behind:
                self.play.checkpoint()
            if number == dies_behind:
                self.journal.left = again
                self.come_back(step)
        self.settle(STORY[-1], "8")

    def come_back(self, step: Step) -> None:
        self.deaths += 1
        try:
            self.play.restart()
        except Killed:
            self.come_back(step)
            return
        self.settle(step, "0.5")

    def settle(self, step: Step, seconds: str) -> None:
        """Every question is answered with the truth; a second death in it is followed by another start."""
        orders = [word for word in step.orders.split() if "=" not in word or "=WORKING" in word]
        answers = f"OPEN_ORDERS {' '.join(orders)}; ORDER {step.orders}; TRADES {step.trades}"
        try:
            self.play.settle(seconds, "s", answers)
        except Killed:
            self.come_back(step)
            self.settle(step, seconds)

    def end(self) -> dict[str, Any]:
        """Everything that must not depend on how often it died."""
        stage, journaled = self.play.stage, self.journal.messages()
        updates = [message for message in journaled if isinstance(message, OrderUpdate)]
        fills = [message for message in journaled if isinstance(message, Fill)]
        house = stage.house
        assert house.host.failures == 0
        return {
            "orders": {row.client_order_id: (row.status.name, row.cumulative_lots, row.leaves_lots) for row in updates},
            "fills": sorted((row.client_order_id, row.trade_id, row.quantity) for row in fills),
            "updates without a gap": [row.number for row in updates] == list(range(1, len(updates) + 1)),
            "fills without a gap": [row.number for row in fills] == list(range(1, len(fills) + 1)),
            "position": stage.position(),
            "ledger": house.actor("portfolio").view()["ledger"],
            "reserved": stage.reserved(),
            "trading": stage.trading().name,
            "open": house.actor("risk").view()["open_orders"],
            "ready": house.actor("orders").view()["phase"],
            "submits": sorted(row["newClientOrderId"] for row in stage.all_submits),
        }


@pytest.fixture(scope="module")
def alive() -> Told:
    told = Told()
    told.tell()
    return told


def test_the_story_ends_as_it_should(alive: Told) -> None:
    end = alive.end()
    names = {alive.play.names[key]: what for key, what in end["orders"].items()}
    assert names == {"bid1": ("CANCELED", 80, 0), "ask1": ("FILLED", 100, 0)}
    assert (end["position"], end["reserved"], end["open"], end["ready"]) == (-20, (-20, -20), 0, "READY")
    assert len(end["fills"]) == 4


@pytest.mark.parametrize("checkpoint", range(-1, len(STORY), 3), ids=lambda step: f"checkpoint_behind_{step}")
def test_a_restart_behind_every_step_changes_nothing(alive: Told, checkpoint: int) -> None:
    for step in range(len(STORY)):
        told = Told()
        told.tell(dies_behind=step, checkpoint_behind=checkpoint)
        assert told.end() == alive.end(), f"died behind {STORY[step].line!r}"


def deaths(alive: Told) -> Iterator[tuple[int, bool]]:
    for record in range(1, len(alive.journal.records) - alive.before + 1):
        yield from ((record, False), (record, True))


@pytest.mark.parametrize("checkpoint", [-1, 3])
def test_a_death_around_every_record_changes_nothing(alive: Told, checkpoint: int) -> None:
    """checkpoint: behind the first fill, or none, so that all is folded from the journal."""
    for record, behind in deaths(alive):
        told = Told()
        told.journal.left, told.journal.behind = record, behind
        told.tell(checkpoint_behind=checkpoint)
        assert told.deaths == 1
        assert told.end() == alive.end(), f"died {'behind' if behind else 'before'} record {record}"


@pytest.mark.parametrize("step", [3, 5, 7])
def test_a_second_death_while_it_comes_back_changes_nothing(alive: Told, step: int) -> None:
    """Behind a step, and again before one of the records of the start that follows."""
    for record in range(1, STARTS_RECORDS + 1):
        told = Told()
        told.tell(dies_behind=step, again=record)
        assert told.deaths == 2
        assert told.end() == alive.end(), f"died behind {STORY[step].line!r} and at record {record} of the start"
