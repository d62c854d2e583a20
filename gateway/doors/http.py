"""Requests at one address, over aiohttp: places on the wire, a deadline, the longest body, and the venue's budget.

A question that nothing is heard of is asked again beside the first one, and the first answer is taken: one lost packet costs
a start half a second, and not the whole time that a slow venue may need. What finds no room in the budget does not leave, and
after a 429 or 418 nothing does until the time the venue named; other addresses are not concerned.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import aiohttp
from yarl import URL

from bus.messages import Outcome
from gateway.doors.budget import HOLD_NS_MAX, Budget
from gateway.doors.window import NEW, QUERY, Purpose

BODY_BYTES_MAX = 32 << 20
"""Binance's whole exchangeInfo has about 10 MB."""
BANNED, TOO_MANY = 418, 429
RETRY_S_MAX = HOLD_NS_MAX / 1e9
REASON_MAX = 200
"""Characters of a reason; a server may send anything as its first line."""
CONNECTIONS_MAX = 8
"""Requests on the wire at once, to one address; the others wait here, unsigned. Chosen."""
MARKET_CONNECTIONS_MAX = CONNECTIONS_MAX // 2
"""Of them, for market data: a question about an order never waits for a thousand books. Chosen."""
ORDER_CONNECTIONS_MAX = 64
"""Besides them, for orders and cancels: what is beyond it waits for a connection that is free. Chosen."""

AGAIN_S = 0.5
"""Until a question is asked again while nothing is heard of it, and twice as long until the third time. Chosen: a healthy venue
answers within 0.1 s."""
TIMES_MAX = 3
AGAIN_FACTOR = 3.0
"""Or so many times what this address usually takes, if that is longer: a slow venue is not made faster by more."""
USUAL_DECAY = 0.8
"""Of the longest wait so far, with each answer: what was slow once is forgotten after some ten. Chosen."""


class RestFailed(Exception):
    """No answer with a body: unreachable, timed out, too large. The request may still have arrived."""

    outcome: ClassVar[Outcome] = Outcome.AMBIGUOUS

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"{url}: {reason}")


class RestHeld(RestFailed):
    """The venue's rate limit was reached before the request left: nothing was sent."""

    outcome: ClassVar[Outcome] = Outcome.REFUSED


