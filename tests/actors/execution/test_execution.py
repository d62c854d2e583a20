"""Execution, one situation a test: wishes in, commands out."""

from typing import Any

import pytest

from actors.execution.planner import SWEEP
from bus.messages import (
    Alert,
    BookReason,
    BookState,
    BookStateChanged,
    CommandDropped,
    Control,
    EngineStarted,
    Message,
    OperatorCommand,
    OrderCommand,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    Refusal,
    SetTimer,
    Side,
    StopRequested,
    TimerFired,
    TradingState,
)
from tests.actors.execution.builders import (
    ASK,
    BID,
    MS,
    NOW,
    SECOND,
    Desk,
    brief,
    instrument,
    intent,
    position,
    state,
    touch,
)

BUY, SELL = Side.BUY, Side.SELL
LOST = BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 9)


def sweep(desk: Desk, after_ns: int) -> tuple[Message, ...]:
    desk.now += after_ns
    planner = desk.execution.planner
    assert planner.armed, "the sweep is waited for"
    return desk.execution.receive(TimerFired("execution", 0, planner.generation, desk.now), desk.now)


# Placing


def test_a_wish_becomes_one_post_only_order_a_side() -> None:
    desk = Desk()
    commands = desk.tell(intent(ask_lots=7))
    assert brief(commands) == [("new", "BUY", BID, 10), ("new", "SELL", ASK, 7)]
    first = commands[0]
    assert isinstance(first, OrderCommand)
    assert first.post_only
    assert (first.owner, first.update_id, first.received_ns) == ("maker", 7, NOW)
    assert first.expires_ns == intent().expires_ns


def test_the_same_wish_again_changes_nothing() -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    assert desk.execution.receive(intent(ask_lots=10), desk.now) == ()


def test_a_wish_that_would_take_is_moved_to_the_passive_side() -> None:
    desk = Desk()
    assert brief(desk.tell(intent(bid=ASK + 5, ask=BID - 5, ask_lots=10))) == [("new", "BUY", ASK - 1, 10)]
    assert desk.execution.view()["orders"][0][3] == ASK - 1


def test_an_order_held_off_by_the_other_side_follows_when_it_gives_way() -> None:
    desk = Desk()
    desk.tell(intent(bid=ASK))
    desk.update("x0", OrderStatus.ACCEPTED)
    moved = desk.tell(touch(BID, ASK + 3), SECOND)
    assert brief(moved) == [("cancel", "x0"), ("new", "BUY", ASK, 10)]


@pytest.mark.parametrize(
    "wish", [intent(expires_ns=NOW), intent(version=2), intent(instrument=5)], ids=["expired", "version", "instrument"]
)
def test_a_wish_that_is_late_or_strange_is_not_acted_on(wish: Any) -> None:
    desk = Desk()
    assert desk.tell(wish) == []
    counters = desk.execution.counters
    assert counters["intents_late"] + counters["intents_held"] == 1


def test_no_order_without_a_live_touch_or_an_active_state() -> None:
    assert Desk(active=False).tell(intent()) == []
    for to in (TradingState.REDUCING, TradingState.CANCEL_ONLY, TradingState.HALTED):
        for scope in ("engine", "instrument:0", "owner:maker"):
            desk = Desk()
            desk.tell(state(to, scope))
            assert desk.tell(intent()) == [], (to, scope)


def test_in_reducing_a_reduce_only_wish_is_passed_on() -> None:
    desk = Desk()
    desk.tell(position(-10))
    desk.tell(state(TradingState.REDUCING))
    commands = desk.tell(intent(reduce_only=True, owner="exits"))
    assert brief(commands) == [("new", "BUY", BID, 10)]
    assert [m.reduce_only for m in commands if isinstance(m, OrderCommand)] == [True]


# Moving


