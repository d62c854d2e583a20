"""A coin so cheap that a level of it passes 64 bits at eight decimals: metadata, market data, orders and reports agree."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import ExecutionReport, Instrument, QueryKind, Side, SubmitOrder, VenueQuery
from bus.messages.feed import DepthBody, DepthDiff, Finer, Garbage, QuoteEvent, Scales, TradeEvent
from gateway.binance_spot import codec as codec_module
from gateway.binance_spot.codec import BinanceSpotCodec
from gateway.binance_spot.orders import OrderCodec
from gateway.binance_spot.queries import decode_query
from gateway.binance_spot.signing import HmacSigner
from gateway.binance_spot.slow import slow_frame
from gateway.binance_spot.symbols import price_text, quantity_scale, quantity_text, read_instruments

SCALE = 5
KNOWN = {"PEPEUSDT": Scales(8, SCALE)}
HUGE = "123456789012.00000000"  # 1.2e19 at eight decimals; 2^63 is 9.2e18


def pepe() -> Instrument:
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.00000001", "maxPrice": "1.00000000", "tickSize": "0.00000001"},
        {"filterType": "LOT_SIZE", "minQty": "1.00", "maxQty": "92141578.00", "stepSize": "1.00"},
        {"filterType": "MAX_POSITION", "maxPosition": "500000000000.00"},
    ]
    symbol = {"symbol": "PEPEUSDT", "status": "TRADING", "baseAsset": "PEPE", "quoteAsset": "USDT"}
    body = json.dumps({"symbols": [symbol | {"filters": filters[:2]}]}).encode()
    return read_instruments(body, ["PEPEUSDT"], account=3, venue=4)[0]


PEPE = pepe()


def codec() -> BinanceSpotCodec:
    made = BinanceSpotCodec()
    made.set_scales("PEPEUSDT", Scales(PEPE.price_scale, PEPE.quantity_scale))
    return made


CODEC = codec()


def depth_frame(bids: list[tuple[str, str]], asks: list[tuple[str, str]], symbol: str = "PEPEUSDT") -> bytes:
    data = {"e": "depthUpdate", "E": 1, "s": symbol, "U": 7, "u": 9, "b": bids, "a": asks}
    frame = {"stream": f"{symbol.lower()}@depth@100ms", "data": data}
    return json.dumps(frame, separators=(",", ":")).encode()


def naive_diff(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> DepthDiff:
    sides = [
        tuple(int(Decimal(level[place]).scaleb((8, SCALE)[place])) for level in side)
        for side in (bids, asks)
        for place in (0, 1)
    ]
    return DepthDiff("PEPEUSDT", 7, 9, 1_000_000, *sides, previous=6)


def test_the_instrument_counts_in_lots_as_ever() -> None:
    assert (PEPE.price_scale, PEPE.quantity_scale, PEPE.base_scale) == (8, SCALE, 8)
    assert (PEPE.tick, PEPE.lot, PEPE.min_lots, PEPE.max_lots) == (1, 10**SCALE, 1, 92_141_578)
    assert (price_text(PEPE, 1_234), quantity_text(PEPE, 7)) == ("0.00001234", "7.00000000")


@pytest.mark.parametrize(
    ("step", "most", "scale"),
    [
        ("0.00001", "9000", 8),  # BTCUSDT
        ("0.1", "90000000", 8),
        ("0.01", "46116860414", 5),
        ("1", "900000", 7),
        ("1", "92141578", 5),
        ("1", "46116860414", 2),  # SHIBUSDT, 2021
        ("0.01", "99999999999999", 2),  # never fewer than the step has
        ("0", "0", 8),
    ],
)
def test_a_level_of_many_greatest_orders_fits_64_bits(step: str, most: str, scale: int) -> None:
    step_units, most_units = (int(Decimal(text).scaleb(8)) for text in (step, most))
    assert quantity_scale(step_units or 1, most_units) == scale


whole = st.integers(0, 10**12).map(lambda amount: f"{amount}.00000000")
in_scale = st.integers(0, 2**50).map(lambda amount: f"{amount // 10**5}.{amount % 10**5:05d}000")
price = st.integers(0, 10**8).map(lambda amount: f"{amount // 10**8}.{amount % 10**8:08d}")
sides = st.lists(st.tuples(price, whole | in_scale), max_size=6)


@given(sides, sides)
def test_both_routes_equal_decimal(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    frame = depth_frame(bids, asks)
    assert CODEC.decode_frame(frame) == slow_frame(frame, KNOWN) == naive_diff(bids, asks)


@given(st.lists(st.tuples(price, in_scale), max_size=6), st.lists(st.tuples(price, in_scale), max_size=6))
def test_whole_lots_take_the_fast_route(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    frame = depth_frame(bids, asks)
    assert codec_module._fast_depth(frame, frame.find(b'"data":{') + 7, SCALE) == naive_diff(bids, asks)


@given(st.text("0123456789.", min_size=1, max_size=16), price)
def test_whatever_is_read_equals_decimal(text: str, other: str) -> None:
    """The zeros that the scale leaves out are decimals, never a whole number's."""
    frame = depth_frame([(other, "1.00000000"), (other, text)], [(other, text)])
    event = CODEC.decode_frame(frame)
    assert event == slow_frame(frame, KNOWN)
    if isinstance(event, DepthDiff):
        assert event.bid_quantities[1] == event.ask_quantities[0] == Decimal(text).scaleb(SCALE)


