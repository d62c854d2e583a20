"""Balances that executions came into: the ledger of one moment between is what they must be, and nothing else is concluded."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.portfolio import Portfolio
from actors.portfolio.comparison import LOOKS_MAX
from actors.portfolio.moments import MOVES_MAX
from bus.messages import (
    Balance,
    BalancesJudged,
    BalancesReported,
    BaselineTaken,
    Difference,
    ForeignTraded,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    Side,
)
from tests.actors.portfolio.test_baseline import SOL, begin, bought, of, restored
from tests.actors.portfolio.test_comparison import START, based

EQUAL = (BalancesJudged(1, 0, False),)
NOT_COMPARED = (BalancesJudged(1, 0, False, compared=False),)
AGAIN = (BalancesJudged(1, 0, True),)


def moved(count: int, btc: int, usdt: int) -> BalancesReported:
    """Asked before the last `count` executions, answered behind some of them."""
    return BalancesReported(1, 2, False, (Balance("BTC", btc, 0), Balance("USDT", usdt, 0)), moved=count)


def filled(count: int) -> Portfolio:
    actor = based()
    for number in range(1, count + 1):
        actor.receive(msgspec.structs.replace(bought(number), venue_ns=number), 0)
    return actor


def after(count: int, more_btc: int = 0) -> tuple[int, int]:
    """The venue's totals behind so many of those executions."""
    return START["BTC"] + 10_000 * count + more_btc, START["USDT"] - 1_000 * count


@pytest.mark.parametrize("place", range(4))
def test_the_ledger_of_any_moment_between_is_equal(place: int) -> None:
    assert filled(5).receive(moved(3, *after(2 + place)), 0) == EQUAL


def test_the_ledger_of_before_the_question_is_not() -> None:
    assert filled(5).receive(moved(3, *after(1)), 0) == AGAIN


def test_two_looks_in_a_row_show_a_gap() -> None:
    """Money is gone; the moments are others each time, and it is the same sum that is missing."""
    actor = filled(5)
    assert actor.receive(moved(3, *after(4, -77)), 0) == AGAIN
    for number in (6, 7):
        actor.receive(bought(number), 0)
    out = actor.receive(moved(2, *after(6, -77)), 0)
    assert [(row.subject, row.venues - row.ours) for row in of(Difference, out)] == [("BTC", -77)]
    assert of(BalancesJudged, out) == [BalancesJudged(1, 1, False)]
    actor.receive(bought(8), 0)
    assert actor.receive(moved(2, *after(7, -77)), 0) == EQUAL, "it stands, and is no news"
    assert actor.view()["gaps"] == {"BTC": -77}


def test_dust_is_booked_while_executions_come() -> None:
    actor = filled(5)
    actor.receive(moved(3, *after(4, 3)), 0)
    assert [row.units for row in of(LedgerAdjusted, actor.receive(moved(3, *after(4, 3)), 0))] == [3]
    assert actor.receive(moved(3, *after(5, 3)), 0) == EQUAL


def test_what_never_fits_is_not_compared() -> None:
    """Another gap each time while executions come: neither equal nor a difference."""
    actor = filled(5)
    out = [actor.receive(moved(3, *after(4, -1_000 * number)), 0) for number in range(1, LOOKS_MAX + 2)]
    assert out == [*[AGAIN] * LOOKS_MAX, NOT_COMPARED]
    assert actor.view()["counts"]["balances_moved"] == 1


def test_more_executions_than_are_remembered_are_not_compared() -> None:
    actor = filled(MOVES_MAX + 9)
    assert actor.receive(moved(MOVES_MAX, *after(MOVES_MAX + 9)), 0) == EQUAL
    out = [actor.receive(moved(MOVES_MAX + 1, *after(MOVES_MAX + 9)), 0) for _ in range(LOOKS_MAX + 1)]
    assert out[-1] == NOT_COMPARED


def test_no_start_is_taken_from_it() -> None:
    actor = Portfolio(based().holdings.settings)
    begin(actor, SOL, epoch=1)
    assert actor.receive(moved(1, *after(0)), 0) == NOT_COMPARED
    assert not actor.view()["baselined"]


def test_what_comes_to_be_traded_takes_no_start_from_it() -> None:
    actor = restored(filled(3))
    begin(actor, SOL, epoch=2)
    out = actor.receive(moved(2, *after(2)), 0)
    assert of(BaselineTaken, out) == of(LedgerCompared, out) == []
    assert of(BalancesJudged, out) == list(NOT_COMPARED)


def test_trades_of_others_are_moments_too() -> None:
    actor = filled(2)
    actor.receive(ForeignTraded(1, 1, 2, 7, "by-hand", 901, 50, Side.SELL, 4_000, 400, 7, "BNB", 3), 0)
    btc, usdt = after(2)
    assert actor.receive(moved(2, btc - 4_000, usdt + 400), 0)[-1] == AGAIN[0], "its fee is missing at the venue"
    paid = BalancesReported(
        1, 2, False, (Balance("BTC", btc - 4_000, 0), Balance("USDT", usdt + 400, 0), Balance("BNB", -7, 0)), moved=2
    )
    assert actor.receive(paid, 0)[-1] == EQUAL[0]


def test_executions_of_two_instruments_are_undone_by_the_venues_time() -> None:
    """The stream told the later one first, an answer the earlier one: the venue had the earlier one alone."""
    actor = restored(based())
    begin(actor, SOL, msgspec.structs.replace(SOL, instrument=7, venue_symbol="BTCUSDT", base_asset="BTC"), epoch=2)
    actor.receive(BalancesReported(1, 2, True, (Balance("BTC", 500, 0), Balance("USDT", 900_000, 0))), 0)
    actor.receive(msgspec.structs.replace(bought(1, instrument=8), venue_ns=20), 0)
    actor.receive(msgspec.structs.replace(bought(2), venue_ns=10), 0)
    assert actor.receive(moved(2, *after(1)), 0) == EQUAL


@settings(deadline=None)
@given(st.lists(st.sampled_from(["fill", "look", "lost"]), max_size=14))
def test_a_restart_at_every_step_changes_nothing_that_follows(steps: list[str]) -> None:
    inputs: list[Message] = []
    fills, gone = 0, 0
    for kind in steps:
        fills += kind == "fill"
        gone -= 7 * (kind == "lost")
        inputs.append(bought(fills) if kind == "fill" else moved(min(fills, 2), *after(max(fills - 1, 0), gone)))
    whole, told = based(), []
    saved: list[Callable[[], Portfolio]] = []
    for message in inputs:
        copy = restored(whole)
        copy.holdings.settings = whole.holdings.settings
        saved.append(lambda copy=copy: copy)  # type: ignore[misc]  # a default is the way to bind it
        told.append(whole.receive(message, 0))
    for place, copied in enumerate(saved):
        actor = copied()
        assert [actor.receive(later, 0) for later in inputs[place:]] == told[place:]
