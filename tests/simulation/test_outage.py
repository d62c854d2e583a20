"""DNS and network gone for ten minutes: nothing leaves UNKNOWN without the venue's word, no wish to cancel is forgotten."""

from bus.messages import DONE, CancelOrder, Control, OperatorCommand, OrderStatus, OrderUpdate, Outcome, VenueQuery
from gateway.doors.rest import no_answer
from tests.support.days import wrong
from tests.support.house import House
from tests.support.world import SnapshotRequest, World

OUTAGE_S = 600.0
RETRY_MS = 5_000.0
"""Between two attempts to dial while there is nobody; the real door's grow to 15 s."""


class Outage(World):
    """`down`: no connection opens, and no question is answered; the venue goes on."""

    down = False

    def go(self) -> None:
        self.down = True
        self.cut_orders("the network is gone")
        self.cut_feed("the network is gone")

    def connect_orders(self) -> None:
        if self.down:
            self._in_this_life(RETRY_MS, self.connect_orders)
        else:
            super().connect_orders()

    def connect_feed(self) -> None:
        if self.down:
            self._in_this_life(RETRY_MS, self.connect_feed)
        else:
            super().connect_feed()

    def _reach(self, house: House, request: VenueQuery | SnapshotRequest, asked_ns: int) -> None:
        if not self.down:
            super()._reach(house, request, asked_ns)
        elif isinstance(request, VenueQuery):
            house.post(no_answer(request, Outcome.AMBIGUOUS, asked_ns, self.now_ns, "cannot resolve the name"))
        else:
            house.post(self._snapshot(request, 503, b""))


def last_words(world: World) -> dict[str, OrderStatus]:
    return {m.client_order_id: m.status for m in world.house.journal.messages() if isinstance(m, OrderUpdate)}


def test_ten_minutes_without_a_network_end_no_order() -> None:
    """Orders of which the venue has not answered yet, and ones that work; a person wants all of them canceled meanwhile."""
    world = Outage(5)
    world.start()
    assert world.run(30.0, world.is_ready)
    assert world.run(30.0, lambda: any(status is OrderStatus.PENDING_NEW for status in last_words(world).values()))
    open_before = [key for key, status in last_words(world).items() if status not in DONE]
    assert open_before
    world.go()
    sent = len(world.house.journal.messages())
    world.house.post(OperatorCommand(Control.CANCEL_ALL, -1, "the network is gone"))
    world.run(OUTAGE_S)
    assert not any(isinstance(message, CancelOrder) for message in world.house.journal.messages()[sent:])
    assert [last_words(world)[key] for key in open_before if last_words(world)[key] in DONE] == []
    orders = world.house.actor("orders")
    assert all(orders.desk.register.open[key].cancel_wanted for key in open_before)
    world.down = False
    world.run(60.0)
    assert all(last_words(world)[key] in DONE for key in open_before)
    world.finish()
    assert wrong(world) == []
