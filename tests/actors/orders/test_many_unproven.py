"""A start that finds a thousand orders unproven: inside the venue's limits, and each of them proven or reserved for."""

import msgspec
import pytest

from actors.orders.recovery import OrdersState
from bus.messages import (
    CancelOrder,
    ExecutionReport,
    Fill,
    Message,
    OrdersReady,
    OrderUpdate,
    Outcome,
    QueryKind,
    RequestKind,
    Side,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import MILLISECOND, SECOND, Bench, answer, every, history, only, reply, snapshot

MANY = 1_000
OLD_NS = 60 * SECOND
WEIGHT = {QueryKind.OPEN_ORDERS: 6, QueryKind.ORDER: 4, QueryKind.TRADES: 20, QueryKind.BALANCES: 20}
"""Binance Spot's (docs, rest-api, 2026-11)."""
QUESTIONS_MAX = 5_400
"""What the door leaves to questions of the venue's 6,000 a minute; cancels weigh 1 each."""


def unproven(count: int, age_ns: int) -> tuple[Bench, list[str]]:
    """A run behind one that was killed with so many orders in its journal and nothing heard of them."""
    before = Bench().ready()
    keys = [before.order(command=number, side=Side.BUY if number % 2 else Side.SELL) for number in range(count)]
    bench = Bench(now_ns=before.now_ns + age_ns)
    folders = bench.orders.recovers()
    for fact in before.said:
        if type(fact) in folders:
            folders[type(fact)](fact, before.now_ns)
    return bench, keys


def serve(bench: Bench, said: list[Message], trades: tuple[ExecutionReport, ...] = ()) -> list[VenueQuery]:
    """A venue that has none of them: 1 ms a question; cancels are refused. Until nothing is asked. Returns what was."""
    asked: list[VenueQuery] = []
    place = 0
    while place < len(said):
        message, place = said[place], place + 1
        if isinstance(message, CancelOrder):
            said += bench.feed(reply(message.client_order_id, Outcome.REFUSED, -2011, RequestKind.CANCEL))
        if isinstance(message, VenueQuery):
            asked.append(message)
            said += bench.wait(MILLISECOND)
            rows = trades if message.kind is QueryKind.TRADES and message.from_id >= 0 else ()
            said += bench.feed(answer(message, bench.now_ns, *rows, found=message.kind is not QueryKind.ORDER))
    return asked


def weight(asked: list[VenueQuery]) -> int:
    return sum(WEIGHT[query.kind] for query in asked)


def statuses(bench: Bench) -> dict[str, int]:
    last = {update.client_order_id: update.status.name for update in every(bench.said, OrderUpdate)}
    return {name: list(last.values()).count(name) for name in sorted(set(last.values()))}


def test_old_ones_are_proven_by_one_question_each_and_the_trades_once_for_all() -> None:
    bench, _ = unproven(MANY, OLD_NS)
    asked = serve(bench, list(bench.start(epoch=2)))
    kinds = [query.kind for query in asked]
    assert len(every(bench.said, OrdersReady)) == 1
    assert statuses(bench) == {"NEVER_SENT": MANY}
    assert kinds.count(QueryKind.ORDER) <= MANY * 1.05
    assert kinds.count(QueryKind.TRADES) <= 60
    assert weight(asked) <= QUESTIONS_MAX
    assert every(bench.said, CancelOrder) == [], "the venue's list is younger than any request of them could be"


def test_few_are_asked_about_twice_each() -> None:
    """An order that was filled is not among the open ones either: their list says nothing where there is room for a second question."""
    bench, keys = unproven(10, OLD_NS)
    asked = [
        query.client_order_id for query in serve(bench, list(bench.start(epoch=2))) if query.kind is QueryKind.ORDER
    ]
    assert {key: asked.count(key) for key in keys} == dict.fromkeys(keys, 2)
    assert statuses(bench) == {"NEVER_SENT": 10}


def test_young_ones_are_reserved_for_and_proven_when_that_counts() -> None:
    """Killed and back within a second: what the venue denies now it may still get."""
    bench, _ = unproven(MANY, SECOND)
    asked = serve(bench, list(bench.start(epoch=2)))
    assert only(bench.said, OrdersReady).adopted == MANY
    assert statuses(bench) == {"UNKNOWN_NEW": MANY}
    assert len(every(bench.said, CancelOrder)) == MANY, "one each, and none that is refused again"
    assert weight(asked) + MANY <= 6_000
    minutes = []
    for _ in range(10):
        end_ns, asked = bench.now_ns + 60 * SECOND, []
        while bench.now_ns < end_ns:
            asked += serve(bench, bench.wait(100 * MILLISECOND))
        minutes.append(weight(asked))
    assert statuses(bench) == {"NEVER_SENT": MANY}
    assert max(minutes) <= QUESTIONS_MAX
    assert len(every(bench.said, CancelOrder)) == MANY


def test_a_trade_of_nobodys_holds_up_those_of_its_side_alone() -> None:
    """It may be any of them: none of that side is let go before it is known whose it is."""
    bench, keys = unproven(10, OLD_NS)
    stranger = history(50, 10, venue_order_id=950, side=Side.BUY, venue_ns=bench.now_ns)
    out = list(bench.start(epoch=2))
    proofs = []
    while out:
        message = out.pop(0)
        if isinstance(message, VenueQuery):
            bench.now_ns += MILLISECOND
            is_proof = message.kind is QueryKind.TRADES and message.client_order_id in keys
            proofs += [message] if is_proof else []
            rows = (stranger,) if is_proof else ()
            out += bench.feed(answer(message, bench.now_ns, *rows, found=message.kind is not QueryKind.ORDER))
    assert proofs != []
    left = bench.orders.desk.register.open.values()
    assert {order.side for order in left} == {Side.BUY}
    assert len(left) == 5


def test_a_fill_of_one_of_them_is_booked_and_the_others_end() -> None:
    """The list, its own question and the trades: one was filled before anybody heard of it."""
    bench, keys = unproven(30, OLD_NS)
    lucky = keys[7]
    out = list(bench.start(epoch=2))
    while out:
        message = out.pop(0)
        if isinstance(message, VenueQuery):
            bench.now_ns += MILLISECOND
            filled = snapshot(lucky, VenueState.DONE_FILLED, 10, venue_order_id=950)
            rows: tuple[ExecutionReport, ...] = ()
            if message.kind is QueryKind.TRADES and message.from_id >= 0:
                rows = (history(50, 10, venue_order_id=950),)
            elif message.kind is QueryKind.ORDER and (
                message.client_order_id == lucky or message.venue_order_id == 950
            ):
                rows = (filled,)
            out += bench.feed(answer(message, bench.now_ns, *rows, found=bool(rows)))
        if not out and bench.orders.view()["phase"] != "READY":
            out += bench.wait(100 * MILLISECOND)
    assert [fill.client_order_id for fill in every(bench.said, Fill)] == [lucky]
    assert statuses(bench) == {"FILLED": 1, "NEVER_SENT": 29}


@pytest.mark.parametrize("answered", [3, 20, 45, 60])
def test_a_kill_amid_the_questions_changes_nothing_of_the_end(answered: int) -> None:
    """Behind so many answers; a checkpoint of that moment, and another start."""
    bench, keys = unproven(30, OLD_NS)
    out = list(bench.start(epoch=2))
    for _ in range(answered):
        query = next((message for message in out if isinstance(message, VenueQuery)), None)
        if query is None:
            break
        out.remove(query)
        bench.now_ns += MILLISECOND
        out += bench.feed(answer(query, bench.now_ns, found=query.kind is not QueryKind.ORDER))
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(bench.orders.checkpoint()), type=OrdersState)
    again = Bench(now_ns=bench.now_ns + SECOND)
    again.orders.restore(state)
    serve(again, list(again.start(epoch=3)))
    assert again.orders.view()["phase"] == "READY"
    assert not again.orders.desk.register.open
    found = [again.orders.desk.register.find(key) for key in keys]
    assert {order.status.name for order in found if order is not None} == {"NEVER_SENT"}
    assert None not in found
