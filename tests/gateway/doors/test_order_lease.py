"""The fence: what the venue gets of a new order always ends before the lease does, and nothing new leaves after it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.clock import VirtualClock
from bus.messages import (
    CancelOrder,
    ClockEstimate,
    Instrument,
    Outcome,
    Refusal,
    RequestAnswered,
    RequestKind,
    RequestSent,
    SubmitOrder,
)
from gateway.binance_spot.signing import HmacSigner
from gateway.doors.order import UNLEASED_NS, WINDOW_MS_MIN, Identity, OrderDoor
from gateway.doors.venue_time import VenueTime
from ops.sections import VenueSection
from ops.spot import BinanceSpotOrders
from tests.gateway.doors.order_entry import EPOCH, KEY, SECRET, KeptJournal, cancel, submit
from tests.support.house import BTC, MS, START_NS, Wire

WINDOW_MS = 1_000


class Fenced:
    """A door in the middle of a cascade: what it was asked leaves when `end` says that the cascade is over."""

    def __init__(self, offset_ns: int = 0, uncertainty_ns: int = 0) -> None:
        self.clock = VirtualClock(START_NS)
        self.wire, self.journal, self.said = Wire(), KeptJournal(), list[Any]()
        self._later: list[Callable[[int], None]] = []
        section = VenueSection("binance-spot", "http://v", "ws://v", "ws://v", recv_window_ms=WINDOW_MS)
        venue = BinanceSpotOrders(HmacSigner(KEY, SECRET), section, {0: BTC}, 0, 0)
        time = VenueTime()
        time.take(ClockEstimate(0, offset_ns, uncertainty_ns))
        self.door = OrderDoor("ws://v", venue, Identity(0, 0, 0, EPOCH), self.journal, time, self.clock.now_ns)
        self.door._socket, self.door._subscribed = self.wire, True  # type: ignore[assignment]  # as after a logon
        self.door.attach(self.said.append, lambda: 1, self._later.append)
        self.door.handlers[Instrument](BTC, 0)
        self.lease_end_ns = UNLEASED_NS
        self.door.lease_left_ns = lambda: self.lease_end_ns - self.clock.now_ns()

    def ask(self, request: SubmitOrder | CancelOrder, now_ns: int = START_NS) -> None:
        """now_ns: of the cascade, which began at or before the clock's present."""
        assert self.door.handlers[type(request)](request, now_ns) == ()

    def end(self) -> None:
        while self._later:
            self._later.pop(0)(self.clock.now_ns())

    def refusals(self) -> list[tuple[str, Outcome, Refusal, int]]:
        rows = [row for row in self.said if type(row) is RequestAnswered]
        return [(row.client_order_id, row.outcome, row.refusal, row.code) for row in rows]


def lasting(client_order_id: str = "tl1") -> SubmitOrder:
    return submit(client_order_id, expires_ns=START_NS + 60_000 * MS)


@given(
    left_ns=st.integers(-5_000 * MS, 5_000 * MS),
    late_ns=st.integers(0, 3_000 * MS),
    offset_ns=st.integers(-400 * MS, 400 * MS),
    uncertainty_ns=st.integers(0, 400 * MS),
    error=st.floats(-1, 1),
)
def test_no_new_order_can_be_taken_by_the_venue_after_the_lease(
    left_ns: int, late_ns: int, offset_ns: int, uncertainty_ns: int, error: float
) -> None:
    """late_ns: how long after its cascade began the door sees the order. error: where in its bounds the clock estimate is."""
    desk = Fenced(offset_ns, uncertainty_ns)
    desk.clock.advance(late_ns)
    desk.lease_end_ns = desk.clock.now_ns() + left_ns
    desk.ask(lasting())
    desk.end()
    true_offset_ns = offset_ns + int(error * uncertainty_ns)
    for request in desk.wire.requests():
        deadline_ms = request["params"]["timestamp"] + request["params"]["recvWindow"]
        assert deadline_ms * MS <= desk.lease_end_ns + true_offset_ns
        assert WINDOW_MS_MIN <= request["params"]["recvWindow"] <= WINDOW_MS
    if not desk.wire.written:
        assert desk.refusals() == [("tl1", Outcome.REFUSED, Refusal.LEASE, 0)]
        assert desk.journal.messages == []


@pytest.mark.parametrize(
    ("left_ms", "window_ms"), [(10_000, 1_000), (1_010, 1_000), (1_009, 999), (700, 690), (60, 50)]
)
def test_the_window_is_the_configured_one_or_what_is_left_of_the_lease(left_ms: int, window_ms: int) -> None:
    desk = Fenced(uncertainty_ns=10 * MS)
    desk.lease_end_ns = START_NS + left_ms * MS
    desk.ask(lasting())
    desk.end()
    [request] = desk.wire.requests()
    assert request["params"]["recvWindow"] == window_ms


def test_a_window_too_short_to_be_met_is_not_asked_for() -> None:
    desk = Fenced(uncertainty_ns=10 * MS)
    desk.lease_end_ns = START_NS + 59 * MS
    desk.ask(lasting())
    desk.end()
    assert desk.refusals() == [("tl1", Outcome.REFUSED, Refusal.LEASE, 0)]
    assert desk.wire.written == []


def test_a_lease_that_ends_between_check_and_write_lets_only_the_cancels_out() -> None:
    """They were journaled already: the answer says that they never left, so that nobody asks the venue for them."""
    desk = Fenced()
    desk.ask(lasting("tl1"))
    desk.ask(cancel("tl0"))
    desk.ask(lasting("tl2"))
    desk.lease_end_ns = desk.clock.now_ns()
    desk.end()
    assert [request["method"] for request in desk.wire.requests()] == ["order.cancel"]
    refused = (Outcome.REFUSED, Refusal.LEASE, 0)
    assert desk.refusals() == [("tl1", *refused), ("tl2", *refused)]
    sent = [row for row in desk.said if type(row) is RequestSent]
    assert [(row.request, row.client_order_id) for row in sent] == [(RequestKind.CANCEL, "tl0")]
    assert [type(message).__name__ for message in desk.journal.messages] == [
        "SubmitOrder",
        "CancelOrder",
        "SubmitOrder",
    ]
    assert (desk.door.orders_sent, desk.door.cancels_sent, desk.door.refused) == (0, 1, 2)
    desk.door._on_lost("later")
    assert len(desk.refusals()) == 3  # the cancel alone was under way
