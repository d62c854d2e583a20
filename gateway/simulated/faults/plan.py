"""What goes wrong with one request, decided before it is looked at. Pure data."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import msgspec

from ..core.errors import VenueError
from ..payload import Json

Within = Callable[[], AbstractContextManager[None]]
"""Makes what an operation runs within: a world that is not as it is."""


class RequestPlan(msgspec.Struct, frozen=True):
    """Every field at its default: nothing goes wrong. `faults` names what does, for the log.

    The order of things: the request is admitted (limits, key, signature, timestamp); `before_ns` pass and the timestamp is
    looked at again; `refusal` is answered instead of acting, or `swallowed` ends it without a word; the operation runs
    `within` all of those; `rewrite` makes another result of its result; `error` is answered although it was done; the
    events go out first if `events_first` or if the answer is late, lost or cut off; `after_ns` pass; the answer goes out
    `copies` times, or the connection is cut if `cuts`; then go the events that have not gone.
    """

    faults: tuple[str, ...] = ()
    before_ns: int = 0
    refusal: VenueError | None = None
    swallowed: bool = False
    within: tuple[Within, ...] = ()
    rewrite: Callable[[Json], Json] | None = None
    error: VenueError | None = None
    events_first: bool = False
    after_ns: int = 0
    copies: int = 1
    cuts: bool = False

    @property
    def is_told(self) -> bool:
        """Whether an answer goes out."""
        return self.copies > 0 and not self.swallowed and not self.cuts


NOTHING = RequestPlan()
