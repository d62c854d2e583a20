"""What goes wrong with one request, decided before it is looked at. Pure data."""

from collections.abc import Callable

import msgspec

from ..core.errors import VenueError
from ..operations import Ask
from ..payload import Json


class RequestPlan(msgspec.Struct, frozen=True):
    """Every field at its default: nothing goes wrong. `faults` names what does, for the log.

    The order of things: the request is admitted (limits, key, signature, timestamp); `before_ns` pass and the timestamp is
    looked at again; `refusal` is answered instead of acting, or `swallowed` ends it without a word; `prepare` runs; the
    operation runs; `rewrite` makes another result of its result, or raises; `error` is answered although it was done; the
    events go out first if `events_first`; `after_ns` pass; the answer goes out `copies` times, or the connection is cut
    if `cuts`; then go the events.
    """

    faults: tuple[str, ...] = ()
    before_ns: int = 0
    refusal: VenueError | None = None
    swallowed: bool = False
    prepare: Callable[[], None] | None = None
    rewrite: Callable[[Json], Json] | None = None
    error: VenueError | None = None
    events_first: bool = False
    after_ns: int = 0
    copies: int = 1
    cuts: bool = False


NOTHING = RequestPlan()


class NoFaults:
    """A venue on which nothing goes wrong."""

    def plan(self, face: str, ask: Ask) -> RequestPlan:
        return NOTHING

    def reach(self, point: str, ask: Ask) -> None:
        pass
