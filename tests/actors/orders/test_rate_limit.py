"""The venue wants less of us: said once, then held back before anything is journaled, and no reject of anybody's."""

import msgspec
import pytest

from actors.orders.commands import HELD_NS_MAX
from bus.messages import (
    Alert,
    CancelCommand,
    CancelOrder,
    EngineStarted,
    Message,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    Outcome,
    Refusal,
    RequestAnswered,
    RequestKind,
    SubmitOrder,
)
from tests.actors.orders.build import INSTRUMENT, MILLISECOND, SECOND, Bench, approved, every, only, reply

VENUE_CODE = -1015


def limited(bench: Bench, wait_ns: int, code: int = 0, *, reduce_only: bool = False) -> tuple[Message, ...]:
    """One order that is refused so, by the door or by the venue."""
    key = bench.order(reduce_only=reduce_only)
    refusal = Refusal.VENUE_REJECTED if code else Refusal.RATE_LIMIT
    answered = reply(key, Outcome.REFUSED, code, refusal=refusal)
    return bench.feed(msgspec.structs.replace(answered, retry_ns=bench.now_ns + wait_ns))


def passes(bench: Bench, *, reduce_only: bool = False) -> bool:
    out = bench.feed(approved(command=bench.now_ns, reduce_only=reduce_only))
    if every(out, SubmitOrder):
        return True
    assert only(out, OrderRefused).reason is Refusal.RATE_LIMIT
    assert every(out, OrderUpdate) == []  # nothing that is journaled
    return False


def test_after_the_first_refusal_the_others_are_held_back_unjournaled_until_its_time() -> None:
    bench = Bench().ready()
    out = limited(bench, SECOND)
    assert (only(out, OrderUpdate).status, only(out, OrderUpdate).refusal) == (
        OrderStatus.NEVER_SENT,
        Refusal.RATE_LIMIT,
    )
    assert only(out, Alert).event == "orders_held_back"
    for _ in range(100):
        assert not passes(bench)
        bench.now_ns += 9 * MILLISECOND
    assert bench.orders.view()["counts"]["order_held_back"] == 100
    bench.now_ns += 100 * MILLISECOND
    assert passes(bench)


@pytest.mark.parametrize(
    ("code", "reduce_only", "reducing_pass"), [(0, False, True), (0, True, False), (VENUE_CODE, False, False)]
)
def test_what_the_door_keeps_for_reducing_orders_is_theirs(code: int, reduce_only: bool, reducing_pass: bool) -> None:
    bench = Bench().ready()
    limited(bench, SECOND, code, reduce_only=reduce_only)
    assert not passes(bench)
    assert passes(bench, reduce_only=True) is reducing_pass


def test_a_cancel_is_held_back_by_none_of_it() -> None:
    bench = Bench().ready()
    key = bench.working()
    limited(bench, SECOND, VENUE_CODE)
    assert every(bench.feed(CancelCommand(1, 2, 7, "maker", key, 0)), CancelOrder)


def test_the_venues_limit_is_not_its_rejection() -> None:
    """Risk counts rejects, and stops trading at a storm of them; a limit has a time at which it ends by itself."""
    bench = Bench().ready()
    update = only(limited(bench, SECOND, VENUE_CODE), OrderUpdate)
    assert (update.status, update.refusal, update.code) == (OrderStatus.REJECTED, Refusal.RATE_LIMIT, VENUE_CODE)


def test_it_is_asked_again_long_before_three_days_and_at_a_new_run() -> None:
    bench = Bench().ready()
    limited(bench, 3 * 86_400 * SECOND, VENUE_CODE)
    bench.now_ns += HELD_NS_MAX - 1
    assert not passes(bench)
    bench.now_ns += 1
    assert passes(bench)
    limited(bench, 3 * 86_400 * SECOND, VENUE_CODE)
    bench.feed(INSTRUMENT)
    bench.feed(EngineStarted(1, 2))
    assert bench.orders.commands.held_new_ns == 0


def test_a_cancel_that_was_limited_holds_no_order() -> None:
    bench = Bench().ready()
    key = bench.working()
    cancel = only(bench.feed(CancelCommand(1, 2, 7, "maker", key, 0)), CancelOrder)
    refused = RequestAnswered(
        RequestKind.CANCEL, 7, key, Outcome.REFUSED, Refusal.RATE_LIMIT, 0, 0, 0, "", bench.now_ns + SECOND
    )
    assert cancel.client_order_id == key
    bench.feed(refused)
    assert passes(bench)


def test_it_outlives_a_restart_of_the_actor() -> None:
    bench = Bench().ready()
    limited(bench, SECOND)
    after = Bench(now_ns=bench.now_ns)
    after.orders.restore(bench.orders.checkpoint())
    assert not passes(after)
