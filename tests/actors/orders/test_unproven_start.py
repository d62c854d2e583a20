"""A start does not wait for what nobody can answer yet: an order journaled and perhaps never sent stays open, reserved for."""

import pytest
from msgspec.structs import replace

from actors.orders.looks import ASKED_MAX
from actors.orders.settings import Leftovers, OrdersSettings
from bus.messages import (
    CancelOrder,
    Difference,
    DifferenceKind,
    Fill,
    Message,
    OrdersReady,
    OrderStatus,
    OrderUpdate,
    Outcome,
    PrivateStreamUp,
    QueryKind,
    Reconciled,
    RequestKind,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    MILLISECOND,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    every,
    new,
    only,
    reply,
    snapshot,
    traded,
)

ADOPT = replace(SETTINGS, leftovers=Leftovers.ADOPT)


def lost(settings: OrdersSettings = SETTINGS) -> tuple[Bench, str, tuple[Message, ...]]:
    """A run that begins with an order of which the journal has the intent alone. Returns the first look's questions, too."""
    before = Bench().ready()
    key = before.order()
    facts = [fact for fact in before.said if not (isinstance(fact, OrderUpdate) and fact.client_order_id == key)]
    bench = Bench(settings, before.now_ns)
    folders = bench.orders.recovers()
    for fact in facts:
        if type(fact) in folders:
            folders[type(fact)](fact, before.now_ns)
    return bench, key, bench.start(epoch=2)


def leaves(bench: Bench, key: str) -> int:
    return [update for update in every(bench.said, OrderUpdate) if update.client_order_id == key][-1].leaves_lots


def test_ready_comes_with_the_order_unproven_and_reserved_for() -> None:
    bench, key, out = lost()
    began_ns = bench.now_ns
    bench.empty(out)
    assert only(bench.said, OrdersReady).adopted == 1
    assert bench.now_ns - began_ns < 100 * MILLISECOND
    assert (bench.status(key), leaves(bench, key)) == ("UNKNOWN_NEW", 10)
    cancel = only(bench.said, CancelOrder)
    assert (cancel.client_order_id, cancel.venue_order_id) == (key, 0)


def test_a_failed_question_is_no_denial() -> None:
    """Ready waits until the venue itself was heard on the order."""
    bench, key, out = lost()
    for query in every(out, VenueQuery):
        bench.feed(answer(query, bench.now_ns))
    asked = every(bench.said, VenueQuery)[-1]
    assert (asked.kind, asked.client_order_id) == (QueryKind.ORDER, key)
    for _ in range(4):
        bench.feed(answer(asked, bench.now_ns, outcome=Outcome.AMBIGUOUS))
        asked = only(bench.wait(SECOND), VenueQuery)
        assert bench.orders.view()["phase"] == "SETTLE"
    bench.empty(bench.feed(answer(asked, bench.now_ns, found=False)))
    assert bench.orders.view()["phase"] == "READY"


def test_what_the_venue_shows_working_is_canceled_before_ready() -> None:
    bench, key, out = lost()
    for query in every(out, VenueQuery):
        rows = [snapshot(key, VenueState.WORKING)] if query.kind is QueryKind.OPEN_ORDERS else []
        bench.feed(answer(query, bench.now_ns, *rows))
    assert bench.orders.view()["phase"] == "SETTLE"
    assert only(bench.said, CancelOrder).client_order_id == key


def test_it_arrives_after_ready_and_is_canceled() -> None:
    bench, key, out = lost()
    bench.empty(out)
    bench.feed(reply(key, Outcome.REFUSED, -2011, RequestKind.CANCEL))
    bench.said.clear()
    bench.feed(new(key))
    bench.wait(SECOND)
    assert every(bench.said, CancelOrder)[0].client_order_id == key
    assert bench.orders.view()["phase"] == "READY"


def test_it_was_filled_and_the_fill_is_booked_whenever_it_comes() -> None:
    bench, key, out = lost()
    bench.empty(out)
    fill = only(bench.feed(traded(key, 5, 10, 10)), Fill)
    assert (fill.quantity, bench.status(key)) == (10 * UNIT, "FILLED")


def test_it_never_was_and_its_risk_is_released_when_that_counts() -> None:
    """Not before the venue's own bounds: recvWindow and processing, twice, and no trade of it."""
    bench, key, out = lost()
    bench.empty(out)
    bound_ns = SETTINGS.recv_window_ns + SETTINGS.processing_bound_ns
    began_ns = bench.now_ns
    while bench.status(key) == "UNKNOWN_NEW":
        assert leaves(bench, key) == 10
        bench.empty(tuple(bench.wait(SECOND)))
        assert bench.now_ns - began_ns < 2 * bound_ns
    assert bench.now_ns - began_ns > bound_ns
    assert (bench.status(key), leaves(bench, key)) == ("NEVER_SENT", 0)


