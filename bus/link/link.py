"""One host's end of the link to one other: frames and time in, frames and messages out. Pure: no socket, no clock.

`receive` what came, `offer` what goes, `flush` after a cascade, `tick` every HEARTBEAT_NS; then send what they return.
Frames may be lost, doubled or reordered when a connection breaks; facts still arrive once and in order.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from bus.link.frame import BYE, LOSSY, SYNCED, Entry, Header, pack
from bus.link.inbound import LOST_NS, Arrived, Inbound
from bus.link.outbound import Outbound
from bus.messages import Message

HEARTBEAT_NS = 200_000_000
"""A frame at least this often, as the sockets below beat; fed by the host's own loop, which a socket's beat is not."""
SKEW_NS_MAX = 100_000_000
"""Two engines' clocks may differ by so much; beyond it ages and expiries are wrong by a tenth of a second. Chosen."""
SKEW_FRAMES = 50
"""Frames of which the quickest is taken for the difference: 10 s of heartbeats; chosen."""


class Happening(IntEnum):
    """What a host should know of its peer."""

    UP = 0
    LOST = 1
    REFUSED = 2
    FACTS_LOST = 3
    CLOCK_DIFFERS = 4


class Event(NamedTuple):
    """detail: for people; the difference in ms for CLOCK_DIFFERS."""

    happening: Happening
    detail: str


class Own(NamedTuple):
    """This host: its number in the topology, its run (unique by start), the hash of its vocabulary (8 bytes)."""

    number: int
    run: int
    vocabulary: bytes