def test_a_level_past_64_bits_at_eight_decimals_is_read() -> None:
    frame = depth_frame([("0.00000100", HUGE)], [])
    assert isinstance(BinanceSpotCodec().decode_frame(frame), Garbage)
    assert CODEC.decode_frame(frame) == naive_diff([("0.00000100", HUGE)], [])


def test_every_other_kind_of_frame_and_body_is_in_the_same_scales() -> None:
    quote = {"u": 4, "s": "PEPEUSDT", "b": "0.00000100", "B": HUGE, "a": "0.00000101", "A": "1.5"}
    trade = {"e": "trade", "s": "PEPEUSDT", "t": 8, "p": "0.00000101", "q": HUGE, "T": 2, "m": False}
    body = json.dumps({"lastUpdateId": 5, "bids": [["0.00000100", HUGE]], "asks": []}, separators=(",", ":")).encode()
    past = json.dumps([{"id": 8, "price": "0.00000101", "qty": HUGE, "time": 2, "isBuyerMaker": False}]).encode()
    amount = 123_456_789_012 * 10**SCALE
    printed = TradeEvent("PEPEUSDT", 8, 2_000_000, 101, amount, Side.BUY)
    frames = [json.dumps(frame, separators=(",", ":")).encode() for frame in (quote, trade)]
    assert [CODEC.decode_frame(frame) for frame in frames] == [
        QuoteEvent("PEPEUSDT", 4, 100, amount, 101, 150_000),
        printed,
    ]
    assert CODEC.decode_snapshot(body, "PEPEUSDT") == DepthBody(5, (100,), (amount,), (), ())
    assert CODEC.decode_trades(past, "PEPEUSDT") == (printed,)
    assert isinstance(CODEC.decode_snapshot(body), Garbage)


def test_a_figure_that_does_not_fit_says_which_scale_would_hold_it() -> None:
    frame = depth_frame([("0.00000100", "1.00000000")], [("0.00000101", "0.12345670")])
    assert CODEC.decode_frame(frame) == Finer("PEPEUSDT", Scales(8, 7))


def test_other_symbols_of_the_same_connection_keep_their_scales() -> None:
    levels = [("1.00000000", "0.12345678")]
    diff = CODEC.decode_frame(depth_frame(levels, [], "BTCUSDT"))
    assert isinstance(diff, DepthDiff)
    assert (diff.bid_prices, diff.bid_quantities) == ((10**8,), (12_345_678,))


