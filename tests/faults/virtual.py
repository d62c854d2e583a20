"""The seeded world with the venue's own faults in it: requests go through the desk, their plans run on the virtual clock.

For what lasts longer than a test may wait: a minute of it takes about a second, and is the same to the byte every time.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from actors.orders.ids import recognize
from bus.clock import VirtualClock
from bus.messages import ReleaseConnection, SnapshotRequest, VenueQuery
from gateway.binance_spot.market import BinanceSpot
from gateway.simulated.core.orders import AccountId
from gateway.simulated.faults.clock import VenueClock
from gateway.simulated.faults.engine import FaultEngine
from gateway.simulated.faults.plan import NOTHING
from gateway.simulated.faults.spec import parse_json
from gateway.simulated.operations import NOBODY, Answer, Ask, Proof
from gateway.simulated.payload import encode
from gateway.simulated.spot.faulted import faulted_face
from gateway.simulated.spot.table import OPERATIONS, ROUTES
from tests.support.house import MS, START_NS, House
from tests.support.world import CLIENT, CONFIG, SECOND_NS, World

GIVEN_UP = 504
"""In place of a status: nothing readable came, as when the connection is cut or the time is over."""
ROWS_MAX = 10_000
SPINS = 4
"""Turns of the loop after each step: a task that was made runs in the next, one that slept in the one after its timer."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its time is the world's: what sleeps here wakes when the world comes by. Errors are kept for `World.run`."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.errors: list[BaseException] = []
        super().__init__()
        self.set_exception_handler(self._keep)

    def time(self) -> float:
        return (self.clock.now_ns() - START_NS) / 1e9

    def next_ns(self) -> int | None:
        """When the first of its timers is due."""
        due = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # asyncio tells nobody else
        return START_NS + int(min(due) * 1e9) + 1 if due else None

    def spin(self) -> None:
        """Run what is ready, without waiting."""
        for _ in range(SPINS):
            self.call_soon(self.stop)
            self.run_forever()
        if self.errors:
            raise self.errors[0]

    def _keep(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(context.get("exception") or AssertionError(context["message"]))


class FaultyWorld(World):
    """`set_faults` sets the venue's faults, as a file does; `close` when done."""

    def __init__(self, seed: int = 1, *, config: str = CONFIG) -> None:
        super().__init__(seed, config=config)
        self.loop = VirtualLoop(self.clock)
        self.venue_faults = FaultEngine(VenueClock(self.clock.now_ns), self._after, seed)
        self.venue_faults.open(faulted_face(self.api, self.market, self.api.users, self.desk.limits, list))
        self.desk._faults = self.venue_faults

    def _after(self, delay_ns: int, action: Callable[[], None]) -> None:
        self.at(self.now_ns + delay_ns, action)

    def set_faults(self, *tables: dict[str, Any]) -> None:
        self.venue_faults.set(parse_json(encode({"fault": list(tables)})))

    def hits(self, kind: str) -> list[str]:
        """Client order ids of the orders that it was about so far, each once, in order."""
        rows = self.venue_faults.log.rows.rows(0, ROWS_MAX)
        known = [recognize("tl", row.client_order_id) for row in rows if row.kind == kind]
        return list(dict.fromkeys(one.root for one in known if one is not None))

    def close(self) -> None:
        self.loop.errors.clear()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        try:
            self.loop.spin()
        finally:
            self.loop.close()

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """As `World.run`, with the loop's timers among what is due."""
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while not until():
            heads = (self.house.timers.next_ns(), self._events[0][0] if self._events else None, self.loop.next_ns())
            due = [ns for ns in heads if ns]
            if not due or min(due) > end_ns:
                self.clock.set(end_ns)
                return until()
            self.clock.set(max(min(due), self.now_ns))
            self.loop.call_soon(super().run, 0.0)
            self.loop.spin()
        return True

    def connect_orders(self) -> None:
        super().connect_orders()
        self.orders.abort = lambda: self.cut_orders("the venue cut it")  # type: ignore[attr-defined]  # as a Connection has

    def _serve(self) -> None:
        """A connection that the engine gives up, or wants anew, is dialed anew."""
        if any(isinstance(message, ReleaseConnection) for message in self.house.asked):
            self.house.asked = [m for m in self.house.asked if not isinstance(m, ReleaseConnection)]
            self.cut_feed("given up")
        super()._serve()

    # -- the REST side, by the desk -------------------------------------------------------------------------------

    def _reach(self, house: House, request: VenueQuery | SnapshotRequest, asked_ns: int) -> None:
        """As the REST door serves it; an answer that never comes is given up when the asker's time is over."""
        ask, answered = self._asked(request), list[int]()
        plan = self.desk.plan(ask)

        def arrive(status: int, body: bytes) -> None:
            if house is not self.house or answered:
                return
            answered.append(status)
            if isinstance(request, SnapshotRequest):
                house.post(self._snapshot(request, status, body))
            else:
                house.post(self._query(request, status, body, asked_ns))

        def write(answer: Answer) -> None:
            body = encode(_body(answer))
            self.at(self.now_ns + self.delay_ns(), lambda: arrive(answer.status, body))

        if plan is NOTHING:
            answer = self.desk.answer(ask)
            write(answer)
            self.desk.finish(ask, answer)
            return
        begun = self.desk.begin(ask, plan)

        async def tell() -> None:
            await self.desk.wait(ask, plan, begun)
            if plan.is_told:
                write(begun.answer)
                self.desk.finish(ask, begun.answer)
            elif plan.cuts:
                self.at(self.now_ns, lambda: arrive(GIVEN_UP, b""))

        self.loop.create_task(tell())
        self.at(request.deadline_ns, lambda: arrive(GIVEN_UP, b""))

    def _asked(self, request: VenueQuery | SnapshotRequest) -> Ask:
        if isinstance(request, SnapshotRequest):
            path = BinanceSpot().snapshot_path(request.venue_symbol, request.levels)
        else:
            path = self.rest.query_path(request, self.now_ns // MS)
        route, _, query = path.partition("?")
        name = ROUTES["GET", route]

        def identify(proof: Proof) -> AccountId:
            return NOBODY if proof is Proof.NONE else CLIENT

        return Ask("rest", name, OPERATIONS[name], dict(parse_qsl(query)), "127.0.0.1", self.now_ns, identify)


def _body(answer: Answer) -> Any:
    error = answer.error
    return answer.result if error is None else {"code": error.code, "msg": error.message}
