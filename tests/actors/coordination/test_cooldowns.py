"""Cooldowns: held at once, told to the group until it has them, and over at their time, not sooner and not by a restart."""

import pytest

from bus.messages import (
    CooldownHeld,
    CooldownObserved,
    CooldownPublished,
    CooldownRequested,
    EngineStarted,
    Message,
    Outcome,
    PublishCooldown,
)
from tests.actors.coordination.build import MS, SETTINGS, START, Bench, every

END = START + 10_000 * MS


def request(until_ns: int = END, reason: str = "loss") -> CooldownRequested:
    return CooldownRequested(0, 0, 7, until_ns, reason)


def answer(bench: Bench, said: list[Message], outcome: Outcome, until_ns: int = END) -> list[Message]:
    [asked] = every(said, PublishCooldown)
    head = (asked.actor, asked.counter, asked.generation, outcome, asked.instrument)
    return bench.feed(CooldownPublished(*head, until_ns, asked.reason))


def test_it_is_held_in_the_step_that_asks_and_then_published() -> None:
    bench = Bench().ready()
    said = bench.feed(request())
    assert said[0] == CooldownHeld(7, END, "loss")
    [asked] = every(said, PublishCooldown)
    assert (asked.instrument, asked.until_ns, asked.reason) == (7, END, "loss")


def test_it_ends_at_its_time_and_says_so_once() -> None:
    bench = Bench().ready()
    answer(bench, bench.feed(request()), Outcome.RESULT)
    assert every(bench.wait(END - 1 - bench.now_ns), CooldownHeld) == []
    assert every(bench.wait(1), CooldownHeld) == [CooldownHeld(7, END, "loss")]
    assert every(bench.wait(60_000 * MS), CooldownHeld) == []
    assert bench.actor.view()["cooldowns"] == {}


@pytest.mark.parametrize("outcome", [Outcome.AMBIGUOUS, Outcome.REFUSED])
def test_it_is_published_again_until_the_group_has_it(outcome: Outcome) -> None:
    bench = Bench().ready()
    said = bench.feed(request())
    for _ in range(3):
        answer(bench, said, outcome)
        said = bench.wait(SETTINGS.retry_ns)
    answer(bench, said, Outcome.RESULT)
    assert every(bench.wait(END - bench.now_ns - 1), PublishCooldown) == []


def test_what_is_over_is_not_published_any_more() -> None:
    bench = Bench().ready()
    answer(bench, bench.feed(request()), Outcome.AMBIGUOUS)
    bench.timers.clear()  # the pause was as long as the cooldown
    bench.wait(END - bench.now_ns)
    assert every(bench.feed(request()), PublishCooldown) == []


def test_an_earlier_end_changes_nothing_a_later_one_does() -> None:
    bench = Bench().ready()
    bench.feed(request())
    assert bench.feed(request(END - 1)) == []
    assert every(bench.feed(CooldownObserved(7, END, "theirs")), CooldownHeld) == []
    assert every(bench.feed(CooldownObserved(7, END + 1, "theirs")), CooldownHeld) == [
        CooldownHeld(7, END + 1, "theirs")
    ]


def test_the_later_end_that_the_group_has_is_ours_too() -> None:
    bench = Bench().ready()
    said = answer(bench, bench.feed(request()), Outcome.RESULT, until_ns=END + 5)
    assert every(said, CooldownHeld) == [CooldownHeld(7, END + 5, "loss")]


def test_anothers_cooldown_is_held_and_not_published() -> None:
    bench = Bench().ready()
    said = bench.feed(CooldownObserved(7, END, "theirs"))
    assert every(said, CooldownHeld) == [CooldownHeld(7, END, "theirs")]
    assert every(said, PublishCooldown) == []


def test_a_cooldown_of_the_past_is_none() -> None:
    bench = Bench().ready()
    assert bench.feed(request(START), CooldownObserved(7, START, "old")) == []


def test_it_is_held_again_after_a_restart_and_published_if_nobody_heard_of_it() -> None:
    bench = Bench().ready()
    bench.feed(request())
    bench.restart()
    said = bench.begin(6)
    assert every(said, CooldownHeld) == [CooldownHeld(7, END, "loss")]
    assert len(every(said, PublishCooldown)) == 1
    assert every(bench.wait(END - bench.now_ns), CooldownHeld) == [CooldownHeld(7, END, "loss")]


def test_one_that_ended_while_we_were_down_is_said_so_that_risk_lets_go_of_it() -> None:
    bench = Bench().ready()
    bench.feed(request())
    bench.restart()
    bench.now_ns = END + 1
    assert CooldownHeld(7, END, "loss") in bench.begin(6)
    bench.wait(1)
    assert bench.actor.view()["cooldowns"] == {}


def test_the_journal_alone_brings_it_back() -> None:
    bench = Bench()
    folders = bench.actor.recovers()
    folders[CooldownHeld](CooldownHeld(7, END, "loss"), START)
    folders[CooldownHeld](CooldownHeld(7, END - 5, "earlier"), START)
    assert every(bench.feed(EngineStarted(0, 6)), CooldownHeld) == [CooldownHeld(7, END, "loss")]
