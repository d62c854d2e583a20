"""What one host has to tell one other: facts until they are taken, the newest data when there is room. Pure.

A session is the receiver's: it names one, and gets the entries of it in order and without a hole, or names the next.
A session begins with the facts that were not taken yet, then every book's state, then the newest data. A new run of
the receiver remembers nothing: it is told what is kept instead of the facts that its predecessor did not take.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from bus.codec import tag_of
from bus.link.frame import ENTRIES_MAX, FRAME_BYTES_MAX, Entry
from bus.link.traffic import BOOKS, KEPT, LATEST, PRINTS, RETOLD, expires_ns, is_over, merged
from bus.messages import VOCABULARY, Alert, BookState, BookStateChanged, LevelQuantities, Message

FACTS_MAX = 10_000
"""Facts that may wait for the peer to take them: 1,000 orders coming to their end are about 3,000. Beyond it the oldest
is lost, and a peer that was alive all the time is told so: it must start anew. Chosen."""
DATA_WINDOW = 256
"""Data messages on their way, sent and not yet taken; beyond it data conflates here. 1,000 a second, of a receiver that
stands still for 250 ms, fit. What a receiver finds when it wakes up is never more than this. Chosen."""
KEPT_MAX = 10_000
"""Keys kept of one type, the oldest goes first: as many as there may be instruments (ops/registry)."""


class Fact(NamedTuple):
    """expires_ns: when it must not be sent again any more; 0: never."""

    entry: Entry
    expires_ns: int


Waiting = dict[tuple[int, Hashable], bytes]
"""(tag, key) -> message, in the order of their last change."""


class Outbound:
    """The sending half of a link. `offer` while a cascade runs, `frames` at its end."""

    def __init__(self) -> None:
        self.run = 0  # the peer's; 0: it has never spoken
        self.session = 0  # its session that is being sent; 0: none
        self.conflated = self.dropped = self.expired = self.lost_facts = self.resent = 0
        self.facts: deque[Fact] = deque()
        self.lossy = False
        self._lost_until_ns = 0
        self._sequence = 0
        self._out: list[Entry] = []
        self._data_sent = self._data_taken = 0
        self._waiting: Waiting = {}
        self._data: Waiting = {}
        self._kept: dict[type[Message], dict[Hashable, bytes]] = {kind: {} for kind in KEPT}
        self._rules: dict[type[Message], Callable[[Any, int, bytes], None]] = {
            **dict.fromkeys(VOCABULARY, self._fact),
            **dict.fromkeys(KEPT, self._kept_fact),
            **dict.fromkeys(LATEST, self._latest),
            **dict.fromkeys(PRINTS, self._print),
            BOOKS: self._book,
        }

    # -- what the host says ---------------------------------------------------------------------------------------

    def offer(self, message: Message, raw: bytes) -> None:
        kind = type(message)
        self._rules[kind](message, tag_of(kind), raw)

    def _fact(self, message: Message, tag: int, raw: bytes) -> None:
        self._sequence += 1
        if len(self.facts) >= FACTS_MAX:
            self.lost_facts += 1
            lost = self.facts.popleft()
            if lost.expires_ns:  # a loss only if the peer is back before then
                self._lost_until_ns = max(self._lost_until_ns, lost.expires_ns)
            else:
                self.lossy = lost.entry.tag not in _HARMLESS or self.lossy
        entry = Entry(tag, self._sequence, raw)
        self.facts.append(Fact(entry, expires_ns(message)))
        if self.session:
            self._out.append(entry)

    def _kept_fact(self, message: Message, tag: int, raw: bytes) -> None:
        kind = type(message)
        kept, key = self._kept[kind], KEPT[kind](message)
        if is_over(message):
            kept.pop(key, None)
        else:
            if key not in kept and len(kept) >= KEPT_MAX:
                del kept[next(iter(kept))]
            kept[key] = raw
        self._fact(message, tag, raw)

    def _book(self, change: BookStateChanged, tag: int, raw: bytes) -> None:
        """A book that is not LIVE has no data: what waits of it is as wrong as what is sent."""
        if change.state is not BookState.LIVE:
            for place in _places_of(change.instrument):
                self._waiting.pop(place, None)
                self._data.pop(place, None)
        self._kept_fact(change, tag, raw)

    def _latest(self, message: Message, tag: int, raw: bytes) -> None:
        kind = type(message)
        place = (tag, LATEST[kind](message))
        if kind in RETOLD:
            self._data.pop(place, None)
            self._data[place] = raw
        if not self.session:
            return
        if self._data_sent - self._data_taken < DATA_WINDOW and not self._waiting:
            self._put(tag, raw)
            return
        before = self._waiting.pop(place, None)
        if before is not None:
            self.conflated += 1
            if kind is LevelQuantities:
                raw = merged(before, raw)
        self._waiting[place] = raw

    def _print(self, message: Message, tag: int, raw: bytes) -> None:
        if self.session and self._data_sent - self._data_taken < DATA_WINDOW and not self._waiting:
            self._put(tag, raw)
        else:
            self.dropped += 1

    def _put(self, tag: int, raw: bytes) -> None:
        self._data_sent += 1
        self._out.append(Entry(tag, 0, raw))

    # -- what the peer says ---------------------------------------------------------------------------------------

    def begin(self, run: int, session: int, now_ns: int) -> None:
        """The peer wants this session: everything of it anew, in the order that the module says."""
        known, self.run = self.run, run
        self.lossy = self.lossy or now_ns < self._lost_until_ns
        if run != known and (known or self.lossy):
            self._tell_kept()
        self._forget_expired(now_ns)
        self.session = session
        self._data_sent = self._data_taken = 0
        self._out = [fact.entry for fact in self.facts]
        self.resent += len(self._out)
        self._out += [Entry(tag_of(BOOKS), 0, raw) for raw in self._kept[BOOKS].values()]
        self._waiting = dict(self._data)

    def _tell_kept(self) -> None:
        """To a peer that remembers nothing of us: in place of facts that its predecessor, or nobody, has heard.

        A peer's first run needs no such help: every fact since our own start waits for it, unless some were lost.
        """
        self.facts.clear()
        self.lossy = False
        self._lost_until_ns = 0
        for kind, kept in self._kept.items():
            for raw in kept.values() if kind is not BOOKS else ():
                self._sequence += 1
                self.facts.append(Fact(Entry(tag_of(kind), self._sequence, raw), 0))

    def forget_peer(self) -> None:
        """It has not been heard for too long: nothing is on its way any more. Facts wait, and data is kept."""
        self.session = 0
        self._out.clear()
        self._waiting.clear()

    def acknowledged(self, sequence: int) -> None:
        facts = self.facts
        while facts and facts[0].entry.sequence <= sequence:
            facts.popleft()

    def data_taken(self, count: int) -> None:
        """So many data messages of the present session were taken: there is room for what waits."""
        self._data_taken = max(self._data_taken, count)

    def _forget_expired(self, now_ns: int) -> None:
        """A stale intent is not sent again: whoever wished it decides anew."""
        before = len(self.facts)
        self.facts = deque(fact for fact in self.facts if not 0 < fact.expires_ns <= now_ns)
        self.expired += before - len(self.facts)

    # -- what goes onto the wire ----------------------------------------------------------------------------------

    def take(self) -> list[list[Entry]]:
        """Entries of the frames to send now, in order; [] when there is nothing."""
        while self._waiting and self.session and self._data_sent - self._data_taken < DATA_WINDOW:
            place = next(iter(self._waiting))
            self._put(place[0], self._waiting.pop(place))
        if not self._out:
            return []
        frames: list[list[Entry]] = [[]]
        size = 0
        for entry in self._out:
            if frames[-1] and (size + len(entry.raw) > FRAME_BYTES_MAX or len(frames[-1]) >= ENTRIES_MAX):
                frames.append([])
                size = 0
            frames[-1].append(entry)
            size += len(entry.raw)
        self._out.clear()
        return frames

    @property
    def waiting(self) -> int:
        """Data messages that wait for room, at most one a type and key."""
        return len(self._waiting)


_HARMLESS = (tag_of(BOOKS), tag_of(Alert))
"""Lost without harm: a book's state is told at each session's begin, and an alert is for people, who have the log."""
_BY_INSTRUMENT = tuple(tag_of(kind) for kind in RETOLD)
_LEVELS = tag_of(LevelQuantities)


def _places_of(instrument: int) -> list[tuple[int, Hashable]]:
    """Everywhere that data of this book may wait."""
    levels = [(_LEVELS, (instrument, known)) for known in (True, False)]
    return [*((tag, instrument) for tag in _BY_INSTRUMENT), *levels]
