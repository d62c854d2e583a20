"""A margin account: positions by the venue's symbol, one wallet by the settle asset, and what moves it beside fills."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.portfolio import BaselinePolicy, Portfolio, PortfolioSettings
from actors.portfolio.state import PortfolioState
from bus.messages import (
    AccountHandedOver,
    AccountState,
    Balance,
    BalancesReported,
    BaselineTaken,
    Control,
    Difference,
    DifferenceKind,
    EngineStarted,
    Fill,
    ForeignTraded,
    Instrument,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    OperatorCommand,
    PositionUpdate,
    Side,
    VenuePosition,
    WalletChanged,
)
from tests.actors.portfolio.test_baseline import of

UNIT = 10**8
BTC = Instrument(
    7, 1, 1, 2, "BTCUSDT", "BTC", "USDT", 8, 8, 8, 8, 10**7, 10**5, 1, 0, 1, 0, 0, 0, 0, settle_asset="USDT"
)
DUST = PortfolioSettings(1, 2, dust=(("USDT", 100), ("BTCUSDT", 0)))
BUY, SELL = Side


def filled(number: int, side: Side, lots: int, price: int, realized: int = 0, fee: int = 0) -> Fill:
    """`lots` of 0.001 BTC at `price` whole USDT."""
    quantity = lots * 10**5
    quote = price * quantity
    ids = (number, 1, 2, 7, 1, "main", f"tl{number}", number, number, side)
    return Fill(*ids, price * UNIT, quantity, lots, quote, fee, "USDT", True, False, 5, realized)


def looked(wallet: int, position: int, entry: int = 0, *, quiet: bool = True, final: bool = False) -> BalancesReported:
    """position: lots; entry: whole USDT."""
    positions = (VenuePosition(7, "BTCUSDT", position * 10**5, entry * UNIT),)
    return BalancesReported(1, 2, quiet, (Balance("USDT", wallet, 0),), (), positions, steady=True, final=final)


def begun(settings: PortfolioSettings = DUST) -> Portfolio:
    actor = Portfolio(settings)
    actor.receive(BTC, 0)
    actor.receive(EngineStarted(1, 1), 0)
    return actor


def based(wallet: int = 1_000 * UNIT, position: int = 0, entry: int = 0) -> Portfolio:
    actor = begun()
    actor.receive(looked(wallet, position, entry), 1_000)
    return actor


def funding(change: int, entry: int, venue_ns: int = 2_000, instrument: int = 7) -> WalletChanged:
    return WalletChanged(1, 2, instrument, "USDT", change, "FUNDING_FEE", entry, venue_ns)


def ledger(actor: Portfolio) -> dict[str, int]:
    return {asset: units for asset, units in actor.view()["ledger"].items() if units}


def position_of(actor: Portfolio) -> tuple[int, int, int]:
    held = actor.holdings.positions[7]
    return held.quantity, held.cost, held.realized


def test_fills_move_the_position_and_the_wallet_by_what_the_venue_says() -> None:
    """No base asset is owned, and no quote is paid: the wallet has realized results and fees alone."""
    actor = based()
    actor.receive(filled(1, BUY, 2, 60_000, fee=24_000), 0)
    actor.receive(filled(2, SELL, 5, 60_100, realized=2 * UNIT // 10 + 1, fee=60_000), 0)
    assert ledger(actor) == {"USDT": 1_000 * UNIT + UNIT // 5 + 1 - 84_000, "BTCUSDT": -3 * 10**5}
    quantity, cost, realized = position_of(actor)
    assert (quantity, cost, realized) == (-3 * 10**5, -3 * 10**5 * 60_100, UNIT // 5 - 84_000)


def test_what_agrees_is_not_told_again() -> None:
    actor = based()
    actor.receive(filled(1, SELL, 2, 60_000), 0)
    report = looked(1_000 * UNIT, -2)
    assert of(Difference, actor.receive(report, 0)) == []
    assert of(LedgerCompared, actor.receive(report, 0)) == []


def test_a_position_that_was_there_before_us_is_ours_to_manage() -> None:
    """The venue nets every order against it: the first look makes it ours, at the venue's entry price."""
    actor = begun()
    out = actor.receive(looked(1_000 * UNIT, -4, 60_000), 1_000)
    [taken], [update] = of(BaselineTaken, out), of(PositionUpdate, out)
    assert dict(zip(taken.assets, taken.units, strict=True)) == {"USDT": 1_000 * UNIT, "BTCUSDT": -4 * 10**5}
    assert (update.position, update.position_lots, update.cost, update.taken_over) == (
        -400_000,
        -4,
        -24_000_000_000,
        True,
    )
    actor.receive(filled(1, BUY, 4, 59_900, realized=4 * UNIT // 10), 0)
    assert position_of(actor) == (0, 0, 4 * UNIT // 10)
    assert of(Difference, actor.receive(looked(1_000 * UNIT + 4 * UNIT // 10, 0), 0)) == []


def test_a_position_that_differs_stands_until_a_person_accepts_it() -> None:
    actor = based()
    actor.receive(filled(1, BUY, 2, 60_000), 0)
    report = looked(1_000 * UNIT, 5, 60_000)
    assert of(Difference, actor.receive(report, 0)) == []
    [row] = of(Difference, actor.receive(report, 0))
    assert (row.kind, row.instrument) == (DifferenceKind.POSITION, 7)
    assert (row.subject, row.ours, row.venues) == ("BTCUSDT", 200_000, 500_000)
    assert position_of(actor)[0] == 200_000
    out = actor.receive(OperatorCommand(Control.ACCEPT, -1, "bought by hand", asker="me"), 0)
    [adjusted], [update] = of(LedgerAdjusted, out), of(PositionUpdate, out)
    assert (adjusted.asset, adjusted.units) == ("BTCUSDT", 300_000)
    assert (update.position, update.cost, update.taken_over) == (500_000, 30_000_000_000, True)


def test_an_answer_without_positions_says_nothing_about_them() -> None:
    actor = based()
    actor.receive(filled(1, BUY, 2, 60_000), 0)
    report = BalancesReported(1, 2, True, (Balance("USDT", 1_000 * UNIT, 0),), steady=True, final=True)
    assert of(Difference, actor.receive(report, 0)) == []


def test_funding_is_booked_once_and_earned_by_the_position() -> None:
    actor = based()
    actor.receive(filled(1, BUY, 2, 60_000), 0)
    out = actor.receive(funding(-375, 11), 0)
    assert [update.realized for update in of(PositionUpdate, out)] == [-375]
    assert actor.receive(funding(-375, 11), 0) == ()
    assert actor.receive(funding(-999, 12, venue_ns=1_000), 0) == (), "it lies in the baseline"
    assert ledger(actor)["USDT"] == 1_000 * UNIT - 375
    assert of(Difference, actor.receive(looked(1_000 * UNIT - 375, 2), 0)) == []


def by_hand(number: int, side: Side, lots: int, price: int, realized: int = 0, fee: int = 0) -> ForeignTraded:
    """Of an order that is left alone."""
    quantity = lots * 10**5
    ids = (number, 1, 2, 7, "web_1", 900 + number, 50 + number)
    return ForeignTraded(*ids, side, quantity, price * quantity, fee, "USDT", 5, realized)


def test_a_contract_traded_by_hand_moves_the_position_as_it_moves_the_ledger() -> None:
    """The venue has one position a symbol, whoever traded it. It is told as no fill of ours made it, and once."""
    actor = based()
    actor.receive(filled(1, BUY, 3, 50_000), 2_000)
    told, *_ = actor.receive(by_hand(1, SELL, 1, 50_100, realized=10_000_000, fee=500), 2_000)
    assert isinstance(told, PositionUpdate)
    assert (told.position, told.taken_over, told.realized) == (2 * 10**5, True, 10_000_000 - 500)
    assert position_of(actor) == (2 * 10**5, 2 * 10**5 * 50_000, 10_000_000 - 500)
    assert ledger(actor) == {"BTCUSDT": 2 * 10**5, "USDT": 1_000 * UNIT + 10_000_000 - 500}
    assert actor.receive(by_hand(1, SELL, 1, 50_100), 2_000) == ()
    restored = begun()
    restored.restore(actor.checkpoint())
    restored.recovers()[ForeignTraded](by_hand(2, SELL, 4, 50_000), 3_000)
    assert position_of(restored)[0] == ledger(restored)["BTCUSDT"] == -2 * 10**5


def test_a_transfer_is_nobodys_result() -> None:
    actor = based()
    out = actor.receive(WalletChanged(1, 2, -1, "USDT", 50 * UNIT, "TRANSFER", 11, 2_000), 0)
    assert of(PositionUpdate, out) == []
    assert ledger(actor)["USDT"] == 1_050 * UNIT


def test_before_there_is_a_ledger_a_fact_lies_in_its_start() -> None:
    """A person accepts the start: what moved the wallet before is in it."""
    actor = begun(PortfolioSettings(1, 2, BaselinePolicy.ASK))
    actor.receive(looked(1_000 * UNIT, 2, 60_000), 500)
    actor.receive(funding(-375, 11, venue_ns=600), 600)
    actor.receive(looked(1_000 * UNIT - 375, 2, 60_000), 700)
    out = actor.receive(OperatorCommand(Control.ACCEPT, -1, "counted", asker="me"), 1_000)
    assert ledger(actor) == {"USDT": 1_000 * UNIT - 375, "BTCUSDT": 200_000}
    assert [update.position for update in of(PositionUpdate, out)] == [200_000]


def test_a_successor_goes_on_from_what_was_folded() -> None:
    actor = based()
    actor.receive(filled(1, BUY, 2, 60_000), 0)
    [*_, state] = of(AccountState, actor.receive(funding(-375, 11, venue_ns=5_000), 0))
    assert state.wallet_ns == 5_000
    other = begun()
    other.receive(AccountHandedOver(1, 3, state), 9_000)
    assert ledger(other) == ledger(actor)
    assert position_of(other)[0] == 200_000
    assert other.receive(funding(-375, 11, venue_ns=5_000), 9_000) == ()
    other.receive(funding(-10, 12, venue_ns=6_000), 9_000)
    assert ledger(other)["USDT"] == 1_000 * UNIT - 385


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from([BUY, SELL]), st.integers(1, 9), st.integers(-5, 5)),
        st.tuples(st.just("funding"), st.integers(-9, 9)),
        st.tuples(st.just("look")),
        st.tuples(st.just("restart")),
    ),
    max_size=12,
)


@given(STEPS, st.integers(-3, 3))
def test_a_restart_at_any_step_ends_where_none_would(steps: list[tuple[Any, ...]], held: int) -> None:
    """The same facts to an actor that lives, to one restored from its checkpoint at each restart, and to one that has the
    journal alone: equal wallets and positions, equal to the plain sums.
    """
    lives, again = based(position=held, entry=60_000), based(position=held, entry=60_000)
    start = looked(1_000 * UNIT, held, 60_000)
    assets = ("USDT", "BTCUSDT")
    journal: list[Message] = [start, BaselineTaken(1, assets, (1_000 * UNIT, held * 10**5))]
    wallet, position, number = 1_000 * UNIT, held, 0
    for count, step in enumerate(steps):
        message: Message
        match step:
            case ("fill", side, lots, realized):
                number += 1
                message = filled(number, side, lots, 60_000, realized, fee=1)
                wallet, position = wallet + realized - 1, position + side * lots
            case ("funding", change):
                message = funding(change, count, 2_000 + count)
                wallet += change
            case ("look",):
                message = looked(wallet, position)
            case _:
                state = msgspec.msgpack.decode(msgspec.msgpack.encode(again.checkpoint()), type=PortfolioState)
                again = Portfolio(DUST)
                again.restore(state)
                again.receive(BTC, 0)
                again.receive(EngineStarted(1, 2), 0)
                continue
        out = lives.receive(message, 3_000)
        again.receive(message, 3_000)
        journal.append(message)
        assert of(Difference, out) == []
    recovered = Portfolio(DUST)
    for fact in journal:
        recovered.recovers()[type(fact)](fact, 1_000)
    recovered.receive(BTC, 0)
    recovered.receive(EngineStarted(1, 2), 0)
    for actor in (lives, again, recovered):
        assert ledger(actor) == {
            key: units for key, units in (("USDT", wallet), ("BTCUSDT", position * 10**5)) if units
        }
        assert position_of(actor)[0] == position * 10**5
    assert position_of(again) == position_of(lives)


@pytest.mark.parametrize(("before", "after"), [(4, 2), (4, -2), (-4, -6), (0, 3), (3, 0)])
def test_a_moved_position_keeps_its_price_where_it_shrinks(before: int, after: int) -> None:
    actor = based(position=before, entry=60_000)
    actor.receive(looked(1_000 * UNIT, after, 61_000, final=True), 0)
    actor.receive(OperatorCommand(Control.ACCEPT, -1, "seen", asker="me"), 0)
    quantity, cost, _ = position_of(actor)
    assert quantity == after * 10**5
    price = 60_000 if before * after > 0 and abs(after) < abs(before) else 61_000
    kept = before if before * after > 0 and abs(after) > abs(before) else 0
    assert cost == (kept * 60_000 + (after - kept) * price) * 10**5
