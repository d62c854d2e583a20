"""The futures face over REST with aiohttp: what is answered, what is refused and with which code."""

import asyncio
import json
import time
from typing import Any

import pytest

FAR_BID, FAR_OFFER = "59000.0", "61000.0"
LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": FAR_BID,
}


async def test_public_answers(quiet_futures: Any) -> None:
    client = quiet_futures
    assert await client.get("/fapi/v1/ping") == (200, {})
    _, depth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=5)
    _, ticker = await client.get("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT")
    assert [ticker["bidPrice"], ticker["bidQty"]] == depth["bids"][0]
    assert [ticker["askPrice"], ticker["askQty"]] == depth["asks"][0]
    assert ticker["lastUpdateId"] == depth["lastUpdateId"]
    _, premium = await client.get("/fapi/v1/premiumIndex", symbol="ETHUSDT")
    assert premium["nextFundingTime"] % (8 * 3_600_000) == 0 < premium["nextFundingTime"] - premium["time"]
    assert float(premium["markPrice"]) == pytest.approx(3_000, rel=0.01)
    _, tickers = await client.get("/fapi/v1/ticker/24hr")
    assert [row["symbol"] for row in tickers] == ["BTCUSDT", "ETHUSDT"]


async def test_exchange_info(quiet_futures: Any) -> None:
    _, info = await quiet_futures.get("/fapi/v1/exchangeInfo")
    limits = {
        (rule["rateLimitType"], rule["interval"], rule["intervalNum"]): rule["limit"] for rule in info["rateLimits"]
    }
    assert limits == {
        ("REQUEST_WEIGHT", "MINUTE", 1): 2_400,
        ("ORDERS", "SECOND", 10): 300,
        ("ORDERS", "MINUTE", 1): 1_200,
    }
    symbol = info["symbols"][0]
    assert (symbol["contractType"], symbol["marginAsset"], symbol["status"]) == ("PERPETUAL", "USDT", "TRADING")
    filters = {one["filterType"]: one for one in symbol["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.1"
    assert filters["LOT_SIZE"]["stepSize"] == "0.001"
    assert filters["MIN_NOTIONAL"]["notional"] == "100"
    assert filters["PERCENT_PRICE"]["multiplierUp"] == "1.0500"


async def test_trades_are_on_the_tape(quiet_futures: Any) -> None:
    """One taker order over two levels: two or more trades, aggregated by price, and the day's volume."""
    client = quiet_futures
    order = await client.place("BUY", "3")
    assert order["status"] == "FILLED"
    _, trades = await client.get("/fapi/v1/trades", symbol="BTCUSDT")
    _, aggregates = await client.get("/fapi/v1/aggTrades", symbol="BTCUSDT")
    _, ticker = await client.get("/fapi/v1/ticker/24hr", symbol="BTCUSDT")
    _, price = await client.get("/fapi/v2/ticker/price", symbol="BTCUSDT")
    _, candles = await client.get("/fapi/v1/klines", symbol="BTCUSDT", interval="1m")
    assert sum(float(trade["qty"]) for trade in trades) == sum(float(a["q"]) for a in aggregates) == pytest.approx(3)
    assert len({a["p"] for a in aggregates}) == len(aggregates) <= len(trades) == ticker["count"]
    assert float(ticker["volume"]) == float(candles[-1][5]) == 3
    assert price["price"] == ticker["lastPrice"] == trades[-1]["price"]


REFUSED = [
    ({"symbol": "XXXUSDT"}, -1121),
    ({"side": "HOLD"}, -1117),
    ({"type": "ICEBERG"}, -1116),
    ({"type": "STOP_MARKET", "stopPrice": "1"}, -4120),
    ({"type": "TAKE_PROFIT"}, -4120),
    ({"type": "TRAILING_STOP_MARKET"}, -4120),
    ({"timeInForce": "RPI"}, -1115),
    ({"timeInForce": ""}, -1105),
    ({"quantity": ""}, -1105),
    ({"quantity": "-1"}, -1100),
    ({"quantity": "0"}, -4003),
    ({"quantity": "0.0001"}, -1111),
    ({"quantity": "1001"}, -4005),
    ({"quantity": "0.001"}, -4164),
    ({"price": "0"}, -4001),
    ({"price": "59000.001"}, -1111),
    ({"price": "59000.05"}, -4014),
    ({"price": "64000.0"}, -4016),
    ({"side": "SELL", "price": "56000.0"}, -4024),
    ({"price": "5000000.0"}, -4002),
    ({"timeInForce": "GTX", "price": "61000.0"}, -5022),
    ({"timeInForce": "FOK", "price": "60000.0", "quantity": "200"}, -5021),
    ({"timeInForce": "GTX", "price": "64000.0"}, -4016),
    ({"timeInForce": "FOK", "price": "59000.05"}, -4014),
    ({"reduceOnly": "true", "quantity": "0.0001"}, -1111),
    ({"reduceOnly": "true"}, -2022),
    ({"closePosition": "true"}, -1106),
    ({"positionSide": "LONG"}, -4061),
    ({"positionSide": "UP"}, -4060),
    ({"newClientOrderId": "x" * 37}, -4015),
    ({"newClientOrderId": "a b"}, -1100),
    ({"newOrderRespType": "FULL"}, -1136),
    ({"selfTradePreventionMode": "DECREMENT"}, -5039),
    ({"priceMatch": "QUEUE"}, -1106),
    ({"priceMatch": "BEST"}, -5037),
    ({"timeInForce": "GTD"}, -1102),
    ({"timeInForce": "GTD", "goodTillDate": "1"}, -5040),
    ({"quantity": "900"}, -2019),
]


async def test_what_is_refused_of_an_order(quiet_futures: Any) -> None:
    """One venue for all rows: a refusal changes nothing."""
    client = quiet_futures
    answers = [await client.signed("POST", "/fapi/v1/order", **{**LIMIT, **changes}) for changes, _ in REFUSED]
    refusals = [(changes, answer.get("code")) for (changes, _), (_, answer) in zip(REFUSED, answers, strict=True)]
    assert refusals == REFUSED
    assert {status for status, _ in answers} == {400}
    assert (await client.signed("GET", "/fapi/v1/openOrders"))[1] == []


async def test_acknowledgement_and_result(quiet_futures: Any) -> None:
    """ACK tells the order as it was accepted, RESULT as it is."""
    client = quiet_futures
    market = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    _, acknowledged = await client.signed("POST", "/fapi/v1/order", **market)
    _, result = await client.signed("POST", "/fapi/v1/order", newOrderRespType="RESULT", **market)
    assert (acknowledged["status"], acknowledged["executedQty"]) == ("NEW", "0.000")
    assert (result["status"], result["executedQty"]) == ("FILLED", "0.010")
    assert float(result["avgPrice"]) == pytest.approx(60_000, rel=0.001)
    assert client.headers["X-MBX-ORDER-COUNT-10S"] == "2"
    assert client.headers["X-MBX-ORDER-COUNT-1M"] == "2"


async def test_an_order_is_found_and_canceled(quiet_futures: Any) -> None:
    client = quiet_futures
    _, placed = await client.signed("POST", "/fapi/v1/order", newClientOrderId="mine", **LIMIT)
    _, found = await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="mine")
    _, opened = await client.signed("GET", "/fapi/v1/openOrder", symbol="BTCUSDT", orderId=placed["orderId"])
    assert found == opened
    assert (found["status"], found["price"], found["origQty"]) == ("NEW", "59000.00", "0.010")
    duplicate = await client.signed("POST", "/fapi/v1/order", newClientOrderId="mine", **LIMIT)
    assert (duplicate[0], duplicate[1]["code"]) == (400, -4116)
    _, canceled = await client.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (canceled["status"], canceled["clientOrderId"]) == ("CANCELED", "mine")
    again = await client.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (again[0], again[1]["code"]) == (400, -2011)
    missing = await client.signed("GET", "/fapi/v1/openOrder", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (missing[0], missing[1]["code"]) == (400, -2013)
    _, everything = await client.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT")
    assert [row["orderId"] for row in everything] == [placed["orderId"]]


async def test_batches_answer_each_order_for_itself(quiet_futures: Any) -> None:
    client = quiet_futures
    orders = json.dumps([LIMIT, {**LIMIT, "quantity": "0.001"}, {**LIMIT, "price": 58_000}])
    _, placed = await client.signed("POST", "/fapi/v1/batchOrders", batchOrders=orders)
    assert [row.get("code") for row in placed] == [None, -4164, None]
    assert client.headers["X-MBX-ORDER-COUNT-10S"] == "5"
    assert client.headers["X-MBX-ORDER-COUNT-1M"] == "1"
    ids = json.dumps([placed[0]["orderId"], 999, placed[2]["orderId"]])
    _, canceled = await client.signed("DELETE", "/fapi/v1/batchOrders", symbol="BTCUSDT", orderIdList=ids)
    assert [row.get("status") or row["code"] for row in canceled] == ["CANCELED", -2011, "CANCELED"]
    for bad in ("[]", "[1]", "{}", "x", json.dumps([LIMIT] * 6), "[" * 2_000):
        status, answer = await client.signed("POST", "/fapi/v1/batchOrders", batchOrders=bad)
        assert (status, answer["code"] in (-4082, -1130)) == (400, True), bad


async def test_cancel_all_answers_done_whatever_there_was(quiet_futures: Any) -> None:
    client = quiet_futures
    await client.signed("POST", "/fapi/v1/order", **LIMIT)
    for _ in range(2):
        status, answer = await client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
        assert (status, answer["code"]) == (200, 200)
    assert (await client.signed("GET", "/fapi/v1/openOrders"))[1] == []


MODIFY = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "58000.0"}
MODIFIED = [
    ({}, None),
    ({"quantity": "0.01", "price": FAR_BID}, -5027),
    ({"price": "58000.05"}, -4014),
    ({"quantity": "0.001"}, -5029),
    ({"side": "SELL"}, -1117),
    ({"price": ""}, -1105),
    ({"quantity": ""}, -1105),
    ({"reduceOnly": "true"}, -5047),
    ({"priceMatch": "QUEUE"}, -1106),
    ({"quantity": "900"}, -2019),
    ({"orderId": "999"}, -2013),
]


async def test_modify(quiet_futures: Any) -> None:
    """A refused modification leaves the order as it was."""
    client = quiet_futures
    for changes, code in MODIFIED:
        _, placed = await client.signed("POST", "/fapi/v1/order", **LIMIT)
        wanted = {**MODIFY, "orderId": placed["orderId"], **changes}
        _, answer = await client.signed("PUT", "/fapi/v1/order", **wanted)
        assert answer.get("code") == code, changes
        _, left = await client.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=placed["orderId"])
        expected = ("58000.00", "0.020") if code is None else ("59000.00", "0.010")
        assert (left["price"], left["origQty"]) == expected, changes


