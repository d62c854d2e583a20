"""Kraken in the shape of every venue: plans, requests, rule, time."""

import json

import pytest

from bus.messages import Stream
from bus.messages.feed import UNNUMBERED, DepthDiff, Garbage, Verdict
from gateway.kraken.market import Kraken

VENUE = Kraken()
ALL = (Stream.DEPTH, Stream.QUOTE, Stream.TRADE, Stream.MARK)


def test_one_connection_asks_for_all_channels_of_all_its_symbols() -> None:
    (plan,) = VENUE.plan(["BTC/USD", "ETH/USD"], ALL, 20)
    assert (plan.path, plan.venue_symbols, plan.keepalive) == ("/v2", ("BTC/USD", "ETH/USD"), b"")
    assert plan.streams == (Stream.DEPTH, Stream.QUOTE, Stream.TRADE)  # there is no mark price of a spot pair
    symbols = ["BTC/USD", "ETH/USD"]
    assert [json.loads(frame) for frame in plan.opening] == [
        {
            "method": "subscribe",
            "params": {"channel": "book", "symbol": symbols, "depth": 25, "snapshot": True},
            "req_id": 1,
        },
        {
            "method": "subscribe",
            "params": {"channel": "ticker", "symbol": symbols, "event_trigger": "bbo", "snapshot": True},
            "req_id": 2,
        },
        {"method": "subscribe", "params": {"channel": "trade", "symbol": symbols, "snapshot": False}, "req_id": 3},
    ]


def test_many_symbols_are_parted_within_the_limits_and_none_twice() -> None:
    names = [f"A{number}/USD" for number in range(450)]
    plans = VENUE.plan(names, ALL, 10)
    assert [len(plan.venue_symbols) for plan in plans] == [200, 200, 50]
    assert [name for plan in plans for name in plan.venue_symbols] == names
    for plan in plans:
        books = [json.loads(frame)["params"] for frame in plan.opening if b'"book"' in frame]
        assert [name for params in books for name in params["symbol"]] == list(plan.venue_symbols)
        assert len(plan.venue_symbols) * len(plan.streams) <= VENUE.limits.streams_max


@pytest.mark.parametrize(("levels", "depth"), [(1, 10), (10, 10), (11, 25), (100, 100), (1_000, 1_000), (5_000, 1_000)])
def test_the_depth_is_one_that_the_venue_knows(levels: int, depth: int) -> None:
    shape = VENUE.shape(levels)
    assert (shape.depth, shape.checksum_levels, shape.proves_all) == (depth, 10, depth == 10)
    assert json.loads(VENUE.renew("BTC/USD", Stream.DEPTH, levels, 1)[0])["params"]["depth"] == depth


def test_a_renewal_ends_the_subscription_and_begins_it_again() -> None:
    ended, begun = (json.loads(frame) for frame in VENUE.renew("BTC/USD", Stream.DEPTH, 10, 77))
    assert ended == {
        "method": "unsubscribe",
        "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": 10},
        "req_id": 77,
    }
    assert begun["method"] == "subscribe"
    assert begun["params"]["snapshot"] is True
    assert begun["req_id"] == 77


@pytest.mark.parametrize(("last", "verdict"), [(99, Verdict.STALE), (100, Verdict.NEXT), (101, Verdict.NEXT)])
def test_only_an_older_stamp_is_stale(last: int, verdict: Verdict) -> None:
    diff = DepthDiff("BTC/USD", last, last, 0, (), (), (), ())
    assert diff.previous == UNNUMBERED
    assert VENUE.rule.follow(diff, 100) is VENUE.rule.bridge(diff, 100) is verdict
    assert not VENUE.rule.too_old(0, diff)


def test_the_venues_time_is_the_middle_of_the_second_it_names() -> None:
    body = b'{"error":[],"result":{"unixtime":1616336594,"rfc1123":"Sun, 21 Mar 21 14:23:14 +0000"}}'
    assert VENUE.read_time(body) == 1_616_336_594_500_000_000


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"result":{"unixtime":-1}}', b'{"result":{"unixtime":99999999999}}', b"<"]
)
def test_a_time_that_is_none_is_garbage(body: bytes) -> None:
    assert isinstance(VENUE.read_time(body), Garbage)
