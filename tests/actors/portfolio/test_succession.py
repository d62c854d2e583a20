"""What is left for a successor after each change, and what he makes of it: the same ledger, the same positions."""

from typing import Any

import msgspec
import pytest

from actors.portfolio import Portfolio, PortfolioSettings
from actors.portfolio.state import PortfolioState
from actors.portfolio.succession import DAY_NS, RECENT_MAX
from bus.messages import (
    AccountHandedOver,
    AccountState,
    Alert,
    BalancesJudged,
    EngineStarted,
    Instrument,
    LeadershipLost,
    LedgerCompared,
    Message,
    PositionUpdate,
    Side,
)
from tests.actors.portfolio.test_portfolio import INSTRUMENT, LOT, balances, fill, portfolio

OTHER_NUMBER = msgspec.structs.replace(INSTRUMENT, instrument=3)
"""The same instrument as another instance numbers it."""


def based(trades: tuple[tuple[int, int], ...] = ((7, 40),), **totals: int) -> Portfolio:
    """A portfolio with a baseline; the account's last trade before it was 40."""
    actor = portfolio()
    first = balances(**(totals or {"BTC": 10 * LOT, "USDT": 1_000_000}))
    actor.receive(msgspec.structs.replace(first, trades=trades), 0)
    return actor


def left(messages: tuple[Message, ...]) -> AccountState:
    [state] = [message for message in messages if isinstance(message, AccountState)]
    return state


def successor(state: AccountState, instrument: Instrument = OTHER_NUMBER, now_ns: int = 0) -> tuple[Portfolio, Any]:
    actor = Portfolio(PortfolioSettings(account=1, venue=2))
    actor.receive(instrument, now_ns)
    return actor, actor.receive(AccountHandedOver(1, 5, state), now_ns)


def test_each_fill_leaves_the_ledger_the_position_and_the_trades() -> None:
    state = left(based().receive(fill(1, trade_id=41, quote=100), 0))
    assert dict(zip(state.assets, state.units, strict=True)) == {"BTC": 13 * LOT, "USDT": 999_900}
    assert (state.symbols, state.positions, state.costs, state.realized) == (("BTCUSDT",), (3 * LOT,), (100,), (0,))
    assert (state.trade_ids, state.recent) == ((41,), ((40, 41),))


def test_nothing_is_left_before_there_is_a_ledger_to_go_on_with() -> None:
    assert [type(message) for message in portfolio().receive(fill(1), 0)] == [PositionUpdate]


def test_the_baseline_and_each_start_leave_a_state() -> None:
    actor = portfolio()
    assert left(actor.receive(balances(BTC=5), 0)).units == (5, 0)
    assert left(actor.receive(EngineStarted(1, 2), 0)).number == 2


def test_an_account_that_never_traded_is_told_from_one_that_is_not_known() -> None:
    assert left(based(trades=((7, -1),)).receive(EngineStarted(1, 2), 0)).recent == ((-1,),)
    assert left(based(trades=()).receive(EngineStarted(1, 2), 0)).recent == ((),)


def test_trades_are_named_in_the_order_of_their_ids_and_only_so_many() -> None:
    actor = based()
    for number, trade_id in enumerate([42, 41, 43, *range(50, 50 + RECENT_MAX)], 1):
        out = actor.receive(fill(number, trade_id=trade_id), 0)
    assert left(out).recent == (tuple(range(50, 50 + RECENT_MAX)),)
    assert left(based().receive(fill(1, trade_id=40), 0)).recent == ((40,),)


def test_a_successor_has_the_same_ledger_and_position_under_his_own_number() -> None:
    actor = based()
    actor.receive(fill(1, trade_id=41, quote=600, fee=7, asset="USDT"), 0)
    state = left(actor.receive(fill(2, Side.SELL, 1, 250, trade_id=42), 0))
    new, said = successor(state)
    assert new.view()["ledger"] == actor.view()["ledger"]
    assert new.view()["positions"] == {3: actor.view()["positions"][7]}
    assert new.view()["pnl"] == actor.view()["pnl"]
    [update] = [message for message in said if isinstance(message, PositionUpdate)]
    assert (update.instrument, update.position_lots, update.taken_over) == (3, 2, True)
    assert left(new.receive(EngineStarted(1, 6), 0)).recent == state.recent


def test_balances_that_agree_with_what_was_taken_over_are_no_new_baseline() -> None:
    actor = based()
    new, _ = successor(left(actor.receive(fill(1, trade_id=41, quote=100), 0)))
    same = new.receive(balances(BTC=13 * LOT, USDT=999_900), 0)
    assert [message for message in same if isinstance(message, LedgerCompared)] == [
        LedgerCompared(1, "BTC", 13 * LOT, 13 * LOT, False), LedgerCompared(1, "USDT", 999_900, 999_900, False)
    ]  # fmt: skip


