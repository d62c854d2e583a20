"""One transcript under way: what may happen in it, as methods. Its words, both ways, are in `tests.support.transcript`.

The engine is whole; the venue says only what the transcript tells it to. Orders that are not the story's go well: the
venue does at once what it is told with them, questions about them are answered truly, and nothing of it is shown.
"""

import json
from typing import Any

import msgspec

from actors.orders.ids import CLAIMED
from bus.actor import Actor
from bus.checkpoint import collect, state_of
from bus.codec import TYPE_OF_TAG, decode_any
from bus.messages import (
    HEADER_SIZE,
    Balance,
    ClockEstimate,
    ConnectionUp,
    Control,
    ExecutionReport,
    Instrument,
    Message,
    OperatorCommand,
    Outcome,
    QueryAnswer,
    ReportKind,
    Side,
    StopRequested,
    SubmitOrder,
    VenueQuery,
    VenueState,
)
from ops.assembly import VENUE
from ops.recovery import RECOVERED
from tests.support.house import CONFIG, MS, START_NS, House, Wire
from tests.support.ids import id_of
from tests.support.mortal import Killed
from tests.support.stage import BALANCES, Stage

STEP_MS = 100
BASE_OF_LOT = 1_000  # 0.00001 BTC in units of 10^-8
QUOTE_OF_LOT = BASE_OF_LOT * 60_000  # every trade of a transcript is at 60,000


class DyingWire(Wire):
    """`taken` requests still leave; at the one behind them the process dies, and what was journaled for it never left."""

    def __init__(self, written: list[bytes], taken: int) -> None:
        self.written, self.taken = written, taken

    def write_all(self, payloads: list[bytes]) -> None:
        for payload in payloads:
            if self.taken == 0:
                raise Killed
            self.written.append(payload)
            self.taken -= 1


