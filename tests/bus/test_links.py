"""Two hosts' links on one real loop, over ipc: what is sent is taken and forgotten, and nothing strange stops them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bus.clock import EngineClock
from bus.codec import decode_any, encode, tag_of
from bus.link import Arrived, Event, Happening, Own
from bus.link.frame import Entry, Header, pack
from bus.links import Links
from bus.mailbox import PeerListener, PeerSender, ZmqMailboxes
from bus.messages import HEADER, HEADER_SIZE, HEADER_VERSION, Alert, AlertLevel, Message

LIMIT_S = 60.0


def alert(number: int) -> Alert:
    return Alert(AlertLevel.INFO, "orderbook", "numbered", number)


class End:
    """One host's links; what arrives is taken at once."""

    def __init__(self, number: int, folder: Path) -> None:
        self.number, self.mailboxes, self.clock = number, ZmqMailboxes(), EngineClock()
        self.sender = PeerSender(self.mailboxes, f"ipc://{folder}/{1 - number}.ipc")
        self.events: list[Event] = []
        self.heard: list[Message] = []
        self.refused: list[tuple[int, str]] = []
        now_ns = self.clock.now_ns
        own = Own(number, now_ns(), b"12345678")
        self.links = Links(own, {1 - number: self.sender}, now_ns, lambda peer, event: self.events.append(event))
        self.links.on_unreadable = lambda count, reason: self.refused.append((count, reason))
        self.links.start(PeerListener(self.mailboxes, f"ipc://{folder}/{number}.ipc"), self)
        self.peer = self.links.peers[1 - number]

    def post_arrived(self, messages: list[Arrived]) -> None:
        for message in messages:
            self.heard.append(decode_any(message.raw[HEADER_SIZE:]))
            self.links.taken(message)

    def say(self, message: Message) -> None:
        """As a host does at the end of a cascade."""
        self.peer.offer(message, HEADER.pack(0, HEADER_VERSION, self.number, 1, 1) + encode(message))
        self.peer.flush(self.clock.now_ns())

    def happened(self, happening: Happening) -> bool:
        return any(event.happening is happening for event in self.events)

    def close(self) -> None:
        self.links.stop()
        self.mailboxes.close()


async def until(held: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not held():
            await asyncio.sleep(0.005)


@pytest.fixture
async def ends(tmp_path: Path) -> AsyncIterator[tuple[End, End]]:
    """Two that know each other."""
    both = End(0, tmp_path), End(1, tmp_path)
    for end in both:
        await until(lambda end=end: end.happened(Happening.UP))  # type: ignore[misc]  # mypy infers no type for a bound default
    yield both
    for end in both:
        end.close()


async def test_what_one_says_the_other_takes_and_the_first_may_forget(ends: tuple[End, End]) -> None:
    one, other = ends
    for number in range(1_000):
        one.say(alert(number))
    await until(lambda: len(other.heard) == 1_000)
    assert other.heard == [alert(number) for number in range(1_000)]
    await until(lambda: not one.peer.link.outbound.facts)


async def test_bytes_that_are_no_frame_are_counted_and_survived(ends: tuple[End, End]) -> None:
    one, other = ends
    for junk in (b"", b"GET / HTTP/1.1\r\n\r\n", b"TLK1" + bytes(200), b"x" * 5_000):
        assert one.sender.send(junk)
    no_message = pack(Header(0, 0, b"12345678", 1, 1, 1, 0, 1, 0, 0, 0), [Entry(tag_of(Alert), 1, b"x" * HEADER_SIZE)])
    assert one.sender.send(no_message)
    stranger = one.peer.link.farewell(one.clock.now_ns()).replace(b"TLK1\x04\x00\x00\x00", b"TLK1\x04\x00\x07\x00")
    assert one.sender.send(stranger)
    one.say(alert(1))
    await until(lambda: other.heard)
    assert other.links.unreadable == 6
    assert [count for count, _ in other.refused] == [1, 2, 4]


async def test_a_host_that_stops_is_lost_at_once_and_nothing_more_is_heard_of_it(ends: tuple[End, End]) -> None:
    one, other = ends
    one.links.stop()
    one.links.stop()  # as often as anybody likes
    await until(lambda: other.happened(Happening.LOST))
    assert "goodbye" in other.events[-1].detail