def test_toward_the_touch_it_moves_only_by_reprice_ticks_and_after_its_life() -> None:
    desk = Desk(reprice_ticks=3, order_life_ns_min=5 * SECOND)
    desk.rest()
    assert desk.tell(intent(bid=BID + 2)) == []
    assert desk.tell(intent(bid=BID + 3)) == []
    assert desk.execution.register.markets[0].desks[0].buy.waiting
    assert brief(desk.tell(touch(), 4 * SECOND)) == [("cancel", "x0"), ("new", "BUY", BID + 3, 10)]


def test_away_from_the_touch_it_moves_at_once() -> None:
    desk = Desk(reprice_ticks=100, order_life_ns_min=3600 * SECOND)
    desk.rest()
    assert brief(desk.tell(intent(bid=BID - 1))) == [("cancel", "x0"), ("new", "BUY", BID - 1, 10)]


def test_after_cancel_the_new_order_waits_for_the_end_of_the_old_one() -> None:
    desk = Desk(replace="after_cancel")
    desk.rest()
    assert brief(desk.tell(intent(bid=BID - 1))) == [("cancel", "x0")]
    assert desk.update("x0", OrderStatus.PENDING_CANCEL) == []
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "BUY", BID - 1, 10)]


def test_nothing_wished_on_a_side_cancels_it_at_once() -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    assert brief(desk.tell(intent(bid_lots=0, ask_lots=10))) == [("cancel", "x0")]


def test_a_second_move_waits_for_the_first_cancel_unless_it_is_urgent() -> None:
    desk = Desk()
    desk.rest()
    desk.tell(intent(bid=BID + 1))
    desk.update("x1", OrderStatus.ACCEPTED)
    assert desk.tell(intent(bid=BID + 2), SECOND) == []
    assert brief(desk.tell(intent(bid=BID - 2))) == [("cancel", "x1")]  # and no third order
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "BUY", BID - 2, 10)]


def test_an_order_never_meets_our_own_on_its_way_out() -> None:
    desk = Desk(stale_ticks=100)
    desk.rest(BUY, SELL)
    desk.tell(touch(ASK, ASK + 20))
    moved = desk.tell(intent(bid=ASK, ask=ASK + 20, ask_lots=10))
    assert brief(moved) == [("cancel", "x0"), ("cancel", "x1"), ("new", "SELL", ASK + 20, 10)]
    assert brief(desk.update("x1", OrderStatus.CANCELED)) == [("new", "BUY", ASK, 10)]


def test_a_partial_fill_keeps_its_place_and_a_full_one_waits_for_a_new_wish() -> None:
    desk = Desk()
    desk.rest()
    desk.update("x0", OrderStatus.PARTIALLY_FILLED, leaves_lots=2, cumulative_lots=8)
    assert desk.tell(intent()) == []
    assert desk.update("x0", OrderStatus.FILLED, cumulative_lots=10) == []
    assert desk.tell(touch()) == []
    assert brief(desk.tell(intent())) == [("new", "BUY", BID, 10)]


def test_a_quote_left_alone_by_the_market_is_canceled_without_its_owner() -> None:
    desk = Desk(stale_ticks=5)
    desk.rest(BUY, SELL)
    fallen = touch(BID - 8, BID + 1, bid_quantity=3)
    assert brief(desk.tell(fallen)) == [("cancel", "x0")]
    assert desk.update("x0", OrderStatus.CANCELED) == []
    assert desk.tell(fallen) == []
    assert brief(desk.tell(intent(bid=BID - 8, ask_lots=10))) == [("new", "BUY", BID - 8, 10)]


# Refusals


def refuse(desk: Desk, command: int, reason: Refusal = Refusal.ORDER_RATE) -> tuple[Message, ...]:
    return desk.execution.receive(OrderRefused(0, "maker", command, BUY, reason), desk.now)


