"""Each venue's metadata of two spot symbols, as short as its documents allow: prices of two decimals, quantities of five."""

import json
from typing import Any

Bodies = dict[str, bytes]
"""REST bodies by path, without the query."""


def kraken(symbols: tuple[str, ...]) -> Bodies:
    pairs = {
        symbol.replace("/", ""): {
            "altname": symbol.replace("/", ""), "wsname": symbol, "base": symbol[:3], "quote": symbol[4:],
            "pair_decimals": 2, "lot_decimals": 5, "lot_multiplier": 1, "cost_decimals": 5, "ordermin": "0.0001",
            "costmin": "0.5", "tick_size": "0.01", "status": "online",
        }
        for symbol in symbols
    }  # fmt: skip
    return {"/0/public/AssetPairs": _json({"error": [], "result": pairs})}


def okx(symbols: tuple[str, ...]) -> Bodies:
    rows = [
        {
            "instId": symbol, "instType": "SPOT", "baseCcy": symbol.split("-")[0], "quoteCcy": symbol.split("-")[1],
            "tickSz": "0.01", "lotSz": "0.00001", "minSz": "0.00001", "maxLmtSz": "9999999999", "state": "live",
            "ctVal": "", "uly": "",
        }
        for symbol in symbols
    ]  # fmt: skip
    return {"/api/v5/public/instruments": _json({"code": "0", "data": rows, "msg": ""})}


def bybit(symbols: tuple[str, ...]) -> Bodies:
    rows = [
        {
            "symbol": symbol, "baseCoin": symbol[:3], "quoteCoin": symbol[3:], "innovation": "0", "status": "Trading",
            "lotSizeFilter": {
                "basePrecision": "0.00001", "quotePrecision": "0.0000001", "minOrderQty": "0.00001",
                "maxOrderQty": "83", "minOrderAmt": "5", "maxOrderAmt": "8000000",
            },
            "priceFilter": {"tickSize": "0.01"},
        }
        for symbol in symbols
    ]  # fmt: skip
    result = {"category": "spot", "list": rows, "nextPageCursor": ""}
    return {"/v5/market/instruments-info": _json({"retCode": 0, "retMsg": "OK", "result": result, "time": 1})}


def coinbase(symbols: tuple[str, ...]) -> Bodies:
    products = [
        {
            "product_id": symbol, "price": "1", "base_increment": "0.00001", "quote_increment": "0.01",
            "quote_min_size": "1", "quote_max_size": "150000000", "base_min_size": "0.00001", "base_max_size": "3400",
            "is_disabled": False, "status": "online", "cancel_only": False, "limit_only": False, "post_only": False,
            "trading_disabled": False, "auction_mode": False, "product_type": "SPOT", "view_only": False,
            "quote_currency_id": symbol[4:], "base_currency_id": symbol[:3], "price_increment": "0.01",
        }
        for symbol in symbols
    ]  # fmt: skip
    return {"/api/v3/brokerage/market/products": _json({"products": products, "num_products": len(products)})}


LISTINGS = {"kraken-v2": kraken, "okx": okx, "bybit": bybit, "coinbase": coinbase}
"""By the venue's name in captures."""


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