async def test_a_modification_is_known_by_its_own_number(quiet_futures: Any) -> None:
    client = quiet_futures
    placed = await client.place("BUY", "0.01", FAR_BID)
    wanted = {**MODIFY, "orderId": placed["orderId"]}
    assert (await client.signed("PUT", "/fapi/v1/order", **wanted, modifyId=7))[1]["modifyId"] == 7
    assert "modifyId" not in (await client.signed("PUT", "/fapi/v1/order", **{**wanted, "price": "58100.0"}))[1]


async def test_what_is_halted_is_not_modified(quiet_futures: Any) -> None:
    """Goal: nothing trades on a halted symbol. Method: a modification that would take; a cancel still does its work."""
    client = quiet_futures
    placed = await client.place("BUY", "0.01", FAR_BID)
    await client.control("filters", symbol="BTCUSDT", status="HALT")
    wanted = {**MODIFY, "orderId": placed["orderId"], "price": FAR_OFFER}
    assert (await client.signed("PUT", "/fapi/v1/order", **wanted))[1]["code"] == -5024
    assert (await client.place("BUY", "0.01", FAR_BID))["code"] == -4140
    left = await client.signed("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert (left[1]["status"], left[1]["price"]) == ("CANCELED", "59000.00")


async def test_figures_have_the_decimals_of_the_present_rules(quiet_futures: Any) -> None:
    """Goal: no figure is cut where the filters change while orders rest. Method: finer lots, then coarser ones."""
    client = quiet_futures
    about = {"symbol": "BTCUSDT"}
    for step, quantity in (("0.0001", "0.0123"), ("0.01", "0.0200")):
        await client.control("filters", **about, stepSize=step)
        placed = await client.place("BUY", quantity, FAR_BID)
        assert placed["origQty"] == quantity
    rows = (await client.signed("GET", "/fapi/v1/openOrders", **about))[1]
    assert [row["origQty"] for row in rows] == ["0.0123", "0.0200"]
    _, info = await client.get("/fapi/v1/exchangeInfo")
    assert info["symbols"][0]["filters"][1]["stepSize"] == "0.01"


async def test_own_orders_do_not_trade_with_each_other_unless_wanted(quiet_futures: Any) -> None:
    """Prevention is EXPIRE_MAKER where an order says nothing ("New Order"; mandatory since 2024-12-10)."""
    client = quiet_futures
    price, above = await free_bid(client)
    unprevented = {"selfTradePreventionMode": "NONE"}
    rows: list[tuple[dict[str, str], str]] = [({}, "EXPIRED_IN_MATCH"), (unprevented, "FILLED")]
    for mode, ends in rows:
        own = await client.place("BUY", "0.01", price)
        await client.place("SELL", f"{above + 0.01:.3f}", price, timeInForce="IOC", **mode)
        _, order = await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=own["orderId"])
        assert (order["status"], order["selfTradePreventionMode"]) == (ends, "EXPIRE_MAKER")
        above = 0


