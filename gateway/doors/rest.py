"""The REST door: depth snapshots, public trades and account queries of every venue. Each request is answered exactly once.

It knows no venue: `VenueMarket` names the paths of what is public, `VenueAccount` says how a question about the account
is asked and how the answer reads. Addresses have a rate limit each (gateway/doors/http.py); two venue numbers with one
address share it, as they share it at the venue.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Protocol

from bus.actor import NOTHING, Handler
from bus.messages import (
    Message,
    Outcome,
    QueryAnswer,
    SnapshotAnswer,
    SnapshotRequest,
    TradesAnswer,
    TradesRequest,
    VenueQuery,
)
from gateway.doors.budget import Budget
from gateway.doors.http import Http, RestFailed, RestHeld
from gateway.doors.venue_time import VenueTime
from gateway.market import VenueLimits, VenueMarket

__all__ = ["IN_FLIGHT_MAX", "MARKET_IN_FLIGHT_MAX", "RestDoor", "RestFailed", "RestHeld", "VenueAccount"]

IN_FLIGHT_MAX = 64
"""Requests under way at once at one address; the next is refused. A start with 20 instruments asks 61; chosen."""
MARKET_IN_FLIGHT_MAX = IN_FLIGHT_MAX // 2
"""Of them, for market data: whatever books ask for, an order can be asked about. Chosen."""

MarketRequest = SnapshotRequest | TradesRequest
MarketAnswer = type[SnapshotAnswer] | type[TradesAnswer]


class VenueAccount(Protocol):
    """A venue's questions about an account and its answers, pure: see gateway/VENUE/queries.py."""

    def query_path(self, query: VenueQuery, timestamp_ms: int) -> str: ...

    def headers(self) -> dict[str, str]: ...

    def read_query(
        self, query: VenueQuery, status: int, body: bytes, asked_ns: int, received_ns: int
    ) -> QueryAnswer: ...


