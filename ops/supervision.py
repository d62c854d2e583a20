"""What follows when a receiver raised. A table of two groups and one owner; the host does what is decided here.

| who raised                               | what follows                                                               |
|------------------------------------------|----------------------------------------------------------------------------|
| market_data, orderbook, microstructure   | it and those behind it are made anew; every book is INVALID until it synced |
| strategy                                 | quarantined: its quotes are pulled, it is called no more; the rest goes on  |
| anyone else, a door or the host itself   | this run ends as a crash would; another one recovers in the same process    |

Restarts are bounded (`[supervision]`). Beyond the bound the first group stays down and the engine cancels only; the last
group's orders are canceled by one more run, which trades nothing, and the process ends.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from bus.actor import NOTHING, Actor, Handler
from bus.failure import Failure, printable
from bus.host import Host
from bus.messages import (
    ActorFailed,
    ActorsRestarted,
    BookReason,
    BookState,
    BookStateChanged,
    ClockEstimate,
    Instrument,
    Message,
    StrategyQuarantined,
    read_header,
)
from ops import events
from ops.poison import PoisonBox
from ops.sections import S, SupervisionSection
from ops.strategy_guard import Interrupted

FEED = ("market_data", "orderbook", "microstructure")
"""They resynchronize with the venue, so they may restart alone: each with those that live of what it says."""
STRATEGY = "strategy"


class Intensity:
    """How many restarts there were of late; one count for all groups and all runs of a process. total: since its start."""

    def __init__(self, section: SupervisionSection) -> None:
        self._most, self._window_ns = section.restarts_max, section.window_s * S
        self._at_ns: deque[int] = deque(maxlen=max(section.restarts_max, 1))
        self.total = 0

    def take(self, now_ns: int) -> int:
        """The number of this restart within the window, from 1; 0: there were too many."""
        while self._at_ns and now_ns - self._at_ns[0] >= self._window_ns:
            self._at_ns.popleft()
        if len(self._at_ns) >= self._most:
            return 0
        self._at_ns.append(now_ns)
        self.total += 1
        return len(self._at_ns)


class Crash(NamedTuple):
    """Why a run is over although nobody ended it. message_tag: of what the receiver was given, 0 if of nothing."""

    receiver: str
    message_tag: int
    text: str
    now_ns: int

    @property
    def told(self) -> ActorFailed:
        """As an input of a run that trades nothing."""
        return ActorFailed(self.receiver, self.message_tag, self.text)


class Supervision:
    """A receiver of the host, and its `on_failure`. It keeps what those that are made anew must know.

    actors: those of the host, which it replaces in place. make: new ones by name. live: False in a replay, whose inputs
    are in its log already.
    """

    name = "supervision"

    def __init__(
        self,
        actors: list[Actor[Any]],
        make: Callable[[Collection[str]], Sequence[Actor[Any]]],
        owner: str,
        intensity: Intensity,
        box: PoisonBox | None,
        *,
        live: bool = True,
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            Instrument: self._know,
            ClockEstimate: self._know_clock,
            ActorsRestarted: self._renew,
        }
        self._actors, self._make, self._owner = actors, make, owner
        self.intensity, self._box, self._live = intensity, box, live
        self._instruments: dict[int, Instrument] = {}
        self._clocks: dict[int, ClockEstimate] = {}
        self.crash: Crash | None = None
        """Why this run is over; the process may begin another."""
        self.quarantines = 0
        self.reopen: Callable[[str], None] = lambda reason: None
        """Every market data connection anew: nothing is known of the open ones any more."""
        self.renewed: Callable[[], None] = lambda: None

    def attach(self, host: Host) -> None:
        self._host = host
        host.on_failure = self._decide

    def quarantine(self, reason: str, sequence: int = 0) -> None:
        """The strategy is called no more, from the next input on."""
        self.quarantines += 1
        self._host.post_first(StrategyQuarantined(self._owner, printable(reason), sequence))

    # -- what raised ----------------------------------------------------------------------------------------------

    def _decide(self, failure: Failure) -> bool:
        if self._live:
            self._keep(failure)
        if failure.receiver == STRATEGY:
            self._blame_strategy(failure)
        elif failure.receiver in FEED:
            self._restart_feed(failure)
        else:
            self._end_run(failure)
        return True

    def _keep(self, failure: Failure) -> None:
        events.critical("actor_raised", actor=failure.receiver, on=type(failure.message).__name__, error=failure.text)
        if self._box is None:
            return
        try:
            events.warning("poison_kept", actor=failure.receiver, path=self._box.keep(failure))
        except (OSError, ValueError) as error:
            events.warning("poison_not_kept", actor=failure.receiver, reason=str(error))

    def _blame_strategy(self, failure: Failure) -> None:
        """Its actor keeps facts before it calls, and stops calling when a hook raised: its state is whole."""
        self._host.failed.discard(STRATEGY)
        if self._live:
            broken_off = isinstance(failure.error.__cause__, Interrupted)
            self.quarantine(failure.text, read_header(failure.raw).sequence if broken_off else 0)

    def _restart_feed(self, failure: Failure) -> None:
        """First of all inputs: trading stops, no book has a price; then those that failed are new, and trading goes on."""
        names = FEED[FEED.index(failure.receiver) :]
        self._host.silence(names)
        if not self._live:
            return
        lost = [BookStateChanged(number, BookState.INVALID, BookReason.RESTARTED, 0) for number in self._instruments]
        self._host.post_first(failure.told, *lost)
        attempt = self.intensity.take(failure.now_ns)
        if attempt:
            self._host.post_first(ActorsRestarted(names, attempt, failure.text))
        else:
            events.critical("restarts_used_up", actors=",".join(names), remedy="look at poison_kept, then start again")

    def _end_run(self, failure: Failure) -> None:
        self.crash = self.crash or Crash(failure.receiver, failure.told.message_tag, failure.text, failure.now_ns)
        self._host.abort(f"{failure.receiver} raised: {failure.text}")

    def broke(self, reason: str) -> None:
        """The host itself is not whole: a write between inputs raised, a cascade or a queue has no end."""
        self.crash = self.crash or Crash("host", 0, reason, self._host.now_ns())

    # -- made anew ------------------------------------------------------------------------------------------------

    def _know(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        self._instruments[instrument.instrument] = instrument
        return NOTHING

    def _know_clock(self, estimate: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        self._clocks[estimate.venue] = estimate
        return NOTHING

    def _renew(self, restarted: ActorsRestarted, now_ns: int) -> tuple[Message, ...]:
        """New ones, told what they must know before anything else reaches them. Of another group or host: nothing."""
        wanted = {actor.name for actor in self._actors if actor.name in restarted.actors and actor.name in FEED}
        if not wanted:
            return NOTHING
        fresh = list(self._make(wanted))
        said: list[Message] = []
        for actor in fresh:
            said += self._told(actor, now_ns)
        by_name = {actor.name: actor for actor in fresh}
        self._actors[:] = [by_name.get(actor.name, actor) for actor in self._actors]
        self._host.renew(fresh)
        self.renewed()
        if FEED[0] in wanted:
            self.reopen("market data was made anew")
        return tuple(said)

    def _told(self, actor: Actor[Any], now_ns: int) -> Iterable[Message]:
        for fact in (*self._instruments.values(), *self._clocks.values()):
            if type(fact) in actor.handlers:
                yield from actor.receive(fact, now_ns)
