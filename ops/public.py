"""What ops itself asks of a venue while an engine runs: public REST, one question a second at most, never in a hurry."""

import asyncio

from gateway.doors.pace import Pace
from gateway.doors.rest import RestDoor, RestFailed
from ops.feeds import Source

SPACING_S = 1.0
"""Between two questions to one venue: Kraken allows one public request a second, the others many more (docs/venues)."""
REFUSALS = range(400, 500)


class Unanswered(Exception):
    """No answer that could be read. The text says why; whoever asked asks again at its next time."""


class Public:
    """One venue's. Questions of several askers wait for each other."""

    def __init__(self, rest: RestDoor, source: Source) -> None:
        self.source = source
        self._rest = rest
        self._pace = Pace(1, SPACING_S, asyncio.get_running_loop().time)

    async def turn(self) -> None:
        """Wait until the next question may leave, where the time of its leaving matters."""
        await self._pace.turn()

    async def get(self, path: str, timeout_s: float) -> bytes:
        """The body, of a refusal too: what the venue says of a symbol that it does not have is an answer.

        After `turn`. Raises Unanswered: unreachable, late, held back by the venue's rate limit, or broken over there.
        """
        name = path.partition("?")[0].rpartition("/")[2]
        try:
            status, body = await self._rest.get(self.source.number, lambda: path, timeout_s)
        except RestFailed as error:
            raise Unanswered(f"{name}: {error.reason}") from error
        if status != 200 and status not in REFUSALS:
            raise Unanswered(f"{name}: status {status}")
        return body
