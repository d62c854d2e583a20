"""Numbered fills into ledger and positions, the baseline, and the comparison with the venue."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.portfolio import BaselinePolicy, Portfolio, PortfolioSettings
from actors.portfolio.state import PortfolioState
from bus.messages import (
    AccountState,
    Alert,
    Balance,
    BalancesJudged,
    BalancesReported,
    BaselineTaken,
    Difference,
    EngineStarted,
    Fill,
    Instrument,
    LedgerCompared,
    Mark,
    Message,
    PositionUpdate,
    Side,
)

INSTRUMENT = Instrument(7, 1, 1, 2, "BTCUSDT", "BTC", "USDT", 2, 6, 8, 8, 1, 100, 1, 10**9, 1, 10**9, 0, 0, 200)
SETTINGS = PortfolioSettings(account=1, venue=2)
LOT = 10_000  # base units


def fill(number: int, side: Side = Side.BUY, lots: int = 3, quote: int = 60_000, fee: int = 0, asset: str = "", **changes: Any) -> Fill:  # fmt: skip
    base = Fill(number, 1, 2, 7, 1, "maker", "id", 900, number, side, 2_000_000, lots * LOT, lots, quote, fee, asset, True, False, 0)  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def portfolio(settings: PortfolioSettings = SETTINGS) -> Portfolio:
    actor = Portfolio(settings)
    actor.receive(INSTRUMENT, 0)
    return actor


def balances(quiet: bool = True, **totals: int) -> BalancesReported:
    """Judged at once: nobody will look again."""
    rows = tuple(Balance(asset, units - 1, 1) for asset, units in totals.items())
    return BalancesReported(1, 2, quiet, rows, final=True)


def facts_of(out: tuple[Message, ...]) -> tuple[Message, ...]:
    """All but what is left for a successor and what is said to people and orders, which have their own tests."""
    others = AccountState | BalancesJudged | Difference
    return tuple(message for message in out if not isinstance(message, others))


def test_a_fill_moves_position_and_ledger() -> None:
    actor = portfolio()
    (update,) = actor.receive(fill(1), 0)
    assert update == PositionUpdate(1, 1, 2, 7, 1, 3 * LOT, 3, 60_000, 0, pytest.approx(200.0))  # type: ignore[arg-type]
    assert actor.view()["ledger"] == {"BTC": 3 * LOT, "USDT": -60_000}


def test_a_fill_is_folded_once() -> None:
    actor = portfolio()
    actor.receive(fill(1), 0)
    assert actor.receive(fill(1), 0) == ()
    assert actor.view()["counts"] == {"fill_repeated": 1}


def test_a_gap_in_the_numbers_is_said_and_the_fill_still_counts() -> None:
    actor = portfolio()
    actor.receive(fill(1), 0)
    update, alert = actor.receive(fill(4), 0)
    assert isinstance(update, PositionUpdate)
    assert isinstance(alert, Alert)
    assert (update.position_lots, alert.event, alert.detail) == (6, "fill_gap", "missing=2 before=4")


@pytest.mark.parametrize(
    ("asset", "position", "realized"), [("BTC", 3 * LOT - 30, 0), ("USDT", 3 * LOT, -30), ("BNB", 3 * LOT, 0)]
)
def test_a_fee_is_paid_in_its_own_asset(asset: str, position: int, realized: int) -> None:
    actor = portfolio()
    (update,) = actor.receive(fill(1, fee=30, asset=asset), 0)
    assert isinstance(update, PositionUpdate)
    assert (update.position, update.realized) == (position, realized)
    assert actor.view()["fees"] == {asset: -30}


def test_the_first_quiet_balances_are_the_baseline() -> None:
    actor = portfolio()
    assert facts_of(actor.receive(balances(quiet=False, BTC=5), 0)) == ()
    out = actor.receive(balances(BTC=500, USDT=900, DUST=0), 0)
    assert facts_of(out) == (
        BaselineTaken(1, ("BTC", "USDT", "DUST"), (500, 900, 0), ("BTC", "USDT")),
        LedgerCompared(1, "BTC", 0, 500, True),
        LedgerCompared(1, "USDT", 0, 900, True),
    )
    actor.receive(fill(1, quote=100), 0)
    assert actor.view()["ledger"] == {"BTC": 500 + 3 * LOT, "USDT": 800, "DUST": 0}


def test_a_later_comparison_says_what_both_have_and_changes_nothing() -> None:
    actor = portfolio()
    actor.receive(balances(BTC=500, USDT=900), 0)
    out = actor.receive(balances(BTC=500, USDT=850), 0)
    same, other = LedgerCompared(1, "BTC", 500, 500, False), LedgerCompared(1, "USDT", 900, 850, False)
    assert facts_of(out) == (same, other)
    assert actor.view()["ledger"]["USDT"] == 900
    assert actor.view()["counts"]["ledger_differs"] == 1


def test_a_stated_baseline_is_compared_from_the_start() -> None:
    settings = PortfolioSettings(1, 2, BaselinePolicy.STATED, (("BTC", 500),))
    out = portfolio(settings).receive(balances(BTC=520), 0)
    assert facts_of(out)[1:] == (LedgerCompared(1, "BTC", 0, 500, True), LedgerCompared(1, "BTC", 500, 520, False))


def test_a_mark_values_the_position_in_the_view() -> None:
    actor = portfolio()
    actor.receive(fill(1, lots=10_000, quote=2_000_000_000_000), 0)
    actor.receive(Mark(7, 1, 1, 2_001_000, 2_002_000), 0)
    actor.receive(Mark(99, 1, 1, 5, 6), 0)
    assert actor.view()["pnl"] == {"BTCUSDT": {"realized": 0, "unrealized": 1_000_000_000}}


def test_after_a_start_positions_are_said_again() -> None:
    actor = portfolio()
    actor.receive(fill(1), 0)
    (update,) = actor.receive(EngineStarted(1, 2), 0)
    assert isinstance(update, PositionUpdate)
    assert (update.number, update.position_lots) == (2, 3)


def journal_of(inputs: list[Message]) -> tuple[Portfolio, list[Message]]:
    """An actor that got `inputs`, and the facts as the journal has them: fills before what followed from them."""
    actor, facts = portfolio(), []
    for message in inputs:
        if isinstance(message, Fill | BalancesReported):
            facts.append(message)
        facts += [fact for fact in actor.receive(message, 0) if isinstance(fact, PositionUpdate)]
    return actor, facts


def test_a_baseline_is_one_fact_whatever_was_said_of_it_before_the_crash() -> None:
    """Killed behind the first LedgerCompared of three: the baseline has three assets all the same."""
    live = portfolio()
    live.receive(balances(BTC=500, USDT=900, BNB=50), 0)
    back = Portfolio(SETTINGS)
    back.recovers()[BalancesReported](balances(BTC=500, USDT=900, BNB=50), 0)
    assert back.view()["ledger"] == live.view()["ledger"] == {"BTC": 500, "USDT": 900, "BNB": 50}
    assert LedgerCompared not in back.recovers()


def test_balances_that_are_no_baseline_change_nothing_at_recovery() -> None:
    back = Portfolio(SETTINGS)
    fold = back.recovers()[BalancesReported]
    fold(balances(quiet=False, BTC=7), 0)
    fold(balances(BTC=500), 0)
    fold(balances(BTC=400, USDT=3), 0)
    assert back.view()["ledger"] == {"BTC": 500}


DAY: list[Message] = [
    fill(1, lots=2),  # an orphan's, before the baseline
    balances(BTC=500, USDT=900_000, BNB=50),
    fill(2, fee=3, asset="BNB"),
    fill(3, Side.SELL, 1, 21_000, 4, "USDT"),
    fill(4, Side.SELL, 9, 200_000, 7, "BTC"),
    balances(BTC=1, USDT=2),
    fill(5),
]


@pytest.mark.parametrize("instrument_first", [True, False])
def test_the_journal_alone_brings_ledger_and_positions_back(instrument_first: bool) -> None:
    """A recovery reads facts before any Instrument comes: they wait for it, the baseline's moment included."""
    live, facts = journal_of(DAY)
    back = portfolio() if instrument_first else Portfolio(SETTINGS)
    folders = back.recovers()
    for fact in facts:
        folders[type(fact)](fact, 0)
    back.receive(INSTRUMENT, 0)
    for key in ("ledger", "positions", "pnl", "fees", "baselined", "fills"):
        assert back.view()[key] == live.view()[key], key
    (update,) = facts_of(back.receive(fill(6), 0))
    assert isinstance(update, PositionUpdate)
    assert update.number > max(fact.number for fact in facts if isinstance(fact, PositionUpdate))


