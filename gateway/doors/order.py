"""The order door: the only holder of the engine's keys, and the commit point.

In one step without an await it checks connection, lease, epoch, expiry and an empty write buffer, appends the request
to the order journal, and writes the socket; the requests of one cascade leave in one write, at its end, because a
system call costs more than the rest of a cascade. What it cannot do it refuses, at once and with the reason; what was
written and never answered is AMBIGUOUS. How the connection under it is opened and kept is `gateway.doors.session`.

The lease is fenced by the venue itself: each new order bears a deadline (timestamp and window) that lies before the
lease's end, so that one which is delayed behind our check is refused there.
"""

from collections.abc import Callable
from time import perf_counter_ns
from typing import NamedTuple, Protocol

import msgspec

from bus.actor import NOTHING, Handler
from bus.codec import encode, tag_of
from bus.latency import Histogram
from bus.log import LogError
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    CancelOrder,
    ClockEstimate,
    Instrument,
    Message,
    Outcome,
    PrivateStreamSuspected,
    Refusal,
    RequestAnswered,
    RequestKind,
    RequestSent,
    SubmitOrder,
)
from gateway.doors.budget import Budget
from gateway.doors.order_rest import OrderRest
from gateway.doors.order_venue import VenueOrders
from gateway.doors.session import Identity, OrderSession, SessionRefused
from gateway.doors.venue_time import VenueTime
from gateway.doors.websocket import PATIENCE, Patience, WebSocket
from gateway.doors.window import NEW, REDUCE

__all__ = ["Identity", "OrderDoor", "SessionRefused"]

IN_FLIGHT_MAX = 1_000
"""Requests without an answer; the next submit is refused. Binance answers in milliseconds; chosen."""
ANSWER_S_MAX = 10.0
"""Binance gives its matching engine 10 s before it answers -1007 itself; a later answer is taken as news, not awaited."""
LEARN_NS = 250_000_000
"""Between two looks at what an answer says is used: off the path to the order, yet 3 us a look. Chosen."""
WINDOW_MS_MIN = 50
"""A new order that the venue must have taken sooner than this is not worth its round trip; chosen."""
UNLEASED_NS = 1 << 62
"""What is left of the lease where nobody else could hold one."""

NO_REFUSAL = Refusal.NONE  # by name: an enum's look-up costs 75-117 ns on Python 3.11
SUBMIT_TAG, CANCEL_TAG = tag_of(SubmitOrder), tag_of(CancelOrder)


class Journal(Protocol):
    """The order journal, as far as the door is concerned."""

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int: ...


class _Outgoing(NamedTuple):
    """A journaled request on its way to the socket. received_ns: of the frame that caused it, 0 if none did."""

    payload: bytes
    kind: RequestKind
    instrument: int
    client_order_id: str
    received_ns: int


AfterCascade = Callable[[Callable[[int], None]], None]
"""Runs an action with the cascade's time once the cascade is complete."""