class Http:
    """One address. `open` before the first request. under_way, market_under_way: requests that the door counts."""

    def __init__(self, base_url: str, now_ns: Callable[[], int], budget: Budget | None = None) -> None:
        self.address = base_url.rstrip("/")
        self._now_ns = now_ns
        self.budget = budget or Budget()
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(CONNECTIONS_MAX)
        self._market_places = asyncio.Semaphore(MARKET_CONNECTIONS_MAX)
        self.refused = self.holds = 0
        self.under_way = self.market_under_way = 0
        self.usual_s = 0.0
        """How long an answer's first word usually takes, the slowest of late."""
        self.repeated = 0
        """Questions that were asked again while the first one was on its way."""

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        # More than are used at once: a cancel never waits for a place that a question holds.
        connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX * TIMES_MAX + ORDER_CONNECTIONS_MAX)
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_on_headers)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, trace_configs=[tracing])

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(
        self,
        phrase: Callable[[], str],
        timeout_s: float,
        headers: dict[str, str] | None = None,
        *,
        market: bool = False,
        again: bool = True,
    ) -> tuple[int, bytes]:
        """Status and body of a path that is phrased when its turn has come: a timestamp must not age while it waits.

        market: it is market data's. again: it may be asked, and phrased, up to TIMES_MAX times; which of them is answered is not
        told. Raises RestFailed; a status of 400 and more is returned, not raised.
        """
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._market_places if market else contextlib.nullcontext(),
                self._places,
            ):
                answer = await self._first_answer(phrase, headers, TIMES_MAX if again else 1, market=market)
        except TimeoutError:
            raise RestFailed(self.address, f"no answer in {timeout_s:.1f} s") from None
        return answer.status, answer.body

    async def send(
        self,
        method: str,
        phrase: Callable[[], str],
        timeout_s: float,
        headers: dict[str, str],
        on_written: Callable[[], None],
        unanswered: int = 0,
    ) -> "Answer":
        """An order or a cancel, counted by whoever sends it. It waits for no place of a question's.

        on_written: called before its first byte leaves; never called, nothing reached the venue. (Twice where a kept
        connection turned out to be closed, and the library sent a cancel again.) unanswered: orders under way besides.
        Raises RestFailed, and whatever `phrase` raises.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._fetch(method, phrase(), headers, on_written, unanswered)
        except TimeoutError:
            raise RestFailed(self.address, f"no answer in {timeout_s:.1f} s") from None

    def held(self, now_ns: int) -> str:
        """Why nothing may be asked at all; empty when something may."""
        return self.budget.reason(now_ns) if now_ns < self.budget.held.held_ns else ""

    def room_s(self, path: str) -> float | None:
        """When a question finds room in the limits, as far as is known; None: the venue itself wants nothing just now."""
        now_ns, budget = self._now_ns(), self.budget
        if self.held(now_ns) or budget.costs is None:
            return None
        return (budget.free_ns(now_ns, QUERY, budget.costs.weight(path)) - now_ns) / 1e9

    async def _first_answer(
        self, phrase: Callable[[], str], headers: dict[str, str] | None, times: int, *, market: bool
    ) -> "Answer":
        """Of up to so many copies, each sent when nothing was heard of those before it. Raises as `_leaving`, and as the last
        copy that fails.
        """
        wait_s, heard = max(AGAIN_S, AGAIN_FACTOR * self.usual_s), asyncio.Event()
        copies = {self._copy(phrase, headers, heard, NEW if market else QUERY)}
        try:
            while True:
                may_again = times > 1 and not heard.is_set()
                done, copies = await asyncio.wait(
                    copies, timeout=wait_s if may_again else None, return_when=asyncio.FIRST_COMPLETED
                )
                answered = [copy for copy in done if copy.exception() is None]
                if answered or not copies:
                    return (answered or list(done))[0].result()
                if done:
                    heard.clear()  # whoever began to answer has failed
                elif not heard.is_set():
                    wait_s, times = wait_s * 2, times - 1
                    with contextlib.suppress(RestHeld):  # no room for another: the first ones may still be answered
                        # Of what is left over: the room that is the questions' own stays for those that were never asked.
                        copies.add(self._copy(phrase, headers, heard, NEW))
                        self.repeated += 1
        finally:
            for copy in copies:
                copy.cancel()
            await asyncio.gather(*copies, return_exceptions=True)

    def _copy(
        self, phrase: Callable[[], str], headers: dict[str, str] | None, heard: asyncio.Event, purpose: Purpose
    ) -> "asyncio.Task[Answer]":
        """Raises as `_leaving`."""
        path = self._leaving(phrase, purpose)
        return asyncio.get_running_loop().create_task(self._ask(path, headers, heard))

    async def _ask(self, path: str, headers: dict[str, str] | None, heard: asyncio.Event) -> "Answer":
        """A question that is counted already: given back if none of it leaves. heard: set with the answer's first word."""
        budget, counted_ns, left = self.budget, self._now_ns(), False

        def on_written() -> None:
            nonlocal left
            left = True

        try:
            return await self._fetch("GET", path, headers, on_written, heard=heard)
        finally:
            if not left and budget.costs is not None:
                budget.give_back(counted_ns, budget.costs.weight(path))

    async def _fetch(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None,
        on_written: Callable[[], None] | None = None,
        unanswered: int = 0,
        heard: asyncio.Event | None = None,
    ) -> "Answer":
        assert self._session is not None, "open comes first"
        url = URL(self.address + path, encoded=True)  # exactly as it was signed: nothing is quoted again
        asked_ns = self._now_ns()
        try:
            # A redirect is not followed: it would take the API key to whoever the answer names.
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False, trace_request_ctx=on_written
            ) as response:
                self._obey(method, response, asked_ns, unanswered)  # first: a body that never ends must not hide a 429
                if heard is not None:
                    heard.set()
                    self.usual_s = max((self._now_ns() - asked_ns) / 1e9, self.usual_s * USUAL_DECAY)
                body = await self._body(method, response)
        except (aiohttp.ClientError, OSError) as error:
            raise RestFailed(self.address, _told(error)) from error
        if len(body) > BODY_BYTES_MAX:
            raise RestFailed(self.address, f"the answer is longer than {BODY_BYTES_MAX} bytes")
        return Answer(response.status, bytes(body), retry_seconds(response.headers.get("Retry-After", "")))

    async def _body(self, method: str, response: aiohttp.ClientResponse) -> bytearray:
        """Of a new order 429 may speak of the account's order count, which its body says: one that breaks off says nothing."""
        body = bytearray()
        try:
            while len(body) <= BODY_BYTES_MAX and (more := await response.content.read(BODY_BYTES_MAX)):
                body += more
        finally:
            if response.status == TOO_MANY and method == "POST":
                costs = self.budget.costs
                limited = costs.limited(response.status, bytes(body)) if costs is not None else None
                self._hold(response, orders=limited is not None and limited.orders)
        return body

    def _leaving(self, phrase: Callable[[], str], purpose: Purpose) -> str:
        """The path that goes now, counted. Raises RestHeld when there is no room, or the venue has said stop while it waited."""
        now_ns, budget = self._now_ns(), self.budget
        if held := self.held(now_ns):
            self.refused += 1
            raise RestHeld(self.address, held)
        path = phrase()
        weight = budget.costs.weight(path) if budget.costs is not None else 0
        if not budget.request(now_ns, purpose, weight):
            self.refused += 1
            free_s = (budget.free_ns(now_ns, purpose, weight) - now_ns) / 1e9
            raise RestHeld(self.address, f"no room in the venue's rate limit for {free_s:.1f} s more")
        return path

    def _obey(self, method: str, response: aiohttp.ClientResponse, asked_ns: int, unanswered: int) -> None:
        budget = self.budget
        if budget.costs is not None:
            budget.learn(budget.costs.used(response.headers), asked_ns, unanswered)
        if response.status == BANNED or (response.status == TOO_MANY and method != "POST"):
            self._hold(response)

    def _hold(self, response: aiohttp.ClientResponse, *, orders: bool = False) -> None:
        self.holds += 1
        now_ns, seconds = self._now_ns(), retry_seconds(response.headers.get("Retry-After", ""))
        until_ns = now_ns + int(seconds * 1e9) if seconds >= 0 else 0
        self.budget.hold(now_ns, until_ns, banned=response.status == BANNED, orders=orders)


class Answer(NamedTuple):
    """retry_s: of the header Retry-After; -1.0 without one that can be read."""

    status: int
    body: bytes
    retry_s: float


async def _on_headers(
    _session: aiohttp.ClientSession, context: SimpleNamespace, _sent: aiohttp.TraceRequestHeadersSentParams
) -> None:
    """The library calls it before it writes the first byte of a request."""
    on_written: Callable[[], None] | None = context.trace_request_ctx
    if on_written is not None:
        on_written()


def _told(error: Exception) -> str:
    """Why there is no answer. What was asked is not in it: a question about an account bears its signature there."""
    named = f"{error.status} {error.message}" if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return named[:REASON_MAX] or type(error).__name__


def retry_seconds(retry_after: str) -> float:
    """From the header; -1.0 for what is no number of seconds."""
    try:
        seconds = float(retry_after)
    except ValueError:
        return -1.0
    return min(seconds, RETRY_S_MAX) if math.isfinite(seconds) and seconds >= 0 else -1.0
