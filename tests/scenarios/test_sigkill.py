"""SIGKILL, with real processes: the engine dies in the middle of things, the venue goes on, and the next run finds it all."""

import json
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bus.messages import Fill, IdsReserved, SubmitOrder
from tests.scenarios.conftest import KilledDemo
from tests.support.processes import WAIT_S, EngineProcess, VenueProcess, units, until

SYMBOL = "BTCUSDT"
SWEEP = "3"
"""BTC at market, each way: through everything near the touch, the engine's quotes included."""


@pytest.fixture(scope="module", autouse=True)
def beside(killed_demo: KilledDemo) -> None:
    """The demo begins with the first test here and waits beside them all."""


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    with VenueProcess(tmp_path, "--symbols", SYMBOL, "--seed", "3") as process:
        yield process


def trading(engine: EngineProcess, venue: VenueProcess) -> list[dict[str, Any]]:
    """Start, and wait until orders work and something was filled; the open orders."""
    engine.start()
    engine.wait_for("orders_ready")
    until(lambda: venue.trades(SYMBOL), "a first fill")
    return until(venue.open_orders, "a working order")  # type: ignore[no-any-return]  # whatever `open_orders` returns


def kill_while_orders_work(engine: EngineProcess, venue: VenueProcess) -> list[str]:
    """The market and the engine stand still at a moment when orders of ours rest, and the engine dies there. Their ids."""
    process = engine.process
    assert process is not None

    def caught() -> list[str]:
        process.send_signal(signal.SIGSTOP)  # else it may be replacing them
        venue.control("pause-flow")
        left = [row["clientOrderId"] for row in venue.open_orders()]
        if not left:
            venue.control("resume-flow")
            process.send_signal(signal.SIGCONT)
        return left

    left: list[str] = until(caught, "a moment with a working order")
    engine.kill()
    return left


def wrong(engine: EngineProcess, venue: VenueProcess, report: Any) -> list[str]:
    """What must hold after the last run's clean stop; empty when it does."""
    facts = engine.journal()
    fills = [fact for fact in facts if isinstance(fact, Fill)]
    submits = [fact.client_order_id for fact in facts if isinstance(fact, SubmitOrder)]
    trades = set(venue.trades(SYMBOL))
    placed = [row["client_order_id"] for row in venue.orders(SYMBOL)]
    ours = {asset: units(text) for asset, text in report["ledger"].items()}
    venues = venue.balances()
    booked = sum(fill.side * fill.quantity - (fill.fee if fill.fee_asset == "BTC" else 0) for fill in fills)
    rules = [
        (venue.open_orders() == [], "an order of ours still works"),
        ({a: n for a, n in ours.items() if n} == {a: n for a, n in venues.items() if n}, f"{ours} is not {venues}"),
        ({(fill.trade_id, fill.venue_order_id) for fill in fills} == trades, "fills are not the venue's trades"),
        (len(fills) == len(trades), "a fill was booked twice"),
        (units(report["position_base"]) == booked, f"position {report['position_base']} is not {booked}"),
        (len(submits) == len(set(submits)), "a client order id was used twice"),
        (set(placed) <= set(submits), "the venue has an order that the journal has not"),
        (report["health"]["actor_failures"] == 0, "an actor failed"),
        (report["health"]["ledger_differences"] == [], "the ledger differed on the way"),
    ]
    return [text for held, text in rules if not held]


def epochs(engine: EngineProcess) -> list[int]:
    found = [fact.epoch for fact in engine.journal() if isinstance(fact, SubmitOrder)]
    return list(dict.fromkeys(found))


def test_orders_left_by_a_killed_engine_are_canceled_and_fills_it_missed_are_booked(
    tmp_path: Path, venue: VenueProcess
) -> None:
    with EngineProcess(tmp_path, venue) as engine:
        trading(engine, venue)
        left = kill_while_orders_work(engine, venue)
        venue.sweep(SYMBOL, SWEEP)
        known = sum(isinstance(fact, Fill) for fact in engine.journal())
        assert known < len(venue.trades(SYMBOL)), "the sweep filled something behind the dead engine's back"
        still = [row["clientOrderId"] for row in venue.open_orders()]
        venue.control("resume-flow")
        engine.start()
        engine.wait_for("orders_ready")
        ended = {row["client_order_id"]: row["status"] for row in venue.orders(SYMBOL)}
        assert all(ended[client_order_id] in ("CANCELED", "FILLED") for client_order_id in left)
        assert all(ended[client_order_id] in ("CANCELED", "FILLED") for client_order_id in still)
        until(lambda: len(epochs(engine)) == 2, "orders of the second run")
        assert wrong(engine, venue, engine.stop()) == []


