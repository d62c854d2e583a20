"""What clients ask beside the exchange itself when they start: wallet, fees, system, and products that this venue does not have.

Wallet answers come from the same ledger; nothing can be deposited, withdrawn or lent here, and they say so. A product that
is not here has no symbols; USD-M futures, where the venue has them, have a port of their own. Shapes: the venue's "Wallet
Endpoints", "Margin Account/Trade", and the exchange information of futures and options. REST alone: the WebSocket API has none of this.
"""

from collections.abc import Callable

from ..core.decimals import decimal_text
from ..operations import Call, Kind, Operation, public, signed
from ..payload import Instant, Json, Payload
from . import symbols
from .api import VenueApi

ZERO = "0"
NO_LIST: Json = []


def system_status(api: VenueApi, call: Call) -> Json:
    return {"status": 0, "msg": "normal"}


def coins(api: VenueApi, call: Call) -> Json:
    """All coins' information: each asset traded here, without a network to send it over."""
    ledger = api.market.engine.ledger
    free, locked = ledger.free[call.account], ledger.locked[call.account]
    return [
        {
            "coin": asset,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "name": asset,
            "free": decimal_text(free[asset]),
            "locked": decimal_text(locked[asset]),
            "freeze": ZERO,
            "withdrawing": ZERO,
            "ipoing": ZERO,
            "ipoable": ZERO,
            "storage": ZERO,
            "isLegalMoney": False,
            "trading": True,
            "networkList": [],
        }
        for asset in _assets(api)
    ]


def user_assets(api: VenueApi, call: Call) -> Json:
    """What the account has of each asset; those of which it has nothing are left out."""
    ledger = api.market.engine.ledger
    free, locked = ledger.free[call.account], ledger.locked[call.account]
    wanted = call.params.get("asset")
    return [
        {
            "asset": asset,
            "free": decimal_text(free[asset]),
            "locked": decimal_text(locked[asset]),
            "freeze": ZERO,
            "withdrawing": ZERO,
            "ipoable": ZERO,
            "btcValuation": ZERO,
        }
        for asset in _assets(api)
        if (free[asset] or locked[asset]) and wanted in (None, asset)
    ]


def asset_details(api: VenueApi, call: Call) -> Json:
    """Nothing can be deposited or withdrawn."""
    wanted = call.params.get("asset")
    detail: Payload = {"minWithdrawAmount": ZERO, "depositStatus": False, "withdrawFee": ZERO, "withdrawStatus": False}
    return {asset: detail for asset in _assets(api) if wanted in (None, asset)}


def trade_fees(api: VenueApi, call: Call) -> Json:
    fees = api.market.engine.settlement.fee_rates(call.account)
    maker, taker = decimal_text(fees.maker_ppm * 100), decimal_text(fees.taker_ppm * 100)
    return [
        {"symbol": symbol, "makerCommission": maker, "takerCommission": taker}
        for symbol in symbols.listed(api, call.params)
    ]


def account_info(api: VenueApi, call: Call) -> Json:
    return {"vipLevel": 0, "isMarginEnabled": False, "isFutureEnabled": False, "isOptionsEnabled": False}


def account_status(api: VenueApi, call: Call) -> Json:
    return {"data": "Normal"}


def key_permissions(api: VenueApi, call: Call) -> Json:
    """Keys may read and trade on spot, and nothing else."""
    return {
        "ipRestrict": False,
        "createTime": 0,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enablePortfolioMarginTrading": False,
    }


def trading_status(api: VenueApi, call: Call) -> Json:
    return {"data": {"isLocked": False, "plannedRecoverTime": 0, "triggerCondition": {}, "updateTime": 0}}


def nothing(api: VenueApi, call: Call) -> Json:
    return NO_LIST


def no_futures(api: VenueApi, call: Call) -> Json:
    """Exchange information of a product without symbols."""
    return {
        "timezone": "UTC",
        "serverTime": Instant(call.now_ns),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


def no_options(api: VenueApi, call: Call) -> Json:
    return {
        "timezone": "UTC",
        "serverTime": Instant(call.now_ns),
        "optionContracts": [],
        "optionAssets": [],
        "optionSymbols": [],
        "rateLimits": [],
    }


def _assets(api: VenueApi) -> list[str]:
    return list(dict.fromkeys(asset for rules in api.market.rules() for asset in (rules.base, rules.quote)))


def _signed(run: Callable[[VenueApi, Call], Json]) -> Operation:
    """Weights of these endpoints count elsewhere on the venue (X-SAPI-USED-IP-WEIGHT-1M): 1 each here."""
    return signed(Kind.ACCOUNT, run, 1)


_TABLE: tuple[tuple[str, str, Operation], ...] = (
    ("GET", "/sapi/v1/system/status", public(system_status, 1)),
    ("GET", "/sapi/v1/capital/config/getall", _signed(coins)),
    ("POST", "/sapi/v3/asset/getUserAsset", _signed(user_assets)),
    ("GET", "/sapi/v1/asset/assetDetail", _signed(asset_details)),
    ("GET", "/sapi/v1/asset/tradeFee", _signed(trade_fees)),
    ("GET", "/sapi/v1/account/info", _signed(account_info)),
    ("GET", "/sapi/v1/account/status", _signed(account_status)),
    ("GET", "/sapi/v1/account/apiRestrictions", _signed(key_permissions)),
    ("GET", "/sapi/v1/account/apiTradingStatus", _signed(trading_status)),
    ("GET", "/sapi/v1/capital/deposit/hisrec", _signed(nothing)),
    ("GET", "/sapi/v1/capital/withdraw/history", _signed(nothing)),
    ("GET", "/sapi/v1/spot/delist-schedule", _signed(nothing)),
    ("GET", "/sapi/v1/margin/allPairs", public(nothing, 1)),
    ("GET", "/sapi/v1/margin/allAssets", public(nothing, 1)),
    ("GET", "/sapi/v1/margin/isolated/allPairs", _signed(nothing)),
    ("GET", "/fapi/v1/exchangeInfo", public(no_futures, 1)),
    ("GET", "/dapi/v1/exchangeInfo", public(no_futures, 1)),
    ("GET", "/eapi/v1/exchangeInfo", public(no_options, 1)),
)

OPERATIONS: dict[str, Operation] = {path: operation for _, path, operation in _TABLE}
"""Named by their paths: the WebSocket API has no names for them."""

ROUTES: dict[tuple[str, str], str] = {(method, path): path for method, path, _ in _TABLE}
