"""A minute without a single acknowledgement, at full quoting: within the limits, and nothing sent twice.

The real actors, door and codec against the venue's own core, on one virtual clock (tests/support/world.py). The venue takes
every order and fills some; its answers never come. Its private stream goes on, or is as deaf as they are. The limits are
narrower than the strategy's own, so that risk is what holds, and they are held against the venue's truth all the time.
"""

import pytest

from bus.messages import Side, SubmitOrder
from tests.support.days import wrong
from tests.support.world import CLIENT, CONFIG, NONE, SYMBOLS, World

MINUTE_S = 60.0
MAX = {"BTCUSDT": 300_000, "ETHUSDT": 3_000_000}
"""Of a position with all that works on its side, base units: 0.003 and 0.03, three orders each."""
LOT = {"BTCUSDT": 1_000, "ETHUSDT": 10_000}
NARROW = (
    CONFIG.replace('position_max = "0.02"', 'position_max = "0.003"')
    .replace('position_min = "-0.02"', 'position_min = "-0.003"')
    .replace('position_max = "0.2"', 'position_max = "0.03"')
    .replace('position_min = "-0.2"', 'position_min = "-0.03"')
    .replace("position_lots = 1000", "position_lots = 100000")
    .replace("position_lots = -1000", "position_lots = -100000")
)


class Deaf(World):
    """hears: which frames of the order connection reach us. worst: the most that was ever at stake, by symbol and side."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, NONE, config=NARROW)
        self.answers_come = self.events_come = True
        self.unheard = 0
        self.before = {symbol: self._base(symbol) for symbol in SYMBOLS}
        self.worst = {(symbol, side): 0 for symbol in SYMBOLS for side in Side}

    def _hear(self, payload: bytes) -> None:
        comes = self.answers_come if payload.startswith(b'{"id":') else self.events_come
        self.unheard += not comes
        if comes:
            super()._hear(payload)

    def _base(self, symbol: str) -> int:
        ledger, asset = self.matching.ledger, symbol.removesuffix("USDT")
        return int(ledger.free[CLIENT][asset] + ledger.locked[CLIENT][asset])

    def _background(self) -> None:
        super()._background()
        open_orders = self.matching.registry.open_orders(CLIENT)
        for symbol, side in self.worst:
            name = side.name
            leaves = sum(o.leaves for o in open_orders if o.symbol == symbol and o.side.name == name)
            held = self._base(symbol) - self.before[symbol]
            self.worst[symbol, side] = max(self.worst[symbol, side], side * held + leaves)


def submits(world: World) -> list[SubmitOrder]:
    return [message for message in world.house.journal.messages() if isinstance(message, SubmitOrder)]


@pytest.mark.parametrize(("seed", "events_come"), [(1, True), (2, False)], ids=["answers", "answers and events"])
def test_a_minute_without_acknowledgements(seed: int, *, events_come: bool) -> None:
    world = Deaf(seed)
    world.start()
    world.run(10.0)
    before = len(submits(world))
    world.answers_come, world.events_come = False, events_come
    world.run(MINUTE_S)
    sent = submits(world)
    refused = world.house.actor("risk").view()["refused"]
    world.answers_come = world.events_come = True
    world.run(20.0)
    assert world.finish()
    assert wrong(world) == []
    for (symbol, _), most in world.worst.items():
        assert most <= MAX[symbol] + LOT[symbol], "of a fee in the base asset less than a lot is not counted"
    for symbol in SYMBOLS:
        assert max(world.worst[symbol, side] for side in Side) >= 0.6 * MAX[symbol], "the limits were never near"
    assert world.unheard > 100
    commands = [(order.owner, order.command) for order in sent]
    assert len(commands) == len(set(commands)), "one command became two orders"
    at_venue = [order.client_order_id for order in world.matching.registry.orders.values() if order.account == CLIENT]
    assert len(at_venue) == len(set(at_venue))
    assert set(at_venue) <= {order.client_order_id for order in submits(world)}
    if events_come:
        assert len(sent) - before > 100, "full quoting: its private stream acknowledges"
        assert refused["POSITION"] > 50, "the limits were what held"
    else:
        assert len(sent) - before > 10
        assert refused["IN_FLIGHT"] > 10, "what nobody acknowledges is asked for one at a time"