@pytest.mark.parametrize(
    ("reason", "waits"),
    [(Refusal.ORDER_RATE, [100, 200, 400, 800, 1_600]), (Refusal.BAND, [100] * 5), (Refusal.IN_FLIGHT, [100] * 5)],
    ids=["doubling", "band", "in flight"],
)
def test_a_refused_order_backs_off_and_doubles_but_for_what_only_waits_its_turn(
    reason: Refusal, waits: list[int]
) -> None:
    desk = Desk()
    execution = desk.execution
    waited = []
    execution.receive(intent(), desk.now)
    for command in range(5):
        refuse(desk, command, reason)
        start = desk.now
        while True:
            desk.now += 10 * MS
            if any(isinstance(m, OrderCommand) for m in execution.receive(touch(), desk.now)):
                break
        waited.append(desk.now - start)
    assert waited == [wait * MS for wait in waits]
    assert execution.counters["refused"] == 5


def test_a_venue_reject_backs_off_too_and_acceptance_forgives() -> None:
    desk = Desk()
    desk.tell(intent())
    assert desk.update("x0", OrderStatus.REJECTED, refusal=Refusal.VENUE_REJECTED) == []
    assert desk.tell(intent(), 99 * MS) == []
    assert brief(desk.tell(intent(), 1 * MS)) == [("new", "BUY", BID, 10)]
    desk.update("x1", OrderStatus.ACCEPTED)
    assert desk.execution.register.markets[0].desks[0].buy.refusals == 0


def test_a_cancel_that_nobody_here_sent_backs_off_too() -> None:
    desk = Desk()
    desk.rest()
    assert desk.update("x0", OrderStatus.CANCELED) == []
    assert desk.tell(intent(), 99 * MS) == []
    assert brief(desk.tell(intent(), 1 * MS)) == [("new", "BUY", BID, 10)]


def test_one_side_refused_does_not_hold_the_other() -> None:
    desk = Desk()
    desk.execution.receive(intent(), desk.now)
    refuse(desk, 0)
    assert brief(desk.tell(intent(ask_lots=10))) == [("new", "SELL", ASK, 10)]


def test_refused_for_want_of_room_it_tries_again_when_another_order_ends() -> None:
    desk = Desk()
    desk.rest()
    out = desk.execution.receive(intent(bid=BID - 1), desk.now)
    (new,) = [m for m in out if isinstance(m, OrderCommand)]
    refuse(desk, new.command, Refusal.POSITION)
    assert desk.tell(touch()) == []
    assert brief(desk.update("x0", OrderStatus.CANCELED)) == [("new", "BUY", BID - 1, 10)]


def test_a_dropped_command_frees_its_slot() -> None:
    desk = Desk()
    desk.execution.receive(intent(), desk.now)
    desk.execution.receive(CommandDropped(0, "maker", 0, ""), desk.now)
    assert desk.execution.view()["orders"] == []
    assert brief(desk.tell(touch(), 100 * MS)) == [("new", "BUY", BID, 10)]


def test_a_refusal_of_somebody_elses_command_is_not_ours() -> None:
    desk = Desk()
    desk.execution.receive(intent(), desk.now)
    desk.execution.receive(OrderRefused(0, "exits", 0, BUY, Refusal.POSITION), desk.now)
    assert len(desk.execution.view()["orders"]) == 1


# Canceling


@pytest.mark.parametrize(
    "stop",
    [
        LOST,
        state(TradingState.CANCEL_ONLY),
        state(TradingState.HALTED, "instrument:0"),
        state(TradingState.REDUCING, "owner:maker"),
        StopRequested("sigterm", NOW),
        OperatorCommand(Control.CANCEL_ALL, -1, ""),
        OperatorCommand(Control.CANCEL_ALL, 0, ""),
        instrument(version=2),
    ],
    ids=["book", "cancel_only", "halted", "reducing", "stop", "cancel_all", "cancel_one", "filters"],
)
def test_everything_that_works_is_canceled_at_once_and_once(stop: Any) -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    assert brief(desk.tell(stop)) == [("cancel", "x0"), ("cancel", "x1")]
    assert desk.tell(stop) == []
    assert desk.tell(touch()) == []


