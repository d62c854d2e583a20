"""The engine that is killed: its configuration, one process after the other, and what is counted of each."""

import asyncio
import time
from collections import Counter
from typing import Any

from ops.chaos.cast import Instance, Role
from ops.chaos.judge import Placement
from ops.chaos.kills.control import Control
from ops.chaos.kills.face import SYMBOLS, Face
from ops.chaos.kills.ours import OurJournal
from ops.chaos.kills.verdict import Limits
from ops.chaos.stage import Stage
from ops.config import decimal_text, decimal_units

ENGINE = "engine"
"""Of its configuration, log and state directory."""
ACCOUNT = "client"
"""The venue's name of the first account (ops/cli/venue.py)."""
STRATEGY = "ops.chaos.bustler:Bustler"
CONFIG = """\
# Written by `touchline chaos --kills`.
[venue]
%(table)s
%(addresses)s
self_trade_prevention = "{prevention}"
snapshot_levels = 100

%(instruments)s
[strategy]
use = "{strategy}"
owner = "{name}"

[strategy.parameters]
{parameters}

[execution]
keep_place = false
avoid_flicker = false
step_back_on_thin_ice = false

[exits]
{exits}

[orders]
prefix = "{prefix}"
reconcile_interval_ms = 5000

[risk]
order_rate_max = %(order_rate_max)s
daily_loss_max = "100000"
disconnects_max = 0

[persistence]
input_log = false
checkpoint_interval_ms = 400

[coordination]
backend = "local"
ttl_ms = {ttl_ms}
"""
"""A template of a template: what is in percent signs is the face's. snapshot_levels: one of 100 costs a tenth of the weight of
one of 1,000, and a start every three seconds shall leave room for orders in the venue's limits. disconnects_max: order entry is
cut on purpose all the time, and half a minute of quiet after each tenth time would leave little to kill. input_log: its 64 MB a
start are for replays. Own store: nobody else could lead."""
INSTRUMENT = """\
[[instrument]]
symbol = "%s"
order_max = "%s"
position_max = "%s"
position_min = "%s"
"""
ADDRESSES = ("rest", "streams", "websocket_api")


def config(face: Face) -> str:
    """The template that ops.chaos.cast fills in."""
    rows = [
        (symbol, *(decimal_text(units, 8) for units in (row.order_max, row.position_max, row.position_min)))
        for symbol, row in face.limits.items()
    ]
    return CONFIG % {
        "table": face.table,
        "addresses": "\n".join(f'{name} = "{{{face.told}{name}}}"' for name in ADDRESSES),
        "instruments": "\n".join(INSTRUMENT % row for row in rows),
        "order_rate_max": face.order_rate_max,
    }


def limits(face: Face, faults: dict[str, Any]) -> dict[str, Limits]:
    """What is configured. Where the venue shall change its lot on the way, positions may be counted in that."""
    steps = [units(row["step_size"]) for row in faults.get("fault", ()) if "step_size" in row]
    return {symbol: row._replace(lot=max(row.lot, *steps, 0)) for symbol, row in face.limits.items()}


class Engine:
    """`touchline run` on one face of the venue, and what was seen of all its processes so far.

    report: of the last stop. faulted: the venue misbehaves, so that a stop may find that something differs. market: who moves the crowd holds it. burst_waits: more executions than a page holds were made while it was down; burst_fills: how many of those in all.
    starts: of processes. recovered_ms: of each that came to an order. own_ends: last words
    of processes that ended by themselves.
    """

    def __init__(self, stage: Stage, instance: Instance, face: Face) -> None:
        self.stage, self.instance, self.face = stage, instance, face
        self.journal = OurJournal(instance.state / "journal")
        self.starts = 1
        self.recovered_ms: list[float] = []
        self.hits: Counter[str] = Counter()
        self.in_recovery = self.in_checkpoint = self.in_flight = 0
        self.own_ends: list[str] = []
        self.problems: list[str] = []
        self.report: dict[str, Any] = {}
        self.clock_ahead_ns = 0
        self.unresolved_stops = 0
        self.faulted = False
        self.market = asyncio.Lock()
        self.burst_waits = False
        self.burst_fills = 0
        self._began()

    @classmethod
    async def enter(cls, stage: Stage, face: Face) -> "Engine":
        account, key, secret = stage.credentials(1)
        lots = ", ".join(f"{symbol} = {count}" for symbol, count in zip(SYMBOLS, face.lots, strict=True))
        parameters = f"lots = {{ {lots} }}\nphase_ms = {face.phase_ms}"
        role = Role(ENGINE, account, key, secret, "account", "chaos", STRATEGY, parameters)
        before_ns = time.time_ns()
        engine = cls(stage, await stage.enter(role, config(face)), face)
        engine.started_ns = before_ns
        return engine

    def _began(self) -> None:
        self.started_ns = time.time_ns()
        self._mark = len(self.stage.log.orders)
        self._has_recovered = False

    async def start(self) -> None:
        self._began()
        self.starts += 1
        await self.instance.start()

    @property
    def accepted(self) -> list[Placement]:
        """Orders of this process that the venue took, as far as its log was read."""
        return [order for order in self.stage.log.orders[self._mark :] if order.accepted]

    def note_recovery(self, clock_ahead_ns: int) -> None:
        """Once for each process, when its first order is there. clock_ahead_ns: the venue's clock against the wall's."""
        self.clock_ahead_ns = clock_ahead_ns
        if not self._has_recovered and self.accepted:
            self._has_recovered = True
            took_ns = self.accepted[0].received_ns - clock_ahead_ns - self.started_ns
            self.recovered_ms.append(took_ns / 1e6)

    def buried(self, died_ns: int) -> bool:
        """Look at what the dead one left. True: it had no order accepted when it died."""
        self.journal.read()
        self.in_flight += self.journal.in_flight()
        return not any(order.received_ns - self.clock_ahead_ns < died_ns for order in self.accepted)

    def note_own_end(self) -> None:
        """It ended by itself, with some reason."""
        self.own_ends.append(f"exit code {self.instance.code}: {self.instance.last_words()}")
        self.journal.read()

    def placed(self) -> int:
        """Orders of the first symbol so far, about: half of all."""
        return sum(order.accepted for order in self.stage.log.orders) // len(SYMBOLS)

    async def sweep(self, control: Control) -> None:
        async with self.market:
            for symbol, quantity in zip(SYMBOLS, self.face.sweep, strict=True):
                await control.sweep(symbol, quantity)

    async def pay(self, control: Control) -> None:
        """As funding would, and no trade tells of it."""
        if self.face.paid:
            asset, amount = self.face.paid
            await control.post("deposit", account=ACCOUNT, asset=asset, amount=amount)

    async def stop(self) -> bool:
        """SIGTERM. False: it could not see all of its orders gone, and says so by exit code 1: start it again, as it advises."""
        self.report = await self.instance.stop()
        unresolved = self.report["exit_code"] == 1 and self.report.get("unresolved_orders", 0) != 0
        self.unresolved_stops += unresolved
        if self.report["exit_code"] != 0 and not unresolved and not self.faulted:
            self.problems.append(self.last_stop())
        return not unresolved

    def last_stop(self) -> str:
        return f"a stop ended with exit code {self.report['exit_code']}: {self.instance.last_words()}"


def units(text: str) -> int:
    return decimal_units(text, 8, "amount")
