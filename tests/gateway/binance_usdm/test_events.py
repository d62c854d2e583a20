"""The futures' user data stream: each execution type and status, whose order it was, and what nobody knows yet."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import ExecutionReport, Instrument, ReportKind, ReportSource, Side, VenueState
from bus.messages.feed import Garbage, Notice
from gateway.binance_usdm.events import WalletMoved, decode_event, venue_made

SCALES = (8, 8, 8, 8)
BTC = Instrument(5, 1, 3, 4, "BTCUSDT", "BTC", "USDT", *SCALES, 10**7, 10**5, 1, 0, 1, 0, 0, 0, 0, settle_asset="USDT")
OTHERS = (
    Path(__file__).parents[4]
    / "shared"
    / "data"
    / "payloads"
    / "Binance.Net.UnitTests"
    / "Subscriptions"
    / "UsdFutures"
)

ORDER = {
    "s": "BTCUSDT", "c": "t1000001abcx", "S": "SELL", "o": "LIMIT", "f": "GTX", "q": "0.012", "p": "43000.1", "ap": "0",
    "sp": "0", "x": "NEW", "X": "NEW", "i": 8886774, "l": "0", "z": "0", "L": "0", "T": 1568879465650, "t": 0, "b": "0",
    "a": "516.0012", "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": False, "rp": "0",
    "pP": False, "si": 0, "ss": 0, "V": "EXPIRE_TAKER", "pm": "NONE", "gtd": 0, "er": "0",
}  # fmt: skip
"""As in "Event: Order Update"."""
FILL = {
    "x": "TRADE",
    "X": "PARTIALLY_FILLED",
    "l": "0.005",
    "z": "0.005",
    "L": "43000.2",
    "n": "0.04300020",
    "N": "USDT",
}
FILL |= {"t": 778, "m": True, "rp": "-1.25000001"}


def read(**fields: Any) -> Any:
    event = {"e": "ORDER_TRADE_UPDATE", "T": 1568879465650, "E": 1568879465651, "o": ORDER | fields}
    return decode_event(json.dumps(event).encode(), 7, 3, 4, {"BTCUSDT": BTC})


def test_a_fill_has_its_amount_and_what_it_realized() -> None:
    assert read(**FILL) == ExecutionReport(
        account=3,
        venue=4,
        instrument=5,
        source=ReportSource.STREAM,
        kind=ReportKind.TRADE,
        state=VenueState.WORKING,
        status="PARTIALLY_FILLED",
        client_order_id="t1000001abcx",
        venue_order_id=8886774,
        side=Side.SELL,
        price=4300010000000,
        quantity=1200000,
        cumulative=500000,
        cumulative_quote=0,
        trade_id=778,
        last_quantity=500000,
        last_price=4300020000000,
        last_quote=21500100000,
        fee=4300020,
        fee_asset="USDT",
        is_maker=True,
        execution_id=1568879465650,
        venue_ns=1568879465650000000,
        received_ns=7,
        reason="",
        venue_symbol="BTCUSDT",
        realized=-125000001,
    )


@pytest.mark.parametrize(
    ("fields", "kind", "state", "reason"),
    [
        ({}, ReportKind.NEW, VenueState.WORKING, ""),
        ({"x": "CANCELED", "X": "CANCELED"}, ReportKind.CANCELED, VenueState.DONE_CANCELED, ""),
        ({"x": "EXPIRED", "X": "EXPIRED", "er": "4"}, ReportKind.EXPIRED, VenueState.DONE_EXPIRED, "expiry_reason=4"),
        (
            {"x": "EXPIRED", "X": "EXPIRED_IN_MATCH", "er": "1"},
            ReportKind.STP_EXPIRED,
            VenueState.DONE_STP,
            "expiry_reason=1",
        ),
        ({"x": "AMENDMENT"}, ReportKind.REPLACED, VenueState.WORKING, ""),
        (FILL | {"X": "FILLED"}, ReportKind.TRADE, VenueState.DONE_FILLED, ""),
    ],
)
def test_each_execution_type(fields: dict[str, Any], kind: ReportKind, state: VenueState, reason: str) -> None:
    told = read(**fields)
    assert (told.kind, told.state, told.reason) == (kind, state, reason)
    assert told.trade_id == (778 if kind is ReportKind.TRADE else -1)


@pytest.mark.parametrize("client_order_id", ["autoclose-1568879465650", "adl_autoclose", "settlement_autoclose-1"])
def test_a_liquidation_is_a_fill_of_the_venues_own_order(client_order_id: str) -> None:
    told = (
        read(**FILL, c=client_order_id)
        if client_order_id == "adl_autoclose"
        else read(**FILL | {"x": "CALCULATED"}, c=client_order_id)
    )
    assert (told.kind, told.client_order_id, told.realized) == (ReportKind.TRADE, client_order_id, -125000001)
    assert "the venue's own order" in told.reason
    assert venue_made(client_order_id)
    assert not venue_made("t1000001abcx")


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"x": "HALTED"}, "HALTED/NEW"), ({"X": "NEW_ADL"}, "NEW/NEW_ADL"), (FILL | {"t": 0}, "TRADE/PARTIALLY_FILLED")],
)
def test_a_word_of_tomorrow_is_kept(fields: dict[str, Any], status: str) -> None:
    """So is a fill without its id: it could not be booked once."""
    told = read(**fields)
    assert (told.kind, told.status, told.venue_order_id) == (ReportKind.OTHER, status, 8886774)


def test_a_symbol_that_nobody_configured_is_kept() -> None:
    told = read(s="DOGEUSDT", q="7")
    assert (told.instrument, told.venue_symbol, told.quantity) == (-1, "DOGEUSDT", 700000000)


@pytest.mark.parametrize(
    ("fields", "named"),
    [({"S": "HOLD"}, "S"), ({"q": "1e3"}, "q"), ({"rp": "much"}, "rp"), ({"T": -1}, "T"), ({"i": "x"}, "i")],
)
def test_what_cannot_be_read_names_the_field_and_the_order(fields: dict[str, Any], named: str) -> None:
    told = read(**fields)
    assert isinstance(told, Garbage)
    assert named in told.detail
    assert "t1000001abcx" in told.detail


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"e": "ACCOUNT_UPDATE", "T": 5, "a": {"m": "FUNDING_FEE", "B": []}}, WalletMoved("FUNDING_FEE", 5_000_000)),
        ({"e": "ACCOUNT_UPDATE", "T": 5, "a": {"m": "WITHDRAW"}}, WalletMoved("WITHDRAW", 5_000_000)),
    ],
)
def test_a_wallet_that_moves_by_itself_is_told(event: dict[str, Any], told: WalletMoved) -> None:
    assert decode_event(json.dumps(event).encode(), 7, 3, 4, {}) == told


@pytest.mark.parametrize(
    "event",
    [
        {"e": "ACCOUNT_UPDATE", "T": 5, "a": {"m": "ORDER", "B": []}},
        {"e": "TRADE_LITE"},
        {"e": "listenKeyExpired"},
        {"e": "ACCOUNT_CONFIG_UPDATE"},
        {"e": "MARGIN_CALL"},
    ],
)
def test_what_orders_tell_themselves_is_a_notice(event: dict[str, Any]) -> None:
    told = decode_event(json.dumps(event).encode(), 7, 3, 4, {})
    assert isinstance(told, Notice)
    assert told.kind == event["e"]


@given(
    st.dictionaries(st.sampled_from([*ORDER, "zz"]), st.none() | st.booleans() | st.integers() | st.text(max_size=6))
)
def test_an_event_of_any_content_is_read_or_named(fields: dict[str, Any]) -> None:
    assert isinstance(read(**fields), ExecutionReport | Garbage)


@pytest.mark.skipif(not OTHERS.exists(), reason="../shared/data/payloads is absent")
def test_events_that_another_client_keeps_are_read() -> None:
    """Payloads of Binance.Net's tests: written by neither side of ours."""
    kinds = {}
    for name in ("OrderUpdate", "AccountUpdate", "TradeUpdate", "Leverage", "MarginUpdate"):
        for line in (OTHERS / f"{name}.txt").read_text().split("\n= ")[1:]:
            event = json.loads(line.partition("\n>")[0])
            payload = event.get("data", event)
            kinds[name] = type(decode_event(json.dumps(payload).encode(), 0, 3, 4, {"BTCUSDT": BTC}))
    assert kinds["OrderUpdate"] is ExecutionReport
    assert Garbage not in kinds.values()
