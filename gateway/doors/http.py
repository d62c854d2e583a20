"""GET at one address, over aiohttp: places on the wire, a deadline, the longest body, and the venue's rate limit.

After a 429 or 418 nothing goes to this address until the time the venue named; other addresses are not concerned.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import ClassVar

import aiohttp
from yarl import URL

from bus.messages import Outcome

BODY_BYTES_MAX = 32 << 20
"""Binance's whole exchangeInfo has about 10 MB."""
HOLD_S_DEFAULT = 60.0
"""When the venue says 429 without Retry-After; weights are counted by the minute (docs, "LIMITS")."""
HOLD_S_MAX = 3 * 86_400.0
"""The longest ban of an address there is (docs, "LIMITS": from 2 minutes to 3 days)."""
REASON_MAX = 200
"""Characters of a reason; a server may send anything as its first line."""
CONNECTIONS_MAX = 8
"""Requests on the wire at once, to one address; the others wait here, unsigned. Chosen."""
MARKET_CONNECTIONS_MAX = CONNECTIONS_MAX // 2
"""Of them, for market data: a question about an order never waits for a thousand books. Chosen."""


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

    def __init__(self, base_url: str, now_ns: Callable[[], int]) -> None:
        self._base, self._now_ns = base_url.rstrip("/"), now_ns
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(CONNECTIONS_MAX)
        self._market_places = asyncio.Semaphore(MARKET_CONNECTIONS_MAX)
        self._held_until_ns = 0
        self.refused = self.holds = 0
        self.under_way = self.market_under_way = 0

    async def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5.0)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX))

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
    ) -> tuple[int, bytes]:
        """Status and body of a path that is phrased when its turn has come: a timestamp must not age while it waits.

        market: it is market data's. Raises RestFailed; a status of 400 and more is returned, not raised.
        """
        assert self._session is not None, "open comes first"
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._market_places if market else contextlib.nullcontext(),
                self._places,
                # A redirect is not followed: it would take the API key to whoever the answer names.
                self._session.get(self._address(phrase), headers=headers, allow_redirects=False) as response,
            ):
                self._obey(response)  # first: a body that never ends must not hide a 429
                body = bytearray()
                while len(body) <= BODY_BYTES_MAX and (more := await response.content.read(BODY_BYTES_MAX)):
                    body += more
        except TimeoutError:
            raise RestFailed(self._base, f"no answer in {timeout_s:.1f} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise RestFailed(self._base, _told(error)) from error
        if len(body) > BODY_BYTES_MAX:
            raise RestFailed(self._base, f"the answer is longer than {BODY_BYTES_MAX} bytes")
        return response.status, bytes(body)

    def held(self, now_ns: int) -> str:
        """Why nothing may be asked at all; empty when something may."""
        left_ns = self._held_until_ns - now_ns
        return f"held for {left_ns / 1e9:.1f} s more: the venue's rate limit was reached" if left_ns > 0 else ""

    def _address(self, phrase: Callable[[], str]) -> URL:
        """Where this goes now. Raises RestHeld when the venue has said stop while it waited."""
        held = self.held(self._now_ns())
        if held:
            self.refused += 1
            raise RestHeld(self._base, held)
        return URL(self._base + phrase(), encoded=True)  # exactly as it was signed: nothing is quoted again

    def _obey(self, response: aiohttp.ClientResponse) -> None:
        if response.status not in (418, 429):
            return
        self.holds += 1
        seconds = _seconds(response.headers.get("Retry-After", ""))
        self._held_until_ns = max(self._held_until_ns, self._now_ns() + int(seconds * 1e9))


def _told(error: Exception) -> str:
    """Why there is no answer. What was asked is not in it: a question about an account bears its signature there."""
    named = f"{error.status} {error.message}" if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return named[:REASON_MAX] or type(error).__name__


def _seconds(retry_after: str) -> float:
    """From the header; HOLD_S_DEFAULT for what is no number of seconds, HOLD_S_MAX at most."""
    try:
        seconds = float(retry_after)
    except ValueError:
        return HOLD_S_DEFAULT
    return min(seconds, HOLD_S_MAX) if math.isfinite(seconds) and seconds >= 0 else HOLD_S_DEFAULT
