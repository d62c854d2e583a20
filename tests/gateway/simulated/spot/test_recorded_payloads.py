"""What the wire carries has the very fields of the documents' examples, and of payloads that others recorded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.simulated.limits import LimitRules
from gateway.simulated.spot.table import ROUTES

PAYLOADS = Path(__file__).parents[5] / "shared" / "data" / "payloads"
EXAMPLES = PAYLOADS / "binance-spot-doc-examples.jsonl"
RECORDED = PAYLOADS / "Binance.Net.UnitTests" / "Endpoints" / "Spot"
LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000",
}
ME = {"symbol": "BTCUSDT"}

pytestmark = pytest.mark.skipif(not EXAMPLES.exists(), reason="../shared/data/payloads is absent")


def examples() -> Iterator[tuple[str, str, int, Any]]:
    """Yield document, section, number in the section, and the example."""
    counts: dict[tuple[str, str], int] = {}
    for line in EXAMPLES.read_text().splitlines():
        one = json.loads(line)
        key = (one["doc"], one["section"])
        counts[key] = counts.get(key, -1) + 1
        yield *key, counts[key], one["json"]


def differences(ours: Any, theirs: Any, path: str = "") -> set[str]:
    """Return `-field` for what we lack and `+field` for what we have besides; lists by their first elements."""
    if isinstance(ours, list) and isinstance(theirs, list):
        return differences(ours[0], theirs[0], f"{path}[]") if ours and theirs else set()
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return set() if isinstance(ours, dict | list) == isinstance(theirs, dict | list) else {f"{path}: another shape"}
    found = {f"-{path}.{name}" for name in theirs.keys() - ours.keys()}
    found |= {f"+{path}.{name}" for name in ours.keys() - theirs.keys()}
    for name in theirs.keys() & ours.keys():
        found |= differences(ours[name], theirs[name], f"{path}.{name}")
    return found


class Play:
    """One client at a venue that takes few orders: every answer and event there is an example for, by name."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.said: dict[str, Any] = {}
        self.socket: Any = None

    async def rest(self, name: str, method: str, path: str, **params: Any) -> Any:
        _, answer = await self.client.signed(method, path, **params)
        self.said[f"rest {name}"] = answer
        return answer

    async def api(self, name: str, method: str, **params: Any) -> Any:
        answer = await self.client.call(self.socket, method, **self.client.params(**params))
        self.said[f"api {name}"] = answer
        return answer

    async def both(self, name: str, http: str, path: str, method: str, **params: Any) -> None:
        await self.rest(name, http, path, **params)
        await self.api(name, method, **params)

    async def play(self) -> dict[str, Any]:
        self.socket = await self.client.api()
        await self.session()
        await self.orders()
        await self.replacements()
        await self.questions()
        await self.events()
        return self.said

    async def session(self) -> None:
        self.said["api logon"] = await self.client.call(
            self.socket, "session.logon", **self.client.params(ed25519=True)
        )
        for name in ("status", "logout", "subscriptions"):
            self.said[f"api {name}"] = await self.client.call(self.socket, f"session.{name}")
        self.said["api subscribe"] = await self.client.call(
            self.socket, "userDataStream.subscribe.signature", **self.client.params()
        )
        self.said["api unsubscribe"] = await self.client.call(self.socket, "userDataStream.unsubscribe")

    async def orders(self) -> None:
        taking = {**ME, "side": "SELL", "type": "MARKET", "quantity": "0.01"}
        for response_type in ("ACK", "RESULT", "FULL"):
            await self.both(
                response_type, "POST", "/api/v3/order", "order.place", **taking, newOrderRespType=response_type
            )
        await self.both("test", "POST", "/api/v3/order/test", "order.test", **LIMIT)
        await self.both("rates", "POST", "/api/v3/order/test", "order.test", **LIMIT, computeCommissionRates="true")
        for door in ("rest", "api"):
            await self.rest("resting", "POST", "/api/v3/order", **LIMIT, newClientOrderId="mine")
            named = {**ME, "origClientOrderId": "mine"}
            call = self.rest if door == "rest" else self.api
            routes = {
                "order": ("GET", "/api/v3/order", "order.status"),
                "bad restriction": ("DELETE", "/api/v3/order", "order.cancel"),
                "restricted": ("DELETE", "/api/v3/order", "order.cancel"),
                "cancel": ("DELETE", "/api/v3/order", "order.cancel"),
            }
            extra = {
                "bad restriction": {"cancelRestrictions": "NEVER"},
                "restricted": {"cancelRestrictions": "ONLY_PARTIALLY_FILLED"},
            }
            for name, (http, path, method) in routes.items():
                where = (http, path) if door == "rest" else (method,)
                await call(name, *where, **named, **extra.get(name, {}))  # type: ignore[arg-type]  # one of two doors
            await self.rest("resting", "POST", "/api/v3/order", **LIMIT)
            if door == "rest":
                await self.rest("open orders", "GET", "/api/v3/openOrders", **ME)
                await self.rest("cancel all", "DELETE", "/api/v3/openOrders", **ME)
            else:
                await self.api("open orders", "openOrders.status", **ME)
                await self.api("cancel all", "openOrders.cancelAll", **ME)

    async def replacements(self) -> None:
        poor = {"quantity": "50"}
        cases = {
            "replaced": ({}, "old", "STOP_ON_FAILURE"),
            "not attempted": ({}, "nobody", "STOP_ON_FAILURE"),
            "new failed": (poor, "old", "STOP_ON_FAILURE"),
            "cancel failed": ({"newOrderRespType": "ACK"}, "nobody", "ALLOW_FAILURE"),
            "cancel failed, full": ({}, "nobody", "ALLOW_FAILURE"),
            "both failed": (poor, "nobody", "ALLOW_FAILURE"),
        }
        for name, (change, old, mode) in cases.items():
            for call, where in (
                (self.rest, ("POST", "/api/v3/order/cancelReplace")),
                (self.api, ("order.cancelReplace",)),
            ):
                await self.rest("resting", "POST", "/api/v3/order", **LIMIT, newClientOrderId="old")
                params = LIMIT | change | {"cancelReplaceMode": mode, "cancelOrigClientOrderId": old}
                await call(name, *where, **params)  # type: ignore[arg-type]  # one of two doors
                await self.rest("open orders", "DELETE", "/api/v3/openOrders", **ME)
        placed = await self.rest("resting", "POST", "/api/v3/order", **LIMIT)
        named = {**ME, "orderId": placed["orderId"]}
        await self.rest("amend", "PUT", "/api/v3/order/amend/keepPriority", **named, newQty="0.009")
        await self.api("amend", "order.amend.keepPriority", **named, newQty="0.008")
        await self.both("amendments", "GET", "/api/v3/order/amendments", "order.amendments", **named)
        await self.rest("open orders", "GET", "/api/v3/openOrders", **ME)

    async def questions(self) -> None:
        _, ticker = await self.client.get("/api/v3/ticker/bookTicker", **ME)
        await self.rest("resting", "POST", "/api/v3/order", **LIMIT | {"price": ticker["bidPrice"]})
        await self.client.control("market", symbol="BTCUSDT", side="SELL", quantity=ticker["bidQty"])
        own = LIMIT | {"side": "SELL", "price": ticker["bidPrice"], "selfTradePreventionMode": "EXPIRE_MAKER"}
        taker = await self.rest("prevented", "POST", "/api/v3/order", **own)
        for name, path, method, params in (
            ("account", "/api/v3/account", "account.status", {}),
            ("all orders", "/api/v3/allOrders", "allOrders", {**ME, "limit": "1"}),
            ("trades", "/api/v3/myTrades", "myTrades", ME),
            ("counts", "/api/v3/rateLimit/order", "account.rateLimits.orders", {}),
            ("commission", "/api/v3/account/commission", "account.commission", ME),
            ("filters", "/api/v3/myFilters", "myFilters", ME),
            ("matches", "/api/v3/myPreventedMatches", "myPreventedMatches", {**ME, "orderId": taker["orderId"]}),
            ("allocations", "/api/v3/myAllocations", "myAllocations", ME),
            ("open lists", "/api/v3/openOrderList", "openOrderLists.status", {}),
            ("all lists", "/api/v3/allOrderList", "allOrderLists", {}),
            ("stranger", "/api/v3/openOrders", "openOrders.status", {"symbol": "NOPE"}),
        ):
            await self.both(name, "GET", path, method, **params)

    async def events(self) -> None:
        await self.client.call(self.socket, "userDataStream.subscribe.signature", **self.client.params())
        await self.client.signed("POST", "/api/v3/order", **LIMIT)
        self.said["event order"] = await self.socket.receive()
        self.said["event account"] = await self.socket.receive()
        await self.client.control("deposit", account="client", asset="USDT", amount="5")
        self.said["event balance"] = await self.socket.receive()
        await self.socket.receive()
        await self.socket.send({"id": 1, "method": "userDataStream.unsubscribe"})
        self.said["event end"] = (await self.socket.receive_until(lambda frame: "event" in frame))[-1]