def test_what_was_taken_over_replaces_what_we_believed() -> None:
    """We led before, lost it, and come back: our position of then is not the account's."""
    old = based()
    old.receive(fill(1, trade_id=41, quote=100), 0)
    other = based()
    state = left(other.receive(fill(1, Side.SELL, 2, 80, trade_id=45), 0))
    old.receive(AccountHandedOver(1, 9, state), 0)
    for key in ("ledger", "positions", "pnl"):
        assert old.view()[key] == other.view()[key]
    assert left(old.receive(fill(2, trade_id=46, quote=1), 0)).positions == (LOT,)


def test_positions_of_symbols_that_we_do_not_have_wait_for_their_instrument() -> None:
    """A recovery reads the journal before any Instrument comes; fills of ours after the takeover come on top."""
    state = left(based().receive(fill(1, trade_id=41, quote=100), 0))
    back = Portfolio(PortfolioSettings(account=1, venue=2))
    folders = back.recovers()
    for fact in (fill(1, instrument=3), AccountHandedOver(1, 5, state), fill(2, instrument=3, trade_id=42, quote=100)):
        folders[type(fact)](fact, 0)
    back.receive(OTHER_NUMBER, 0)
    assert back.view()["positions"][3]["position"] == 6 * LOT
    assert back.view()["ledger"] == {"BTC": 16 * LOT, "USDT": 999_800}
    assert left(back.receive(EngineStarted(1, 6), 0)).recent == ((40, 41, 42),)


def test_an_instrument_configured_later_is_told_as_taken_over() -> None:
    """What another lost with it is not today's loss of ours, and its entry was not ours either."""
    actor = based(USDT=1_000_000, BTC=10 * LOT)
    actor.receive(fill(1, lots=2, quote=1_000, trade_id=41), 0)
    state = left(actor.receive(fill(2, Side.SELL, 1, 300, trade_id=42), 0))
    other = msgspec.structs.replace(INSTRUMENT, instrument=1, venue_symbol="ETHUSDT", base_asset="ETH")
    later, _ = successor(state, other, DAY_NS)
    [update] = later.receive(OTHER_NUMBER, DAY_NS)
    assert isinstance(update, PositionUpdate)
    assert (update.position_lots, update.realized) == (1, -200)
    assert (update.taken_over, update.day_start) == (True, -200)


@pytest.mark.parametrize(("days_later", "day_start"), [(0, -200), (1, -300)])
def test_what_was_realized_today_is_told_from_what_was_before(days_later: int, day_start: int) -> None:
    """A loss of 200 yesterday, 100 more today: a successor counts 100, and tomorrow none."""
    actor = based(USDT=1_000_000, BTC=10 * LOT)
    actor.receive(fill(1, lots=2, quote=1_000, trade_id=41), DAY_NS)
    actor.receive(fill(2, Side.SELL, 1, 300, trade_id=42), DAY_NS)
    state = left(actor.receive(fill(3, Side.SELL, 1, 400, trade_id=43), 2 * DAY_NS))
    assert (state.realized, state.days, state.day_starts) == ((-300,), (2,), (-200,))
    _, said = successor(state, now_ns=(2 + days_later) * DAY_NS)
    [update] = [message for message in said if isinstance(message, PositionUpdate)]
    assert (update.realized, update.day_start) == (-300, day_start)


def test_a_takeover_is_said_to_people_and_survives_a_checkpoint() -> None:
    state = left(based().receive(fill(1, trade_id=41, quote=100), 0))
    actor, said = successor(state)
    assert [message.event for message in said if isinstance(message, Alert)] == ["account_taken_over"]
    restored = Portfolio(PortfolioSettings(account=1, venue=2))
    restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=PortfolioState))
    later = fill(1, instrument=3, trade_id=42)
    assert restored.receive(later, 0) == actor.receive(later, 0)


def test_another_leaders_balances_say_nothing_about_our_ledger() -> None:
    actor = based()
    actor.receive(LeadershipLost(1, 5, "cut off"), 0)
    assert actor.receive(balances(BTC=1, USDT=1), 0) == (BalancesJudged(1, 0, False, compared=False),)
    actor.receive(EngineStarted(1, 6), 0)
    assert any(isinstance(message, LedgerCompared) for message in actor.receive(balances(BTC=1, USDT=1), 0))
