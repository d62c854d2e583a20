"""The doors of one run that leads, each with what it asks of the engine: may it send, for how long, where does it go."""

import asyncio
from typing import TYPE_CHECKING

from bus.host import Receiver
from gateway.doors.coordination.door import CoordinationDoor
from gateway.doors.order import Identity, OrderDoor
from gateway.doors.order_rest import OrderRest
from ops import events
from ops.assembly import ACCOUNT, VENUE
from ops.venues import account_rest

if TYPE_CHECKING:
    from ops.engine import Engine


def order_door(engine: "Engine") -> OrderDoor:
    """Once the epoch is this run's and its journal is open."""
    section, venue = engine.config.venue, engine.order_venue
    door = OrderDoor(
        section.websocket_api,
        venue,
        Identity(engine.placement.number, ACCOUNT, VENUE, engine.epoch),
        engine.journal,
        engine.venue_time,
        engine.clock.now_ns,
        budget=engine.rest.budget(VENUE),
    )
    by_rest = account_rest(engine.signer, section, venue.instruments)
    door.use_rest(
        OrderRest(engine.rest.http(VENUE), by_rest, engine.clock.now_ns, engine.venue_time.milliseconds),
        for_orders=section.order_entry == "rest",
    )
    door.disk_failed = lambda: engine.records.failed or engine.host.journal_failures > 0
    door.lease_left_ns = engine.standby.left_ns
    door.on_trouble = lambda detail: events.warning("order_door", detail=detail)
    return door


def coordination_door(engine: "Engine") -> CoordinationDoor:
    term = engine.standby.term
    assert term is not None, "nothing is built before the campaign is won"
    group = engine.config.coordination.group
    door = CoordinationDoor(engine.coordinator, term, group, engine.traded, engine.clock.now_ns)
    door.on_trouble = lambda detail: events.warning("coordination_door", detail=detail)
    return door


def store_door(engine: "Engine") -> Receiver:
    """Its answers come from the index's thread."""
    loop = asyncio.get_running_loop()
    return engine.records.door(lambda answer: loop.call_soon_threadsafe(engine.pump.post, answer), engine.clock.now_ns)
