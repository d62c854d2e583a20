"""What the control door can tell: the ledger, the logs, the queues, the state of things. It looks and changes nothing.

A log is told page by page: `first` is the oldest row that is kept, `next` the number the next row will have, `then` where
the next page goes on. Rows are numbered from 0; a hole between where a reader is and `first` is what was dropped.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from . import accounts, known, queues
from .connection import Clock, Connection
from .control import Command, Run
from .core.bounded_log import BoundedLog
from .core.decimals import decimal_text
from .core.orders import Execution
from .evidence import Evidence, OrderRecord
from .market import GeneratedMarket, Market
from .operations import SESSION, UNREAD, Kind, Params
from .payload import Json, Payload
from .spot import parameters
from .stagehand import FACE, market_of

PAGE_ROWS_DEFAULT = 1_000
PAGE_ROWS_MAX = 10_000  # chosen: about 4 MB of JSON, for which nothing else is served some tens of ms
PAGE_ORDERS_MAX = 1_000  # chosen: the same of orders, each with its executions
QUEUES = FACE | dict.fromkeys(("symbol", "account"), "only its")
PAGE = {"from": "number of the first row", "limit": f"{PAGE_ROWS_DEFAULT:,} unless named, {PAGE_ROWS_MAX:,} at most"}
KINDS = (*(kind.value for kind in Kind), SESSION, UNREAD)
DOORS = ("rest", "api")
PAGE_ORDERS = PAGE | {"limit": f"{PAGE_ORDERS_MAX:,} unless named, and at most"}

Row = TypeVar("Row")


class Truth:
    """`faces`: name -> market, the first is the one meant where none is named; `connections` the server's live table."""

    def __init__(
        self, faces: Mapping[str, Market], evidence: Evidence, connections: Mapping[Connection, None], clock: Clock
    ) -> None:
        self._faces = faces
        self._evidence = evidence
        self._connections = connections
        self._clock = clock

    def commands(self) -> list[Command]:
        about = dict.fromkeys(("face", "account", "symbol"), "only these")
        order = {**about, "client_order_id": "only this"}
        return [
            _look(
                "ledger",
                self._ledger,
                "balances, positions of the futures face, open orders, whether it all adds up",
                FACE,
            ),
            _look(
                "ledger-entries",
                self._entries,
                "each change of a client's balance: what was added, why, by which order and trade",
                PAGE | FACE | dict.fromkeys(("account", "asset"), "only its"),
            ),
            _look(
                "book", self._book, "each order of the best levels; where a client's order stands", queues.BOOK | FACE
            ),
            _look("queues", self._queues, "each client's resting order, with what stands before it", QUEUES),
            _look("orders", self._orders, "each client's order with its executions", PAGE_ORDERS | order),
            _look(
                "requests",
                self._requests,
                "each request, the venue's verdict, what it did and what became of the answer",
                PAGE | order | {"kind": ", ".join(KINDS), "door": ", ".join(DOORS)},
            ),
            _look(
                "trades",
                self._trades,
                "each trade of a client, its orders and commissions",
                PAGE | dict.fromkeys(("face", "symbol"), "only it"),
            ),
            _look(
                "streams", self._streams, "market connections, how many there ever were, frames lost on purpose", FACE
            ),
            _look("state", self._state, "the venue's time, what it lists, connections, how full the logs are", {}),
        ]

    def _ledger(self, params: Params, body: bytes) -> Json:
        return accounts.ledger(market_of(self._faces, params).engine)

    def _book(self, params: Params, body: bytes) -> Json:
        return queues.book(market_of(self._faces, params).engine, params)

    def _queues(self, params: Params, body: bytes) -> Json:
        engine = self._market(params).engine
        return {"rows": queues.queues(engine, params.get("symbol"), params.get("account"))}

    def _market(self, params: Params) -> Market:
        """The market of the face that is asked for. Raises BadRequest for it, and for what it does not have."""
        market = market_of(self._faces, params)
        known.check([market], params)
        return market

    def _check(self, params: Params) -> None:
        """Raise BadRequest for what no row can have, of all faces or of the one that is named."""
        known.check([market_of(self._faces, params)] if "face" in params else self._faces.values(), params)

    # ---- logs

    def _entries(self, params: Params, body: bytes) -> object:
        account, asset = params.get("account"), params.get("asset")
        return _page(
            self._market(params).engine.ledger.entries,
            params,
            lambda row: account in (None, row.account) and asset in (None, row.asset),
            accounts.entry,
        )

    def _orders(self, params: Params, body: bytes) -> object:
        self._check(params)
        name = params.get("client_order_id")

        def fits(record: OrderRecord) -> bool:
            order = record.order
            return name in (None, order.client_order_id) and _fits(params, record.face, order.account, order.symbol)

        return _page(self._evidence.orders, params, fits, _order, PAGE_ORDERS_MAX)

    def _requests(self, params: Params, body: bytes) -> object:
        self._check(params)
        known.one_of(params, "kind", KINDS)
        known.one_of(params, "door", DOORS)
        kind, door, name = params.get("kind"), params.get("door"), params.get("client_order_id")
        return _page(
            self._evidence.requests,
            params,
            lambda row: (
                kind in (None, row.kind)
                and door in (None, row.door)
                and _fits(params, row.face, row.account, row.symbol)
                and name in (None, row.client_order_id, row.original_client_order_id)
            ),
        )

    def _trades(self, params: Params, body: bytes) -> object:
        self._check(params)
        return _page(self._evidence.trades, params, lambda row: _fits(params, row.face, symbol=row.symbol))

    # ---- the state of things

    def _streams(self, params: Params, body: bytes) -> Json:
        hub = market_of(self._faces, params).hub
        return {
            "connections": len(hub.clients),
            "opened": hub.opened,
            "dropped": hub.faults.dropped,
            "stalled": hub.faults.stalled,
        }

    def _state(self, params: Params, body: bytes) -> Json:
        evidence = self._evidence
        logs: dict[str, BoundedLog[Any]] = {
            "requests": evidence.requests,
            "orders": evidence.orders,
            "trades": evidence.trades,
        }
        return {
            "now_ns": self._clock(),
            "faces": {name: _face_state(market) for name, market in self._faces.items()},
            "connections": len(self._connections),
            "waiting_bytes": sum(connection.waiting_bytes for connection in self._connections),
            "logs": {name: {"first": log.first_number, "next": log.next_number} for name, log in logs.items()},
        }


