"""Market data in the futures face's words: exchange information, books, tickers, trades, mark prices, and the streams' events. Pure.

Field names follow the examples of the documents and of recordings; `st` (1: USD-M) and `ps` are what the streams bear since 2026-06.
"""

from collections.abc import Iterable

from ..candles import Bar
from ..core.book import TopOfBook
from ..core.decimals import SCALE, decimal_text, quote_amount
from ..core.filters import SymbolRules
from ..core.orders import PublicTrade
from ..limits import LimitRules
from ..payload import Instant, Json, Levels, Payload
from ..tape import AggregateTrade
from .filters import filters_payload
from .margin import ASSET
from .text import Figures, fixed, price_decimals, quantity_decimals

PERPETUAL_END_MS = 4_133_404_800_000  # deliveryDate of every perpetual (exchangeInfo)
ONBOARD_MS = 1_569_398_400_000  # BTCUSDT's, of every symbol here
USD_M = 1
TIMES_IN_FORCE = ("GTC", "IOC", "FOK", "GTX", "GTD")
ORDER_TYPES = ("LIMIT", "MARKET")
LIQUIDATION_FEE = "0.012500"
TAKE_BOUND = "0.05"


def exchange_info(rules: Iterable[SymbolRules], limits: LimitRules, now_ns: int) -> Payload:
    return {
        "timezone": "UTC",
        "serverTime": Instant(now_ns),
        "futuresType": "U_MARGINED",
        "rateLimits": limits.payload(),
        "exchangeFilters": [],
        "assets": [{"asset": ASSET, "marginAvailable": True, "autoAssetExchange": "0"}],
        "symbols": [_symbol_info(r) for r in rules],
    }


def _symbol_info(rules: SymbolRules) -> Payload:
    return {
        "symbol": rules.symbol,
        "pair": rules.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": PERPETUAL_END_MS,
        "onboardDate": ONBOARD_MS,
        "status": rules.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": rules.base,
        "quoteAsset": rules.quote,
        "marginAsset": rules.quote,
        "pricePrecision": price_decimals(rules),
        "quantityPrecision": quantity_decimals(rules),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "triggerProtect": "0.0500",
        "liquidationFee": LIQUIDATION_FEE,
        "marketTakeBound": TAKE_BOUND,
        "filters": filters_payload(rules),
        "orderTypes": ORDER_TYPES,
        "timeInForce": TIMES_IN_FORCE,
    }


def depth_snapshot(update_id: int, bids: Levels, asks: Levels, figures: Figures, now_ns: int) -> Payload:
    return {
        "lastUpdateId": update_id,
        "E": Instant(now_ns),
        "T": Instant(now_ns),
        "bids": figures.levels(bids),
        "asks": figures.levels(asks),
    }


def book_ticker(symbol: str, update_id: int, top: TopOfBook, figures: Figures, now_ns: int) -> Payload:
    return {
        "lastUpdateId": update_id,
        "symbol": symbol,
        "bidPrice": figures.price(top.bid_price),
        "bidQty": figures.quantity(top.bid_quantity),
        "askPrice": figures.price(top.ask_price),
        "askQty": figures.quantity(top.ask_quantity),
        "time": Instant(now_ns),
    }


def public_trade(trade: PublicTrade, figures: Figures) -> Payload:
    return {
        "id": trade.trade_id,
        "price": figures.price(trade.price),
        "qty": figures.quantity(trade.quantity),
        "quoteQty": figures.amount(quote_amount(trade.price, trade.quantity)),
        "time": Instant(trade.time_ns),
        "isBuyerMaker": trade.buyer_is_maker,
    }


def aggregate_trade(aggregate: AggregateTrade, figures: Figures) -> Payload:
    quantity = figures.quantity(aggregate.quantity)
    return {
        "a": aggregate.aggregate_id,
        "p": figures.price(aggregate.price),
        "q": quantity,
        "nq": quantity,
        "f": aggregate.first_id,
        "l": aggregate.last_id,
        "T": Instant(aggregate.time_ns),
        "m": aggregate.buyer_is_maker,
    }


def price_ticker(symbol: str, price: int, time_ns: int, figures: Figures) -> Payload:
    return {"symbol": symbol, "price": figures.price(price), "time": Instant(time_ns)}


