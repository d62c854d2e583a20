"""Too many of one thing: fills, and the same request refused for the same reason."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.risk import AccountLimits, Risk, RiskState
from actors.risk.repeats import FORGET_NS, PAUSE_NS, PAUSE_NS_MAX, ROWS_MAX, Repeats
from bus.messages import (
    Alert,
    ApprovedOrder,
    Control,
    Message,
    OperatorCommand,
    OrderStatus,
    Refusal,
    Side,
    TradingState,
    TradingStateChanged,
)
from tests.actors.risk.builders import ASK, NOW, command, fill, instrument, limits, position, risk, touch, update

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState
SECOND = 1_000_000_000
CALM = limits(rejects_max=1_000)


class Refusing:
    """A strategy that wants the same thing again and again, and a venue that says no."""

    def __init__(self, account: AccountLimits | None = None) -> None:
        self.risk = risk(CALM, account)
        self.now, self.number = NOW, 0
        self.alerts: list[str] = []

    def ask(self, code: int = -2010, status: OrderStatus = OrderStatus.REJECTED, **given: Any) -> Refusal:
        """One try: what risk says of it; if it lets it through, what the venue then says."""
        self.number += 1
        self.now += 1
        self.risk.receive(touch(received_ns=self.now), self.now)
        wish = {"command": self.number, "received_ns": self.now, "expires_ns": self.now + SECOND, **given}
        answer = self.risk.receive(command(**wish), self.now)[0]
        if not isinstance(answer, ApprovedOrder):
            assert isinstance(answer, Message)
            return answer.reason  # type: ignore[attr-defined, no-any-return]  # OrderRefused
        done = status is OrderStatus.REJECTED
        told = update(
            number=self.number,
            command=self.number,
            client_order_id=f"x{self.number}",
            owner=answer.owner,
            side=answer.side,
            price_ticks=answer.price_ticks,
            quantity_lots=answer.quantity_lots,
            leaves_lots=0 if done else answer.quantity_lots,
            status=status,
            refusal=Refusal.VENUE_REJECTED if done else Refusal.NONE,
            code=code if done else 0,
        )
        out = self.risk.receive(told, self.now)
        self.alerts += [m.event for m in out if isinstance(m, Alert)]
        if not done:
            gone = msgspec.structs.replace(told, number=self.number, status=OrderStatus.CANCELED, leaves_lots=0)
            self.number += 1
            self.risk.receive(msgspec.structs.replace(gone, number=self.number), self.now)
        return Refusal.NONE


def test_the_same_request_refused_three_times_for_the_same_reason_waits() -> None:
    one = Refusing()
    assert [one.ask() for _ in range(5)] == [Refusal.NONE] * 3 + [Refusal.REPEATED] * 2
    assert one.alerts == ["request_repeated"]
    [(fingerprint, code, count, until_ns)] = one.risk.view()["held_back"]
    assert (fingerprint[1], code, count) == ("maker", -2010, 3)
    assert until_ns > one.now


@pytest.mark.parametrize(
    "other",
    [
        {"price_ticks": 9_989}, {"quantity_lots": 9}, {"side": Side.SELL, "price_ticks": ASK}, {"owner": "other"},
        {"post_only": False},
    ],
)  # fmt: skip
def test_what_differs_in_anything_passes(other: dict[str, Any]) -> None:
    one = Refusing()
    for _ in range(3):
        one.ask()
    assert one.ask(**other) is Refusal.NONE
    assert one.ask() is Refusal.REPEATED


def test_a_reducing_request_is_another_one_and_waits_as_well() -> None:
    """It is not exempt: to send it again unchanged would not close anything."""
    one = Refusing()
    one.risk.receive(position(10), NOW)
    sell = {"side": Side.SELL, "price_ticks": ASK}
    for _ in range(3):
        one.ask(**sell)
    assert one.ask(**sell, reduce_only=True) is Refusal.NONE
    assert one.ask(**sell) is Refusal.REPEATED


def test_another_reason_counts_anew() -> None:
    one = Refusing()
    assert [one.ask(code) for code in (-2010, -2010, -1013, -2010, -2010, -2010, 1)] == [Refusal.NONE] * 6 + [
        Refusal.REPEATED
    ]


def test_the_pause_doubles_up_to_its_bound_and_an_acceptance_forgets_it() -> None:
    one = Refusing()
    for _ in range(3):
        one.ask()
    pauses = []
    for _ in range(9):
        until_ns = one.risk.view()["held_back"][0][3]
        pauses.append((until_ns - one.now) // SECOND)
        assert one.ask() is Refusal.REPEATED
        one.now = until_ns
        assert one.ask() is Refusal.NONE
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    one.now = one.risk.view()["held_back"][0][3]
    assert one.ask(status=OrderStatus.ACCEPTED) is Refusal.NONE
    assert [one.ask() for _ in range(3)] == [Refusal.NONE] * 3
    assert one.ask() is Refusal.REPEATED


def test_refusals_far_apart_do_not_add_up() -> None:
    one = Refusing()
    for _ in range(9):
        assert one.ask() is Refusal.NONE
        one.now += FORGET_NS


def test_a_new_grid_forgets_what_was_said_of_the_old_one() -> None:
    one = Refusing()
    for _ in range(3):
        one.ask()
    one.risk.receive(instrument(version=2), one.now)
    one.risk.receive(touch(version=2, received_ns=one.now), one.now)
    assert one.risk.view()["held_back"] == []


def test_it_may_be_left_uncounted() -> None:
    one = Refusing(AccountLimits(repeats_max=0))
    assert [one.ask() for _ in range(9)] == [Refusal.NONE] * 9


def test_what_is_held_back_outlives_a_checkpoint() -> None:
    one = Refusing()
    for _ in range(3):
        one.ask()
    saved = msgspec.msgpack.encode(one.risk.checkpoint())
    again = Risk({0: CALM}, one.risk.account_limits)
    again.restore(msgspec.msgpack.decode(saved, type=RiskState))
    assert msgspec.msgpack.encode(again.checkpoint()) == saved
    one.risk = again
    assert one.ask() is Refusal.REPEATED


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2), st.booleans()), max_size=600))
def test_memory_is_bounded_and_nothing_waits_longer_than_the_bound(steps: list[tuple[int, int, bool]]) -> None:
    repeats, now_ns = Repeats(2), NOW
    for price, code, refused in steps:
        now_ns += PAUSE_NS // 3
        fingerprint = (0, "maker", 1, price, 10, True, False)
        if not repeats.holds(fingerprint, now_ns):
            if refused:
                repeats.refused(fingerprint, code, now_ns)
            else:
                repeats.accepted(fingerprint)
        assert len(repeats.rows) <= ROWS_MAX
        assert set(repeats.closed) <= set(repeats.rows)
        assert all(row.until_ns <= now_ns + PAUSE_NS_MAX for row in repeats.closed.values())


# Fills


def told(actor: Risk, message: Message, now_ns: int = NOW) -> list[tuple[str, TradingState]]:
    return [(m.scope, m.state) for m in actor.receive(message, now_ns) if isinstance(m, TradingStateChanged)]


def test_a_storm_of_fills_leaves_only_the_way_out_until_a_person_resumes() -> None:
    actor = risk(limits(fills_max=3, fills_window_ns=SECOND, position_lots_max=100))
    times = [NOW, NOW + SECOND, NOW + SECOND + 1, NOW + SECOND + 2]
    said = [told(actor, fill(number=n, quantity_lots=1), now_ns) for n, now_ns in enumerate(times)]
    assert said == [[], [], [], [("instrument:0", REDUCING)]]
    assert told(actor, OperatorCommand(Control.RESUME, 0, "looked")) == [("instrument:0", ACTIVE)]


def test_fills_may_be_left_uncounted() -> None:
    actor = risk(limits(fills_max=0))
    assert [told(actor, fill(number=n, quantity_lots=1)) for n in range(300)] == [[]] * 300


@pytest.mark.parametrize("folded", [True, False])
def test_what_a_start_learns_of_is_no_storm_of_fills(folded: bool) -> None:
    """An order left behind was filled a lot at a time: its start, and every later one that folds it, books a page at once."""
    actor = Risk({0: limits(fills_max=3, fills_window_ns=SECOND)}, AccountLimits())
    take = actor.recovers()[type(fill())] if folded else actor.receive
    for n in range(300):
        take(fill(number=n, quantity_lots=1, recovered=True), NOW)
    assert [row[1] for row in actor.view()["reasons"]] == ["orders"]


def test_a_storm_that_ended_in_a_crash_is_still_one() -> None:
    bounds = limits(fills_max=3, fills_window_ns=SECOND)
    actor = Risk({0: bounds}, AccountLimits())
    for n in range(3):
        actor.recovers()[type(fill())](fill(number=n, quantity_lots=1), NOW + n)
    assert [row[1] for row in actor.view()["reasons"]] == ["orders", "fills"]
