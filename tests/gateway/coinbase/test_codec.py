"""Coinbase's frames as values: every frame's number, one step of a book a frame, holes that stay holes, nothing raises."""

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import Side
from bus.messages.feed import (
    UNNUMBERED,
    Batch,
    DepthBody,
    DepthDiff,
    DepthReset,
    Finer,
    Garbage,
    Notice,
    QuoteEvent,
    Scales,
    SubscriptionRefused,
    TradeEvent,
)
from gateway.coinbase.codec import CoinbaseCodec
from gateway.coinbase.slow import slow_frame
from gateway.simulated.wire.coinbase import CoinbaseWire
from gateway.simulated.wire.true_book import TrueBook

CODEC = CoinbaseCodec()
UNIT = 10**8
STAMP = "2026-08-24T22:34:13.813365299Z"
STAMP_NS = 1_787_610_853_813_365_299
EVENT_TIME = "2026-08-24T22:34:13.592233Z"
EVENT_NS = 1_787_610_853_592_233_000
UPDATE = (
    b'{"channel":"l2_data","timestamp":"2026-08-24T22:34:13.813365299Z","sequence_num":2,"events":[{"type":"update",'
    b'"product_id":"BTC-USD","updates":[{"side":"bid","event_time":"2026-08-24T22:34:13.592233Z","price_level":'
    b'"78856.05","new_quantity":"0.04868907"},{"side":"offer","event_time":"2026-08-24T22:34:13.592233Z","price_level":'
    b'"78856.06","new_quantity":"0.08011579"}]}]}'
)
DIFF = DepthDiff(
    "BTC-USD", 2, 2, EVENT_NS, (7885605000000,), (4868907,), (7885606000000,), (8011579,), UNNUMBERED
)  # fmt: skip


def dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def level(side: str, price: str, quantity: str, **more: Any) -> dict[str, Any]:
    return {"side": side, "event_time": EVENT_TIME, "price_level": price, "new_quantity": quantity} | more


def event(*updates: dict[str, Any], kind: Any = "update", product: Any = "BTC-USD") -> dict[str, Any]:
    return {"type": kind, "product_id": product, "updates": list(updates)}


def frame(*events: Any, channel: str = "l2_data", number: Any = 2, **more: Any) -> bytes:
    return dumped({"channel": channel, "timestamp": STAMP, "sequence_num": number, "events": list(events)} | more)


def trade(**changes: Any) -> dict[str, Any]:
    known = {"product_id": "ETH-USD", "trade_id": "22381691", "price": "2375.56", "size": "0.5", "time": EVENT_TIME}
    return known | {"side": "BUY"} | changes


def ticker(**changes: Any) -> dict[str, Any]:
    best = {"best_bid": "10", "best_bid_quantity": "1", "best_ask": "11.5", "best_ask_quantity": "2"}
    return {"type": "ticker", "product_id": "BTC-USD", "price": "10"} | best | changes


def test_an_update_as_the_venue_writes_it() -> None:
    assert CODEC.decode_frame(UPDATE) == Batch((DIFF,), 2)


@pytest.mark.parametrize(
    "payload",
    [
        json.dumps(json.loads(UPDATE)).encode(),  # with blanks
        dumped(dict(reversed(json.loads(UPDATE).items()))),  # in another order
        dumped(json.loads(UPDATE) | {"client_id": ""}),  # with the field that older frames had
        frame(event(level("offer", "78856.06", "0.08011579", new=1), level("bid", "78856.0500000000", "0.04868907"))),
    ],
)
def test_an_update_written_otherwise_says_the_same(payload: bytes) -> None:
    assert CODEC.decode_frame(payload) == Batch((DIFF,), 2)


def test_an_empty_update_is_a_step_at_the_frames_time() -> None:
    assert CODEC.decode_frame(frame(event())) == Batch((DepthDiff("BTC-USD", 2, 2, STAMP_NS, (), (), (), ()),), 2)


def test_levels_without_a_time_bear_the_frames() -> None:
    for untimed in ("", "1970-01-01T00:00:00Z"):
        batch = CODEC.decode_frame(frame(event(level("bid", "1", "2", event_time=untimed))))
        assert batch == Batch((DepthDiff("BTC-USD", 2, 2, STAMP_NS, (UNIT,), (2 * UNIT,), (), ()),), 2)


