"""A day of orders on disk: how long a record takes before a request may leave, how large journal, index, checkpoints and
memory become, and how long a start takes after it. Real journal, index, checkpoints and retention; a venue that says yes.
"""

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from actors.orders import Orders
from actors.persistence import Persistence
from actors.portfolio import Portfolio
from bus.actor import NOTHING, Actor, Handler
from bus.checkpoint import FORMAT, Checkpoint, Checkpoints, collect
from bus.codec import encode, tag_of
from bus.host import Host, Receiver
from bus.latency import Histogram
from bus.log import JOURNAL_SEGMENT_BYTES, RecordLog, Syncer
from bus.loopback import LoopbackMailboxes
from bus.messages import (
    HEADER,
    HEADER_VERSION,
    ApprovedOrder,
    CancelCommand,
    CancelOrder,
    CheckpointTaken,
    EngineStarted,
    Message,
    Outcome,
    PrivateStreamUp,
    Refusal,
    ReportKind,
    RequestAnswered,
    RequestKind,
    RequestSent,
    Side,
    SubmitOrder,
)
from bus.retention import Retention
from bus.timers import Timers
from ops.assembly import ACCOUNT, VENUE, build_actors
from ops.bench.market import TICK
from ops.bench.setup import config
from ops.bench.stand_in import INSTRUMENT, Answers, Ear, fill_report, order_report
from ops.records import DAY_NS, MB, Records
from ops.recovery import recover
from ops.sections import PersistenceSection
from ops.state import StateDirectory
from ops.topology import ROUTES, routing

Tell = Callable[[str], None]
FILLED_EVERY = 5
EVENTS_AN_ORDER = 15
"""On average: what the doors say of it, its requests, and the facts that follow. It only sets how fast the day's time goes."""
PERSISTENCE = PersistenceSection(checkpoint_interval_ms=60_000, journal_keep_mb=256)
"""By the day's time: 50,000 done orders weigh some 10 MB: written each 5 s, a day at full speed would be checkpoints alone."""
NAMES = ("orders", "portfolio", "persistence", "order_door", "rest_door", "timers", "checkpoints", "supervisor")


def run(events: int, appends: int, tell: Tell) -> dict[str, Any]:
    """See the command's help."""
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        before_send = {
            "unsynced": append_us(Path(folder) / "a", appends, 0),
            "synced_each_100_ms": append_us(Path(folder) / "b", appends, 100),
            "synced_each_10_ms": append_us(Path(folder) / "c", appends, 10),
        }
        return {"append_us": before_send, "day": _day(Path(folder) / "state", events, tell)}


def append_us(folder: Path, count: int, sync_ms: int) -> dict[str, float]:
    """What the order door does with its journal before each write: encode and append, 20 us apart, pages touched ahead."""
    log = RecordLog(folder, segment_bytes=JOURNAL_SEGMENT_BYTES, reserve=True)
    syncer = Syncer(log, sync_ms)
    order = SubmitOrder(
        0, 0, 0, 1, "main", "tl0000100000x", 1, 1, Side.BUY, 6_000_000, 100, True, False, 9, 8, 7, 1_000
    )
    whole, alone = Histogram(), Histogram()
    kind, clock = tag_of(SubmitOrder), time.perf_counter_ns
    for number in range(count):
        if number % 16 == 0:
            log.touch_ahead()  # an idle slot of the host
        until = clock() + 20_000
        while clock() < until:
            pass
        start = clock()
        body = HEADER.pack(0, HEADER_VERSION, 0, number, 0) + encode(order)
        middle = clock()
        log.append(kind, number, 1_000, body)
        end = clock()
        whole.record(end - start)
        alone.record(end - middle)
    syncer.stop()
    log.close()
    summary, inner = whole.to_summary(), alone.to_summary()
    return {
        "p50": summary["p50"],
        "p99": summary["p99"],
        "append_alone_p50": inner["p50"],
        "append_alone_p99": inner["p99"],
        "syncs": syncer.syncs,
    }


class Door:
    """The order door's place: journals as it does, and the venue says yes. Each n-th order is filled, the others are canceled."""

    name = "order_door"

    def __init__(self, journal: RecordLog) -> None:
        told = [kind for kind, names in ROUTES.items() if self.name in names]
        self.handlers: dict[type[Message], Handler] = dict.fromkeys(told, lambda message, now_ns: NOTHING)
        self.handlers |= {SubmitOrder: self._submit, CancelOrder: self._cancel}
        self.said: deque[Message] = deque()
        self.orders = self.events = 0
        self._journal = journal
        self._open: dict[str, tuple[int, Side, int, int]] = {}
        self.offset: Callable[[], int] = lambda: 0

    def _append(self, request: SubmitOrder | CancelOrder, now_ns: int) -> None:
        offset = self.offset()
        body = HEADER.pack(0, HEADER_VERSION, 0, offset, 0) + encode(request)
        self._journal.append(tag_of(type(request)), offset, now_ns, body)

    def _submit(self, order: SubmitOrder, now_ns: int) -> tuple[Message, ...]:
        self._append(order, now_ns)
        self.orders += 1
        key, number = order.client_order_id, self.orders
        price, quantity = order.price_ticks * TICK, order.quantity_lots * INSTRUMENT.lot
        self.said += (
            RequestSent(RequestKind.SUBMIT, 0, key, now_ns),
            RequestAnswered(RequestKind.SUBMIT, 0, key, Outcome.RESULT, Refusal.NONE, 0, number, now_ns, ""),
            order_report(key, number, ReportKind.NEW, order.side, price, quantity, now_ns),
        )
        if number % FILLED_EVERY == 0:
            self.said.append(fill_report(key, number, order.side, price, quantity, now_ns))
        else:
            self._open[key] = (number, order.side, price, quantity)
            self.said.append(CancelCommand(ACCOUNT, VENUE, 0, order.owner, key, now_ns))
        return NOTHING

    def _cancel(self, cancel: CancelOrder, now_ns: int) -> tuple[Message, ...]:
        self._append(cancel, now_ns)
        key = cancel.client_order_id
        number, side, price, quantity = self._open.pop(key)
        self.said += (
            RequestSent(RequestKind.CANCEL, 0, key, now_ns),
            RequestAnswered(RequestKind.CANCEL, 0, key, Outcome.RESULT, Refusal.NONE, 0, number, now_ns, ""),
            order_report(key, number, ReportKind.CANCELED, side, price, quantity, now_ns),
        )
        return NOTHING


