"""For each venue's rule: whatever the messages are cut into and whenever the snapshot comes, the rebuilt book is the true one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bus.messages import BookState, DepthSnapshot, DepthUpdate, Message
from bus.messages.feed import Scales, SnapshotSource
from ops.capture.learnt import Learnt
from ops.capture.reader import Record
from ops.capture.verifier import Verifier
from tests.conformance.rows import PRICE_DECIMALS, QUANTITY_DECIMALS, ROWS, Row
from tests.support.traffic import Symbol, Traffic, Truth

Steps = list[tuple[int, int]]
"""(changes in one diff, frames beside it), one after the other."""


class Comparison:
    """A verifier whose books are compared with the true ones at every id, in the venue's own figures."""

    def __init__(self, row: Row, symbols: list[Symbol]) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.compared = 0
        scales = dict.fromkeys(self.symbols, Scales(PRICE_DECIMALS, QUANTITY_DECIMALS))
        listeners = {DepthUpdate: self.took, DepthSnapshot: self.took}
        self.verifier = Verifier(row.market(), Learnt(scales), listeners=listeners)

    def took(self, message: DepthUpdate | DepthSnapshot, _now_ns: int) -> tuple[Message, ...]:
        instrument = self.verifier.instruments[message.instrument]
        truth = self.symbols[instrument.venue_symbol].truths.get(message.received_ns)
        if truth is None:
            assert isinstance(message, DepthSnapshot), "a REST body alone is no word of the stream"
            return ()
        self.compare(message.instrument, truth)
        return ()

    def compare(self, number: int, truth: Truth) -> None:
        instrument = self.verifier.instruments[number]
        entry = self.verifier.orderbook.entries[number]
        price = 10 ** (instrument.price_scale - PRICE_DECIMALS)
        quantity = 10 ** (instrument.quantity_scale - QUANTITY_DECIMALS)
        book = entry.book
        assert book.bids == {p * price: q * quantity for p, q in truth.bids.items()}
        assert {-key: q for key, q in book.asks.items()} == {p * price: q * quantity for p, q in truth.asks.items()}
        told = self.verifier.update_id(number, entry.sequence)
        assert told == ("" if truth.update_id is None else truth.update_id)
        self.compared += 1


def replayed(comparison: Comparison, traffic: Traffic) -> None:
    for line, record in enumerate(traffic.lines, 1):
        comparison.verifier.take(Record(line, *record))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    before=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    between=st.lists(st.integers(1, 6), max_size=5),
    after=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=12),
)
def test_the_rebuilt_book_is_the_true_one_at_every_id(
    row: Row, seed: int, before: list[int], between: list[int], after: Steps
) -> None:
    """before, between: diffs before the snapshot is taken, and until it is delivered (on the stream both are one moment)."""
    symbol = row.symbol(0, seed)
    traffic = Traffic(row.market(), [symbol], seed)
    traffic.open()
    if traffic.rest:
        for changes in before:
            traffic.change(symbol, changes)
    deliver = traffic.snapshot(symbol)
    if traffic.rest:
        for changes in between:
            traffic.change(symbol, changes)
    deliver()
    for changes, beside in after:
        traffic.change(symbol, changes)
        for _ in range(beside):
            traffic.chatter(symbol)
    comparison = Comparison(row, [symbol])
    replayed(comparison, traffic)
    (entry,) = comparison.verifier.orderbook.entries.values()
    assert entry.state == BookState.LIVE
    streamed = row.market().rule.snapshot == SnapshotSource.STREAM
    kept_alive = len(symbol.truths) - len({truth.update_id or at for at, truth in symbol.truths.items()})
    assert comparison.compared >= len(after) + (1 if streamed else len(between)) - kept_alive
    comparison.compare(entry.number, symbol.truth())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), order=st.lists(st.integers(0, 1), min_size=4, max_size=20))
def test_two_books_of_one_connection_are_told_apart(row: Row, seed: int, order: list[int]) -> None:
    one = row.symbol(0, seed)
    symbols = [one, row.symbol(1, seed + 1, beside=one)]
    traffic = Traffic(row.market(), symbols, seed)
    traffic.open()
    for symbol in symbols:
        if traffic.rest:
            traffic.change(symbol, 1)
        traffic.snapshot(symbol)()
    for which in order:
        traffic.change(symbols[which], 2)
    comparison = Comparison(row, symbols)
    replayed(comparison, traffic)
    states = [entry.state for entry in comparison.verifier.orderbook.entries.values()]
    assert states == [BookState.LIVE, BookState.LIVE]
    assert comparison.compared >= len(order)
