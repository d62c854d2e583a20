"""A venue that is only looked at: its book gives signals to the strategy as any other, and nothing can be traded on it."""

import msgspec

from actors.strategy import Context, Strategy
from bus.messages import (
    Alert,
    BookReason,
    BookState,
    BookStateChanged,
    CancelOrder,
    ConnectionDown,
    ConnectionUp,
    Frame,
    OrderCommand,
    OrderRefused,
    QueryKind,
    Refusal,
    Signals,
    SubmitOrder,
    VenueQuery,
)
from gateway.simulated.wire import TrueBook
from gateway.simulated.wire.kraken import KrakenWire
from ops.feeds import CONNECTIONS_MAX, NOBODY
from tests.support.house import BTC, CONFIG, House

CONNECTION = CONNECTIONS_MAX
LOOKED_AT = msgspec.structs.replace(
    BTC,
    instrument=1,
    account=NOBODY,
    venue=1,
    venue_symbol="BTC/USD",
    quote_asset="USD",
    price_scale=1,
    quantity_scale=8,
    base_scale=0,  # coarser than its quantities: of one that is traded orders and portfolio refuse that, loudly
    tick=1,
    lot=1,
)


class Reckless(Strategy):
    """Wishes on whatever has signals, and remembers what became of it."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.refused: list[OrderRefused] = []

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.seen.append(signals.instrument)
        instrument = context.instrument(signals.instrument)
        context.quote(signals.instrument, signals.bid // instrument.tick, 100, 0, 0)

    def on_refused(self, context: Context, refused: OrderRefused) -> None:
        self.refused.append(refused)


FEED = '\n[[feed]]\nvenue = "kraken"\nsymbols = ["BTC/USD"]\nlevels = 10\n'
RECKLESS = f'[strategy]\nuse = "{__name__}:Reckless"\n'
BIDS, ASKS = [["60000.00", "1"]], [["60000.02", "1"]]


def house(*, reckless: bool = False) -> House:
    """Two venues: BTCUSDT trades, Kraken's BTC/USD is looked at."""
    venue, _, parameters = CONFIG.partition("[strategy.parameters]")
    strategy = RECKLESS if reckless else f"[strategy.parameters]{parameters}"
    return House(venue + strategy + FEED, more=(LOOKED_AT,))


def run_kraken(engine: House, diffs: int) -> TrueBook:
    """Its connection opens, subscribes, and tells a book and its changes."""
    wire, book = KrakenWire("BTC/USD", 1, 8, 10), TrueBook(7, mid=600_000)
    engine.post(ConnectionUp(CONNECTION, 1, engine.clock.now_ns()))

    def receive(payload: bytes) -> None:
        engine.post(Frame(CONNECTION, engine.clock.now_ns(), payload, 1))

    for frame in (*wire.accepted(), wire.snapshot(book, engine.clock.now_ns())):
        receive(frame)
    for _ in range(diffs):
        engine.clock.advance(1_000_000)
        book.change()
        receive(wire.diff(book, engine.clock.now_ns()))
    return book


def test_its_book_is_live_and_its_signals_reach_the_strategy() -> None:
    engine = house(reckless=True)
    engine.start()
    run_kraken(engine, 20)
    states = [m for m in engine.said(BookStateChanged) if m.instrument == 1]
    assert states[-1].state is BookState.LIVE
    assert engine.actor("strategy").user.strategy.seen.count(1) > 10
    assert engine.actor("strategy").context.instruments == (0,)
    assert engine.actor("strategy").context.watched == (1,)


def test_a_wish_on_it_is_refused_with_the_reason_and_never_an_order() -> None:
    engine = house(reckless=True)
    engine.start()
    run_kraken(engine, 20)
    strategy = engine.actor("strategy").user.strategy
    assert engine.said(OrderCommand)
    assert {(m.instrument, m.reason) for m in strategy.refused} == {(1, Refusal.UNKNOWN_INSTRUMENT)}
    assert engine.said(SubmitOrder) == []
    assert engine.wire.written == []


def test_nobody_asks_the_account_about_it_or_complains_of_it() -> None:
    engine = house()
    engine.begin()
    asked = {message.instrument for message in engine.asked if isinstance(message, VenueQuery)}
    engine.start()
    run_kraken(engine, 20)
    engine.wait(120_000)  # timers of every kind: renewals, reconciliation, checkpoints
    engine.answer_queries()
    asked |= {m.instrument for m in engine.said(VenueQuery) if m.kind is QueryKind.TRADES}
    assert 1 not in asked
    assert [m for m in engine.asked if isinstance(m, Alert) and m.event == "instrument_refused"] == []
    assert engine.host.failures == 0
    assert 1 not in engine.actor("portfolio").view()["positions"]
    assert 1 not in engine.actor("coordination").view()["bands"]
    assert engine.said(OrderCommand) == []  # the example strategy quotes what it may


def test_the_engine_goes_on_when_it_is_lost() -> None:
    engine = house()
    engine.start()
    engine.answer_snapshot(10, BIDS, ASKS)
    engine.receive(engine.depth(11, 11, [], [["60000.02", "2"]]))
    run_kraken(engine, 20)
    engine.receive(engine.depth(12, 12, [], [["60000.02", "3"]]))
    working = len(engine.said(SubmitOrder))
    assert working == 2
    engine.post(ConnectionDown(CONNECTION, 1, "it hung up"))
    states = [m for m in engine.said(BookStateChanged) if m.instrument == 1]
    assert (states[-1].state, states[-1].reason) == (BookState.INVALID, BookReason.CONNECTION_LOST)
    assert engine.actor("risk").view()["states"]["engine"] == "ACTIVE"
    assert (len(engine.said(SubmitOrder)), engine.said(CancelOrder)) == (working, [])
    engine.receive(engine.depth(13, 13, [], [["60000.02", "4"]]))
    assert [m for m in engine.said(BookStateChanged) if m.instrument == 0][-1].state is BookState.LIVE
