"""The order door's second way: orders and cancels by signed REST requests, each answered exactly once.

Cancels take it at once while the WebSocket session is down, so that none waits for a session; new orders only where the
configuration says so. What it is handed was checked, counted and journaled by the order door in the step that calls it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec

from bus.messages import CancelOrder, Message, Outcome, Refusal, RequestAnswered, RequestKind, RequestSent, SubmitOrder
from gateway.doors.http import Answer, Http, RestFailed

UNDER_WAY_MAX = 1_000
"""Requests without an answer; beyond it nothing is sent this way. As many as on the WebSocket; chosen."""
ANSWER_S_MAX = 11.0
"""Binance gives its matching engine 10 s before it answers -1007 itself; the rest is the way."""
S_NS = 1_000_000_000
SUBMIT, CANCEL = RequestKind.SUBMIT, RequestKind.CANCEL


class VenueRestOrders(Protocol):
    """A venue's order entry over REST, pure. A request is (HTTP method, signed path); `headers` name who asks."""

    def submit_request(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> tuple[str, str]: ...

    def cancel_request(self, cancel: CancelOrder, timestamp_ms: int) -> tuple[str, str]: ...

    def headers(self) -> dict[str, str]: ...

    def read_order(
        self, request: SubmitOrder | CancelOrder, status: int, body: bytes, received_ns: int
    ) -> RequestAnswered: ...


class _Withheld(Exception):
    """It may not leave any more: its time, its lease or the venue's patience ended on the way here."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.name)


class OrderRest:
    """Made by the assembly, used by the order door alone, which sets `post`, `may_leave` and `on_sent`."""

    def __init__(
        self, http: Http, venue: VenueRestOrders, now_ns: Callable[[], int], venue_ms: Callable[[int], int]
    ) -> None:
        """venue_ms: the venue's clock at an engine time."""
        self.http, self._venue, self._now_ns, self._venue_ms = http, venue, now_ns, venue_ms
        self.post: Callable[[Message], None] = lambda message: None
        self.may_leave: Callable[[], Refusal] = lambda: Refusal.NONE
        """Of a new order, asked again at its leaving."""
        self.on_sent: Callable[[SubmitOrder | CancelOrder, int], None] = lambda request, sent_ns: None
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = self.ambiguous = 0

    @property
    def full(self) -> bool:
        return len(self._tasks) >= UNDER_WAY_MAX

    def submit(self, order: SubmitOrder, timestamp_ms: int, window_ms: int) -> None:
        """The timestamp is the cascade's: behind `timestamp_ms + window_ms` the venue refuses, wherever it was held up."""
        method, path = self._venue.submit_request(order, timestamp_ms, window_ms)

        def phrase() -> str:
            refusal = self.may_leave()
            if refusal is not Refusal.NONE:
                raise _Withheld(refusal)
            return path

        self._start(order, method, phrase)

    def cancel(self, cancel: CancelOrder) -> None:
        method, path = self._venue.cancel_request(cancel, self._venue_ms(self._now_ns()))
        self._start(cancel, method, lambda: path)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _start(self, request: SubmitOrder | CancelOrder, method: str, phrase: Callable[[], str]) -> None:
        task = asyncio.get_running_loop().create_task(self._run(request, method, phrase))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, request: SubmitOrder | CancelOrder, method: str, phrase: Callable[[], str]) -> None:
        """One request and its one answer, whatever happens to it."""
        kind = SUBMIT if isinstance(request, SubmitOrder) else CANCEL
        counted_ns, sent_ns = self._now_ns(), 0

        def on_written() -> None:
            nonlocal sent_ns
            if not sent_ns:
                self.sent += 1
                sent_ns = self._now_ns()
                self.on_sent(request, sent_ns)
                self.post(RequestSent(kind, request.instrument, request.client_order_id, sent_ns))

        def none(outcome: Outcome, refusal: Refusal, reason: str) -> RequestAnswered:
            head = (kind, request.instrument, request.client_order_id, outcome, refusal, 0, 0)
            return RequestAnswered(*head, self._now_ns(), reason)

        try:
            headers = self._venue.headers()
            told = await self.http.send(method, phrase, ANSWER_S_MAX, headers, on_written, len(self._tasks) - 1)
            answer = self._read(request, told, sent_ns)
        except _Withheld as error:
            answer = none(Outcome.REFUSED, error.refusal, str(error))
            if error.refusal is Refusal.RATE_LIMIT:
                answer = msgspec.structs.replace(answer, retry_ns=max(self.http.budget.held))
        except RestFailed as error:
            answer = self._failed(none, error, written=sent_ns > 0)
        except Exception as error:  # noqa: BLE001 - our own mistake in reading: whoever asked may not wait for ever
            answer = none(Outcome.AMBIGUOUS, Refusal.NONE, f"the door failed: {type(error).__name__}: {error}"[:200])
        self.ambiguous += answer.outcome is Outcome.AMBIGUOUS
        budget = self.http.budget
        if not sent_ns and budget.costs is not None:
            weight = budget.costs.order_weight if kind is SUBMIT else budget.costs.cancel_weight
            budget.give_back(counted_ns, weight, order=kind is SUBMIT)
        self.post(answer)

    def _failed(
        self, none: Callable[[Outcome, Refusal, str], RequestAnswered], error: RestFailed, *, written: bool
    ) -> RequestAnswered:
        """Written and not answered: it may have been done. Never written: a definite no of our own."""
        if written:
            return none(Outcome.AMBIGUOUS, Refusal.NONE, error.reason)
        return none(Outcome.REFUSED, Refusal.NOT_CONNECTED, error.reason)

    def _read(self, request: SubmitOrder | CancelOrder, told: Answer, sent_ns: int) -> RequestAnswered:
        """The venue's word; where it says "too much", until when is remembered for everything that goes there."""
        now_ns, budget = self._now_ns(), self.http.budget
        answer = self._venue.read_order(request, told.status, told.body, now_ns)
        limited = budget.costs.limited(told.status, told.body) if budget.costs is not None else None
        if limited is None:
            if isinstance(request, CancelOrder) and answer.outcome is not Outcome.AMBIGUOUS:
                budget.cancels_pass(sent_ns)
            return answer
        until_ns = now_ns + int(told.retry_s * S_NS) if told.retry_s >= 0 else 0
        until_ns = budget.hold(now_ns, until_ns, banned=limited.banned, orders=limited.orders)
        return msgspec.structs.replace(answer, retry_ns=until_ns)
