"""What lateness and silence do to the trading states: each ends by itself, or by a person's word."""

from typing import Any

import msgspec
import pytest

from actors.risk import AccountLimits, LatencyLimits, Risk, RiskState
from bus.messages import (
    Alert,
    BandHeld,
    BookReason,
    BookState,
    BookStateChanged,
    ClockEstimate,
    Control,
    EngineStarted,
    FeedAge,
    LimitsTightened,
    LoopLag,
    Message,
    OperatorCommand,
    OrderRefused,
    OrdersReady,
    OrderStatus,
    OrdersUnready,
    PrivateStreamDown,
    Refusal,
    SetTimer,
    Side,
    TimerFired,
    TradingState,
    TradingStateChanged,
)
from tests.actors.risk.builders import ALL, ASK, NOW, command, limits, position, risk, touch, update

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState
MS, SECOND = 1_000_000, 1_000_000_000
ROW = (100 * MS, 200 * MS, 400 * MS, 800 * MS)
LATENCY = LatencyLimits(feed_ns=ROW, acknowledgement_ns=ROW, loop_ns=ROW, clock_ns=ROW)
DOWN = PrivateStreamDown(0, 1, "cut")
LOST = BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 9)
LIVE = BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 10)


class Clocked:
    """Risk with its timer: `pass_time` fires what is due, in order, and collects what is said."""

    def __init__(self, account: AccountLimits | None = None) -> None:
        self.account = account or AccountLimits(latency=LATENCY)
        self.risk = risk(None, self.account)
        self.now = NOW
        self.timers: list[SetTimer] = []
        self.said: list[Message] = []
        for message in (EngineStarted(0, 1), OrdersReady(0, 1, 0, 0, 0), BandHeld(0, ALL, 1), LIVE, touch()):
            self.tell(message)

    def tell(self, message: Message) -> list[Any]:
        out = self.risk.receive(message, self.now)
        self.timers += [m for m in out if isinstance(m, SetTimer)]
        self.said += out
        assert len({timer.generation for timer in self.timers}) == len(self.timers), "one timer a run"
        return [m for m in out if not isinstance(m, SetTimer)]

    def pass_time(self, ns: int) -> list[Any]:
        end, told = self.now + ns, []
        while self.timers and self.timers[0].fires_ns <= end:
            due = self.timers.pop(0)
            self.now = due.fires_ns
            told += self.tell(TimerFired("risk", due.counter, due.generation, due.fires_ns))
        self.now = end
        return told

    def states(self) -> dict[str, str]:
        return {row[0] + " " + row[1]: row[2] for row in self.risk.view()["reasons"]}

    def reason_of(self, **given: Any) -> Refusal:
        given = {"received_ns": 0, "expires_ns": self.now + SECOND, **given}
        answer = self.risk.receive(command(**given), self.now)[0]
        return answer.reason if isinstance(answer, OrderRefused) else Refusal.NONE


def changes(told: list[Any]) -> list[tuple[str, TradingState]]:
    return [(m.scope, m.state) for m in told if isinstance(m, TradingStateChanged)]


def steps(told: list[Any]) -> list[int]:
    return [m.step for m in told if isinstance(m, LimitsTightened)]


# The ladder


@pytest.mark.parametrize(
    "late",
    [LoopLag(500 * MS), ClockEstimate(0, 0, 500 * MS), FeedAge(0, 500 * MS, 0, 0), FeedAge(0, 700 * MS, 200 * MS, 0)],
)
def test_each_measure_climbs_at_once_and_comes_down_by_itself(late: Message) -> None:
    one = Clocked(AccountLimits(latency=LATENCY, clock_error_ns_max=SECOND))
    told = one.tell(late)
    assert changes(told) == [("engine", REDUCING)]
    assert steps(told) == [3]
    told = one.pass_time(60 * SECOND)
    assert steps(told) == [2, 1, 0]
    assert changes(told) == [("engine", ACTIVE)]
    assert one.states() == {}
    assert one.timers == [], "nothing to look at, no timer"


def test_a_late_acknowledgement_of_every_order_is_a_step() -> None:
    one = Clocked()
    for n in range(5):
        one.tell(command(command=n, quantity_lots=1))
        one.now += 150 * MS
        told = one.tell(update(number=n, command=n, client_order_id=f"x{n}", quantity_lots=1, leaves_lots=1))
    assert steps(told) == [1]
    assert one.risk.view()["ladder"]["acknowledgement"] == 150 * MS


