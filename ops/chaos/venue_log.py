"""The venue's evidence, fetched page by page from its control door and kept whole. Reads, never judges."""

from typing import Any

import aiohttp

from ops.chaos.judge import Placement, epoch_of, placements

PAGE_ROWS = 10_000
"""The most that the venue gives at once (gateway/simulated/control.py)."""
PATIENCE_S = 10.0
"""For one answer on loopback; chosen, because machines stand still."""


class EvidenceLost(Exception):
    """The venue dropped rows before they were fetched: nothing can be proven any more."""


class VenueLog:
    """Everything the venue noted so far, up to the last `read`."""

    def __init__(self, rest: str) -> None:
        self._rest = rest
        self._requests: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.orders: list[Placement] = []

    async def read(self) -> None:
        """Fetch what is new. Raises EvidenceLost; aiohttp.ClientError when the venue is gone."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            known = len(self._requests)
            await self._follow(session, "requests", self._requests)
            await self._follow(session, "trades", self.trades)
        self.orders += placements(self._requests[known:])

    async def _follow(self, session: aiohttp.ClientSession, log: str, rows: list[dict[str, Any]]) -> None:
        """Append pages to `rows`, whose length is the number of the next row, until the log's end."""
        while True:
            params = {"from": str(len(rows)), "limit": str(PAGE_ROWS)}
            async with session.get(f"{self._rest}/control/{log}", params=params) as response:
                response.raise_for_status()
                page = await response.json()
            if page["first"] > len(rows):
                raise EvidenceLost(
                    f"/control/{log}: rows {len(rows)} to {page['first'] - 1} are gone; run fewer rounds"
                )
            rows += page["rows"]
            if len(rows) >= page["next"]:
                return

    def accepted(self, account: str, above_epoch: int = 0) -> list[Placement]:
        """Orders of ours on `account` that the venue took, in epochs above that one, oldest first."""
        return [
            order for order in self.orders if order.accepted and order.account == account and order.epoch > above_epoch
        ]

    def epoch(self, account: str) -> int:
        """The highest epoch of an accepted order; 0: none yet."""
        return max((order.epoch for order in self.orders if order.accepted and order.account == account), default=0)

    def fills(self, account: str, epochs: list[int]) -> int:
        """Sides of trades that orders of that account and of those epochs had."""
        return sum(
            trade[f"{side}_account"] == account and epoch_of(trade[f"{side}_client_order_id"]) in epochs
            for trade in self.trades
            for side in ("maker", "taker")
        )
