"""The REST door: depth snapshots, metadata and account queries over aiohttp. Each request is answered exactly once.

It knows no venue: `VenueRest` says how a question is asked and how the answer reads. It keeps the venue's rate limit:
after a 429 or 418 every request is refused, here, until the time the venue named.
"""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import ClassVar, Protocol

import aiohttp
from yarl import URL

from bus.actor import NOTHING, Handler
from bus.messages import Message, Outcome, QueryAnswer, SnapshotAnswer, SnapshotRequest, VenueQuery
from gateway.doors.venue_time import VenueTime

IN_FLIGHT_MAX = 64
"""Requests under way at once; the next is refused. A start with 20 instruments asks 61; chosen."""
BODY_BYTES_MAX = 32 << 20
"""Binance's whole exchangeInfo has about 10 MB."""
HOLD_S_DEFAULT = 60.0
"""When the venue says 429 without Retry-After; weights are counted by the minute (docs, "LIMITS")."""
HOLD_S_MAX = 3 * 86_400.0
"""The longest ban of an address there is (docs, "LIMITS": from 2 minutes to 3 days)."""
CONNECTIONS_MAX = 8
"""Requests on the wire at once; the others wait here, unsigned. Chosen."""


class RestFailed(Exception):
    """No answer with a body: unreachable, timed out, too large. The request may still have arrived."""

    outcome: ClassVar[Outcome] = Outcome.AMBIGUOUS

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"{url}: {reason}")


class RestHeld(RestFailed):
    """The venue's rate limit was reached before the request left: nothing was sent."""

    outcome: ClassVar[Outcome] = Outcome.REFUSED


class VenueRest(Protocol):
    """A venue's questions and answers, pure: see gateway/VENUE/queries.py."""

    def snapshot_path(self, request: SnapshotRequest) -> str: ...

    def query_path(self, query: VenueQuery, timestamp_ms: int) -> str: ...

    def headers(self) -> dict[str, str]: ...

    def read_query(
        self, query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int
    ) -> QueryAnswer: ...


