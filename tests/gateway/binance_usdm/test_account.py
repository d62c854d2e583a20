"""How an account must be set up, what moved its wallet, and what its requests weigh."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bus.messages import WalletChanged
from bus.messages.feed import Garbage
from gateway.binance_spot.signing import HmacSigner
from gateway.binance_usdm.account import (
    BY_FILLS,
    INCOME_MAX,
    AccountConfig,
    Paths,
    SymbolConfig,
    read_account_config,
    read_income,
    read_symbol_configs,
    refusal,
)
from gateway.binance_usdm.limits import WEIGHTS, BinanceUsdmLimits

GOOD = AccountConfig(canTrade=True, dualSidePosition=False, multiAssetsMargin=False)
CROSS = SymbolConfig("BTCUSDT", "CROSSED", 20)


@pytest.mark.parametrize(
    ("config", "symbols", "words"),
    [
        (AccountConfig(False, False, False), [CROSS], "may not trade"),
        (AccountConfig(True, True, False), [CROSS], "hedge mode"),
        (AccountConfig(True, False, True), [CROSS], "multi-assets mode"),
        (GOOD, [CROSS, SymbolConfig("ETHUSDT", "ISOLATED", 5)], "ETHUSDT has margin of its own"),
    ],
)
def test_what_the_ledger_cannot_reckon_with_is_refused(
    config: AccountConfig, symbols: list[SymbolConfig], words: str
) -> None:
    assert words in refusal(config, symbols)
    assert refusal(GOOD, [CROSS]) == ""


def test_configurations_are_read_as_documented() -> None:
    body = {"feeTier": 0, "canTrade": True, "dualSidePosition": True, "multiAssetsMargin": False, "tradeGroupId": -1}
    assert read_account_config(json.dumps(body).encode()) == AccountConfig(True, True, False)
    rows = json.dumps(
        [{"symbol": "BTCUSDT", "marginType": "CROSSED", "isAutoAddMargin": "false", "leverage": 21}]
    ).encode()
    assert read_symbol_configs(rows, ["BTCUSDT"]) == (SymbolConfig("BTCUSDT", "CROSSED", 21),)
    assert isinstance(read_symbol_configs(rows, ["BTCUSDT", "ETHUSDT"]), Garbage)
    odd = rows[:-1] + b', {"symbol": "ODDUSDT", "leverage": null}]'
    assert read_symbol_configs(odd, ["BTCUSDT"]) == (SymbolConfig("BTCUSDT", "CROSSED", 21),)
    assert isinstance(read_symbol_configs(odd, ["ODDUSDT"]), Garbage)
    assert isinstance(read_account_config(b"<html>"), Garbage)
    assert isinstance(read_symbol_configs(b"[{}]", ["BTCUSDT"]), Garbage)


def income(kind: str, amount: str, entry: Any = 9, **fields: Any) -> dict[str, Any]:
    row = {"symbol": "BTCUSDT", "incomeType": kind, "income": amount, "asset": "USDT", "info": "", "time": 1_700}
    return row | {"tranId": entry, "tradeId": ""} | fields


def test_what_fills_tell_is_left_to_them() -> None:
    rows = [
        income("REALIZED_PNL", "1"),
        income("COMMISSION", "-1"),
        income("FUNDING_FEE", "-0.375", 11),
        income("TRANSFER", "100", "12", symbol="", time=1_800),
        income("INSURANCE_CLEAR", "2", 13, symbol=None, asset="BNFCR"),
    ]
    changes, last_ms, problem = read_income(json.dumps(rows).encode(), 3, 4, {"BTCUSDT": 5})
    assert changes == (
        WalletChanged(3, 4, 5, "USDT", -37500000, "FUNDING_FEE", 11, 1_700_000_000),
        WalletChanged(3, 4, -1, "USDT", 10000000000, "TRANSFER", 12, 1_800_000_000),
        WalletChanged(3, 4, -1, "BNFCR", 200000000, "INSURANCE_CLEAR", 13, 1_700_000_000),
    )
    assert (last_ms, problem) == (-1, "")


def test_what_was_traded_in_other_symbols_is_told_by_incomes_alone() -> None:
    """Of theirs nobody books the fills; a row that names no symbol may be of ours."""
    rows = [income(kind, "-1", 7, symbol=symbol) for kind in BY_FILLS for symbol in ("ETHUSDT", "BTCUSDT", "", None)]
    changes, _, _ = read_income(json.dumps(rows).encode(), 3, 4, {"BTCUSDT": 5})
    assert [(one.cause, one.instrument) for one in changes] == [(kind, -1) for kind in BY_FILLS]


def test_a_full_page_says_where_the_next_begins_and_a_bad_row_hides_no_other() -> None:
    rows = [income("FUNDING_FEE", "1", number, time=number) for number in range(INCOME_MAX - 1)]
    rows.append(income("FUNDING_FEE", "much"))
    changes, last_ms, problem = read_income(json.dumps(rows).encode(), 3, 4, {})
    assert (len(changes), last_ms) == (INCOME_MAX - 1, INCOME_MAX - 2)
    assert "income" in problem
    assert read_income(b"<html>", 3, 4, {})[:2] == ((), -1)
    assert read_income(json.dumps([income("X", "1", "a1")]).encode(), 3, 4, {})[2] != ""


def test_paths_are_signed_and_weighed() -> None:
    paths, limits = Paths(HmacSigner("thekey", "thesecret"), 1_000), BinanceUsdmLimits()
    phrased = {
        paths.account_config(1_700): {},
        paths.symbol_configs(1_700): {},
        paths.past_orders("BTCUSDT", 1_700): {"symbol": "BTCUSDT", "limit": "1000"},
        paths.income(5, 1_700): {"startTime": "5", "limit": "1000"},
        paths.income(5, 1_700, "TRANSFER"): {"incomeType": "TRANSFER", "startTime": "5", "limit": "1000"},
        paths.countdown("BTCUSDT", 30_000, 1_700): {"symbol": "BTCUSDT", "countdownTime": "30000"},
    }
    for path, params in phrased.items():
        asked = dict(parse_qsl(path.partition("?")[2]))
        assert asked.pop("signature")
        assert asked == params | {"recvWindow": "1000", "timestamp": "1700"}
        assert limits.weight(path) == WEIGHTS[path.partition("?")[0]]


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("/fapi/v1/depth?symbol=BTCUSDT&limit=1000", 20),
        ("/fapi/v1/depth?symbol=BTCUSDT", 10),
        ("/fapi/v1/openOrders?symbol=BTCUSDT", 1),
        ("/fapi/v1/openOrders?timestamp=1", 40),
        ("/fapi/v1/nothing", 5),
    ],
)
def test_what_requests_weigh(path: str, weight: int) -> None:
    assert BinanceUsdmLimits().weight(path) == weight


def test_a_start_of_twenty_symbols_fits_a_minute() -> None:
    assert BinanceUsdmLimits().start_weight(20, 1_000) < 2_400 * 80 // 100