@pytest.mark.parametrize("escaped", ["PEPE\\u0055SDT", 'BTCUSDT","s":"PEPEUSDT'])
def test_a_symbol_that_is_written_otherwise_gets_its_own_scales(escaped: str) -> None:
    frame = depth_frame([("0.00000100", "7.00000000")], []).replace(b'"s":"PEPEUSDT"', f'"s":"{escaped}"'.encode())
    assert CODEC.decode_frame(frame) == naive_diff([("0.00000100", "7.00000000")], [])


@given(st.integers(1, 10**9), st.integers(1, 92_141_578), st.integers(0, 8))
def test_an_order_goes_out_in_the_venues_text_and_comes_back_in_lots(ticks: int, lots: int, scale: int) -> None:
    lot = 10**scale
    instrument = Instrument(5, 1, 3, 4, "PEPEUSDT", "PEPE", "USDT", 8, scale, 8, 8, 1, lot, 1, 0, 1, 0, 0, 0, 0)
    orders = OrderCodec(HmacSigner("k", "s"), True, 5_000, account=3, venue=4, instruments=[instrument])
    submit = SubmitOrder(3, 4, 5, 1, "maker", "t1000001abcx", 1, 9, Side.BUY, ticks, lots, True, False, 1, 2, 3)
    params = json.loads(orders.submit_frame(submit, instrument, 1, 1_000))["params"]
    assert (Decimal(params["price"]), Decimal(params["quantity"])) == (Decimal(ticks).scaleb(-8), lots)

    report = orders.decode(json.dumps(execution(params["price"], params["quantity"])).encode(), 77)
    assert isinstance(report, ExecutionReport)
    assert (report.instrument, report.price, report.quantity, report.last_quantity) == (
        5,
        ticks,
        lots * lot,
        lots * lot,
    )
    assert report.cumulative == lots * lot
    assert (report.last_quote, report.fee) == (150_000_000, 10_000_000)


def execution(price_text: str, quantity: str, symbol: str = "PEPEUSDT") -> dict[str, Any]:
    known = {"e": "executionReport", "E": 1, "s": symbol, "c": "t1000001abcx", "S": "BUY", "q": quantity}
    known |= {"p": price_text, "x": "TRADE", "X": "FILLED", "i": 9, "z": quantity, "Z": "1.50", "l": quantity}
    return {"event": known | {"L": price_text, "Y": "1.50", "n": "0.1", "N": "BNB", "T": 1, "t": 3, "I": 4}}


def test_a_report_of_a_symbol_nobody_configured_is_in_eight_decimals() -> None:
    orders = OrderCodec(HmacSigner("k", "s"), True, 5_000, instruments=[PEPE])
    report = orders.decode(json.dumps(execution("1", "2", "BTCUSDT")).encode(), 77)
    assert isinstance(report, ExecutionReport)
    assert (report.instrument, report.quantity) == (-1, 2 * 10**8)


def test_queries_are_in_the_instruments_scale_too() -> None:
    order = {"symbol": "PEPEUSDT", "orderId": 1, "clientOrderId": "t1000001abcx", "price": "0.00000100"}
    order |= {
        "origQty": "70.00",
        "executedQty": "30.00",
        "cummulativeQuoteQty": "0.00003",
        "status": "PARTIALLY_FILLED",
    }
    order |= {"side": "SELL", "time": 1}
    trade = {"symbol": "PEPEUSDT", "id": 1, "orderId": 1, "price": "0.00000100", "qty": "30.00", "quoteQty": "0.00003"}
    trade |= {"commission": "0", "commissionAsset": "USDT", "time": 1, "isBuyer": False, "isMaker": True}
    asked = [VenueQuery("orders", 1, 2, 99, 3, 4, kind, 0) for kind in (QueryKind.OPEN_ORDERS, QueryKind.TRADES)]
    answers = [
        decode_query(one, 200, json.dumps([record]).encode(), 1, 2, [PEPE])
        for one, record in zip(asked, (order, trade), strict=True)
    ]
    working, traded = (answer.reports[0] for answer in answers)
    assert (working.quantity, working.cumulative, working.cumulative_quote) == (7_000_000, 3_000_000, 3_000)
    assert (traded.last_quantity, traded.last_quote, traded.instrument) == (3_000_000, 3_000, 0)
