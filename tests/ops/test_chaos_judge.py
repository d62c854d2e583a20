"""What the venue's log proves, from rows that a bad engine would have left: every verdict of `touchline chaos` can fail."""

from typing import Any

import pytest

from ops.chaos.judge import (
    TAKEOVER_MS_MAX,
    Fault,
    Figures,
    Placement,
    figures,
    increasing,
    overlap_ns,
    percentile,
    placements,
    position,
    problems,
    stale_orders,
)
from tests.support.ids import id_of

MS = 1_000_000
TTL_MS = 2_000


def row(epoch: int, at_ms: int, code: int = 0, account: str = "client", **given: Any) -> dict[str, Any]:
    return {
        "kind": "place", "account": account, "received_ns": at_ms * MS, "code": code,
        "client_order_id": id_of(epoch, at_ms), "side": "BUY", "quantity": "0.5",
    } | given  # fmt: skip


def trade(maker: str, taker: str, at_ms: int = 0, maker_epoch: int = 0) -> dict[str, Any]:
    return {
        "maker_account": maker, "taker_account": taker, "time_ns": at_ms * MS, "taker_client_order_id": "",
        "maker_client_order_id": id_of(maker_epoch) if maker_epoch else "",
    }  # fmt: skip


def judged(
    rows: list[dict[str, Any]], faults: tuple[Fault, ...] = (), trades: tuple[dict[str, Any], ...] = ()
) -> Figures:
    return figures(placements(rows), trades, ("client", "client-2"), faults)


def told(found: Figures, ledger_equal: bool | None = True, increasing_in_cooldown: int | None = None) -> list[str]:
    return problems(found, ledger_equal, TTL_MS, increasing_in_cooldown)


CLEAN = [row(7, 10), row(7, 20), row(8, 2_030), row(8, 2_040)]
KILLED = (Fault("a", 7, 25 * MS),)


def test_a_clean_change_of_leaders_has_nothing_to_say() -> None:
    found = judged(CLEAN, KILLED, (trade("client", "background"), trade("background", "client-2")))
    assert found == Figures(
        stale_received=0, stale_accepted=0, stale_fills=0, foreign_accepted=0, overlap_ms=0.0, self_trades=0,
        takeovers_ms=(2_005.0,),
    )  # fmt: skip
    assert told(found) == []


def test_only_new_orders_of_a_proven_account_count() -> None:
    rows = [row(7, 1, kind="cancel"), row(7, 2, kind="query"), row(7, 3, account=""), row(7, 4, code=-1021)]
    assert placements(rows) == [Placement("client", 4 * MS, 7, id_of(7, 4), 0, False)]


def test_an_order_of_an_old_epoch_is_stale_whether_accepted_or_not() -> None:
    found = judged([*CLEAN, row(7, 2_050, code=-1021), row(7, 2_060), row(8, 2_070)], KILLED)
    assert (found.stale_received, found.stale_accepted) == (2, 1)
    assert found.overlap_ms == 30.0
    assert [text.split()[0] for text in told(found)] == ["1", "two"]


def test_a_fill_of_an_order_that_the_successor_should_have_canceled_is_told() -> None:
    before, after, own = (
        trade("client", "background", at, epoch) for at, epoch in ((2_029, 7), (2_031, 7), (2_031, 8))
    )
    assert judged(CLEAN, trades=(before, own)).stale_fills == 0
    assert judged(CLEAN, trades=(trade("client-2", "background", 2_031, 7),)).stale_fills == 0
    found = judged(CLEAN, trades=(before, after, own))
    assert found.stale_fills == 1
    assert told(found) == ["1 fills are of orders that should have been canceled by a later epoch"]


def test_a_refused_order_of_the_new_epoch_makes_the_old_one_stale_too() -> None:
    assert len(stale_orders(placements([row(7, 1), row(8, 2, code=-2010), row(7, 3)]))) == 1


def test_epochs_of_different_accounts_are_not_compared() -> None:
    rows = [row(8, 1, account="client-2"), row(7, 2), row(8, 3, account="client-2"), row(7, 4)]
    found = judged(rows)
    assert (found.stale_received, found.overlap_ms) == (0, 0.0)


def test_the_longest_overlap_counts_and_any_older_epoch_makes_one() -> None:
    rows = [row(6, 10), row(7, 20), row(6, 25), row(8, 40), row(6, 70)]
    assert overlap_ns(placements(rows), "client") == 50 * MS