class Play:
    """names: of orders by client order id. heard: what the mailboxes carried and was told. served: requests on the wire
    that the venue has read. well: orders that go well, and whether they work. absent: those that the venue does not have.
    told: trades by order and id: side, lots, fee in lots. stream_ns: when the private stream began.
    """

    def __init__(self, more: str = "") -> None:
        self.config = CONFIG + more
        self.stage = Stage(self.config, quotes=False)
        self.names: dict[str, str] = {}
        self.heard = 0
        self.epoch = 1
        self.saved: tuple[Any, int] | None = None
        self.told: dict[tuple[str, int], tuple[Side, int, int]] = {}
        self.well: dict[str, bool] = {}
        self.absent: dict[str, None] = {}
        self.gained = 0
        self.brief = False
        self.later_well = False
        self.served = 0
        self.stream_ns = START_NS
        self.listen(self.stage.house)
        self.stage.bid, self.stage.ask = self.id_of("bid1"), self.id_of("ask1")
        self.worst = self.stage.reserved()
        self.served = len(self.stage.house.wire.written)

    def settings(self, text: str) -> None:
        """The first line of a transcript that needs another configuration: the story begins anew with it."""
        section, _, rest = text.partition("] ")
        self.__init__(f"\n{section}]\n{rest}\n")  # type: ignore[misc]  # everything of before is to be gone

    # -- names ----------------------------------------------------------------------------------------------------

    def listen(self, house: House) -> None:
        """Names for the orders that are there."""
        for _, message in house.tap.carried:
            if isinstance(message, SubmitOrder):
                self.name(message.client_order_id, message.side)
        self.heard = len(house.tap.carried)

    def name(self, client_order_id: str, side: Side | None = None) -> str:
        found = self.names.get(client_order_id)
        if found is None and client_order_id.startswith(CLAIMED):  # kept by the venue's id
            number = int(client_order_id.partition("N")[2])
            client_order_id = next(key for key, known in self.stage.venue_ids.items() if known == number)
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

    # -- orders that are not the story's ------------------------------------------------------------------------------

    def goes_well(self, name: str) -> None:
        self.stage.accept(self.id_of(name))
        self.well[name] = True

    def never_arrived(self, name: str) -> None:
        """The venue does not have it: so it answers what is asked of it, and cancels of it."""
        self.absent[name] = None

    def all_later_go_well(self) -> None:
        self.later_well = True

    def serve(self) -> None:
        """The venue does what it was told since the last time, with those that go well."""
        while self.served < len(self.stage.house.wire.written):
            request = json.loads(self.stage.house.wire.written[self.served])
            self.served += 1
            row = request["params"]
            if request["method"] == "order.place":
                name = self.name(row["newClientOrderId"], Side[row["side"]])
                if self.later_well:
                    self.goes_well(name)
            elif request["method"] == "order.cancel":
                name = self.name(row["origClientOrderId"])
                if self.well.get(name):
                    self.well[name] = False
                    self.stage.answer_cancel(self.id_of(name))
                    self.stage.canceled(self.id_of(name))
                elif name in self.absent:
                    self.stage.answer_cancel(self.id_of(name), -2011, "Unknown order sent.")

    # -- time, and what is asked -------------------------------------------------------------------------------------

    def wait(self, number: str, unit: str) -> None:
        left = milliseconds(number, unit)
        while left > 0:
            self.stage.house.wait(min(left, STEP_MS))
            self.serve()
            left -= STEP_MS

    def queries(self, text: str) -> None:
        """Every question is answered, with these rows by kind and those of orders that go well; what is not named does not exist."""
        rows: dict[str, tuple[ExecutionReport, ...]] = {}
        for part in filter(None, (part.strip() for part in text.split(";"))):
            kind, _, rest = part.partition(" ")
            rows[kind] = tuple(self.row(word) for word in rest.split())
        self.serve()
        working = tuple(self.row(name) for name, works in self.well.items() if works)
        ended = tuple(self.row(f"{name}=CANCELED/0") for name, works in self.well.items() if not works)
        rows["OPEN_ORDERS"] = (*rows.get("OPEN_ORDERS", ()), *working)
        rows["ORDER"] = (*rows.get("ORDER", ()), *working, *ended)
        self.stage.house.answer_queries(self.balances(), **rows)
        self.serve()

    def balances(self) -> tuple[Balance, ...]:
        """As every trade that was told leaves them, and what came of nobody's."""
        base = self.gained + sum(side * lots - fee for side, lots, fee in self.told.values())
        quote = sum(side * lots for side, lots, _ in self.told.values())
        moved = {"BTC": base * BASE_OF_LOT, "USDT": -quote * QUOTE_OF_LOT}
        return tuple(Balance(row.asset, row.free + moved[row.asset], row.locked) for row in BALANCES)

    def gain(self, lots: str) -> None:
        self.gained += int(lots)

    def tell(self, name: str, trade: int, lots: int, fee: int = 0) -> None:
        client_order_id = self.id_of(name)
        submit = next((r for r in self.stage.all_submits if r["newClientOrderId"] == client_order_id), {"side": "BUY"})
        self.told.setdefault((name, trade), (Side[submit["side"]], lots, fee))

    def row(self, word: str) -> ExecutionReport:
        """`bid1`: it works. `bid1=CANCELED/40`: its state and executed lots (`/150`: of so many). `bid1=STRANGE`: in a state of which
        we never heard. `bid1!7/40`: trade 7 of 40 lots.

        It happened when the private stream began: whether that should have told it is no question then.
        """
        if "!" in word:
            name, _, rest = word.partition("!")
            trade, _, lots = rest.partition("/")
            self.tell(name, int(trade), int(lots))
            found = self.stage.found(
                self.id_of(name), ReportKind.TRADE, VenueState.NONE, 0, trade_id=int(trade), last=int(lots)
            )
            return msgspec.structs.replace(found, venue_ns=self.stream_ns)
        name, _, rest = word.partition("=")
        state, lots, quantity = (*rest.split("/"), "", "", "")[:3]
        fact = VenueState.__members__.get(f"DONE_{state}", VenueState.WORKING)
        if state and state not in ("WORKING", "STRANGE") and fact is VenueState.WORKING:
            raise ValueError(f"no order is ever {state}")
        kind = ReportKind.SNAPSHOT
        if state == "STRANGE":
            kind, fact = ReportKind.OTHER, VenueState.NONE
        found = self.stage.found(self.id_of(name), kind, fact, int(lots or 0))
        of = int(quantity) * BASE_OF_LOT if quantity else found.quantity
        return msgspec.structs.replace(found, venue_ns=self.stream_ns, quantity=of)

    def settle(self, number: str, unit: str, text: str) -> None:
        """Time passes, and every question of it is answered so."""
        for _ in range(int(milliseconds(number, unit)) // STEP_MS):
            self.stage.house.wait(STEP_MS)
            self.queries(text)

    def no_network(self, number: str, unit: str, reason: str = "network is unreachable") -> None:
        """Each question of that time fails: it proves nothing. Of what comes of it each line is shown once."""
        self.brief = True
        for _ in range(int(milliseconds(number, unit)) // STEP_MS):
            self.stage.house.wait(STEP_MS)
            self.fail_queries(reason)

    def fail_queries(self, reason: str) -> None:
        self.answer_pages(Outcome.AMBIGUOUS, reason, found=False, complete=False, text="")

    def page(self, text: str) -> None:
        """One page of an answer that has more: the rest is asked for."""
        self.answer_pages(Outcome.RESULT, "", found=True, complete=False, text=text)

    def answer_pages(self, outcome: Outcome, reason: str, *, found: bool, complete: bool, text: str) -> None:
        kind, _, rest = text.partition(" ")
        house = self.stage.house
        queries = [m for m in house.asked if isinstance(m, VenueQuery) and kind in ("", m.kind.name)]
        house.asked = [message for message in house.asked if message not in queries]
        rows = tuple(self.row(word) for word in rest.split())
        for query in queries:
            head = (query.actor, query.counter, query.generation, outcome, query.kind, query.instrument)
            now_ns = house.clock.now_ns()
            house.post(QueryAnswer(*head, query.client_order_id, now_ns, now_ns, reason, found, complete, rows, ()))

    # -- the venue's words, and people's ----------------------------------------------------------------------------

    def fill(self, name: str, lots: str, total: str, trade: str, fee: str = "") -> None:
        number = int(trade) if trade else self.stage.trade_id + 1
        self.tell(name, number, int(lots), int(fee or 0))
        more = {"n": btc(fee), "N": "BTC"} if fee else {}
        self.stage.fill(self.id_of(name), btc(lots), btc(total or lots), number, **more)

    def report(self, name: str, kind: str, state: str, changed: str) -> None:
        fields: dict[str, Any] = dict(pair.split("=", 1) for pair in changed.split())
        self.stage.report(self.id_of(name), kind, state, **fields)

    def stranger(self, client_order_id: str, kind: str, state: str) -> None:
        self.name(client_order_id)
        self.stage.report(client_order_id, kind, state)

    def stranger_of(self, epoch: str, number: str, kind: str, state: str) -> None:
        """An order with our prefix and a right check character, which this engine has not sent."""
        self.stranger(id_of(int(epoch), int(number)), kind, state)

    def operator(self, control: str, reason: str) -> None:
        self.stage.house.post(OperatorCommand(Control[control], -1, reason, asker="a person"))

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

    def market(self) -> None:
        """The market's connection, and a LIVE book: quotes follow where they may."""
        self.stage.house.post(ConnectionUp(0, 1, self.stage.house.clock.now_ns()))
        self.stage.open_book()

    # -- dying and coming back ----------------------------------------------------------------------------------------

    def checkpoint(self) -> None:
        house = self.stage.house
        self.saved = (collect([a for a in house.actors if a.name in RECOVERED]), len(house.journal.records))

    def dies_at_write(self, taken: str = "") -> None:
        wire = DyingWire(self.stage.house.wire.written, int(taken or 0))
        self.stage.house.wire = self.stage.house.door._socket = wire  # type: ignore[assignment]  # as after a logon

    def restart(self) -> None:
        """A new process on the same directory, under a new epoch; its private stream is up, and nobody has answered yet."""
        before = self.stage.house
        self.epoch += 1
        house = House(
            self.config, clock=before.clock, journal=before.journal, epoch=self.epoch, first_offset=before.host.offset,
            before=self.recover, instrument=before.instrument,
        )  # fmt: skip
        house.door.generation = before.door.generation
        self.stage.house, self.heard = house, 0
        house.wire.written = list(before.wire.written)  # what the venue was told, also by the one before
        house.begin()
        self.reconnect()

    def reconnect(self) -> None:
        """The door opens its session again; nobody has answered a query yet."""
        self.stage.reconnect()
        self.stream_ns = self.stage.house.clock.now_ns()

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


def milliseconds(number: str, unit: str) -> float:
    return float(number) * {"ms": 1, "s": 1_000, "min": 60_000}[unit]


def btc(lots: str) -> str:
    """Lots of 0.00001 as the venue writes them."""
    return f"{int(lots) / 100_000:.8f}"
