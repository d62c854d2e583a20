"""All links of a host on its loop: frames from the sockets to the host, and from the host's cascades to the sockets.

bus.link decides, bus.mailbox.peers carries; here is only when. What a cascade has for other hosts leaves at its end.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from bus.link import Arrived, Event, Link, Own, Unreadable, unpack
from bus.mailbox import PeerListener, PeerSender
from bus.messages import Message

TICK_S = 0.1
"""How often the links look at the time: half a heartbeat, so that a silent peer is found in LOST_NS + 0.1 s; chosen."""
FRAMES_BATCH = 64
"""Frames of peers taken before the loop gets a turn; as BATCH of bus.pump."""


class Inputs(Protocol):
    """Where messages of other hosts go: bus.pump.Pump."""

    def post_arrived(self, messages: list[Arrived]) -> None: ...


class Peer:
    """One other host, as a receiver of our host (bus.host.Remote)."""

    def __init__(self, link: Link, sender: PeerSender) -> None:
        self.link, self.sender = link, sender
        self.unsent = 0
        self.offer: Callable[[Message, bytes], None] = link.outbound.offer

    def flush(self, now_ns: int) -> None:
        self.send(self.link.flush(now_ns))

    def send(self, frames: list[bytes]) -> None:
        """A frame that finds no connection is lost; the peer sees a hole and asks for everything anew."""
        for frame in frames:
            if not self.sender.send(frame):
                self.unsent += 1


class Links:
    """Made before the host, which sends to `peers`; `start` it with the pump, `stop` it before the mailboxes close."""

    def __init__(
        self,
        own: Own,
        senders: Mapping[int, PeerSender],
        now_ns: Callable[[], int],
        on_event: Callable[[int, Event], None],
    ) -> None:
        """senders, on_event: by the peer's number."""
        self._now_ns, self._on_event = now_ns, on_event
        self.peers = {number: Peer(Link(own, number, now_ns()), sender) for number, sender in senders.items()}
        self.on_unreadable: Callable[[int, str], None] = lambda count, reason: None
        """(how many so far, why the last one was none): at the 1st, 2nd, 4th, 8th ... of them."""
        self.unreadable = 0
        self._loop = asyncio.get_running_loop()
        self._listener: PeerListener | None = None
        self._inputs: Inputs | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._telling = self._again = False

    def start(self, listener: PeerListener, inputs: Inputs) -> None:
        self._listener, self._inputs = listener, inputs
        self._loop.add_reader(listener.descriptor, self._on_frames)
        for peer in self.peers.values():
            self._loop.add_reader(peer.sender.descriptor, self._on_connection, peer)
            self._on_connection(peer)  # the descriptor fires only after it was looked at
        self._on_tick()
        self._on_frames()  # what came before now does not fire the descriptor again

    def stop(self) -> None:
        """Say goodbye, and hear nothing more."""
        if self._listener is None:
            return
        self._loop.remove_reader(self._listener.descriptor)
        self._listener.close()
        self._listener = None
        if self._tick is not None:
            self._tick.cancel()
        for peer in self.peers.values():
            self._loop.remove_reader(peer.sender.descriptor)
            peer.send([peer.link.farewell(self._now_ns())])
            peer.sender.close()

    def taken(self, message: Arrived) -> None:
        """The host has run it to completion (bus.host.Host.on_taken). The peer is told once for many."""
        link = self.peers[message.peer].link
        link.taken(message)
        if link.inbound.owes and not self._telling:
            self._telling = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        self._telling = False
        if self._listener is not None:
            for peer in self.peers.values():
                peer.flush(self._now_ns())

    def _on_frames(self) -> None:
        """The descriptor fires once for any number of frames: come back by itself until there are none."""
        if not self._again:
            self._drain()

    def _drain(self) -> None:
        self._again = False
        if self._listener is None:
            return
        frames, empty = self._listener.drain(FRAMES_BATCH)
        for frame in frames:
            self._take(frame)
        if not empty:
            self._again = True
            self._loop.call_soon(self._drain)

    def _take(self, frame: bytes) -> None:
        assert self._inputs is not None
        try:
            header, entries = unpack(frame)
            peer = self.peers[header.host]
        except (Unreadable, KeyError) as error:
            self._count_unreadable(
                str(error) if isinstance(error, Unreadable) else f"host {error} is not in the topology"
            )
            return
        now_ns = self._now_ns()
        arrived = peer.link.receive(header, entries, now_ns)
        if arrived:
            self._inputs.post_arrived(arrived)
        self._tell_events(peer)  # after: a frame that brings something never tells of a loss
        peer.flush(self._now_ns())

    def _count_unreadable(self, reason: str) -> None:
        self.unreadable += 1
        if self.unreadable.bit_count() == 1:
            self.on_unreadable(self.unreadable, reason)

    def _on_connection(self, peer: Peer) -> None:
        if peer.sender.was_cut():
            peer.link.cut(self._now_ns())
            self._tell_events(peer)

    def _on_tick(self) -> None:
        now_ns = self._now_ns()
        for peer in self.peers.values():
            peer.send(peer.link.tick(now_ns))
            self._tell_events(peer)
        self._tick = self._loop.call_later(TICK_S, self._on_tick)

    def _tell_events(self, peer: Peer) -> None:
        while peer.link.events:
            self._on_event(peer.link.peer, peer.link.events.pop(0))
