"""Market data that is asked for, over real sockets: values against the streams' and each other, weights, refusals."""

import asyncio
import json
import time
from decimal import Decimal
from typing import Any

import pytest

from gateway.simulated.candles import DAY_NS, MINUTE_NS

DAY_MS = DAY_NS // 1_000_000


@pytest.fixture
async def traded(quiet: Any) -> Any:
    """A venue whose crowd stands still, after four trades by command: two buys, then two sells."""
    for side in ("BUY", "BUY", "SELL", "SELL"):
        await quiet.control("market", symbol="BTCUSDT", side=side, quantity="0.01")
    return quiet


async def test_trades_by_number_and_by_taker(traded: Any) -> None:
    _, trades = await traded.get("/api/v3/trades", symbol="BTCUSDT", limit=1000)
    _, aggregates = await traded.get("/api/v3/aggTrades", symbol="BTCUSDT")
    mine = aggregates[-4:]
    assert [row["m"] for row in mine] == [False, False, True, True]
    assert [row["a"] for row in mine] == list(range(mine[0]["a"], mine[0]["a"] + 4))
    by_id = {row["id"]: row for row in trades}
    for row in mine:
        parts = [by_id[number] for number in range(row["f"], row["l"] + 1)]
        assert sum(Decimal(part["qty"]) for part in parts) == Decimal(row["q"])
        assert {part["price"] for part in parts} == {row["p"]}
    _, onward = await traded.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=mine[1]["a"], limit=2)
    assert onward == mine[1:3]
    _, since = await traded.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=mine[0]["T"], endTime=mine[3]["T"])
    assert since[-4:] == mine
    assert (await traded.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=mine[3]["T"] + 60_000))[1] == []


