"""Before an engine is built: is this the venue, is the clock right, does it trade what the configuration names, and which
epochs has it seen from us?"""

import asyncio
from collections.abc import Callable, Sequence

import tenacity

from actors.orders.ids import recognize
from bus.messages import ClockEstimate, Instrument
from bus.messages.feed import Garbage
from gateway.binance_spot import past_orders
from gateway.binance_spot.signing import Signer
from gateway.doors.rest import RestDoor, RestFailed, RestHeld
from gateway.doors.venue_time import estimate
from gateway.text import SymbolError
from ops import events
from ops.assembly import ACCOUNT, VENUE
from ops.feeds import NOBODY, Source
from ops.sections import VenueSection
from ops.venues import MARKETS, PAST_ORDERS

TIME_S = (0.5, 1.0, 2.0, 5.0)
"""How long an answer is waited for, attempt by attempt: one that is lost shall not cost a start what a slow one may take.
Chosen, as the two below."""
METADATA_S_MAX = 15.0
METADATA_S = (3.0, 6.0, METADATA_S_MAX)
"""The whole of Binance's exchangeInfo has about 10 MB."""
PAST_ORDERS_S = (2.0, 4.0, 10.0)
"""A thousand orders are some 500 kB, and Binance's slowest query has 10 s."""
AGAIN_S, AGAIN_S_MAX = 0.1, 1.0
"""Before the second attempt, and at most before a later one; chosen."""
ROOM_S_MAX = 300.0
"""How long a start waits in all for room in limits that it used up itself, asking for each of many symbols: enough for the newest
orders of 2,000 of USD-M futures. Chosen."""
ROOM_LOOK_S = 1.0
ANSWERED_MAX = 499
"""A status above it is the venue's own trouble, and no answer."""


