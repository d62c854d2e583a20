"""Everything at once, on one virtual clock: the venue's own faults, broken lines, kills, and orders that never rest.

A strategy that moves both orders of each instrument in every phase and now and then takes; the judge of `touchline chaos --kills`
says at the end what our journal and the venue's log prove: orders twice, fills lost, limits broken.
"""

from pathlib import Path
from random import Random
from typing import Any

from bus.codec import decode_any
from bus.messages import HEADER_SIZE, Control, OperatorCommand
from gateway.simulated.core.bounded_log import BoundedLog
from gateway.simulated.core.orders import Side as VenueSide
from gateway.simulated.evidence import ROWS_MAX
from gateway.simulated.faults.clock import VenueClock
from gateway.simulated.faults.engine import FaultEngine
from gateway.simulated.spot.faulted import faulted_face
from gateway.simulated.truth import _order
from ops.chaos.kills.ours import OurJournal
from ops.chaos.kills.theirs import venue_orders
from ops.chaos.kills.verdict import Limits, Verdict, judge
from tests.faults.virtual import FaultyWorld, VirtualLoop
from tests.support.mortal import MortalWorld
from tests.support.world import CLIENT, SYMBOLS, Faults

CONFIG = """
[venue]
kind = "binance-spot"
rest = "http://venue.test"
streams = "ws://venue.test"
websocket_api = "ws://venue.test/ws-api/v3"
snapshot_levels = 100

[[instrument]]
symbol = "BTCUSDT"
order_max = "0.02"
position_max = "0.2"
position_min = "-0.2"

[[instrument]]
symbol = "ETHUSDT"
order_max = "0.4"
position_max = "4"
position_min = "-4"

[strategy]
use = "ops.chaos.bustler:Bustler"
owner = "engine"

[strategy.parameters]
lots = { BTCUSDT = 1000, ETHUSDT = 2000 }
phase_ms = 150

[execution]
keep_place = false
avoid_flicker = false
step_back_on_thin_ice = false

[exits]
enabled = false

[risk]
order_rate_max = 95
daily_loss_max = "100000"

[orders]
reconcile_interval_ms = 3000
"""
"""As the chaos command writes it, with half its phase and looks that come more often."""
LIMITS = {
    "BTCUSDT": Limits("BTC", 2_000_000, 20_000_000, -20_000_000, 10, 1_000),
    "ETHUSDT": Limits("ETH", 40_000_000, 400_000_000, -400_000_000, 10, 10_000),
}
"""The same in 10^-8, with the venue's lots."""

REQUESTS: tuple[dict[str, Any], ...] = (
    {"kind": "answer-lost", "operation": "place"},
    {"kind": "answer-lost", "operation": "cancel"},
    {"kind": "request-lost", "operation": "place"},
    {"kind": "request-lost", "operation": "cancel"},
    {"kind": "request-delay", "operation": "place", "delay_ms": [50, 6000]},
    {"kind": "request-delay", "operation": "cancel", "delay_ms": [50, 3000]},
    {"kind": "answer-delay", "delay_ms": [20, 4000]},
    {"kind": "answer-double", "door": "api"},
    {"kind": "answer-cut", "operation": "place"},
    {"kind": "unknown", "operation": "place"},
    {"kind": "unknown", "operation": "cancel"},
    {"kind": "unknown", "operation": "query"},
    {"kind": "unknown", "operation": "place", "status": 503},
    {"kind": "events-first"},
    {"kind": "fill-after-cancel"},
    {"kind": "fill-after-cancel", "all": True},
    {"kind": "query-lag", "lag_ms": 300},
    {"kind": "query-lag", "lag_ms": 4000},
    {"kind": "rate-limited", "operation": "place", "retry_s": 0.5},
    {"kind": "rate-limited", "operation": "query", "retry_s": 0.5},
    {"kind": "unknown-status", "operation": "place"},
)
STREAM: tuple[dict[str, Any], ...] = (
    {"kind": "user-drop"},
    {"kind": "user-double"},
    {"kind": "user-reorder"},
    {"kind": "user-delay", "delay_ms": [20, 3000]},
    {"kind": "user-stall", "seconds": 2},
    {"kind": "user-end"},
    {"kind": "expired-in-match", "period_s": 0.5},
)
PROBABILITIES = (0.002, 0.01, 0.03, 0.1)
RARE = {"answer-cut": 0.1, "user-end": 0.1, "user-stall": 0.1, "rate-limited": 0.3, "unknown-status": 0.3}
"""Of the drawn probability: a run that is down all the time sends nothing twice."""


