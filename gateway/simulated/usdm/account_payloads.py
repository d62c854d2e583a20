"""Wallets, positions and margin in the futures face's words. Pure.

Field names follow "Account Information V2/V3", "Position Information V2/V3", "Futures Account Balance", "Event: Balance and
Position Update".
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..core.decimals import decimal_text
from ..core.orders import AccountId
from ..payload import Instant, Payload
from .margin import ASSET, Margin
from .margin_account import NOTIONAL_MAX, MarginAccount, MarginFigures
from .positions import Position, PositionKey
from .text import Figures, plain

ZERO = decimal_text(0)


class PositionView(NamedTuple):
    """One position as it is told. `mark`: the mark price of its symbol."""

    key: PositionKey
    position: Position
    margin: MarginFigures
    mark: int
    liquidation_price: int
    leverage: int
    notionals: tuple[int, int]
    """Of its open bids and offers."""
    figures: Figures

    @property
    def is_idle(self) -> bool:
        return self.position.quantity == 0 and not any(self.notionals)


def position_views(
    margin: Margin, account: AccountId, symbols: Iterable[str], writing: Mapping[str, Figures]
) -> Iterator[PositionView]:
    """Yield every position the account has or could have in `symbols`: one a symbol, two in hedge mode."""
    held = margin.accounts[account]
    for symbol in symbols:
        for side in held.sides():
            yield _view(margin, account, held, (symbol, side), writing[symbol])


def _view(margin: Margin, account: AccountId, held: MarginAccount, key: PositionKey, figures: Figures) -> PositionView:
    return PositionView(
        key=key,
        position=held.position(*key),
        margin=held.figures(key, margin.marks[key[0]]),
        mark=margin.marks[key[0]],
        liquidation_price=_liquidation_price(margin, account, held, key),
        leverage=held.leverage(key[0]),
        notionals=(held.bids.get(key, 0), held.offers.get(key, 0)),
        figures=figures,
    )


def _liquidation_price(margin: Margin, account: AccountId, held: MarginAccount, key: PositionKey) -> int:
    if held.position(*key).quantity == 0:
        return 0
    return held.liquidation_price(key[0], margin.wallet(account), margin.marks)


def position_risk_v2(view: PositionView) -> Payload:
    return {
        **_position_risk(view),
        "leverage": str(view.leverage),
        "maxNotionalValue": plain(NOTIONAL_MAX),
        "marginType": "cross",
        "isAutoAddMargin": "false",
    }


def position_risk_v3(view: PositionView) -> Payload:
    return {
        **_position_risk(view),
        "marginAsset": ASSET,
        **_margins(view.margin),
        "adl": 0,
        "bidNotional": decimal_text(view.notionals[0]),
        "askNotional": decimal_text(view.notionals[1]),
    }


def _position_risk(view: PositionView) -> Payload:
    position, figures = view.position, view.figures
    return {
        "symbol": view.key[0],
        "positionSide": view.key[1],
        "positionAmt": figures.quantity(position.quantity),
        "entryPrice": figures.price(position.entry_price),
        "breakEvenPrice": figures.price(position.break_even_price),
        "markPrice": decimal_text(view.mark),
        "unRealizedProfit": decimal_text(view.margin.unrealized),
        "liquidationPrice": figures.price(view.liquidation_price),
        "isolatedMargin": ZERO,
        "notional": decimal_text(position.value(view.mark)),
        "isolatedWallet": ZERO,
        "updateTime": Instant(position.updated_ns),
    }


def _margins(margin: MarginFigures) -> Payload:
    return {
        "initialMargin": decimal_text(margin.initial),
        "maintMargin": decimal_text(margin.maintenance),
        "positionInitialMargin": decimal_text(margin.position_initial),
        "openOrderInitialMargin": decimal_text(margin.order_initial),
    }


def account_v3(margin: Margin, account: AccountId, views: Iterable[PositionView], updated_ns: int) -> Payload:
    positions = [_account_position(view) for view in views if not view.is_idle]
    return {
        **_totals(margin, account),
        "assets": [_asset(margin, account, updated_ns)],
        "positions": positions,
    }


def account_v2(margin: Margin, account: AccountId, views: Iterable[PositionView], updated_ns: int) -> Payload:
    """With every symbol, and what v3 moved to other endpoints."""
    positions = [
        {
            **_account_position(view),
            "positionInitialMargin": decimal_text(view.margin.position_initial),
            "openOrderInitialMargin": decimal_text(view.margin.order_initial),
            "leverage": str(view.leverage),
            "isolated": False,
            "entryPrice": view.figures.price(view.position.entry_price),
            "breakEvenPrice": view.figures.price(view.position.break_even_price),
            "maxNotional": plain(NOTIONAL_MAX),
            "bidNotional": decimal_text(view.notionals[0]),
            "askNotional": decimal_text(view.notionals[1]),
        }
        for view in views
    ]
    return {
        "feeTier": 0,
        "feeBurn": False,
        "canTrade": True,
        "canDeposit": False,
        "canWithdraw": False,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **_totals(margin, account),
        "assets": [{**_asset(margin, account, updated_ns), "marginAvailable": True}],
        "positions": positions,
    }


def _account_position(view: PositionView) -> Payload:
    return {
        "symbol": view.key[0],
        "positionSide": view.key[1],
        "positionAmt": view.figures.quantity(view.position.quantity),
        "unrealizedProfit": decimal_text(view.margin.unrealized),
        "isolatedMargin": ZERO,
        "notional": decimal_text(view.position.value(view.mark)),
        "isolatedWallet": ZERO,
        "initialMargin": decimal_text(view.margin.initial),
        "maintMargin": decimal_text(view.margin.maintenance),
        "updateTime": Instant(view.position.updated_ns),
    }


def _totals(margin: Margin, account: AccountId) -> Payload:
    total, wallet = margin.accounts[account].total(margin.marks), margin.wallet(account)
    available = max(0, margin.available(account))
    return {
        "totalInitialMargin": decimal_text(total.initial),
        "totalMaintMargin": decimal_text(total.maintenance),
        "totalWalletBalance": decimal_text(wallet),
        "totalUnrealizedProfit": decimal_text(total.unrealized),
        "totalMarginBalance": decimal_text(wallet + total.unrealized),
        "totalPositionInitialMargin": decimal_text(total.position_initial),
        "totalOpenOrderInitialMargin": decimal_text(total.order_initial),
        "totalCrossWalletBalance": decimal_text(wallet),
        "totalCrossUnPnl": decimal_text(total.unrealized),
        "availableBalance": decimal_text(available),
        "maxWithdrawAmount": decimal_text(max(0, min(available, wallet))),
    }


def _asset(margin: Margin, account: AccountId, updated_ns: int) -> Payload:
    total, wallet = margin.accounts[account].total(margin.marks), margin.wallet(account)
    available = max(0, margin.available(account))
    return {
        "asset": ASSET,
        "walletBalance": decimal_text(wallet),
        "unrealizedProfit": decimal_text(total.unrealized),
        "marginBalance": decimal_text(wallet + total.unrealized),
        **_margins(total),
        "crossWalletBalance": decimal_text(wallet),
        "crossUnPnl": decimal_text(total.unrealized),
        "availableBalance": decimal_text(available),
        "maxWithdrawAmount": decimal_text(max(0, min(available, wallet))),
        "updateTime": Instant(updated_ns),
    }


def balance(margin: Margin, account: AccountId, alias: str, updated_ns: int) -> Payload:
    asset = _asset(margin, account, updated_ns)
    told = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount", "updateTime")
    return {
        "accountAlias": alias,
        "balance": asset["walletBalance"],
        **{name: asset[name] for name in told},
        "marginAvailable": True,
    }


# ---- user data stream


def account_update(
    reason: str, wallet: int, change: int, views: Iterable[PositionView], time_ns: int, now_ns: int
) -> Payload:
    """`reason`: ORDER, FUNDING_FEE, DEPOSIT, INSURANCE_CLEAR ...; `change`: of the wallet by anything but trades and fees."""
    told: Payload = {
        "m": reason,
        "B": [
            {"a": ASSET, "wb": decimal_text(wallet), "cw": decimal_text(wallet), "bc": decimal_text(change)},
        ],
        "P": [
            {
                "s": view.key[0],
                "pa": view.figures.quantity(view.position.quantity),
                "ep": view.figures.price(view.position.entry_price),
                "bep": view.figures.price(view.position.break_even_price),
                "cr": decimal_text(view.position.realized),
                "up": decimal_text(view.margin.unrealized),
                "mt": "cross",
                "iw": "0",
                "ps": view.key[1],
                "ma": ASSET,
            }
            for view in views
        ],
    }
    return {"e": "ACCOUNT_UPDATE", "T": Instant(time_ns), "E": Instant(now_ns), "a": told}
