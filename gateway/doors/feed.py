"""The feed door: every market data connection of this host, each open for as long as the engine runs.

Frames become inputs inside the socket callback, stamped there. It holds no rule about their content, and knows no
venue: plans say what is dialed and said, `gateway.market.Limits` how often.
"""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from bus.actor import NOTHING, Handler
from bus.messages import Message, ReleaseConnection, Resubscribe, RollConnection
from gateway.doors.budget import Budget
from gateway.doors.connection import Connection, Planned
from gateway.doors.line import Inlet
from gateway.doors.pace import Dials, Pace
from gateway.doors.websocket import PATIENCE, Patience

Post = Callable[..., None]
"""Takes one input or several, in order, and runs (bus.pump.Pump.post)."""


class FeedDoor:
    """A receiver. By number, connections are named in Frame, ConnectionUp and ConnectionDown as in what is asked of them."""

    name = "feed_door"

    def __init__(
        self, planned: Mapping[int, Planned], now_ns: Callable[[], int], patience: Patience = PATIENCE
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            Resubscribe: self._resubscribe,
            RollConnection: self._roll,
            ReleaseConnection: self._release,
        }
        self._planned, self._now_ns, self._patience = planned, now_ns, patience
        self.connections: dict[int, Connection] = {}

    def attach(
        self,
        post: Post,
        is_fresh: Callable[[int], bool] = lambda now_ns: True,
        on_trouble: Callable[[str], None] = lambda detail: None,
        on_said: Callable[[int, int, bytes], None] = lambda number, generation, frame: None,
        budgets: Mapping[str, Budget] | None = None,
    ) -> None:
        """Where inputs go; before `run` and before the first message, inside the running loop.

        is_fresh: (when a frame was read) -> whether it came then; it may have `drop`ped all connections by the answer.
        on_said: hears every frame that was written, with its connection and generation; the opening's before ConnectionUp.
        budgets: by address, where openings are counted over all doors and runs.
        """
        now_s, random = asyncio.get_running_loop().time, Random()
        paces: dict[str, Pace] = {}  # by address: it is what the venue counts at
        for number, planned in self._planned.items():
            limits = planned.market.limits
            pace = (limits.connects, limits.connects_s, now_s)
            budget = (budgets or {}).get(planned.address)
            dials = Pace(*pace) if budget is None else Dials(pace, budget, self._now_ns, on_trouble)
            dials = paces.setdefault(planned.address, dials)
            inlet = Inlet(number, self._now_ns, post, is_fresh, on_said)
            connection = Connection(planned, inlet, dials, self._patience, random)
            connection.on_trouble = on_trouble
            self.connections[number] = connection

    async def run(self) -> None:
        """Until canceled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for connection in self.connections.values():
                    tasks.create_task(connection.run())
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    @property
    def frames(self) -> int:
        """Taken since the start, by all connections."""
        return sum(connection.frames for connection in self.connections.values())

    @property
    def down(self) -> int:
        """Connections of which nothing is open now."""
        return sum(not connection.open for connection in self.connections.values())

    def view(self) -> list[dict[str, Any]]:
        """Of each connection, for people."""
        return [{"connection": number, **row.view()} for number, row in self.connections.items()]

    def close(self) -> None:
        """Say goodbye on every socket, and dial no more."""
        for connection in self.connections.values():
            connection.close()

    def drop(self, reason: str) -> None:
        """Every connection's sockets: a process that stood still knows of none how old its frames are."""
        for connection in self.connections.values():
            connection.drop(reason)

    # -- requests: bounded by what market data asks, each done at once or when its turn comes -----------------------

    def _resubscribe(self, asked: Resubscribe, _now_ns: int) -> tuple[Message, ...]:
        self.connections[asked.connection].renew(asked.venue_symbol, asked.stream)
        return NOTHING

    def _roll(self, asked: RollConnection, _now_ns: int) -> tuple[Message, ...]:
        self.connections[asked.connection].roll(asked.generation)
        return NOTHING

    def _release(self, asked: ReleaseConnection, _now_ns: int) -> tuple[Message, ...]:
        self.connections[asked.connection].release(asked.generation, asked.reason)
        return NOTHING
