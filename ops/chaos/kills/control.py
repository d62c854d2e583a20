"""The venue's stage hand for kills: points, faults, the crowd, and its logs, over one connection that is kept."""

import contextlib
from typing import Any

import aiohttp

from ops.chaos.stage import ChaosFailed
from ops.chaos.venue_log import PAGE_ROWS, PATIENCE_S, EvidenceLost

ORDERS_PAGE = 1_000
"""The most orders that the venue gives at once (gateway/simulated/truth.py)."""
FACED = ("book", "deposit", "ledger", "market", "orders", "pause-flow", "queues", "resume-flow")
"""What is asked of one face of the venue."""


class Control:
    """`async with Control(rest, face) as control`."""

    def __init__(self, rest: str, face: str) -> None:
        self._base, self._face = f"{rest}/control/", face
        self._session: aiohttp.ClientSession
        self._seen = 0
        self._fired: set[str] = set()
        self.denied: set[str] = set()
        """Client order ids of orders that the venue said it canceled before it told of their last fill, or of cancels of them."""

    async def __aenter__(self) -> "Control":
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, what: str, **params: str) -> Any:
        return await self._ask("GET", what, params)

    async def post(self, what: str, body: object = None, **params: str) -> Any:
        return await self._ask("POST", what, params, body)

    async def _ask(self, method: str, what: str, params: dict[str, str], body: object = None) -> Any:
        """Raises ChaosFailed with the venue's own words for a request it refuses."""
        params = {**params, "face": self._face} if what in FACED else params
        async with self._session.request(method, self._base + what, params=params, json=body) as response:
            answer = await response.json()
            if response.status != 200:
                raise ChaosFailed(f"the simulated venue refused {what}: {answer.get('msg', answer)}")
            return answer

    async def set_faults(self, tables: dict[str, Any]) -> None:
        await self.post("faults", {name: tables[name] for name in ("fault", "point") if name in tables})

    async def clear_faults(self) -> None:
        await self._ask("DELETE", "faults", {"all": "true"})

    async def set_point(self, at: str, name: str, pid: int, **keys: object) -> int:
        """A SIGKILL at the point, once. The point's id."""
        row = {"at": at, "name": name, "signal": "KILL", "pid": pid, **keys}
        ids: list[int] = (await self.post("faults", {"point": [row]}))["ids"]
        return ids[0]

    async def remove(self, number: int) -> None:
        """A point that may be over and gone by now."""
        with contextlib.suppress(ChaosFailed):  # it was used up, and its place was needed
            await self._ask("DELETE", "faults", {"id": str(number)})

    async def hit(self, name: str) -> bool:
        """Whether the point of that name has sent its signal. Rows that the venue has dropped by now prove nothing."""
        await self.read_faults()
        return name in self._fired

    async def read_faults(self) -> None:
        """What the venue noted of its own faults since the last time."""
        while True:
            page = await self.get("fault-log", **{"from": str(self._seen), "limit": str(PAGE_ROWS)})
            self._seen = page["then"]
            self._fired |= {row["fault"] for row in page["rows"] if row["done"].startswith("SIGKILL to")}
            self.denied |= {row["client_order_id"] for row in page["rows"] if row["kind"] == "fill-after-cancel"}
            if len(page["rows"]) < PAGE_ROWS:
                return

    async def orders(self, account: str) -> list[dict[str, Any]]:
        """Every order of the account, with its executions. Raises EvidenceLost."""
        rows: list[dict[str, Any]] = []
        at = 0
        while True:
            page = await self.get("orders", account=account, limit=str(ORDERS_PAGE), **{"from": str(at)})
            if page["first"] > 0:
                raise EvidenceLost("/control/orders: rows are gone; run fewer kills")
            rows += page["rows"]
            at = page["then"]
            if at >= page["next"]:
                return rows

    async def sweep(self, symbol: str, quantity: str) -> None:
        """The crowd buys and sells that much at market: whatever rests near the touch is filled."""
        for side in ("BUY", "SELL"):
            await self.post("market", symbol=symbol, side=side, quantity=quantity)
