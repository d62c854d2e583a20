"""The coordination door: requests of the actor "coordination" to the backend, and what the backend saw as inputs.

The bus knows instruments by number and speaks of one account; the store knows venue symbols, scopes and a group. Each
request is answered exactly once; what the store did not answer in time is AMBIGUOUS, and may be asked again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from bus.actor import NOTHING, Handler
from bus.codec import decode_any, encode
from bus.messages import (
    AccountHandedOver,
    AccountPublished,
    BandPublished,
    CooldownObserved,
    CooldownPublished,
    Instrument,
    Message,
    Outcome,
    PeersObserved,
    PublishAccount,
    PublishBand,
    PublishCooldown,
)
from gateway.doors.coordination.contract import (
    BandAnswer,
    Cooldown,
    CoordinationError,
    Coordinator,
    Leader,
    Picture,
    TermOver,
    Unreachable,
    Watching,
)
from gateway.doors.coordination.term import Term

IN_FLIGHT_MAX = 1_000
"""Requests under way; the next is refused. The actor has at most two an instrument and one for the account; chosen."""
RETRY_S = 0.2
"""Between two tries to read what a start cannot do without; chosen."""
LEAVE_S_MAX = 2.0
"""A stop waits no longer to drop its bands; chosen."""

BANDLESS = BandAnswer(False, 0, 0)


class Unreadable(CoordinationError):
    """What a predecessor left cannot be read by this version."""

    def __init__(self, scope: str, reason: str) -> None:
        super().__init__(f"{scope}: the account's state in the store cannot be read: {reason}; start the newer version")


class CoordinationDoor:
    """Receiver of the three Publish requests. term: ours; instruments: the configured ones, by number."""

    name = "coordination_door"

    def __init__(
        self,
        coordinator: Coordinator,
        term: Term,
        group: str,
        instruments: Mapping[int, Instrument],
        now_ns: Callable[[], int],
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            PublishBand: self._publish_band,
            PublishCooldown: self._publish_cooldown,
            PublishAccount: self._publish_account,
        }
        self._coordinator, self.term, self._group, self._now_ns = coordinator, term, group, now_ns
        self._symbols = {number: row.venue_symbol for number, row in instruments.items()}
        self._post: Callable[[Message], None] = lambda message: None
        self.on_trouble: Callable[[str], None] = lambda detail: None
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._watching: Watching | None = None
        self._pictured = asyncio.Event()
        self._peers: dict[int, PeersObserved] = {}
        self._cooldowns: dict[int, CooldownObserved] = {}
        self.leader: Leader | None = None
        self.asked = self.unanswered = 0

    # -- the start and the end ------------------------------------------------------------------------------------

    async def inherit(self) -> AccountHandedOver | None:
        """What the predecessor left of the account. Asks until it is known; raises TermOver, Unreadable, Refused."""
        while True:
            try:
                left = await self._coordinator.get_account(self.term.scope)
                break
            except Unreachable as error:
                self.on_trouble(str(error))
            if self.term.reason:
                raise TermOver(self.term.scope, self.term.epoch, self.term.reason)
            await asyncio.sleep(RETRY_S)
        if left is None:
            return None
        try:
            message = decode_any(left)
        except ValueError as error:
            raise Unreadable(self.term.scope, str(error)) from error
        if not isinstance(message, AccountHandedOver):
            raise Unreadable(self.term.scope, f"it is a {type(message).__name__}")
        return message

    async def open(self, post: Callable[[Message], None]) -> None:
        """Post every cooldown and every peer that there is, then whatever changes. Raises TermOver."""
        self._post = post
        self._watching = self._coordinator.watch(self._group, self.term.scope, self._on_picture)
        over = asyncio.ensure_future(self.term.until_over())
        seen = asyncio.ensure_future(self._pictured.wait())
        await asyncio.wait({over, seen}, return_when=asyncio.FIRST_COMPLETED)
        is_over = over.done()
        over.cancel()
        seen.cancel()
        if is_over:  # also where a picture came in the same moment
            raise TermOver(self.term.scope, self.term.epoch, self.term.reason)

    async def leave(self) -> None:
        """Our orders are proven gone: others need not mind us any more. What fails only keeps them careful."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S_MAX):
                await asyncio.gather(
                    *self._tasks, return_exceptions=True
                )  # a band that is asked for is dropped as well
                for symbol in self._symbols.values():
                    try:
                        await self._coordinator.drop_band(self.term, self._group, symbol)
                    except CoordinationError as error:
                        self.on_trouble(str(error))
                        return

    async def close(self) -> None:
        if self._watching is not None:
            await self._watching.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- what the store shows ---------------------------------------------------------------------------------------

    def _on_picture(self, picture: Picture) -> None:
        """Say what is new in it, instrument by instrument."""
        self.leader = picture.leader
        for number, symbol in self._symbols.items():
            for cooldown in picture.cooldowns:
                if cooldown.symbol == symbol:
                    seen = CooldownObserved(number, cooldown.until_ns, cooldown.reason)
                    if self._cooldowns.get(number) != seen:
                        self._cooldowns[number] = seen
                        self._post(seen)
            others = [band for band in picture.bands if band.symbol == symbol and band.scope != self.term.scope]
            peers = PeersObserved(
                number,
                len(others),
                max((band.bid_max for band in others), default=0),
                min((band.ask_min for band in others if band.ask_min > 0), default=0),
            )
            if self._peers.get(number) != peers:
                self._peers[number] = peers
                self._post(peers)
        self._pictured.set()

    # -- requests ---------------------------------------------------------------------------------------------------

    def _publish_band(self, asked: PublishBand, now_ns: int) -> tuple[Message, ...]:
        def told(outcome: Outcome, answer: BandAnswer | None, reason: str) -> BandPublished:
            _, bid_max, ask_min = answer or BANDLESS
            if outcome is Outcome.RESULT and answer is not None and not answer.granted:
                outcome = Outcome.REFUSED
            head = (asked.actor, asked.counter, asked.generation, outcome, asked.instrument)
            return BandPublished(*head, asked.bid_max, asked.ask_min, bid_max, ask_min, reason)

        def work() -> Awaitable[BandAnswer]:
            symbol = self._symbols[asked.instrument]
            return self._coordinator.put_band(self.term, self._group, symbol, asked.bid_max, asked.ask_min)

        return self._start(work, told, asked.deadline_ns)

    def _publish_cooldown(self, asked: PublishCooldown, now_ns: int) -> tuple[Message, ...]:
        def told(outcome: Outcome, answer: Any, reason: str) -> CooldownPublished:
            until_ns, why = (answer.until_ns, answer.reason) if answer is not None else (asked.until_ns, reason)
            head = (asked.actor, asked.counter, asked.generation, outcome, asked.instrument)
            return CooldownPublished(*head, until_ns, why)

        def work() -> Awaitable[Cooldown]:
            symbol = self._symbols[asked.instrument]
            return self._coordinator.hold_cooldown(self._group, symbol, asked.until_ns, asked.reason)

        return self._start(work, told, asked.deadline_ns)

    def _publish_account(self, asked: PublishAccount, now_ns: int) -> tuple[Message, ...]:
        def told(outcome: Outcome, answer: None, reason: str) -> AccountPublished:
            return AccountPublished(asked.actor, asked.counter, asked.generation, outcome, asked.state.number, reason)

        def work() -> Awaitable[None]:
            left = encode(AccountHandedOver(asked.state.account, self.term.epoch, asked.state))
            return self._coordinator.put_account(self.term, left)

        return self._start(work, told, asked.deadline_ns)

    def _start(
        self, work: Callable[[], Awaitable[Any]], told: Callable[[Outcome, Any, str], Message], deadline_ns: int
    ) -> tuple[Message, ...]:
        """Run one operation of the store beside the host; its answer is an input."""
        self.asked += 1
        if len(self._tasks) >= IN_FLIGHT_MAX:
            self._post(told(Outcome.REFUSED, None, f"{IN_FLIGHT_MAX} requests are under way"))
            return NOTHING
        task = asyncio.ensure_future(self._answer(work, told, deadline_ns))
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return NOTHING

    async def _answer(
        self, work: Callable[[], Awaitable[Any]], told: Callable[[Outcome, Any, str], Message], deadline_ns: int
    ) -> None:
        try:
            async with asyncio.timeout((deadline_ns - self._now_ns()) / 1e9):
                answer = await work()
        except (Unreachable, TimeoutError) as error:
            self.unanswered += 1
            self._post(told(Outcome.AMBIGUOUS, None, str(error) or "no answer before the deadline"))
        except CoordinationError as error:
            self._post(told(Outcome.REFUSED, None, str(error)))
        else:
            self._post(told(Outcome.RESULT, answer, ""))