def test_a_snapshot_is_the_whole_book_best_first_at_its_frames_number() -> None:
    rows = [("bid", "10", "1"), ("bid", "9", "2"), ("offer", "11", "3"), ("offer", "12", "4")]
    body = DepthBody(0, (10 * UNIT, 9 * UNIT), (UNIT, 2 * UNIT), (11 * UNIT, 12 * UNIT), (3 * UNIT, 4 * UNIT))
    expected = Batch((DepthReset("BTC-USD", STAMP_NS, body),), 0)
    for ordered in (rows, rows[::-1], [*rows, ("bid", "8", "0")], [("bid", "9", "7"), *rows]):
        payload = frame(event(*[level(*row) for row in ordered], kind="snapshot"), number=0)
        assert CODEC.decode_frame(payload) == expected


def test_several_events_of_a_product_are_one_step() -> None:
    """Later ones win: a book that stands at the frame's number has them all."""
    first, second = event(level("bid", "10", "1"), level("bid", "9", "1")), event(level("bid", "10", "0"))
    other = event(level("offer", "5", "1"), product="ETH-USD")
    assert CODEC.decode_frame(frame(first, other, second)) == Batch(
        (
            DepthDiff("BTC-USD", 2, 2, EVENT_NS, (10 * UNIT, 9 * UNIT, 10 * UNIT), (UNIT, UNIT, 0), (), ()),
            DepthDiff("ETH-USD", 2, 2, EVENT_NS, (), (), (5 * UNIT,), (UNIT,)),
        ),
        2,
    )


def test_a_snapshot_and_what_follows_it_in_a_frame_are_one_book() -> None:
    whole = event(level("bid", "10", "1"), level("offer", "12", "1"), kind="snapshot")
    after = event(level("bid", "11", "2"), level("bid", "10", "0"), level("bid", "1", "0"), level("offer", "11.5", "3"))
    body = DepthBody(2, (11 * UNIT,), (2 * UNIT,), (1150_000_000, 12 * UNIT), (3 * UNIT, UNIT))
    expected = Batch((DepthReset("BTC-USD", STAMP_NS, body),), 2)
    assert CODEC.decode_frame(frame(event(level("bid", "7", "7")), whole, after)) == expected


def test_a_diff_beside_one_that_was_lost_does_not_hide_the_loss() -> None:
    lost, fine = event(level("ask", "1", "1")), event(level("bid", "10", "1"))
    for order in ((lost, fine), (fine, lost)):
        batch = CODEC.decode_frame(frame(*order))
        assert isinstance(batch, Batch)
        (only,) = batch.events
        assert isinstance(only, Garbage)
        assert only.venue_symbol == "BTC-USD"
    whole = event(level("bid", "10", "1"), kind="snapshot")
    healed = CODEC.decode_frame(frame(lost, whole))
    assert isinstance(healed, Batch)
    assert isinstance(healed.events[0], DepthReset)


LOST = {
    "a new side": event(level("ask", "1", "1")),
    "a new kind": event(level("bid", "1", "1"), kind="reset"),
    "a sign": event(level("bid", "1", "-1")),
    "not a number": event(level("bid", "nan", "1")),
    "an exponent": event(level("bid", "1e5", "1")),
    "a number, not a text": event(level("bid", "1", "1") | {"new_quantity": 1}),
    "no price": event({"side": "bid", "new_quantity": "1"}),
    "no updates": {"type": "update", "product_id": "BTC-USD"},
    "past 64 bits": event(level("bid", "1", "92233720369")),
    "finer than 64 bits hold": event(level("bid", "1.0000000000000000001", "1")),
    "no stamp": event(level("bid", "1", "1", event_time="yesterday")),
}


@pytest.mark.parametrize("wrong", LOST.values(), ids=LOST.keys())
def test_an_unreadable_book_event_says_whose_it_was_and_the_number_stands(wrong: dict[str, Any]) -> None:
    other = event(product="ETH-USD")
    batch = CODEC.decode_frame(frame(wrong, other))
    assert isinstance(batch, Batch)
    assert batch.sequence == 2
    lost, kept = batch.events
    assert isinstance(lost, Garbage)
    assert lost.venue_symbol == "BTC-USD"
    assert isinstance(kept, DepthDiff)


HOLES = {
    "cut in the middle": UPDATE[:200],
    "no number": frame(event()).replace(b'"sequence_num":2,', b""),
    "a text for a number": frame(event(), number="2"),
    "a negative number": frame(event(), number=-1),
    "a number past 64 bits": frame(event(), number=2**63),
    "nobody's event": frame(event(product=None)),
    "an unnamed product": frame(event(product="")),
    "no event": frame(7),
    "no events": frame().replace(b"[]", b"{}"),
    "no UTF-8": UPDATE.replace(b"BTC", b"\xff\xfe\xfd"),
    "no object": b"[1]",
    "nothing": b"",
}


