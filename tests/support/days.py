"""A seeded day of the whole engine in the world of tests.support.world: its faults, how long it trades, what must hold after it."""

from random import Random

from bus.messages import Fill, OrderUpdate, SubmitOrder
from tests.support.world import CLIENT, NONE, SYMBOLS, Faults, World

TRADING_S = 15.0


def faults_of(seed: int) -> Faults:
    """Every fourth seed is calm and fast; the others are rough in different mixtures."""
    if seed % 4 == 0:
        return NONE
    draw = Random(seed)
    return Faults(
        lose_answer=draw.choice((0.0, 0.05, 0.2)),
        lose_request=draw.choice((0.0, 0.05)),
        say_twice=draw.choice((0.0, 0.2)),
        fail_query=draw.choice((0.0, 0.2)),
        cut_s=draw.choice((0.0, 3.0, 6.0)),
        delay_ms=draw.choice(((0.5, 5.0), (0.5, 80.0), (20.0, 300.0))),
    )


def trade_a_day(world: World) -> None:
    world.start()
    world.run(TRADING_S)
    world.finish()


def wrong(world: World) -> list[str]:
    """What must hold after a stop, whatever happened before; empty when it does."""
    house = world.house
    journaled = house.journal.messages()
    fills = [message for message in journaled if isinstance(message, Fill)]
    submits = [message.client_order_id for message in journaled if isinstance(message, SubmitOrder)]
    updates = [message.number for message in journaled if isinstance(message, OrderUpdate)]
    books = house.actor("orderbook").view()["books"].values()
    host = house.host
    rules = [
        (world.is_quiet(), "the engine never said that it is quiet"),
        (world.working_at_venue() == [], "an order of ours still works at the venue"),
        (world.our_ledger() == world.venue_ledger(), f"ledger {world.our_ledger()} is not {world.venue_ledger()}"),
        (world.matching.ledger.imbalances() == {}, "the venue's own ledger does not add up"),
        (host.failures == 0 and host.broken == "" and host.undecodable == 0, "an actor failed"),
        (house.actor("risk").view()["open_orders"] == 0, "risk still holds a reservation"),
        (house.actor("execution").view()["orders"] == [], "execution still holds an order"),
        (len(submits) == len(set(submits)), "a client order id was used twice"),
        (len({(f.instrument, f.trade_id, f.client_order_id) for f in fills}) == len(fills), "a fill was booked twice"),
        (len(fills) == sum(len(world.matching.registry.trades(CLIENT, s)) for s in SYMBOLS), "fills are missing"),
        ([fill.number for fill in fills] == list(range(1, len(fills) + 1)), "fills are not numbered gaplessly"),
        (updates == list(range(1, len(updates) + 1)), "updates are not numbered gaplessly"),
        (all(book["top_mismatches"] == 0 for book in books), "a rebuilt top differs from the venue's"),
    ]
    return [text for held, text in rules if not held]
