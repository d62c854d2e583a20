"""What one run over a recording teaches the next one: few recordings need more than one run, none more than a few."""

from collections.abc import Mapping
from typing import NamedTuple

from bus.messages.feed import Scales

SYMBOLS_FIRST = 64
SYMBOLS_MAX = 4_096
"""Of a recording; chosen: more than a venue lists of one kind. Room for them is made when more than the first few come."""


class Learnt(NamedTuple):
    """scales: of instruments whose figures are finer than metadata or the venue's first guess. ends: the last frame's line
    of each address. symbols: how many there is room for."""

    scales: Mapping[str, Scales] = {}
    ends: Mapping[str, int] | None = None
    symbols: int = SYMBOLS_FIRST


NOTHING_LEARNT = Learnt()


class RunAgain(Exception):
    """The recording has to be run again, knowing what this run was not told.

    scales: more of them. ends: they are needed, because two addresses tell one book. symbols: there are more of them.
    """

    def __init__(
        self, *, scales: Mapping[str, Scales] | None = None, ends: bool = False, symbols: bool = False
    ) -> None:
        super().__init__()
        self.scales, self.ends, self.symbols = scales or {}, ends, symbols
