"""Reports of orders that memory no longer holds: they wait for the journal's index, which brings the record back."""

import msgspec
import pytest
from msgspec.structs import replace

from actors.orders import Orders, OrdersSettings
from actors.orders.lookups import ANSWER_NS, LOST_NS, PARKED_MAX
from actors.orders.recovery import OrdersState
from bus.messages import (
    Alert,
    CancelOrder,
    EngineStarted,
    Fill,
    Message,
    OrderUpdate,
    StoreAnswer,
    StoreQuery,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import INSTRUMENT, SECOND, SETTINGS, UNIT, Bench, canceled, every, new, only, traded
from tests.support.ids import id_of

SMALL = replace(SETTINGS, done_orders_max=2)


def store_answer(query: StoreQuery, *facts: Message, reason: str = "") -> StoreAnswer:
    """As the index would answer that has indexed `facts`."""
    key = query.client_order_id
    updates = tuple(fact for fact in every(facts, OrderUpdate) if fact.client_order_id == key)[-1:]
    fills = tuple(fact for fact in every(facts, Fill) if fact.client_order_id == key)
    if reason:
        updates, fills = (), ()
    return StoreAnswer(query.actor, query.counter, query.generation, key, reason, updates, fills, 99)


def forgetful(settings: OrdersSettings = SMALL) -> tuple[Bench, str]:
    """A bench whose first order ended canceled with 4 of 10 lots executed, and is out of memory."""
    bench = Bench(settings).ready(epoch=3)
    keys = [bench.order(command=number) for number in range(4)]
    for number, key in enumerate(keys):
        bench.feed(new(key, venue_order_id=900 + number))
        bench.feed(traded(key, number, 4, 4, venue_order_id=900 + number))
        bench.feed(canceled(key, 4, venue_order_id=900 + number))
    assert bench.orders.desk.register.find(keys[0]) is None
    return bench, keys[0]


def late(key: str) -> Message:
    return traded(key, 50, 2, 6, venue_order_id=900)


def test_a_late_fill_of_a_forgotten_order_is_booked_late_when_the_index_has_answered() -> None:
    bench, key = forgetful()
    facts = tuple(bench.said)
    out = bench.feed(late(key))
    query = only(out, StoreQuery)
    assert (query.client_order_id, query.deadline_ns) == (key, bench.now_ns + ANSWER_NS)
    assert every(out, Fill) == every(out, Alert) == []
    out = bench.feed(store_answer(query, *facts))
    fill = only(out, Fill)
    assert (fill.client_order_id, fill.owner, fill.quantity, fill.late) == (key, "maker", 2 * UNIT, True)
    assert only(out, OrderUpdate).cumulative_lots == 6
    assert bench.status(key) == "CANCELED"


def test_a_repeat_is_recognized_once_the_record_is_back() -> None:
    bench, key = forgetful()
    facts = tuple(bench.said)
    query = only(bench.feed(traded(key, 0, 4, 4, venue_order_id=900)), StoreQuery)
    assert bench.feed(store_answer(query, *facts)) == ()
    assert bench.orders.view()["counts"]["execution_repeated"] == 1


def test_what_comes_meanwhile_waits_with_it_and_is_asked_for_once() -> None:
    bench, key = forgetful()
    facts = tuple(bench.said)
    query = only(bench.feed(late(key)), StoreQuery)
    assert bench.feed(late(key)) == bench.feed(canceled(key, 6, venue_order_id=900)) == ()
    assert bench.orders.view()["parked"] == 1
    assert len(every(bench.feed(store_answer(query, *facts)), Fill)) == 1
    assert bench.orders.view()["parked"] == 0


def test_what_a_complete_index_does_not_know_is_kept_for_people() -> None:
    bench, key = forgetful()
    query = only(bench.feed(late(key)), StoreQuery)
    out = bench.feed(store_answer(query))
    assert only(out, Alert).event == "report_of_forgotten_order"
    assert every(out, Fill) == []


def test_an_order_of_an_earlier_epoch_is_an_orphan_only_when_the_index_does_not_know_it() -> None:
    bench, _ = forgetful()
    key = id_of(2)
    query = only(bench.feed(new(key, venue_order_id=77)), StoreQuery)
    out = bench.feed(store_answer(query))
    assert only(out, Alert).event == "orphan_order"
    assert [*every(out, CancelOrder), *every(bench.wait(SECOND), VenueQuery)] != []


@pytest.mark.parametrize("times", [1, 3])
def test_a_question_that_failed_concludes_nothing_and_is_asked_again(times: int) -> None:
    bench, key = forgetful()
    facts = tuple(bench.said)
    query = only(bench.feed(late(key)), StoreQuery)
    for _ in range(times):
        assert every(bench.feed(store_answer(query, reason="the index has 3 of the journal's 9 records")), Fill) == []
        query = only(bench.wait(SECOND), StoreQuery)
    assert len(every(bench.feed(store_answer(query, *facts)), Fill)) == 1


def test_a_question_without_any_answer_is_asked_again() -> None:
    bench, key = forgetful()
    facts = tuple(bench.said)
    first = only(bench.feed(late(key)), StoreQuery)
    second = only(bench.wait(ANSWER_NS + LOST_NS), StoreQuery)
    assert len(every(bench.feed(store_answer(second, *facts)), Fill)) == 1
    assert bench.feed(store_answer(first, *facts)) == ()
    assert bench.orders.view()["counts"]["store_answer_disowned"] == 1


def test_the_parking_place_is_bounded() -> None:
    bench, key = forgetful()
    for number in range(PARKED_MAX):
        bench.feed(traded(key, 100 + number, 1, 5, venue_order_id=900))
    out = bench.feed(late(key))
    assert only(out, Alert).event == "report_of_forgotten_order"


def test_nobody_asks_while_memory_never_forgot_anything() -> None:
    bench = Bench().ready(epoch=3)
    assert only(bench.feed(new(id_of(2))), Alert).event == "orphan_order"


def test_what_waits_survives_a_checkpoint_and_is_asked_for_by_the_next_run() -> None:
    before, key = forgetful()
    facts = tuple(before.said)
    before.feed(late(key))
    saved = msgspec.msgpack.encode(before.orders.checkpoint())
    bench = Bench(SMALL, now_ns=before.now_ns)
    bench.orders.restore(msgspec.msgpack.decode(saved, type=OrdersState))
    bench.feed(INSTRUMENT)
    query = only(bench.feed(EngineStarted(1, 4)), StoreQuery)
    assert only(bench.feed(store_answer(query, *facts)), Fill).late


def test_a_record_that_came_back_is_the_one_that_was_forgotten() -> None:
    bench, key = forgetful()
    facts = tuple(bench.said)
    again = Orders(SETTINGS)
    for fact in facts:
        if type(fact) in again.recovers():
            again.recovers()[type(fact)](fact, bench.now_ns)
    bench.feed(store_answer(only(bench.feed(late(key)), StoreQuery), *facts))
    known, folded = bench.orders.desk.register.find(key), again.desk.register.find(key)
    assert known is not None
    assert folded is not None
    assert known.executions[:-1] == folded.executions
    for name in ("owner", "version", "side", "quantity_lots", "unit", "venue_order_id", "venue_state", "status"):
        assert getattr(known, name) == getattr(folded, name), name
    assert known.venue_state is VenueState.DONE_CANCELED
