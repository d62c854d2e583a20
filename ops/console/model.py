"""What the console knows of the engine: the last frame, and of each section the last word. No I/O; time comes in.

`versions` counts changes by noun, so that a panel whose nouns did not change need not be laid out again.
"""

from collections import deque
from typing import NamedTuple

from bus.latency import Histogram
from ops.telemetry import (
    About,
    Board,
    Coordination,
    Exits,
    Frame,
    Health,
    Ladder,
    Latency,
    Listing,
    Log,
    OwnOrder,
    Shape,
    Tape,
    Trading,
    Upkeep,
)

WINDOW_NS = 30_000_000_000
"""Latencies shown are of the last half minute, so that an old outlier does not hide what happens now; before a console
has watched for so long, since the engine's start. Chosen."""
SNAPSHOT_NS = 3_000_000_000
"""Between kept counts of one histogram (8 kB each): the window is as exact as that."""
RATE_NS = 2_000_000_000
SILENT_NS = 1_000_000_000
"""Without a frame for so long something is wrong: they come at least once in 100 ms."""


class Rate:
    """How often something happened lately, by its last two seconds."""

    def __init__(self) -> None:
        self._times: deque[int] = deque(maxlen=256)

    def count(self, now_ns: int) -> None:
        self._times.append(now_ns)

    def per_second(self, now_ns: int) -> float:
        """0.0 when the last one is older than that."""
        times = self._times
        while times and now_ns - times[0] > RATE_NS:
            times.popleft()
        if len(times) < 2:
            return 0.0
        return (len(times) - 1) * 1e9 / (times[-1] - times[0])


class Model:
    """Single writer: the link. Panels read."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.trouble = ""
        """Why there are no frames, for people; empty while they come."""
        self.frame_ns = 0
        """Boottime at which the last frame came."""
        self._forget()

    def _forget(self) -> None:
        """Nothing is known of this engine yet."""
        self.frame: Frame | None = None
        self.about: About | None = None
        self.board: Board | None = None
        self.trading: Trading | None = None
        self.health: Health | None = None
        self.log: Log | None = None
        self.exits: Exits | None = None
        self.coordination: Coordination | None = None
        self.upkeep: Upkeep | None = None
        self.tapes: dict[int, Tape] = {}
        self.shapes: dict[int, Shape] = {}
        self.hops: dict[str, Histogram] = {}
        self._counts: dict[str, deque[tuple[int, list[int]]]] = {}

    def take(self, frame: Frame, now_ns: int) -> None:
        """now_ns: boottime. A frame with a lower number is of another engine: what was known of the last one goes."""
        if self.frame is not None and frame.number <= self.frame.number:
            self._forget()
        self.frame, self.frame_ns, self.trouble = frame, now_ns, ""
        self._changed("frame")
        for section in frame.sections:
            if isinstance(section, Latency):
                self._latency(section, now_ns)
            elif isinstance(section, Tape):
                self.tapes[section.instrument] = section
            elif isinstance(section, Shape):
                self.shapes[section.instrument] = section
            else:
                setattr(self, type(section).__name__.lower(), section)
            self._changed(type(section).__name__.lower())

    def _changed(self, noun: str) -> None:
        self.versions[noun] = self.versions.get(noun, 0) + 1

    def _latency(self, latency: Latency, now_ns: int) -> None:
        """Counts only grow, so a window is a difference of two of them, however many were lost between."""
        kept = self._counts.setdefault(latency.name, deque())
        if not kept or now_ns - kept[-1][0] >= SNAPSHOT_NS:
            kept.append((now_ns, latency.counts))
        while len(kept) > 1 and now_ns - kept[1][0] >= WINDOW_NS:
            kept.popleft()
        since_ns, before = kept[0]
        counts = latency.counts
        if now_ns - since_ns >= WINDOW_NS:
            counts = [new - old for new, old in zip(counts, before, strict=True)]
        self.hops[latency.name] = Histogram(counts)

    # -- what panels ask ------------------------------------------------------------------------------------------

    @property
    def listings(self) -> tuple[Listing, ...]:
        return self.about.instruments if self.about else ()

    def listing(self, place: int) -> Listing | None:
        """The instrument at this place of the list, round and round."""
        return self.listings[place % len(self.listings)] if self.listings else None

    def ladder(self, instrument: int) -> Ladder | None:
        if self.frame is None:
            return None
        return next((ladder for ladder in self.frame.ladders if ladder.instrument == instrument), None)

    @property
    def books_at(self) -> str:
        """The other host that has the books; empty: they are here."""
        return self.board.books_at if self.board else ""

    @property
    def trades_at(self) -> str:
        """The other host that has orders and positions; empty: they are here."""
        return self.board.trades_at if self.board else ""

    def orders(self) -> tuple[OwnOrder, ...]:
        return self.frame.orders if self.frame else ()

    def engine_ns(self, now_ns: int) -> int:
        """Engine time at boottime `now_ns`: both clocks run on this machine."""
        return self.frame.now_ns + now_ns - self.frame.boottime_ns if self.frame else 0

    def silent(self, now_ns: int) -> bool:
        return self.frame is None or now_ns - self.frame_ns > SILENT_NS


class Scene(NamedTuple):
    """All that a picture is made of. now_ns: boottime. chosen: place in the list of instruments. fine: block characters
    may be used. fps: pictures a second that showed something new.
    """

    model: Model
    now_ns: int
    chosen: int = 0
    fps: float = 0.0
    paused: bool = False
    help: bool = False
    fine: bool = True

    @property
    def listing(self) -> Listing | None:
        """The chosen instrument."""
        return self.model.listing(self.chosen)

    @property
    def engine_ns(self) -> int:
        """Engine time now."""
        return self.model.engine_ns(self.now_ns)
