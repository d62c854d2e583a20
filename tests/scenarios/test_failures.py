"""An actor raises, a disk is full: what was lost is answered, what works is canceled, and nothing new goes."""

import errno
from pathlib import Path
from typing import Any

import pytest

from actors.strategy import Strategy
from actors.strategy.context import Context
from bus.actor import Actor
from bus.log import LogFull
from bus.messages import (
    ActorFailed,
    ApprovedOrder,
    BookView,
    CommandDropped,
    Control,
    OperatorCommand,
    OrderCommand,
    OrderStatus,
    OrderUpdate,
    Refusal,
    Signals,
    SubmitOrder,
    Touch,
    TradingState,
)
from tests.support.stage import Stage


class Bomb:
    """Replaces one handler of one actor: raises at the message that `armed` announces."""

    def __init__(self, actor: str, kind: type[Any]) -> None:
        self.actor, self.kind, self.armed = actor, kind, False

    def plant(self, actors: list[Actor[Any]]) -> None:
        actor = next(row for row in actors if row.name == self.actor)
        real = actor.handlers[self.kind]

        def handler(message: Any, now_ns: int) -> Any:
            if self.armed:
                self.armed = False
                raise ZeroDivisionError("the bomb")
            return real(message, now_ns)

        actor.handlers = {**actor.handlers, self.kind: handler}


def working(bomb: Bomb) -> Stage:
    stage = Stage(before=bomb.plant)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.house.wait(200)
    return stage


class Careless(Strategy):
    """A user's strategy: it quotes well until it divides by zero."""

    def __init__(self) -> None:
        self.calls = 0

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.calls += 1
        tick = context.instrument(0).tick
        context.quote(0, signals.bid // tick, 100, signals.ask // tick, 100)
        if self.calls == 3:
            _ = 1 // (self.calls - 3)


def test_a_strategy_that_raises_halts_trading_and_its_orders_are_canceled() -> None:
    def replace(actors: list[Actor[Any]]) -> None:
        next(row for row in actors if row.name == "strategy").strategy = Careless()  # type: ignore[attr-defined]  # StrategyActor's

    stage = Stage(before=replace)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.tick()
    stage.tick()
    [failed] = stage.house.said(ActorFailed)
    assert (failed.actor, "ZeroDivisionError" in failed.error) == ("strategy", True)
    assert stage.trading() is TradingState.HALTED
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    before = len(stage.submits())
    stage.move("60000.02", "60000.08")
    assert len(stage.submits()) == before


@pytest.mark.parametrize(
    ("actor", "kind"), [("risk", OrderCommand), ("orders", ApprovedOrder), ("order_door", SubmitOrder)]
)
def test_an_order_lost_anywhere_on_its_way_gives_its_reservation_back(actor: str, kind: Any) -> None:
    """Goal: no command is ever lost without a word. Method: raise at each station between execution and the socket."""
    bomb = Bomb(actor, kind)
    if actor == "order_door":
        stage = Stage()
        stage.accept(stage.bid)
        stage.accept(stage.ask)
        bomb.plant([stage.house.door])  # type: ignore[list-item]  # a door has handlers like an actor
        stage.house.host._cells["order_door"].handlers = stage.house.door.handlers
    else:
        stage = working(bomb)
    stage.fill(stage.bid)
    bomb.armed = True
    written = len(stage.submits())
    stage.tick()
    assert not bomb.armed, "the bomb did not go off"
    [dropped] = stage.house.said(CommandDropped)
    assert dropped.instrument == 0
    assert len(stage.submits()) == written
    assert stage.reserved() == (100, 0), "the position of the fill and the ask that works; nothing for the lost bid"
    assert stage.trading() is TradingState.HALTED
    assert stage.ask in stage.cancels()


def test_a_failure_in_one_handler_leaves_the_rest_of_the_cascade_whole() -> None:
    """Microstructure fails on one view; the same frame's touch still reaches risk and execution."""
    bomb = Bomb("microstructure", BookView)
    stage = working(bomb)
    bomb.armed = True
    touches = len(stage.house.said(Touch))
    stage.move("60000.03", "60000.09")
    assert len(stage.house.said(Touch)) == touches + 1
    assert stage.house.host.failures == 1


def test_a_person_ends_the_halt_and_trading_goes_on() -> None:
    bomb = Bomb("strategy", Signals)
    stage = working(bomb)
    bomb.armed = True
    stage.tick()
    assert stage.trading() is TradingState.HALTED
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    stage.house.wire.written.clear()
    stage.house.post(OperatorCommand(Control.RESUME, -1, "looked at it"))
    stage.tick()
    assert stage.trading() is TradingState.ACTIVE
    assert len(stage.submits()) == 2


class FullJournal:
    """A journal whose disk is full: what RecordLog raises then."""

    full = True

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        raise LogFull(Path("journal"), 1 << 24, errno.ENOSPC)


def test_a_full_disk_stops_new_orders_and_cancels_still_go() -> None:
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    full = FullJournal()
    stage.house.door._journal = stage.house.host.journal = full
    stage.fill(stage.bid)
    stage.house.wire.written.clear()
    stage.tick()
    assert stage.submits() == []
    [refused] = [update for update in stage.house.said(OrderUpdate) if update.refusal is Refusal.DISK]
    assert refused.status is OrderStatus.NEVER_SENT
    stage.house.post(OperatorCommand(Control.CANCEL_ALL, -1, "disk"))
    assert stage.cancels() == [stage.ask]
    assert stage.house.door.unjournaled_cancels == 1
    assert stage.house.host.journal_failures > 0
    assert stage.position() == 100, "a fact is a fact even when the disk is full"
