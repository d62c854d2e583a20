"""The day's loss and the fall from the day's peak: realized and unrealized, by quote asset."""

from typing import Any

import msgspec
import pytest

from actors.risk import AccountLimits, Risk, RiskState
from bus.messages import (
    Alert,
    Control,
    EngineStarted,
    Mark,
    Message,
    OperatorCommand,
    OrderRefused,
    OrdersReady,
    Side,
    TradingState,
    TradingStateChanged,
)
from tests.actors.risk.builders import ASK, NOW, command, instrument, limits, position, risk

ACTIVE, REDUCING, CANCEL_ONLY, HALTED = TradingState
DAY = 86_400_000_000_000
# Tick 1, price scale 2, quote scale 2, base scale 0: a price of 10,000 is 10,000 quote units for one base unit.


def mark(mid: int, **given: Any) -> Mark:
    return Mark(**{"instrument": 0, "version": 1, "update_id": 1, "bid": mid - 5, "ask": mid + 5, **given})


def held(lots: int, average: int, realized: int = 0) -> Message:
    return position(lots, cost=lots * average, realized=realized)


def told(actor: Risk, message: Message, now_ns: int = NOW) -> list[tuple[str, TradingState]]:
    return [(m.scope, m.state) for m in actor.receive(message, now_ns) if isinstance(m, TradingStateChanged)]


def falling(deepest: int = 1_000, **given: Any) -> Risk:
    return risk(None, AccountLimits(drawdown_max={"BBB": deepest}, **given))


def test_a_fall_from_the_days_peak_reduces() -> None:
    actor = falling()
    assert told(actor, held(10, 10_000)) == []
    assert told(actor, mark(10_150)) == []  # 1,500 up
    assert told(actor, mark(10_050)) == []  # 1,000 down from there
    assert told(actor, mark(10_049)) == [("engine", REDUCING)]
    assert told(actor, mark(9_000)) == []  # beyond twice: chosen to be REDUCING still
    [reason] = [row for row in actor.view()["reasons"] if row[1] == "drawdown:BBB"]
    assert reason[3] == "asset=BBB drawdown=10.1 from=15 max=10"


def test_realized_and_unrealized_count_together() -> None:
    actor = falling()
    told(actor, held(10, 10_000))
    told(actor, mark(10_100))
    assert told(actor, held(0, 0, realized=1_000)) == []  # closed at the mark: nothing was lost
    assert told(actor, held(0, 0, realized=-1)) == [("engine", REDUCING)]


def test_the_peak_begins_where_the_day_does() -> None:
    """The first result ever heard of is a loss already: it fell from 0."""
    assert told(falling(), held(0, 0, realized=-1_001)) == [("engine", REDUCING)]


@pytest.mark.parametrize("twice", [CANCEL_ONLY, HALTED])
def test_beyond_twice_what_was_chosen_holds_and_is_said_again(twice: TradingState) -> None:
    actor = falling(drawdown_twice=twice)
    told(actor, held(10, 10_000))
    assert told(actor, mark(9_899)) == [("engine", REDUCING)]
    assert told(actor, mark(9_800)) == []
    out = actor.receive(mark(9_799), NOW)
    assert [m.state for m in out if isinstance(m, TradingStateChanged)] == [twice]
    assert [m.event for m in out if isinstance(m, Alert)] == ["drawdown"]
    assert told(actor, mark(10_000)) == []  # a recovery is no person's word


def test_reducing_leaves_the_way_out_open() -> None:
    actor = falling()
    told(actor, held(10, 10_000), NOW - 1)
    told(actor, mark(9_000))
    assert isinstance(actor.receive(command(quantity_lots=1), NOW)[0], OrderRefused)
    sell = command(command=1, side=Side.SELL, price_ticks=ASK, quantity_lots=10, reduce_only=True)
    assert not isinstance(actor.receive(sell, NOW)[0], OrderRefused)


def test_a_resume_and_a_new_day_begin_a_new_peak() -> None:
    actor = falling()
    told(actor, held(10, 10_000))
    told(actor, mark(9_899))
    assert told(actor, OperatorCommand(Control.RESUME, -1, "seen")) == [("engine", ACTIVE)]
    assert told(actor, mark(9_800)) == []
    assert told(actor, mark(9_750), NOW + DAY) == []  # the day begins with what the last Mark of the old one said
    assert told(actor, mark(9_700), NOW + DAY) == []
    assert told(actor, mark(9_699), NOW + DAY) == [("engine", REDUCING)]


def test_the_days_loss_counts_what_an_open_position_has_lost() -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 100}))
    told(actor, held(10, 10_000))
    assert told(actor, mark(9_990)) == []
    assert told(actor, mark(9_989)) == [("engine", REDUCING)]


def test_an_open_gain_does_not_pay_for_a_loss_that_was_made() -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 100}))
    told(actor, held(10, 10_000))
    told(actor, mark(10_500))
    assert told(actor, held(10, 10_000, realized=-101)) == [("engine", REDUCING)]


