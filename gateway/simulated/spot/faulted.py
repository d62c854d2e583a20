"""Binance Spot's words for whoever spoils its payloads (rest-api.md, user-data-stream.md)."""

from collections.abc import Callable

from ..connection import Connection
from ..faults.face import BalanceWords, FaultedFace, OrderWords
from ..limits import RequestLimits
from ..market import Market
from ..operations import NOBODY, Call
from ..payload import Json
from .api import VenueApi
from .market_data import DEPTH_LIMIT_MAX
from .table import OPERATIONS, REST_OPERATIONS
from .user_streams import UserStreams

ANSWER_ORDER = OrderWords("orderId", "status", "symbol", "clientOrderId", "side")
EVENT_ORDER = OrderWords("i", "X", "s", "c", "S")
ANSWER_BALANCE = BalanceWords("asset", ("free",))
EVENT_BALANCE = BalanceWords("a", ("f",))
BALANCE_OPERATIONS = ("account.status", "/sapi/v3/asset/getUserAsset")


def faulted_face(
    api: VenueApi,
    market: Market,
    users: UserStreams,
    limits: RequestLimits,
    connections: Callable[[], list[Connection]],
) -> FaultedFace:
    """`connections`: of the WebSocket API."""

    def snapshot(symbol: str) -> Json:
        params = {"symbol": symbol, "limit": str(DEPTH_LIMIT_MAX)}
        return OPERATIONS["depth"].run(api, Call(NOBODY, params, 0))

    return FaultedFace(
        name="spot",
        market=market,
        limits=limits,
        users=users,
        snapshot=snapshot,
        operations=REST_OPERATIONS,
        connections=connections,
        answer_order=ANSWER_ORDER,
        event_order=EVENT_ORDER,
        answer_balance=ANSWER_BALANCE,
        event_balance=EVENT_BALANCE,
        balance_operations=BALANCE_OPERATIONS,
    )
