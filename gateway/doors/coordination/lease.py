"""Keeping a term: renewed every quarter of its time to live while its host makes progress, over by its own clock else."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import Refused, TermOver, Unreachable
from gateway.doors.coordination.term import Term, margin_ns

RENEWALS_A_TTL = 4
"""Chosen: three may fail, and the fourth still comes before the end."""
NS = 1_000_000_000


def deadline_ns(asked_ns: int, ttl_ns: int) -> int:
    """Until when the holder may act. asked_ns: boottime before the request was sent."""
    return asked_ns + ttl_ns - margin_ns(ttl_ns)


async def keep(term: Term, ttl_ns: int, renew: Callable[[], Awaitable[int]]) -> None:
    """Until the term is over, for whatever reason. `renew` returns the new deadline, or raises the contract's errors."""
    period_ns = ttl_ns // RENEWALS_A_TTL
    trouble = "the host was stopped"
    while (left_ns := term.left_ns(boottime_ns())) > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(term.until_over(), min(period_ns, left_ns) / NS)
        left_ns = term.left_ns(boottime_ns())
        if term.reason or left_ns <= 0:
            continue
        if not term.alive():
            trouble = "the host made no progress"
            continue
        try:
            async with asyncio.timeout(left_ns / NS):
                term.extend(await renew())
            trouble = "the host was stopped"
        except TermOver as error:
            term.end(error.reason)
        except (Unreachable, Refused) as error:
            trouble = str(error)
        except TimeoutError:
            trouble = "no answer in time"
    term.end(f"not kept alive in time: {trouble}")