class OrderDoor(OrderSession):
    """Receiver of SubmitOrder and CancelOrder.

    tick_to_order: ns from a frame's receipt to the write that carries its order; write_time: of that system call itself; journal_time:
    of appending a request, before it.
    """

    name = "order_door"

    def __init__(
        self,
        url: str,
        venue: VenueOrders,
        identity: Identity,
        journal: Journal,
        venue_time: VenueTime,
        now_ns: Callable[[], int],
        patience: Patience = PATIENCE,
        budget: Budget | None = None,
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            SubmitOrder: self._submit,
            CancelOrder: self._cancel,
            ClockEstimate: self._clock,
            Instrument: self._instrument,
            PrivateStreamSuspected: self._suspect,
        }
        super().__init__(url, venue, identity, venue_time, now_ns, patience, budget)
        self._rest: OrderRest | None = None
        self._orders_by_rest = False
        self._learn_ns = 0
        self._journal = journal
        self._offset: Callable[[], int] = lambda: 0
        self._cause: Callable[[], tuple[int, int]] = lambda: (identity.host, self._offset())
        self.lease_left_ns: Callable[[], int] = lambda: UNLEASED_NS
        """A fresh reading of how long this instance may still send new orders."""
        self.disk_failed: Callable[[], bool] = lambda: False
        self._after_cascade: AfterCascade = lambda action: action(0)
        self._outbox: list[_Outgoing] = []
        self._versions: dict[int, int] = {}
        self.tick_to_order = Histogram()
        self.write_time = Histogram()
        self.journal_time = Histogram()
        self._in_flight: dict[tuple[RequestKind, str], tuple[int, int]] = {}
        self.orders_sent = self.cancels_sent = self.refused = self.ambiguous = self.unjournaled_cancels = 0

    def attach(
        self,
        post: Callable[[Message], None],
        offset: Callable[[], int],
        after_cascade: AfterCascade = lambda action: action(0),
        cause: Callable[[], tuple[int, int]] | None = None,
    ) -> None:
        """Where inputs go, the offset of the present one, and how to run something at the cascade's end.

        cause: host and offset of the input behind it all, where that may be another host's. Before the first message.
        Without `after_cascade` each request is written at once.
        """
        self._post, self._offset, self._after_cascade = post, offset, after_cascade
        if cause is not None:
            self._cause = cause

    def use_rest(self, rest: OrderRest, *, for_orders: bool) -> None:
        """A second way, for cancels while the session is down. for_orders: new orders and all cancels go by it always."""
        self._rest, self._orders_by_rest = rest, for_orders
        rest.post = lambda message: self._post(message)  # noqa: PLW0108 - `attach` sets another one later
        rest.on_sent = self._on_rest_sent
        rest.may_leave = self._may_leave

    def close(self) -> None:
        if self._rest is not None:
            self._rest.close()
        super().close()

    # -- the commit point: hot path -------------------------------------------------------------------------------

    def _submit(self, order: SubmitOrder, now_ns: int) -> tuple[Message, ...]:
        refusal = self._refusal(order, now_ns)
        # The timestamp is the cascade's, taken before the lease is read: timestamp and window end before the lease does.
        window_ms = (self.lease_left_ns() - self._time.uncertainty_ns) // 1_000_000
        if window_ms > self._venue.window_ms:
            window_ms = self._venue.window_ms
        elif window_ms < WINDOW_MS_MIN and refusal is NO_REFUSAL:
            refusal = Refusal.LEASE
        if refusal is NO_REFUSAL and not self.budget.order(now_ns, order.reduce_only):
            refusal = Refusal.RATE_LIMIT
        if refusal is not NO_REFUSAL:
            self._refuse(RequestKind.SUBMIT, order, refusal, now_ns)
            return NOTHING
        rest = self._rest if self._orders_by_rest else None
        stamp_ms = self._time.milliseconds(now_ns)
        payload = b"" if rest is not None else self._venue.submit(order, stamp_ms, window_ms)
        try:
            self._append(SUBMIT_TAG, now_ns, order)
        except LogError:
            self._refuse(RequestKind.SUBMIT, order, Refusal.DISK, now_ns)
            return NOTHING
        self.orders_sent += 1
        if rest is not None:
            rest.submit(order, stamp_ms, window_ms)
            return NOTHING
        self._put(_Outgoing(payload, RequestKind.SUBMIT, order.instrument, order.client_order_id, order.received_ns))
        return NOTHING

    def _cancel(self, cancel: CancelOrder, now_ns: int) -> tuple[Message, ...]:
        """A cancel goes whatever the lease, the epoch or the disk say: it can only reduce what works.

        By the session if it is up and its peer reads, else by REST at once. Only what the venue said holds it up.
        """
        socket, rest = self._socket, self._rest
        up = socket is not None and self._subscribed and socket.open
        if rest is not None and (rest.full or (socket is not None and up and not self._prefers_rest(socket))):
            rest = None
        if rest is None and not up:
            self._refuse(RequestKind.CANCEL, cancel, Refusal.NOT_CONNECTED, now_ns)
            return NOTHING
        if not self.budget.cancel(now_ns):
            self._refuse(RequestKind.CANCEL, cancel, Refusal.RATE_LIMIT, now_ns)
            return NOTHING
        payload = b"" if rest is not None else self._venue.cancel(cancel, self._time.milliseconds(now_ns))
        try:
            self._append(CANCEL_TAG, now_ns, cancel)
        except LogError:
            self.unjournaled_cancels += 1
        self.cancels_sent += 1
        if rest is not None:
            rest.cancel(cancel)
        else:
            self._put(_Outgoing(payload, RequestKind.CANCEL, cancel.instrument, cancel.client_order_id, 0))
        return NOTHING

    def _prefers_rest(self, socket: WebSocket) -> bool:
        """For a cancel, with a session that is up: what lies in a write buffer may lie there for long."""
        return self._orders_by_rest or socket.buffered > 0

    def _put(self, outgoing: "_Outgoing") -> None:
        self._outbox.append(outgoing)
        if len(self._outbox) == 1:  # after the append: without a host the flush runs here and now
            self._after_cascade(self._flush)

    def _flush(self, _now_ns: int) -> None:
        """Everything this cascade journaled goes to the kernel in one write; then the actors are told."""
        outbox, self._outbox = self._outbox, []
        sent_ns = self._now_ns()
        if self.lease_left_ns() <= 0:
            outbox = self._withhold(outbox, sent_ns)
        for outgoing in outbox:
            self._in_flight[outgoing.kind, outgoing.client_order_id] = (outgoing.instrument, sent_ns)
            if outgoing.received_ns:
                self.tick_to_order.record(sent_ns - outgoing.received_ns)
        socket = self._socket
        if socket is None or not socket.open:
            self._sweep(sent_ns + 1, "the connection was lost before the write")
            return
        try:
            socket.write_all([outgoing.payload for outgoing in outbox])
        except Exception as error:  # noqa: BLE001 - whatever the transport raises, some of it may have left
            reason = f"the write failed: {type(error).__name__}: {error}"
            self.on_trouble(reason)
            socket.abort(reason)
            self._sweep(sent_ns + 1, reason)  # all of it, if the socket had told its end before
            return
        self.write_time.record(self._now_ns() - sent_ns)
        for outgoing in outbox:
            self._post(RequestSent(outgoing.kind, outgoing.instrument, outgoing.client_order_id, sent_ns))

    def _withhold(self, outbox: list[_Outgoing], now_ns: int) -> list[_Outgoing]:
        """The lease ended between the check and the write: of all this only the cancels leave.

        A new order that was journaled and never written is answered so: definitely not sent.
        """
        cancels = []
        for outgoing in outbox:
            if outgoing.kind is RequestKind.CANCEL:
                cancels.append(outgoing)
                continue
            self.orders_sent -= 1
            self._post(self._refused(RequestKind.SUBMIT, outgoing, Refusal.LEASE, now_ns))
        return cancels

    def _refusal(self, order: SubmitOrder, now_ns: int) -> Refusal:
        """Why a new order may not be written now; NONE when it may. Cheapest first."""
        socket = self._socket
        if socket is None or not self._subscribed or not socket.open:
            return Refusal.NOT_CONNECTED
        if socket.buffered or len(self._in_flight) >= IN_FLIGHT_MAX or (self._orders_by_rest and self._rest_full()):
            return Refusal.WRITE_BUFFER
        if order.epoch != self._identity.epoch:
            return Refusal.EPOCH
        if order.expires_ns <= now_ns:
            return Refusal.EXPIRED
        if self._versions.get(order.instrument) != order.version:
            return Refusal.INSTRUMENT_VERSION
        return Refusal.DISK if self.disk_failed() else Refusal.NONE

    def _rest_full(self) -> bool:
        return self._rest is not None and self._rest.full

    def _may_leave(self) -> Refusal:
        """Of a new order that goes by REST, when its turn has come: as between the check and the write of a frame."""
        if self.lease_left_ns() <= 0:
            return Refusal.LEASE
        held_ns = max(self.budget.held)
        return Refusal.RATE_LIMIT if self._now_ns() < held_ns else NO_REFUSAL

    def _append(self, tag: int, now_ns: int, message: Message) -> None:
        host, offset = self._cause()
        body = HEADER.pack(0, HEADER_VERSION, host, offset, 0) + encode(message)
        offset = self._offset()
        start = perf_counter_ns()
        self._journal.append(tag, offset, now_ns, body)
        self.journal_time.record(perf_counter_ns() - start)

    def _refuse(self, kind: RequestKind, request: SubmitOrder | CancelOrder, refusal: Refusal, now_ns: int) -> None:
        self._post(self._refused(kind, request, refusal, now_ns))

    def _refused(
        self, kind: RequestKind, request: SubmitOrder | CancelOrder | _Outgoing, refusal: Refusal, now_ns: int
    ) -> RequestAnswered:
        self.refused += 1
        head = (kind, request.instrument, request.client_order_id, Outcome.REFUSED)
        retry_ns = 0
        if refusal is Refusal.RATE_LIMIT:
            if isinstance(request, SubmitOrder):
                retry_ns = self.budget.orders_free_ns(now_ns, REDUCE if request.reduce_only else NEW)
            else:
                retry_ns = self.budget.cancels_free_ns(now_ns)
        return RequestAnswered(*head, refusal, 0, 0, now_ns, refusal.name, retry_ns)

    def _clock(self, clock: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        if clock.venue == self._identity.venue:
            self._time.take(clock)
            self.budget.set_clock(clock.offset_ns)
        return NOTHING

    def _instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        """From this input on orders are phrased, and reports read, by it. One that is only looked at has no orders."""
        if instrument.account == self._identity.account:
            self._versions[instrument.instrument] = instrument.version
            self._venue.know(instrument)
        return NOTHING

    # -- what comes back ----------------------------------------------------------------------------------------------

    def _on_message(self, message: Message, payload: bytes) -> None:
        if type(message) is RequestAnswered:
            message = self._on_answer(message, payload)
        self._post(message)

    def _on_answer(self, answer: RequestAnswered, payload: bytes) -> RequestAnswered:
        """What it says of the limits is taken to heart; one that says "too much" gets the time to come back."""
        entry = self._in_flight.pop((answer.request, answer.client_order_id), None)
        now_ns = answer.received_ns
        if answer.outcome is Outcome.REFUSED and (until_ns := self._obey(payload, now_ns)):
            return msgspec.structs.replace(answer, retry_ns=until_ns)
        if entry is None:
            return answer
        if answer.request is RequestKind.CANCEL and answer.outcome is not Outcome.AMBIGUOUS:
            self.budget.cancels_pass(entry[1])
        if now_ns >= self._learn_ns and self.budget.costs is not None:
            self._learn_ns = now_ns + LEARN_NS
            unanswered = sum(kind is RequestKind.SUBMIT for kind, _ in self._in_flight)
            self.budget.learn(self.budget.costs.used_in_answer(payload), entry[1], unanswered)
        return answer

    def _on_rest_sent(self, request: SubmitOrder | CancelOrder, sent_ns: int) -> None:
        if request.received_ns and isinstance(request, SubmitOrder):
            self.tick_to_order.record(sent_ns - request.received_ns)

    def _on_lost(self, reason: str) -> None:
        self._sweep(self._now_ns() + 1, f"the connection was lost: {reason}")

    def _on_watch(self, now_ns: int) -> None:
        self._sweep(now_ns - int(ANSWER_S_MAX * 1e9), f"no answer in {ANSWER_S_MAX:g} s")

    def _sweep(self, sent_before_ns: int, reason: str) -> None:
        """Whatever was written before and not answered may have been done: AMBIGUOUS."""
        overdue = [key for key, (_, sent_ns) in self._in_flight.items() if sent_ns < sent_before_ns]
        for kind, client_order_id in overdue:
            entry = self._in_flight.pop((kind, client_order_id), None)
            if entry is None:
                continue  # what was posted just now ran a cascade, and that one had it answered
            answer = RequestAnswered(
                kind, entry[0], client_order_id, Outcome.AMBIGUOUS, Refusal.NONE, 0, 0, self._now_ns(), reason
            )
            try:
                self._post(answer)
            except BaseException:
                self._in_flight[kind, client_order_id] = entry  # not said: the next sweep says it
                raise
            self.ambiguous += 1