@pytest.mark.parametrize("payload", HOLES.values(), ids=HOLES.keys())
def test_a_book_message_nobody_can_name_stays_a_hole_in_the_numbers(payload: bytes) -> None:
    hole = CODEC.decode_frame(payload)
    assert isinstance(hole, Garbage)
    assert hole.venue_symbol == ""
    assert hole.detail


def test_trades_come_oldest_first_and_their_side_is_the_makers() -> None:
    older = trade(trade_id="22381690", side="SELL", size="1")
    expected = (
        TradeEvent("ETH-USD", 22381690, EVENT_NS, 2375_5600_0000, UNIT, Side.BUY),
        TradeEvent("ETH-USD", 22381691, EVENT_NS, 2375_5600_0000, UNIT // 2, Side.SELL),
    )
    for kind in ("snapshot", "update"):
        payload = frame({"type": kind, "trades": [trade(), older]}, channel="market_trades")
        assert CODEC.decode_frame(payload) == Batch(expected, 2)


@pytest.mark.parametrize("change", [
    {"side": "UNKNOWN_ORDER_SIDE"}, {"price": "x"}, {"size": None}, {"time": "now"}, {"trade_id": "abc"},
    {"trade_id": "9" * 19}, {"trade_id": "9" * 5_000}, {"trade_id": "٣"},
])  # fmt: skip
def test_an_unreadable_trade_costs_no_book_and_no_number(change: dict[str, Any]) -> None:
    batch = CODEC.decode_frame(frame({"type": "update", "trades": [trade(**change)]}, channel="market_trades"))
    assert isinstance(batch, Batch)
    (garbage,) = batch.events
    assert isinstance(garbage, Garbage)
    assert (batch.sequence, garbage.venue_symbol) == (2, "")


def test_a_ticker_is_a_quote_at_no_number() -> None:
    quote = QuoteEvent("BTC-USD", UNNUMBERED, 10 * UNIT, UNIT, 1150_000_000, 2 * UNIT, STAMP_NS)
    assert CODEC.decode_frame(frame({"type": "update", "tickers": [ticker()]}, channel="ticker")) == Batch((quote,), 2)
    without = CODEC.decode_frame(frame({"type": "update", "tickers": [ticker(best_bid="")]}, channel="ticker"))
    assert without == Batch((Notice("ticker", "BTC-USD without best prices"),), 2)
    wrong = CODEC.decode_frame(frame({"type": "update", "tickers": [ticker(best_bid="x")]}, channel="ticker"))
    assert isinstance(wrong, Batch)
    assert isinstance(wrong.events[0], Garbage)


@pytest.mark.parametrize("channel", ["heartbeats", "subscriptions", "status", "something_new"])
def test_every_other_channel_is_noticed_and_counts(channel: str) -> None:
    batch = CODEC.decode_frame(frame({"heartbeat_counter": 3}, channel=channel))
    assert isinstance(batch, Batch)
    (notice,) = batch.events
    assert isinstance(notice, Notice)
    assert (batch.sequence, notice.kind) == (2, channel)


def test_an_error_is_a_refusal() -> None:
    error = {"type": "error", "message": "rate limit exceeded"}
    assert CODEC.decode_frame(dumped(error)) == SubscriptionRefused("", "rate limit exceeded")
    numbered = CODEC.decode_frame(dumped(error | {"sequence_num": 4}))
    assert numbered == Batch((SubscriptionRefused("", "rate limit exceeded"),), 4)
    assert CODEC.decode_frame(b'{"hello":1}') == Notice("unknown", '{"hello":1}')


def test_a_finer_figure_asks_for_scales_that_read_it() -> None:
    codec = CoinbaseCodec()
    tiny = level("bid", "0.0000098765", "123456789012")
    assert codec.decode_frame(frame(event(level("bid", "0.0000098765", "5")))) == Batch(
        (Finer("BTC-USD", Scales(10, 8)),), 2
    )
    codec.set_scales("BTC-USD", Scales(10, 0))
    diff = DepthDiff("BTC-USD", 2, 2, EVENT_NS, (98_765,), (123_456_789_012,), (), ())
    assert codec.decode_frame(frame(event(tiny))) == Batch((diff,), 2)
    printed = trade(product_id="BTC-USD", price="1", size="0.5")
    quoted = ticker(best_ask_quantity="0.25")
    for payload, needed in (
        (frame({"trades": [printed]}, channel="market_trades"), Scales(10, 1)),
        (frame({"tickers": [quoted]}, channel="ticker"), Scales(10, 2)),
    ):
        assert codec.decode_frame(payload) == Batch((Finer("BTC-USD", needed),), 2)


def test_past_trades_of_rest_oldest_first() -> None:
    body = dumped({"trades": [trade(), trade(trade_id="22381690")], "best_bid": "1", "best_ask": "2"})
    past = CODEC.decode_trades(body, "ETH-USD")
    assert isinstance(past, tuple)
    assert [one.trade_id for one in past] == [22381690, 22381691]
    for wrong in (
        b"",
        b"{}",
        dumped({"trades": [trade(price="x")]}),
        dumped({"trades": [trade(price="1." + "1" * 12)]}),
    ):
        assert isinstance(CODEC.decode_trades(wrong, "ETH-USD"), Garbage)
    assert isinstance(CODEC.decode_trades(body, "BTC-USD"), Garbage)
    assert isinstance(CODEC.decode_snapshot(b"{}"), Garbage)


@given(st.data())
def test_both_routes_agree_on_damaged_bytes(data: st.DataObject) -> None:
    """Any byte may be another, be missing, or come twice: the fast route declines, or says what the slow one says."""
    payload = bytearray(UPDATE)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(20, len(payload) - 1))
        what = data.draw(st.sampled_from([b"", bytes(payload[at : at + 1]) * 2, b'"', b",", b"[", b"0", b".", b"\xff"]))
        payload[at : at + 1] = what
    assert CODEC.decode_frame(bytes(payload)) == slow_frame(bytes(payload), {})


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=50).map(lambda tail: UPDATE[:150] + tail)))
def test_no_bytes_raise(payload: bytes) -> None:
    CODEC.decode_frame(payload)
    for channel in (b"market_trades", b"ticker", b"l2_data"):
        CODEC.decode_frame(b'{"channel":"' + channel + b'","sequence_num":1,"timestamp":"","events":' + payload + b"}")


