"""An actor raises, a strategy is quarantined, a disk is full: nothing is quoted on what is half done, and nothing is lost."""

import errno
from pathlib import Path
from typing import Any

import pytest

from actors.strategy import Strategy
from actors.strategy.context import Context
from bus.actor import Actor
from bus.codec import decode_any
from bus.log import LogFull
from bus.messages import (
    HEADER_SIZE,
    ActorFailed,
    ActorsRestarted,
    ApprovedOrder,
    BookReason,
    BookState,
    BookStateChanged,
    BookView,
    ConnectionUp,
    Control,
    DepthUpdate,
    Frame,
    OperatorCommand,
    OrderCommand,
    OrderStatus,
    OrderUpdate,
    Refusal,
    Signals,
    SnapshotRequest,
    StrategyQuarantined,
    SubmitOrder,
    Touch,
    TradingState,
)
from tests.support.house import House
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


def careless(actors: list[Actor[Any]]) -> None:
    next(row for row in actors if row.name == "strategy").user.strategy = Careless()  # type: ignore[attr-defined]  # StrategyActor's


def test_a_strategy_that_raises_is_quarantined_and_its_orders_are_canceled() -> None:
    stage = Stage(before=careless)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.tick()
    stage.tick()
    [quarantined] = stage.house.said(StrategyQuarantined)
    assert (quarantined.owner, "ZeroDivisionError" in quarantined.reason) == ("main", True)
    assert "test_failures.py:" in quarantined.reason, "the line that raised is what its author needs"
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    assert (stage.trading(), stage.house.said(ActorFailed)) == (TradingState.ACTIVE, [])
    before = len(stage.submits())
    stage.move("60000.02", "60000.08")
    assert len(stage.submits()) == before


def test_a_quarantined_strategy_quotes_again_at_a_persons_word() -> None:
    stage = Stage(before=careless)
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    stage.tick()
    stage.tick()
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    stage.house.wire.written.clear()
    stage.house.post(OperatorCommand(Control.RESUME, -1, "looked at it"))
    stage.tick()
    assert stage.submits() == [], "a RESUME of the engine is not of the strategy"
    stage.house.post(OperatorCommand(Control.RESUME, -1, "mended", "main"))
    stage.tick()
    assert len(stage.submits()) == 2


@pytest.mark.parametrize(
    ("actor", "kind"), [("risk", OrderCommand), ("orders", ApprovedOrder), ("order_door", SubmitOrder)]
)
def test_an_order_lost_anywhere_on_its_way_is_reserved_only_if_it_may_have_left(actor: str, kind: Any) -> None:
    """Goal: a failure between reservation and socket leaves no reservation behind. Method: raise at each station; the run is
    over on the spot, as if the process had died, and another one folds the journal."""
    bomb = Bomb(actor, kind)
    if actor == "order_door":
        stage = Stage()
        stage.accept(stage.bid)
        stage.accept(stage.ask)
        bomb.plant([stage.house.door])  # type: ignore[list-item]  # a door has handlers like an actor
        stage.house.host.renew([stage.house.door])
    else:
        stage = working(bomb)
    stage.fill(stage.bid)
    bomb.armed = True
    written = len(stage.submits())
    stage.tick()
    assert not bomb.armed, "the bomb did not go off"
    crash = stage.house.supervision.crash
    assert crash is not None
    assert crash.receiver == actor
    assert len(stage.submits()) == written
    stage.tick()
    assert (len(stage.submits()), stage.cancels()) == (written, []), "a run that is over does nothing, cancels included"
    after = House(clock=stage.house.clock, journal=stage.house.journal, epoch=2)
    for _, _, now_ns, body in list(stage.house.journal.records):
        message = decode_any(body[HEADER_SIZE:])
        for row in after.actors:
            if fold := row.recovers().get(type(message)):
                fold(message, now_ns)
    view = after.actor("risk").view()
    lost = 100 if actor == "order_door" else 0  # its intent is journaled: the venue must say that it never saw it
    assert (view["worst_long_lots"][0], view["worst_short_lots"][0]) == (100 + lost, 0), "the fill, the ask that works"


@pytest.mark.parametrize(
    ("actor", "kind", "anew"),
    [
        ("microstructure", BookView, ["microstructure"]),
        ("orderbook", DepthUpdate, ["orderbook", "microstructure"]),
        ("market_data", Frame, ["market_data", "orderbook", "microstructure"]),
    ],
)
def test_a_feed_actor_that_raises_is_made_anew_with_those_behind_it(actor: str, kind: Any, anew: list[str]) -> None:
    """Its book has no price before the next input is taken; it synchronizes, and trading goes on without a person."""
    bomb = Bomb(actor, kind)
    stage = working(bomb)
    dropped: list[str] = []
    stage.house.supervision.reopen = dropped.append
    before = {row.name: row for row in stage.house.actors}
    bomb.armed = True
    stage.house.forget()
    stage.depth([["59980.00", "5.0"]], [])
    assert [row.name for row in stage.house.actors if row is not before[row.name]] == anew
    assert sorted(stage.cancels()) == sorted([stage.bid, stage.ask])
    [restarted] = stage.house.said(ActorsRestarted)
    assert (list(restarted.actors), restarted.attempt) == (anew, 1)
    assert stage.trading() is TradingState.ACTIVE
    lost, first = stage.house.said(BookStateChanged)[0], stage.house.story().index("execution < BookStateChanged")
    assert (lost.state, lost.reason) == (BookState.INVALID, BookReason.RESTARTED)
    assert first < stage.house.story().index("supervision < ActorsRestarted"), (
        "trading does not go on before books are lost"
    )
    for order in (stage.bid, stage.ask):
        stage.answer_cancel(order)
        stage.canceled(order)
    if actor == "market_data":
        assert dropped == ["market data was made anew"]
        stage.house.post(ConnectionUp(0, 2, stage.house.clock.now_ns()))
    stage.house.wire.written.clear()
    stage.open_book_again()
    stage.tick()
    assert len(stage.submits()) == 2


def test_a_failure_in_one_handler_leaves_the_rest_of_the_cascade_whole() -> None:
    """Microstructure fails on one view; the same frame's touch still reaches risk and execution."""
    bomb = Bomb("microstructure", BookView)
    stage = working(bomb)
    bomb.armed = True
    touches = len(stage.house.said(Touch))
    stage.move("60000.03", "60000.09")
    assert len(stage.house.said(Touch)) == touches + 1
    assert stage.house.host.failures == 1


def resynchronize(stage: Stage) -> None:
    """Attempts at a snapshot are spaced more and more."""
    while not any(isinstance(message, SnapshotRequest) for message in stage.house.asked):
        stage.house.wait(100)
    stage.open_book()


def test_what_fails_too_often_stays_down_and_the_engine_only_cancels() -> None:
    bomb = Bomb("orderbook", DepthUpdate)
    stage = working(bomb)
    make = stage.house.supervision._make

    def make_bad(names: Any) -> Any:
        made = list(make(names))
        bomb.plant(made)
        return made

    stage.house.supervision._make = make_bad
    for failure in range(4):
        bomb.armed = True
        stage.depth([["59980.00", "5.0"]], [])
        assert not bomb.armed
        if failure < 3:
            resynchronize(stage)
    assert len(stage.house.said(ActorsRestarted)) == 3
    assert stage.trading() is TradingState.CANCEL_ONLY
    stage.house.wire.written.clear()
    resynchronize(stage)
    stage.tick()
    assert stage.submits() == []
    assert stage.house.host.broken == ""


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
