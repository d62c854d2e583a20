"""Everything canceled that should be, at a venue where no engine of ours looks after it, and seen gone by a second look."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from actors.orders.ids import recognize
from ops.at_venue import AtVenue, Open, Unseen

SECONDS = 30.0
"""Until what is left is told; chosen."""
ROUND_S = 0.5
"""Between two looks; chosen."""
LATE_S = 0.5
"""Beyond a request's window: what was on its way when its engine died is refused or open by then. Chosen."""


class Swept(NamedTuple):
    """found: what was canceled, each once. left: what is open still, by the last look. trouble: the last round's, in words.

    seen: False where no look came to its end after the cancels: then nothing is known of what is left.
    """

    found: tuple[Open, ...]
    left: tuple[Open, ...]
    trouble: tuple[str, ...]
    seen: bool


def ours(prefix: str, epoch_max: int | None = None) -> Callable[[Open], bool]:
    """Whether an id is one that an engine of this prefix made; epoch_max: in this epoch or an earlier one."""

    def made(order: Open) -> bool:
        known = recognize(prefix, order.client_order_id)
        return known is not None and (epoch_max is None or known.epoch <= epoch_max)

    return made


async def sweep(
    venue: AtVenue,
    wanted: Callable[[Open], bool],
    window_s: float,
    *,
    unlisted: Sequence[Open] = (),
    numbers: Iterable[int] | None = None,
    seconds: float = SECONDS,
    go_on: Callable[[], bool] = lambda: True,
) -> Swept:
    """Look, cancel what is wanted, look again, until a look that is late enough shows none, or the time is over.

    window_s: how long a request of the engine may be on its way. unlisted: orders that may be open without being listed
    yet: each is canceled once by its id, which is safe both ways. numbers: of the instruments; None: all.
    """
    began = time.monotonic()
    wanted_in = None if numbers is None else list(numbers)
    found: dict[tuple[int, str], Open] = {}
    left: list[Open] = []
    trouble: list[str] = []
    seen = False
    while True:
        looked_s = time.monotonic() - began
        try:
            listed = await venue.open_orders(wanted_in)
        except Unseen as error:
            trouble, seen = [str(error)], False
        else:
            left, seen = [order for order in listed if wanted(order)], True
            if not (left or unlisted) and looked_s >= window_s + LATE_S:
                return Swept(tuple(found.values()), (), (), True)
            trouble = await venue.cancel(left, go_on)
            found.update({(order.instrument, order.client_order_id): order for order in left})
        if unlisted:
            await venue.cancel(unlisted, go_on)
            unlisted = ()
        if time.monotonic() - began > seconds or not go_on():
            return Swept(tuple(found.values()), tuple(left), tuple(trouble), seen)
        await asyncio.sleep(ROUND_S)
