"""`touchline chaos` on a feed that misbehaves: real processes and sockets, one round each; and what is judged of a log."""

import time
from typing import Any

import msgspec
import pytest

from ops.chaos.books import Books, Change, changes
from ops.cli.chaos import result_text
from tests.ops.test_chaos import chaos

LOG = """\
2026-11-22T22:10:00.250 INFO     book_state instrument=BTCUSDT state=LIVE reason=SNAPSHOT_BRIDGED
2026-11-22T22:10:01.000 WARNING  feed_gap actor=market_data instrument=BTCUSDT detail=...
2026-11-22T22:10:01.001 WARNING  book_state instrument=BTCUSDT state=INVALID reason=SEQUENCE_GAP
"""


def books_after(planned: bool, *since: tuple[float, str, str]) -> Books:
    books = Books(planned, connections=2)
    books.take([Change(at_s, "BTCUSDT", state, reason) for at_s, state, reason in since], 100.0)
    return books


def test_the_text_of_one_engine_alone_leaves_out_what_is_about_several() -> None:
    books = msgspec.to_builtins(books_after(False, (100.1, "INVALID", "SEQUENCE_GAP"), (100.6, "LIVE", "REORDERED")))
    result = {
        "scenario": "feed-hole", "rounds": 1, "backend": "local", "stale_epoch_orders_received": 0,
        "stale_epoch_orders_accepted": 0, "both_traded_overlap_ms": 0.0, "takeover_ms": {"count": 0}, "self_trades": 0,
        "increasing_in_cooldown": None, "ledger_equal": True, "instances": {}, "problems": [],
    }  # fmt: skip
    several = ("old epochs", "overlap", "self-trades", "takeover")
    alone = result_text(result | {"books": books})
    assert [row for row in several if row in alone] == []
    assert "1 faults: INVALID 1" in alone
    assert [row for row in several if row in result_text(result | {"books": None})] == list(several[:3])


def test_an_engines_log_is_read_as_it_is_written() -> None:
    at_s = time.mktime((2026, 11, 22, 22, 10, 0, 0, 0, -1))
    assert changes(LOG) == [
        Change(at_s + 0.25, "BTCUSDT", "LIVE", "SNAPSHOT_BRIDGED"),
        Change(at_s + 1.001, "BTCUSDT", "INVALID", "SEQUENCE_GAP"),
    ]


@pytest.mark.parametrize(
    ("since", "problems"),
    [
        (((100.1, "INVALID", "SEQUENCE_GAP"), (100.6, "LIVE", "SNAPSHOT_BRIDGED")), []),
        ((), ["the book was believed through a fault", "of 1 faults the book returned from 0"]),
        (((100.1, "STALE", "SILENT"),), ["of 1 faults the book returned from 0"]),
        (
            ((100.1, "INVALID", "SEQUENCE_GAP"), (106.0, "LIVE", "SNAPSHOT_BRIDGED")),
            ["a book took 6000 ms to return, more than 5000"],
        ),
    ],
)
def test_a_fault_must_be_seen_in_the_book_and_pass(since: tuple[Any, ...], problems: list[str]) -> None:
    assert books_after(False, *since).problems() == problems


def test_of_a_planned_roll_nothing_may_be_seen() -> None:
    assert books_after(True, (103.0, "LIVE", "ROLLED")).problems() == []
    seen = books_after(True, (101.0, "INVALID", "CONNECTION_LOST"), (101.5, "LIVE", "SNAPSHOT_BRIDGED"))
    assert seen.problems() == ["a planned roll made the book INVALID 1 times", "a planned roll cost 1 snapshots"]
    assert Books(True, faults=2, connections=2).problems() == ["2 connections in 2 rolls"]
    missed = books_after(True, (103.0, "LIVE", "ROLLED"))
    missed.trades_missed = 3
    assert missed.problems() == ["3 trades were missed for good"]


@pytest.mark.parametrize("scenario", ["feed-kill", "feed-stall", "feed-hole"])
def test_a_book_is_not_believed_through_a_fault_and_returns_by_itself(scenario: str) -> None:
    code, told = chaos("--scenario", scenario, "--backend", "local")
    assert (code, told["problems"]) == (0, [])
    books = told["books"]
    assert books["invalid"] + books["stale"] >= 1
    assert len(books["returned_ms"]) == 1
    assert (books["connections"] > 1) == (scenario == "feed-kill")
    assert (books["frames_lost"] > 0) == (scenario != "feed-kill")
    assert told["ledger_equal"] is True


def test_a_planned_roll_costs_no_book_and_no_snapshot() -> None:
    code, told = chaos("--scenario", "feed-roll", "--backend", "local")
    assert (code, told["problems"]) == (0, [])
    books = told["books"]
    assert (books["invalid"], books["stale"], books["resyncs"]) == (0, 0, 0)
    assert books["connections"] == 2
    assert told["ledger_equal"] is True
