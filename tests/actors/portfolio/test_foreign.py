"""Trades of others on the account: the ledger follows them, no position does."""

import msgspec

from actors.portfolio import Portfolio
from actors.portfolio.state import PortfolioState
from bus.messages import ForeignTraded, LedgerCompared, Message, PositionUpdate, Side
from tests.actors.portfolio.test_portfolio import INSTRUMENT, LOT, SETTINGS, balances, facts_of, fill, portfolio


def foreign(number: int, side: Side = Side.BUY, lots: int = 3, fee: int = 0) -> ForeignTraded:
    return ForeignTraded(number, 1, 2, 7, "web_1", 77, 50 + number, side, lots * LOT, 60_000, fee, "BTC", 0)


def totals(actor: Portfolio) -> dict[str, int]:
    return dict(actor.view()["ledger"])


def based() -> Portfolio:
    actor = portfolio()
    actor.receive(balances(BTC=1_000_000, USDT=5_000_000), 0)
    return actor


def test_it_moves_the_ledger_and_no_position() -> None:
    actor = based()
    actor.receive(fill(1), 0)
    held = actor.view()["positions"]
    said = actor.receive(foreign(1, fee=7), 0)
    assert [message for message in said if isinstance(message, PositionUpdate)] == []
    assert actor.view()["positions"] == held
    assert totals(actor) == {"BTC": 1_000_000 + 6 * LOT - 7, "USDT": 5_000_000 - 120_000}


def test_the_venues_totals_agree_with_it() -> None:
    actor = based()
    actor.receive(foreign(1, Side.SELL), 0)
    said = facts_of(actor.receive(balances(BTC=1_000_000 - 3 * LOT, USDT=5_060_000), 0))
    assert [message for message in said if isinstance(message, LedgerCompared) and message.ours != message.venues] == []


def test_a_repeat_counts_once_and_so_it_is_after_a_restart() -> None:
    actor = based()
    actor.receive(foreign(1), 0)
    after = totals(actor)
    actor.receive(foreign(1), 0)
    restored = Portfolio(SETTINGS)
    restored.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=PortfolioState))
    restored.recovers()[ForeignTraded](foreign(1), 0)
    assert totals(actor) == totals(restored) == after


def test_the_journals_tail_makes_the_same_ledger() -> None:
    live, recovered = based(), based()
    facts: list[Message] = [fill(1), foreign(1), foreign(2, Side.SELL, 1, fee=2), fill(2, Side.SELL)]
    for fact in facts:
        live.receive(fact, 0)
        recovered.recovers()[type(fact)](fact, 0)
    assert totals(live) == totals(recovered)


def test_a_journal_that_is_read_before_any_instrument_is_known_loses_none() -> None:
    """Killed before the first checkpoint: the whole journal is folded, and a checkpoint may lie before the instruments too."""
    first = Portfolio(SETTINGS)
    told = balances(BTC=1_000_000, USDT=5_000_000)
    for fact in (told, fill(1), foreign(1, fee=7), foreign(1, fee=7), foreign(2, Side.SELL, 1)):
        first.recovers()[type(fact)](fact, 0)
    second = Portfolio(SETTINGS)
    second.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(first.checkpoint()), type=PortfolioState))
    for actor in (first, second):
        actor.receive(INSTRUMENT, 0)
        assert totals(actor) == {"BTC": 1_000_000 + 5 * LOT - 7, "USDT": 5_000_000 - 60_000}
        assert actor.view()["deferred"] == 0
