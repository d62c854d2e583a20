"""What is asked of a futures account beside its orders: how it is set up, what moved its wallet, its newest orders, and the
dead man's switch. Pure: paths and bodies. Source: documents of USD-M futures, "Account" and "Trade", read 2026-11.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bus.messages import WalletChanged
from bus.messages.feed import Garbage
from gateway.binance_spot.decimals import MS_NS, Id, Millis
from gateway.binance_spot.events import read_signed
from gateway.binance_spot.signing import Signer, signed_query

INCOME_MAX = 1_000
"""Rows of one answer ("Get Income History"); from startTime on, oldest first."""
PAST_ORDERS_MAX = 1_000
CROSSED = "CROSSED"
BY_FILLS = ("REALIZED_PNL", "COMMISSION")
"""Incomes that fills tell of, with more about them: those of symbols whose fills we book."""


class Paths:
    """One account's signed paths. The door adds the header `X-MBX-APIKEY: signer.api_key`."""

    def __init__(self, signer: Signer, recv_window_ms: int) -> None:
        self._signer, self._window = signer, str(recv_window_ms)

    def account_config(self, timestamp_ms: int) -> str:
        return self._signed("/fapi/v1/accountConfig", (), timestamp_ms)  # weight 5

    def symbol_configs(self, timestamp_ms: int) -> str:
        """Of all symbols. Weight 5, as of one."""
        return self._signed("/fapi/v1/symbolConfig", (), timestamp_ms)

    def past_orders(self, venue_symbol: str, timestamp_ms: int) -> str:
        """The newest, at most PAST_ORDERS_MAX, of the last seven days. Weight 5."""
        params = (("symbol", venue_symbol), ("limit", str(PAST_ORDERS_MAX)))
        return self._signed("/fapi/v1/allOrders", params, timestamp_ms)

    def income(self, since_ms: int, timestamp_ms: int, kind: str = "") -> str:
        """What moved the wallet from then on, of that kind alone unless "". Weight 30."""
        named = (("incomeType", kind),) if kind else ()
        params = (*named, ("startTime", str(since_ms)), ("limit", str(INCOME_MAX)))
        return self._signed("/fapi/v1/income", params, timestamp_ms)

    def countdown(self, venue_symbol: str, milliseconds: int, timestamp_ms: int) -> str:
        """By POST: all open orders of the symbol are canceled then, unless it is asked again; 0: never. Weight 10."""
        params = (("symbol", venue_symbol), ("countdownTime", str(milliseconds)))
        return self._signed("/fapi/v1/countdownCancelAll", params, timestamp_ms)

    def _signed(self, path: str, params: Sequence[tuple[str, str]], timestamp_ms: int) -> str:
        timed = [*params, ("recvWindow", self._window), ("timestamp", str(timestamp_ms))]
        return f"{path}?{signed_query(self._signer, timed)}"


class AccountConfig(msgspec.Struct, frozen=True):
    canTrade: bool
    dualSidePosition: bool
    multiAssetsMargin: bool


class SymbolConfig(msgspec.Struct, frozen=True):
    symbol: str
    marginType: str
    leverage: int


class _Income(msgspec.Struct):
    incomeType: str
    income: str
    asset: str
    time: Millis
    tranId: Id | str
    """A number, as the documents have it; as text in other clients' recordings."""
    symbol: str | None = ""


def read_account_config(body: bytes) -> AccountConfig | Garbage:
    try:
        return msgspec.json.decode(body, type=AccountConfig)
    except (ValueError, RecursionError) as error:
        return Garbage(f"accountConfig: {error}")


def read_symbol_configs(body: bytes, wanted: Sequence[str]) -> tuple[SymbolConfig, ...] | Garbage:
    """Return those of the wanted symbols. What cannot be read of others is not looked at."""
    try:
        rows = msgspec.json.decode(body, type=tuple[dict[str, Any], ...])
        named = {str(row.get("symbol")): row for row in rows}
        missing = [symbol for symbol in wanted if symbol not in named]
        if missing:
            return Garbage(f"symbolConfig: {missing[0]} is missing")
        return tuple([msgspec.convert(named[symbol], SymbolConfig) for symbol in wanted])
    except (ValueError, RecursionError) as error:
        return Garbage(f"symbolConfig: {error}")


def refusal(config: AccountConfig, symbols: Sequence[SymbolConfig]) -> str:
    """Why this account cannot be traded on, and the remedy; "" when it can. One net position a symbol, all of it backed by
    one wallet, is what the ledger and the limits reckon with.
    """
    if not config.canTrade:
        return "the account may not trade (canTrade is false); enable futures trading for it"
    if config.dualSidePosition:
        return "the account is in hedge mode; switch it to one-way mode (POST /fapi/v1/positionSide/dual)"
    if config.multiAssetsMargin:
        return "the account is in multi-assets mode; switch it to single-asset mode (POST /fapi/v1/multiAssetsMargin)"
    for one in symbols:
        if one.marginType.upper() not in (CROSSED, "CROSS"):
            remedy = "switch it to cross margin (POST /fapi/v1/marginType)"
            return f"{one.symbol} has margin of its own ({one.marginType}); {remedy}"
    return ""


def read_income(
    body: bytes, account: int, venue: int, numbers: Mapping[str, int]
) -> tuple[tuple[WalletChanged, ...], int, str]:
    """Return what moved the wallet beside fills, the last row's time in ms of a full page (-1: nothing follows), and what
    could not be read.

    numbers: instruments by venue symbol, those whose fills are booked. A row's id is unique among those of its kind ("Get Income History").
    """
    try:
        rows = msgspec.json.decode(body, type=list[Any])
    except (ValueError, RecursionError) as error:
        return (), -1, f"income: {error}"
    changes: list[WalletChanged] = []
    last_ms, reason = -1, ""
    for row in rows:
        try:
            income = msgspec.convert(row, _Income)
            change, entry = read_signed("income", income.income), int(income.tranId)
        except ValueError as error:
            reason = reason or f"income: {error}"
            continue
        last_ms = max(last_ms, income.time)
        if income.incomeType in BY_FILLS and (not income.symbol or income.symbol in numbers):
            continue
        number = numbers.get(income.symbol or "", -1)
        changes.append(
            WalletChanged(account, venue, number, income.asset, change, income.incomeType, entry, income.time * MS_NS)
        )
    return tuple(changes), last_ms if len(rows) >= INCOME_MAX else -1, reason