class Link:
    def __init__(self, own: Own, peer: int, now_ns: int) -> None:
        self.own, self.peer = own, peer
        self.outbound = Outbound()
        self.inbound = Inbound(peer, now_ns)
        self.events: list[Event] = []
        """What happened since somebody took them away."""
        self.frames_sent = self.frames_received = 0
        self._number = 0
        self._begun = (0, 0)
        self._heard_ns = 0
        self._sent_ns = 0
        self._urgent = False
        self._refused = b""
        self._quickest_ns: int | None = None
        self._skew_frames = 0

    # -- out ------------------------------------------------------------------------------------------------------

    def offer(self, message: Message, raw: bytes) -> None:
        """A message of the present cascade, with its header. HOT PATH of a host that sends."""
        self.outbound.offer(message, raw)

    def flush(self, now_ns: int) -> list[bytes]:
        """What can go now: entries, or the word of what was taken."""
        batches = self.outbound.take()
        if batches:
            frames = [self._frame(batch, now_ns) for batch in batches[:-1]]
            return [*frames, self._frame(batches[-1], now_ns, SYNCED)]
        if self._urgent or self.inbound.owes:
            return [self._frame((), now_ns, SYNCED)]
        return []

    def tick(self, now_ns: int) -> list[bytes]:
        """Look at the time, and send a heartbeat when nothing else was sent for HEARTBEAT_NS."""
        self._watch(now_ns)
        frames = self.flush(now_ns)
        if not frames and now_ns - self._sent_ns >= HEARTBEAT_NS:
            frames = [self._frame((), now_ns, SYNCED)]
        return frames

    def farewell(self, now_ns: int) -> bytes:
        """The last frame of this run: the peer need not wait for our silence."""
        return self._frame((), now_ns, BYE)

    def _frame(self, entries: Sequence[Entry], now_ns: int, flags: int = 0) -> bytes:
        inbound, outbound = self.inbound, self.outbound
        if outbound.lossy:
            flags |= LOSSY
        header = Header(
            flags,
            self.own.number,
            self.own.vocabulary,
            self.own.run,
            inbound.run,
            outbound.session,
            self._number,
            inbound.wants,
            inbound.facts_taken,
            inbound.data_taken,
            now_ns,
        )
        inbound.told()
        self._urgent = False
        self._number += 1
        self._sent_ns = now_ns
        self.frames_sent += 1
        return pack(header, entries)

    # -- in -------------------------------------------------------------------------------------------------------

    def receive(self, header: Header, entries: list[Entry], now_ns: int) -> list[Arrived]:
        """The messages that this frame brings to the host. What they were sent for, `taken` says."""
        if header.vocabulary != self.own.vocabulary:
            self._refuse(header.vocabulary)
            return []
        inbound = self.inbound
        if inbound.is_late(header.run):
            return []
        self._watch(now_ns)  # first: if we stood still, this frame is as old as that
        self.frames_received += 1
        if header.run != inbound.run:
            self._lose("it began a new run" if inbound.run else "")
            inbound.new_run(header.run, now_ns)
            self._urgent = True
        self._heard_ns = now_ns
        self._compare_clocks(header.sent_ns, now_ns)
        if header.peer_run != self.own.run:
            return []  # it does not know us, or only the run before us: nothing in it is meant for us
        self._hear_wishes(header, now_ns)
        wanted = inbound.wants
        if not inbound.accepts(header, now_ns):
            self._urgent = self._urgent or inbound.wants != wanted
            return []
        was_up = inbound.up
        arrived = inbound.take(header, entries, now_ns)
        if header.flags & LOSSY:
            self.events.append(Event(Happening.FACTS_LOST, "more facts waited for us than may wait"))
        if header.flags & BYE:
            self._lose("it said goodbye")
            inbound.end_session(now_ns)
        elif inbound.up and not was_up:
            self.events.append(Event(Happening.UP, ""))
        return arrived

    def cut(self, now_ns: int) -> None:
        """The connection to the peer has ended: most likely its process has. It must say everything anew."""
        if self.inbound.up:
            self._lose("its connection has ended")
            self.inbound.end_session(now_ns)
            self._urgent = True

    def taken(self, message: Arrived) -> None:
        """The host has run this message to completion; the peer may forget it."""
        self.inbound.taken(message)

    def _hear_wishes(self, header: Header, now_ns: int) -> None:
        """What the peer took, and which session it wants."""
        outbound = self.outbound
        outbound.acknowledged(header.facts_taken)
        wanted = (header.run, header.wants)
        if wanted != self._begun:
            self._begun = wanted
            self._number = 0
            outbound.begin(header.run, header.wants, now_ns)
            self._urgent = True
        elif outbound.session:
            outbound.data_taken(header.data_taken)

    def _watch(self, now_ns: int) -> None:
        """Silence, by our own clock and whoever's fault."""
        inbound, outbound = self.inbound, self.outbound
        if outbound.session and now_ns - self._heard_ns > LOST_NS:
            outbound.forget_peer()
        if inbound.is_overdue(now_ns):
            self._lose(f"nothing was heard of it for {LOST_NS // 1_000_000} ms")
            inbound.end_session(now_ns)
            self._urgent = True

    def _lose(self, reason: str) -> None:
        if self.inbound.up:
            self.inbound.up = False
            self.events.append(Event(Happening.LOST, reason))

    def _refuse(self, vocabulary: bytes) -> None:
        """Once a vocabulary: the peer beats five times a second."""
        if vocabulary != self._refused:
            self._refused = vocabulary
            told = f"its messages are of vocabulary {vocabulary.hex()}, ours of {self.own.vocabulary.hex()}"
            self.events.append(Event(Happening.REFUSED, f"{told}: run the same version on both hosts"))

    def _compare_clocks(self, sent_ns: int, now_ns: int) -> None:
        """The quickest frame of many was hardly under way: what is left is the difference of the two clocks."""
        way_ns = now_ns - sent_ns
        self._quickest_ns = way_ns if self._quickest_ns is None else min(self._quickest_ns, way_ns)
        self._skew_frames += 1
        if self._skew_frames >= SKEW_FRAMES:
            if abs(self._quickest_ns) > SKEW_NS_MAX:
                self.events.append(Event(Happening.CLOCK_DIFFERS, f"{self._quickest_ns / 1e6:.0f}"))
            self._quickest_ns, self._skew_frames = None, 0