def test_idle_inventory_of_before_is_not_in_it() -> None:
    """A position of 0 since the baseline: the market may halve."""
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 1}, drawdown_max={"BBB": 1}))
    told(actor, held(0, 0))
    assert told(actor, mark(10_000)) + told(actor, mark(5_000)) == []


def test_what_was_left_by_another_instance_begins_with_the_first_mark() -> None:
    actor = risk(None, AccountLimits(daily_loss_max={"BBB": 100}))
    told(actor, position(10, cost=10 * 20_000, taken_over=True))
    assert told(actor, mark(10_000)) == []
    assert told(actor, mark(9_989)) == [("engine", REDUCING)]


def test_a_mark_of_another_version_or_with_an_empty_side_is_not_believed() -> None:
    actor = falling()
    told(actor, held(10, 10_000))
    for odd in (mark(1, version=2), mark(9_000, bid=0), mark(9_000, ask=0), mark(1, instrument=9)):
        assert told(actor, odd) == []


def test_what_is_held_without_a_mark_makes_no_peak() -> None:
    """Recovered: 2,000 realized, and a position that is 1,900 under water by a Mark that has not come yet."""
    actor = falling()
    assert told(actor, held(10, 10_000, realized=2_000)) == []
    assert told(actor, mark(9_810)) == []


def test_assets_are_apart() -> None:
    actor = Risk({0: limits(), 1: limits()}, AccountLimits(drawdown_max={"BBB": 1_000, "CCC": 1_000}))
    for message in (
        instrument(),
        instrument(instrument=1, quote_asset="CCC"),
        EngineStarted(0, 1),
        OrdersReady(0, 1, 0, 0, 0),
    ):
        actor.receive(message, NOW)
    told(actor, held(10, 10_000))
    told(actor, position(10, instrument=1, cost=100_000))
    assert told(actor, mark(9_940)) + told(actor, mark(9_940, instrument=1)) == []
    assert told(actor, mark(9_899, instrument=1)) == [("engine", REDUCING)]
    assert [row[1] for row in actor.view()["reasons"]] == ["drawdown:CCC"]


def test_peaks_and_open_results_outlive_a_restart() -> None:
    actor = falling()
    told(actor, held(10, 10_000))
    told(actor, mark(10_150))
    again = Risk({0: limits()}, actor.account_limits)
    again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=RiskState))
    again.receive(EngineStarted(0, 2), NOW)
    again.receive(OrdersReady(0, 2, 0, 0, 0), NOW)
    assert told(again, mark(10_050)) == []
    assert told(again, mark(10_049)) == [("engine", REDUCING)]


def restarted(actor: Risk, *journal: Message, now_ns: int = NOW) -> Risk:
    """Another process: the checkpoint, then what the journal has behind it, then the start."""
    again = Risk({0: limits()}, actor.account_limits)
    again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=RiskState))
    for fact in journal:
        again.recovers()[type(fact)](fact, now_ns)
    again.receive(EngineStarted(0, 2), now_ns)
    again.receive(OrdersReady(0, 2, 0, 0, 0), now_ns)
    return again


@pytest.mark.parametrize("average", [5_000, 15_000])
@pytest.mark.parametrize("booked_late", [False, True])
def test_what_was_traded_since_the_checkpoint_is_not_judged_by_its_mark(average: int, booked_late: bool) -> None:
    """Goal: no peak and no loss that never was. Method: the checkpoint's Mark is at 10,000; since then the market went
    elsewhere, a position was opened there (in the journal, or found by the start), and the next Mark is of there.
    """
    actor = risk(None, AccountLimits(drawdown_max={"BBB": 1_000}, daily_loss_max={"BBB": 1_000}))
    told(actor, held(10, 10_000))
    told(actor, mark(10_000))
    told(actor, held(0, 0))
    traded = held(10, average)
    again = restarted(actor, *() if booked_late else (traded,))
    assert (told(again, traded) if booked_late else []) == []
    assert told(again, mark(average)) == []
    assert told(again, mark(average - 101)) == [("engine", REDUCING)], "from there on it is judged"


def test_midnight_without_a_mark_begins_with_the_next_one() -> None:
    """A position under water by 5,000 since yesterday is no loss of today's."""
    actor = risk(None, AccountLimits(drawdown_max={"BBB": 1_000}, daily_loss_max={"BBB": 6_000}))
    told(actor, held(10, 10_000))
    for down in range(100, 600, 100):
        told(actor, mark(10_000 - down))
    told(actor, OperatorCommand(Control.RESUME, -1, "seen"))
    again = restarted(actor, now_ns=NOW + DAY)
    assert told(again, held(10, 10_000), NOW + DAY) == []
    assert told(again, mark(9_500), NOW + DAY) == []
    assert told(again, mark(9_399), NOW + DAY) == [("engine", REDUCING)]