REST, API, USER = "rest-api.md", "web-socket-api.md", "user-data-stream.md"
REPLACE = "Cancel an Existing Order and Send a New Order (TRADE)"
API_REPLACE = "Cancel and replace order (TRADE)"
NO_LIMITS = {"+.rateLimits"}  # the example leaves out what returnRateLimits brings

# (document, section, number, what we said, differences that are right)
CASES: list[tuple[str, str, int, str, set[str]]] = [
    (REST, "Error Codes", 0, "rest stranger", set()),
    (REST, "New order (TRADE)", 0, "rest ACK", set()),
    (REST, "New order (TRADE)", 1, "rest RESULT", set()),
    (REST, "New order (TRADE)", 2, "rest FULL", set()),
    (REST, "Test new order (TRADE)", 0, "rest test", set()),
    (REST, "Test new order (TRADE)", 1, "rest rates", set()),
    (REST, "Cancel order (TRADE)", 0, "rest cancel", set()),
    (REST, "Cancel order (TRADE)", 1, "rest bad restriction", set()),
    (REST, "Cancel order (TRADE)", 2, "rest restricted", set()),
    (REST, "Cancel All Open Orders on a Symbol (TRADE)", 0, "rest cancel all", set()),
    (REST, REPLACE, 0, "rest replaced", set()),
    (REST, REPLACE, 1, "rest not attempted", set()),
    (REST, REPLACE, 2, "rest new failed", set()),
    (REST, REPLACE, 3, "rest cancel failed", set()),
    (REST, REPLACE, 4, "rest both failed", set()),
    (REST, "Order Amend Keep Priority (TRADE)", 0, "rest amend", set()),
    (REST, "Account information (USER_DATA)", 0, "rest account", set()),
    (REST, "Query order (USER_DATA)", 0, "rest order", set()),
    (REST, "Current open orders (USER_DATA)", 0, "rest open orders", set()),
    (REST, "All orders (USER_DATA)", 0, "rest all orders", set()),
    (REST, "Account trade list (USER_DATA)", 0, "rest trades", set()),
    (REST, "Query Unfilled Order Count (USER_DATA)", 0, "rest counts", set()),
    (REST, "Query Prevented Matches (USER_DATA)", 0, "rest matches", set()),
    (REST, "Query Allocations (USER_DATA)", 0, "rest allocations", set()),
    (REST, "Query all Order lists (USER_DATA)", 0, "rest all lists", set()),
    (REST, "Query Open Order lists (USER_DATA)", 0, "rest open lists", set()),
    (REST, "Query Commission Rates (USER_DATA)", 0, "rest commission", set()),
    (REST, "Query Order Amendments (USER_DATA)", 0, "rest amendments", set()),
    (REST, "Query relevant filters (USER_DATA)", 0, "rest filters", {"another filter"}),
    (API, "Log in with API key (SIGNED)", 1, "api logon", NO_LIMITS),
    (API, "Query session status", 1, "api status", NO_LIMITS),
    (API, "Log out of the session", 1, "api logout", NO_LIMITS),
    (API, "Listing all subscriptions", 1, "api subscriptions", NO_LIMITS),
    (API, "Unsubscribe from User Data Stream", 1, "api unsubscribe", NO_LIMITS),
    (
        API,
        "Subscribe to User Data Stream through signature subscription (USER_STREAM)",
        1,
        "api subscribe",
        NO_LIMITS,
    ),
    (API, "Place new order (TRADE)", 1, "api ACK", set()),
    (API, "Place new order (TRADE)", 2, "api RESULT", set()),
    # The example forgets a field that rest-api.md has there.
    (API, "Place new order (TRADE)", 3, "api FULL", {"+.result.selfTradePreventionMode"}),
    (API, "Test new order (TRADE)", 1, "api test", set()),
    (API, "Test new order (TRADE)", 2, "api rates", set()),
    (API, "Cancel order (TRADE)", 1, "api cancel", {"trailing"}),
    (API, "Cancel open orders (TRADE)", 1, "api cancel all", {"trailing"}),
    # The example of the whole success forgets two fields that a LIMIT order's FULL answer has (and the next ones show).
    (API, API_REPLACE, 1, "api replaced", {"+.result.newOrderResponse.fills", "+.result.newOrderResponse.workingTime"}),
    (API, API_REPLACE, 2, "api not attempted", set()),
    (API, API_REPLACE, 3, "api new failed", set()),
    (API, API_REPLACE, 4, "api cancel failed, full", set()),
    (API, API_REPLACE, 5, "api both failed", set()),
    (API, "Order Amend Keep Priority (TRADE)", 1, "api amend", set()),
    (API, "Account information (USER_DATA)", 1, "api account", set()),
    (API, "Query order (USER_DATA)", 1, "api order", {"trailing"}),
    (API, "Current open orders (USER_DATA)", 1, "api open orders", {"trailing"}),
    (API, "Account order history (USER_DATA)", 1, "api all orders", {"trailing"}),
    (API, "Account trade history (USER_DATA)", 1, "api trades", set()),
    (API, "Unfilled Order Count (USER_DATA)", 1, "api counts", set()),
    (API, "Account prevented matches (USER_DATA)", 1, "api matches", set()),
    (API, "Account allocations (USER_DATA)", 1, "api allocations", set()),
    (API, "Account order list history (USER_DATA)", 1, "api all lists", set()),
    (API, "Current open Order lists (USER_DATA)", 1, "api open lists", set()),
    (API, "Account Commission Rates (USER_DATA)", 1, "api commission", set()),
    (API, "Query Order Amendments (USER_DATA)", 1, "api amendments", set()),
    (API, "Query Relevant Filters (USER_DATA)", 1, "api filters", {"another filter", *NO_LIMITS}),
    # The example shows `v`, which appears only on a prevented match.
    (USER, "Order Update", 0, "event order", {"-.event.v"}),
    (USER, "Account Update", 0, "event account", set()),
    (USER, "Balance Update", 0, "event balance", set()),
    (USER, "Event Stream Terminated", 0, "event end", set()),
]
CONDITIONAL = ("stopPrice", "icebergQty", "trailingDelta", "trailingTime", "strategyId", "strategyType")
"""Fields of an example's own order, which ours need not be (rest-api.md, "Conditional fields in Order Responses")."""


