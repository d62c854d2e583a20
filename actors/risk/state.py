"""What a checkpoint of risk holds: everything but the sums, which are built up again. Plain data."""

import msgspec

from actors.risk.holds import SavedExposure
from actors.risk.losses import Day
from actors.risk.repeats import Row
from actors.risk.states import Reason
from actors.risk.watch import WatchState
from bus.messages import Refusal


class RiskState(msgspec.Struct):
    """rejects, fills, rate: times of what is counted in a window; see each module for the rest."""

    books: list[SavedExposure]
    reasons: list[Reason]
    days: list[Day]
    rejects: list[tuple[int, list[int]]]
    rate: list[int]
    next_approval: int
    last_update: int
    last_fill: int
    approved: int
    repeated: int
    refused: list[tuple[Refusal, int]]
    bands: list[tuple[int, int, int]] = []
    peaks: list[tuple[str, int]] = []
    watch: WatchState = msgspec.field(default_factory=WatchState)
    fills: list[tuple[int, list[int]]] = []
    repeats: list[Row] = []
    heard: list[str] = []