def test_working_orders_of_a_killed_engine_are_adopted_where_that_is_wished(
    tmp_path: Path, venue: VenueProcess
) -> None:
    """Each is this run's own from then on and gone at the stop. They rest while the book comes up."""
    with EngineProcess(tmp_path, venue, leftovers="adopt") as engine:
        trading(engine, venue)
        left = kill_while_orders_work(engine, venue)
        engine.start()
        engine.wait_for("orders_ready")
        said = re.search(r"adopted=(\d+) canceled=(\d+)", engine.log.read_text())
        assert said is not None
        assert (int(said[1]), int(said[2])) == (len(left), 0)
        venue.control("resume-flow")
        venue.sweep(SYMBOL, "0.5")
        assert wrong(engine, venue, engine.stop()) == []


def test_killed_twice_while_it_starts(tmp_path: Path, venue: VenueProcess) -> None:
    """Once as soon as the state is recovered, once while it asks the venue; the third start finds everything."""
    with EngineProcess(tmp_path, venue) as engine:
        trading(engine, venue)
        engine.kill()
        venue.sweep(SYMBOL, SWEEP)
        engine.start()
        until(lambda: engine.said("recovered"), "the first start is under way")
        engine.kill()
        engine.start()
        until(lambda: engine.said("ledger") or engine.said("book_state"), "the second start speaks to the venue")
        engine.kill()
        engine.start()
        engine.wait_for("orders_ready")
        until(lambda: len(epochs(engine)) > 1, "it trades")
        report = engine.stop()
        assert wrong(engine, venue, report) == []
        reserved = [fact.epoch for fact in engine.journal() if isinstance(fact, IdsReserved)]
        started = list(dict.fromkeys(reserved))
        assert started == sorted(started), "no start goes back behind another"
        assert report["epoch"] == started[-1] > epochs(engine)[0]


def test_the_journal_alone_brings_everything_back(tmp_path: Path, venue: VenueProcess) -> None:
    """Killed between two checkpoints, and then all checkpoints are lost: facts are folded from the first record."""
    with EngineProcess(tmp_path, venue) as engine:
        trading(engine, venue)
        until(lambda: list((engine.state / "checkpoints").glob("*.checkpoint")), "a checkpoint")
        engine.kill()
        shutil.rmtree(engine.state / "checkpoints")
        venue.sweep(SYMBOL, SWEEP)
        engine.start()
        engine.wait_for("orders_ready")
        until(lambda: len(epochs(engine)) > 1, "it trades")
        assert wrong(engine, venue, engine.stop()) == []


def test_five_kills_in_a_row_lose_nothing(tmp_path: Path, venue: VenueProcess) -> None:
    with EngineProcess(tmp_path, venue, checkpoint_ms=150) as engine:
        for number in range(5):
            engine.start()
            engine.wait_for("orders_ready")
            until(lambda done=number: len(epochs(engine)) > done, "orders of this run")  # type: ignore[misc]  # mypy infers no type for a bound default
            engine.kill()
            venue.sweep(SYMBOL, "0.5")
        engine.start()
        engine.wait_for("orders_ready")
        assert wrong(engine, venue, engine.stop()) == []


def test_a_demo_whose_engine_is_killed_still_ends_well(killed_demo: KilledDemo) -> None:
    out, err = killed_demo.process.communicate(timeout=2 * WAIT_S)
    killed_demo.killer.join()
    assert killed_demo.process.returncode == 0, err
    result = json.loads(out)
    assert (result["engine_restarts"], result["working_orders_at_exit"]) == (1, 0)
    assert result["venue_ledger_equal"] is True