def right(difference: str, allowed: set[str]) -> bool:
    if difference in allowed:
        return True
    name = difference.rpartition(".")[2]
    if (
        "trailing" in allowed
        and difference.startswith("-")
        and name in (*CONDITIONAL, "preventedMatchId", "preventedQuantity")
    ):
        return True
    return "another filter" in allowed and "ilters[]" in difference


async def test_the_wire_has_the_fields_of_every_example(start_client: Any) -> None:
    """Goal: the documents' examples, field by field. Method: play one of each over both doors, compare the names."""
    client = await start_client(limits=LimitRules())
    await client.control("pause-flow")
    said = await Play(client).play()
    theirs = {(document, section, number): body for document, section, number, body in examples()}
    wrong = {
        (document, section, number): sorted(
            d for d in differences(said[name], theirs[document, section, number]) if not right(d, allowed)
        )
        for document, section, number, name, allowed in CASES
    }
    assert {case: found for case, found in wrong.items() if found} == {}


OTHERS = {"Trading": ("CancelAllOrders", "CancelOrder", "GetOpenOrders", "GetOrder", "GetOrders", "GetPreventedTrades", "GetUserTrades", "PlaceOrder"), "Account": ("GetAccountInfo", "GetCommissionRates", "GetOrderRateLimitStatus")}  # fmt: skip


