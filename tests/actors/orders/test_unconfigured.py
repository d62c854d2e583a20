"""An instrument that was traded once and is not handed in any more: no question, no waiting, and no silence about it."""

import msgspec
import pytest
from msgspec.structs import replace

from actors.orders import Orders
from actors.orders.recovery import OrdersState
from bus.messages import (
    Alert,
    AlertLevel,
    BalancesReported,
    CancelOrder,
    EngineStarted,
    OrdersQuiet,
    OrdersReady,
    PrivateStreamUp,
    StopRequested,
    VenueQuery,
)
from tests.actors.orders.build import INSTRUMENT, SECOND, SETTINGS, Bench, every, only, traded

OTHER = replace(INSTRUMENT, instrument=8, venue_symbol="ETHUSDT", base_asset="ETH")


def lived() -> tuple[Bench, str]:
    """Both instruments traded; one order of the second still works."""
    bench = Bench()
    bench.feed(OTHER)
    bench.ready()
    bench.feed(traded(bench.working(instrument=8), 500, 10, 10, instrument=8))
    bench.feed(traded(bench.working(), 20, 10, 10))
    key = bench.order(instrument=8)
    return bench, key


def again(bench: Bench, checkpoint: bool) -> Bench:
    """The next process, to which only the first instrument is handed."""
    following = Bench(now_ns=bench.now_ns)
    if checkpoint:
        raw = msgspec.msgpack.encode(bench.orders.checkpoint())
        following.orders = Orders(SETTINGS)
        following.orders.restore(msgspec.msgpack.decode(raw, type=OrdersState))
        return following
    folders = following.orders.recovers()
    for message in bench.said:
        if type(message) in folders:
            folders[type(message)](message, bench.now_ns)
    return following


@pytest.mark.parametrize("checkpoint", [True, False])
def test_nothing_is_asked_about_an_instrument_that_is_not_traded_any_more(checkpoint: bool) -> None:
    bench = again(lived()[0], checkpoint)
    bench.empty(bench.start(epoch=2))
    bench.wait(3 * SETTINGS.reconcile_interval_ns)
    assert {query.instrument for query in every(bench.said, VenueQuery)} == {7, -1}
    assert every(bench.said, CancelOrder) == []


@pytest.mark.parametrize("checkpoint", [True, False])
def test_leftovers_of_it_are_named_and_not_waited_for(checkpoint: bool) -> None:
    before, key = lived()
    bench = again(before, checkpoint)
    bench.empty(bench.start(epoch=2))
    assert only(bench.said, OrdersReady).stranded == 1
    alert = next(alert for alert in every(bench.said, Alert) if alert.event == "orders_of_unconfigured_instrument")
    assert (alert.level, alert.instrument) == (AlertLevel.WARNING, 8)
    assert key in alert.detail


def test_leftovers_of_it_are_no_proof_that_nothing_works() -> None:
    """They may be filled while the balances are asked, so no ledger may be compared; and a stop counts them."""
    bench = again(lived()[0], True)
    bench.empty(bench.start(epoch=2))
    assert [told.quiet for told in every(bench.said, BalancesReported)] == [False]
    assert only(bench.feed(StopRequested("end", bench.now_ns + SECOND)), OrdersQuiet).unresolved == 1


def test_leftovers_are_looked_for_when_the_instrument_is_configured_again() -> None:
    before, key = lived()
    between = again(before, True)
    between.empty(between.start(epoch=2))
    bench = again(between, True)
    bench.feed(OTHER)
    out = bench.start(epoch=3)
    assert {query.instrument for query in every(out, VenueQuery)} == {7, 8}
    assert key in bench.orders.desk.register.open


def test_leftovers_are_looked_for_when_the_instrument_is_added_in_the_run() -> None:
    before, key = lived()
    bench = again(before, True)
    bench.empty(bench.start(epoch=2))
    bench.feed(OTHER)
    assert key in bench.orders.desk.register.open


def test_a_restart_between_instruments_and_start_forgets_none_of_them() -> None:
    before, _ = lived()
    bench = again(before, True)
    bench.feed(INSTRUMENT)
    bench = again(bench, True)
    bench.feed(OTHER)
    bench.feed(EngineStarted(1, 2))
    out = bench.feed(PrivateStreamUp(1, 1, bench.now_ns))
    assert {query.instrument for query in every(out, VenueQuery)} == {7, 8}
