"""The feed edge: one by one while the host keeps up, together when it is behind, and nothing lost."""

from collections import deque

from bus.clock import VirtualClock
from bus.edge import BATCH_BYTES, BATCH_MAX, BEHIND_NS, Edge
from bus.host import Host, Routing
from bus.loopback import LoopbackMailboxes
from bus.messages import ConnectionUp, ExecutionReport, Frame, FrameBatch, Message, Outcome, SnapshotAnswer


def frame(number: int, received_ns: int = 0) -> Frame:
    return Frame(0, received_ns, b"%d" % number)


def answer() -> SnapshotAnswer:
    return SnapshotAnswer("market_data", 0, 0, Outcome.RESULT, 0, 0, "", b"")


def taken(edge: Edge, queue: deque[Message], now_ns: int) -> list[tuple[Message, int]]:
    out = []
    while queue:
        out.append(edge.take(queue, now_ns))
    return out


def test_fresh_frames_are_taken_one_by_one_however_many_wait() -> None:
    edge, frames = Edge(together=True), [frame(n) for n in range(100)]
    assert taken(edge, deque(frames), BEHIND_NS - 1) == [(one, 1) for one in frames]
    assert (edge.batches, edge.batched, edge.ages.count, edge.worst_ns) == (0, 0, 100, BEHIND_NS - 1)


def test_old_frames_are_taken_together_in_their_order_and_in_bounds() -> None:
    edge, frames = Edge(together=True), [frame(n) for n in range(2 * BATCH_MAX + 1)]
    first, second, last = taken(edge, deque(frames), BEHIND_NS)
    assert first == (FrameBatch(tuple(frames[:BATCH_MAX])), BATCH_MAX)
    assert second == (FrameBatch(tuple(frames[BATCH_MAX : 2 * BATCH_MAX])), BATCH_MAX)
    assert last == (frames[-1], 1)
    assert (edge.batches, edge.batched, edge.ages.count) == (2, 2 * BATCH_MAX, 2 * BATCH_MAX + 1)


def test_large_frames_are_taken_apart_so_that_nothing_waits_for_many_of_them() -> None:
    large = Frame(0, 0, b"x" * (BATCH_BYTES // 2))
    frames = [large, large, frame(1), large, Frame(0, 0, b"x" * (BATCH_BYTES + 1)), frame(2), frame(3)]
    out = taken(Edge(together=True), deque(frames), BEHIND_NS)
    assert [count for _, count in out] == [2, 2, 1, 2]
    assert [one for message, _ in out for one in getattr(message, "frames", (message,))] == frames


def test_an_answer_between_frames_keeps_its_place() -> None:
    edge, body = Edge(together=True), answer()
    queue: deque[Message] = deque((frame(1), frame(2), body, frame(3), frame(4)))
    assert [message for message, _ in taken(edge, queue, BEHIND_NS)] == [
        FrameBatch((frame(1), frame(2))),
        body,
        FrameBatch((frame(3), frame(4))),
    ]


def test_a_single_old_frame_stays_a_frame() -> None:
    edge = Edge(together=True)
    assert taken(edge, deque([frame(1)]), 10 * BEHIND_NS) == [(frame(1), 1)]
    assert (edge.batches, edge.worst_ns) == (0, 10 * BEHIND_NS)


def test_where_nobody_takes_a_batch_none_is_made() -> None:
    edge, frames = Edge(together=False), [frame(n) for n in range(5)]
    assert taken(edge, deque(frames), 10 * BEHIND_NS) == [(one, 1) for one in frames]


class Listener:
    """An actor that remembers what it got."""

    name = "listener"

    def __init__(self) -> None:
        self.seen: list[Message] = []
        self.handlers = dict.fromkeys((ConnectionUp, Frame, FrameBatch), self._hear)

    def _hear(self, message: Message, now_ns: int) -> tuple[Message, ...]:
        self.seen.append(message)
        return ()


def test_other_inputs_go_between_two_batches_and_a_batch_is_one_input_with_one_offset() -> None:
    clock, listener = VirtualClock(0), Listener()
    routes: dict[type[Message], tuple[str, ...]] = dict.fromkeys((ConnectionUp, Frame, FrameBatch), ("listener",))
    routes[ExecutionReport] = ()
    page = Routing(routes, (), (), (), ((ConnectionUp,), (), (), (Frame, FrameBatch)))
    host = Host([listener], page, LoopbackMailboxes(), clock.now_ns)
    for number in range(BATCH_MAX + 10):
        host.post(frame(number))
    clock.advance(BEHIND_NS)
    assert host.run(1) == BATCH_MAX, "a batch counts as its frames: the loop gets its turn in time"
    up = ConnectionUp(0, 1, 0)
    host.post(up)
    host.run(1_000)
    assert [type(message) for message in listener.seen] == [FrameBatch, ConnectionUp, FrameBatch]
    assert listener.seen[1] == up
    assert host.offset == 3
    payloads = [one.payload for batch in listener.seen[::2] if isinstance(batch, FrameBatch) for one in batch.frames]
    assert payloads == [b"%d" % number for number in range(BATCH_MAX + 10)]
