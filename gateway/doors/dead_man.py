"""The dead man's switch: the venue cancels all orders of a symbol unless it is told in time that we live.

It is armed for each symbol again and again, at a quarter of its time, as long as the host makes progress and the term lasts.
It is not armed when either is over, so it fires. A clean stop disarms it as its last call, before a successor may arm his.
"""

import asyncio
from collections.abc import Callable, Sequence

from gateway.doors.http import Http, RestFailed
from gateway.doors.window import REDUCE

PARTS = 4
"""Calls in one span of the switch: three may fail in a row. Chosen, as other venues' documents advise."""
AGAIN_S = 1.0
"""Between tries of a call that failed. Chosen."""
CALL_S_MAX = 5.0
_OK = 200

Phrase = Callable[[str, int], str]
"""Of a symbol and the milliseconds until it fires (0: never): the signed path, to be sent by POST."""


class DeadMan:
    """alive: whether the host makes progress and our term lasts. weight: of one call."""

    def __init__(
        self,
        http: Http,
        phrase: Phrase,
        headers: Callable[[], dict[str, str]],
        span_ms: int,
        weight: int,
        now_ns: Callable[[], int],
    ) -> None:
        self._http, self._phrase, self._headers, self._span_ms = http, phrase, headers, span_ms
        self._weight, self._now_ns = weight, now_ns
        self.alive: Callable[[], bool] = lambda: True
        self.on_trouble: Callable[[str], None] = lambda detail: None
        self.on_fired: Callable[[str], None] = lambda symbol: None
        """Hears of a symbol for which the switch was not armed in time: the venue has canceled our orders there."""
        self._armed_ns: dict[str, int] = {}
        self._calling = asyncio.Lock()
        self._over = False
        self.calls = self.failures = self.fired = 0

    async def run(self, symbols: Callable[[], Sequence[str]]) -> None:
        """Arm until canceled. symbols: what is traded now."""
        held = False
        while True:
            alive = self.alive()
            if held is alive:
                held = not alive
                if held:
                    self.on_trouble("not armed: the host makes no progress, or the term is over; it will fire")
            armed = [await self._arm(symbol) for symbol in symbols()] if alive else []
            self._judge()
            await asyncio.sleep(
                self._span_ms / PARTS / 1e3 if all(armed) else min(AGAIN_S, self._span_ms / PARTS / 1e3)
            )

    async def disarm(self) -> None:
        """The last call of a run; nothing is armed after it."""
        self._over = True
        async with self._calling:
            symbols, self._armed_ns = list(self._armed_ns), {}
            problems = await asyncio.gather(*(self._call(symbol, 0) for symbol in symbols))
        for symbol, problem in zip(symbols, problems, strict=True):
            if problem:
                self.on_trouble(f"{symbol} is still armed, and fires in {self._span_ms} ms: {problem}")

    async def _arm(self, symbol: str) -> bool:
        async with self._calling:
            if self._over:
                return True
            asked_ns = self._now_ns()
            if not self._http.budget.request(asked_ns, REDUCE, self._weight):
                problem = "no room in the venue's rate limit"
            else:
                problem = await self._call(symbol, self._span_ms)
            if problem:
                self.failures += 1
                self.on_trouble(f"{symbol} was not armed: {problem}")
                return False
            self._armed_ns[symbol] = asked_ns  # of its asking: it fires no sooner than we believe
            return True

    async def _call(self, symbol: str, milliseconds: int) -> str:
        """What went wrong; "" when the venue has taken it."""
        self.calls += 1
        try:
            answer = await self._http.send(
                "POST", lambda: self._phrase(symbol, milliseconds), CALL_S_MAX, self._headers(), lambda: None
            )
        except RestFailed as error:
            return error.reason
        return "" if answer.status == _OK else f"status {answer.status} {answer.body[:200]!r}"

    def _judge(self) -> None:
        """Say once of each symbol whose time has run out."""
        late_ns = self._now_ns() - self._span_ms * 1_000_000
        for symbol in [symbol for symbol, armed_ns in self._armed_ns.items() if armed_ns < late_ns]:
            del self._armed_ns[symbol]
            self.fired += 1
            self.on_fired(symbol)
