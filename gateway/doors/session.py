"""The order door's session: one WebSocket for requests, their answers and the private stream, kept open. Where a venue has
the private stream on a socket of its own, that one belongs to it (`gateway.doors.private_socket`).

It dials, logs on, subscribes, asks the venue's time, and has everything proved again that could not be read. It never
sends an order and keeps no book of requests: that is `gateway.doors.order`, which stands on it and is told what came
and what was lost. It knows no venue: `VenueOrders` phrases requests and reads what comes back.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import tenacity

from bus.actor import NOTHING
from bus.messages import (
    ClockEstimate,
    Message,
    PrivateStreamDown,
    PrivateStreamSuspected,
    PrivateStreamUp,
)
from gateway.doors.budget import Budget
from gateway.doors.http import BANNED, TOO_MANY, retry_seconds
from gateway.doors.order_venue import SessionAnswer, StreamEnded, TimeRefused, Unreadable, VenueOrders
from gateway.doors.private_socket import PrivateSocket, StreamVenue
from gateway.doors.redial import Redial, reconnect_delay
from gateway.doors.venue_time import Heard, VenueTime, estimate, is_unsure, keep, surest
from gateway.doors.websocket import PATIENCE, ConnectFailed, Patience, WebSocket, connect
from gateway.doors.window import CANCEL, QUERY, REDUCE

SESSION_S = (1.0, 2.0, 5.0, 10.0)
"""How long an answer to a step of the logon is waited for, one attempt after the other: one that is lost shall not cost what a
slow venue may take. Chosen; Binance's slowest answer has 10 s."""
FIRST_ATTEMPTS_MAX = 5
"""Tries to connect before the first session, 1.5 s of delays in all: at a start a person waits for the message; chosen."""
TIME_INTERVAL_S = 10.0
"""Between estimates of the venue's clock; a crystal drifts 0.5 ms in it at 50 ppm."""
TIME_AGAIN_MAX = 3
"""Further questions at once, each interval, when answers are slow; a slow venue is not made faster by more; chosen."""
TIME_ANSWER_NS_MAX = 30_000_000_000
"""A venue that answers pings and no question for so long answers no request either, and only another session helps. Asked again
on the same one, a late answer could not be told from a fresh one. Chosen: three times what an order's answer may take."""
SWEEP_S = 0.5
TIME_WEIGHT = 1
"""Of a question for the time, wherever we know of."""
RENEW_NS = 10_000_000_000
"""A stream that is younger is not given up for being suspected: 30 openings in 5 minutes at most, a tenth of Binance's. Chosen."""
LOOK_S = 1.0
"""Between looks at whether it may be dialed again; what was held may have been lifted. Chosen."""
PROVE_AGAIN_NS = 5_000_000_000
"""Between two reconciliations that unreadable events cause; a venue that sends only those must not keep us busy; chosen."""


class Identity(NamedTuple):
    """host, account and venue numbers, and the epoch that every request of this run must bear."""

    host: int
    account: int
    venue: int
    epoch: int


class SessionRefused(Exception):
    """The venue does not accept our credentials or our subscription. Retrying with the same ones will not help."""

    def __init__(self, step: str, code: int, text: str) -> None:
        self.step, self.code, self.text = step, code, text
        super().__init__(
            f"the venue refused {step}: {text} (code {code}); check the API key, its permissions and its secret, and this machine's clock"
        )


