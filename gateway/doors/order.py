"""The order door: the only holder of the engine's keys, and the commit point.

In one step without an await it checks connection, lease, epoch, expiry and an empty write buffer, appends the request
to the order journal, and writes the socket; the requests of one cascade leave in one write, at its end, because a
system call costs more than the rest of a cascade. What it cannot do it refuses, at once and with the reason; what was
written and never answered is AMBIGUOUS. It keeps one WebSocket for requests, their answers and the private stream.
It knows no venue: `VenueOrders` phrases requests and reads what comes back.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
import tenacity

from bus.actor import NOTHING, Handler
from bus.codec import encode, tag_of
from bus.latency import Histogram
from bus.log import LogError
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    CancelOrder,
    ClockEstimate,
    Message,
    Outcome,
    PrivateStreamDown,
    PrivateStreamUp,
    Refusal,
    RequestAnswered,
    RequestKind,
    RequestSent,
    SubmitOrder,
)
from gateway.doors.feed import Redial, reconnect_delay
from gateway.doors.venue_time import Heard, VenueTime, estimate, is_unsure, keep, surest
from gateway.doors.websocket import PATIENCE, ConnectFailed, Patience, WebSocket, connect

IN_FLIGHT_MAX = 1_000
"""Requests without an answer; the next submit is refused. Binance answers in milliseconds; chosen."""
ANSWER_S_MAX = 10.0
"""Binance gives its matching engine 10 s before it answers -1007 itself; a later answer is taken as news, not awaited."""
SESSION_S_MAX = 10.0
FIRST_ATTEMPTS_MAX = 5
"""Tries to connect before the first session, 1.5 s of delays in all: at a start a person waits for the message; chosen."""
TIME_INTERVAL_S = 10.0
"""Between estimates of the venue's clock; a crystal drifts 0.5 ms in it at 50 ppm."""
TIME_AGAIN_MAX = 3
"""Further questions at once, each interval, when answers are slow; a slow venue is not made faster by more; chosen."""
SWEEP_S = 0.5
PROVE_AGAIN_NS = 5_000_000_000
"""Between two reconciliations that unreadable events cause; a venue that sends only those must not keep us busy; chosen."""

SUBMIT_TAG, CANCEL_TAG = tag_of(SubmitOrder), tag_of(CancelOrder)


class SessionAnswer(msgspec.Struct, frozen=True):
    """An answer that concerns no order. code: the venue's error, 0 if it is good. venue_ms: 0 unless it tells the time."""

    request_id: str
    code: int
    text: str
    venue_ms: int = 0


class StreamEnded(msgspec.Struct, frozen=True):
    """The venue says that the private stream ends here: reports may be missing from now on."""

    reason: str


class Unreadable(msgspec.Struct, frozen=True):
    """A word on the private stream that could not be read: it may have been about an order of ours."""

    detail: str


Read = Message | SessionAnswer | StreamEnded | Unreadable


class VenueOrders(Protocol):
    """A venue's order entry, pure. Session requests use the ids "logon", "subscribe" and "time"."""

    logs_on: bool

    def logon(self, timestamp_ms: int) -> bytes: ...

    def subscribe(self, timestamp_ms: int) -> bytes: ...

    def time(self) -> bytes: ...

    def submit(self, order: SubmitOrder, timestamp_ms: int) -> bytes: ...

    def cancel(self, cancel: CancelOrder, timestamp_ms: int) -> bytes: ...

    def read(self, payload: bytes, received_ns: int) -> list[Read]: ...


class Journal(Protocol):
    """The order journal, as far as the door is concerned."""

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int: ...


class Identity(NamedTuple):
    """host, account and venue numbers, and the epoch that every request of this run must bear."""

    host: int
    account: int
    venue: int
    epoch: int


class _Outgoing(NamedTuple):
    """A journaled request on its way to the socket. received_ns: of the frame that caused it, 0 if none did."""

    payload: bytes
    kind: RequestKind
    instrument: int
    client_order_id: str
    received_ns: int


AfterCascade = Callable[[Callable[[int], None]], None]
"""Runs an action with the cascade's time once the cascade is complete."""


