"""What news of an instrument becomes, one kind of change a row."""

from typing import Any

import msgspec
import pytest

from bus.messages import Instrument
from ops.feeds import NOBODY
from ops.versions import WAIT_S_MAX, Versions
from tests.support.house import BTC

LOOKED_AT = msgspec.structs.replace(BTC, instrument=1, account=NOBODY, venue=1)


def versions(unfit: str = "", **changed: Any) -> Versions:
    known = {0: msgspec.structs.replace(BTC, **changed), 1: LOOKED_AT}
    return Versions(known, lambda row: unfit)


def found(instrument: Instrument = BTC, **changes: Any) -> Instrument:
    return msgspec.structs.replace(instrument, **changes)


def take(rules: Versions, row: Instrument | None) -> Instrument:
    """As whoever posts it does."""
    assert row is not None
    rules.known[row.instrument] = msgspec.structs.replace(row, version=row.version + 1)
    return row


@pytest.mark.parametrize(
    "changes",
    [
        {"min_lots": 5},
        {"max_lots": 5_000},
        {"min_notional": 1},
        {"max_orders": 7},
        {"bid_up_ppm": 1_100_000},
        {"trading": False},
        {"max_position_lots": 9},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_limits_and_a_halt_are_taken_at_once(changes: dict[str, Any]) -> None:
    assert versions().observe(found(**changes), 0.0) == found(**changes)


def test_what_did_not_change_is_no_version() -> None:
    assert versions().observe(BTC, 0.0) is None


@pytest.mark.parametrize(
    "changes", [{"tick": 10}, {"lot": 10}, {"quantity_scale": 7}], ids=lambda changes: next(iter(changes))
)
def test_another_grid_first_stops_what_is_and_comes_when_nothing_works_there(changes: dict[str, Any]) -> None:
    rules = versions()
    assert take(rules, rules.observe(found(**changes), 0.0)) == found(trading=False)
    assert rules.ready(lambda number: 1, 1.0) == []
    assert rules.observe(found(**changes), 2.0) is None, "read again while it waits"
    assert rules.ready(lambda number: 0, 3.0) == [found(**changes)]
    assert rules.ready(lambda number: 0, 4.0) == []


def test_a_grid_is_not_ready_before_the_halt_is_an_input() -> None:
    rules = versions()
    rules.observe(found(tick=10), 0.0)
    assert rules.ready(lambda number: 0, 0.0) == []


def test_a_grid_that_is_taken_back_while_it_waits_lets_trading_go_on() -> None:
    rules = versions()
    take(rules, rules.observe(found(tick=10), 0.0))
    assert rules.observe(BTC, 1.0) == BTC
    assert rules.ready(lambda number: 0, 2.0) == []


def test_of_what_is_only_looked_at_a_grid_is_taken_at_once() -> None:
    changed = found(LOOKED_AT, tick=10, price_scale=9)
    assert versions().observe(changed, 0.0) == changed


def test_people_are_told_when_orders_do_not_go_away_and_again_after_twice_the_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rules = versions()
    take(rules, rules.observe(found(tick=10), 0.0))
    told = []
    for second in range(int(WAIT_S_MAX * 5)):
        rules.ready(lambda number: 2, float(second))
        told.append(caplog.text.count("grid_waits_for_orders"))
    marks = [second for second in range(1, len(told)) if told[second] > told[second - 1]]
    assert marks == [WAIT_S_MAX, 2 * WAIT_S_MAX, 4 * WAIT_S_MAX]
    assert "orders=2" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [{"base_asset": "XBT"}, {"quote_asset": "USD"}, {"base_scale": 9}, {"quote_scale": 6}, {"price_scale": 6}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_ledger_is_counted_in_cannot_change_while_we_run(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    rules = versions()
    assert take(rules, rules.observe(found(**changes), 0.0)) == found(trading=False)
    assert rules.observe(found(**changes), 1.0) is None
    assert caplog.text.count("CRITICAL") == caplog.text.count("instrument_unfit") == 1
    assert rules.observe(BTC, 2.0) == BTC


def test_limits_of_ours_that_do_not_fit_the_new_lot_stop_trading_and_the_grid_is_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Positions and books must be right in any case; only orders cannot be."""
    rules = versions(unfit="order_max: 0.015 is not a multiple")
    take(rules, rules.observe(found(lot=10_000), 0.0))
    [grid] = rules.ready(lambda number: 0, 1.0)
    assert (grid.lot, grid.trading) == (10_000, False)
    take(rules, grid)
    assert rules.observe(found(lot=10_000), 2.0) is None
    assert caplog.text.count("instrument_unfit") == 1


@pytest.mark.parametrize(("listed", "event"), [(True, "WARNING"), (False, "CRITICAL")])
def test_what_the_venue_does_not_trade_or_name_stops_once_and_comes_back(
    listed: bool, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    rules = versions()
    assert take(rules, rules.absent(0, "status: is BREAK", listed=listed)) == found(trading=False)
    assert rules.absent(0, "status: is BREAK", listed=listed) is None
    assert [record.levelname for record in caplog.records] == [event]
    assert rules.observe(BTC, 1.0) == BTC
