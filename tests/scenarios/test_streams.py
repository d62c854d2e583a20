"""A depth stream that falls silent while its socket lives, trades that are missing, a feed that is late: through the engine."""

import json
from typing import Any

from bus.messages import (
    BookState,
    ClockEstimate,
    FeedAge,
    Frame,
    OrderRefused,
    Outcome,
    Refusal,
    Resubscribe,
    SnapshotRequest,
    Stream,
    StreamChanged,
    TradePrint,
    TradesAnswer,
    TradesMissed,
    TradesRequest,
)
from ops.assembly import VENUE
from tests.scenarios.test_books import end_both
from tests.support.house import MS
from tests.support.stage import Stage

LEARNT_TICKS = 120
"""Twelve seconds of a 100 ms stream: its usual silence is known."""


def quoting() -> Stage:
    stage = Stage()
    stage.accept(stage.bid)
    stage.accept(stage.ask)
    for _ in range(LEARNT_TICKS):
        stage.tick()
    stage.house.forget()
    return stage


def asked(stage: Stage, kind: type[Any]) -> list[Any]:
    return [message for message in stage.house.asked if isinstance(message, kind)]


def test_a_silent_stream_takes_the_quotes_down_and_goes_on_without_a_snapshot() -> None:
    stage = quoting()
    stage.house.wait(2_500)
    assert stage.book_state() is BookState.STALE
    assert sorted(set(stage.cancels())) == sorted([stage.bid, stage.ask])
    story = stage.house.story()
    assert story.index("execution < BookStateChanged") < story.index("feed_door < Resubscribe")
    (renewal,) = asked(stage, Resubscribe)
    assert (renewal.connection, renewal.venue_symbol, renewal.stream) == (0, "BTCUSDT", Stream.DEPTH)
    assert "stream_silent" in stage.house.alerts()
    end_both(stage)
    stage.house.forget()
    for _ in range(10):
        stage.tick()
    assert stage.book_state() is BookState.LIVE
    assert asked(stage, SnapshotRequest) == []
    assert len(stage.submits()) == 2
    assert [(message.stream, message.live) for message in stage.house.said(StreamChanged)] == [(Stream.DEPTH, True)]


def test_a_silent_stream_that_goes_on_behind_a_hole_asks_for_the_whole_book() -> None:
    stage = quoting()
    stage.house.wait(2_500)
    end_both(stage)
    stage.lose_a_frame()
    assert stage.book_state() is BookState.INVALID
    stage.open_book_again()
    assert stage.book_state() is BookState.LIVE
    assert len(stage.submits()) >= 2


def test_missing_trades_are_fetched_and_told_in_order_to_everyone() -> None:
    stage = quoting()
    stage.trade("60000.10", "0.001")
    stage.trade_id += 2
    stage.trade("60000.10", "0.001")
    (request,) = asked(stage, TradesRequest)
    assert (request.from_id, request.limit, request.venue) == (2, 3, VENUE)
    rows = [
        {"id": number, "price": "60000.10", "qty": "0.5", "time": 1, "isBuyerMaker": False, "isBestMatch": True}
        for number in (2, 3)
    ]
    stage.house.post(
        TradesAnswer(
            request.actor,
            request.counter,
            request.generation,
            Outcome.RESULT,
            request.instrument,
            stage.house.clock.now_ns(),
            "",
            json.dumps(rows).encode(),
        )
    )
    assert [message.trade_id for message in stage.house.said(TradePrint)] == [1, 2, 3, 4]
    (missed,) = stage.house.said(TradesMissed)
    assert (missed.from_id, missed.to_id, missed.backfilled) == (2, 3, 2)
    got = [name for name, message in stage.house.tap.carried if message == missed]
    assert got == ["microstructure", "strategy", "execution"]
    stage.tick()
    assert not stage.house.actor("microstructure").view()["instruments"][0]["warm"]


def test_a_late_feed_holds_back_what_increases_until_it_is_in_time_again() -> None:
    stage = quoting()
    house = stage.house
    house.post(ClockEstimate(VENUE, 0, MS))

    def stamped(late_ms: int) -> None:
        house.wait(100)
        stage.sequence += 1
        frame = json.loads(house.depth(stage.sequence, stage.sequence, [["59980.00", f"{1 + stage.sequence % 7}"]], []))
        frame["data"]["E"] = house.clock.now_ns() // MS - late_ms
        house.post(Frame(0, house.clock.now_ns(), json.dumps(frame, separators=(",", ":")).encode()))

    for _ in range(60):
        stamped(3_000)
    assert house.said(FeedAge)[-1].lag_ns // MS in (3_000, 3_001)
    stage.move("60001.00", "60001.10")
    end_both(stage)
    for _ in range(10):
        stamped(3_000)
    assert {refused.reason for refused in house.said(OrderRefused)} == {Refusal.FEED_LATE}
    assert stage.submits() == []
    for _ in range(150):  # a refusal's pause is up to 5 s long
        stamped(5)
    assert len(stage.submits()) >= 2
