"""Filters changed while we were down: an order's lots are those of the version it was made in, always."""

from typing import Any

from msgspec.structs import replace

from bus.messages import (
    EngineStarted,
    Fill,
    Message,
    OrderUpdate,
    PrivateStreamUp,
    QueryKind,
    SubmitOrder,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    INSTRUMENT,
    LOT,
    SECOND,
    UNIT,
    Bench,
    answer,
    every,
    history,
    listing,
    new,
    only,
    snapshot,
    traded,
)

FINER = replace(INSTRUMENT, version=2, lot=LOT // 10)


def recovered(said: list[Message], now_ns: int, **without: Any) -> Bench:
    """A new process under the finer lot, with the facts among `said`. without: fields as an older program left them."""
    bench = Bench(now_ns=now_ns)
    folders = bench.orders.recovers()
    for message in said:
        if type(message) in folders:
            fact = replace(message, **without) if isinstance(message, OrderUpdate | SubmitOrder) else message
            folders[type(message)](fact, now_ns)
    bench.feed(FINER)
    bench.feed(EngineStarted(1, 2))
    return bench


def test_facts_say_how_much_one_of_their_lots_is() -> None:
    bench = Bench().ready()
    bench.order()
    assert (only(bench.said, SubmitOrder).unit, only(bench.said, OrderUpdate).unit) == (UNIT, UNIT)


def test_a_recovered_order_keeps_the_lot_it_was_made_in() -> None:
    before = Bench().ready()
    key = before.working()
    bench = recovered(before.said, before.now_ns)
    out = bench.feed(history(1, 1))
    assert only(out, Fill).quantity_lots == 1
    assert bench.status(key) == "PARTIALLY_FILLED"
    assert bench.orders.desk.register.open[key].leaves_lots == 9


def test_an_order_journaled_and_no_more_keeps_its_lot_too() -> None:
    before = Bench().ready()
    key = before.order()
    bench = recovered([only(before.said, SubmitOrder)], before.now_ns)
    assert bench.orders.desk.register.open[key].unit == UNIT


def test_a_lot_that_was_learned_once_is_known_for_good() -> None:
    """Sent by an older program, which journaled no unit; the program behind it learned the lot and said it."""
    before = Bench().ready()
    key = before.working()
    old = [replace(m, unit=0) if isinstance(m, SubmitOrder | OrderUpdate) else m for m in before.said]
    learned = replace(every(before.said, OrderUpdate)[-1], number=9)
    bench = recovered([*old, learned], before.now_ns)
    assert bench.orders.desk.register.open[key].unit == UNIT


def test_an_order_of_an_unknown_version_learns_its_lot_from_the_venues_original_quantity() -> None:
    """A journal of an older program names no unit: ten lots of the venue's 1,000 units are lots of 100."""
    before = Bench().ready()
    key = before.working()
    bench = recovered(before.said, before.now_ns, unit=0)
    bench.feed(traded(key, 1, 1, 1))
    order = bench.orders.desk.register.open[key]
    assert (order.unit, order.status.name, order.leaves_lots) == (UNIT, "PARTIALLY_FILLED", 9)


def test_an_order_of_an_unknown_version_is_asked_for_before_its_trades_are_booked() -> None:
    """A row of the history names no original quantity: nothing is derived from it alone."""
    before = Bench().ready()
    key = before.working()
    bench = recovered(before.said, before.now_ns, unit=0)
    bench.feed(history(1, 1))
    assert every(bench.said, Fill) == []
    assert bench.status(key) == "SUSPECT"
    out = bench.feed(PrivateStreamUp(1, 1, bench.now_ns))
    bench.feed(answer(listing(out), bench.now_ns, snapshot(key, VenueState.WORKING, 1)))
    trades = next(query for query in every(bench.wait(SECOND), VenueQuery) if query.kind is QueryKind.TRADES)
    fill = only(bench.feed(answer(trades, bench.now_ns, history(1, 1))), Fill)
    assert (fill.quantity, fill.quantity_lots) == (UNIT, 1)


def test_a_quantity_that_is_no_multiple_of_the_lots_is_not_taken_for_them() -> None:
    before = Bench().ready()
    key = before.working(lots=7)
    bench = recovered(before.said, before.now_ns, unit=0)
    bench.feed(new(key, quantity=10 * LOT))
    assert bench.orders.desk.register.open[key].unit == 0
    assert bench.orders.view()["counts"]["quantity_of_another_version"] == 1
