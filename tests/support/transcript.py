"""Transcripts: text files that are tests. A line is something that happens; the lines marked `>` behind it are all that came
of it. `perform` plays what happens on the whole engine in memory and returns the text with what really came.

Orders are called by side and number, as they first appear on the wire: bid1, ask1, bid2 ... `!N` after a fill names a
trade id. Read tests/transcripts/README.md for the words; a new transcript is written without its `>` lines and completed by
`python -m tests.support.transcript FILE`, then read.
"""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from bus.actor import Actor
from bus.checkpoint import collect, state_of
from bus.codec import TYPE_OF_TAG, decode_any
from bus.messages import (
    HEADER_SIZE,
    Alert,
    AlertLevel,
    CancelCommand,
    CancelOrder,
    ClockEstimate,
    ConnectionUp,
    Control,
    Difference,
    ExecutionReport,
    Fill,
    Instrument,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    OperatorCommand,
    OrderRefused,
    OrdersQuiet,
    OrdersReady,
    OrdersUnready,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    PrivateStreamSuspected,
    QueryAnswer,
    Reconciled,
    ReportKind,
    Side,
    StopRequested,
    SubmitOrder,
    TradingStateChanged,
    VenueQuery,
    VenueState,
)
from ops.assembly import ACCOUNT, VENUE
from ops.recovery import RECOVERED
from tests.support.house import MS, House, Wire
from tests.support.stage import BALANCES, Stage

STEP_MS = 100
TROUBLE = "network is unreachable"


class Killed(BaseException):
    """SIGKILL: no handler of the engine catches it."""


class DyingWire(Wire):
    """Dies at the next write: what was journaled for it never left."""

    def write_all(self, payloads: list[bytes]) -> None:
        raise Killed


