"""The witness on real recordings, where it must stay silent, and on every venue's own frames, where depth dies."""

import pytest

from actors.orderbook import Orderbook, live, witness
from actors.orderbook.witness import CONTRADICTED_NS, Witness
from bus.messages import BookState
from gateway.simulated.wire import TrueBook
from ops.bench.book_frames import WRITTEN, written
from ops.bench.book_sides import Desk
from ops.capture.verify import verify
from ops.venues import MARKETS
from tests.ops.recordings import recording

WITNESSES = {
    "binance-spot-ethusdt-20240808": 70_000,
    "binance-spot-many-30s": 80,
    "binance-us-many-30s": 100,
    "binance-usdm-ethusdt-20240808": 60_000,
    "binance-usdm-many-30s": 600,
    "okx-many-30s": 70,
}
"""Recordings that have trades or quotes beside their books, and how many of those at least are heard."""


@pytest.mark.parametrize("name", WITNESSES)
def test_no_recording_raises_a_false_alarm_with_a_fifth_of_the_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lasted: list[int] = []
    disputes = Witness.disputes

    def listening(self: Witness, *told: int) -> int:
        lasted.append(disputes(self, *told))
        return lasted[-1]

    monkeypatch.setattr(Witness, "disputes", listening)
    monkeypatch.setattr(witness, "CONTRADICTED_NS", CONTRADICTED_NS // 5)
    verify(recording(name))
    assert len(lasted) >= WITNESSES[name]
    assert max(lasted) == 0


@pytest.mark.parametrize("venue", WRITTEN)
def test_trades_through_a_silent_book_make_it_stale_at_every_venue(venue: str) -> None:
    """The depth stream ends; buyers eat three levels. The first print says so, the last one is believed."""
    stream, plan = written(venue, 5, 3), WRITTEN[venue]
    desk = Desk(MARKETS[venue](), stream, Orderbook)
    for payload in stream.frames:
        desk.frame(payload)
    book = live(desk.entry)
    assert book is not None
    unit = 10 ** (stream.scales.price - stream.decimals)
    price = -book.ask_keys[-4] // unit
    wire = plan.wire(plan.symbol, plan.price_decimals, plan.quantity_decimals, plan.levels)
    if venue == "coinbase":  # its numbers count every frame of the connection
        wire.numbers = iter(range(5 + len(stream.opening), 99))
    start_ns = desk.now_ns
    states = []
    while desk.now_ns - start_ns <= CONTRADICTED_NS + 200_000_000:
        states.append((desk.now_ns - start_ns <= CONTRADICTED_NS + 100_000_000, desk.entry.state))
        desk.frame(wire.trade(len(states), price, 1, True, 1_723_161_260_000_000_000 + desk.now_ns))
    assert {state for early, state in states if early} == {BookState.LIVE}
    assert desk.entry.contradicted == 1
    assert live(desk.entry) is None


def test_a_true_book_that_moves_is_never_contradicted() -> None:
    """Quotes and prints of a book that changes twenty times between two diffs: ahead of it always, never for long."""
    plan = WRITTEN["binance-usdm"]
    true = TrueBook(5, levels=60)
    wire = plan.wire(plan.symbol, plan.price_decimals, plan.quantity_decimals, 60)
    snapshot, opening = wire.snapshot(true, 1), wire.diff(true, 1)
    stream = written("binance-usdm", 1, 5)._replace(snapshot=snapshot, opening=(opening,), frames=[], levels=60)
    desk = Desk(MARKETS["binance-usdm"](), stream, Orderbook)
    for step in range(300):
        for _ in range(20):
            true.change()
        if step % 3 == 2:
            desk.frame(wire.diff(true, step))
        quote = wire.quote(true, step)
        assert quote is not None
        desk.frame(quote)
        _, _, ask, _ = true.top
        desk.frame(wire.trade(step + 1, ask, 1, True, step))
    assert (desk.entry.contradicted, desk.entry.state) == (0, BookState.LIVE)
    assert desk.entry.tops.checks > 50
