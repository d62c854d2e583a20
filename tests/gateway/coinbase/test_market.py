"""What is said to Coinbase stays within its limits, its rule is a table, and its products are read with every filter."""

import json
from typing import Any

import pytest

from bus.messages import Stream
from bus.messages.feed import DepthDiff, Garbage, Numbering, SnapshotSource, TradeIds, Verdict
from gateway.coinbase.market import SYMBOLS_MAX, Coinbase
from gateway.market import VenueMarket
from gateway.text import SymbolError

VENUE = Coinbase()
BTC: dict[str, Any] = {
    "product_id": "BTC-USD", "price": "78856.05", "base_increment": "0.00000001", "quote_increment": "0.01",
    "quote_min_size": "1", "quote_max_size": "150000000", "base_min_size": "0.00000001", "base_max_size": "3400",
    "is_disabled": False, "status": "online", "cancel_only": False, "limit_only": False, "post_only": False,
    "trading_disabled": False, "auction_mode": False, "product_type": "SPOT", "quote_currency_id": "USD",
    "base_currency_id": "BTC", "alias": "", "alias_to": ["BTC-USDC"], "view_only": False, "price_increment": "0.01",
}  # fmt: skip
"""The documents' fields ("List Public Products") with a product's figures."""


def body(*products: dict[str, Any]) -> bytes:
    return json.dumps({"products": list(products), "num_products": len(products)}).encode()


def read(product: dict[str, Any]) -> Any:
    return VENUE.read_instruments([body(product)], [product["product_id"]], account=3, venue=4)[0]


def diff(number: int) -> DepthDiff:
    return DepthDiff("BTC-USD", number, number, 0, (), (), (), ())


@pytest.mark.parametrize(
    ("number", "sequence", "verdict"),
    [
        (6, 5, Verdict.NEXT),
        (900, 5, Verdict.NEXT),  # other products' and channels' frames lie between
        (5, 5, Verdict.DUPLICATE),
        (4, 5, Verdict.STALE),
    ],
)
def test_what_a_diff_is_to_a_book(number: int, sequence: int, verdict: Verdict) -> None:
    assert VENUE.rule.follow(diff(number), sequence) == VENUE.rule.bridge(diff(number), sequence) == verdict


def test_the_rule_is_that_of_a_numbered_connection() -> None:
    rule = VENUE.rule
    assert (rule.snapshot, rule.numbering, rule.comparable) == (SnapshotSource.STREAM, Numbering.CONNECTION, False)
    assert rule.trade_ids == TradeIds.CONSECUTIVE
    assert not rule.too_old(0, diff(9))


def test_it_has_the_shape_of_a_venue() -> None:
    venue: VenueMarket = VENUE
    assert venue.name == "coinbase"
    assert venue.snapshot_path("BTC-USD", 100) == ""
    assert venue.shape(100).depth == 0