class StartFailed(Exception):
    """The engine cannot start. The text says why and what to do. unresolved: as `Engine.stop` returned it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.unresolved = 0


async def check_clock(rest: RestDoor, now_ns: Callable[[], int], section: VenueSection) -> ClockEstimate:
    """Venue time against engine time. Raises StartFailed: unreachable, not the venue, or off by more than is allowed."""
    market = MARKETS[section.kind]()
    asked_ns = 0

    def phrase() -> str:
        nonlocal asked_ns
        asked_ns = now_ns()  # of the attempt that is answered
        return market.time_path()

    try:
        status, body = await _ask(rest, VENUE, phrase, TIME_S, again=False)
        answered_ns = now_ns()
    except RestFailed as error:
        raise StartFailed(
            f"[venue] rest: the venue cannot be reached: {error}; check the URL and the network"
        ) from error
    venue_ns = market.read_time(body)
    if status != 200 or isinstance(venue_ns, Garbage):
        raise StartFailed(f"[venue] rest: {section.rest} is not the venue: status {status}, {body[:100]!r}")
    measured = estimate(VENUE, asked_ns, answered_ns, venue_ns // 1_000_000)
    off_ms = (abs(measured.offset_ns) - measured.uncertainty_ns) / 1e6
    if off_ms > section.clock_offset_max_ms:
        raise StartFailed(
            f"this machine's clock is {measured.offset_ns / -1e6:+.0f} ms off the venue's, more than "
            f"clock_offset_max_ms = {section.clock_offset_max_ms}: set it (chrony or systemd-timesyncd)"
        )
    return measured


async def read_instruments(rest: RestDoor, source: Source) -> list[Instrument]:
    """What the venue says of the wanted symbols, not yet numbered. Raises StartFailed naming symbol and remedy.

    The venue that trades comes first; a mistake in any other one is in a [[feed]] row.
    """
    traded = source.number == VENUE
    where = "[venue]" if traded else f"[[feed]] {source.name}"
    try:
        bodies = [await _metadata(rest, source, path, where) for path in source.market.metadata_paths()]
        budget = rest.budget(source.number)
        if budget.costs is not None:
            budget.set_limits(budget.costs.stated(bodies))
        account = ACCOUNT if traded else NOBODY
        return source.market.read_instruments(bodies, source.symbols, account=account, venue=source.number)
    except SymbolError as error:
        raise StartFailed(f"{'[[instrument]] symbol' if traded else f'{where} symbols'}: {error}") from error


async def _metadata(rest: RestDoor, source: Source, path: str, where: str) -> bytes:
    name = path.partition("?")[0].rpartition("/")[2]
    try:
        status, body = await _ask(rest, source.number, lambda: path, METADATA_S)
    except RestFailed as error:
        raise StartFailed(f"{where} rest: {name}: {error}; check the URL and the network") from error
    if status != 200:
        raise StartFailed(
            f"{where} rest: the venue answered {name} with status {status}: {body[:200]!r}; check the URL"
        )
    return body


async def read_last_epoch(
    rest: RestDoor,
    signer: Signer,
    venue_ms: Callable[[], int],
    section: VenueSection,
    wanted: Sequence[str],
    prefix: str,
) -> int:
    """The highest epoch in the ids of our orders that the venue knows; 0 when it knows none. Raises StartFailed.

    A directory knows its own starts alone: after a run on another one, its next epoch could repeat that one's ids. Of each
    symbol the newest past_orders.ORDERS_MAX are looked at, foreign ones among them. A symbol no more configured is not asked for.
    """

    async def of_symbol(symbol: str) -> int:
        def phrase() -> str:
            return PAST_ORDERS[section.kind](symbol, signer, venue_ms(), section.recv_window_ms)

        return await _epoch_in_answer(rest, signer, symbol, phrase, prefix)

    return max(await asyncio.gather(*map(of_symbol, wanted)), default=0)


async def _epoch_in_answer(rest: RestDoor, signer: Signer, symbol: str, phrase: Callable[[], str], prefix: str) -> int:
    try:
        status, body = await _ask(rest, VENUE, phrase, PAST_ORDERS_S, {"X-MBX-APIKEY": signer.api_key})
    except RestFailed as error:
        raise StartFailed(f"[venue] rest: allOrders of {symbol}: {error}; check the network, start again") from error
    found = past_orders.decode_client_order_ids(body)
    if status != 200 or isinstance(found, Garbage):
        raise StartFailed(
            f"the venue refused allOrders of {symbol}: status {status}, {body[:200]!r}: no id may repeat, so nothing is "
            "sent without it; check the API key, its permission to read and its secret, and this machine's clock"
        )
    known = [recognize(prefix, text) for text in found]
    return max((one.epoch for one in known if one is not None), default=0)


async def _ask(
    rest: RestDoor,
    venue: int,
    phrase: Callable[[], str],
    patience_s: Sequence[float],
    headers: dict[str, str] | None = None,
    *,
    again: bool = True,
) -> tuple[int, bytes]:
    """Status and body. What is lost, or answered with the venue's own trouble, is asked again, phrased anew: a signature ages.

    patience_s: seconds for each attempt. again: as in Http.get, within one. What finds no room in the venue's limits waits for it.
    Raises RestFailed, after the last attempt; RestHeld when no room came in time, and at once when the venue wants nothing.
    """
    left_s = iter(patience_s)

    def tell(state: tenacity.RetryCallState) -> None:
        outcome = state.outcome
        reason = "" if outcome is None else outcome.exception() or f"status {outcome.result()[0]}"
        events.warning("start_asks_again", attempt=state.attempt_number, reason=reason)

    attempts = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, RestFailed) and not isinstance(error, RestHeld)
        )
        | tenacity.retry_if_result(lambda answer: answer[0] > ANSWERED_MAX),
        stop=tenacity.stop_after_attempt(len(patience_s)),
        wait=tenacity.wait_exponential(AGAIN_S, AGAIN_S_MAX),
        before_sleep=tell,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )

    async def once() -> tuple[int, bytes]:
        patience, loop = next(left_s), asyncio.get_running_loop()
        due_s = loop.time() + ROOM_S_MAX
        while True:
            try:
                return await rest.get(venue, phrase, patience, headers, again=again)
            except RestHeld:
                free_s = rest.http(venue).room_s(phrase())
                if free_s is None or loop.time() + free_s > due_s:
                    raise
                await asyncio.sleep(min(max(free_s, AGAIN_S), ROOM_LOOK_S))

    answer: tuple[int, bytes] = await attempts(once)
    return answer