class OrderSession:
    """Base of the order door. generation: counts the private stream's openings and later proofs."""

    def __init__(
        self,
        url: str,
        venue: VenueOrders,
        identity: Identity,
        venue_time: VenueTime,
        now_ns: Callable[[], int],
        patience: Patience = PATIENCE,
        budget: Budget | None = None,
    ) -> None:
        """budget: shared with everything else that reaches the venue from this address; without it nothing is counted."""
        self.budget = budget or Budget()
        self._url, self._venue, self._identity, self._patience = url, venue, identity, patience
        self._time, self._now_ns = venue_time, now_ns
        self._post: Callable[[Message], None] = lambda message: None
        self.on_trouble: Callable[[str], None] = lambda detail: None
        self._socket: WebSocket | None = None
        self._private: PrivateSocket | None = None
        if isinstance(venue, StreamVenue):
            self._private = PrivateSocket(venue, self._on_frame, self._give_up, patience)
        self._subscribed = False
        self._session: dict[str, asyncio.Future[SessionAnswer]] = {}
        self._down = asyncio.Event()
        self._proved_ns = 0
        self._proof_due = False
        self._suspicion = ""
        self._opened_ns = 0
        self._time_asked_ns = self._time_again = 0
        self._unanswered, self._step_s = 0, SESSION_S[0]
        self._heard: tuple[Heard, ...] = ()
        if venue_time.uncertainty_ns:  # the start has asked already: a slow first answer must not replace that
            known = ClockEstimate(identity.venue, venue_time.offset_ns, venue_time.uncertainty_ns)
            self._heard = (Heard(known, now_ns()),)
        self.generation = self.unreadable = self.renewals = 0

    @property
    def subscribed(self) -> bool:
        """The session is open, and the private stream with it."""
        return self._subscribed

    # -- what the door makes of it --------------------------------------------------------------------------------

    def _on_message(self, message: Message, payload: bytes) -> None:
        """An answer or a report came in, by this frame."""
        raise NotImplementedError

    def _on_lost(self, reason: str) -> None:
        """The connection is gone; PrivateStreamDown follows."""
        raise NotImplementedError

    def _on_watch(self, now_ns: int) -> None:
        """Every SWEEP_S while the session is open."""
        raise NotImplementedError

    # -- what comes back ------------------------------------------------------------------------------------------

    def _on_frame(self, payload: bytes) -> None:
        received_ns = self._now_ns()
        for item in self._venue.read(payload, received_ns):
            if isinstance(item, SessionAnswer):
                self._on_session(item, payload, received_ns)
            elif isinstance(item, StreamEnded):
                self._give_up(item.reason)
            elif isinstance(item, TimeRefused):
                self._ask_time()  # at the next interval many more would have been refused
            elif isinstance(item, Unreadable):
                self._prove_again(item.detail, received_ns)
            else:
                self._on_message(item, payload)

    def _give_up(self, reason: str) -> None:
        """Nothing on this session is trusted any more."""
        if self._socket is not None:
            self._socket.abort(reason)

    def _obey(self, payload: bytes, now_ns: int) -> int:
        """An error: until when the venue wants no more of us, by our time; 0 where that is not its reason."""
        costs = self.budget.costs
        limited = costs.limited_in_answer(payload) if costs is not None else None
        if limited is None:
            return 0
        until_ns = limited.until_ms * 1_000_000 - self._time.offset_ns if limited.until_ms else 0
        return self.budget.hold(now_ns, until_ns, banned=limited.banned, orders=limited.orders)

    def _suspect(self, suspected: PrivateStreamSuspected, now_ns: int) -> tuple[Message, ...]:
        """The present stream is given up, as soon as it is old enough: nobody is helped by one that never gets to talk."""
        if suspected.renew and suspected.account == self._identity.account and suspected.generation == self.generation:
            self._suspicion = suspected.reason or "it is suspected"
            self._renew_if_due(now_ns)
        return NOTHING

    def _renew_if_due(self, now_ns: int) -> None:
        socket = self._socket
        if self._suspicion and self._subscribed and socket is not None and now_ns - self._opened_ns >= RENEW_NS:
            reason, self._suspicion = self._suspicion, ""
            self.renewals += 1
            socket.abort(f"the private stream is given up: {reason}")

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

    def _on_session(self, answer: SessionAnswer, payload: bytes, received_ns: int) -> None:
        until_ns = self._obey(payload, received_ns) if answer.code else 0
        if answer.request_id == "time":
            asked_ns, self._time_asked_ns = self._time_asked_ns, 0
            if answer.venue_ms and asked_ns:
                self._on_time(estimate(self._identity.venue, asked_ns, received_ns, answer.venue_ms), received_ns)
        elif answer.request_id == "keepalive" and answer.code and not until_ns:
            self._give_up(f"the private stream is not kept alive: {answer.text} (code {answer.code})")
        waiting = self._session.pop(answer.request_id, None)
        if waiting is None or waiting.done():
            return
        if until_ns:  # our credentials may be good: it is to be tried again, when the venue wants it
            waiting.set_exception(ConnectFailed(self._url, f"{answer.request_id} was refused: {answer.text}"))
        else:
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
            now_ns = self._now_ns()
            if self.budget.request(now_ns, QUERY, TIME_WEIGHT):
                self._time_asked_ns = now_ns
                self._socket.write(self._venue.time())

    def _judge_time(self, now_ns: int) -> None:
        if self._time_asked_ns and now_ns - self._time_asked_ns >= TIME_ANSWER_NS_MAX:
            self._give_up(f"no answer to a question for the time in {TIME_ANSWER_NS_MAX // 10**9} s")

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
        if self._private is not None:
            self._private.drop("closed")

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
        self._step_s = SESSION_S[min(self._unanswered, len(SESSION_S) - 1)]
        socket = await self._dial()
        try:
            if self._venue.logs_on:
                await self._ask("logon", self._venue.logon(self._time.milliseconds(self._now_ns())))
            told = await self._ask("subscribe", self._venue.subscribe(self._time.milliseconds(self._now_ns())))
            if self._private is not None:
                await self._dial_private(self._private, told.stream)
            if not socket.open:  # the end lay in the same segment as the answer
                raise ConnectFailed(self._url, "the connection was closed during the logon")
        except (SessionRefused, ConnectFailed) as error:
            socket.abort(str(error))
            raise
        self._subscribed, self._suspicion = True, ""
        self._unanswered = 0
        self.generation += 1
        self._opened_ns = self._now_ns()
        self._post(PrivateStreamUp(self._identity.account, self.generation, self._opened_ns))

    async def _dial(self) -> WebSocket:
        """Open the socket, once the venue's limits let us. Raises ConnectFailed."""
        budget, told = self.budget, False
        weight = budget.costs.session_weight if budget.costs is not None else 0
        while (now_ns := self._now_ns()) < (free_ns := self._dial_ns(now_ns, weight)):
            if not told:
                told = True
                self.on_trouble(f"dialed again in {(free_ns - now_ns) / 1e9:.1f} s: the venue's rate limit was reached")
            await asyncio.sleep(min((free_ns - now_ns) / 1e9, LOOK_S))
        budget.open(now_ns)
        budget.spend(now_ns, weight)
        try:
            return await connect(self._url, self._on_open, self._on_frame, self._on_end, self._patience)
        except ConnectFailed as error:
            self._obey_refusal(error)
            raise

    async def _dial_private(self, private: PrivateSocket, address: str) -> None:
        """Raises ConnectFailed. One of a session before is none of this one's."""
        private.drop("another session begins")
        self.budget.open(self._now_ns())
        try:
            await private.dial(address)
        except ConnectFailed as error:
            self._obey_refusal(error)
            raise
        if not private.open:
            raise ConnectFailed("the private stream", "it was closed at once")

    def _obey_refusal(self, error: ConnectFailed) -> None:
        if error.status in (BANNED, TOO_MANY):
            seconds = retry_seconds(error.retry_after)
            self.budget.refuse_opening(self._now_ns(), seconds, banned=error.status == BANNED)

    def _dial_ns(self, now_ns: int, weight: int) -> int:
        """When the next opening, and the requests that make it a session, have room."""
        openings_ns = self.budget.opening_free_ns(now_ns, CANCEL)
        return max(openings_ns, self.budget.free_ns(now_ns, REDUCE, 3 * weight))

    async def _ask(self, request_id: str, payload: bytes) -> SessionAnswer:
        """Send a session request and wait for its answer. Raises SessionRefused, ConnectFailed."""
        if self._socket is None or not self._socket.open:
            raise ConnectFailed(self._url, "the connection was closed during the logon")
        if self.budget.costs is not None:
            self.budget.spend(self._now_ns(), self.budget.costs.session_weight)
        answer = self._session[request_id] = asyncio.get_running_loop().create_future()
        self._socket.write(payload)
        try:
            async with asyncio.timeout(self._step_s):
                result: SessionAnswer = await answer
        except TimeoutError:
            self._unanswered += 1
            raise ConnectFailed(self._url, f"no answer to {request_id} in {self._step_s:g} s") from None
        if result.code:
            raise SessionRefused(request_id, result.code, result.text)
        return result

    def _keep_alive_if_due(self, now_s: float) -> None:
        payload = self._private.due(now_s) if self._private is not None else b""
        if payload and self._socket is not None:
            if self.budget.costs is not None:
                self.budget.spend(self._now_ns(), self.budget.costs.session_weight)
            self._socket.write(payload)

    async def _watch(self) -> None:
        """While the session is open: ask the time, prove what could not be read, and let the door look at its requests."""
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
                self._on_watch(now_ns)
                self._judge_time(now_ns)
                self._prove_if_due(now_ns)
                self._renew_if_due(now_ns)
                self._keep_alive_if_due(loop.time())

    def _on_open(self, socket: WebSocket) -> None:
        self._socket, self._subscribed = socket, False
        self._down.clear()

    def _on_end(self, socket: WebSocket, reason: str) -> None:
        if socket is self._socket:  # else the late end of one that was replaced
            self._on_close(reason)

    def _on_close(self, reason: str) -> None:
        self._down.set()  # first: the watch must go on to the next session even if the host takes none of the below
        was_up, self._subscribed, self._socket = self._subscribed, False, None
        if self._private is not None:
            self._private.drop(reason)
        self._proof_due, self._suspicion = False, ""  # the next session begins with a proof
        for waiting in self._session.values():
            if not waiting.done():
                waiting.set_exception(ConnectFailed(self._url, reason))
        self._on_lost(reason)
        if was_up:
            self._post(PrivateStreamDown(self._identity.account, self.generation, reason))
