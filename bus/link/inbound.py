"""What one host hears from one other: each fact once, in order; data of one session, without a hole. Pure.

A session ends when a frame of it is missing, when nothing of it was heard for LOST_NS, or when the peer begins a new
run. The next one has a higher number, so nothing that was sent before it can be mistaken for it: a peer that was
frozen, or cut off, and wakes up with full buffers is not believed until it has answered to the new number.
"""

from typing import NamedTuple

from bus.codec import TYPE_OF_TAG
from bus.link.frame import SYNCED, Entry, Header
from bus.link.outbound import DATA_WINDOW
from bus.link.traffic import BOOKS
from bus.messages import Message

LOST_NS = 600_000_000
"""Silence after which a peer is given up: three heartbeats, as for the sockets below (bus.mailbox.peers). Quotes must be
gone within a second of a host's end; chosen. Our own standstill counts: what we did not hear was not said."""
RUNS_MAX = 16
"""Ended runs of a peer that are remembered, so that a late frame of one is known for what it is; chosen."""


class Arrived(NamedTuple):
    """A message of another host, as it was sent there: `raw` bears that host's header.

    run, session: of which start of the peer, in which session. fact: its sequence, or 0. data: its count, or 0.
    """

    kind: type[Message]
    raw: bytes
    peer: int
    run: int
    session: int
    fact: int
    data: int


class Inbound:
    """The receiving half of a link."""

    def __init__(self, peer: int, now_ns: int) -> None:
        self.peer = peer
        self.run = 0  # the peer's; 0: it has never spoken
        self.wants = 1
        self.up = False
        """What the peer said holds: it told everything that a session begins with, and has not been silent since."""
        self.facts_taken = self.data_taken = 0
        self.repeated = self.gaps = self.stale = self.unknown = 0
        self._since_ns = now_ns
        self._number = self._facts_heard = self._data_heard = 0
        self._told_facts = self._told_data = 0
        self._ended: list[int] = []

    def is_late(self, run: int) -> bool:
        """A frame of a run that has ended."""
        return run in self._ended

    def new_run(self, run: int, now_ns: int) -> None:
        """Another start of the peer, or its first: what it said before is void."""
        if self.run:
            self._ended = [*self._ended[1 - RUNS_MAX :], self.run]
        self.run = run
        self.up = False
        self.facts_taken = self._facts_heard = self._told_facts = 0
        self.end_session(now_ns)

    def end_session(self, now_ns: int) -> None:
        """Nothing of it counts any more. Whether what it said before still holds (`up`) is another question."""
        self.wants += 1
        self._since_ns = now_ns
        self._number = self._data_heard = self.data_taken = self._told_data = 0

    def is_overdue(self, now_ns: int) -> bool:
        """Nothing of the session was heard for too long."""
        return now_ns - self._since_ns > LOST_NS

    def accepts(self, header: Header, now_ns: int) -> bool:
        """Whether the frame is the next one of the session that we want; a hole ends the session."""
        if header.session != self.wants or header.number < self._number:
            self.stale += 1
            return False
        if header.number > self._number:
            self.gaps += 1
            since_ns = self._since_ns
            self.end_session(now_ns)
            self._since_ns = since_ns  # holes are no sign of life
            return False
        return True

    def take(self, header: Header, entries: list[Entry], now_ns: int) -> list[Arrived]:
        """The messages of an accepted frame that were not heard before."""
        self._number += 1
        self._since_ns = now_ns
        arrived = []
        for tag, fact, raw in entries:
            kind = TYPE_OF_TAG.get(tag)
            if kind is None:
                self.unknown += 1
            elif fact and fact <= self._facts_heard:
                self.repeated += 1
            else:
                self._facts_heard = max(self._facts_heard, fact)
                is_data = not fact and kind is not BOOKS
                self._data_heard += is_data
                data = self._data_heard if is_data else 0
                arrived.append(Arrived(kind, raw, self.peer, self.run, self.wants, fact, data))
        if header.flags & SYNCED:
            self.up = True
        return arrived

    def taken(self, message: Arrived) -> None:
        """The host has run it to completion: it is in the input log, and what it caused in the journal."""
        if message.run != self.run:
            return
        self.facts_taken = max(self.facts_taken, message.fact)
        if message.session == self.wants:
            self.data_taken = max(self.data_taken, message.data)

    @property
    def owes(self) -> bool:
        """Whether the peer should be told now what was taken: facts always, data before its window is full."""
        return self.facts_taken > self._told_facts or self.data_taken - self._told_data >= DATA_WINDOW // 2

    def told(self) -> None:
        self._told_facts, self._told_data = self.facts_taken, self.data_taken
