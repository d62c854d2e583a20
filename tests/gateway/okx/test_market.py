"""OKX in the shape of every venue: plans, requests, rule, time, metadata, and the recordings."""

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.messages import Stream
from bus.messages.feed import (
    NO_CHECKSUM,
    UNNUMBERED,
    DepthDiff,
    DepthReset,
    Garbage,
    Levels,
    Notice,
    Scales,
    TradeEvent,
    Verdict,
)
from gateway.okx.market import Okx
from gateway.okx.rule import STALE_WITHIN
from gateway.text import SymbolError

VENUE = Okx()
CAPTURES = Path(__file__).parents[4] / "shared" / "data" / "captures"
ALL = (Stream.DEPTH, Stream.QUOTE, Stream.TRADE, Stream.MARK)
ROW: dict[str, Any] = {
    "instId": "BTC-USDT",
    "instType": "SPOT",
    "baseCcy": "BTC",
    "quoteCcy": "USDT",
    "tickSz": "0.1",
    "lotSz": "0.00000001",
    "minSz": "0.00001",
    "maxLmtSz": "9999999999",
    "state": "live",
    "ctVal": "",
    "uly": "",
}


def body(**changes: Any) -> bytes:
    return json.dumps({"code": "0", "data": [{**ROW, **changes}], "msg": ""}).encode()


def args(frame: bytes) -> list[tuple[str, str]]:
    return [(arg["channel"], arg["instId"]) for arg in json.loads(frame)["args"]]


def test_one_request_asks_for_every_channel_that_a_symbol_has() -> None:
    (plan,) = VENUE.plan(["BTC-USDT", "BTC-USDT-SWAP", "BTC-USD-261225"], ALL, 20)
    assert (plan.path, plan.keepalive, plan.keepalive_s) == ("/ws/v5/public", b"ping", 20.0)
    assert plan.keepalive_s < VENUE.limits.silence_s
    (frame,) = plan.opening
    assert json.loads(frame)["op"] == "subscribe"
    asked = args(frame)
    assert [channel for channel, name in asked if name == "BTC-USDT"] == ["books", "bbo-tbt", "trades"]
    assert [channel for channel, name in asked if name == "BTC-USD-261225"] == [
        "books",
        "bbo-tbt",
        "trades",
        "mark-price",
    ]
    assert [channel for channel, name in asked if name == "BTC-USDT-SWAP"][3:] == ["mark-price", "funding-rate"]


def test_fewer_than_thirty_books_a_connection_and_none_twice() -> None:
    names = [f"A{number}-USDT-SWAP" for number in range(60)]
    plans = VENUE.plan(names, ALL, 20)
    assert [len(plan.venue_symbols) for plan in plans] == [29, 29, 2]
    assert [name for plan in plans for name in plan.venue_symbols] == names
    assert all(len(args(plan.opening[0])) <= VENUE.limits.streams_max for plan in plans)
    assert all(len(plan.opening[0]) < 64 * 1024 for plan in plans)  # docs, "Subscribe": the longest request


def test_a_renewal_ends_the_subscription_and_begins_it_again() -> None:
    frames = [json.loads(frame) for frame in VENUE.renew("BTC-USDT-SWAP", Stream.MARK, 20, 7)]
    assert [(frame["op"], frame["id"], len(frame["args"])) for frame in frames] == [
        ("unsubscribe", "7", 2),
        ("subscribe", "7", 2),
    ]
    assert VENUE.renew("BTC-USDT", Stream.MARK, 20, 7) == ()


@pytest.mark.parametrize(
    ("previous", "last", "verdict"),
    [
        (100, 107, Verdict.NEXT),
        (100, 100, Verdict.NEXT),  # nothing changed for a minute
        (100, 3, Verdict.NEXT),  # the venue counts anew
        (93, 100, Verdict.DUPLICATE),
        (80, 93, Verdict.STALE),
        (93, 107, Verdict.GAP),  # ids jump: nothing proves that it holds all between
        (101, 107, Verdict.GAP),
        (-1, 107, Verdict.GAP),
    ],
)
def test_an_update_continues_the_book_whose_id_it_names(previous: int, last: int, verdict: Verdict) -> None:
    diff = DepthDiff("BTC-USDT", last, last, 0, (), (), (), (), previous)
    assert VENUE.rule.follow(diff, 100) is VENUE.rule.bridge(diff, 100) is verdict
    assert not VENUE.rule.too_old(0, diff)


