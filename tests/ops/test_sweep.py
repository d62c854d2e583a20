"""Everything canceled that should be, and seen gone: the rules of a sweep, on a venue that answers as the test says."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ops import sweep as module
from ops.at_venue import Open, Unseen
from ops.sweep import sweep

MINE, LATE, OTHER = (Open(0, "BTCUSDT", name, "NEW") for name in ("mine", "late", "other"))


def is_mine(order: Open) -> bool:
    return order is not OTHER


class Venue:
    """`looks`: what each look shows, the last for ever; an exception is raised. Cancels are only remembered."""

    def __init__(self, *looks: list[Open] | Unseen) -> None:
        self.looks, self.asked = list(looks), 0
        self.canceled: list[str] = []

    async def open_orders(self, numbers: Iterable[int] | None = None) -> list[Open]:
        look = self.looks[min(self.asked, len(self.looks) - 1)]
        self.asked += 1
        if isinstance(look, Unseen):
            raise look
        return look

    async def cancel(self, orders: Iterable[Open], go_on: Callable[[], bool] = lambda: True) -> list[str]:
        self.canceled += [order.client_order_id for order in orders if go_on()]
        return []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROUND_S", 0.01)
    monkeypatch.setattr(module, "LATE_S", 0.0)


async def done(venue: Venue, window_s: float = 0.0, **given: Any) -> module.Swept:
    return await sweep(venue, is_mine, window_s, **given)  # type: ignore[arg-type]  # as much of one as a sweep asks


async def test_a_second_look_has_to_show_none() -> None:
    venue = Venue([MINE, OTHER], [OTHER])
    swept = await done(venue)
    assert (swept.found, swept.left, swept.seen) == ((MINE,), (), True)
    assert (venue.canceled, venue.asked) == (["mine"], 2)


async def test_what_comes_while_a_request_may_be_on_its_way_is_found_too() -> None:
    """The first look is clean; the engine's last request arrives after it."""
    venue = Venue([], [LATE], [])
    began = time.monotonic()
    swept = await done(venue, window_s=0.05)
    assert (swept.found, swept.left) == ((LATE,), ())
    assert time.monotonic() - began >= 0.05


async def test_what_does_not_go_is_left() -> None:
    swept = await done(Venue([MINE]), seconds=0.05)
    assert (swept.found, swept.left, swept.seen) == ((MINE,), (MINE,), True)


async def test_a_venue_that_cannot_be_asked_proves_nothing_and_is_asked_again() -> None:
    venue = Venue(Unseen("the network is away"), [MINE], [])
    assert (await done(venue)).left == ()
    gone = await done(Venue(Unseen("the network is away")), seconds=0.05)
    assert (gone.seen, gone.trouble) == (False, ("the network is away",))


async def test_what_may_be_open_without_being_listed_is_canceled_once_by_its_id() -> None:
    venue = Venue([])
    await done(venue, unlisted=[LATE])
    assert (venue.canceled, venue.asked) == (["late"], 2)
    venue = Venue([MINE], [])
    await done(venue, unlisted=[LATE])
    assert venue.canceled == ["mine", "late"]


async def test_who_may_not_go_on_touches_nothing() -> None:
    venue = Venue([MINE])
    swept = await done(venue, go_on=lambda: False)
    assert (venue.canceled, swept.left) == ([], (MINE,))
