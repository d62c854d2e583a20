"""The engine without a network: all actors, the real order door on a socket that keeps bytes, and a venue that says yes.

The same rig runs on every transport that the tick benchmark compares, so that only the transport differs.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from bus.actor import Actor
from bus.checkpoint import FORMAT, Checkpoint, Checkpoints, CheckpointWriter, collect
from bus.clock import EngineClock
from bus.host import Host, Receiver
from bus.log import JOURNAL_SEGMENT_BYTES, RecordLog
from bus.loopback import LoopbackMailboxes
from bus.mailbox import Mailboxes, ZmqMailboxes
from bus.messages import (
    CancelOrder,
    ClockEstimate,
    ConnectionUp,
    EngineStarted,
    Frame,
    Instrument,
    Message,
    Outcome,
    PrivateStreamUp,
    Refusal,
    ReportKind,
    RequestAnswered,
    RequestKind,
    Side,
    SubmitOrder,
)
from bus.timers import Timers
from gateway.binance_spot.signing import HmacSigner
from gateway.doors.budget import Budget
from gateway.doors.coordination.loopback import LoopbackDoor
from gateway.doors.order import Identity, OrderDoor
from gateway.doors.store import StoreDoor
from gateway.doors.venue_time import VenueTime
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.bench.market import TICK, Market
from ops.bench.naive import NaiveRunner
from ops.bench.plain import DequeRunner, DirectRunner
from ops.bench.setup import Roomy, config, lease_left_ns
from ops.bench.stand_in import INSTRUMENT, Answers, Ear, Frames, NullSink, Socket, fill_report, order_report
from ops.spot import BinanceSpotOrders
from ops.supervision import Intensity, Supervision
from ops.topology import routing

TICK_NS = 100_000_000
"""Engine time between two frames; the depth stream's own pace."""
FIRST_FILLS = 5
"""Orders that are filled in any case: exits watch what they bought."""