WINDOWS: list[tuple[str, dict[str, Any], int | None]] = [
    ("/fapi/v1/allOrders", {"startTime": 2, "endTime": 1}, -1023),
    ("/fapi/v1/income", {"startTime": 2, "endTime": 1}, -1023),
    ("/fapi/v1/userTrades", {"startTime": 1, "endTime": 7 * 86_400_000 + 2}, -4165),
    ("/fapi/v1/allOrders", {"startTime": 1, "endTime": 7 * 86_400_000 + 2}, -4165),
    ("/fapi/v1/userTrades", {"startTime": 1, "endTime": 7 * 86_400_000 + 1}, None),
    ("/fapi/v1/userTrades", {"fromId": 1, "startTime": 1}, -1128),
    ("/fapi/v1/userTrades", {"fromId": 1, "endTime": 1}, -1128),
    ("/fapi/v1/klines", {"startTime": 2, "endTime": 1, "interval": "1m"}, -1023),
    ("/fapi/v1/aggTrades", {"startTime": 2, "endTime": 1}, -1023),
]


async def test_windows_of_time(quiet_futures: Any) -> None:
    for path, window, code in WINDOWS:
        _, answer = await quiet_futures.signed("GET", path, symbol="BTCUSDT", **window)
        assert (None if isinstance(answer, list) else answer["code"]) == code, (path, window)


