"""The host on both transports: order, counts, failures, limits, checksums."""

import re
from collections.abc import Callable, Iterator

import pytest

from bus.actor import Actor, Handler
from bus.clock import VirtualClock
from bus.errors import InputsFull, RouteError
from bus.host import HOP_MAX, INPUTS_MAX, Host, Routing
from bus.loopback import LoopbackMailboxes
from bus.mailbox import Mailboxes, ZmqMailboxes
from bus.messages import (
    HEADER_SIZE,
    ActorFailed,
    CancelCommand,
    CommandDropped,
    ConnectionUp,
    Frame,
    Mark,
    Message,
    SetTimer,
    TimerFired,
    Touch,
    read_header,
)

Rule = Callable[[Message, int], tuple[Message, ...]]


class Scripted(Actor):  # type: ignore[type-arg]  # no state
    """An actor that does what the test says, and remembers what it got."""

    def __init__(self, name: str, rules: dict[type[Message], Rule]) -> None:
        self.name = name  # type: ignore[misc]  # one class plays all parts here
        self.seen: list[tuple[Message, int]] = []
        self.handlers: dict[type[Message], Handler] = {t: self._wrap(rule) for t, rule in rules.items()}

    def _wrap(self, rule: Rule) -> Rule:
        def handler(message: Message, now_ns: int) -> tuple[Message, ...]:
            self.seen.append((message, now_ns))
            return rule(message, now_ns)

        return handler