def test_adopted_leftovers_are_not_canceled_before_they_are_seen() -> None:
    bench, key, out = lost(ADOPT)
    bench.empty(out)
    assert bench.orders.view()["phase"] == "READY"
    bench.feed(new(key))
    assert bench.status(key) == "ACCEPTED"
    assert every(bench.said, CancelOrder) == []


def test_it_comes_to_light_while_the_start_verifies_and_the_looks_begin_again() -> None:
    bench, key, out = lost()
    queue = every(out, VenueQuery)
    while bench.orders.view()["phase"] != "VERIFY":
        query = queue.pop(0)
        bench.now_ns += MILLISECOND
        queue += every(bench.feed(answer(query, bench.now_ns, found=query.kind is not QueryKind.ORDER)), VenueQuery)
    bench.now_ns += MILLISECOND
    bench.feed(answer(queue.pop(), bench.now_ns, snapshot(key, VenueState.WORKING)))
    assert bench.orders.view()["phase"] == "PAUSE"
    assert every(bench.said, OrdersReady) == []


def test_a_person_reads_that_it_is_unproven_once() -> None:
    bench, key, out = lost()
    bench.empty(out)
    row = only(bench.said, Difference)
    assert (row.kind, row.subject, row.ours, row.venues) == (DifferenceKind.ORDER_NOT_LISTED, key, 10, 0)
    done = only(bench.said, Reconciled)
    assert (done.trigger, done.orders, done.differences) == ("start", 1, 1)


def test_statuses_of_the_start_are_public_facts() -> None:
    bench, key, out = lost()
    bench.empty(out)
    told = [update.status for update in every(bench.said, OrderUpdate) if update.client_order_id == key]
    assert told == [OrderStatus.UNKNOWN_NEW]


@pytest.mark.parametrize("times", [1, 3])
def test_each_start_asks_anew(times: int) -> None:
    """A denial of the look before says nothing about this one."""
    bench, key, out = lost()
    bench.empty(out)
    for number in range(times):
        bench.now_ns += SECOND
        looks = bench.feed(PrivateStreamUp(1, number + 2, bench.now_ns))
        assert bench.orders.view()["phase"] == "LOOK"
        bench.empty(looks)
        assert bench.orders.view()["phase"] == "READY"
    assert bench.status(key) == "UNKNOWN_NEW"


def test_a_replica_that_shows_it_working_for_longer_does_not_hold_the_start_for_ever() -> None:
    """Its cancel was done and nobody said so; then each cancel is refused, three times, and the replica shows it working.
    The looks begin again: once it is not listed any more, the order is asked about and found canceled.
    """
    before = Bench().ready()
    key = before.working()
    bench = Bench(now_ns=before.now_ns)
    folders = bench.orders.recovers()
    for fact in before.said:
        if type(fact) in folders:
            folders[type(fact)](fact, before.now_ns)
    bench.start(epoch=2)
    for _ in range(40):
        serve(bench, key, listed=True, state=VenueState.WORKING)
        bench.wait(50 * MILLISECOND)
    assert (bench.status(key), bench.orders.view()["phase"]) == ("ACCEPTED", "SETTLE")
    for _ in range(40):
        serve(bench, key, listed=False, state=VenueState.DONE_CANCELED)
        bench.wait(SECOND)
    assert bench.orders.view()["phase"] == "READY"


def serve(bench: Bench, key: str, *, listed: bool, state: VenueState) -> None:
    """Answer everything that was said: the order is in `state`, and its cancels are refused as of an unknown one."""
    said, bench.said = bench.said, []
    for message in said:
        bench.now_ns += MILLISECOND
        if isinstance(message, CancelOrder):
            bench.feed(reply(key, Outcome.REFUSED, -2011, RequestKind.CANCEL))
        elif isinstance(message, VenueQuery):
            shown = message.kind is QueryKind.ORDER or (listed and message.kind is QueryKind.OPEN_ORDERS)
            bench.feed(answer(message, bench.now_ns, *([snapshot(key, state)] if shown else [])))


def test_many_orders_that_were_not_listed_are_asked_about_a_few_at_a_time() -> None:
    """The door takes 64 questions; the next would be refused, and asked again after a growing wait."""
    before = Bench().ready()
    keys = {before.order(command=number) for number in range(200)}
    bench = Bench(now_ns=before.now_ns)
    folders = bench.orders.recovers()
    for fact in before.said:
        if type(fact) in folders:
            folders[type(fact)](fact, before.now_ns)
    waiting, asked, most = every(bench.start(epoch=2), VenueQuery), set(), 0
    while waiting:
        query = waiting.pop(0)
        asked.add(query.client_order_id)
        bench.now_ns += MILLISECOND // 10
        waiting += every(bench.feed(answer(query, bench.now_ns, found=query.kind is not QueryKind.ORDER)), VenueQuery)
        most = max(most, len(waiting))
    assert keys < asked
    assert most <= ASKED_MAX
    assert bench.orders.view()["phase"] == "READY"