def test_an_id_that_is_none_of_ours_fails_the_run_if_it_was_accepted() -> None:
    found = judged([row(7, 1), row(7, 2, client_order_id="web_1"), row(7, 3, client_order_id="x", code=-2010)])
    assert (found.foreign_accepted, found.stale_received) == (1, 0)
    assert "none of ours" in told(found)[0]


@pytest.mark.parametrize(
    ("maker", "taker", "counted"),
    [("client", "client", 1), ("client", "client-2", 1), ("client", "background", 0), ("background", "client", 0)],
)
def test_a_self_trade_has_accounts_of_ours_on_both_sides(maker: str, taker: str, counted: int) -> None:
    assert judged(CLEAN, (), (trade(maker, taker),)).self_trades == counted


def test_takeover_is_from_the_fault_to_the_first_accepted_order_of_a_later_epoch() -> None:
    rows = [row(7, 10), row(8, 500, code=-1015), row(8, 600), row(8, 700), row(9, 3_000)]
    faults = (Fault("a", 7, 100 * MS), Fault("b", 8, 1_000 * MS), Fault("a", 9, 4_000 * MS))
    assert judged(rows, faults).takeovers_ms == (500.0, 2_000.0)


@pytest.mark.parametrize(("late_ms", "count"), [(0, 0), (1, 1)])
def test_a_takeover_above_the_aim_fails_the_run(late_ms: int, count: int) -> None:
    late = judged([row(7, 1), row(8, 1 + TTL_MS + TAKEOVER_MS_MAX + late_ms)], (Fault("a", 7, 1 * MS),))
    assert ["takeover" in text for text in told(late)] == [True] * count


@pytest.mark.parametrize(("equal", "count"), [(True, 0), (False, 1), (None, 1)])
def test_a_ledger_that_differs_or_was_not_compared_fails_the_run(equal: bool | None, count: int) -> None:
    assert len(told(judged(CLEAN, KILLED), equal)) == count


BOUGHT = {
    "time_ns": 5 * MS, "maker_account": "client", "taker_account": "background", "taker_side": "SELL", "quantity": "0.5",
}  # fmt: skip


def test_a_position_is_what_the_accounts_trades_leave() -> None:
    sold = BOUGHT | {"time_ns": 8 * MS, "maker_account": "client-2", "taker_account": "client", "quantity": "0.2"}
    assert [position([BOUGHT, sold], "client", ms * MS) for ms in (5, 6, 9)] == [0, 50_000_000, 30_000_000]
    assert position([BOUGHT, sold], "client-2", 9 * MS) == 20_000_000


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ({}, 1),
        ({"side": "SELL"}, 0),
        ({"side": "SELL", "quantity": "1.0"}, 0),
        ({"side": "SELL", "quantity": "1.1"}, 1),
        ({"code": -2010}, 0),
        ({"at_ms": 19}, 1),
        ({"at_ms": 20}, 0),
        ({"at_ms": 6}, 0),
        ({"account": "client-2"}, 0),
    ],
    ids=["more", "less", "turned", "turned to more", "refused", "just inside", "at its end", "before", "another's"],
)
def test_in_a_cooldown_only_an_accepted_order_that_reduces_is_right(given: dict[str, Any], counted: int) -> None:
    orders = placements([row(7, **{"at_ms": 10} | given)])
    assert len(increasing(orders, [BOUGHT], "client", 7 * MS, 20 * MS)) == counted


def test_an_order_that_increased_a_position_in_a_cooldown_fails_the_run() -> None:
    assert told(judged(CLEAN, KILLED), increasing_in_cooldown=0) == []
    assert "during a cooldown" in told(judged(CLEAN, KILLED), increasing_in_cooldown=2)[0]


def test_without_a_position_every_order_is_an_increasing_one() -> None:
    orders = placements([row(7, 10, side="BUY"), row(7, 11, side="SELL")])
    assert increasing(orders, [], "client", 0, 20 * MS) == orders


@pytest.mark.parametrize(("share", "value"), [(0.5, 3), (0.95, 5), (0.2, 1), (0.21, 2)])
def test_percentiles_are_values_that_occurred(share: float, value: float) -> None:
    assert percentile([5, 1, 4, 2, 3], share) == value


def test_no_values_have_no_percentile() -> None:
    assert percentile([], 0.95) is None