class _Day:
    """One run on one directory."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state
        self.now_ns = time.time_ns() // DAY_NS * DAY_NS
        self.records = Records(state, PERSISTENCE)
        self.retention: Retention = self.records.retention
        self._actors = _build()
        self.door = Door(self.records.journal)
        self._timers, self._mailboxes = Timers(), LoopbackMailboxes()
        checkpoints = Checkpoints(self._take)
        answers = Answers(bytes, self.door.said.append)
        receivers: list[Receiver] = [*self._actors, self.door, answers, self._timers, checkpoints, Ear()]
        page = routing(NAMES)
        page = page._replace(classes=[[*page.classes[0], ApprovedOrder, CancelCommand], *page.classes[1:]])
        self._host = Host(receivers, page, self._mailboxes, lambda: self.now_ns, journal=self.records.journal)
        checkpoints.attach(self._host.after_cascade)
        self.door.offset = lambda: self._host.offset
        self._taken: deque[CheckpointTaken] = deque()
        self._writer = self.records.checkpoint_writer(self._taken.append)
        for message in (INSTRUMENT, EngineStarted(ACCOUNT, 1), PrivateStreamUp(ACCOUNT, 1, self.now_ns)):
            self._post(message)

    def _take(self, now_ns: int) -> None:
        journal = self.records.journal
        states = collect(self._actors)
        self._writer.write(Checkpoint(FORMAT, "", 0, 1, self._host.offset, now_ns, 0, journal.next_number, states))

    def _post(self, message: Message) -> None:
        self._host.post(message)
        self._host.run(1)
        self.door.events += 1
        while self.door.said:
            self._host.post(self.door.said.popleft())
            self._host.run(1)
            self.door.events += 1

    def order(self, number: int, step_ns: int) -> None:
        self.now_ns += step_ns
        side = Side.BUY if number // FILLED_EVERY % 2 else Side.SELL
        head = (ACCOUNT, VENUE, 0, INSTRUMENT.version, "main", False, 1, self.now_ns, self.now_ns + 10**10)
        self._post(ApprovedOrder(*head, number, side, 6_000_000, 100, True, number))
        for fired in self._timers.due(self.now_ns):
            self._post(fired)
        while self._taken:
            self._post(self._taken.popleft())

    @property
    def events(self) -> int:
        """Inputs about orders, and the facts and requests that the journal has of them."""
        return self.door.events + self.records.journal.next_number

    def close(self) -> None:
        self._writer.close()
        self.records.close()


def _day(folder: Path, events: int, tell: Tell) -> dict[str, Any]:
    state = StateDirectory(folder)
    day = _Day(state)
    step_ns = DAY_NS // max(events // EVENTS_AN_ORDER, 1)
    started, memory, journal_mb, number = time.perf_counter(), {}, 0.0, 0
    parts = 10
    for part in range(1, parts + 1):
        while day.events < events * part // parts:
            number += 1
            day.order(number, step_ns)
            if number % 1_000 == 0:  # a real day leaves the index time; a fast one has to give it
                while day.records.journal.next_number - day.records.index.next_number > 200_000:
                    time.sleep(0.05)
        day.retention.apply()
        journal_mb = max(journal_mb, _size_mb(state.journal))
        memory[f"{part * 100 // parts} %"] = _resident_mb()
        tell(
            f"{part * 100 // parts} %: {day.events} events, journal {_size_mb(state.journal):.0f} MB, {_resident_mb()} MB"
        )
    seconds = time.perf_counter() - started
    facts = day.records.journal.next_number
    day.close()
    result = {
        "events": day.events,
        "orders": number,
        "journal_records": facts,
        "events_per_s": round(day.events / seconds),
        "memory_mb": memory,
        "journal_mb_max": round(journal_mb, 1),
        "segments_deleted": day.retention.deleted,
        "index_mb": round(state.store.stat().st_size / MB, 1),
        "checkpoint_mb": round(max(path.stat().st_size for path in state.checkpoints.iterdir()) / MB, 1),
        "restart": _restart(state, number),
    }
    state.close()
    return result


def _build() -> list[Actor[Any]]:
    whole = msgspec.structs.replace(config(), persistence=PERSISTENCE)
    return build_actors(whole, [INSTRUMENT], ("orders", "portfolio", "persistence"))


def _restart(state: StateDirectory, orders: int) -> dict[str, Any]:
    """What a start does with the directory before it asks the venue."""
    actors = _build()
    start = time.perf_counter()
    recovered = recover(state, actors)
    took = time.perf_counter() - start
    found = next(actor for actor in actors if isinstance(actor, Orders)).view()
    fills = next(actor for actor in actors if isinstance(actor, Portfolio)).fill_number
    assert any(isinstance(actor, Persistence) for actor in actors)
    assert fills == orders // FILLED_EVERY, (fills, orders)
    return {
        "seconds": round(took, 3),
        "journal_records": recovered.records,
        "done_orders": found["done"],
        "fills": fills,
    }


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / MB


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MB, 1)
