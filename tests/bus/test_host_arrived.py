"""Messages of other hosts as inputs: delivered as they came, in their order, and everything they cause bears their cause."""

from typing import Any

import pytest

from bus.actor import Handler
from bus.clock import VirtualClock
from bus.codec import encode
from bus.host import Host, Routing
from bus.link import Arrived
from bus.loopback import LoopbackMailboxes
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    Balance,
    BookReason,
    BookState,
    BookStateChanged,
    Frame,
    Header,
    Mark,
    Message,
    PositionUpdate,
    TimerFired,
    Touch,
    read_header,
)

INVALID = BookStateChanged(5, BookState.INVALID, BookReason.HOST_LOST, 0)


class Doer:
    """A receiver that answers each type with what the test says, and remembers it all."""

    def __init__(self, name: str, **answers: tuple[Message, ...]) -> None:
        self.name = name
        self.heard: list[Message] = []
        self.answers = answers
        kinds: dict[str, type[Message]] = {
            kind.__name__: kind for kind in (Frame, Touch, Mark, BookStateChanged, PositionUpdate, TimerFired)
        }
        self.handlers: dict[type[Message], Handler] = {kinds[name]: self._hear for name in answers}

    def _hear(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        self.heard.append(message)
        return self.answers[type(message).__name__]


class Log:
    """A log in memory."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Header]] = []
        self.skip = 0

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.records.append((offset, read_header(body[self.skip :])))
        return len(self.records)


class Elsewhere:
    """Another host, as ours sees it."""

    def __init__(self) -> None:
        self.offered: list[Message] = []
        self.headers: list[Header] = []
        self.flushed = 0

    def offer(self, message: Message, raw: bytes) -> None:
        self.offered.append(message)
        self.headers.append(read_header(raw))

    def flush(self, now_ns: int) -> None:
        self.flushed += 1


def touch(number: int = 1) -> Touch:
    return Touch(5, 1, number, 0, 100, 1, 101, 1)


def mark(number: int = 1) -> Mark:
    return Mark(5, 1, number, 100, 101)


def position(number: int = 1) -> PositionUpdate:
    return PositionUpdate(number, 0, 0, 5, 1, 0, 0, 0, 0, 0.0)


def arrived(message: Message, *, host: int = 3, offset: int = 900, hop: int = 4) -> Arrived:
    raw = HEADER.pack(hop, HEADER_VERSION, host, offset, 77) + encode(message)
    return Arrived(type(message), raw, host, 1, 1, 0, 1)


class Rig:
    """Host 1, offset 41 next: `first` gets what comes, `second` what `first` makes of it; Marks go elsewhere too."""

    def __init__(self) -> None:
        self.first = Doer("first", Touch=(mark(),), Frame=(touch(9),), BookStateChanged=(), TimerFired=())
        self.second = Doer("second", Mark=(position(),), PositionUpdate=())
        self.journal, self.input_log, self.elsewhere = Log(), Log(), Elsewhere()
        self.input_log.skip = 4  # the digest stands before an input
        routes: dict[type[Message], tuple[str, ...]] = {
            Touch: ("first",), Mark: ("second",), PositionUpdate: ("second",), Frame: ("first",),
            BookStateChanged: ("first",),
        }  # fmt: skip
        routing = Routing(routes, (TimerFired,), (PositionUpdate,), (), ((), (TimerFired,), (Frame,)))
        self.host = Host(
            [self.first, self.second],
            routing,
            LoopbackMailboxes(),
            VirtualClock(1_000).now_ns,
            journal=self.journal,
            input_log=self.input_log,
            number=1,
            first_offset=40,
            remotes={Mark: (self.elsewhere,), BookStateChanged: (self.elsewhere,)},
        )


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_kind_that_nobody_routes_is_counted_and_harms_nothing(rig: Rig) -> None:
    """A value of the vocabulary, like Balance: it is well-formed, and no peer of ours sends it by itself."""
    rig.host.post_arrived([arrived(Balance("BTC", 1, 2)), arrived(touch())])
    assert rig.host.run(10) == 2
    assert (rig.host.undecodable, rig.host.broken, rig.first.heard) == (1, "", [touch()])


def test_what_follows_from_another_hosts_message_bears_its_cause(rig: Rig) -> None:
    rig.host.post_arrived([arrived(touch())])
    rig.host.run(10)
    assert rig.second.heard == [mark(), position()]
    [(offset, header)] = rig.journal.records
    assert (header.host, header.offset, header.hop) == (3, 900, 6), "two hops further than it came"
    assert offset == 41, "the journal counts this host's inputs"
    assert rig.host.cause == (3, 900)


def test_the_next_input_of_our_own_is_its_own_cause_again(rig: Rig) -> None:
    rig.host.post_arrived([arrived(touch())])
    rig.host.post(Frame(0, 0, b""))
    rig.host.run(10)
    assert [(offset, header.host, header.offset) for offset, header in rig.journal.records] == [
        (41, 3, 900),
        (42, 1, 42),
    ]


def test_the_input_log_keeps_it_as_it_came(rig: Rig) -> None:
    rig.host.post_arrived([arrived(touch())])
    rig.host.run(10)
    assert rig.input_log.records == [(41, Header(4, 1, 3, 900, 77))]


def test_what_another_host_said_keeps_its_order_and_goes_before_our_market_data(rig: Rig) -> None:
    rig.host.post(Frame(0, 0, b""))
    rig.host.post(TimerFired("first", 1, 1, 1))
    rig.host.post_arrived([arrived(touch(1)), arrived(BookStateChanged(5, BookState.STALE, BookReason.START, 1))])
    rig.host.post_here(INVALID)
    rig.host.run(10)
    assert [type(message) for message in rig.first.heard] == [
        TimerFired, Touch, BookStateChanged, BookStateChanged, Frame, Touch,
    ]  # fmt: skip


def test_it_is_said_to_be_taken_when_its_cascade_is_over(rig: Rig) -> None:
    seen: list[int] = []
    rig.host.on_taken = lambda message: seen.append(len(rig.journal.records))
    rig.host.post_arrived([arrived(touch()), arrived(touch(2))])
    assert (rig.host.waiting, seen) == (2, [])
    rig.host.run(10)
    assert seen == [1, 2]


def test_what_a_cascade_says_to_another_host_leaves_at_its_end_once(rig: Rig) -> None:
    rig.first.answers["Touch"] = (mark(1), mark(2))
    rig.host.post_arrived([arrived(touch())])
    rig.host.run(10)
    assert rig.elsewhere.offered == [mark(1), mark(2)]
    assert {(header.host, header.offset) for header in rig.elsewhere.headers} == {(3, 900)}
    assert rig.elsewhere.flushed == 1


def test_a_message_of_another_host_is_not_sent_on(rig: Rig) -> None:
    """Its own host tells whoever must know: two would tell twice, or for ever."""
    rig.host.post_arrived([arrived(BookStateChanged(5, BookState.LIVE, BookReason.START, 1))])
    rig.host.run(10)
    assert (len(rig.first.heard), rig.elsewhere.offered) == (1, [])


def test_an_input_for_this_host_alone_is_not_sent_on(rig: Rig) -> None:
    rig.host.post_here(INVALID)
    rig.host.run(10)
    assert (rig.first.heard, rig.elsewhere.offered) == ([INVALID], [])
    assert rig.input_log.records[0][1].host == 1


def test_an_answer_does_not_cross(rig: Rig) -> None:
    """It belongs to the actor that asked its own host; the word that it was taken goes back all the same."""
    taken: list[Any] = []
    rig.host.on_taken = taken.append
    rig.host.post_arrived([arrived(TimerFired("first", 1, 1, 1))])
    rig.host.run(10)
    assert (rig.first.heard, len(taken)) == ([], 1)
