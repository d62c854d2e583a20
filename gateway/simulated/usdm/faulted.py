"""The futures face's words for whoever spoils its payloads (docs, "Query Order", "Event: Order Update", "Futures Account Balance")."""

from collections.abc import Callable

from ..connection import Connection
from ..faults.face import BalanceWords, FaultedFace, OrderWords
from ..limits import RequestLimits
from ..operations import NOBODY, Call
from ..payload import Json
from .api import FACE, PerpetualApi
from .table import OPERATIONS

ANSWER_ORDER = OrderWords("orderId", "status", "symbol", "clientOrderId", "side")
EVENT_ORDER = OrderWords("i", "X", "s", "c", "S")
ANSWER_BALANCE = BalanceWords("asset", ("walletBalance", "balance", "crossWalletBalance", "availableBalance"))
EVENT_BALANCE = BalanceWords("a", ("wb", "cw"))
BALANCE_OPERATIONS = ("account.balance", "account.status", "v2/account.balance", "v2/account.status")
DEPTH_MAX = "1000"


def faulted_face(api: PerpetualApi, limits: RequestLimits, connections: Callable[[], list[Connection]]) -> FaultedFace:
    """`connections`: of the WebSocket API."""

    def snapshot(symbol: str) -> Json:
        return OPERATIONS["depth"].run(api, Call(NOBODY, {"symbol": symbol, "limit": DEPTH_MAX}, 0))

    return FaultedFace(
        name=FACE,
        market=api.market,
        limits=limits,
        users=api.users,
        snapshot=snapshot,
        operations=OPERATIONS,
        connections=connections,
        answer_order=ANSWER_ORDER,
        event_order=EVENT_ORDER,
        answer_balance=ANSWER_BALANCE,
        event_balance=EVENT_BALANCE,
        balance_operations=BALANCE_OPERATIONS,
    )