def test_an_update_without_an_id_is_the_next_one_only_where_a_checksum_proves_it() -> None:
    update = DepthDiff("BTC-USDT", UNNUMBERED, UNNUMBERED, 0, (), (), (), ())
    assert VENUE.rule.follow(update, 100) is Verdict.GAP
    assert VENUE.rule.follow(msgspec.structs.replace(update, checksum=7), 100) is Verdict.NEXT


def test_ids_far_below_the_books_mean_that_the_venue_counts_anew() -> None:
    """Taken for stale they would be dropped for ever, and the book would stay as it is."""
    diff = DepthDiff("BTC-USDT", 5, 5, 0, (), (), (), (), 3)
    assert VENUE.rule.follow(diff, STALE_WITHIN + 5) is Verdict.GAP
    assert VENUE.rule.follow(diff, STALE_WITHIN + 4) is Verdict.STALE


def test_the_venues_time() -> None:
    assert VENUE.read_time(b'{"code":"0","data":[{"ts":"1597026383085"}],"msg":""}') == 1_597_026_383_085_000_000
    for broken in (b"", b"{}", b'{"data":[]}', b'{"data":[{"ts":"-1"}]}', b'{"data":[{"ts":"x"}]}'):
        assert isinstance(VENUE.read_time(broken), Garbage)


def test_a_spot_instrument() -> None:
    (one,) = VENUE.read_instruments([body()], ["BTC-USDT"], 3, 2)
    assert (one.venue_symbol, one.base_asset, one.quote_asset, one.trading) == ("BTC-USDT", "BTC", "USDT", True)
    assert (one.account, one.venue, one.price_scale, one.quantity_scale) == (3, 2, 8, 8)
    assert (one.tick, one.lot, one.min_lots, one.max_lots) == (10_000_000, 1, 1_000, 999_999_999_900_000_000)


def test_a_swap_is_counted_in_contracts_of_its_underlying() -> None:
    fields = {"instType": "SWAP", "instId": "BTC-USD-SWAP", "baseCcy": "", "quoteCcy": "", "uly": "BTC-USD"}
    (one,) = VENUE.read_instruments([body(**fields, lotSz="1", minSz="1", ctVal="100")], ["BTC-USD-SWAP"], 0, 0)
    assert (one.base_asset, one.quote_asset, one.quantity_scale, one.lot) == ("BTC", "USD", 8, 10**8)


def test_a_price_finer_than_eight_decimals_and_a_coin_sold_by_the_whole() -> None:
    (one,) = VENUE.read_instruments(
        [body(tickSz="0.0000000001", lotSz="1", maxLmtSz="99999999999999")], ["BTC-USDT"], 0, 0
    )
    assert (one.price_scale, one.quantity_scale, one.tick, one.lot) == (10, 0, 1, 1)
    assert (one.base_scale, one.max_lots) == (8, 99_999_999_999_999)


def test_a_size_that_only_says_that_there_is_no_bound_has_none() -> None:
    (one,) = VENUE.read_instruments([body(maxLmtSz="9" * 30)], ["BTC-USDT"], 0, 0)
    assert one.max_lots == 2**63 - 1


@pytest.mark.parametrize("state", ["suspend", "preopen", "test", "of-tomorrow"])
def test_an_instrument_that_is_not_live_does_not_trade(state: str) -> None:
    assert not VENUE.read_instruments([body(state=state)], ["BTC-USDT"], 0, 0)[0].trading


