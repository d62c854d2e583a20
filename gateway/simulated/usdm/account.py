"""An account's wallet, positions and settings, its income, and its user data stream (docs, "Account", "User Data Streams")."""

from collections.abc import Callable

from ..core.decimals import SCALE, decimal_text
from ..core.errors import BadRequest, OrderRefused, missing_parameter
from ..operations import Call, Kind, Operation, Proof, constant, signed
from ..payload import NS_PER_MS, Instant, Json, Payload
from ..spot.parameters import integer, limit, text
from . import account_payloads
from .api import PerpetualApi
from .errors import leverage_too_small, not_built
from .income import Income
from .margin import ASSET
from .margin_account import LEVERAGE_MAX, MAINTENANCE_PPM, NOTIONAL_MAX
from .order_queries import window
from .parameters import boolean
from .text import plain

SUCCESS: Payload = {"code": 200, "msg": "success"}
INCOME_LIMIT_DEFAULT = 100  # docs, "Get Income History"
INCOME_LIMIT_MAX = 1_000


def balance(api: PerpetualApi, call: Call) -> Json:
    return [account_payloads.balance(api.margin, call.account, api.alias(call.account), call.now_ns)]


def account_v2(api: PerpetualApi, call: Call) -> Json:
    views = api.users.views(call.account, api.symbols({}))
    return account_payloads.account_v2(api.margin, call.account, views, call.now_ns)


def account_v3(api: PerpetualApi, call: Call) -> Json:
    views = api.users.views(call.account, api.symbols({}))
    return account_payloads.account_v3(api.margin, call.account, views, call.now_ns)


def position_risk_v2(api: PerpetualApi, call: Call) -> Json:
    """Every symbol's."""
    views = api.users.views(call.account, api.symbols(call.params))
    return [account_payloads.position_risk_v2(view) for view in views]


def position_risk_v3(api: PerpetualApi, call: Call) -> Json:
    """Of symbols with a position or open orders."""
    views = api.users.views(call.account, api.symbols(call.params))
    return [account_payloads.position_risk_v3(view) for view in views if not view.is_idle]


def commission_rate(api: PerpetualApi, call: Call) -> Json:
    fees = api.margin.fee_rates(call.account)
    return {
        "symbol": api.symbol(call.params),
        "makerCommissionRate": plain(fees.maker_ppm * 100),
        "takerCommissionRate": plain(fees.taker_ppm * 100),
        "rpiCommissionRate": plain(fees.maker_ppm * 100),
    }


def leverage_brackets(api: PerpetualApi, call: Call) -> Json:
    """One bracket: a position of any notional has the same leverage and maintenance margin here."""
    bracket: Payload = {
        "bracket": 1,
        "initialLeverage": LEVERAGE_MAX,
        "notionalCap": NOTIONAL_MAX // SCALE,
        "notionalFloor": 0,
        "maintMarginRatio": MAINTENANCE_PPM / 1_000_000,
        "cum": 0.0,
    }
    told: list[Payload] = [{"symbol": symbol, "brackets": [bracket]} for symbol in api.symbols(call.params)]
    return told[0] if "symbol" in call.params else told


