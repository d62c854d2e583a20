"""What is left for a successor, and what is taken over of a predecessor."""

import msgspec
import pytest

from bus.messages import (
    AccountHandedOver,
    AccountPublished,
    AccountState,
    IdsReserved,
    LeadershipLost,
    LeadershipWon,
    Message,
    OrdersReady,
    Outcome,
    PublishAccount,
    StopRequested,
)
from tests.actors.coordination.build import SETTINGS, Bench, every

STATE = AccountState(0, 1, ("BTC",), (5,), ("BTCUSDT",), (5,), (1,), (0,), (9,), ((9,),), (1,), (0,))


def state(number: int) -> AccountState:
    return msgspec.structs.replace(STATE, number=number)


def numbers(said: list[Message]) -> list[int]:
    return [asked.state.number for asked in every(said, PublishAccount)]


def answer(bench: Bench, said: list[Message], outcome: Outcome = Outcome.RESULT) -> list[Message]:
    [asked] = every(said, PublishAccount)
    head = (asked.actor, asked.counter, asked.generation, outcome)
    return bench.feed(AccountPublished(*head, asked.state.number, ""))


def test_the_first_change_after_a_quiet_time_is_left_at_once() -> None:
    bench = Bench().ready()
    assert numbers(bench.feed(state(1))) == [1]


def test_of_many_changes_the_latest_is_left_and_not_more_often_than_the_store_should_be_asked() -> None:
    bench = Bench().ready()
    said = bench.feed(state(1))
    assert numbers(bench.feed(state(2), state(3))) == []
    assert numbers(answer(bench, said)) == []
    said = bench.wait(SETTINGS.account_ns)
    assert numbers(said) == [3]
    assert answer(bench, said) == []
    assert numbers(bench.wait(10 * SETTINGS.account_ns)) == []


@pytest.mark.parametrize("outcome", [Outcome.AMBIGUOUS, Outcome.REFUSED])
def test_what_was_not_left_is_left_later(outcome: Outcome) -> None:
    bench = Bench().ready()
    answer(bench, bench.feed(state(1)), outcome)
    assert numbers(bench.wait(SETTINGS.retry_ns)) == [1]


def test_while_it_stops_every_change_is_left_at_once() -> None:
    bench = Bench().ready()
    answer(bench, bench.feed(state(1)))
    bench.feed(state(2))
    assert numbers(bench.feed(StopRequested("test", 0))) == [2]


def test_nothing_is_left_before_the_looks_agree_what_the_predecessor_had_not_left() -> None:
    """Else a state that lacks his last fills would pass for a newer one, when he leads again and has them booked."""
    bench = Bench()
    bench.begin(5)
    assert numbers(bench.feed(state(1))) == []
    assert numbers(bench.feed(OrdersReady(0, 5, 0, 0, 0))) == [1]


def test_nothing_is_left_by_a_run_that_is_stopped_before_the_looks_agree() -> None:
    bench = Bench()
    bench.begin(5)
    bench.feed(StopRequested("test", 0))
    assert numbers(bench.feed(state(1))) == []


def test_who_does_not_lead_leaves_nothing() -> None:
    assert numbers(Bench().feed(state(1))) == []
    bench = Bench().ready()
    bench.feed(LeadershipLost(0, 5, "cut off"))
    assert numbers(bench.feed(state(1))) == []


def test_what_a_later_leader_left_is_taken_over() -> None:
    bench = Bench()
    bench.begin(5)
    bench.restart()
    said = bench.feed(LeadershipWon(0, 8, "we", 7, STATE))
    assert said == [AccountHandedOver(0, 7, STATE)]


@pytest.mark.parametrize("left_epoch", [4, 5])
def test_what_we_left_ourselves_or_another_before_us_is_older_than_our_journal(left_epoch: int) -> None:
    bench = Bench()
    bench.begin(5)
    bench.restart()
    assert bench.feed(LeadershipWon(0, 8, "we", left_epoch, STATE)) == []


def test_the_journal_alone_knows_in_which_epoch_we_led_last() -> None:
    bench = Bench()
    bench.actor.recovers()[IdsReserved](IdsReserved(0, 5, 1_000), 0)
    assert bench.feed(LeadershipWon(0, 8, "we", 5, STATE)) == []
    bench = Bench()
    bench.actor.recovers()[IdsReserved](IdsReserved(0, 5, 1_000), 0)
    assert bench.feed(LeadershipWon(0, 8, "we", 6, STATE)) == [AccountHandedOver(0, 6, STATE)]


def test_a_fresh_directory_takes_over_whatever_was_left() -> None:
    assert Bench().feed(LeadershipWon(0, 2, "we", 1, STATE)) == [AccountHandedOver(0, 1, STATE)]