async def test_candles_and_tickers_agree_with_the_trades(traded: Any) -> None:
    _, trades = await traded.get("/api/v3/trades", symbol="BTCUSDT", limit=1000)
    prices = [Decimal(row["price"]) for row in trades]
    volume = sum(Decimal(row["qty"]) for row in trades)
    amount = sum(Decimal(row["price"]) * Decimal(row["qty"]) for row in trades)
    _, day = await traded.get("/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert (Decimal(day["openPrice"]), Decimal(day["lastPrice"])) == (prices[0], prices[-1])
    assert (Decimal(day["highPrice"]), Decimal(day["lowPrice"])) == (max(prices), min(prices))
    assert (Decimal(day["volume"]), Decimal(day["quoteVolume"])) == (volume, amount)
    assert (day["firstId"], day["lastId"], day["count"]) == (trades[0]["id"], trades[-1]["id"], len(trades))
    assert Decimal(day["priceChange"]) == prices[-1] - prices[0]
    assert day["closeTime"] - day["openTime"] == DAY_MS
    _, book = await traded.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
    assert {name: day[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")}.items() <= book.items()
    _, candles = await traded.get("/api/v3/klines", symbol="BTCUSDT", interval="1d")
    assert sum(Decimal(row[5]) for row in candles) == volume
    assert sum(row[8] for row in candles) == len(trades)
    last = candles[-1]
    assert last[6] - last[0] == DAY_MS - 1
    assert Decimal(last[4]) == prices[-1]
    _, price = await traded.get("/api/v3/ticker/price", symbol="BTCUSDT")
    assert price == {"symbol": "BTCUSDT", "price": day["lastPrice"]}
    _, average = await traded.get("/api/v3/avgPrice", symbol="BTCUSDT")
    assert (average["mins"], average["closeTime"]) == (5, trades[-1]["time"])
    assert min(prices) <= Decimal(average["price"]) <= max(prices)


async def test_forms_of_the_tickers(traded: Any) -> None:
    _, mini = await traded.get("/api/v3/ticker/24hr", symbols='["BTCUSDT","ETHUSDT"]', type="MINI")
    assert [row["symbol"] for row in mini] == ["BTCUSDT", "ETHUSDT"]
    assert "priceChange" not in mini[0]
    assert len((await traded.get("/api/v3/ticker/24hr"))[1]) == 2
    _, hour = await traded.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="1h")
    assert hour["openTime"] % 60_000 == 0
    assert 3_600_000 <= hour["closeTime"] - hour["openTime"] < 3_660_000
    _, today = await traded.get("/api/v3/ticker/tradingDay", symbol="BTCUSDT", timeZone="-5:30")
    assert (today["openTime"] - 5 * 3_600_000 - 1_800_000) % DAY_MS == 0
    assert today["closeTime"] - today["openTime"] == DAY_MS - 1
    _, shifted = await traded.get("/api/v3/klines", symbol="BTCUSDT", interval="1d", timeZone="8")
    assert (shifted[-1][0] + 8 * 3_600_000) % DAY_MS == 0


async def test_candles_without_trades_are_flat(traded: Any) -> None:
    before = time.time_ns() // MINUTE_NS
    await asyncio.sleep(1.1)
    _, seconds = await traded.get("/api/v3/klines", symbol="BTCUSDT", interval="1s", limit=1)
    (row,) = seconds
    assert (row[1], row[5], row[8]) == (row[4], "0.00000000", 0)
    assert row[0] // 60_000 >= before


@pytest.mark.parametrize("interval", ["1s", "1d", "1w", "1M"])
@pytest.mark.parametrize("far", ["0", "1", "9223372036854775807"])
async def test_no_time_is_too_far(traded: Any, interval: str, far: str) -> None:
    for name in ("startTime", "endTime"):
        for zone in ("-12", "14"):
            params = {"symbol": "BTCUSDT", "interval": interval, "timeZone": zone, name: far}
            status, rows = await traded.get("/api/v3/klines", **params)
            assert status == 200
            assert (rows == []) == ((name == "startTime") == (len(far) > 1))
    assert (await traded.get("/api/v3/aggTrades", symbol="BTCUSDT", startTime=far))[0] == 200


async def test_exchange_information_by_name_permission_and_status(quiet: Any) -> None:
    async def named(**params: str) -> list[str]:
        return [row["symbol"] for row in (await quiet.get("/api/v3/exchangeInfo", **params))[1]["symbols"]]

    assert await named(permissions="SPOT") == ["BTCUSDT", "ETHUSDT"]
    assert await named(permissions='["MARGIN","SPOT"]') == ["BTCUSDT", "ETHUSDT"]
    assert await named(permissions="MARGIN") == []
    assert await named(symbolStatus="TRADING") == ["BTCUSDT", "ETHUSDT"]
    assert await named(symbolStatus="HALT") == []
    (row,) = (await quiet.get("/api/v3/exchangeInfo", symbol="ETHUSDT", showPermissionSets="false"))[1]["symbols"]
    assert row["permissionSets"] == []
    await quiet.control("filters", symbol="ETHUSDT", status="BREAK")
    assert await named(symbolStatus="BREAK") == ["ETHUSDT"]
    assert [r["symbol"] for r in (await quiet.get("/api/v3/ticker/price", symbolStatus="TRADING"))[1]] == ["BTCUSDT"]
    status, refused = await quiet.get("/api/v3/depth", symbol="ETHUSDT", symbolStatus="TRADING")
    assert (status, refused["code"]) == (400, -1220)


BTC = {"symbol": "BTCUSDT"}


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("depth", {}, -1102),
        ("depth", {"symbol": "NOPE"}, -1121),
        ("depth", {**BTC, "limit": "ten"}, -1100),
        ("depth", {**BTC, "symbolStatus": "ASLEEP"}, -1130),
        ("klines", BTC, -1102),
        ("klines", {**BTC, "interval": "7m"}, -1120),
        ("klines", {**BTC, "interval": "1m", "timeZone": "15"}, -1130),
        ("klines", {**BTC, "interval": "1m", "timeZone": "soon"}, -1130),
        ("klines", {**BTC, "interval": "1m", "startTime": "-1"}, -1100),
        ("aggTrades", {**BTC, "fromId": "1", "startTime": "1"}, -1128),
        ("historicalBlockTrades", BTC, -1102),
        ("ticker", {}, -1102),
        ("ticker", {**BTC, "windowSize": "8d"}, -1130),
        ("ticker", {**BTC, "windowSize": "1d2h"}, -1130),
        ("ticker", {**BTC, "type": "LONG"}, -1130),
        ("ticker/tradingDay", {}, -1102),
        ("ticker/24hr", {**BTC, "symbols": '["ETHUSDT"]'}, -1128),
        ("ticker/24hr", {"symbols": '["BTCUSDT"'}, -1100),
        ("ticker/24hr", {"symbols": '["BTCUSDT","BTCUSDT"]'}, -1101),
        ("ticker/24hr", {"symbols": json.dumps(["BTCUSDT"] * 101)}, -1101),
        ("ticker/price", {"symbol": "btcusdt"}, -1121),
        ("ticker/bookTicker", {"symbols": '["btcusdt"]'}, -1100),
        ("ticker/bookTicker", {"symbols": ""}, -1102),
        ("exchangeInfo", {**BTC, "permissions": "SPOT"}, -1128),
        ("exchangeInfo", {**BTC, "symbolStatus": "TRADING"}, -1128),
        ("exchangeInfo", {"permissions": "EVERYTHING"}, -1130),
        ("exchangeInfo", {"showPermissionSets": "maybe"}, -1130),
        ("executionRules", {**BTC, "symbolStatus": "TRADING"}, -1128),
        ("referencePrice", BTC, -2043),
    ],
)
async def test_refusals(quiet: Any, path: str, params: dict[str, str], code: int) -> None:
    status, answer = await quiet.get(f"/api/v3/{path}", **params)
    assert (status, answer["code"]) == (400, code)