@pytest.mark.parametrize(
    "other",
    [
        state(TradingState.HALTED, "instrument:1"),
        state(TradingState.HALTED, "owner:exits"),
        OperatorCommand(Control.CANCEL_ALL, 1, ""),
        OperatorCommand(Control.HALT, -1, "risk says it, as a state"),
        BookStateChanged(1, BookState.INVALID, BookReason.START, 0),
        BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 0),
    ],
)
def test_what_concerns_others_cancels_nothing(other: Any) -> None:
    desk = Desk()
    desk.rest(BUY, SELL)
    assert desk.tell(other) == []


def test_an_order_canceled_before_it_has_an_id_is_canceled_when_it_has_one() -> None:
    desk = Desk()
    desk.execution.receive(intent(), desk.now)
    desk.commands["x0"] = OrderCommand(0, 0, 0, 1, "maker", False, 7, NOW, NOW, 0, BUY, BID, 10, True)
    assert desk.tell(LOST) == []
    assert brief(desk.update("x0", OrderStatus.PENDING_NEW)) == [("cancel", "x0")]


def test_an_unanswered_cancel_is_sent_again_then_a_person_is_called_once() -> None:
    desk = Desk(cancel_attempts_max=3)
    desk.rest()
    desk.tell(LOST)
    sent, alerts = 1, []
    for _ in range(60):
        out = sweep(desk, 100 * MS)
        sent += len(brief(list(out)))
        alerts += [m.event for m in out if isinstance(m, Alert)]
    assert (sent, alerts) == (3, ["cancel_unanswered"])


def test_a_lost_cancel_is_sent_again_by_the_next_sweep() -> None:
    desk = Desk()
    desk.rest()
    desk.tell(LOST)
    assert desk.tell(CommandDropped(0, "maker", -1, "x0")) == []
    assert brief(list(sweep(desk, 100 * MS))) == [("cancel", "x0")]


def test_a_command_nobody_answers_is_alerted_and_never_assumed_dead() -> None:
    desk = Desk()
    desk.execution.receive(intent(), desk.now)
    out = sweep(desk, 5 * SECOND)
    assert [m.event for m in out if isinstance(m, Alert)] == ["command_unanswered"]
    assert len(desk.execution.view()["orders"]) == 1


def test_a_wish_that_is_not_renewed_is_taken_back() -> None:
    desk = Desk()
    desk.tell(intent(expires_ns=NOW + SECOND))
    assert brief(list(sweep(desk, 999 * MS))) == []
    assert brief(list(sweep(desk, 1 * MS))) == [("cancel", "x0")]
    assert desk.tell(touch()) == []


def test_an_expired_wish_that_a_touch_took_back_is_placed_again_when_renewed() -> None:
    desk = Desk()
    desk.tell(intent(expires_ns=NOW + MS))
    desk.rest()
    desk.tell(intent(expires_ns=desk.now + MS))
    slot = desk.execution.register.markets[0].desks[0].buy
    slot.waiting = True  # whatever made it wait
    assert brief(desk.tell(touch(), MS)) == [("cancel", "x0")]
    desk.update("x0", OrderStatus.CANCELED)
    assert brief(desk.tell(intent())) == [("new", "BUY", BID, 10)]


def test_the_sweep_rests_when_nothing_is_left_to_look_at() -> None:
    desk = Desk()
    desk.rest()
    desk.tell(LOST)
    desk.update("x0", OrderStatus.CANCELED)
    assert sweep(desk, 100 * MS) == ()
    assert not desk.execution.planner.armed


def test_one_timer_at_a_time() -> None:
    desk = Desk()
    timers = [m for m in desk.execution.receive(intent(), desk.now) if isinstance(m, SetTimer)]
    timers += [m for m in desk.execution.receive(intent(bid=BID - 5), desk.now) if isinstance(m, SetTimer)]
    assert timers == [SetTimer("execution", 0, 1, NOW + 100 * MS)]
    assert desk.execution.receive(TimerFired("execution", 0, 0, NOW), NOW + SECOND) == ()  # of an older run


