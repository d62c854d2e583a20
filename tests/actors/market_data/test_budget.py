"""Request weight: never more than a minute's share, and everyone has a turn."""

from bisect import bisect_left

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.market_data import FeedConnection, MarketData
from actors.market_data.budget import MINUTE_NS, Budget
from actors.market_data.silence import SWEEP
from bus.messages import (
    ConnectionDown,
    ConnectionUp,
    Message,
    Outcome,
    SetTimer,
    SnapshotAnswer,
    SnapshotRequest,
    TimerFired,
)
from gateway.binance_spot.rule import BINANCE_SPOT
from tests.actors.market_data.feeds import VENUE, TableCodec, body, copy_of, instrument


def worst_minute(times_ns: list[int]) -> int:
    """The most of them in any sixty seconds."""
    return max(bisect_left(times_ns, start + MINUTE_NS) - at for at, start in enumerate(times_ns))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 50),
    st.integers(50, 3_000),
    st.lists(st.integers(0, 2_000_000_000), min_size=1, max_size=200),
)
def test_no_minute_however_cut_sees_more_than_its_weight(weight: int, a_minute: int, pauses_ns: list[int]) -> None:
    """weight up to the share the bucket holds; a heavier one is taken alone."""
    budget, now_ns, taken = Budget(VENUE, min(weight, a_minute // 6) or 1, a_minute), 0, []
    for pause_ns in pauses_ns:
        now_ns += pause_ns
        while budget.take(now_ns):
            taken.append(now_ns)
    assert worst_minute(taken) * budget.weight <= a_minute
    assert budget.ready_ns() > now_ns


def test_one_that_weighs_more_than_the_bucket_holds_is_taken_alone() -> None:
    budget = Budget(VENUE, 250, 600)
    assert budget.take(0)
    assert not budget.take(0)
    assert not budget.take(29_999_999_999)
    assert budget.take(30_000_000_000)


class Clock:
    """Runs the actor's timers and answers its requests after 50 ms."""

    def __init__(self, symbols: int) -> None:
        self.codec = TableCodec()
        plan = FeedConnection(self.codec, VENUE, BINANCE_SPOT, snapshot_weight=50, weight_a_minute=3_000)
        self.actor = MarketData({1: plan}, seed=3)
        self.payload = self.codec.put(body(10))
        self.now_ns = 1_000_000_000_000
        self.timers: dict[int, SetTimer] = {}
        self.answers: list[tuple[int, SnapshotAnswer]] = []
        self.asked: list[tuple[int, int]] = []
        for number in range(symbols):
            self.send(instrument(number, f"S{number}"))

    def send(self, message: Message) -> None:
        for item in self.actor.receive(message, self.now_ns):
            if isinstance(item, SetTimer) and item.counter != SWEEP:  # nobody listens for silence here
                self.timers[item.counter] = item
            elif isinstance(item, SnapshotRequest):
                self.asked.append((self.now_ns, item.instrument))
                answer = SnapshotAnswer(
                    item.actor, item.counter, item.generation, Outcome.RESULT, item.instrument, self.now_ns, "",
                    self.payload,
                )  # fmt: skip
                self.answers.append((self.now_ns + 50_000_000, answer))

    def run(self, seconds: int) -> None:
        end_ns = self.now_ns + seconds * 1_000_000_000
        while True:
            timer = min(self.timers.values(), key=lambda item: item.fires_ns, default=None)
            answer_ns = self.answers[0][0] if self.answers else end_ns
            timer_ns = timer.fires_ns if timer else end_ns
            if min(answer_ns, timer_ns) >= end_ns:
                self.now_ns = end_ns
                return
            self.now_ns = max(self.now_ns, min(answer_ns, timer_ns))
            if answer_ns <= timer_ns:
                self.send(self.answers.pop(0)[1])
            else:
                assert timer is not None
                del self.timers[timer.counter]
                self.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))


def test_a_thousand_symbols_come_up_in_order_within_the_weight() -> None:
    """60 snapshots of weight 50 a minute: 17 minutes less the bucket, and 6/5 of that because the bucket is kept free."""
    clock = Clock(1_000)
    clock.send(ConnectionUp(1, 1, clock.now_ns))
    clock.run(20 * 60)
    assert [number for _, number in clock.asked] == list(range(1_000))
    assert worst_minute([at for at, _ in clock.asked]) * 50 <= 3_000
    states = [sync.state.name for sync in clock.actor.synchronizers.values()]
    assert states == ["LIVE"] * 1_000


def test_who_lost_the_connection_while_waiting_costs_nothing_and_waits_anew() -> None:
    clock = Clock(100)
    clock.send(ConnectionUp(1, 1, clock.now_ns))
    clock.run(10)
    clock.send(ConnectionDown(1, 1, "gone"))
    asked = len(clock.asked)
    clock.run(30)
    assert len(clock.asked) == asked
    clock.send(ConnectionUp(1, 2, clock.now_ns))
    clock.run(300)
    assert [sync.state.name for sync in clock.actor.synchronizers.values()] == ["LIVE"] * 100
    assert worst_minute([at for at, _ in clock.asked]) * 50 <= 3_000


def test_the_queue_survives_a_restart() -> None:
    clock = Clock(50)
    clock.send(ConnectionUp(1, 1, clock.now_ns))
    plans = {1: FeedConnection(clock.codec, VENUE, BINANCE_SPOT, snapshot_weight=50, weight_a_minute=3_000)}
    clock.actor = copy_of(clock.actor, MarketData(plans, seed=3))
    clock.run(120)
    assert sorted({number for _, number in clock.asked}) == list(range(50))
