"""What is asked of the venue, as long as no answer came; and what was strange, as it is shown. Pure."""

import msgspec

from bus.messages import QueryKind


class Question(msgspec.Struct, array_like=True):
    """One VenueQuery in flight or waiting for its retry. look: asked by the start-up or the periodic look, so no order's own.

    unexplained: a TRADES page held an execution that we could not attribute and that might be this order's.
    venue_order_id: TRADES of that order alone; 0: of all. known: highest booked trade id when a look asked for TRADES.
    last: OPEN_ORDERS or TRADES of an order that the venue seems to have forgotten: see `forgotten`.
    strangers: venue order ids of a page's trades that are of no order we know. since_ns: TRADES by time, as in VenueQuery.
    proof: TRADES that may be the last word on orders that never were; others: of those beside client_order_id; blamed: whose a
    trade may be that we could not attribute.
    """

    kind: QueryKind
    instrument: int
    client_order_id: str
    from_id: int
    look: bool
    periodic: bool = False
    attempt: int = 0
    unexplained: bool = False
    venue_order_id: int = 0
    known: int = 0
    last: bool = False
    strangers: list[int] = []
    since_ns: int = 0
    proof: bool = False
    others: list[str] = []
    blamed: list[str] = []


class Strange(msgspec.Struct, array_like=True, frozen=True):
    """One row for people. trade_id -1: not about an execution."""

    why: str
    instrument: int
    client_order_id: str
    venue_order_id: int
    trade_id: int
    at_ns: int