class Rig:
    """One engine on one transport. `tick` runs one frame and returns (ns to the order's bytes, ns to the cancel's)."""

    def __init__(
        self, transport: str, folder: Path, seed: int, *, logs: bool = True, measure: bool = True, fills: bool = True
    ) -> None:
        """fills: the venue fills each order before the next tick, so that a tick sends one order and no cancel.

        Otherwise orders rest, but for the first few.
        """
        self._fills = fills
        self.clock = EngineClock()
        self._skew_ns = 0
        self.market = Market(seed)
        self.actors: list[Actor[Any]] = build_actors(config(), [INSTRUMENT])
        self.timers = Timers()
        self.socket = Socket()
        self.ear = Ear()
        self.ticks = 0
        self.look: Callable[[], None] = lambda: None
        """What a console does between two ticks."""
        self._asked: list[SubmitOrder | CancelOrder] = []
        self._reports: deque[Message] = deque()
        self._answer: Callable[[Message], None] = self._reports.append
        self._venue_ids = 0
        self._open: dict[str, tuple[int, Side, int, int]] = {}
        self._closers: list[Callable[[], object]] = []
        self.journal: RecordLog | NullSink = NullSink()
        self.input_log: RecordLog | None = None
        if logs:
            self.journal = RecordLog(folder / transport / "journal", segment_bytes=JOURNAL_SEGMENT_BYTES, reserve=True)
            self.input_log = RecordLog(folder / transport / "input-log", retain=2, reserve=True)
            self._closers += [self.journal.close, self.input_log.close]
        self.door = self._make_door()
        checkpoints = Checkpoints(self._take_checkpoint)
        self.checkpoints_taken = 0
        self._writer = CheckpointWriter(folder / transport / "checkpoints", lambda taken: None) if logs else None
        self.alone = LoopbackDoor({0: INSTRUMENT})
        self.alone.attach(self.answer)
        store = StoreDoor(folder / "store.sqlite", lambda: 0, lambda: 0, self.now_ns)  # nobody asks it here
        supervision = Supervision(self.actors, lambda names: [], "main", Intensity(config().supervision), None)
        receivers: list[Receiver] = [
            *self.actors, self.door, self.alone, Answers(self.market.snapshot, self.answer), Frames(), self.timers,
            checkpoints, supervision, store, self.ear,
        ]  # fmt: skip
        self.host: Any = self._make_runner(transport, receivers, measure=measure)
        checkpoints.attach(self.host.after_cascade)
        self._attach_door(self.host.post)
        if transport not in ("naive", "wire"):
            self._start()

    def now_ns(self) -> int:
        """Engine time: the real clock, moved on by TICK_NS a frame so that order lives and windows are realistic."""
        return self.clock.now_ns() + self._skew_ns

    def tick(self, frame: bytes) -> tuple[int, int]:
        """One frame, timed from its receipt; then, untimed, the venue's answers and due timers."""
        socket, host = self.socket, self.host
        self.ticks += 1
        socket.order_ns = socket.cancel_ns = 0
        start = perf_counter_ns()
        host.post(Frame(0, self.now_ns(), frame))
        host.run(1)
        order, cancel = socket.order_ns, socket.cancel_ns
        self.settle()
        return (order - start if order else 0), (cancel - start if cancel else 0)

    def settle(self) -> None:
        """Let the venue answer what was sent, run everything, and move engine time on."""
        host = self.host
        host.run(1_000)
        self._speak()
        while self._reports:
            host.post(self._reports.popleft())
            host.run(1_000)
            self._speak()
        for happening in self.move_time():
            host.post(happening)
            host.run(1_000)
        for log in (self.journal, self.input_log):
            if isinstance(log, RecordLog):
                log.touch_ahead()
        self.look()

    @property
    def messages_a_tick(self) -> float:
        """Messages received by all receivers, with the trades, answers and timers between two ticks."""
        return float(sum(self.host.received().values()) / max(self.ticks, 1))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        for close in self._closers:
            close()

    # -- the parts ------------------------------------------------------------------------------------------------

    def _make_door(self) -> OrderDoor:
        instruments: Mapping[int, Instrument] = {0: INSTRUMENT}
        venue = BinanceSpotOrders(HmacSigner("key", "secret" * 8), config().venue, instruments, ACCOUNT, VENUE)
        identity, budget = Identity(0, ACCOUNT, VENUE, 1), Budget(Roomy())
        door = OrderDoor("", venue, identity, self.journal, VenueTime(), self.now_ns, budget=budget)
        door.lease_left_ns = lease_left_ns
        if isinstance(journal := self.journal, RecordLog):
            door.disk_failed = lambda: journal.full or self.host.journal_failures > 0
        door._socket, door._subscribed = self.socket, True  # type: ignore[assignment]  # the door's own socket, as after a logon
        submit, cancel = door.handlers[SubmitOrder], door.handlers[CancelOrder]

        def on_submit(order: SubmitOrder, now_ns: int) -> tuple[Message, ...]:
            out = submit(order, now_ns)
            self._asked.append(order)
            return out

        def on_cancel(request: CancelOrder, now_ns: int) -> tuple[Message, ...]:
            out = cancel(request, now_ns)
            self._asked.append(request)
            return out

        door.handlers = {**door.handlers, SubmitOrder: on_submit, CancelOrder: on_cancel}
        return door

    def _attach_door(self, post: Callable[..., None]) -> None:
        host = self.host
        self.door.attach(post, lambda: host.offset, host.after_burst("order_door"), lambda: host.cause)

    def _make_runner(self, transport: str, receivers: list[Receiver], *, measure: bool) -> Any:
        if transport in ("direct", "deque"):
            return (DirectRunner if transport == "direct" else DequeRunner)(receivers, routing(), self.now_ns)
        if transport == "naive":
            return NaiveRunner(receivers, routing(), self.now_ns)
        mailboxes: Mailboxes = LoopbackMailboxes() if transport.startswith("loopback") else ZmqMailboxes()
        self._closers.append(mailboxes.close)
        journal = self.journal if isinstance(self.journal, RecordLog) else None
        return Host(
            receivers, routing(), mailboxes, self.now_ns, journal=journal, input_log=self.input_log, measure=measure
        )

    def _take_checkpoint(self, now_ns: int) -> None:
        self.checkpoints_taken += 1
        if self._writer is not None:
            host = self.host
            states = collect(self.actors)
            data = Checkpoint(FORMAT, "", 0, 1, host.offset, now_ns, host.digest, 0, states)
            self._writer.write(data)

    def _start(self) -> None:
        host = self.host
        for message in self.first_inputs():
            host.post(message)
        for _ in range(20):  # queries, snapshot, timers of the start
            self.tick(self.market.frame())
        assert self.ear.heard_ready, "the rig's engine did not become ready"

    def connect_door(self, url: str, post: Callable[..., None]) -> None:
        """Before the first input: let the order door speak to a real venue at `url`, and answers go through `post`."""
        self.door._url, self.door._socket, self.door._subscribed = url, None, False
        self.door.handlers = {
            SubmitOrder: self.door._submit,
            CancelOrder: self.door._cancel,
            ClockEstimate: self.door._clock,
        }
        self._attach_door(post)
        self._answer = post

    def first_inputs(self) -> tuple[Message, ...]:
        """What a start posts."""
        now_ns = self.now_ns()
        term = self.alone.begin(ACCOUNT, 1)
        streams = PrivateStreamUp(ACCOUNT, 1, now_ns), ConnectionUp(0, 1, now_ns)
        return INSTRUMENT, *term, EngineStarted(ACCOUNT, 1), *streams

    def take_answers(self) -> list[Message]:
        """What the venue has said since."""
        self._speak()
        taken = list(self._reports)
        self._reports.clear()
        return taken

    def move_time(self) -> Iterator[Message]:
        """Engine time goes on by TICK_NS: the trades meanwhile, then the timers that are due. Take each when it comes."""
        before = self._skew_ns
        for part, trade in self.market.trades():
            self._skew_ns = before + int(part * TICK_NS)
            yield Frame(0, self.now_ns(), trade)
        self._skew_ns = before + TICK_NS
        yield from self.timers.due(self.now_ns())

    # -- the venue that says yes ----------------------------------------------------------------------------------

    def _speak(self) -> None:
        """Answer what was written. Never inside the cascade: its requests leave at its end, and this would be timed."""
        asked, self._asked = self._asked, []
        for request in asked:
            if type(request) is SubmitOrder:
                self._accept(request)
            elif type(request) is CancelOrder:
                self._confirm(request)

    def _accept(self, order: SubmitOrder) -> None:
        self._venue_ids += 1
        self.door._in_flight.clear()  # answers go past the door here
        now_ns = self.now_ns()
        self._reports.append(
            RequestAnswered(
                RequestKind.SUBMIT,
                0,
                order.client_order_id,
                Outcome.RESULT,
                Refusal.NONE,
                0,
                self._venue_ids,
                now_ns,
                "",
            )
        )
        quantity = order.quantity_lots * INSTRUMENT.lot
        price = order.price_ticks * TICK
        self._reports.append(
            order_report(order.client_order_id, self._venue_ids, ReportKind.NEW, order.side, price, quantity, now_ns)
        )
        if self._fills or self._venue_ids <= FIRST_FILLS:
            self._reports.append(
                fill_report(order.client_order_id, self._venue_ids, order.side, price, quantity, now_ns)
            )
        else:
            self._open[order.client_order_id] = (self._venue_ids, order.side, price, quantity)

    def _confirm(self, cancel: CancelOrder) -> None:
        venue_id, side, price, quantity = self._open.pop(cancel.client_order_id)
        now_ns = self.now_ns()
        self._reports.append(
            RequestAnswered(
                RequestKind.CANCEL, 0, cancel.client_order_id, Outcome.RESULT, Refusal.NONE, 0, venue_id, now_ns, ""
            )
        )
        self._reports.append(
            order_report(cancel.client_order_id, venue_id, ReportKind.CANCELED, side, price, quantity, now_ns)
        )

    def answer(self, message: Message) -> None:
        """An answer of the REST side."""
        self._answer(message)