class SessionRefused(Exception):
    """The venue does not accept our credentials or our subscription. Retrying with the same ones will not help."""

    def __init__(self, step: str, code: int, text: str) -> None:
        self.step, self.code, self.text = step, code, text
        super().__init__(
            f"the venue refused {step}: {text} (code {code}); check the API key, its permissions and its secret, and this machine's clock"
        )


class OrderDoor:
    """Receiver of SubmitOrder and CancelOrder.

    tick_to_order: ns from a frame's receipt to the write that carries its order; write_time: of that system call itself.
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
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            SubmitOrder: self._submit,
            CancelOrder: self._cancel,
            ClockEstimate: self._clock,
        }
        self._url, self._venue, self._identity, self._journal = url, venue, identity, journal
        self._time, self._now_ns = venue_time, now_ns
        self._post: Callable[[Message], None] = lambda message: None
        self._offset: Callable[[], int] = lambda: 0
        self.lease_holds: Callable[[], bool] = lambda: True
        self.disk_failed: Callable[[], bool] = lambda: False
        self._after_cascade: AfterCascade = lambda action: action(0)
        self._outbox: list[_Outgoing] = []
        self.tick_to_order = Histogram()
        self.write_time = Histogram()
        self.on_trouble: Callable[[str], None] = lambda detail: None
        self._patience = patience
        self._proved_ns = 0
        self._proof_due = False
        self._socket: WebSocket | None = None
        self._subscribed = False
        self._in_flight: dict[tuple[RequestKind, str], tuple[int, int]] = {}
        self._session: dict[str, asyncio.Future[SessionAnswer]] = {}
        self._time_asked_ns = self._time_again = 0
        self._heard: tuple[Heard, ...] = ()
        if venue_time.uncertainty_ns:  # the start has asked already: a slow first answer must not replace that
            known = ClockEstimate(identity.venue, venue_time.offset_ns, venue_time.uncertainty_ns)
            self._heard = (Heard(known, now_ns()),)
        self._down = asyncio.Event()
        self.generation = 0
        self.orders_sent = self.cancels_sent = self.refused = self.ambiguous = self.unjournaled_cancels = 0
        self.unreadable = 0

    def attach(
        self,
        post: Callable[[Message], None],
        offset: Callable[[], int],
        after_cascade: AfterCascade = lambda action: action(0),
    ) -> None:
        """Where inputs go, the offset of the present one, and how to run something at the cascade's end.

        Before the first message. Without `after_cascade` each request is written at once.
        """
        self._post, self._offset, self._after_cascade = post, offset, after_cascade

    # -- the commit point: hot path -------------------------------------------------------------------------------

    def _submit(self, order: SubmitOrder, now_ns: int) -> tuple[Message, ...]:
        refusal = self._refusal(order, now_ns)
        if refusal is not Refusal.NONE:
            self._refuse(RequestKind.SUBMIT, order, refusal, now_ns)
            return NOTHING
        # The timestamp is taken before the lease was checked: the venue's deadline lies before the lease's.
        payload = self._venue.submit(order, self._time.milliseconds(now_ns))
        try:
            self._append(SUBMIT_TAG, now_ns, order)
        except LogError:
            self._refuse(RequestKind.SUBMIT, order, Refusal.DISK, now_ns)
            return NOTHING
        self.orders_sent += 1
        self._put(_Outgoing(payload, RequestKind.SUBMIT, order.instrument, order.client_order_id, order.received_ns))
        return NOTHING

    def _cancel(self, cancel: CancelOrder, now_ns: int) -> tuple[Message, ...]:
        """A cancel goes whatever the lease, the epoch or the disk say: it can only reduce what works."""
        socket = self._socket
        if socket is None or not self._subscribed or not socket.open:
            self._refuse(RequestKind.CANCEL, cancel, Refusal.NOT_CONNECTED, now_ns)
            return NOTHING
        payload = self._venue.cancel(cancel, self._time.milliseconds(now_ns))
        try:
            self._append(CANCEL_TAG, now_ns, cancel)
        except LogError:
            self.unjournaled_cancels += 1
        self.cancels_sent += 1
        self._put(_Outgoing(payload, RequestKind.CANCEL, cancel.instrument, cancel.client_order_id, 0))
        return NOTHING

    def _put(self, outgoing: "_Outgoing") -> None:
        self._outbox.append(outgoing)
        if len(self._outbox) == 1:  # after the append: without a host the flush runs here and now
            self._after_cascade(self._flush)

    def _flush(self, _now_ns: int) -> None:
        """Everything this cascade journaled goes to the kernel in one write; then the actors are told."""
        outbox, self._outbox = self._outbox, []
        sent_ns = self._now_ns()
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

    def _refusal(self, order: SubmitOrder, now_ns: int) -> Refusal:
        """Why a new order may not be written now; NONE when it may. Cheapest first."""
        socket = self._socket
        if socket is None or not self._subscribed or not socket.open:
            return Refusal.NOT_CONNECTED
        if socket.buffered or len(self._in_flight) >= IN_FLIGHT_MAX:
            return Refusal.WRITE_BUFFER
        if order.epoch != self._identity.epoch:
            return Refusal.EPOCH
        if order.expires_ns <= now_ns:
            return Refusal.EXPIRED
        if self.disk_failed():
            return Refusal.DISK
        if not self.lease_holds():
            return Refusal.LEASE
        return Refusal.NONE

    def _append(self, tag: int, now_ns: int, message: Message) -> None:
        offset = self._offset()
        header = HEADER.pack(0, HEADER_VERSION, self._identity.host, offset, 0)
        self._journal.append(tag, offset, now_ns, header + encode(message))

    def _refuse(self, kind: RequestKind, request: SubmitOrder | CancelOrder, refusal: Refusal, now_ns: int) -> None:
        self.refused += 1
        self._post(
            RequestAnswered(
                kind, request.instrument, request.client_order_id, Outcome.REFUSED, refusal, 0, 0, now_ns, refusal.name
            )
        )

    def _clock(self, clock: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        self._time.take(clock)
        return NOTHING

    # -- what comes back ------------------------------------------------------------------------------------------

    def _on_frame(self, payload: bytes) -> None:
        received_ns = self._now_ns()
        for item in self._venue.read(payload, received_ns):
            if isinstance(item, SessionAnswer):
                self._on_session(item, received_ns)
            elif isinstance(item, StreamEnded):
                if self._socket is not None:  # nothing on this connection is trusted any more
                    self._socket.abort(item.reason)
            elif isinstance(item, Unreadable):
                self._prove_again(item.detail, received_ns)
            else:
                if type(item) is RequestAnswered:
                    self._in_flight.pop((item.request, item.client_order_id), None)
                self._post(item)

    def _prove_again(self, detail: str, received_ns: int) -> None:
        """What we could not read we ask for: as after a reconnect, orders and trades are compared with the venue."""
        self.unreadable += 1
        self.on_trouble(f"unreadable: {detail}")
        self._proof_due = True
        self._prove_if_due(received_ns)

    def _prove_if_due(self, now_ns: int) -> None:
        """At once, or when the proof before is old enough: what came in between must be asked for as well."""
        if self._proof_due and self._subscribed and now_ns - self._proved_ns >= PROVE_AGAIN_NS:
            self._proof_due = False
            self._proved_ns = now_ns
            self.generation += 1
            self._post(PrivateStreamUp(self._identity.account, self.generation, now_ns))

    def _on_session(self, answer: SessionAnswer, received_ns: int) -> None:
        if answer.request_id == "time":
            asked_ns, self._time_asked_ns = self._time_asked_ns, 0
            if answer.venue_ms and asked_ns:
                self._on_time(estimate(self._identity.venue, asked_ns, received_ns, answer.venue_ms), received_ns)
        waiting = self._session.pop(answer.request_id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _on_time(self, fresh: ClockEstimate, received_ns: int) -> None:
        """Tell the surest of the last answers; a slow one is asked again."""
        self._heard = keep(self._heard, Heard(fresh, received_ns))
        best = surest(self._heard, received_ns)
        self._post(best)
        if is_unsure(fresh, best) and self._time_again < TIME_AGAIN_MAX:
            self._time_again += 1
            self._ask_time()

    def _ask_time(self) -> None:
        """One question at a time: a late answer to the one before would pass for a fresh one, and set our clock back."""
        if self._time_asked_ns == 0 and self._socket is not None and self._socket.open:
            self._time_asked_ns = self._now_ns()
            self._socket.write(self._venue.time())

    # -- the connection -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the session open until canceled.

        Before the first session it raises SessionRefused when the venue does not accept us, ConnectFailed when it
        cannot be reached FIRST_ATTEMPTS_MAX times; later it tries for ever.
        """
        loop, redial = asyncio.get_running_loop(), Redial()
        while True:
            await self._open()
            opened_s = loop.time()
            await self._watch()
            await redial.pause(loop.time() - opened_s)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    async def _open(self) -> None:
        attempts = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(ConnectFailed)
            | tenacity.retry_if_exception(lambda error: isinstance(error, SessionRefused) and self.generation > 0),
            wait=lambda state: reconnect_delay(state.attempt_number),
            stop=lambda state: self.generation == 0 and state.attempt_number >= FIRST_ATTEMPTS_MAX,
            before_sleep=self._on_failed_attempt,
            reraise=True,
        )
        await attempts(self._open_once)

    def _on_failed_attempt(self, state: tenacity.RetryCallState) -> None:
        self.on_trouble(f"attempt {state.attempt_number}: {state.outcome.exception() if state.outcome else ''}")

    async def _open_once(self) -> None:
        self._session.clear()
        self._time_asked_ns = 0
        socket = await connect(self._url, self._on_open, self._on_frame, self._on_end, self._patience)
        try:
            if self._venue.logs_on:
                await self._ask("logon", self._venue.logon(self._time.milliseconds(self._now_ns())))
            await self._ask("subscribe", self._venue.subscribe(self._time.milliseconds(self._now_ns())))
            if not socket.open:  # the end lay in the same segment as the answer
                raise ConnectFailed(self._url, "the connection was closed during the logon")
        except (SessionRefused, ConnectFailed) as error:
            socket.abort(str(error))
            raise
        self._subscribed = True
        self.generation += 1
        self._post(PrivateStreamUp(self._identity.account, self.generation, self._now_ns()))

    async def _ask(self, request_id: str, payload: bytes) -> None:
        """Send a session request and wait for its answer. Raises SessionRefused, ConnectFailed."""
        if self._socket is None or not self._socket.open:
            raise ConnectFailed(self._url, "the connection was closed during the logon")
        answer = self._session[request_id] = asyncio.get_running_loop().create_future()
        self._socket.write(payload)
        try:
            async with asyncio.timeout(SESSION_S_MAX):
                result = await answer
        except TimeoutError:
            raise ConnectFailed(self._url, f"no answer to {request_id} in {SESSION_S_MAX:g} s") from None
        if result.code:
            raise SessionRefused(request_id, result.code, result.text)

    async def _watch(self) -> None:
        """While the session is open: ask the time, and give up on answers that are overdue."""
        next_time = 0.0
        loop = asyncio.get_running_loop()
        while not self._down.is_set():
            if self._time_asked_ns == 0 and loop.time() >= next_time:
                next_time = loop.time() + TIME_INTERVAL_S
                self._time_again = 0
                self._ask_time()
            try:
                async with asyncio.timeout(SWEEP_S):
                    await self._down.wait()
            except TimeoutError:
                now_ns = self._now_ns()
                self._sweep(now_ns - int(ANSWER_S_MAX * 1e9), f"no answer in {ANSWER_S_MAX:g} s")
                self._prove_if_due(now_ns)

    def _on_open(self, socket: WebSocket) -> None:
        self._socket, self._subscribed = socket, False
        self._down.clear()

    def _on_end(self, socket: WebSocket, reason: str) -> None:
        if socket is self._socket:  # else the late end of one that was replaced
            self._on_close(reason)

    def _on_close(self, reason: str) -> None:
        self._down.set()  # first: the watch must go on to the next session even if the host takes none of the below
        was_up, self._subscribed, self._socket = self._subscribed, False, None
        self._proof_due = False  # the next session begins with a proof
        for waiting in self._session.values():
            if not waiting.done():
                waiting.set_exception(ConnectFailed(self._url, reason))
        self._sweep(self._now_ns() + 1, f"the connection was lost: {reason}")
        if was_up:
            self._post(PrivateStreamDown(self._identity.account, self.generation, reason))

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