@pytest.mark.parametrize(
    ("answer", "wanted", "names"),
    [
        (body(), "BTC/USDT", ["BTC/USDT", "not listed", "BTC-USDT"]),
        (body(), "Q", ["not listed", "/api/v5/public/instruments"]),
        (body(tickSz=""), "BTC-USDT", ["BTC-USDT", "tickSz", "is 0"]),
        (body(lotSz="x"), "BTC-USDT", ["lotSz", "'x'"]),
        (body(minSz="-1"), "BTC-USDT", ["minSz", "'-1'"]),
        (body(minSz="1e9999999"), "BTC-USDT", ["minSz", "1e9999999"]),
        (body(maxLmtSz="1e31"), "BTC-USDT", ["maxLmtSz", "1e31"]),
        (body(tickSz="0." + "0" * 19 + "1"), "BTC-USDT", ["too fine"]),
        (body(instType="OPTION"), "BTC-USDT", ["instType", "OPTION", "SPOT"]),
        (body(tickSz=None), "BTC-USDT", ["BTC-USDT", "tickSz"]),
        (b"<html>", "BTC-USDT", ["no JSON"]),
        (b'{"code":"50001","data":[],"msg":"unavailable"}', "BTC-USDT", ["50001", "unavailable"]),
        (b"[]", "BTC-USDT", ["no object"]),
    ],
)
def test_an_error_names_instrument_field_and_remedy(answer: bytes, wanted: str, names: list[str]) -> None:
    with pytest.raises(SymbolError) as raised:
        VENUE.read_instruments([answer], [wanted], 0, 0)
    assert [name for name in names if name not in str(raised.value)] == []


@pytest.mark.parametrize(("name", "count", "sums"), [("okx-btc-2026", 7, 0), ("okx-many-30s", 290, 290)])
def test_every_recorded_books_message_continues_its_book_and_bears_its_checksum(
    name: str, count: int, sums: int
) -> None:
    """Books are dictionaries that are never cut: BTC-USDT has 400 levels a side after each message all the same."""
    codec, checksum = VENUE.codec(), VENUE.shape(400).checksum
    assert checksum is not None
    books: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
    lasts: dict[str, int] = {}
    read = matched = 0
    for payload in [record[3].encode() for record in records(name) if record[1] == "recv"]:
        event = codec.decode_frame(payload)
        if not isinstance(event, DepthReset | DepthDiff):
            assert isinstance(event, Notice | TradeEvent), event
            continue
        symbol, told = event.venue_symbol, event.body if isinstance(event, DepthReset) else event
        if isinstance(event, DepthReset):
            books[symbol] = {}, {}
        else:
            assert VENUE.rule.follow(event, lasts[symbol]) is Verdict.NEXT
        bids, asks = books[symbol]
        bids.update(zip(told.bid_prices, told.bid_quantities, strict=True))
        asks.update(zip(told.ask_prices, told.ask_quantities, strict=True))
        lasts[symbol], read = told.last, read + 1
        best_bids, best_asks = best(bids, -1), best(asks, 1)
        if symbol == "BTC-USDT":
            assert len(best_bids[0]) == len(best_asks[0]) == 400
        if event.checksum != NO_CHECKSUM:
            assert event.checksum == checksum(best_bids, best_asks, Scales())
            matched += 1
    assert (read, matched) == (count, sums)


def test_every_recorded_instrument_is_read() -> None:
    bodies = {record[2]: record[3].encode() for record in records("okx-many-30s") if record[1] == "rest"}
    wanted = [bodies[path] for path in VENUE.metadata_paths()]
    names = [row["instId"] for text in wanted for row in json.loads(text)["data"]]
    instruments = VENUE.read_instruments(wanted, names, 0, 0)
    assert [one.venue_symbol for one in instruments] == names
    assert len(names) == 783
    assert all(one.tick and one.lot and one.min_lots for one in instruments)


def records(name: str) -> list[list[Any]]:
    path = CAPTURES / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip("recorded captures are not beside the repository")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in list(lines)[1:]]


def best(side: dict[int, int], sign: int) -> Levels:
    prices = tuple(sorted((price for price, quantity in side.items() if quantity), key=lambda price: sign * price))
    return prices, tuple(side[price] for price in prices)