async def test_the_wire_has_the_fields_that_others_recorded(start_client: Any) -> None:
    """Goal: fixtures of another project's parser. Method: each names its route; what we say there has all of its fields."""
    client = await start_client(limits=LimitRules())
    await client.control("pause-flow")
    play = Play(client)
    await play.play()
    by_route = {
        ("DELETE", "/api/v3/openOrders"): "cancel all",
        ("DELETE", "/api/v3/order"): "cancel",
        ("GET", "/api/v3/openOrders"): "open orders",
        ("GET", "/api/v3/order"): "order",
        ("GET", "/api/v3/allOrders"): "all orders",
        ("GET", "/api/v3/myPreventedMatches"): "matches",
        ("GET", "/api/v3/myTrades"): "trades",
        ("POST", "/api/v3/order"): "FULL",
        ("GET", "/api/v3/account"): "account",
        ("GET", "/api/v3/account/commission"): "commission",
        ("GET", "/api/v3/rateLimit/order"): "counts",
    }
    for folder, names in OTHERS.items():
        for name in names:
            method, path, _, body = (RECORDED / folder / f"{name}.txt").read_text().split("\n", 3)
            route = (method.strip(), path.strip())
            assert route in ROUTES
            lacking = differences(play.said[f"rest {by_route[route]}"], json.loads(body))
            assert {d for d in lacking if d.startswith("-") and not right(d, {"trailing"})} == set(), name
