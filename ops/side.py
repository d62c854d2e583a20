"""A host beside the one that trades: market data, a strategy, or both. It holds no key, no journal and no checkpoint.

Its instruments, and their numbers, are those of the host that trades: it waits for them, whoever starts first.
"""

import asyncio
import sys
from typing import Any

from bus.codec import decode_any
from bus.host import Host, Receiver
from bus.link import Arrived
from bus.messages import HEADER_SIZE, Instrument
from bus.pump import Pump
from ops import events
from ops.assembly import VENUE, build_actors
from ops.hosts import Placement
from ops.node import SWITCH_S, Node, resident_mb
from ops.preflight import check_clock
from ops.sections import Config
from ops.state import StateDirectory
from ops.topology import routing

POLL_S = 0.02
"""Between two looks for the instruments while the host waits for them; chosen."""


class SideHost(Node):
    """`start`, then `wait`, then `stop`; `close` in any case."""

    def __init__(self, config: Config, state: StateDirectory, placement: Placement) -> None:
        super().__init__(config, state, placement)
        self._early: list[Arrived] = []

    @property
    def keeps_books(self) -> bool:
        return "market_data" in self.placement.host.actors

    # -- start ----------------------------------------------------------------------------------------------------

    async def start(self, stopped: asyncio.Event) -> None:
        """Returns when it works, or early when `stopped` is set or something broke. Raises StartFailed, StateError, ConfigError, BusError."""
        sys.setswitchinterval(SWITCH_S)
        self._open_telemetry()
        if self.keeps_books:
            await self.rest.open()
            await self._await_room(stopped)
            if stopped.is_set():
                return
            self.venue_time.take(await check_clock(self.rest, self.clock.now_ns, self.config.venue))
        self._open_neighbors()
        self.neighbors.listen(self)
        await self._until_told(stopped)
        if stopped.is_set() or self.failure.done():
            return
        self._know(list(self.instruments.values()))
        self._guard_strategy()
        self.actors += build_actors(self.config, list(self.instruments.values()), self.placement.host.actors)
        self._open_input_log()
        self._make_host()
        early, self._early = self._early, []
        self.pump.post_arrived(early)
        self.neighbors.lose_absent()
        if self.keeps_books:
            self._open_feed()
            self._ask_clocks()
        self._run(self._guard(self._housekeeping()))
        events.info("host_ready", host=self.placement.host.name, instruments=len(self.instruments))

    async def _until_told(self, stopped: asyncio.Event) -> None:
        """The host that trades tells its instruments with its first words: when it is up, they are all here."""
        trader = next(row.name for row in self.placement.others.values() if "orders" in row.actors)
        polls = 0
        ended = (stopped.is_set, self.failure.done)
        while not (self.neighbors.up[trader] and self.instruments) and not any(has() for has in ended):
            if polls % round(1 / POLL_S) == 0:
                self.neighbors.wait_line(polls // round(1 / POLL_S) + 1)
            await asyncio.sleep(POLL_S)
            polls += 1

    def _make_host(self) -> None:
        names = self.placement.names
        self._make_feed()
        doors: list[Receiver] = [self.timers, self.supervision, self.supervisor]
        doors += [door for door in (self.rest, self.feed) if door.name in names]
        self.host = Host(
            [*self.actors, *doors],
            routing(names),
            self._mailboxes,
            self.clock.now_ns,
            input_log=self.input_log,
            number=self.placement.number,
            first_offset=self._first_offset,
            remotes=self.neighbors.remotes(),
        )
        self._supervise()
        self.pump = Pump(self.host, self.timers, self.clock, self.collector, self.standstill)
        self.pump.on_broken = self._fail
        self._attach_doors({})
        if self.input_log is not None:
            self.pump.at_quiet(self.input_log.touch_ahead)
        self.neighbors.attach(self.host, self.pump, list(self.instruments))
        self._show_host()

    # -- inputs ---------------------------------------------------------------------------------------------------

    def post_arrived(self, messages: list[Arrived]) -> None:
        """What other hosts say; until this host is made it is kept (bus.links.Inputs)."""
        for message in messages:
            if message.kind is Instrument and not self._is_ours(message):
                return
        if hasattr(self, "pump"):
            self.pump.post_arrived(messages)
        else:
            self._early += messages

    def _is_ours(self, message: Arrived) -> bool:
        """An instrument's number means one instrument for as long as this process lives."""
        told = decode_any(message.raw[HEADER_SIZE:])
        assert isinstance(told, Instrument)
        known = self.instruments.get(told.instrument)
        if known is not None and (known.venue, known.venue_symbol) == (told.venue, told.venue_symbol):
            self.instruments[told.instrument] = told
            return True
        if not self._is_configured(told):
            return False
        if not hasattr(self, "pump") and known is None:
            self.instruments[told.instrument] = told
            return True
        self._fail(
            f"the host that trades has other instruments now (number {told.instrument} is {told.venue_symbol}): "
            "start this host again"
        )
        return False

    def _is_configured(self, told: Instrument) -> bool:
        """Which venue a number means is in the configuration alone: the hosts must have the same [[feed]] rows."""
        if told.venue == VENUE:
            return True
        if told.venue < len(self.sources) and told.venue_symbol in self.sources[told.venue].symbols:
            return True
        self._fail(
            f"the host that trades looks at {told.venue_symbol} of venue {told.venue}, which this host's configuration does "
            "not name: give both the same [[feed]] rows, in the same order"
        )
        return False

    def _each_second(self, seconds: int) -> None:
        self.neighbors.wait_line(seconds)

    # -- stop -----------------------------------------------------------------------------------------------------

    async def stop(self, reason: str) -> None:
        """Say goodbye, so that nobody waits for our silence, and take no further input."""
        events.info("stopping", reason=reason)
        self.neighbors.stop()
        self.feed_close()
        if hasattr(self, "pump"):
            self.pump.stop()

    async def close(self) -> None:
        """Free everything, whatever state it is in."""
        await self._end_tasks()
        if hasattr(self, "pump"):
            self.pump.stop()
        await self._free()

    def report(self) -> dict[str, Any]:
        """The run's JSON object."""
        if not hasattr(self, "host"):
            return {"host": self.placement.host.name, "instruments": 0}
        books = self.views().get("orderbook", {"books": {}})["books"]
        peers = {self.placement.others[n].name: peer.link.outbound for n, peer in self.neighbors.links.peers.items()}
        return {
            "host": self.placement.host.name,
            "instruments": len(self.instruments),
            "frames": self.feed.frames if hasattr(self, "feed") else 0,
            "connections": self.feed.view(),
            "books": {self.supervisor.symbols[n]: books[n]["state"] for n in self.instruments if n in books},
            "host_losses": self.neighbors.losses,
            "standstills": self.standstill.count,
            "links": {
                name: {"conflated": out.conflated, "dropped": out.dropped, "resent": out.resent, "lost": out.lost_facts}
                for name, out in peers.items()
            },
            "hops_us": {
                name: {key: round(value, 1) for key, value in row.to_summary().items()}
                for name, row in self.host.histograms().items()
            },
            "rss_mb": {"at_10s": round(self.rss_at_10s or resident_mb(), 1), "end": round(resident_mb(), 1)},
            "actor_failures": self.host.failures,
        }
