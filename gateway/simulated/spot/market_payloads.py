"""Market data in the venue's words: exchange information, books, tickers, trades, and the market streams' events. Pure.

Field names and order follow the examples of rest-api.md, web-socket-api.md and web-socket-streams.md.
"""

from collections.abc import Iterable

from ..core.book import TopOfBook
from ..core.decimals import decimal_text, quote_amount
from ..core.filters import SymbolRules, filters_payload
from ..core.orders import OrderType, PublicTrade, SelfTradePrevention
from ..limits import SPOT_LIMITS, LimitRules
from ..payload import Instant, Levels, Payload
from ..tape import AggregateTrade


def exchange_info(
    rules: Iterable[SymbolRules], now_ns: int, limits: LimitRules = SPOT_LIMITS, *, with_permission_sets: bool = True
) -> Payload:
    return {
        "timezone": "UTC",
        "serverTime": Instant(now_ns),
        "rateLimits": limits.payload(),
        "exchangeFilters": [],
        "symbols": [_symbol_info(r, [["SPOT"]] if with_permission_sets else []) for r in rules],
        "sors": [],
    }


def _symbol_info(rules: SymbolRules, permission_sets: list[list[str]]) -> Payload:
    return {
        "symbol": rules.symbol,
        "status": rules.status,
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [t.value for t in OrderType],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters_payload(rules),
        "permissions": [],
        "permissionSets": permission_sets,
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": [mode.value for mode in SelfTradePrevention],
    }


def level_texts(levels: Levels) -> list[tuple[str, str]]:
    return [(decimal_text(price), decimal_text(quantity)) for price, quantity in levels]


def depth_snapshot(update_id: int, bids: Levels, asks: Levels) -> Payload:
    return {"lastUpdateId": update_id, "bids": level_texts(bids), "asks": level_texts(asks)}


def ticker(symbol: str, top: TopOfBook) -> Payload:
    return {
        "symbol": symbol,
        "bidPrice": decimal_text(top.bid_price),
        "bidQty": decimal_text(top.bid_quantity),
        "askPrice": decimal_text(top.ask_price),
        "askQty": decimal_text(top.ask_quantity),
    }


# ---- streams


def depth_event(symbol: str, first_id: int, last_id: int, bids: Levels, asks: Levels, now_ns: int) -> Payload:
    return {
        "e": "depthUpdate",
        "E": Instant(now_ns),
        "s": symbol,
        "U": first_id,
        "u": last_id,
        "b": level_texts(bids),
        "a": level_texts(asks),
    }


def book_ticker_event(symbol: str, update_id: int, top: TopOfBook) -> Payload:
    return {
        "u": update_id,
        "s": symbol,
        "b": decimal_text(top.bid_price),
        "B": decimal_text(top.bid_quantity),
        "a": decimal_text(top.ask_price),
        "A": decimal_text(top.ask_quantity),
    }


def trade_event(trade: PublicTrade, now_ns: int) -> Payload:
    return {
        "e": "trade",
        "E": Instant(now_ns),
        "s": trade.symbol,
        "t": trade.trade_id,
        "p": decimal_text(trade.price),
        "q": decimal_text(trade.quantity),
        "T": Instant(trade.time_ns),
        "m": trade.buyer_is_maker,
        "M": True,
    }


def public_trade(trade: PublicTrade) -> Payload:
    """A row of historicalTrades (rest-api.md, "Old trade lookup")."""
    return {
        "id": trade.trade_id,
        "price": decimal_text(trade.price),
        "qty": decimal_text(trade.quantity),
        "quoteQty": decimal_text(quote_amount(trade.price, trade.quantity)),
        "time": Instant(trade.time_ns),
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def aggregate_trade(aggregate: AggregateTrade) -> Payload:
    """A row of aggTrades (rest-api.md, "Compressed/Aggregate trades list")."""
    return {
        "a": aggregate.aggregate_id,
        "p": decimal_text(aggregate.price),
        "q": decimal_text(aggregate.quantity),
        "f": aggregate.first_id,
        "l": aggregate.last_id,
        "T": Instant(aggregate.time_ns),
        "m": aggregate.buyer_is_maker,
        "M": True,
    }


def aggregate_event(aggregate: AggregateTrade, now_ns: int) -> Payload:
    return {"e": "aggTrade", "E": Instant(now_ns), "s": aggregate.symbol, **aggregate_trade(aggregate)}
