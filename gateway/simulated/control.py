"""The stage hand's door: force fills, gaps and disconnects, look into ledger and evidence. Loopback only, when asked for."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import msgspec
from aiohttp import web

from . import parameters
from .connection import Clock, Connection
from .decimals import decimal_text
from .errors import BadRequest, VenueError
from .evidence import BoundedLog, Evidence, Row
from .market import Market
from .orders import AccountId, Side
from .payloads import Json, encode, order_status

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
            web.post("/control/disconnect", _handler(self._disconnect)),
            web.post("/control/drop-next-depth", _handler(self._drop_next_depth)),
            web.post("/control/market", _handler(self._market_order)),
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
        dropped = len(self._connections)
        for connection in list(self._connections):
            connection.abort()
        return {"disconnected": dropped}

    def _drop_next_depth(self, params: dict[str, str]) -> Json:
        symbol = parameters.text(params, "symbol")
        self._market.drop_next_depth(symbol)
        return {"symbol": symbol}

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