def drawn(seed: int) -> list[dict[str, Any]]:
    """Faults of one run: most of the kinds, each with a probability of its own."""
    draw = Random(f"storm:{seed}")
    share = draw.choice((0.3, 0.6, 1.0))
    rows = []
    for row in (*REQUESTS, *STREAM):
        probability = draw.choice(PROBABILITIES) * RARE.get(row["kind"], 1.0)
        if draw.random() < share:
            rows.append({**row, "probability": probability})
    return rows


def lines(seed: int) -> Faults:
    draw = Random(f"lines:{seed}")
    return Faults(
        lose_answer=draw.choice((0.0, 0.0, 0.05)),
        lose_request=draw.choice((0.0, 0.0, 0.02)),
        cut_s=draw.choice((0.0, 4.0, 8.0)),
        delay_ms=draw.choice(((0.5, 5.0), (0.5, 80.0), (20.0, 300.0))),
    )


class Storm(FaultyWorld, MortalWorld):
    def __init__(self, seed: int, folder: Path, kills_max: int, more: str = "") -> None:
        MortalWorld.__init__(self, seed, lines(seed), folder, kills_max, CONFIG + more)
        self.loop = VirtualLoop(self.clock)
        self.venue_faults = FaultEngine(VenueClock(self.clock.now_ns), self._after, seed)
        self.venue_faults.open(faulted_face(self.api, self.market, self.api.users, self.desk.limits, list))
        self.desk._faults = self.venue_faults
        self.evidence = self.desk._evidence
        self.evidence._rows_max = ROWS_MAX
        self.evidence.orders = BoundedLog(ROWS_MAX)
        self.evidence.trades = BoundedLog(ROWS_MAX)
        self.people = Random(f"people:{seed}")

    def connect_orders(self) -> None:
        """What the venue cuts is cut by the world, where a death is caught."""
        super().connect_orders()
        line = self.orders
        line.abort = lambda: self.at(  # type: ignore[attr-defined]  # as a Connection has
            self.now_ns, lambda: self.cut_orders("the venue cut it") if line is self.orders else None
        )

    def cut_orders(self, reason: str = "cut") -> None:
        if hasattr(self, "orders"):  # a first process may die before it connects
            super().cut_orders(reason)

    def cut_feed(self, reason: str = "cut") -> None:
        if hasattr(self, "feed"):
            super().cut_feed(reason)

    def close(self) -> None:
        FaultyWorld.close(self)
        self._on_disk.close()

    def sweep(self) -> None:
        """The crowd takes what stands near the touch, so that orders are filled while they move."""
        symbol = self.people.choice(SYMBOLS)
        side = self.people.choice((VenueSide.BUY, VenueSide.SELL))
        self.take(symbol, side, self.people.choice((1, 5, 30)) * (1_000_000 if symbol == "BTCUSDT" else 20_000_000))

    def person(self, *_: Any) -> Any:  # type: ignore[override]  # no person trades here; one types commands
        word = self.people.choice((Control.CANCEL_ALL, Control.RECONCILE, Control.HALT, Control.REDUCE))
        self.house.post(OperatorCommand(word, -1, "a storm"))
        if word in (Control.HALT, Control.REDUCE):
            self._in_this_life(300, lambda: self.house.post(OperatorCommand(Control.RESUME, -1, "over")))

    def live(self, seconds: float) -> None:
        """Trade, with a sweep now and then and sometimes a person's command."""
        end_ns = self.now_ns + int(seconds * 1e9)
        while self.now_ns < end_ns:
            self.run(self.people.uniform(0.05, 0.6))
            self.at(self.now_ns, self.sweep)
            if self.begun and self.people.random() < 0.03:
                self.at(self.now_ns, self.person)

    def end(self) -> bool:
        """All faults off, and a stop that has its time. Whether it came to its end."""
        self.venue_faults.remove()
        self.stop()
        return self.run(90.0, self.is_quiet)

    def verdict(self) -> Verdict:
        ours = OurJournal(Path("/nowhere"))
        for number, (_, offset, _, body) in enumerate(self.journal.records):
            ours.take(number, offset, decode_any(body[HEADER_SIZE:]))
        rows = [_order(record) for record in self.evidence.orders.rows(0, ROWS_MAX)]
        return judge(venue_orders(rows, (), CLIENT), ours, LIMITS, None)
