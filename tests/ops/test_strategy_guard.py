"""A strategy's time: real signals, real hooks, a real host in this process. No figure is asserted, only what follows."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from actors.strategy import Context, Strategy, StrategyActor, StrategyFailed
from bus.actor import Handler
from bus.host import Host, Routing
from bus.loopback import LoopbackMailboxes
from bus.messages import Message, Signals
from ops import strategy_guard as module
from ops.strategy_guard import LOOKS, OVERRUNS_MAX, RAISES_MAX, Interrupted, StrategyGuard, running_hook
from tests.actors.strategy.builders import NOW, running, signals

HANG_MS = 50
WAIT_S = 30.0
BUDGET_US = 20_000


@contextmanager
def guarded(guard: StrategyGuard) -> Iterator[None]:
    guard.start()
    try:
        yield
    finally:
        guard.stop()


class Doing(Strategy):
    def __init__(self, what: Callable[[], object]) -> None:
        self.what = what

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.what()


def for_ever() -> None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        pass


def asleep() -> None:
    time.sleep(WAIT_S)


def in_a_library() -> None:
    """Python's own: its frames are inside the user's."""
    threading.Event().wait(WAIT_S)


def stubborn() -> None:
    """As a user's loop that survives its own mistakes."""
    while True:
        try:
            for_ever()
        except Exception:  # noqa: BLE001 - what it is about
            continue


def unguarded() -> StrategyGuard:
    return StrategyGuard(BUDGET_US, HANG_MS, lambda reason: None)


@pytest.mark.parametrize("hang", [for_ever, asleep, stubborn])
def test_a_hook_that_does_not_come_back_is_broken_off(hang: Callable[[], None]) -> None:
    guard, actor = unguarded(), running(Doing(hang))
    with guarded(guard), pytest.raises(StrategyFailed) as raised:
        actor.receive(signals(), NOW)
    assert isinstance(raised.value.__cause__, Interrupted)
    assert guard.interrupted == 1
    assert actor.user.quarantined


@pytest.mark.parametrize(("hang", "function"), [(for_ever, "for_ever"), (in_a_library, "in_a_library")])
def test_a_call_that_is_broken_off_is_told_by_the_users_own_line(hang: Callable[[], None], function: str) -> None:
    """Whatever library it was in, and whoever raised it."""
    rig = Rig(hang)
    told: list[str] = []
    rig.host.on_failure = lambda failure: (told.append(failure.text), True)[1]
    with guarded(rig.guard):
        rig.tick(1)
    [text] = told
    assert re.search(rf"did not come back within 0.05 s \(test_strategy_guard.py:\d+ in {function}\)$", text), text


class Ended(BaseException):
    """In place of the end of this process."""


def test_one_that_swallows_everything_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[None] = []

    def end() -> None:
        ended.append(None)
        raise Ended

    monkeypatch.setattr(module, "_end_process", end)
    swallowed: list[type[BaseException]] = []

    def swallow() -> None:
        while not ended:
            try:
                for_ever()
            except BaseException as error:  # noqa: BLE001 - what it is about
                swallowed.append(type(error))

    with guarded(unguarded()):
        running(Doing(swallow)).receive(signals(), NOW)
    assert swallowed == [Interrupted] * RAISES_MAX + [Ended]


def test_the_engines_own_code_is_never_hit() -> None:
    """A loop for far longer than any hook may take, beside the strategy: looks come and raise nothing."""
    guard, actor = unguarded(), running(Doing(lambda: None))
    looked: list[object] = []
    look = guard._look
    guard._look = lambda number, frame: (looked.append(frame), look(number, frame))  # type: ignore[method-assign]  # counted
    with guarded(guard):
        end = time.monotonic() + WAIT_S
        while len(looked) < 4 * LOOKS and time.monotonic() < end:
            actor.receive(signals(), NOW)
            sum(range(1_000))
    assert len(looked) >= 4 * LOOKS
    assert (guard.interrupted, actor.user.quarantined) == (0, False)


def test_many_short_calls_are_not_one_long_one() -> None:
    """Each is another call, even where every look finds one running."""
    guard, actor = unguarded(), running(Doing(lambda: time.sleep(0.012)))
    with guarded(guard):
        for _ in range(30):
            actor.receive(signals(), NOW)
    assert not actor.user.quarantined


def test_a_host_on_another_thread_is_left_alone() -> None:
    guard = unguarded()
    thread = threading.Thread(target=lambda: (guard.start(), guard.stop()))
    thread.start()
    thread.join()
    assert guard.interrupted == 0


def test_a_frame_outside_of_a_hook_is_none() -> None:
    assert running_hook(None) is None


class Rig:
    """A host with one strategy, whose clock of signals is the test's."""

    def __init__(self, what: Callable[[], object]) -> None:
        self.blamed: list[str] = []
        self.actor: StrategyActor = running(Doing(what))
        everything: dict[type[Message], Handler] = dict(self.actor.handlers)
        routing = Routing(dict.fromkeys(everything, ("strategy",)), (), (), (), (tuple(everything),))
        self.host = Host([self.actor], routing, LoopbackMailboxes(), lambda: NOW)
        self.guard = StrategyGuard(BUDGET_US, HANG_MS, self.blamed.append)
        self.guard.attach(self.host, self.actor)

    def tick(self, times: int) -> None:
        for number in range(times):
            self.host.take(signals(update_id=number))

    @property
    def measured(self) -> bool:
        handlers: Any = self.host._cells["strategy"].handlers
        return handlers is not self.actor.handlers


def busy() -> None:
    end = time.thread_time_ns() + 2 * BUDGET_US * 1_000
    while time.thread_time_ns() < end:
        pass


@pytest.mark.parametrize("slow", [busy, lambda: time.sleep(2 * BUDGET_US / 1e6)])
def test_a_strategy_that_takes_longer_than_its_budget_again_and_again_is_blamed(slow: Callable[[], None]) -> None:
    """The first is only suspected; then ten are counted, whether it computed or waited."""
    rig = Rig(slow)
    rig.tick(OVERRUNS_MAX)
    assert rig.blamed == []
    rig.tick(1)
    assert len(rig.blamed) == 1
    assert f"{OVERRUNS_MAX} calls took longer than budget_us = {BUDGET_US}" in rig.blamed[0]


def test_nothing_is_measured_until_a_hop_was_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no more once a window has passed without another."""
    rig = Rig(lambda: None)
    rig.tick(3)
    assert not rig.measured
    rig.actor.user.strategy = Doing(busy)
    rig.tick(1)
    assert rig.measured
    rig.actor.user.strategy = Doing(lambda: None)
    rig.tick(3)
    assert rig.measured
    monkeypatch.setattr(rig.guard, "_until_ns", 1)
    rig.tick(1)
    assert not rig.measured


def test_a_few_overruns_are_forgiven() -> None:
    rig = Rig(busy)
    rig.tick(OVERRUNS_MAX // 2)
    rig.actor.user.strategy = Doing(lambda: None)
    rig.tick(100)
    assert rig.blamed == []
