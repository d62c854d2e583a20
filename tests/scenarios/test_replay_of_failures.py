"""What failed and was made anew, and what was quarantined, is repeated by a replay: their inputs are in the log, timers are not."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.strategy import Context, Strategy
from bus.actor import Actor
from bus.messages import DepthUpdate, Message, Signals
from ops.config import parse
from ops.strategy_guard import Interrupted
from tests.support.house import CONFIG
from tests.support.replay import Replay, broken_off
from tests.support.stage import Stage

Plant = Callable[[list[Actor[Any]]], None]


def failing_at(count: int) -> Plant:
    """The order book raises at one message, half way through its fold, in the run and in the replay."""

    def plant(actors: list[Actor[Any]]) -> None:
        actor = next(row for row in actors if row.name == "orderbook")
        real, seen = actor.handlers[DepthUpdate], 0

        def handler(message: Message, now_ns: int) -> tuple[Message, ...]:
            nonlocal seen
            seen += 1
            out = real(message, now_ns)
            if seen == count:
                raise ZeroDivisionError
            return out

        actor.handlers = {**actor.handlers, DepthUpdate: handler}

    return plant


class Quoting(Strategy):
    """Wishes the touch; at its third signal it fails as it was told to, after it has wished."""

    def __init__(self, error: BaseException) -> None:
        self.error, self.calls = error, 0

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.calls += 1
        tick = context.instrument(0).tick
        context.quote(0, signals.bid // tick, 100, signals.ask // tick, 100)
        context.set_timer("again", 1_000_000)
        if self.calls == 3:
            raise self.error


def failing_strategy(error: BaseException) -> Plant:
    def plant(actors: list[Actor[Any]]) -> None:
        next(row for row in actors if row.name == "strategy").user.strategy = Quoting(error)  # type: ignore[attr-defined]  # StrategyActor's

    return plant


@pytest.mark.parametrize(
    ("plant", "again"),
    [
        (failing_at(4), failing_at(4)),
        (failing_strategy(ZeroDivisionError()), failing_strategy(ZeroDivisionError())),
        (failing_strategy(Interrupted()), failing_strategy(AssertionError("a replay would hang here"))),
    ],
    ids=["an actor made anew", "a strategy that raised", "a strategy that hung"],
)
def test_a_replay_meets_the_same_failure_and_says_the_same(plant: Plant, again: Plant) -> None:
    stage = Stage(before=plant)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    for _ in range(4):
        stage.tick()
    stage.house.wait(300)
    stage.move("60000.02", "60000.08")
    house = stage.house
    assert house.host.failures == 1
    rows = house.input_log.records
    replay = Replay(parse(CONFIG), house.instruments, broken_off=broken_off(rows), before=again)
    assert replay.first_difference(rows) == -1
    assert replay.host.failures == 1
    assert replay.host.digest == house.host.digest