@pytest.mark.parametrize(
    ("path", "params", "weight"),
    [
        ("depth", {**BTC, "limit": "5000"}, 250),
        ("trades", BTC, 25),
        ("aggTrades", BTC, 4),
        ("klines", {**BTC, "interval": "1m"}, 2),
        ("avgPrice", BTC, 2),
        ("ticker/24hr", BTC, 2),
        ("ticker/24hr", {}, 80),
        ("ticker/price", {}, 4),
        ("ticker/bookTicker", {"symbols": '["BTCUSDT"]'}, 4),
        ("ticker", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 8),
        ("ticker/tradingDay", {"symbols": json.dumps([f"S{n}" for n in range(60)])}, 200),
        ("exchangeInfo", {}, 20),
        ("executionRules", {"symbols": '["BTCUSDT"]'}, 2),
    ],
)
async def test_weights(quiet: Any, path: str, params: dict[str, str], weight: int) -> None:
    async def used() -> int:
        async with quiet.http.get(f"{quiet.endpoints.rest}/api/v3/ping") as response:
            return int(response.headers["X-MBX-USED-WEIGHT-1M"])

    before = await used()
    await quiet.get(f"/api/v3/{path}", **params)
    after = await used()
    assert after - before == weight + 1 or after < before  # the minute may end in between


async def test_the_websocket_api_answers_the_same(traded: Any) -> None:
    socket = await traded.api()
    for method, path, params in (
        ("depth", "depth", {**BTC, "limit": 5}),
        ("trades.recent", "trades", BTC),
        ("trades.historical", "historicalTrades", BTC),
        ("trades.aggregate", "aggTrades", BTC),
        ("klines", "klines", {**BTC, "interval": "1M"}),
        ("uiKlines", "uiKlines", {**BTC, "interval": "1M"}),
        ("avgPrice", "avgPrice", BTC),
        ("ticker.price", "ticker/price", {"symbols": ["BTCUSDT", "ETHUSDT"]}),
        ("ticker.book", "ticker/bookTicker", BTC),
        ("ticker.tradingDay", "ticker/tradingDay", {**BTC, "type": "MINI"}),
        ("executionRules", "executionRules", {}),
        ("blockTrades.historical", "historicalBlockTrades", {**BTC, "fromId": 1}),
    ):
        texts = {name: json.dumps(value) if isinstance(value, list) else value for name, value in params.items()}
        _, answer = await traded.get(f"/api/v3/{path}", **texts)
        assert (await traded.call(socket, method, **params))["result"] == answer
    refused = await traded.call(socket, "klines", **BTC, interval="7m")
    assert (refused["status"], refused["error"]["code"]) == (400, -1120)
    for name in ("/sapi/v1/system/status", "sapi"):
        assert (await traded.call(socket, name))["status"] == 400, "only REST has the wallet"


async def test_microseconds_on_request(traded: Any) -> None:
    headers = {"X-MBX-TIME-UNIT": "MICROSECOND"}
    url = f"{traded.endpoints.rest}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1"
    async with traded.http.get(url, headers=headers) as response:
        ((start, *_, end, _, _, _, _, _),) = await response.json()
    assert (start % 60_000_000, end - start) == (0, 59_999_999)


async def test_what_clients_ask_when_they_start(quiet: Any) -> None:
    """The wallet's answers come from the ledger; products that are not here have no symbols."""
    await quiet.signed(
        "POST",
        "/api/v3/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.01",
        price="50000",
    )
    _, coins = await quiet.signed("GET", "/sapi/v1/capital/config/getall")
    found = {row["coin"]: row for row in coins}
    assert (found["USDT"]["free"], found["USDT"]["locked"]) == ("999500.00000000", "500.00000000")
    _, fees = await quiet.signed("GET", "/sapi/v1/asset/tradeFee", symbol="BTCUSDT")
    assert fees == [{"symbol": "BTCUSDT", "makerCommission": "0.00100000", "takerCommission": "0.00100000"}]
    _, assets = await quiet.signed("POST", "/sapi/v3/asset/getUserAsset", asset="BTC")
    assert [row["free"] for row in assets] == ["10.00000000"]
    assert (await quiet.get("/sapi/v1/system/status")) == (200, {"status": 0, "msg": "normal"})
    assert (await quiet.get("/sapi/v1/capital/config/getall"))[1]["code"] == -2014
    for path in ("/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"):
        assert (await quiet.get(path))[1]["symbols"] == []
    assert (await quiet.get("/eapi/v1/exchangeInfo"))[1]["optionSymbols"] == []