class RestDoor:
    """Answers SnapshotRequest, TradesRequest and VenueQuery, and fetches for the assembly (`get`) before actors run.

    addresses: by venue number. costs: of the venues whose limits are counted; of others only holds are obeyed.
    """

    name = "rest_door"

    def __init__(
        self,
        addresses: Mapping[int, str],
        now_ns: Callable[[], int],
        venue_time: VenueTime,
        costs: Mapping[int, VenueLimits] | None = None,
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            SnapshotRequest: self._snapshot,
            TradesRequest: self._trades,
            VenueQuery: self._query,
        }
        self._now_ns, self._venue_time = now_ns, venue_time
        by_address: dict[str, Http] = {}
        for venue, address in addresses.items():
            budget = Budget((costs or {}).get(venue))
            by_address.setdefault(address.rstrip("/"), Http(address, now_ns, budget))
        self._http = {venue: by_address[address.rstrip("/")] for venue, address in addresses.items()}
        self._all = tuple(by_address.values())
        self._markets: Mapping[int, VenueMarket] = {}
        self._accounts: Mapping[int, VenueAccount] = {}
        self._post: Callable[[Message], None] = lambda message: None
        self._tasks: set[asyncio.Task[Message]] = set()
        self._refused = 0
        self.answered = 0

    def attach(
        self,
        post: Callable[[Message], None],
        markets: Mapping[int, VenueMarket],
        accounts: Mapping[int, VenueAccount],
    ) -> None:
        """Where answers go, and where questions are phrased, by venue number. Before the first message."""
        self._post, self._markets, self._accounts = post, markets, accounts

    async def open(self) -> None:
        for http in self._all:
            await http.open()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for http in self._all:
            await http.close()

    async def get(
        self,
        venue: int,
        phrase: Callable[[], str],
        timeout_s: float,
        headers: dict[str, str] | None = None,
        *,
        again: bool = True,
    ) -> tuple[int, bytes]:
        """Status and body of the path that is phrased as it leaves; see Http.get. Raises RestFailed; a status of 400 and more is
        returned, not raised.
        """
        return await self._http[venue].get(phrase, timeout_s, headers, again=again)

    def http(self, venue: int) -> Http:
        """The venue's address, for who sends orders there too."""
        return self._http[venue]

    @property
    def budgets(self) -> dict[str, Budget]:
        """By address."""
        return {http.address: http.budget for http in self._all}

    def budget(self, venue: int) -> Budget:
        """The one that everything that reaches this venue's address spends from."""
        return self._http[venue].budget

    @property
    def refused(self) -> int:
        """Requests that did not leave."""
        return self._refused + sum(http.refused for http in self._all)

    @property
    def holds(self) -> int:
        """Times a venue's rate limit was reached."""
        return sum(http.holds for http in self._all)

    # -- market data ----------------------------------------------------------------------------------------------

    def _snapshot(self, request: SnapshotRequest, now_ns: int) -> tuple[Message, ...]:
        return self._ask_market(
            request, SnapshotAnswer, lambda market: market.snapshot_path(request.venue_symbol, request.levels), now_ns
        )

    def _trades(self, request: TradesRequest, now_ns: int) -> tuple[Message, ...]:
        return self._ask_market(
            request,
            TradesAnswer,
            lambda market: market.trades_path(request.venue_symbol, request.from_id, request.limit),
            now_ns,
        )

    def _ask_market(
        self, request: MarketRequest, answer: MarketAnswer, phrase: Callable[[VenueMarket], str], now_ns: int
    ) -> tuple[Message, ...]:
        def told(outcome: Outcome, reason: str, payload: bytes = b"") -> Message:
            counted = (request.actor, request.counter, request.generation, outcome, request.instrument)
            return answer(*counted, self._now_ns(), reason, payload)

        async def fetch() -> Message:
            path = phrase(self._markets[request.venue])
            account = self._accounts.get(request.venue) if isinstance(request, TradesRequest) else None
            if not path:
                return told(Outcome.REFUSED, "the venue does not offer it")
            try:
                status, body = await self._http[request.venue].get(
                    lambda: path,
                    _seconds_left(request, now_ns),
                    # Old trades are public, but some venues, and some of their entrances, want to know who asks.
                    account.headers() if account is not None else None,
                    market=True,
                )
            except RestFailed as error:
                return told(error.outcome, error.reason)
            if status == 200:
                return told(Outcome.RESULT, "", body)
            return told(Outcome.REFUSED, f"status {status} {body[:200]!r}")

        refusal = self._refusal(request.venue, now_ns, market=True)
        if refusal:
            self._post(told(Outcome.REFUSED, refusal))
        else:
            work = fetch()
            self._start(request.venue, work, lambda reason: told(Outcome.AMBIGUOUS, reason), market=True)
        return NOTHING

    # -- the account ----------------------------------------------------------------------------------------------

    def _query(self, query: VenueQuery, now_ns: int) -> tuple[Message, ...]:
        refusal = self._refusal(query.venue, now_ns, market=False)
        if refusal:
            self._post(no_answer(query, Outcome.REFUSED, now_ns, now_ns, refusal))
        else:
            self._start(
                query.venue,
                self._fetch_query(query, now_ns),
                lambda reason: no_answer(query, Outcome.AMBIGUOUS, now_ns, self._now_ns(), reason),
                market=False,
            )
        return NOTHING

    async def _fetch_query(self, query: VenueQuery, now_ns: int) -> Message:
        account, asked_ns = self._accounts[query.venue], 0

        def phrase() -> str:
            nonlocal asked_ns
            leaving_ns = self._now_ns()
            # The answer proves what was so when its question left, not when it was wished for. Of several, the first may be it.
            asked_ns = asked_ns or leaving_ns
            return account.query_path(query, self._venue_time.milliseconds(leaving_ns))

        try:
            status, body = await self._http[query.venue].get(phrase, _seconds_left(query, now_ns), account.headers())
        except RestFailed as error:
            return no_answer(query, error.outcome, asked_ns or now_ns, self._now_ns(), error.reason)
        return account.read_query(query, status, body, asked_ns, self._now_ns())

    # -- both -----------------------------------------------------------------------------------------------------

    def _start(
        self, venue: int, work: Coroutine[None, None, Message], give_up: Callable[[str], Message], *, market: bool
    ) -> None:
        """Run one request. When our own code fails at it, it is answered all the same: an asker may not wait for ever.

        The answer is posted here and nowhere else, so what it causes cannot become a second one.
        """
        http = self._http[venue]
        http.under_way += 1
        http.market_under_way += market

        def ended(task: asyncio.Task[Message]) -> None:
            self._tasks.discard(task)
            http.under_way -= 1
            http.market_under_way -= market
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

    def _refusal(self, venue: int, now_ns: int, *, market: bool) -> str:
        """Why a request may not go now; empty when it may."""
        reason = self._reason(venue, now_ns, market=market)
        if reason:
            self._refused += 1
        return reason

    def _reason(self, venue: int, now_ns: int, *, market: bool) -> str:
        http = self._http.get(venue)
        if http is None or venue not in (self._markets if market else self._accounts):
            return f"venue {venue} is not asked for that here"
        if held := http.held(now_ns):
            return held
        if http.under_way >= IN_FLIGHT_MAX:
            return f"{IN_FLIGHT_MAX} requests are under way"
        if market and http.market_under_way >= MARKET_IN_FLIGHT_MAX:
            return f"{MARKET_IN_FLIGHT_MAX} requests of market data are under way"
        return ""


def _seconds_left(request: MarketRequest | VenueQuery, now_ns: int) -> float:
    return max((request.deadline_ns - now_ns) / 1e9, 0.001)


def no_answer(query: VenueQuery, outcome: Outcome, asked_ns: int, now_ns: int, reason: str) -> QueryAnswer:
    """What a question gets that the venue did not answer: it proves nothing."""
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
