"""Whatever proves a venue's stream, and wherever its books come from: LIVE is the truth, and it comes back by itself."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.messages import BookState, Outcome
from bus.messages.feed import Batch, DepthDiff, Garbage, Numbering, SnapshotSource, SyncRule
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import NUMBER, SYMBOL, Rule
from tests.actors.market_data.worlds import World

RULES: dict[str, SyncRule] = {
    f"{snapshot.name}-{numbering.name}": Rule(snapshot, numbering)
    for snapshot, numbering in product(SnapshotSource, Numbering)
}
RULES["binance-spot"] = BINANCE_SPOT
FAULTS = (
    *("none",) * 6, "drop", "twice", "late", "late", "again", "garbage", "garbage of it", "snapshot", "old snapshot",
    "refuse", "timer",
)  # fmt: skip
Step = tuple[str, int, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(FAULTS), st.integers(1, 3), st.integers(0, 19), st.integers(0, 4)),
    min_size=1,
    max_size=60,
)


class Network:
    """Delivers as told. sent: frames of the stream, for repeating; delayed: those that come after the next one."""

    def __init__(self, rule: SyncRule) -> None:
        self.world = World(rule)
        self.sent: list[DepthDiff | Batch] = []
        self.delayed: list[DepthDiff | Batch] = []

    def step(self, fault: str, changes: int, where: int, quantity: int) -> None:
        world = self.world
        if fault == "snapshot":
            world.stream_book()
            world.answer(world.venue.body(world.venue.last))
        elif fault == "old snapshot":
            world.answer(world.venue.body(max(0, world.venue.last - where)))
        elif fault == "refuse":
            world.answer(None, Outcome.AMBIGUOUS)
        elif fault == "timer":
            world.fire()
        elif fault == "again":
            if self.sent:
                world.deliver(self.sent[-1 - where % len(self.sent)])
        else:
            self._diff(fault, world.venue.diff(changes, where, quantity))

    def _diff(self, fault: str, diff: DepthDiff) -> None:
        world = self.world
        event = world.wrap(diff)
        if fault.startswith("garbage"):
            lost = Garbage("cut", SYMBOL if fault == "garbage of it" else "")
            world.deliver(Batch((lost,), event.sequence) if isinstance(event, Batch) else lost)
            return
        if fault == "late":
            self.delayed.append(event)
            return
        if fault != "drop":
            world.deliver(event)
            self.sent.append(event)
        if fault == "twice":
            world.deliver(event)
        while self.delayed:
            world.deliver(self.delayed.pop())

    def heal(self) -> None:
        """A network without faults: frames arrive, timers fire, requests are answered."""
        world = self.world
        self.delayed.clear()
        for turn in range(40):
            self.step("none", 1, turn, 1 + turn % 3)
            world.fire()
            world.stream_book()
            world.answer(world.venue.body(world.venue.last))


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_a_live_book_is_the_venues_book_and_comes_back_by_itself(name: str, steps: list[Step]) -> None:
    network = Network(RULES[name])
    for step in steps:
        network.step(*step)
    network.heal()
    assert network.world.said == BookState.LIVE
    assert network.world.orderbook.entries[NUMBER].sequence == network.world.venue.last


def live(rule: SyncRule) -> Network:
    network = Network(rule)
    network.step("none", 1, 0, 1)
    network.step("snapshot", 1, 0, 1)
    network.step("none", 1, 1, 1)
    assert network.world.said == BookState.LIVE
    return network


@pytest.mark.parametrize("name", [name for name in RULES if "CHECKSUM" not in name])
def test_two_frames_that_changed_places_cost_no_snapshot(name: str) -> None:
    network = live(RULES[name])
    network.step("late", 1, 2, 3)
    network.step("none", 2, 3, 4)
    world = network.world
    assert (world.said, world.orderbook.entries[NUMBER].sequence) == (BookState.LIVE, world.venue.last)
    assert world.market_data.view()["reordered"] == 1


@pytest.mark.parametrize("name", RULES)
def test_a_lost_frame_is_found_at_the_next_one(name: str) -> None:
    network = live(RULES[name])
    network.step("drop", 1, 2, 3)
    network.step("none", 2, 3, 4)
    assert network.world.said == BookState.INVALID


@pytest.mark.parametrize("name", RULES)
def test_a_repeated_frame_changes_nothing(name: str) -> None:
    network = live(RULES[name])
    for _ in range(3):
        network.step("none", 1, 2, 3)
    for back in range(4):
        network.step("again", 1, back, 1)
    assert network.world.said == BookState.LIVE
    assert network.world.market_data.view()["gaps"] == 0