class RestDoor:
    """Answers SnapshotRequest and VenueQuery, and fetches for the assembly (`get`) before actors run."""

    name = "rest_door"

    def __init__(self, base_url: str, now_ns: Callable[[], int], venue_time: VenueTime) -> None:
        self.handlers: dict[type[Message], Handler] = {SnapshotRequest: self._snapshot, VenueQuery: self._query}
        self._base, self._now_ns, self._venue_time = base_url.rstrip("/"), now_ns, venue_time
        self._session: aiohttp.ClientSession | None = None
        self._venue: VenueRest | None = None
        self._post: Callable[[Message], None] = lambda message: None
        self._tasks: set[asyncio.Task[Message]] = set()
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._held_until_ns = 0
        self.answered = self.refused = self.holds = 0

    def attach(self, venue: VenueRest, post: Callable[[Message], None]) -> None:
        """Where questions are phrased, and where answers go. Before the first message."""
        self._venue, self._post = venue, post

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX))

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, timeout_s: float, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body. Raises RestFailed; a status of 400 and more is returned, not raised."""
        return await self._exchange(lambda: path, timeout_s, headers)

    async def _exchange(
        self, phrase: Callable[[], str], timeout_s: float, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """As `get`, for a path that is phrased when its turn has come: a timestamp must not age while it waits."""
        assert self._session is not None
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._slots,
                # A redirect is not followed: it would take the API key to whoever the answer names.
                self._session.get(self._address(phrase), headers=headers, allow_redirects=False) as response,
            ):
                self._obey(response)  # first: a body that never ends must not hide a 429
                body = await response.content.read(BODY_BYTES_MAX + 1)
                while len(body) <= BODY_BYTES_MAX and (more := await response.content.read(BODY_BYTES_MAX)):
                    body += more
        except TimeoutError:
            raise RestFailed(self._base, f"no answer in {timeout_s:.1f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise RestFailed(self._base, str(error) or type(error).__name__) from error
        if len(body) > BODY_BYTES_MAX:
            raise RestFailed(self._base, f"the answer is longer than {BODY_BYTES_MAX} bytes")
        return response.status, body

    def _address(self, phrase: Callable[[], str]) -> URL:
        """Where this goes now. Raises RestHeld when the venue has said stop while it waited."""
        held = self._held(self._now_ns())
        if held:
            self.refused += 1
            raise RestHeld(self._base, held)
        return URL(self._base + phrase(), encoded=True)  # exactly as it was signed: nothing is quoted again

    # -- requests -------------------------------------------------------------------------------------------------

    def _snapshot(self, request: SnapshotRequest, now_ns: int) -> tuple[Message, ...]:
        refusal = self._refusal(now_ns)
        if refusal:
            self._post(_no_snapshot(request, Outcome.REFUSED, now_ns, refusal))
        else:
            self._start(
                self._fetch_snapshot(request, now_ns),
                lambda reason: _no_snapshot(request, Outcome.AMBIGUOUS, self._now_ns(), reason),
            )
        return NOTHING

    def _query(self, query: VenueQuery, now_ns: int) -> tuple[Message, ...]:
        refusal = self._refusal(now_ns)
        if refusal:
            self._post(_no_answer(query, Outcome.REFUSED, now_ns, now_ns, refusal))
        else:
            self._start(
                self._fetch_query(query, now_ns),
                lambda reason: _no_answer(query, Outcome.AMBIGUOUS, now_ns, self._now_ns(), reason),
            )
        return NOTHING

    async def _fetch_snapshot(self, request: SnapshotRequest, now_ns: int) -> Message:
        venue = self._venue
        assert venue is not None
        try:
            status, body = await self._exchange(lambda: venue.snapshot_path(request), _seconds_left(request, now_ns))
        except RestFailed as error:
            return _no_snapshot(request, error.outcome, self._now_ns(), error.reason)
        received_ns = self._now_ns()
        if status == 200:
            counted = (request.actor, request.counter, request.generation)
            return SnapshotAnswer(*counted, Outcome.RESULT, request.instrument, received_ns, "", body)
        return _no_snapshot(request, Outcome.REFUSED, received_ns, f"status {status} {body[:200]!r}")

    async def _fetch_query(self, query: VenueQuery, now_ns: int) -> Message:
        venue, asked_ns = self._venue, now_ns
        assert venue is not None

        def phrase() -> str:
            nonlocal asked_ns
            asked_ns = self._now_ns()  # of its leaving: the answer proves what was so then, not when it was wished for
            return venue.query_path(query, self._venue_time.milliseconds(asked_ns))

        try:
            status, body = await self._exchange(phrase, _seconds_left(query, now_ns), venue.headers())
        except RestFailed as error:
            return _no_answer(query, error.outcome, asked_ns, self._now_ns(), error.reason)
        return venue.read_query(query, status, body, asked_ns, self._now_ns())

    def _start(self, work: Coroutine[None, None, Message], give_up: Callable[[str], Message]) -> None:
        """Run one request. When our own code fails at it, it is answered all the same: an asker may not wait for ever.

        The answer is posted here and nowhere else, so what it causes cannot become a second one.
        """

        def ended(task: asyncio.Task[Message]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                return  # by `close`: there is nobody to tell
            error = task.exception()
            if error is None:
                self._answer(task.result())
            else:
                self._answer(give_up(f"the door failed: {type(error).__name__}: {error}"[:200]))

        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(ended)

    def _answer(self, message: Message) -> None:
        self.answered += 1
        self._post(message)

    def _refusal(self, now_ns: int) -> str:
        """Why a request may not go now; empty when it may."""
        reason = self._held(now_ns)
        if not reason and len(self._tasks) >= IN_FLIGHT_MAX:
            reason = f"{IN_FLIGHT_MAX} requests are under way"
        if reason:
            self.refused += 1
        return reason

    def _held(self, now_ns: int) -> str:
        """Why nothing may be asked at all; empty when something may."""
        left_ns = self._held_until_ns - now_ns
        return f"held for {left_ns / 1e9:.1f} s more: the venue's rate limit was reached" if left_ns > 0 else ""

    def _obey(self, response: aiohttp.ClientResponse) -> None:
        if response.status not in (418, 429):
            return
        self.holds += 1
        seconds = _seconds(response.headers.get("Retry-After", ""))
        self._held_until_ns = max(self._held_until_ns, self._now_ns() + int(seconds * 1e9))


def _seconds_left(request: SnapshotRequest | VenueQuery, now_ns: int) -> float:
    return max((request.deadline_ns - now_ns) / 1e9, 0.001)


def _seconds(retry_after: str) -> float:
    """From the header; HOLD_S_DEFAULT for what is no number of seconds, HOLD_S_MAX at most."""
    try:
        seconds = float(retry_after)
    except ValueError:
        return HOLD_S_DEFAULT
    return min(seconds, HOLD_S_MAX) if math.isfinite(seconds) and seconds >= 0 else HOLD_S_DEFAULT


def _no_snapshot(request: SnapshotRequest, outcome: Outcome, now_ns: int, reason: str) -> SnapshotAnswer:
    return SnapshotAnswer(
        request.actor, request.counter, request.generation, outcome, request.instrument, now_ns, reason, b""
    )


def _no_answer(query: VenueQuery, outcome: Outcome, asked_ns: int, now_ns: int, reason: str) -> QueryAnswer:
    return QueryAnswer(
        query.actor,
        query.counter,
        query.generation,
        outcome,
        query.kind,
        query.instrument,
        query.client_order_id,
        asked_ns,
        now_ns,
        reason,
        found=True,  # only the venue itself can say that something does not exist
        complete=False,
        reports=(),
        balances=(),
    )