class NaiveRig:
    """The rig on `NaiveRunner`: the same ticks, awaited."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._rig = Rig("naive", folder, seed, logs=False)
        self.market = self._rig.market
        self._waiting: deque[Message] = deque()
        self._rig.door.attach(self._waiting.append, lambda: 0)

    async def start(self) -> None:
        self._waiting.extend(self._rig.first_inputs())
        for _ in range(20):
            await self.tick(self.market.frame())
        assert self._rig.ear.heard_ready, "the naive engine did not become ready"

    async def tick(self, frame: bytes) -> int:
        """ns from the frame to the order's bytes; 0 when none went."""
        rig = self._rig
        await self._settle()
        rig.socket.order_ns = rig.socket.cancel_ns = 0
        start = perf_counter_ns()
        await self._take(Frame(0, rig.now_ns(), frame))
        order_ns = rig.socket.order_ns
        await self._settle()
        return order_ns - start if order_ns else 0

    async def close(self) -> None:
        await self._rig.host.close()
        self._rig.close()

    async def _settle(self) -> None:
        rig = self._rig
        self._waiting.extend(rig.take_answers())
        while self._waiting:
            await self._take(self._waiting.popleft())
            self._waiting.extend(rig.take_answers())
        for happening in rig.move_time():
            await self._take(happening)

    async def _take(self, message: Message) -> None:
        await self._rig.host.post(message)
        await self._rig.host.quiet.wait()