class Recorder:
    """A log in memory: (kind, offset, now_ns, body)."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, int, bytes]] = []

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.records.append((kind, offset, now_ns, body))
        return len(self.records) - 1


def nothing(message: Message, now_ns: int) -> tuple[Message, ...]:
    return ()


@pytest.fixture(params=["zmq", "loopback"])
def mailboxes(request: pytest.FixtureRequest) -> Iterator[Mailboxes]:
    opened: Mailboxes = ZmqMailboxes() if request.param == "zmq" else LoopbackMailboxes()
    yield opened
    opened.close()


def make_host(
    mailboxes: Mailboxes, receivers: list[Scripted], routes: dict[type[Message], tuple[str, ...]], **more: object
) -> Host:
    classes = ((ConnectionUp, ActorFailed, CommandDropped), (), (TimerFired,), (Frame,))
    routing = Routing(routes, (TimerFired,), (Mark,), (CancelCommand,), classes)
    return Host(receivers, routing, mailboxes, VirtualClock(1_000).now_ns, **more)  # type: ignore[arg-type]


def frame(n: int) -> Frame:
    return Frame(n, 0, b"")


def mark(n: int) -> Mark:
    return Mark(n, 0, 0, 0, 0)


def touch(n: int) -> Touch:
    return Touch(n, 0, 0, 0, 0, 0, 0, 0)


def test_a_cascade_runs_in_send_order_and_to_completion(mailboxes: Mailboxes) -> None:
    a = Scripted("a", {Frame: lambda m, _: (mark(1), touch(2), mark(3))})
    b = Scripted("b", {Mark: lambda m, _: (touch(10 + m.instrument),)})  # type: ignore[attr-defined]
    c = Scripted("c", {Touch: nothing, Mark: nothing})
    host = make_host(mailboxes, [a, b, c], {Frame: ("a",), Mark: ("b", "c"), Touch: ("c",)})
    host.post(frame(0))
    assert host.run(10) == 1
    assert [m for m, _ in b.seen] == [mark(1), mark(3)]
    assert [m for m, _ in c.seen] == [mark(1), touch(2), mark(3), touch(11), touch(13)]
    assert {now for _, now in a.seen + b.seen + c.seen} == {1_000}


def test_inputs_go_by_class_then_by_arrival(mailboxes: Mailboxes) -> None:
    a = Scripted("a", {Frame: nothing, ConnectionUp: nothing, TimerFired: nothing})
    host = make_host(mailboxes, [a], {Frame: ("a",), ConnectionUp: ("a",)})
    inputs = [frame(1), TimerFired("a", 1, 0, 0), frame(2), ConnectionUp(1, 1, 0)]
    for message in inputs:
        host.post(message)
    host.run(10)
    assert [m for m, _ in a.seen] == [inputs[3], inputs[1], inputs[0], inputs[2]]


def test_an_answer_goes_to_its_asker_alone(mailboxes: Mailboxes) -> None:
    a, b = Scripted("a", {TimerFired: nothing}), Scripted("b", {TimerFired: nothing})
    host = make_host(mailboxes, [a, b], {})
    host.post(TimerFired("b", 7, 0, 0))
    host.post(TimerFired("gone", 7, 0, 0))  # an asker that no longer exists: dropped
    host.run(10)
    assert (len(a.seen), len(b.seen)) == (0, 1)


def test_the_header_names_input_hop_and_sequence(mailboxes: Mailboxes) -> None:
    log, journal = Recorder(), Recorder()
    a = Scripted("a", {Frame: lambda m, _: (touch(1),)})
    b = Scripted("b", {Touch: lambda m, _: (mark(1),), Mark: nothing})
    routes: dict[type[Message], tuple[str, ...]] = {Frame: ("a",), Touch: ("b",), Mark: ("b",)}
    host = make_host(mailboxes, [a, b], routes, journal=journal, input_log=log, number=3, first_offset=40)
    host.post(frame(1))
    host.post(frame(2))
    host.run(10)
    assert [(kind, offset) for kind, offset, _, _ in log.records] == [(1, 41), (1, 42)]
    assert read_header(log.records[1][3][4:]) == (0, 1, 3, 42, 4)
    headers = [read_header(body) for _, _, _, body in journal.records]
    assert [(h.hop, h.host, h.offset, h.sequence) for h in headers] == [(2, 3, 41, 3), (2, 3, 42, 6)]
    assert all(len(body) > HEADER_SIZE for _, _, _, body in journal.records)


def test_a_raise_loses_only_its_own_message_and_is_reported(mailboxes: Mailboxes) -> None:
    def explode(message: Message, now_ns: int) -> tuple[Message, ...]:
        raise ValueError("bug")

    cancel = CancelCommand(0, 0, 5, "main", "tl1", 0)
    a = Scripted("a", {Frame: lambda m, _: (cancel, touch(1))})
    b = Scripted("b", {CancelCommand: explode})
    c = Scripted("c", {Touch: nothing, ActorFailed: nothing, CommandDropped: nothing})
    routes: dict[type[Message], tuple[str, ...]] = {Frame: ("a",), CancelCommand: ("b",), Touch: ("c",)}
    host = make_host(mailboxes, [a, b, c], routes | {ActorFailed: ("c",), CommandDropped: ("c",)})
    host.post(frame(1))
    host.run(10)
    heard = [m for m, _ in c.seen]
    assert [heard[0], heard[2]] == [touch(1), CommandDropped(5, "main", -1, "tl1")]
    failed = heard[1]
    assert isinstance(failed, ActorFailed)
    assert (failed.actor, failed.message_tag) == ("b", 52)
    assert re.fullmatch(r"ValueError: bug \(test_host\.py:\d+ in explode\)", failed.error)  # what an author needs first
    assert host.failures == 1


def test_a_failure_while_handling_a_failure_breaks_the_host(mailboxes: Mailboxes) -> None:
    def explode(message: Message, now_ns: int) -> tuple[Message, ...]:
        raise ValueError("bug")

    host = make_host(mailboxes, [Scripted("a", {ActorFailed: explode})], {ActorFailed: ("a",)})
    host.post(ActorFailed("x", 1, ""))
    assert host.run(10) == 1
    assert host.broken.startswith("a raised while it handled a failure")


def test_garbage_in_a_mailbox_is_counted_and_survived(mailboxes: Mailboxes) -> None:
    a = Scripted("a", {Frame: nothing, ActorFailed: nothing})
    host = make_host(mailboxes, [a], {Frame: ("a",), ActorFailed: ("a",)})
    cell = host._cells["a"]
    for raw in (b"", b"x" * HEADER_SIZE, b"x" * HEADER_SIZE + b"\x93\xcc\xff\x01\x02"):
        cell.send(raw)
        host._ready.append(cell)
    host.post(frame(1))
    host.run(10)
    assert host.undecodable == 3
    assert [type(m) for m, _ in a.seen].count(Frame) == 1
    assert [type(m) for m, _ in a.seen].count(ActorFailed) == 3


def test_two_actors_that_call_each_other_break_the_host_and_their_facts_are_journaled(mailboxes: Mailboxes) -> None:
    journal = Recorder()
    a = Scripted("a", {Frame: lambda m, _: (mark(1),), Touch: lambda m, _: (mark(1),)})
    b = Scripted("b", {Mark: lambda m, _: (touch(1),)})
    host = make_host(mailboxes, [a, b], {Frame: ("a",), Mark: ("b",), Touch: ("a",)}, journal=journal)
    host.post(frame(1))
    assert host.run(10) == 1
    assert host.cut_cascades == 1
    assert "a cascade longer than" in host.broken
    assert len(b.seen) <= HOP_MAX
    assert len(journal.records) == len(b.seen) + 1  # the mark that nobody heard


def test_what_cannot_travel_leaves_no_half_decision_behind(mailboxes: Mailboxes) -> None:
    journal = Recorder()
    a = Scripted("a", {Frame: lambda m, _: (mark(1), touch(2**70)), ActorFailed: nothing})
    b = Scripted("b", {Mark: nothing, Touch: nothing})
    routes: dict[type[Message], tuple[str, ...]] = {Frame: ("a",), Mark: ("b",), Touch: ("b",), ActorFailed: ("a",)}
    host = make_host(mailboxes, [a, b], routes, journal=journal)
    host.post(frame(1))
    host.run(10)
    assert (b.seen, journal.records) == ([], [])
    failed = a.seen[-1][0]
    assert isinstance(failed, ActorFailed)
    assert "OverflowError" in failed.error
    assert host.failed == {"a"}


def test_market_data_beyond_the_limit_is_dropped_oldest_first_and_others_raise(mailboxes: Mailboxes) -> None:
    a = Scripted("a", {Frame: nothing, ConnectionUp: nothing})
    host = make_host(mailboxes, [a], {Frame: ("a",), ConnectionUp: ("a",)})
    for n in range(INPUTS_MAX + 3):
        host.post(frame(n))
    assert (host.waiting, host.dropped_inputs) == (INPUTS_MAX, 3)
    host.run(1)
    assert a.seen[0][0] == frame(3)
    for n in range(INPUTS_MAX):
        host.post(ConnectionUp(n, 1, 0))
    with pytest.raises(InputsFull):
        host.post(ConnectionUp(0, 1, 0))


def test_who_has_no_handler_is_switched_off_and_nothing_is_sent_to_it(mailboxes: Mailboxes) -> None:
    a, off = Scripted("a", {Frame: nothing}), Scripted("off", {})
    host = make_host(mailboxes, [off, a], {Frame: ("off", "a")})
    host.post(frame(1))
    host.run(1)
    assert list(host.histograms()) == ["a"]
    assert (len(a.seen), off.seen, host.failures) == (1, [], 0)


def test_a_route_to_nobody_or_without_handler_is_refused(mailboxes: Mailboxes) -> None:
    a = Scripted("a", {Frame: nothing})
    with pytest.raises(RouteError, match="nobody has that name"):
        make_host(mailboxes, [a], {Frame: ("b",)})
    with pytest.raises(RouteError, match="no handler"):
        make_host(mailboxes, [a], {Frame: ("a",), Touch: ("a",)})
    with pytest.raises(RouteError, match="no route brings"):
        make_host(mailboxes, [Scripted("c", {Frame: nothing})], {})


def test_both_transports_and_a_repeat_give_the_same_digest() -> None:
    def run(mailboxes: Mailboxes) -> int:
        a = Scripted("a", {Frame: lambda m, _: (mark(m.connection), SetTimer("a", 1, 1, 5))})  # type: ignore[attr-defined]
        b = Scripted("b", {Mark: lambda m, _: (touch(m.instrument),), Touch: nothing, SetTimer: nothing})  # type: ignore[attr-defined]
        host = make_host(mailboxes, [a, b], {Frame: ("a",), Mark: ("b",), Touch: ("b",), SetTimer: ("b",)})
        for n in range(100):
            host.post(frame(n))
            host.run(1)
        mailboxes.close()
        return host.digest

    assert run(ZmqMailboxes()) == run(LoopbackMailboxes()) == run(LoopbackMailboxes()) != 0


def test_what_runs_after_a_cascade_reads_a_digest_of_all_of_it(mailboxes: Mailboxes) -> None:
    """A checkpoint is taken there, and names the digest that the next input's record will bear."""
    log, seen = Recorder(), list[int]()
    a = Scripted("a", {Frame: lambda m, _: (mark(m.connection),)})  # type: ignore[attr-defined]
    b = Scripted("b", {Mark: nothing})
    host = make_host(mailboxes, [a, b], {Frame: ("a",), Mark: ("b",)}, input_log=log)
    for n in range(3):
        host.after_cascade(lambda _: seen.append(host.digest))
        host.post(frame(n))
        host.run(1)
    borne = [int.from_bytes(body[:4], "little") for _, _, _, body in log.records]
    assert [*borne, host.digest] == [0, *seen]
    assert len(set(seen)) == 3