def test_from_step_two_on_what_is_unanswered_is_bounded_and_reducing_is_not() -> None:
    one = Clocked()
    one.tell(position(20))
    one.now += 1
    one.tell(LoopLag(250 * MS))
    assert one.reason_of(command=0, quantity_lots=1) is Refusal.NONE
    assert one.reason_of(command=1, quantity_lots=1) is Refusal.IN_FLIGHT
    assert one.reason_of(command=2, side=Side.SELL, price_ticks=ASK, quantity_lots=5) is Refusal.NONE
    assert one.risk.view()["in_flight"] == {0: 2}
    for status in (OrderStatus.PENDING_NEW, OrderStatus.PENDING_CANCEL):
        one.tell(update(number=int(status), command=0, quantity_lots=1, leaves_lots=1, venue_order_id=0, status=status))
    one.tell(update(number=50, command=2, client_order_id="x2", side=Side.SELL, price_ticks=ASK, quantity_lots=5))
    assert one.reason_of(command=3, quantity_lots=1) is Refusal.IN_FLIGHT
    one.tell(
        update(number=60, command=0, quantity_lots=1, leaves_lots=1, venue_order_id=0, status=OrderStatus.UNKNOWN_NEW)
    )
    assert one.reason_of(command=3, quantity_lots=1) is Refusal.NONE, "an UNKNOWN order holds its risk, not the line"


def test_what_waits_during_a_start_is_no_step() -> None:
    one = Clocked()
    one.tell(OrdersUnready(0, "reconnect"))
    assert one.tell(LoopLag(900 * MS)) == []


def test_a_data_venues_clock_is_no_step() -> None:
    assert Clocked().tell(ClockEstimate(3, 0, 10 * SECOND)) == []


def test_a_new_run_begins_without_a_step() -> None:
    one = Clocked()
    one.tell(LoopLag(900 * MS))
    one.tell(EngineStarted(0, 2))
    assert one.states() == {"engine orders": "CANCEL_ONLY"}
    assert one.risk.ladder.in_flight_max == 0


def test_what_an_earlier_run_sent_is_no_measure_of_this_one() -> None:
    """Killed with orders under way: the venue's word on them comes as late as the process was gone."""
    one = Clocked()
    for n in range(6):
        one.tell(command(command=n, quantity_lots=1))
    one.now += 3_600 * SECOND
    one.tell(EngineStarted(0, 2))
    for n in range(6):
        told = update(number=n, command=n, client_order_id=f"x{n}", quantity_lots=1, status=OrderStatus.UNKNOWN_NEW)
        assert steps(one.tell(told)) == []
    assert one.risk.view()["ladder"]["acknowledgement"] == -1
    assert one.risk.view()["in_flight"] == {0: 0}


# A position whose book says nothing


def stale(ns: int = 5 * SECOND) -> Clocked:
    return Clocked(AccountLimits(stale_ns=ns))


def test_a_position_without_a_book_is_cancel_only_until_the_book_speaks() -> None:
    one = stale()
    one.tell(position(3))
    one.tell(LOST)
    assert one.pass_time(4 * SECOND) == []
    told = one.pass_time(2 * SECOND)
    assert changes(told) == [("instrument:0", CANCEL_ONLY)]
    assert [m.event for m in told if isinstance(m, Alert)] == ["stale_position"]
    assert one.pass_time(60 * SECOND) == []
    assert changes(one.tell(LIVE)) == [("instrument:0", ACTIVE)]
    one.pass_time(SECOND)
    assert one.timers == []


def test_without_a_position_a_silent_book_is_nothing_until_there_is_one() -> None:
    one = stale()
    one.tell(LOST)
    assert one.pass_time(60 * SECOND) == []
    one.tell(position(-3))  # a late fill
    assert changes(one.pass_time(SECOND)) == [("instrument:0", CANCEL_ONLY)]


def test_a_live_book_whose_stream_is_silent_counts_too() -> None:
    one = stale()
    one.tell(position(3))
    one.tell(FeedAge(0, -1, 0, 4_999 * MS))
    assert one.pass_time(SECOND) == []
    one.tell(FeedAge(0, -1, 0, 5 * SECOND))
    assert changes(one.pass_time(SECOND)) == [("instrument:0", CANCEL_ONLY)]
    assert changes(one.tell(FeedAge(0, -1, 0, 10 * MS))) == [("instrument:0", ACTIVE)]