def day_ticker(symbol: str, bar: Bar, now_ns: int, figures: Figures) -> Payload:
    """`bar`: all that traded in the last 24 hours."""
    average = bar.amount // bar.quantity if bar.quantity else bar.close
    change = bar.close - bar.open
    return {
        "symbol": symbol,
        "priceChange": figures.price(change),
        "priceChangePercent": fixed(change * 100 * SCALE // bar.open, 3),
        "weightedAvgPrice": figures.price(average),
        "lastPrice": figures.price(bar.close),
        "lastQty": figures.quantity(bar.last_quantity),
        "openPrice": figures.price(bar.open),
        "highPrice": figures.price(bar.high),
        "lowPrice": figures.price(bar.low),
        "volume": figures.quantity(bar.quantity),
        "quoteVolume": figures.amount(bar.amount // SCALE),
        "openTime": Instant(bar.start_ns),
        "closeTime": Instant(now_ns),
        "firstId": bar.first_id,
        "lastId": bar.last_id,
        "count": bar.count,
    }


def kline(bar: Bar, end_ns: int, figures: Figures) -> list[Json]:
    """A row of klines: an array, closing a millisecond before the next one opens."""
    return [
        Instant(bar.start_ns),
        figures.price(bar.open),
        figures.price(bar.high),
        figures.price(bar.low),
        figures.price(bar.close),
        figures.quantity(bar.quantity),
        Instant(end_ns - 1_000_000),
        figures.amount(bar.amount // SCALE),
        bar.count,
        figures.quantity(bar.taker_quantity),
        figures.amount(bar.taker_amount // SCALE),
        "0",
    ]


def premium_index(symbol: str, mark: int, rate: int, next_funding_ns: int, now_ns: int) -> Payload:
    """There is no index here but the mark price itself."""
    price = decimal_text(mark)
    return {
        "symbol": symbol,
        "markPrice": price,
        "indexPrice": price,
        "estimatedSettlePrice": price,
        "lastFundingRate": decimal_text(rate),
        "interestRate": "0.00010000",
        "nextFundingTime": Instant(next_funding_ns),
        "time": Instant(now_ns),
    }


# ---- streams


def depth_event(
    symbol: str, ids: tuple[int, int, int], bids: Levels, asks: Levels, figures: Figures, now_ns: int
) -> Payload:
    """`ids`: U, u, pu. Partial books bear the same name."""
    return {
        "e": "depthUpdate",
        "E": Instant(now_ns),
        "T": Instant(now_ns),
        "s": symbol,
        "U": ids[0],
        "u": ids[1],
        "pu": ids[2],
        "b": figures.levels(bids),
        "a": figures.levels(asks),
        "ps": symbol,
        "st": USD_M,
    }


def book_ticker_event(symbol: str, update_id: int, top: TopOfBook, figures: Figures, now_ns: int) -> Payload:
    return {
        "e": "bookTicker",
        "u": update_id,
        "s": symbol,
        "ps": symbol,
        "b": figures.price(top.bid_price),
        "B": figures.quantity(top.bid_quantity),
        "a": figures.price(top.ask_price),
        "A": figures.quantity(top.ask_quantity),
        "T": Instant(now_ns),
        "E": Instant(now_ns),
        "st": USD_M,
    }


def trade_event(trade: PublicTrade, figures: Figures, now_ns: int) -> Payload:
    """Of the undocumented `@trade`, as recorded."""
    return {
        "e": "trade",
        "E": Instant(now_ns),
        "T": Instant(trade.time_ns),
        "s": trade.symbol,
        "t": trade.trade_id,
        "p": figures.price(trade.price),
        "q": figures.quantity(trade.quantity),
        "X": "MARKET",
        "m": trade.buyer_is_maker,
    }


def aggregate_event(aggregate: AggregateTrade, figures: Figures, now_ns: int) -> Payload:
    told = aggregate_trade(aggregate, figures)
    return {"e": "aggTrade", "E": Instant(now_ns), "s": aggregate.symbol, **told, "st": USD_M}


def mark_price_event(symbol: str, mark: int, rate: int, next_funding_ns: int, now_ns: int) -> Payload:
    price = decimal_text(mark)
    return {
        "e": "markPriceUpdate",
        "E": Instant(now_ns),
        "s": symbol,
        "p": price,
        "ap": price,
        "P": price,
        "i": price,
        "r": decimal_text(rate),
        "T": Instant(next_funding_ns),
        "st": USD_M,
    }
