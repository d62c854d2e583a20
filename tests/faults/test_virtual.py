"""What takes longer than a test may wait: the venue's faults in the seeded world, on a virtual clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bus.messages import DONE, Fill, OrderRefused, OrderStatus, OrderUpdate, Refusal, SubmitOrder
from tests.faults.harness import UNKNOWN
from tests.faults.shows import shows
from tests.faults.virtual import FaultyWorld
from tests.support.days import wrong
from tests.support.world import CONFIG

REJECTED = OrderStatus.REJECTED
YOUNG_S = 8.0
"""Less than the engine's own deadline for a request and the venue's processing bound of ten seconds."""
SETTLED_S = 40.0


@contextmanager
def trading(*faults: dict[str, Any], config: str = CONFIG) -> Iterator[FaultyWorld]:
    """A world that trades without faults for five seconds, and with them from then on."""
    world = FaultyWorld(3, config=config)
    try:
        world.start()
        assert world.run(30.0, world.is_ready)
        world.run(5.0)
        world.set_faults(*faults)
        yield world
    finally:
        world.close()


def histories(world: FaultyWorld) -> dict[str, list[OrderStatus]]:
    found: dict[str, list[OrderStatus]] = {}
    for message in world.house.journal.messages():
        if isinstance(message, OrderUpdate):
            found.setdefault(message.client_order_id, []).append(message.status)
    return found


def settled(world: FaultyWorld) -> list[str]:
    """Stop it; what is wrong then."""
    world.finish()
    return wrong(world)


def given_up_late(world: FaultyWorld, kind: str, count: int) -> None:
    """The orders that `kind` hit: UNKNOWN while they are young, with their whole risk, and REJECTED in the end."""
    assert world.run(20.0, lambda: len(world.hits(kind)) == count)
    orders = world.hits(kind)
    world.run(YOUNG_S)
    assert all(histories(world)[one][-1] in UNKNOWN for one in orders)
    assert world.house.actor("risk").view()["open_orders"] >= len(orders)
    world.run(SETTLED_S)
    assert all(histories(world)[one][-1] is REJECTED for one in orders)
    assert settled(world) == []


def refused(world: FaultyWorld, reason: Refusal) -> int:
    return sum(isinstance(message, OrderRefused) and message.reason is reason for message in world.house.asked)


def increasing(world: FaultyWorld, since: int) -> int:
    """New orders from that journal entry on whose side is that of the position then, or that had none to reduce."""
    base = {row.instrument: row.base_asset for row in world.house.instruments}
    position, found = dict.fromkeys(base, 0), 0
    for number, message in enumerate(world.house.journal.messages()):
        if isinstance(message, Fill):
            fee = message.fee if message.fee_asset == base[message.instrument] else 0
            position[message.instrument] += message.side * message.quantity - fee
        elif isinstance(message, SubmitOrder) and number >= since:
            found += message.side * position[message.instrument] >= 0
    return found


@shows("request-lost-place")
def test_a_lost_order_is_given_up_on_the_venues_word_alone() -> None:
    with trading({"kind": "request-lost", "operation": "place", "every": 3, "count": 2}) as world:
        given_up_late(world, "request-lost", 2)


@shows("unknown-not-done")
def test_an_unknown_outcome_that_was_not_done_ends_by_queries() -> None:
    """Each of the venue's ways to say so, once."""
    hows: list[dict[str, Any]] = [{"code": -1007}, {"code": -1006}, {"status": 500}, {"status": 504}]
    fault = {"kind": "unknown", "operation": "place", "outcome": "not-done", "count": 1}
    with trading(*({**fault, **how, "after": after} for after, how in enumerate(hows))) as world:
        given_up_late(world, "unknown", len(hows))


@shows("query-lag")
def test_not_found_is_not_believed_of_a_young_order() -> None:
    """Neither answer nor report tells of the order, and the replica knows of it eight seconds late."""
    with trading(
        {"kind": "answer-lost", "operation": "place", "count": 1},
        {"kind": "user-drop", "until_s": 12.0},
        {"kind": "query-lag", "lag_ms": 8_000, "until_s": 30.0},
    ) as world:
        assert world.run(20.0, lambda: len(world.hits("answer-lost")) == 1)
        [order] = world.hits("answer-lost")
        world.run(6.0)
        assert world.house.actor("orders").view()["counts"]["not_found_too_early"] > 0
        assert histories(world)[order][-1] in UNKNOWN
        world.run(SETTLED_S)
        assert REJECTED not in histories(world)[order]
        assert histories(world)[order][-1] in DONE
        assert settled(world) == []


@shows("market-stall-all")
def test_a_silent_connection_is_dialed_anew() -> None:
    """Two books on one connection, both of whose streams are known to the engine: they fall silent together."""
    with trading() as world:
        world.run(15.0)
        opened = world.feed_generation
        world.set_faults({"kind": "market-stall", "stream": "all", "seconds": 8, "count": 1})
        books = world.house.actor("orderbook")
        assert world.run(8.0, lambda: all(book["state"] != "LIVE" for book in books.view()["books"].values()))
        assert world.run(8.0, lambda: world.feed_generation > opened)
        assert world.run(20.0, lambda: all(book["state"] == "LIVE" for book in books.view()["books"].values()))
        assert settled(world) == []


@shows("market-delay")
def test_a_late_feed_holds_back_what_increases() -> None:
    """Goal: orders are not made of an old market. Method: a limit of 300 ms, a delay of twice that; what may still leave
    reduces a position. (The worst lag of the last five seconds counts, so it takes that long to trust the feed again.)
    """
    config = CONFIG + "\n[risk]\nfeed_lag_max_ms = 300\n"
    with trading({"kind": "market-delay", "stream": "all", "delay_ms": 600, "until_s": 10.0}, config=config) as world:
        world.run(2.0)
        late = len(world.house.journal.messages())
        world.run(7.0)
        assert refused(world, Refusal.FEED_LATE) > 0
        assert increasing(world, late) == 0
        world.run(20.0)
        assert increasing(world, late) > 0
        assert settled(world) == []
