"""What the server needs of a face: the paths it answers, the work it does, and what the faults know of it."""

from typing import Protocol

from aiohttp import web

from .faults.face import FaultedFace
from .market import Market


class Face(Protocol):
    """One venue's protocol over a market of its own. Faces share the clock, the keys, the faults, the evidence and the control door."""

    name: str

    @property
    def market(self) -> Market: ...

    def routes(self) -> list[web.RouteDef]: ...

    def faulted(self) -> FaultedFace: ...

    async def run(self) -> None:
        """What it does beside the market's own background, until canceled."""