def test_a_baseline_covers_what_waits_for_each_instrument() -> None:
    """Two fills wait for two instruments, then the baseline, then one more fill: only that one moves the total."""
    actor = Portfolio(SETTINGS)
    folders = actor.recovers()
    for fact in (fill(1), fill(2, instrument=8), balances(USDT=900_000), fill(3, instrument=8)):
        folders[type(fact)](fact, 0)
    actor.receive(INSTRUMENT, 0)
    assert actor.view()["ledger"]["USDT"] == 900_000
    actor.receive(msgspec.structs.replace(INSTRUMENT, instrument=8, venue_symbol="BTCUSD"), 0)
    assert actor.view()["ledger"]["USDT"] == 840_000
    assert actor.view()["positions"][8]["position"] == 6 * LOT


@pytest.mark.parametrize("stop", range(len(DAY) + 1))
def test_a_restart_at_every_step_changes_nothing_that_follows(stop: int) -> None:
    live, restored = portfolio(), Portfolio(SETTINGS)
    for message in DAY[:stop]:
        live.receive(message, 0)
    restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(live.checkpoint()), type=PortfolioState))
    for message in DAY[stop:]:
        assert restored.receive(message, 0) == live.receive(message, 0)
    assert restored.view() == live.view()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Side)),
            st.integers(1, 50),
            st.integers(0, 10**9),
            st.integers(0, 99),
            st.sampled_from(["BTC", "USDT", "BNB"]),
        )
    )
)
def test_the_ledger_is_the_sum_of_what_happened(steps: list[tuple[Side, int, int, int, str]]) -> None:
    """Oracle: a plain sum by asset. And the position is what the ledger's base asset moved by."""
    actor = portfolio()
    actor.receive(balances(BTC=10**9, USDT=10**12, BNB=10**6), 0)
    naive = {"BTC": 10**9, "USDT": 10**12, "BNB": 10**6}
    for number, (side, lots, quote, fee, asset) in enumerate(steps, 1):
        actor.receive(fill(number, side, lots, quote, fee, asset), 0)
        naive["BTC"] += side * lots * LOT
        naive["USDT"] -= side * quote
        naive[asset] -= fee
    assert actor.view()["ledger"] == naive
    assert actor.view()["positions"][7]["position"] == naive["BTC"] - 10**9


def test_another_lot_is_told_to_whoever_counts_the_position_in_lots() -> None:
    actor = portfolio()
    actor.receive(EngineStarted(1, 1), 0)
    actor.receive(fill(1), 0)
    coarser = msgspec.structs.replace(INSTRUMENT, version=2, lot=200)
    (update,) = actor.receive(coarser, 0)
    assert isinstance(update, PositionUpdate)
    assert (update.version, update.position, update.position_lots) == (2, 3 * LOT, 1)
    assert actor.receive(msgspec.structs.replace(coarser, version=3, min_lots=5), 0) == ()