def _face_state(market: Market) -> Json:
    """`regimes` of a crowd; a replay has none. `ended`: a replay is over."""
    engine = market.engine
    regimes = market.regimes() if isinstance(market, GeneratedMarket) else {}
    return {
        "flowing": market.flowing.is_set(),
        "ended": market.ended.is_set(),
        "regimes": {symbol: regime.value for symbol, regime in regimes.items()},
        "market_connections": len(market.hub.clients),
        "open_orders": len(engine.registry.client_orders()),
        "trades": engine.trade_count,
        "symbols": {
            symbol: {"status": instrument.rules.status, "last_trade_id": instrument.last_trade_id}
            for symbol, instrument in engine.instruments.items()
        },
    }


def _order(record: OrderRecord) -> Payload:
    order = record.order
    return {
        "number": record.number,
        "face": record.face,
        "account": order.account,
        "symbol": order.symbol,
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "side": order.side,
        "type": order.order_type,
        "time_in_force": order.time_in_force,
        "price": decimal_text(order.price),
        "stop_price": decimal_text(order.stop_price),
        "quantity": decimal_text(order.quantity),
        "executed": decimal_text(order.executed),
        "quote_executed": decimal_text(order.quote_executed),
        "locked": decimal_text(order.locked),
        "status": order.status,
        "is_open": order.is_open,
        "created_ns": order.created_ns,
        "updated_ns": order.updated_ns,
        "executions": [_execution(each) for each in record.executions],
        "executions_dropped": record.dropped,
    }


def _execution(execution: Execution) -> Payload:
    payload: Payload = {
        "execution_id": execution.execution_id,
        "time_ns": execution.time_ns,
        "kind": execution.kind,
        "status": execution.status,
        "client_order_id": execution.client_order_id,
        "executed": decimal_text(execution.executed),
    }
    if execution.trade_id >= 0:
        payload |= {
            "trade_id": execution.trade_id,
            "price": decimal_text(execution.last_price),
            "quantity": decimal_text(execution.last_quantity),
            "fee": decimal_text(execution.fee),
            "fee_asset": execution.fee_asset,
            "is_maker": execution.is_maker,
        }
    return payload


def _page(
    log: BoundedLog[Row],
    params: Params,
    fits: Callable[[Row], bool],
    show: Callable[[Row], object] = lambda row: row,
    rows_max: int = PAGE_ROWS_MAX,
) -> object:
    """Rows that fit, from a number on. `then`: past the last row that was looked at."""
    limit = parameters.limit(params, PAGE_ROWS_DEFAULT, rows_max)
    start = max(parameters.integer(params, "from") or 0, log.first_number)
    then = start
    shown: list[object] = []
    for row in log.rows(start, log.next_number):
        if len(shown) == limit:
            break
        then += 1
        if fits(row):
            shown.append(show(row))
    return {"first": log.first_number, "next": log.next_number, "then": then, "rows": shown}


def _fits(params: Params, face: str, account: str = "", symbol: str = "") -> bool:
    return (
        params.get("face", face) == face
        and params.get("account", account) == account
        and params.get("symbol", symbol) == symbol
    )


def _look(name: str, run: Run, what: str, named: Mapping[str, str]) -> Command:
    return Command("GET", name, what, named, run)