async def free_bid(client: Any) -> tuple[str, float]:
    """Return a price below the best bid at which nobody bids, and what is bid above it."""
    _, depth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=1_000)
    levels = [(round(float(price) * 10), float(quantity)) for price, quantity in depth["bids"]]
    taken = {price for price, _ in levels}
    price = next(p for p in range(levels[0][0], 0, -1) if p not in taken)
    return f"{price / 10:.1f}", sum(quantity for above, quantity in levels if above > price)


async def test_a_modified_order_goes_to_the_end_of_its_queue(quiet_futures: Any) -> None:
    """Two orders at one price; the first is modified to the same price with more: the second now trades first."""
    client = quiet_futures
    price, above = await free_bid(client)
    first = await client.place("BUY", "0.01", price)
    await client.place("BUY", "0.01", price)
    modify = {"symbol": "BTCUSDT", "side": "BUY", "price": price, "quantity": "0.02"}
    await client.signed("PUT", "/fapi/v1/order", orderId=first["orderId"], **modify)
    await client.other(1).place("SELL", f"{above + 0.01:.3f}", price)
    orders = (await client.signed("GET", "/fapi/v1/allOrders", symbol="BTCUSDT"))[1]
    assert [row["status"] for row in orders] == ["NEW", "FILLED"]


async def test_a_modification_may_cancel(quiet_futures: Any) -> None:
    """To no more than is executed, or a GTX order to a price that takes (docs, "Modify Order")."""
    client = quiet_futures
    price, above = await free_bid(client)
    partly = await client.place("BUY", "0.02", price)
    await client.other(1).place("SELL", f"{above + 0.01:.3f}", price)
    modify = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01"}
    _, less = await client.signed("PUT", "/fapi/v1/order", orderId=partly["orderId"], price=price, **modify)
    assert (less["status"], less["executedQty"]) == ("CANCELED", "0.010")
    post_only = await client.place("BUY", "0.02", FAR_BID, timeInForce="GTX")
    _, taking = await client.signed("PUT", "/fapi/v1/order", orderId=post_only["orderId"], price=FAR_OFFER, **modify)
    assert (taking["status"], taking["executedQty"]) == ("CANCELED", "0.000")


