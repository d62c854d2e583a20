"""Cancel an order and send a new one, in one request, with each of its outcomes (rest-api.md, "Cancel an Existing Order ..."). Pure."""

from enum import StrEnum

import msgspec

from .errors import VenueError
from .matching import MatchingEngine
from .orders import NewOrder, Order


class ReplaceMode(StrEnum):
    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    """If the cancel fails, the new order is not attempted."""
    ALLOW_FAILURE = "ALLOW_FAILURE"


class Replaced(msgspec.Struct, frozen=True):
    """What became of both halves. `placed` is None when the new order was not attempted."""

    canceled: Order | VenueError
    placed: Order | VenueError | None


def cancel_replace(
    engine: MatchingEngine,
    found: Order | VenueError,
    cancel_id: str,
    request: NewOrder,
    mode: ReplaceMode,
    now_ns: int,
) -> Replaced:
    """Cancel the order `found`, or fail with why it was not; then place `request`, unless `mode` stops it.

    Raises BadRequest when the new order fails a filter: those are looked at before anything is done. A new order that is
    refused after its cancel succeeded is reported as REJECTED.
    """
    engine.check_rules(request, now_ns)
    canceled = _cancel(engine, found, cancel_id, now_ns)
    if isinstance(canceled, VenueError) and mode is ReplaceMode.STOP_ON_FAILURE:
        return Replaced(canceled, None)
    try:
        return Replaced(canceled, engine.place(request, now_ns))
    except VenueError as error:
        if isinstance(canceled, Order):
            engine.reject(request, error, now_ns)
        return Replaced(canceled, error)


def _cancel(engine: MatchingEngine, found: Order | VenueError, cancel_id: str, now_ns: int) -> Order | VenueError:
    if isinstance(found, VenueError):
        return found
    try:
        return engine.cancel(found, cancel_id, now_ns)
    except VenueError as error:
        return error
