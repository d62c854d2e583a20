"""The way of one request through a face of the venue, the same for its doors: limits, proof, time, faults, operation.

`answer` is the straight way: nothing goes wrong. A request with a plan goes the long one: `begin`, which does at once what waits
for nothing, `wait`, and then the door tells what the plan wants told. `finish` ends both.
"""

import asyncio
import contextlib
from typing import Any, Protocol

from .connection import Clock
from .core.errors import VenueError
from .evidence import Evidence
from .faults.plan import NOTHING, RequestPlan
from .limits import RequestLimits
from .operations import Answer, Ask, Call, Kind, Params, PartlyFailed, Proof, check_names
from .payload import NS_PER_MS, Json
from .signing import check_timing, too_late

FOR_EVER_NS = 2**63


class RequestFaults(Protocol):
    """What the desk asks of whoever spoils requests; asked only while it is `armed`."""

    armed: bool

    def plan(self, face: str, ask: Ask) -> RequestPlan:
        """Decide what goes wrong with this request: NOTHING for most. Asked once a request."""

    def reach(self, point: str, face: str, ask: Ask) -> None:
        """A kill point is reached: do what waits there, to its end."""

    def is_filled(self, face: str, answer: Answer) -> bool:
        """Whether the events that wait tell of a fill of the order that was placed."""


class Publishes(Protocol):
    def publish(self, now_ns: int) -> None:
        """Send out all that the last commands did."""


class Begun:
    """A planned request on its way. `is_held`: it has been admitted, and waits before the matching engine until `deadline_ns` at most."""

    __slots__ = ("answer", "deadline_ns", "is_held")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.deadline_ns = 0
        self.is_held = False


class Desk:
    """One face's. `api` is what its operations run on."""

    def __init__(
        self,
        face: str,
        api: Any,
        market: Publishes,
        limits: RequestLimits,
        faults: RequestFaults,
        evidence: Evidence,
        clock: Clock,
    ) -> None:
        self.face = face
        self.limits = limits
        self._api = api
        self._market = market
        self._faults = faults
        self._evidence = evidence
        self._clock = clock

    def plan(self, ask: Ask) -> RequestPlan:
        """The request is here: what goes wrong with it?"""
        if not self._faults.armed:
            return NOTHING
        self._faults.reach("request-received", self.face, ask)
        if ask.operation.kind is Kind.CANCEL:
            self._faults.reach("cancel-received", self.face, ask)
        return self._faults.plan(self.face, ask)

    def answer(self, ask: Ask) -> Answer:
        """Admit it and run it at once. The events wait until `finish`."""
        answer = Answer(now_ns=ask.received_ns)
        try:
            deadline_ns = self._admit(ask, answer)
            answer.now_ns = self._clock()
            if answer.now_ns > deadline_ns:
                raise too_late()
            answer.result = self._run(ask, answer)
        except VenueError as error:
            answer.error = error
        self._evidence.answered(self.face, ask, answer, NOTHING)
        return answer

    def note(self, door: str, operation: str, kind: str, params: Params, answer: Answer) -> None:
        """For the record: a request that was answered without the desk. `kind`: SESSION or UNREAD."""
        self._evidence.noted(self.face, door, operation, kind, params, answer)

    def finish(self, ask: Ask, answer: Answer) -> None:
        """The answer is out: now the events it caused."""
        if self._faults.armed:
            self._faults.reach("answer-sent", self.face, ask)
            if _is_full_page(ask, answer):
                self._faults.reach("query-page", self.face, ask)
        self._market.publish(answer.now_ns)

    def begin(self, ask: Ask, plan: RequestPlan) -> Begun:
        """Do of the plan what comes before its first wait: nobody who asks later overtakes that."""
        begun = Begun(Answer(now_ns=ask.received_ns))
        try:
            begun.deadline_ns = self._admit(ask, begun.answer)
        except VenueError as error:
            begun.answer.error = error
        begun.is_held = plan.before_ns > 0 and begun.answer.error is None
        if not begun.is_held:
            self._act(ask, plan, begun)
        return begun

    async def wait(self, ask: Ask, plan: RequestPlan, begun: Begun) -> None:
        """Let the time pass that the plan wants. Then it is told what `plan.is_told`, or its connection is cut."""
        if begun.is_held:
            await asyncio.sleep(plan.before_ns / 1e9)
            self._act(ask, plan, begun)
        if plan.after_ns:
            await asyncio.sleep(plan.after_ns / 1e9)

    def _act(self, ask: Ask, plan: RequestPlan, begun: Begun) -> None:
        answer = begun.answer
        if answer.error is None:
            self._answer_as_planned(ask, plan, begun)
        self._evidence.answered(self.face, ask, answer, plan)
        if plan.events_first or plan.after_ns or not plan.is_told:
            is_filled = self._faults.is_filled(self.face, answer)
            self._market.publish(answer.now_ns)
            if is_filled:
                self._faults.reach("fill-sent", self.face, ask)

    def _answer_as_planned(self, ask: Ask, plan: RequestPlan, begun: Begun) -> None:
        answer = begun.answer
        try:
            answer.now_ns = self._clock()
            if answer.now_ns > begun.deadline_ns:
                raise too_late()
            if plan.refusal is not None:
                raise plan.refusal
            if not plan.swallowed:
                answer.result = self._run_as_planned(ask, plan, answer)
        except VenueError as error:
            answer.error = error

    def _run_as_planned(self, ask: Ask, plan: RequestPlan, answer: Answer) -> Json:
        with contextlib.ExitStack() as stack:
            for within in plan.within:
                stack.enter_context(within())
            result = self._run(ask, answer)
        if plan.rewrite is not None:
            result = plan.rewrite(result)
        if plan.error is not None:
            raise plan.error
        return result

    def _admit(self, ask: Ask, answer: Answer) -> int:
        """Count the request and prove who asks. Return until when (ns) it may be run. Raises VenueError."""
        now_ms = ask.received_ns // NS_PER_MS
        self.limits.enter(ask.address, now_ms)
        self.limits.spend(ask.address, ask.operation.weight(ask.params), now_ms)
        answer.account = ask.identify(ask.operation.proof)
        deadline_ns = FOR_EVER_NS
        if ask.operation.proof is Proof.SIGNATURE:
            deadline_ns = check_timing(ask.params, ask.received_ns)
        check_names(ask.operation, ask.params)
        return deadline_ns

    def _run(self, ask: Ask, answer: Answer) -> Json:
        try:
            answer.outcome = ask.operation.run(self._api, Call(answer.account, ask.params, answer.now_ns, ask.address))
        except PartlyFailed as error:
            answer.outcome = error.outcome
            raise
        return answer.outcome


def _is_full_page(ask: Ask, answer: Answer) -> bool:
    """A whole page of `limit` rows: the client will ask for the next one."""
    if not ask.operation.pages or not isinstance(answer.result, list):
        return False
    limit = ask.params.get("limit", "")
    wanted = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 6 else ask.operation.pages
    return len(answer.result) >= min(wanted, 1_000)