def order_counts(api: PerpetualApi, call: Call) -> Json:
    return api.counts[call.account].payload(call.now_ns // NS_PER_MS)


def account_config(api: PerpetualApi, call: Call) -> Json:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": False,
        "canWithdraw": False,
        "dualSidePosition": api.account(call.account).hedges,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def symbol_config(api: PerpetualApi, call: Call) -> Json:
    return [
        {
            "symbol": symbol,
            "marginType": "CROSSED",
            "isAutoAddMargin": False,
            "leverage": api.account(call.account).leverage(symbol),
            "maxNotionalValue": plain(NOTIONAL_MAX),
        }
        for symbol in api.symbols(call.params)
    ]


def income(api: PerpetualApi, call: Call) -> Json:
    """Oldest first; from `startTime` on, otherwise the latest."""
    symbol, kind = call.params.get("symbol"), call.params.get("incomeType")
    in_window = window(call.params)
    most = limit(call.params, INCOME_LIMIT_DEFAULT, INCOME_LIMIT_MAX)
    lines = [
        line
        for line in api.users.income.of(call.account)
        if symbol in (None, line.symbol) and kind in (None, line.kind) and in_window(line.time_ns)
    ]
    chosen = lines[:most] if "startTime" in call.params else lines[-most:]
    return [_income(line) for line in chosen]


def _income(line: Income) -> Payload:
    return {
        "symbol": line.symbol,
        "incomeType": line.kind,
        "income": decimal_text(line.amount),
        "asset": ASSET,
        "info": line.kind if not line.trade_id else str(line.trade_id),
        "time": Instant(line.time_ns),
        "tranId": line.number,
        "tradeId": str(line.trade_id) if line.trade_id else "",
    }


# ---- settings


def set_leverage(api: PerpetualApi, call: Call) -> Json:
    """What margin is taken changes with it, for what is held and what is ordered."""
    symbol = api.symbol(call.params)
    leverage = integer(call.params, "leverage")
    if leverage is None:
        raise missing_parameter("leverage")
    if not 1 <= leverage <= LEVERAGE_MAX:
        raise BadRequest(-4028, f"Leverage {call.params.get('leverage', '')[:20]} is not valid")
    account = api.account(call.account)
    before = account.leverage(symbol)
    account.set_leverage(symbol, leverage)
    if leverage < before and api.margin.available(call.account) < 0:
        account.set_leverage(symbol, before)
        raise leverage_too_small()
    if leverage != before:
        event: Payload = {"e": "ACCOUNT_CONFIG_UPDATE", "E": Instant(call.now_ns), "T": Instant(call.now_ns)}
        api.users.tell(call.account, {**event, "ac": {"s": symbol, "l": leverage}}, call.now_ns)
    return {"leverage": leverage, "maxNotionalValue": plain(NOTIONAL_MAX), "symbol": symbol}


def set_margin_type(api: PerpetualApi, call: Call) -> Json:
    """There is cross margin only."""
    api.symbol(call.params)
    match text(call.params, "marginType"):
        case "CROSSED":
            raise BadRequest(-4046, "No need to change margin type.")
        case "ISOLATED":
            raise not_built()
        case _:
            raise BadRequest(-1130, "Data sent for parameter 'marginType' is not valid.")


def position_mode(api: PerpetualApi, call: Call) -> Json:
    return {"dualSidePosition": api.account(call.account).hedges}


def set_position_mode(api: PerpetualApi, call: Call) -> Json:
    text(call.params, "dualSidePosition")
    account = api.account(call.account)
    wanted = boolean(call.params, "dualSidePosition")
    if wanted is account.hedges:
        raise BadRequest(-4059, "No need to change position side.")
    if api.market.engine.registry.open_orders(call.account):
        raise OrderRefused(-4067, "Position side cannot be changed if there exists open orders.")
    if any(position.quantity for position in account.positions.values()):
        raise OrderRefused(-4068, "Position side cannot be changed if there exists position.")
    account.hedges = wanted
    return SUCCESS


def assets_mode(api: PerpetualApi, call: Call) -> Json:
    return {"multiAssetsMargin": False}


def set_assets_mode(api: PerpetualApi, call: Call) -> Json:
    """There is one asset only."""
    text(call.params, "multiAssetsMargin")
    if boolean(call.params, "multiAssetsMargin"):
        raise not_built()
    raise BadRequest(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")


# ---- user data stream


def start_stream(api: PerpetualApi, call: Call) -> Json:
    return {"listenKey": api.users.keys.start(call.account, call.now_ns)}


def extend_stream(api: PerpetualApi, call: Call) -> Json:
    return {"listenKey": api.users.keys.extend(call.account, call.now_ns)}


def end_stream(api: PerpetualApi, call: Call) -> Json:
    api.users.keys.end(call.account)
    return {}


def _keyed(run: Callable[[PerpetualApi, Call], Json], weight: int) -> Operation:
    """Proven by the API key alone (docs, "User Data Streams": USER_STREAM)."""
    return Operation(run, constant(weight), Kind.ACCOUNT, Proof.KEY)


OPERATIONS: dict[str, Operation] = {
    "account.balance": signed(Kind.ACCOUNT, balance, 5),
    "account.status": signed(Kind.ACCOUNT, account_v2, 5),
    "v2/account.status": signed(Kind.ACCOUNT, account_v3, 5),
    "v2/account.balance": signed(Kind.ACCOUNT, balance, 5),
    "account.position": signed(Kind.ACCOUNT, position_risk_v2, 5),
    "v2/account.position": signed(Kind.ACCOUNT, position_risk_v3, 5),
    "commissionRate": signed(Kind.ACCOUNT, commission_rate, 20),
    "leverageBracket": signed(Kind.ACCOUNT, leverage_brackets, 1),
    "rateLimit.order": signed(Kind.ACCOUNT, order_counts, 1),
    "accountConfig": signed(Kind.ACCOUNT, account_config, 5),
    "symbolConfig": signed(Kind.ACCOUNT, symbol_config, 5),
    "income": signed(Kind.ACCOUNT, income, 30),
    "leverage": signed(Kind.ACCOUNT, set_leverage, 1),
    "marginType": signed(Kind.ACCOUNT, set_margin_type, 1),
    "positionSide": signed(Kind.ACCOUNT, position_mode, 30),
    "positionSide.set": signed(Kind.ACCOUNT, set_position_mode, 1),
    "multiAssetsMargin": signed(Kind.ACCOUNT, assets_mode, 30),
    "multiAssetsMargin.set": signed(Kind.ACCOUNT, set_assets_mode, 1),
    "userDataStream.start": _keyed(start_stream, 1),
    "userDataStream.ping": _keyed(extend_stream, 1),
    "userDataStream.stop": _keyed(end_stream, 1),
}

ROUTES = {
    ("GET", "/fapi/v2/balance"): "account.balance",
    ("GET", "/fapi/v3/balance"): "v2/account.balance",
    ("GET", "/fapi/v2/account"): "account.status",
    ("GET", "/fapi/v3/account"): "v2/account.status",
    ("GET", "/fapi/v2/positionRisk"): "account.position",
    ("GET", "/fapi/v3/positionRisk"): "v2/account.position",
    ("GET", "/fapi/v1/commissionRate"): "commissionRate",
    ("GET", "/fapi/v1/leverageBracket"): "leverageBracket",
    ("GET", "/fapi/v1/rateLimit/order"): "rateLimit.order",
    ("GET", "/fapi/v1/accountConfig"): "accountConfig",
    ("GET", "/fapi/v1/symbolConfig"): "symbolConfig",
    ("GET", "/fapi/v1/income"): "income",
    ("POST", "/fapi/v1/leverage"): "leverage",
    ("POST", "/fapi/v1/marginType"): "marginType",
    ("GET", "/fapi/v1/positionSide/dual"): "positionSide",
    ("POST", "/fapi/v1/positionSide/dual"): "positionSide.set",
    ("GET", "/fapi/v1/multiAssetsMargin"): "multiAssetsMargin",
    ("POST", "/fapi/v1/multiAssetsMargin"): "multiAssetsMargin.set",
    ("POST", "/fapi/v1/listenKey"): "userDataStream.start",
    ("PUT", "/fapi/v1/listenKey"): "userDataStream.ping",
    ("DELETE", "/fapi/v1/listenKey"): "userDataStream.stop",
}