@pytest.mark.parametrize("count", [0, 1, 10, 11, 100])
def test_a_plan_asks_a_channel_a_message_and_always_for_heartbeats(count: int) -> None:
    symbols = [f"COIN{number}-USD" for number in range(count)]
    plans = VENUE.plan(symbols, VENUE.streams, 100)
    assert [symbol for plan in plans for symbol in plan.venue_symbols] == symbols
    assert len(plans) == -(-count // SYMBOLS_MAX)
    for plan in plans:
        said = [json.loads(frame) for frame in plan.opening]
        assert [one["channel"] for one in said] == ["level2", "market_trades", "ticker", "heartbeats"]
        assert {one["type"] for one in said} == {"subscribe"}
        assert all(one["product_ids"] == list(plan.venue_symbols) for one in said[:-1])
        assert len(said) * VENUE.limits.connects / VENUE.limits.connects_s <= VENUE.limits.frames_per_s
        assert len(plan.venue_symbols) <= VENUE.limits.symbols_max


def test_a_stream_it_does_not_have_is_not_asked_for() -> None:
    (plan,) = VENUE.plan(["BTC-USD"], [Stream.TRADE, Stream.MARK], 100)
    assert plan.streams == (Stream.TRADE,)
    assert [json.loads(frame)["channel"] for frame in plan.opening] == ["market_trades", "heartbeats"]


def test_a_subscription_is_ended_and_begun_again() -> None:
    first, second = (json.loads(frame) for frame in VENUE.renew("BTC-USD", Stream.DEPTH, 100, 1))
    assert first == {"type": "unsubscribe", "product_ids": ["BTC-USD"], "channel": "level2"}
    assert second == first | {"type": "subscribe"}


def test_past_trades_are_asked_for_page_by_page_at_most() -> None:
    assert VENUE.trades_path("BTC-USD", 7, 50).endswith("/products/BTC-USD/ticker?limit=50")
    assert VENUE.trades_path("BTC-USD", 7, 10**6).endswith("?limit=250")


def test_the_venues_clock() -> None:
    time = b'{"iso":"2026-08-24T22:34:13Z","epochSeconds":"1787610853","epochMillis":"1787610853123"}'
    assert VENUE.read_time(time) == 1_787_610_853_123_000_000
    damaged = [time.replace(b"1787610853123", text) for text in (b"x", b"-1787610853123", b"1_787", b"9" * 16)]
    for wrong in (b"", b"{}", *damaged, b'{"epochMillis":5}'):
        assert isinstance(VENUE.read_time(wrong), Garbage)


def test_a_product_with_every_filter() -> None:
    found = read(BTC)
    assert (found.venue_symbol, found.base_asset, found.quote_asset) == ("BTC-USD", "BTC", "USD")
    assert (found.account, found.venue, found.instrument, found.version) == (3, 4, 0, 1)
    assert (found.price_scale, found.quantity_scale, found.base_scale, found.quote_scale) == (8, 8, 8, 8)
    assert (found.tick, found.lot, found.min_lots, found.max_lots) == (10**6, 1, 1, 3400 * 10**8)
    assert (found.min_notional, found.max_notional) == (10**8, 150_000_000 * 10**8)
    assert found.trading


@pytest.mark.parametrize("flag", ["cancel_only", "auction_mode", "view_only"])
def test_a_product_that_takes_no_orders_has_a_book_all_the_same(flag: str) -> None:
    assert not read(BTC | {flag: True}).trading


def test_a_coin_of_tiny_prices_and_huge_quantities_gets_scales_that_hold_it() -> None:
    tiny = {
        "base_increment": "1",
        "base_min_size": "1",
        "base_max_size": "99999999999",
        "price_increment": "0.000000001",
    }
    found = read(BTC | tiny)
    assert (found.price_scale, found.quantity_scale, found.tick, found.lot) == (9, 0, 1, 1)
    assert (found.min_lots, found.max_lots) == (1, 99_999_999_999)


@pytest.mark.parametrize(
    ("answer", "wanted", "field"),
    [
        (b"no JSON", ["BTC-USD"], "products"),
        (b'{"error":"x"}', ["BTC-USD"], "products"),
        (body(BTC), ["BTC/USD"], "product_id"),
        (body(BTC), ["BTC-USD", "BTC-USD"], "product_id"),
        (body(BTC | {"status": "delisted"}), ["BTC-USD"], "status"),
        (body(BTC | {"is_disabled": True}), ["BTC-USD"], "is_disabled"),
        (body(BTC | {"trading_disabled": True}), ["BTC-USD"], "trading_disabled"),
        (body(BTC | {"base_increment": None}), ["BTC-USD"], "product"),
        (body(BTC | {"price_increment": "0"}), ["BTC-USD"], "price_increment"),
        (body(BTC | {"price_increment": "", "quote_increment": "x"}), ["BTC-USD"], "quote_increment"),
        (body(BTC | {"base_min_size": "-1"}), ["BTC-USD"], "base_min_size"),
        (body(BTC | {"product_id": "BTC-USDC", "alias": "BTC-USD"}), ["BTC-USDC"], "alias"),
    ],
)
def test_metadata_that_do_not_give_what_is_asked_name_field_and_remedy(
    answer: bytes, wanted: list[str], field: str
) -> None:
    with pytest.raises(SymbolError) as error:
        VENUE.read_instruments([answer], wanted, account=0, venue=0)
    assert error.value.field == field
    assert error.value.remedy


def test_a_misspelled_product_is_recognized() -> None:
    with pytest.raises(SymbolError, match="did you mean BTC-USD"):
        VENUE.read_instruments([body(BTC)], ["btc/usd"], account=0, venue=0)