def test_deep_nesting_does_not_raise() -> None:
    assert isinstance(CODEC.decode_frame(b'{"channel":"l2_data","x":' + b"[" * 100_000), Garbage)


@given(st.integers(0, 2**32))
def test_two_products_on_one_connection_equal_their_true_books_at_every_number(seed: int) -> None:
    """Every frame of the connection bears the next number; deletes of levels that nobody was told of are nothing."""
    numbers = count()
    books = {"BTC-USD": TrueBook(seed, levels=40), "ETH-USD": TrueBook(seed + 1, levels=40)}
    wires = {name: CoinbaseWire(name, 2, 6, numbers=numbers) for name in books}
    sides: dict[str, tuple[dict[int, int], dict[int, int]]] = {}
    expected = 0

    def take(payload: bytes) -> None:
        nonlocal expected
        batch = CODEC.decode_frame(payload)
        assert isinstance(batch, Batch)
        assert batch.sequence == expected
        expected += 1
        for one in batch.events:
            if isinstance(one, DepthReset):
                body = one.body
                sides[one.venue_symbol] = (
                    dict(zip(body.bid_prices, body.bid_quantities, strict=True)),
                    dict(zip(body.ask_prices, body.ask_quantities, strict=True)),
                )
                assert list(sides[one.venue_symbol][0]) == sorted(body.bid_prices, reverse=True)
                assert list(sides[one.venue_symbol][1]) == sorted(body.ask_prices)
            elif isinstance(one, DepthDiff):
                assert one.first == one.last == batch.sequence
                changes = (one.bid_prices, one.bid_quantities), (one.ask_prices, one.ask_quantities)
                for side, change in zip(sides[one.venue_symbol], changes, strict=True):
                    side.update(zip(*change, strict=True))
                    for price in [price for price, quantity in side.items() if not quantity]:
                        del side[price]

    for name, wire in wires.items():
        for payload in (*wire.accepted(), wire.snapshot(books[name], STAMP_NS)):
            take(payload)
    for step in range(15):
        for name, wire in wires.items():
            for _ in range(4):
                books[name].change()
            take(wire.diff(books[name], STAMP_NS))
            for side, true in zip(sides[name], (books[name].bids, books[name].asks), strict=True):
                assert side == {price * 10**6: quantity * 100 for price, quantity in true.items()}
            for other in (wire.quote(books[name], 1), wire.trade(step, 5, 5, True, 1), wire.heartbeat(1)):
                assert other is not None
                take(other)
