"""`touchline check --online`: what every venue of a configuration says of its instruments, and how far its clock is off.

Public questions alone: no key is needed and nothing is written.
"""

from typing import Any, NamedTuple

from bus.clock import EngineClock
from bus.messages import ClockEstimate, Instrument
from gateway.doors.rest import RestDoor
from gateway.doors.venue_time import VenueTime
from ops.assembly import unfit
from ops.config import decimal_text
from ops.feeds import Source, is_traded, sources
from ops.preflight import StartFailed, read_instruments
from ops.public import Public, Unanswered
from ops.sections import Config
from ops.venue_clock import VenueClock


class Seen(NamedTuple):
    """One venue. clock: None where it tells no time. problems: why an engine would not start, or not trade."""

    source: Source
    instruments: list[Instrument]
    clock: ClockEstimate | None
    problems: list[str]


async def look(config: Config) -> list[Seen]:
    """Ask all of them, one after the other. What cannot be had is among the problems."""
    clock = EngineClock()
    rows = sources(config)
    rest = RestDoor({row.number: row.addresses.rest for row in rows}, clock.now_ns, VenueTime())
    await rest.open()
    try:
        return [await _look(config, rest, clock, row) for row in rows]
    finally:
        await rest.close()


async def _look(config: Config, rest: RestDoor, clock: EngineClock, source: Source) -> Seen:
    instruments: list[Instrument] = []
    estimates: list[ClockEstimate] = []
    problems: list[str] = []
    try:
        instruments = await read_instruments(rest, source)
        problems += [reason for row in instruments if is_traded(row) and (reason := unfit(config, row))]
        if source.market.time_path():
            bound_ms = config.venue.clock_offset_max_ms
            await VenueClock(Public(rest, source), clock.now_ns, estimates.append, bound_ms).look()
    except (StartFailed, Unanswered) as error:
        problems.append(str(error))
    return Seen(source, instruments, estimates[-1] if estimates else None, problems)


def told(seen: Seen) -> dict[str, Any]:
    """As JSON. Sizes are the venue's own decimals; 0 is no bound."""
    clock = seen.clock
    return {
        "venue": seen.source.name,
        "clock_offset_ms": round(clock.offset_ns / 1e6, 1) if clock is not None else None,
        "clock_uncertainty_ms": round(clock.uncertainty_ns / 1e6, 1) if clock is not None else None,
        "instruments": [_filters(row) for row in seen.instruments],
        "problems": seen.problems,
    }


def _filters(row: Instrument) -> dict[str, Any]:
    def price(ticks: int) -> str:
        return decimal_text(ticks * row.tick, row.price_scale)

    def quantity(lots: int) -> str:
        return decimal_text(lots * row.lot, row.quantity_scale)

    return {
        "symbol": row.venue_symbol,
        "trading": row.trading,
        "tick": price(1),
        "lot": quantity(1),
        "price_min": price(row.min_price_ticks),
        "price_max": price(row.max_price_ticks),
        "quantity_min": quantity(row.min_lots),
        "quantity_max": quantity(row.max_lots),
        "notional_min": decimal_text(row.min_notional, row.quote_scale),
        "notional_max": decimal_text(row.max_notional, row.quote_scale),
        "orders_max": row.max_orders,
    }