def test_a_burst_ends_when_nothing_more_waits_for_its_receiver(mailboxes: Mailboxes) -> None:
    order: list[str] = []
    host: Host

    def on_mark(message: Message, now_ns: int) -> tuple[Message, ...]:
        order.append("mark")
        if order.count("mark") == 1:
            host.after_burst("door")(lambda at: order.append(f"written at {at}"))
        return ()

    def on_touch(message: Message, now_ns: int) -> tuple[Message, ...]:
        order.append("touch")
        return ()

    a = Scripted("a", {Frame: lambda m, _: (mark(1), touch(1), mark(2), touch(2), touch(3))})
    door = Scripted("door", {Mark: on_mark})
    others = Scripted("others", {Touch: on_touch})
    host = make_host(mailboxes, [a, door, others], {Frame: ("a",), Mark: ("door",), Touch: ("others",)})
    host.post(frame(1))
    host.run(1)
    assert order == ["mark", "touch", "mark", "written at 1000", "touch", "touch"]


def test_a_burst_whose_last_message_fails_ends_with_the_cascade(mailboxes: Mailboxes) -> None:
    order: list[str] = []
    host: Host

    def on_mark(message: Mark, now_ns: int) -> tuple[Message, ...]:
        if message.instrument == 2:
            raise ValueError("bug")
        host.after_burst("door")(lambda at: order.append("written"))
        return ()

    a = Scripted("a", {Frame: lambda m, _: (mark(1), mark(2)), ActorFailed: nothing})
    door = Scripted("door", {Mark: on_mark})  # type: ignore[dict-item]  # its own type
    host = make_host(mailboxes, [a, door], {Frame: ("a",), Mark: ("door",), ActorFailed: ("a",)})
    host.post(frame(1))
    host.run(1)
    assert order == ["written"]
