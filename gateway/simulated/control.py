"""The stage hand's door: force fills, lost frames, silence and disconnects, look into ledger and evidence.

Loopback only, when asked for. GET looks, POST acts; parameters are in the query, errors as the venue's own.

| path | parameters | does |
|---|---|---|
| GET ledger | | balances, open orders, whether it adds up |
| GET requests, trades | from, limit | the venue's own record of both |
| GET streams | | market connections, how many there ever were, frames lost to drop and stall |
| POST disconnect | kind: all, market, api | cuts those connections, without a goodbye |
| POST drop | symbol, stream, count | loses the next frames; stream: depth, bookTicker, trade, aggTrade, all; symbol: all is every one |
| POST stall | symbol, stream, seconds | sends nothing of it for so long; pings and pongs go on |
| POST server-shutdown | seconds | announces it on every market connection, and closes those after so long; new ones are welcome |
| POST market | symbol, side, quantity | a market order by the crowd |
| POST filters | symbol, tickSize, stepSize, minNotional, status | other rules from now on: in exchangeInfo, and for new orders |
| POST deposit | account, asset, amount | |
| POST pause-flow, resume-flow | | the crowd stops, and goes on |
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import msgspec
from aiohttp import web

from .connection import Clock, Connection
from .core.decimals import decimal_text
from .core.errors import BadRequest, VenueError, invalid_symbol
from .core.filters import filters_payload
from .core.orders import AccountId, Side
from .evidence import BoundedLog, Evidence, Row
from .faults.streams import ALL, FRAMES_MAX, STALL_S_MAX
from .market import Market
from .payload import Json, encode
from .spot import parameters
from .spot.payloads import order_status

FILTERS = {
    "tickSize": ("tick_size", "price_min"),
    "stepSize": ("step_size", "quantity_min"),
    "minNotional": ("notional_min",),
}
"""Parameters, and the rules that follow them: the least price is one tick, the least quantity one lot."""
PAGE_ROWS_DEFAULT = 1_000
PAGE_ROWS_MAX = 10_000  # chosen: about 3 MB of JSON

Operation = Callable[[dict[str, str]], Json]


class ControlDoor:
    """`connections` is the server's live table: dropping means cutting each of its connections."""

    def __init__(self, market: Market, evidence: Evidence, connections: dict[Connection, None], clock: Clock) -> None:
        self._market = market
        self._evidence = evidence
        self._connections = connections
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/ledger", _handler(self._ledger)),
            web.get("/control/requests", _handler(lambda params: _page(self._evidence.requests, params))),
            web.get("/control/trades", _handler(lambda params: _page(self._evidence.trades, params))),
            web.get("/control/streams", _handler(self._streams)),
            web.post("/control/disconnect", _handler(self._disconnect)),
            web.post("/control/drop", _handler(self._drop)),
            web.post("/control/stall", _handler(self._stall)),
            web.post("/control/server-shutdown", _handler(self._server_shutdown)),
            web.post("/control/market", _handler(self._market_order)),
            web.post("/control/filters", _handler(self._filters)),
            web.post("/control/deposit", _handler(self._deposit)),
            web.post("/control/pause-flow", _handler(self._pause)),
            web.post("/control/resume-flow", _handler(self._resume)),
        ]

    def _ledger(self, params: dict[str, str]) -> Json:
        """Every account's balances, the open orders of all but the background, and whether it all adds up."""
        engine = self._market.engine
        ledger = engine.ledger
        return {
            "adds_up": not ledger.imbalances(),
            "trades": engine.trade_count,
            "accounts": {
                account: {
                    asset: {"free": decimal_text(free[asset]), "locked": decimal_text(ledger.locked[account][asset])}
                    for asset in ledger.assets(account)
                }
                for account, free in ledger.free.items()
            },
            "open_orders": [order_status(o) | {"account": o.account} for o in engine.registry.client_orders()],
        }

    def _disconnect(self, params: dict[str, str]) -> Json:
        kind = params.get("kind", ALL)
        market = {client.connection for client in self._market.hub.clients}
        chosen = {
            ALL: list(self._connections),
            "market": list(market),
            "api": [one for one in self._connections if one not in market],
        }
        if kind not in chosen:
            raise BadRequest(-1130, f"Data sent for parameter 'kind' is not valid; one of {', '.join(chosen)}.")
        for connection in chosen[kind]:
            connection.abort()
        return {"disconnected": len(chosen[kind])}

    def _streams(self, params: dict[str, str]) -> Json:
        hub = self._market.hub
        return {
            "connections": len(hub.clients),
            "opened": hub.opened,
            "dropped": hub.faults.dropped,
            "stalled": hub.faults.stalled,
        }

    def _drop(self, params: dict[str, str]) -> Json:
        symbol, stream = self._stream(params)
        count = parameters.integer(params, "count")
        count = 1 if count is None else count
        if count > FRAMES_MAX:
            raise BadRequest(-1130, f"Data sent for parameter 'count' is not valid; at most {FRAMES_MAX}.")
        self._market.hub.faults.drop(symbol, stream, count)
        return {"symbol": symbol, "stream": stream, "count": count}

    def _stall(self, params: dict[str, str]) -> Json:
        symbol, stream = self._stream(params)
        seconds = _seconds(params)
        faults = self._market.hub.faults
        asyncio.get_running_loop().call_later(seconds, faults.lift, faults.stall(symbol, stream))
        return {"symbol": symbol, "stream": stream, "seconds": seconds}

    def _stream(self, params: dict[str, str]) -> tuple[str, str]:
        """Symbol (one that is traded, or all) and stream, for `StreamFaults`, which knows the streams."""
        symbol = params.get("symbol", ALL)
        if symbol != ALL and symbol not in self._market.engine.instruments:
            raise invalid_symbol()
        return symbol, params.get("stream", ALL)

    def _server_shutdown(self, params: dict[str, str]) -> Json:
        seconds = _seconds(params)
        told = self._market.hub.announce_shutdown(self._clock() // 1_000_000)
        for client in told:
            asyncio.get_running_loop().call_later(seconds, client.connection.abort)
        return {"told": len(told), "seconds": seconds}

    def _market_order(self, params: dict[str, str]) -> Json:
        error = BadRequest(-1117, "Invalid side.")
        parameters.text(params, "side")
        side = parameters.choice(params, "side", Side, Side.BUY, error)
        quantity = parameters.decimal(params, "quantity")
        if quantity == 0:
            raise BadRequest(-1013, "Invalid quantity.")
        now_ns = self._clock()
        executed = self._market.background_order(parameters.text(params, "symbol"), side, quantity, now_ns)
        self._market.publish(now_ns)
        return {"executedQty": decimal_text(executed)}

    def _filters(self, params: dict[str, str]) -> Json:
        """What is not named stays. Resting orders stay as well, as at the venue; the crowd keeps to its old prices."""
        listed = self._market.engine.instrument(parameters.text(params, "symbol"))
        changes: dict[str, int | str] = {}
        for name, fields in FILTERS.items():
            if name in params:
                changes |= dict.fromkeys(fields, parameters.decimal(params, name))
        if "status" in params:
            changes["status"] = params["status"]
        listed.rules = msgspec.structs.replace(listed.rules, **changes)
        return {"symbol": listed.rules.symbol, "status": listed.rules.status, "filters": filters_payload(listed.rules)}

    def _deposit(self, params: dict[str, str]) -> Json:
        account = AccountId(parameters.text(params, "account"))
        asset, amount = parameters.text(params, "asset"), parameters.decimal(params, "amount")
        if account not in self._market.engine.ledger.free:
            raise BadRequest(-1130, "Data sent for parameter 'account' is not valid.")
        self._market.engine.ledger.deposit(account, asset, amount)
        self._market.users.publish_deposit(account, asset, amount, self._clock())
        return {"account": account, "asset": asset, "amount": decimal_text(amount)}

    def _pause(self, params: dict[str, str]) -> Json:
        self._market.flowing.clear()
        return {"flowing": False}

    def _resume(self, params: dict[str, str]) -> Json:
        self._market.flowing.set()
        return {"flowing": True}


def _page(log: BoundedLog[Row], params: dict[str, str]) -> Json:
    """Return at most `limit` rows from number `from` on; `first` above `from` means that rows were dropped between."""
    limit = parameters.limit(params, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX)
    rows = log.rows(parameters.integer(params, "from") or 0, limit)
    return {"first": log.first_number, "next": log.next_number, "rows": msgspec.to_builtins(rows)}


def _seconds(params: dict[str, str]) -> float:
    try:
        seconds = float(parameters.text(params, "seconds"))
    except ValueError:
        seconds = math.nan
    if not 0.0 <= seconds <= STALL_S_MAX:
        raise BadRequest(-1130, f"Data sent for parameter 'seconds' is not valid; 0 to {STALL_S_MAX:.0f}.")
    return seconds


def _handler(operation: Operation) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        if not _is_loopback(request.remote):
            raise web.HTTPForbidden
        try:
            status, payload = 200, operation(dict(request.query))
        except VenueError as error:
            status, payload = error.status, {"code": error.code, "msg": error.message}
        return web.Response(body=encode(payload), status=status, content_type="application/json")

    return handle


def _is_loopback(address: str | None) -> bool:
    return address is not None and ip_address(address).is_loopback