# Facts


def test_a_repeated_update_is_ignored_and_counted() -> None:
    desk = Desk()
    desk.rest()
    desk.number -= 1
    assert desk.update("x0", OrderStatus.CANCELED) == []
    assert desk.execution.register.repeated == 1
    assert len(desk.execution.view()["orders"]) == 1


def test_leftovers_of_an_earlier_life_are_known_and_not_touched_without_a_wish() -> None:
    desk = Desk(active=False)
    fold = desk.execution.recovers()[OrderUpdate]
    for number, order in enumerate(["x0", "x1"]):
        desk.commands[order] = OrderCommand(0, 0, 0, 1, "maker", False, 7, NOW, NOW, number, BUY, BID, 10, True)
        fold(desk.word(order, OrderStatus.ACCEPTED), NOW)
    fold(desk.word("x1", OrderStatus.FILLED), NOW)
    assert [row[6] for row in desk.execution.view()["orders"]] == ["x0"]
    assert desk.tell(EngineStarted(0, 2)) == []
    assert desk.tell(state(TradingState.ACTIVE)) == []
    assert desk.tell(touch()) == []
    assert desk.tell(intent()) == []  # it stands where it is wished
    assert brief(desk.tell(intent(bid=BID - 1))) == [("cancel", "x0"), ("new", "BUY", BID - 1, 10)]
    assert max(int(order[1:]) for order in desk.commands) == 2  # no command number twice


def left_over() -> Desk:
    """A new run whose book is not LIVE yet; an order of the one before rests."""
    desk = Desk(active=False)
    desk.commands["x0"] = OrderCommand(0, 0, 0, 1, "maker", False, 7, NOW, NOW, 0, BUY, BID, 10, True)
    desk.execution.recovers()[OrderUpdate](desk.word("x0", OrderStatus.ACCEPTED), NOW)
    assert desk.tell(EngineStarted(0, 2)) == []
    assert desk.tell(book(BookState.SYNCING)) == []
    return desk


def book(to: BookState) -> BookStateChanged:
    return BookStateChanged(0, to, BookReason.START, 0)


def swept(desk: Desk, after_ns: int) -> list[Any]:
    """What the sweep's next timer brings."""
    generation = desk.execution.planner.generation
    return brief(desk.tell(TimerFired("execution", SWEEP, generation, 0), after_ns))


def test_what_was_adopted_keeps_its_place_while_the_book_comes_up() -> None:
    desk = left_over()
    assert desk.tell(intent(bid_lots=0)) == [], "a strategy wishes nothing before its book is LIVE"
    assert swept(desk, desk.settings.adopted_ns - 1) == []
    assert desk.tell(book(BookState.LIVE)) == []
    desk.tell(touch())
    desk.tell(state(TradingState.ACTIVE))
    assert desk.tell(intent()) == []
    assert swept(desk, SECOND) == []
    assert brief(desk.tell(book(BookState.INVALID))) == [("cancel", "x0")]


@pytest.mark.parametrize("live", [False, True])
def test_what_was_adopted_goes_when_no_book_or_no_wish_comes(live: bool) -> None:
    """A strategy that says nothing, or market data that stays away, must not leave a stale quote."""
    desk = left_over()
    if live:
        desk.tell(book(BookState.LIVE))
        desk.tell(touch())
    assert swept(desk, desk.settings.adopted_ns) == [("cancel", "x0")]


def test_a_book_that_was_live_and_is_lost_takes_what_was_adopted_along() -> None:
    desk = left_over()
    desk.tell(book(BookState.LIVE))
    desk.tell(touch())
    assert brief(desk.tell(book(BookState.INVALID))) == [("cancel", "x0")]


def test_a_new_run_forgets_commands_that_orders_never_answered() -> None:
    desk = Desk()
    desk.execution.receive(intent(), desk.now)
    desk.tell(EngineStarted(0, 2))
    assert desk.execution.view()["orders"] == []
