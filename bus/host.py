"""The host: it runs actors to completion. Synchronous and without a clock of its own: bus.pump gives it a loop.

It takes one input, posts it, and drains mailboxes in send order until all are empty; only then comes the next input.
The bytes really travel through the mailboxes; what is skipped is the wake-up: a send puts the receiver on the ready
list, and exactly what was counted is received. One `now_ns` belongs to one input and its whole cascade.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter_ns
from typing import Any
from zlib import crc32

from bus.cell import Cell, Here
from bus.codec import encode, tag_of
from bus.edge import Edge
from bus.errors import InputsFull
from bus.failure import DEAF, Failure, dropped
from bus.latency import Histogram, count_hops
from bus.link import Arrived
from bus.log import LogError
from bus.mailbox import Mailboxes
from bus.messages import (
    HEADER,
    HEADER_SIZE,
    HEADER_VERSION,
    ActorFailed,
    FrameBatch,
    Message,
)
from bus.routing import Beside, Receiver, RecordSink, Remote, Routing, beside, inboxes

__all__ = ["Host", "Receiver", "RecordSink", "Remote", "Routing"]

CASCADE_MAX = 20_000
"""Messages one input may cause. The longest we know, a stop with 1,000 working orders, causes about 8,000; chosen."""
HOP_MAX = 250
"""Longest chain of messages in a cascade (the header has one byte); a tick has 12. Beyond it two actors call each other."""
INPUTS_MAX = 50_000
"""Inputs of one class that may wait. Market data beyond it is dropped, oldest first, and counted: the gap that this
leaves makes its book INVALID and resync. Any other class beyond it stops the engine."""


class Host:
    """Runs its receivers. Not thread-safe: one thread, one loop.

    number: of this host, in every header. first_offset: where counting goes on after a restart. remotes: by type, the
    other hosts where somebody gets it.
    """

    def __init__(
        self,
        receivers: Sequence[Receiver],
        routing: Routing,
        mailboxes: Mailboxes,
        now_ns: Callable[[], int],
        *,
        journal: RecordSink | None = None,
        input_log: RecordSink | None = None,
        number: int = 0,
        first_offset: int = 0,
        measure: bool = True,
        remotes: Mapping[type[Message], Sequence[Remote]] | None = None,
    ) -> None:
        self.now_ns, self.journal, self.input_log, self.number = now_ns, journal, input_log, number
        self.offset, self.sequence, self._digest = first_offset, 0, 0
        self.cause = (number, first_offset)
        """Host and offset of the input behind the present cascade: of another host, when it began there."""
        self.dropped_inputs = self.failures = self.cut_cascades = self.undecodable = self.journal_failures = 0
        self.input_log_failures = 0
        self.broken = ""
        """Why this host takes no further input. Empty: it is whole."""
        self.failed: set[str] = set()
        """Receivers that raised: a fold of theirs may be half done, so their state is in no checkpoint until they are renewed."""
        self.on_failure: Callable[[Failure], bool] = lambda failure: False
        """Who decides what follows when a handler raised (ops.supervision). False: nobody did, the engine halts on it."""
        self.long_ns = 1 << 62
        self.on_long: Callable[[str, int], None] = lambda receiver, took_ns: None
        """Hears of each hop that took longer than `long_ns`, once its cascade is over."""
        self._measure = measure
        boxes = inboxes(receivers, routing)
        self._cells = {r.name: Cell(r, boxes[r.name], mailboxes) for r in receivers if boxes[r.name]}
        # By type: what goes beside (None: nothing), and the receivers; None: an answer, which names its receiver.
        self._routes: dict[type[Message], tuple[Beside | None, tuple[Cell, ...] | None]] = {
            message_type: (
                beside(message_type, routing, (remotes or {}).get(message_type, ())),
                tuple(self._cells[name] for name in names if name in self._cells and message_type in boxes[name]),
            )
            for message_type, names in routing.routes.items()
        }
        self._routes |= dict.fromkeys(routing.answers, (None, None))
        self._commands = frozenset(routing.commands)
        queues: list[deque[Any]] = [deque() for _ in routing.classes]
        self._class_of = {t: (n, queues[n]) for n, types in enumerate(routing.classes) for t in types}
        self._market = len(routing.classes) - 1
        # What other hosts say keeps its order, so it is one class; it goes before our own market data.
        self._arrived: deque[Arrived | Here] = deque()
        self._first: deque[Message] = deque()
        self._queues = (self._first, *queues[:-1], self._arrived, *queues[-1:])
        self.edge = Edge(bool(self._routes.get(FrameBatch, (None, ()))[1]))
        self.on_taken: Callable[[Arrived], None] = lambda arrived: None
        self._ready: deque[Cell] = deque()
        self._sent: list[bytes] = []
        self._after: list[Callable[[int], None]] = []
        self._bursts: list[tuple[Cell, Callable[[int], None]]] = []
        # Of the present cascade: who took a message, and when; of the start and of each hop's end.
        self._hops: list[Cell] = []
        self._stamps: list[int] = []
        self._input = b""

    # -- inputs ---------------------------------------------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Queue one input in its class. Raises InputsFull when a class that may never drop is full."""
        number, queue = self._class_of[type(message)]
        if len(queue) >= INPUTS_MAX:
            if number != self._market:
                raise InputsFull(str(number), INPUTS_MAX)
            queue.popleft()
            self.dropped_inputs += 1
        queue.append(message)

    def post_arrived(self, messages: Iterable[Arrived]) -> None:
        """Queue what another host said, in its order. The links bound how much that may be (bus.link.outbound)."""
        self._arrived.extend(messages)

    def post_here(self, message: Message) -> None:
        """Queue an input behind everything that other hosts have said, for receivers of this host alone."""
        self._arrived.append(Here(message))

    def post_first(self, *messages: Message) -> None:
        """Inputs that go before all that wait, in this order: what must be known before anything else happens."""
        self._first.extend(messages)

    @property
    def waiting(self) -> int:
        """Inputs that have not been taken yet."""
        return sum(map(len, self._queues))

    def run(self, inputs_max: int) -> int:
        """Take inputs by class, each with its whole cascade, until `inputs_max` messages were taken. Returns how many.

        A host that is broken takes none.
        """
        taken = 0
        queues, arrived, market = self._queues, self._arrived, self._queues[-1]
        while taken < inputs_max and not self.broken:
            count = 1
            for queue in queues:
                if queue:
                    if queue is arrived:
                        self._take_arrived(queue.popleft())
                    elif queue is market:
                        message, count = self.edge.take(queue, self.now_ns())
                        self.take(message)
                    else:
                        self.take(queue.popleft())
                    break
            else:
                return taken
            taken += count
        return taken

    def after_cascade(self, action: Callable[[int], None]) -> None:
        """Run `action(now_ns)` once, when the present cascade is complete: between inputs, where state is whole."""
        self._after.append(action)

    def after_burst(self, receiver: str) -> Callable[[Callable[[int], None]], None]:
        """How `receiver` runs something once, when no further message of this cascade waits for it: `later(action)`.

        Send order is breadth first, so what a decision sends to one door is in its mailbox before the door sees the first.
        At the cascade's end at the latest.
        """
        cell = self._cells[receiver]

        def later(action: Callable[[int], None]) -> None:
            self._bursts.append((cell, action))

        return later

    def take(self, message: Message, *, here_alone: bool = False) -> None:
        """Run one input to completion. here_alone: no other host hears of it."""
        now_ns = self.now_ns()
        self.offset = offset = self.offset + 1
        self.sequence += 1
        self.cause = (self.number, offset)
        raw = HEADER.pack(0, HEADER_VERSION, self.number, offset, self.sequence) + encode(message)
        if self.input_log is not None:
            self._log_input(tag_of(type(message)), now_ns, raw)
        besides = self._routes[type(message)][0]
        if besides is not None:
            if besides.kind:
                self._append_fact(besides.kind, now_ns, raw)
            if not here_alone:
                self._tell(besides.remotes, message, raw)
        self._run_cascade(self._targets(message), raw, now_ns)

    def take_arrived(self, kind: type[Message], raw: bytes) -> None:
        """Run one message of another host to completion: what follows from it bears the cause in its header.

        Delivered as it came, to this host's receivers alone; its own host tells the others. Without a route: counted.
        """
        route = self._routes.get(kind)
        if route is None:
            self.undecodable += 1
            return
        now_ns = self.now_ns()
        self.offset += 1
        header = HEADER.unpack_from(raw)
        self.cause = (header[2], header[3])
        if self.input_log is not None:
            self._log_input(tag_of(kind), now_ns, raw)
        self._run_cascade(route[1] or (), raw, now_ns)

    def _take_arrived(self, entry: Arrived | Here) -> None:
        if type(entry) is Arrived:
            self.take_arrived(entry.kind, entry.raw)
            self.on_taken(entry)
        else:
            self.take(entry.message, here_alone=True)  # type: ignore[union-attr]  # it is a Here: there are two

    def _run_cascade(self, targets: Iterable[Cell], raw: bytes, now_ns: int) -> None:
        ready, self._input = self._ready, raw
        for cell in targets:
            cell.send(raw)
            ready.append(cell)
        self._drain(now_ns)
        while self._bursts:  # a door whose last message failed
            self._bursts.pop(0)[1](now_ns)
        while self._after:  # the door's write among them, so nothing that can wait comes before it
            self._after.pop(0)(now_ns)
        if self._measure:
            self._measured()
        self._fold()

    def _measured(self) -> None:
        """Here no order waits for it: in the cascade it was 1.5 % of a tick's instructions."""
        hops, stamps = self._hops, self._stamps
        count_hops(hops, stamps)
        if stamps[-1] - stamps[0] > self.long_ns:
            for cell, start, end in zip(hops, stamps, stamps[1:], strict=False):
                if end - start > self.long_ns:
                    self.on_long(cell.name, end - start)

    @property
    def digest(self) -> int:
        """CRC over every message ever sent but inputs, in order: equal in two runs that decided the same."""
        self._fold()
        return self._digest

    @digest.setter
    def digest(self, value: int) -> None:
        self._sent.clear()
        self._digest = value

    def _fold(self) -> None:
        if self._sent:
            self._digest = crc32(b"".join(self._sent), self._digest)
            self._sent.clear()

    # -- the cascade: the hot path --------------------------------------------------------------------------------

    def _drain(self, now_ns: int) -> None:
        ready, routes, sent, measure, clock = self._ready, self._routes, self._sent, self._measure, perf_counter_ns
        host, offset = self.cause
        take, put, keep, pack = ready.popleft, ready.append, sent.append, HEADER.pack
        sequence, bursts = self.sequence, self._bursts
        hops, stamps = self._hops, self._stamps = [], [clock()]
        count = 0
        while ready:
            cell = take()
            raw = cell.receive()  # before anything that can raise, so that counts never shift
            count += 1
            message: Any = None
            try:
                message = cell.decode(raw[HEADER_SIZE:])
                out = cell.handlers[type(message)](message, now_ns)
                # All of it, before the first is sent: what cannot travel must not leave half a decision behind.
                outgoing = [(routes[type(produced)], encode(produced), produced) for produced in out] if out else ()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an actor raises, the others must run
                self._failed(Failure(cell.name, message, raw, self._input, now_ns, error))
                continue
            if outgoing:
                hop = raw[0] + 1
                cut = count > CASCADE_MAX or hop > HOP_MAX
                if cut:
                    self._cut(cell, out)
                for (besides, targets), body, produced in outgoing:
                    sequence += 1
                    raw = pack(hop & 0xFF, HEADER_VERSION, host, offset, sequence) + body
                    keep(raw)
                    if besides is not None:
                        if besides.kind:
                            self._append_fact(besides.kind, now_ns, raw)
                        if besides.remotes and not cut:
                            self._tell(besides.remotes, produced, raw)
                    if cut:
                        continue
                    for target in targets if targets is not None else self._targets(produced):
                        target.send(raw)
                        put(target)
            if bursts and bursts[0][0] is cell and cell not in ready:
                bursts.pop(0)[1](now_ns)
            if measure:
                hops.append(cell)
                stamps.append(clock())
        self.sequence = sequence

    def _targets(self, message: Any) -> tuple[Cell, ...]:
        """Receivers of one message: by type, or for an answer the actor that asked."""
        targets = self._routes[type(message)][1]
        if targets is None:
            cell = self._cells.get(message.actor)
            return () if cell is None else (cell,)
        return targets

    def _log_input(self, kind: int, now_ns: int, raw: bytes) -> None:
        """The digest of everything sent before an input travels with it: a replay compares step by step.

        A log that takes no more (disk full, an input too large) ends the record of this run, never the run.
        """
        assert self.input_log is not None
        try:
            self.input_log.append(kind, self.offset, now_ns, self.digest.to_bytes(4, "little") + raw)
        except LogError:
            self.input_log_failures += 1
            self.input_log = None

    def _tell(self, remotes: Iterable[Remote], message: Message, raw: bytes) -> None:
        """To other hosts: it leaves at the cascade's end, behind the order door's write, in one frame with the rest."""
        for remote in remotes:
            remote.offer(message, raw)
            if remote.flush not in self._after:
                self._after.append(remote.flush)

    def _append_fact(self, kind: int, now_ns: int, raw: bytes) -> None:
        """A fact is a fact even when the disk is full: it goes on; the door refuses new orders from then on."""
        if self.journal is None:
            return
        try:
            self.journal.append(kind, self.offset, now_ns, raw)
        except LogError:
            self.journal_failures += 1

    # -- what goes wrong ------------------------------------------------------------------------------------------

    def _failed(self, failure: Failure) -> None:
        """Nothing was emitted for the message. Unless somebody decides otherwise the rest of the cascade runs on."""
        self.failures += 1
        self.failed.add(failure.receiver)
        message = failure.message
        if message is None:
            self.undecodable += 1
        if self.on_failure(failure):
            return
        if isinstance(message, ActorFailed):
            self.broken = (
                f"{failure.receiver} raised while it handled a failure: {failure.text}"  # the engine stops on it
            )
            return
        self.post(failure.told)
        if type(message) in self._commands and message is not None:
            self.post(dropped(message))

    def silence(self, names: Iterable[str]) -> None:
        """What is sent to these is taken and has no effect, until they are renewed."""
        for name in names:
            if name in self._cells:
                self._cells[name].handlers = DEAF

    def renew(self, receivers: Iterable[Receiver]) -> None:
        """These take the place of those of their names; what is sent from now on is theirs. Handlers of the same types."""
        for receiver in receivers:
            self._cells[receiver.name].handlers = receiver.handlers
            self.failed.discard(receiver.name)

    def abort(self, reason: str) -> None:
        """Stop here, as if the process had died: nothing that is on its way is taken, written or told."""
        self.broken = self.broken or reason
        for work in (self._ready, self._bursts, self._after):
            work.clear()

    def _cut(self, cell: Cell, out: Iterable[Message]) -> None:
        """The cascade is longer than its limit: a bug, not a mode. Facts are journaled but nobody hears them any more,
        so the engine stops; what comes after it recovers from the journal.
        """
        self.cut_cascades += 1
        self.failed.add(cell.name)
        self.broken = f"{cell.name}: a cascade longer than {CASCADE_MAX} messages or {HOP_MAX} hops"

    # -- what it tells --------------------------------------------------------------------------------------------

    def histograms(self) -> dict[str, Histogram]:
        """One a receiver: ns from the end of the hop before to the end of this one."""
        return {name: cell.histogram for name, cell in self._cells.items()}

    def received(self) -> dict[str, int]:
        """Messages taken, by receiver; 0 when the host does not measure."""
        return {name: cell.histogram.count for name, cell in self._cells.items()}