def test_silence_may_be_left_unlooked_at() -> None:
    one = stale(0)
    one.tell(position(3))
    one.tell(LOST)
    one.tell(FeedAge(0, -1, 0, 100 * SECOND))
    assert one.pass_time(100 * SECOND) == []


# A line that keeps breaking


def flapping(**given: Any) -> Clocked:
    fields = {"disconnects_max": 3, "disconnects_window_ns": 60 * SECOND, "disconnects_quiet_ns": 10 * SECOND}
    return Clocked(AccountLimits(**{**fields, **given}))


def test_a_line_that_keeps_breaking_stops_its_venue_until_it_is_quiet() -> None:
    one = flapping()
    for _ in range(2):
        assert one.tell(DOWN) == []
        one.pass_time(SECOND)
    told = one.tell(DOWN)
    assert changes(told) == [("venue:0", CANCEL_ONLY)]
    assert [m.event for m in told if isinstance(m, Alert)] == ["too_many_disconnects"]
    assert one.reason_of() is Refusal.TRADING_STATE
    assert one.pass_time(9 * SECOND) == []
    assert one.tell(DOWN) == []  # said already; the quiet time begins anew
    assert one.pass_time(9 * SECOND) == []
    assert changes(one.pass_time(2 * SECOND)) == [("venue:0", ACTIVE)]
    one.tell(touch(received_ns=one.now))
    assert one.reason_of() is Refusal.NONE


@pytest.mark.parametrize("scope", [{"venue": 0}, {}])
def test_a_person_ends_it_sooner(scope: dict[str, int]) -> None:
    one = flapping(disconnects_max=1)
    one.tell(DOWN)
    told = one.tell(OperatorCommand(Control.RESUME, -1, "the cable", **scope))
    assert changes(told) == [("venue:0", ACTIVE)]


def test_disconnects_far_apart_and_uncounted_ones_stop_nothing() -> None:
    one = flapping()
    for _ in range(9):
        assert one.tell(DOWN) == []
        one.pass_time(30 * SECOND)
    none = flapping(disconnects_max=0)
    assert [none.tell(DOWN) for _ in range(50)] == [[]] * 50


# The venue's scope, by a person


def test_a_venue_may_be_halted_and_resumed_alone() -> None:
    one = Clocked()
    assert changes(one.tell(OperatorCommand(Control.HALT, -1, "their notice", venue=0))) == [("venue:0", HALTED)]
    assert one.risk.switch.state_for(0, "maker") is HALTED
    assert one.reason_of() is Refusal.TRADING_STATE
    assert changes(one.tell(OperatorCommand(Control.HALT, -1, "another", venue=9))) == [("venue:9", HALTED)]
    assert changes(one.tell(OperatorCommand(Control.RESUME, -1, "over", venue=0))) == [("venue:0", ACTIVE)]
    assert one.reason_of() is Refusal.NONE, "another venue's state does not hold here"


# Restart


def test_what_holds_and_what_is_counted_outlives_a_checkpoint() -> None:
    one = flapping(latency=LATENCY, stale_ns=5 * SECOND)
    one.tell(position(3))
    one.tell(LoopLag(250 * MS))
    one.tell(LOST)
    one.tell(DOWN)
    one.tell(DOWN)
    again = Risk({0: limits()}, one.account)
    saved = msgspec.msgpack.encode(one.risk.checkpoint())
    again.restore(msgspec.msgpack.decode(saved, type=RiskState))
    assert msgspec.msgpack.encode(again.checkpoint()) == saved
    for actor in (one.risk, again):
        out = actor.receive(DOWN, NOW + SECOND)
        assert changes(list(out)) == [("venue:0", CANCEL_ONLY)]
    for actor in (one.risk, again):
        actor.receive(EngineStarted(0, 2), NOW + 2 * SECOND)
        out = actor.receive(OrdersReady(0, 2, 0, 0, 0), NOW + 2 * SECOND)
        assert changes(list(out)) == [("engine", ACTIVE)]
        assert [row[:2] for row in actor.view()["reasons"]] == [("venue:0", "disconnects")]
