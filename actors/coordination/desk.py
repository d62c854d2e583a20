"""What the rules of coordination share: the phase, the numbers of requests and timers, the settings. It holds no rule."""

from actors.coordination.phases import LEADS, PHASES, Event, Phase
from actors.coordination.settings import CoordinationSettings
from bus.messages import Message, SetTimer

NAME = "coordination"
BAND_TIMER, COOLDOWN_TIMER, PUBLISH_TIMER, ACCOUNT_TIMER = range(4)
TIMERS = 4
"""Kinds of timers; a timer's number is instrument * TIMERS + kind (the account's: instrument 0)."""


class Desk:
    """generation: of requests; an answer to an older one belongs to an earlier term."""

    __slots__ = ("counter", "generation", "phase", "settings")

    def __init__(self, settings: CoordinationSettings) -> None:
        self.settings = settings
        self.phase = Phase.STANDING_BY
        self.counter = 0
        self.generation = 0

    def move(self, event: Event) -> None:
        self.phase = PHASES[self.phase, event]

    @property
    def leads(self) -> bool:
        return self.phase in LEADS

    def head(self, now_ns: int) -> tuple[str, int, int, int]:
        """The first fields of the next request: asker, counter, generation, deadline."""
        self.counter += 1
        return NAME, self.counter, self.generation, now_ns + self.settings.request_timeout_ns

    def wake(self, kind: int, instrument: int, fires_ns: int, out: list[Message]) -> None:
        out.append(SetTimer(NAME, instrument * TIMERS + kind, 0, fires_ns))