async def test_price_match_takes_a_price_of_the_book(quiet_futures: Any) -> None:
    client = quiet_futures
    _, depth = await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=20)
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01"}
    _, queued = await client.signed("POST", "/fapi/v1/order", priceMatch="QUEUE_5", **order)
    assert (float(queued["price"]), queued["priceMatch"]) == (float(depth["bids"][4][0]), "QUEUE_5")
    _, taken = await client.signed("POST", "/fapi/v1/order", priceMatch="OPPONENT", newOrderRespType="RESULT", **order)
    assert float(taken["price"]) == float(depth["asks"][0][0])


async def test_histories_without_a_time_have_the_last_seven_days(
    quiet_futures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which here last as many ms: trades by id are no exception, and a startTime finds them all the same."""
    client = quiet_futures
    await client.place("BUY", "0.5")
    _, trades = await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", fromId=0)
    monkeypatch.setattr("gateway.simulated.usdm.order_queries.DAY_MS", 1)
    await asyncio.sleep(0.01)
    for path, named in (("userTrades", {}), ("userTrades", {"fromId": 0}), ("allOrders", {})):
        assert (await client.signed("GET", f"/fapi/v1/{path}", symbol="BTCUSDT", **named))[1] == []
    since = {"startTime": trades[0]["time"], "endTime": trades[0]["time"] + 7}
    assert (await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT", **since))[1] == trades


async def test_a_position_and_what_is_told_of_it(quiet_futures: Any) -> None:
    client = quiet_futures
    bought = await client.place("BUY", "0.5")
    _, [risk] = await client.signed("GET", "/fapi/v3/positionRisk")
    _, account = await client.signed("GET", "/fapi/v3/account")
    _, [balance] = await client.signed("GET", "/fapi/v3/balance")
    _, trades = await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    fees = sum(float(trade["commission"]) for trade in trades)
    assert (risk["positionAmt"], risk["entryPrice"]) == ("0.500", bought["avgPrice"])
    assert fees == pytest.approx(float(bought["cumQuote"]) * 0.0005)
    assert float(account["totalWalletBalance"]) == float(balance["balance"]) == pytest.approx(1_000_000 - fees)
    assert float(risk["initialMargin"]) == pytest.approx(0.5 * float(risk["markPrice"]) / 20)
    sold = await client.place("SELL", "0.5", reduceOnly="true")
    realized = float(sold["cumQuote"]) - float(bought["cumQuote"])
    _, trades = await client.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    assert sum(float(trade["realizedPnl"]) for trade in trades) == pytest.approx(realized)
    _, lines = await client.signed("GET", "/fapi/v1/income", limit=1_000)
    _, account = await client.signed("GET", "/fapi/v2/account")
    assert 1_000_000 + sum(float(line["income"]) for line in lines) == pytest.approx(
        float(account["totalWalletBalance"])
    )
    assert (await client.signed("GET", "/fapi/v3/positionRisk"))[1] == []
    assert (await client.control("ledger"))["adds_up"] is True


async def test_a_reduce_only_order_is_cut_to_the_position_and_ends_with_it(quiet_futures: Any) -> None:
    client = quiet_futures
    await client.place("BUY", "0.5")
    resting = await client.place("SELL", "2", FAR_OFFER, reduceOnly="true")
    assert (resting["origQty"], resting["reduceOnly"]) == ("0.500", True)
    await client.place("SELL", "0.5")
    _, ended = await client.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=resting["orderId"])
    assert ended["status"] == "EXPIRED"


async def test_settings_of_an_account(quiet_futures: Any) -> None:
    client = quiet_futures

    async def code(path: str, **params: Any) -> Any:
        return (await client.signed("POST", path, **params))[1].get("code", 0)

    _, answer = await client.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
    assert answer == {"leverage": 50, "maxNotionalValue": "300000000", "symbol": "BTCUSDT"}
    assert await code("/fapi/v1/leverage", symbol="BTCUSDT", leverage=126) == -4028
    assert await code("/fapi/v1/leverage", symbol="BTCUSDT") == -1102
    assert await code("/fapi/v1/marginType", symbol="BTCUSDT", marginType="CROSSED") == -4046
    assert await code("/fapi/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED") == -4084
    assert await code("/fapi/v1/multiAssetsMargin", multiAssetsMargin="true") == -4084
    assert await code("/fapi/v1/multiAssetsMargin", multiAssetsMargin="false") == -4171
    assert await code("/fapi/v1/positionSide/dual", dualSidePosition="false") == -4059
    await client.place("BUY", "0.01", FAR_BID)
    assert await code("/fapi/v1/positionSide/dual", dualSidePosition="true") == -4067
    await client.signed("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    assert await code("/fapi/v1/positionSide/dual", dualSidePosition="true") == 200
    _, told = await client.signed("GET", "/fapi/v1/leverageBracket", symbol="BTCUSDT")
    assert [bracket["initialLeverage"] for bracket in told["brackets"]] == [125]


async def test_hedge_mode(quiet_futures: Any) -> None:
    """Both sides at once; what closes a side is reduce-only by itself, and never larger than it."""
    client = quiet_futures
    await client.signed("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
    assert (await client.place("BUY", "0.5"))["code"] == -4061
    await client.place("BUY", "0.5", positionSide="LONG")
    await client.place("SELL", "0.2", positionSide="SHORT")
    _, risks = await client.signed("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert {risk["positionSide"]: risk["positionAmt"] for risk in risks} == {"LONG": "0.500", "SHORT": "-0.200"}
    assert (await client.place("SELL", "0.6", positionSide="LONG"))["code"] == -2022
    assert (await client.place("SELL", "0.5", positionSide="LONG", reduceOnly="true"))["code"] == -1106
    closed = await client.place("SELL", "0.5", positionSide="LONG")
    assert (closed["status"], closed["positionSide"]) == ("FILLED", "LONG")
    _, [risk] = await client.signed("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert (risk["positionSide"], risk["positionAmt"]) == ("SHORT", "-0.200")


async def test_conditional_orders_are_refused_honestly(quiet_futures: Any) -> None:
    client = quiet_futures
    conditional = {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
        "triggerPrice": "1",
    }
    status, answer = await client.signed("POST", "/fapi/v1/algoOrder", **conditional)
    assert (status, answer["code"]) == (400, -4084)
    assert await client.signed("GET", "/fapi/v1/openAlgoOrders") == (200, [])


async def test_what_is_refused_of_any_request(quiet_futures: Any) -> None:
    client = quiet_futures
    now_ms = time.time_ns() // 1_000_000
    rows = [
        (await client.signed("GET", "/fapi/v3/account", timestamp=now_ms - 60_000), 400, -1021),
        (await client.signed("GET", "/fapi/v3/account", timestamp=now_ms, recvWindow=70_000), 400, -1131),
        (await client.get("/fapi/v3/account"), 401, -2014),
        (await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=7), 400, -4021),
        (await client.get("/fapi/v1/depth", symbol="NONE"), 400, -1121),
        (await client.get("/fapi/v1/klines", symbol="BTCUSDT", interval="7m"), 400, -1120),
    ]
    assert [(answer[0], answer[1]["code"]) for answer, _, _ in rows] == [(status, code) for _, status, code in rows]


async def test_weights_are_the_futures_face_s_own(quiet_futures: Any) -> None:
    """2,400 a minute: after 120 books of 1,000 levels the next is too much, and spot has not been asked at all."""
    client = quiet_futures
    statuses = [(await client.get("/fapi/v1/depth", symbol="BTCUSDT", limit=1_000))[0] for _ in range(122)]
    assert 429 in statuses[119:]
    async with client.http.get(client.endpoints.rest + "/api/v3/ping") as answer:
        assert (answer.status, answer.headers["X-MBX-USED-WEIGHT-1M"]) == (200, "1")


async def test_too_many_orders(quiet_futures: Any) -> None:
    """300 in ten seconds, and batches count five."""
    client = quiet_futures
    batch = json.dumps([{**LIMIT, "quantity": "0.001"}] * 5)
    for _ in range(200):  # the window may end once meanwhile
        status, answer = await client.signed("POST", "/fapi/v1/batchOrders", batchOrders=batch)
        if status == 429:
            break
    assert (status, answer["code"]) == (429, -1015)