class Play:
    """One transcript under way."""

    def __init__(self) -> None:
        self.stage = Stage(quotes=False)
        self.names: dict[str, str] = {}
        self.heard = 0
        self.epoch = 1
        self.saved: tuple[Any, int] | None = None
        self.balances = BALANCES
        self.worst = (0, 0)
        self.listen(self.stage.house)
        self.stage.bid, self.stage.ask = self.id_of("bid1"), self.id_of("ask1")
        self.worst = self.stage.reserved()

    # -- what came of it ------------------------------------------------------------------------------------------

    def listen(self, house: House) -> None:
        """Names for the orders that are there."""
        for _, message in house.tap.carried:
            if isinstance(message, SubmitOrder):
                self.name(message.client_order_id, message.side)
        self.heard = len(house.tap.carried)

    def name(self, client_order_id: str, side: Side | None = None) -> str:
        found = self.names.get(client_order_id)
        if found is None:
            kind = "foreign" if side is None else "bid" if side is Side.BUY else "ask"
            number = 1 + sum(name.startswith(kind) for name in self.names.values())
            found = self.names[client_order_id] = f"{kind}{number}"
        return found

    def id_of(self, name: str) -> str:
        for client_order_id, known in self.names.items():
            if known == name:
                return client_order_id
        raise LookupError(f"no order is called {name!r}; there are {', '.join(self.names.values())}")

    def outcome(self) -> Iterator[str]:
        """Everything new as lines; the same line in a row once, with how often."""
        carried = self.stage.house.tap.carried[self.heard :]
        self.heard += len(carried)
        lines: list[str] = []
        last: Message | None = None
        for _, message in carried:
            told = WORDS.get(type(message))
            if told is not None and message != last and (line := told(self, message)):  # else: to its next receiver
                lines.append(line)
            last = message
        worst = self.stage.reserved()
        if worst != self.worst:
            self.worst = worst
            lines.append(f"worst case {worst[0]:+} / {worst[1]:+}")
        for line, same in groupby(lines):
            count = len(list(same))
            yield f"{line}, {count} times" if count > 1 else line

    # -- what happens -------------------------------------------------------------------------------------------------

    def do(self, line: str) -> None:
        for pattern, verb in VERBS:
            found = re.fullmatch(pattern, line)
            if found is not None:
                verb(self, *(group or "" for group in found.groups()))
                return
        raise ValueError(f"nothing is called {line!r}")

    def wait(self, number: str, unit: str) -> None:
        self.stage.house.wait(milliseconds(number, unit))

    def queries(self, text: str) -> None:
        """Every question is answered, with these rows by kind; what is not named does not exist."""
        rows: dict[str, tuple[ExecutionReport, ...]] = {}
        for part in filter(None, (part.strip() for part in text.split(";"))):
            kind, _, rest = part.partition(" ")
            rows[kind] = tuple(self.row(kind, word) for word in rest.split())
        self.stage.house.answer_queries(self.balances, **rows)

    def row(self, kind: str, word: str) -> ExecutionReport:
        """`bid1`: it works. `bid1=CANCELED/40`: its state and executed lots. `bid1!7/40`: trade 7 of 40 lots."""
        if "!" in word:
            name, _, rest = word.partition("!")
            trade, _, lots = rest.partition("/")
            return self.stage.found(
                self.id_of(name), ReportKind.TRADE, VenueState.NONE, 0, trade_id=int(trade), last=int(lots)
            )
        name, _, rest = word.partition("=")
        state, _, lots = rest.partition("/")
        fact = VenueState[f"DONE_{state}"] if state and state != "WORKING" else VenueState.WORKING
        return self.stage.found(self.id_of(name), ReportKind.SNAPSHOT, fact, int(lots or 0))

    def no_network(self, number: str, unit: str) -> None:
        """Each question of that time fails as one does without a network: it proves nothing."""
        for _ in range(int(milliseconds(number, unit)) // STEP_MS):
            self.stage.house.wait(STEP_MS)
            self.fail_queries(TROUBLE)

    def fail_queries(self, reason: str) -> None:
        house = self.stage.house
        queries = [message for message in house.asked if isinstance(message, VenueQuery)]
        house.asked = [message for message in house.asked if not isinstance(message, VenueQuery)]
        for query in queries:
            head = (query.actor, query.counter, query.generation, Outcome.AMBIGUOUS, query.kind, query.instrument)
            now_ns = house.clock.now_ns()
            house.post(QueryAnswer(*head, query.client_order_id, now_ns, now_ns, reason, True, False, (), ()))

    def settle(self, number: str, unit: str, text: str) -> None:
        """Time passes, and every question of it is answered so."""
        for _ in range(int(milliseconds(number, unit)) // STEP_MS):
            self.stage.house.wait(STEP_MS)
            self.queries(text)

    def fill(self, name: str, lots: str, total: str, trade: str) -> None:
        client_order_id = self.id_of(name)
        self.stage.fill(client_order_id, btc(lots), btc(total or lots), int(trade or 0))

    def report(self, name: str, kind: str, state: str, changed: str) -> None:
        fields: dict[str, Any] = dict(pair.split("=", 1) for pair in changed.split())
        self.stage.report(self.id_of(name), kind, state, **fields)

    def stranger(self, client_order_id: str, kind: str, state: str) -> None:
        self.name(client_order_id)
        self.stage.report(client_order_id, kind, state)

    def cancel(self, name: str) -> None:
        self.stage.house.post(CancelCommand(ACCOUNT, VENUE, 0, "main", self.id_of(name), 0))

    def operator(self, control: str, reason: str) -> None:
        self.stage.house.post(OperatorCommand(Control[control], -1, reason))

    def stop(self) -> None:
        self.stage.house.post(StopRequested("told to", self.stage.house.clock.now_ns() + 5_000 * MS))

    def clock(self, offset_ms: str, uncertainty_ms: str) -> None:
        self.stage.house.post(ClockEstimate(VENUE, int(offset_ms) * MS, int(uncertainty_ms) * MS))

    def disk(self, state: str) -> None:
        self.stage.house.door.disk_failed = lambda: state == "full"

    def fails(self, name: str, kind: str) -> None:
        """Its next message of that type raises, once."""
        house = self.stage.house
        cell = house.host._cells[name]
        message_type = next(known for known in TYPE_OF_TAG.values() if known.__name__ == kind)
        handler = cell.handlers[message_type]

        def once(message: Message, now_ns: int) -> tuple[Message, ...]:
            cell.handlers = {**cell.handlers, message_type: handler}
            raise RuntimeError("as the transcript says")

        cell.handlers = {**cell.handlers, message_type: once}

    def instrument(self, changes: str) -> None:
        """The venue changed its filters: another version."""
        fields = {name: int(value) for name, value in (pair.split("=", 1) for pair in changes.split())}
        before: Instrument = self.stage.house.instrument
        self.stage.house.instrument = msgspec.structs.replace(before, version=before.version + 1, **fields)
        self.stage.house.post(self.stage.house.instrument)

    # -- dying and coming back ----------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        house = self.stage.house
        self.saved = (collect([a for a in house.actors if a.name in RECOVERED]), len(house.journal.records))

    def dies_at_write(self) -> None:
        wire = DyingWire()
        wire.written = self.stage.house.wire.written
        self.stage.house.wire = self.stage.house.door._socket = wire  # type: ignore[assignment]  # as after a logon

    def restart(self) -> None:
        """A new process on the same directory, under a new epoch; its private stream is up, and nobody has answered yet."""
        before = self.stage.house
        self.epoch += 1
        house = House(
            clock=before.clock, journal=before.journal, epoch=self.epoch, first_offset=before.host.offset,
            before=self.recover, instrument=before.instrument,
        )  # fmt: skip
        house.door.generation = before.door.generation
        self.stage.house, self.heard = house, 0
        house.wire.written = list(before.wire.written)  # what the venue was told, also by the one before
        house.begin()
        self.stage.reconnect()

    def recover(self, actors: list[Actor[Any]]) -> None:
        """As ops.recovery does: the checkpoint, then the journal's facts behind it."""
        records = self.stage.house.journal.records
        start = 0
        recovered = [actor for actor in actors if actor.name in RECOVERED]
        if self.saved is not None:
            states, start = self.saved
            by_name = {state.name: state for state in states}
            for actor in recovered:
                actor.restore(state_of(by_name[actor.name], actor.State))
        folds = [fold for actor in recovered for fold in actor.recovers().items()]
        for _, _, now_ns, body in records[start:]:
            message = decode_any(body[HEADER_SIZE:])
            for kind, fold in folds:
                if type(message) is kind:
                    fold(message, now_ns)

    def market(self) -> None:
        """The market's connection, and a LIVE book: quotes follow where they may."""
        self.stage.house.post(ConnectionUp(0, 1, self.stage.house.clock.now_ns()))
        self.stage.open_book()


def milliseconds(number: str, unit: str) -> float:
    return float(number) * {"ms": 1, "s": 1_000, "min": 60_000}[unit]


def btc(lots: str) -> str:
    """Lots of 0.00001 as the venue writes them."""
    return f"{int(lots) / 100_000:.8f}"


# -- words for what came of it: message to line, "" for nothing ------------------------------------------------------------


def _update(play: Play, update: OrderUpdate) -> str:
    rest = f" {update.cumulative_lots}/{update.quantity_lots}" if update.cumulative_lots else ""
    why = f" ({update.refusal.name})" if update.refusal else ""
    return f"{play.name(update.client_order_id, update.side)} is {update.status.name}{rest}{why}"


def _fill(play: Play, fill: Fill) -> str:
    late = ", late" if fill.late else ""
    owner = f", of {fill.owner}" if fill.owner != "main" else ""
    return f"{play.name(fill.client_order_id, fill.side)} fill {fill.number}: {fill.quantity_lots} lots, trade {fill.trade_id}{late}{owner}"


def _submit(play: Play, order: SubmitOrder) -> str:
    return f"{play.name(order.client_order_id, order.side)} to the door: {order.quantity_lots} at {order.price_ticks}"


def _cancel(play: Play, cancel: CancelOrder) -> str:
    return f"{play.name(cancel.client_order_id)} cancel to the door, attempt {cancel.attempt}"


def _query(play: Play, query: VenueQuery) -> str:
    about = f" {play.name(query.client_order_id)}" if query.client_order_id else ""
    since = f" from {query.from_id}" if query.kind.name == "TRADES" and query.from_id else ""
    return f"asks {query.kind.name}{about}{since}"


def _alert(play: Play, alert: Alert) -> str:
    return f"{alert.level.name}: {alert.event}" if alert.level > AlertLevel.INFO else ""


def _difference(play: Play, row: Difference) -> str:
    subject = play.names.get(row.subject, row.subject)
    return f"difference {row.kind.name} {subject}: ours {row.ours}, the venue's {row.venues}"


def _position(play: Play, update: PositionUpdate) -> str:
    return f"position {update.position_lots}"


def _compared(play: Play, row: LedgerCompared) -> str:
    if row.baseline or row.ours == row.venues:
        return ""
    return f"ledger {row.asset} differs by {row.ours - row.venues}"


WORDS: dict[type[Message], Callable[[Play, Any], str]] = {
    OrderUpdate: _update,
    Fill: _fill,
    SubmitOrder: _submit,
    CancelOrder: _cancel,
    VenueQuery: _query,
    Alert: _alert,
    Difference: _difference,
    PositionUpdate: _position,
    LedgerCompared: _compared,
    LedgerAdjusted: lambda play, row: f"ledger {row.asset} adjusted by {row.units}",
    OrderRefused: lambda play, row: f"refused {row.side.name}: {row.reason.name}",
    OrdersReady: lambda play, row: f"ready: {row.adopted} adopted, {row.canceled} canceled, {row.fills} fills",
    OrdersUnready: lambda play, row: f"not ready: {row.reason}",
    OrdersQuiet: lambda play, row: f"quiet: {row.unresolved} unresolved",
    PrivateStreamSuspected: lambda play, row: f"private stream suspected{', renewed' if row.renew else ''}",
    Reconciled: lambda play, row: f"reconciled after {row.trigger}: {row.differences} differences",
    TradingStateChanged: lambda play, row: f"trading {row.scope} {row.state.name}",
}

_ORDER, _TIME = r"(\w+)", r"([\d.]+) ?(ms|s|min)"
VERBS: tuple[tuple[str, Callable[..., object]], ...] = (
    (rf"wait {_TIME}", Play.wait),
    (r"queries answered(?:: (.*))?", Play.queries),
    (rf"{_TIME} with every query answered(?:: (.*))?", Play.settle),
    (rf"{_TIME} without network", Play.no_network),
    (r"queries fail: (.*)", Play.fail_queries),
    (rf"{_ORDER} accepted", lambda play, name: play.stage.accept(play.id_of(name))),
    (rf"{_ORDER} answered", lambda play, name: play.stage.answer(play.id_of(name))),
    (
        rf"{_ORDER} refused (-\d+) (.*)",
        lambda play, name, code, text: play.stage.refuse(play.id_of(name), int(code), text),
    ),
    (rf"{_ORDER} cancel answered", lambda play, name: play.stage.answer_cancel(play.id_of(name))),
    (
        rf"{_ORDER} cancel refused (-\d+) (.*)",
        lambda play, name, code, text: play.stage.answer_cancel(play.id_of(name), int(code), text),
    ),
    (rf"{_ORDER} filled (\d+)(?: of (\d+))?(?: in trade (\d+))?", Play.fill),
    (
        rf"{_ORDER} canceled(?: with (\d+) executed)?",
        lambda play, name, lots: play.stage.canceled(play.id_of(name), btc(lots or "0")),
    ),
    (rf"{_ORDER} reported (\w+) (\w+)((?: \w+=\S+)*)", Play.report),
    (r"stranger (\w+) reported (\w+) (\w+)", Play.stranger),
    (rf"cancel {_ORDER}", Play.cancel),
    (r"operator (\w+): (.*)", Play.operator),
    (r"stop", Play.stop),
    (r"venue clock off by (-?\d+) ms, within (\d+) ms", Play.clock),
    (r"disk (full|free)", Play.disk),
    (r"(\w+) fails on (\w+)", Play.fails),
    (r"filters change:((?: \w+=\d+)+)", lambda play, text: play.instrument(text.strip())),
    (r"connection lost", lambda play: play.stage.lose_connection()),
    (r"connection back", lambda play: play.stage.reconnect()),
    (r"market connected", Play.market),
    (r"market moves to ([\d.]+) / ([\d.]+)", lambda play, bid, ask: play.stage.move(bid, ask)),
    (r"market ticks", lambda play: play.stage.tick()),
    (r"checkpoint", Play.checkpoint),
    (r"dies at the next write", Play.dies_at_write),
    (r"killed, and started again", Play.restart),
)
"""What can happen; the groups are the verb's arguments."""


def perform(text: str) -> str:
    """The transcript with what really came of each line. Raises ValueError, LookupError for a line that means nothing."""
    play = Play()
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("> "):
            continue
        lines.append(line)
        if not line or line.startswith("#"):
            continue
        try:
            play.do(line)
        except Killed:
            lines.append("> died")
        lines += [f"> {came}" for came in play.outcome()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(perform(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
