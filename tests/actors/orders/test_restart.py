"""A checkpoint is the whole state; the journal's facts alone are enough to go on safely."""

from collections.abc import Iterator

import msgspec
import pytest

from actors.orders import Orders
from actors.orders.recovery import OrdersState
from bus.messages import (
    Alert,
    CancelOrder,
    EngineStarted,
    Fill,
    IdsReserved,
    Message,
    OrderStatus,
    OrderUpdate,
    QueryKind,
    SubmitOrder,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    INSTRUMENT,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    canceled,
    every,
    new,
    only,
    sent,
    snapshot,
    traded,
)
from tests.actors.orders.toy_venue import HASTY, Toy


class Recorder(Orders):
    """Keeps what it was given and what it said."""

    def receive(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        out = super().receive(message, now_ns)
        self.tape = [*getattr(self, "tape", []), (message, now_ns, out)]
        return out


def copied(actor: Orders) -> Orders:
    """A fresh actor that got the state as bytes, as a file would hold it."""
    fresh = Orders(HASTY)
    fresh.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=OrdersState))
    return fresh


@pytest.fixture(scope="module")
def tape() -> Iterator[list[tuple[Message, int, tuple[Message, ...]]]]:
    """Some hundred inputs of a storm without a kill."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.actors.orders.toy_venue.Orders", Recorder)
        toy = next(toy for seed in range(100) if (toy := stormed(seed)).kills == 0 and toy.fills > 20)
        assert isinstance(toy.actor, Recorder)
        yield toy.actor.tape


def stormed(seed: int) -> Toy:
    toy = Toy(seed)
    toy.run(220)
    return toy


def test_a_restart_at_every_step_changes_nothing_that_follows(
    tape: list[tuple[Message, int, tuple[Message, ...]]],
) -> None:
    assert len(tape) > 150
    whole = Orders(HASTY)
    for stop, (message, now_ns, out) in enumerate(tape):
        assert whole.receive(message, now_ns) == out
        restored = copied(whole)
        for following, later_ns, expected in tape[stop + 1 :]:
            assert restored.receive(following, later_ns) == expected


def test_a_checkpoint_shares_nothing_that_moves(tape: list[tuple[Message, int, tuple[Message, ...]]]) -> None:
    """Encoded, it is a value: encoding it again from a restored actor gives the same bytes."""
    actor = Orders(HASTY)
    for message, now_ns, _ in tape:
        actor.receive(message, now_ns)
        first = msgspec.msgpack.encode(actor.checkpoint())
        assert msgspec.msgpack.encode(copied(actor).checkpoint()) == first


def recovered(said: list[Message], now_ns: int) -> Bench:
    """A new process with the facts among `said`, as the journal would hand them over."""
    bench = Bench(now_ns=now_ns)
    folders = bench.orders.recovers()
    for message in said:
        if type(message) in folders:
            folders[type(message)](message, now_ns)
    return bench


def test_an_order_that_was_journaled_and_no_more_is_unknown_and_asked_for() -> None:
    before = Bench().ready()
    key = before.order()
    facts = [fact for fact in before.said if not (isinstance(fact, OrderUpdate) and fact.client_order_id == key)]
    bench = recovered(facts, before.now_ns)
    out = bench.start(epoch=2)
    update = only(bench.said, OrderUpdate)
    assert (update.status, update.leaves_lots, update.client_order_id) == (OrderStatus.UNKNOWN_NEW, 10, key)
    asked = [
        query for look in every(out, VenueQuery) for query in every(bench.feed(answer(look, bench.now_ns)), VenueQuery)
    ]
    assert [(query.kind, query.client_order_id) for query in asked] == [(QueryKind.ORDER, key)]


def test_facts_that_a_checkpoint_already_holds_are_folded_once() -> None:
    """A tail may begin before the checkpoint's end: reading it again must change nothing."""
    before = Bench().ready()
    key = before.working()
    before.feed(traded(key, 1, 4, 4))
    once, twice = recovered(before.said, before.now_ns), recovered([*before.said, *before.said], before.now_ns)
    order = twice.orders.desk.register.open[key]
    assert order == once.orders.desk.register.open[key]
    assert (order.booked, len(order.executions)) == (4 * UNIT, 1)


def test_numbers_and_ids_go_on_where_they_were() -> None:
    before = Bench().ready()
    key = before.working()
    before.feed(traded(key, 1, 10, 10))
    bench = recovered(before.said, before.now_ns).ready(epoch=1)
    other = bench.order()
    assert only(bench.said, SubmitOrder).client_order_id == other != key
    assert only(bench.said, OrderUpdate).number == max(update.number for update in every(before.said, OrderUpdate)) + 1
    assert every(bench.said, IdsReserved)[0].below == 2 * SETTINGS.ids_block


def test_a_fill_that_the_stream_and_the_history_repeat_after_a_restart_is_booked_once() -> None:
    """Interleaving 13: checkpoint at n, fill at n + 1, killed; the fill is read again by REST and by the stream."""
    before = Bench().ready()
    key = before.working()
    before.feed(traded(key, 1, 4, 4))
    bench = recovered(before.said, before.now_ns)
    out = bench.start(epoch=2)
    for query in every(out, VenueQuery):
        rows = [snapshot(key, VenueState.WORKING, 4)] if query.kind is QueryKind.OPEN_ORDERS else [traded(key, 1, 4, 4)]
        bench.feed(answer(query, bench.now_ns, *rows))
    bench.feed(traded(key, 1, 4, 4))
    assert every(bench.said, Fill) == []
    assert only(bench.said, CancelOrder).client_order_id == key


def test_a_late_fill_of_an_order_recovered_as_done_is_booked() -> None:
    before = Bench().ready()
    key = before.working()
    before.feed(canceled(key))
    bench = recovered(before.said, before.now_ns).ready(epoch=2)
    fill = only(bench.feed(traded(key, 1, 4, 4)), Fill)
    assert (fill.late, fill.quantity_lots) == (True, 4)


def test_an_epoch_that_went_back_makes_no_ids_and_says_so() -> None:
    before = Bench().ready(epoch=5)
    bench = recovered(before.said, before.now_ns)
    bench.feed(INSTRUMENT)
    assert only(bench.feed(EngineStarted(1, 4)), Alert).event == "epoch_went_back"
    assert bench.orders.view()["phase"] == "DOWN"


def test_a_done_order_in_the_archive_takes_a_late_fill() -> None:
    bench = Bench().ready()
    key = bench.order()
    bench.feed(sent(key, bench.now_ns))
    bench.feed(new(key))
    bench.feed(canceled(key))
    bench.orders.checkpoint()
    assert key in bench.orders.desk.register.archive
    assert only(bench.feed(traded(key, 1, 4, 4)), Fill).late
    bench.wait(SECOND)
    assert bench.status(key) == "CANCELED"
