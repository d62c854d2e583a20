"""Starts that found something else than they left: other filters, other instruments, other money, another engine.

The whole engine in memory, killed and brought back from its journal or from its checkpoint.
"""

from collections.abc import Sequence

import msgspec
import pytest

from bus.checkpoint import collect, state_of
from bus.codec import decode_any
from bus.messages import (
    HEADER_SIZE,
    Alert,
    AlertLevel,
    Balance,
    BaselineTaken,
    EngineStarted,
    Instrument,
    OrdersQuiet,
    PrivateStreamDown,
    PrivateStreamUp,
    StopRequested,
    TradingState,
    VenueQuery,
)
from ops.assembly import ACCOUNT
from tests.support.house import BTC, CONFIG, MS, House
from tests.support.ids import id_of
from tests.support.stage import BALANCES, Stage

RECOVERED = ("orders", "risk", "portfolio", "execution", "persistence", "strategy")
ETH = msgspec.structs.replace(BTC, instrument=1, venue_symbol="ETHUSDT", base_asset="ETH")
BOTH = CONFIG.replace(
    "[strategy.parameters]",
    '[[instrument]]\nsymbol = "ETHUSDT"\norder_max = "1"\nposition_max = "2"\nposition_min = "-2"\n\n[strategy.parameters]',
)


def from_journal(before: House, instrument: Instrument = BTC, epoch: int = 2) -> House:
    """The next process: nothing but the journal, and the instruments the venue names now."""
    house = House(epoch=epoch, instrument=instrument, clock=before.clock)
    for _, _, now_ns, body in before.journal.records:
        message = decode_any(body[HEADER_SIZE:])
        for actor in house.actors:
            fold = actor.recovers().get(type(message)) if actor.name in RECOVERED else None
            if fold is not None:
                fold(message, now_ns)
    return house


def from_checkpoint(before: House, config: str = CONFIG, more: Sequence[Instrument] = ()) -> House:
    house = House(config, epoch=2, clock=before.clock, more=more)
    for actor, saved in zip(house.actors, collect(before.actors), strict=True):
        if actor.name in RECOVERED:
            actor.restore(state_of(saved, actor.State))
    return house


def trading(house: House) -> TradingState:
    return TradingState[house.actor("risk").view()["states"]["engine"]]


def test_a_finer_lot_after_a_restart_changes_no_order_that_rests() -> None:
    """0.001 BTC rest in lots of 0.00001; the venue trades lots of 0.000001 when we are back; a tenth is filled."""
    stage = Stage()
    stage.accept(stage.bid)
    finer = msgspec.structs.replace(BTC, version=2, lot=100)
    house = from_journal(stage.house, finer)
    house.post(*house.instruments, EngineStarted(ACCOUNT, 2))
    assert house.actor("risk").view()["worst_long_lots"][0] == 1_000
    stage.house = house
    stage.fill(stage.bid, "0.00010000")
    order = house.actor("orders").desk.register.open[stage.bid]
    assert (order.status.name, order.leaves_lots) == ("PARTIALLY_FILLED", 90)
    assert house.actor("risk").view()["worst_long_lots"][0] == 1_000
    assert house.actor("portfolio").view()["positions"][0]["position"] == 10_000


def test_an_instrument_taken_out_of_the_configuration_does_not_keep_an_engine_from_ready() -> None:
    before = House(BOTH, more=(ETH,))
    before.start((*BALANCES, Balance("ETH", 5, 0)))
    before.actor("orders").desk.trades[1] = 500
    house = from_checkpoint(before)
    house.start(BALANCES)
    assert trading(house) is TradingState.ACTIVE
    house.wait(95_000)
    assert {query.instrument for query in house.asked if isinstance(query, VenueQuery)} == {0}


def test_an_airdrop_stops_no_trading() -> None:
    house = House()
    house.start(BALANCES)
    house.post(PrivateStreamDown(0, 1, "cut"), PrivateStreamUp(0, 2, house.clock.now_ns()))
    house.answer_queries((*BALANCES, Balance("XRP", 1, 0)))
    assert trading(house) is TradingState.ACTIVE
    alert = next(m for m in house.asked if isinstance(m, Alert) and m.event == "balance_of_other_asset")
    assert alert.level is AlertLevel.INFO


def test_a_difference_that_is_gone_at_the_next_comparison_lets_us_trade_again() -> None:
    house = House()
    house.start(BALANCES)
    house.post(PrivateStreamDown(0, 1, "cut"), PrivateStreamUp(0, 2, house.clock.now_ns()))
    house.answer_queries((BALANCES[0], Balance("USDT", 7, 0)))
    assert trading(house) is TradingState.CANCEL_ONLY, (
        "a gap is looked at twice before anything trades, or is stopped for it"
    )
    house.wait(1_000)
    house.answer_queries((BALANCES[0], Balance("USDT", 7, 0)))
    assert trading(house) is TradingState.REDUCING
    house.post(PrivateStreamDown(0, 2, "cut"), PrivateStreamUp(0, 3, house.clock.now_ns()))
    house.answer_queries(BALANCES)
    assert trading(house) is TradingState.ACTIVE


@pytest.mark.parametrize("kept", range(6))
def test_a_baseline_is_whole_wherever_the_process_died_in_it(kept: int) -> None:
    """Killed behind any record of the cascade that took it: the next start agrees with the venue."""
    before = House()
    before.start((*BALANCES, Balance("BNB", 5, 0)))
    first = next(n for n, m in enumerate(before.journal.messages()) if type(m).__name__ == "BalancesReported")
    assert any(isinstance(m, BaselineTaken) for m in before.journal.messages())
    del before.journal.records[first + kept :]
    house = from_journal(before)
    house.start((*BALANCES, Balance("BNB", 5, 0)))
    assert trading(house) is TradingState.ACTIVE
    assert house.actor("portfolio").view()["ledger"] == before.actor("portfolio").view()["ledger"]


def test_an_engine_that_was_superseded_while_it_slept_sends_nothing() -> None:
    stage = Stage(quotes=False)
    stage.lose_connection()
    stage.reconnect()
    newer = stage.found(id_of(9))
    stage.house.forget()
    stage.house.post(PrivateStreamUp(ACCOUNT, 9, stage.house.clock.now_ns()))
    stage.settle(10.0, OPEN_ORDERS=(newer,), ORDER=(newer,))
    for _ in range(5):
        stage.tick()
    assert stage.requests("order.place") == []
    assert stage.trading() is TradingState.CANCEL_ONLY
    assert newer.client_order_id not in stage.cancels()


def test_a_stop_of_an_engine_that_never_saw_its_account_says_that_it_knows_nothing() -> None:
    house = House()
    house.post(*house.instruments, EngineStarted(ACCOUNT, 1))
    house.post(StopRequested("test", house.clock.now_ns() + 100 * MS))
    house.wait(200)
    assert [message.unresolved for message in house.asked if isinstance(message, OrdersQuiet)] == [-1]
