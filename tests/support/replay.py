"""An input log, run again: fresh actors, doors that say nothing, the clock set to each record's time.

Doors answer only by inputs, and inputs are what the log holds; so nothing of them is needed but their names.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from actors.strategy import Strategy, StrategyActor
from bus.actor import Actor, Handler
from bus.checkpoint import ActorState, collect, state_of
from bus.clock import VirtualClock
from bus.codec import decode_any
from bus.host import Host, Receiver
from bus.loopback import LoopbackMailboxes
from bus.mailbox import Mailboxes
from bus.messages import HEADER_SIZE, Instrument, Message, StrategyQuarantined, read_header
from ops.assembly import build_actors
from ops.hosts import ALONE, Placement
from ops.sections import Config
from ops.strategy_guard import Interrupted
from ops.supervision import Intensity, Supervision
from ops.topology import DOORS, ROUTES, routing

DIGEST_BYTES = 4
Row = tuple[int, int, int, bytes]
"""Kind, offset, now_ns, body of one record of an input log; the body begins with the digest before that input."""


class Silent:
    """A door that hears and says nothing."""

    def __init__(self, name: str) -> None:
        self.name = name
        kinds = [kind for kind, names in ROUTES.items() if name in names]
        self.handlers: dict[type[Message], Handler] = dict.fromkeys(kinds, lambda message, now_ns: ())


class Facts:
    """A journal that keeps the host's own facts; the door's two records are the door's."""

    def __init__(self) -> None:
        self.records: list[Row] = []

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.records.append((kind, offset, now_ns, body))
        return len(self.records) - 1


class Interrupting(Strategy):
    """In place of one that hangs: whichever hook is called was broken off."""

    def __getattribute__(self, name: str) -> Any:
        def broken_off(*_: object) -> None:
            raise Interrupted(name)

        return broken_off


def broken_off(rows: Iterable[Row]) -> list[int]:
    """The messages at which a strategy's call was broken off, by their headers: read ahead from a whole log."""
    messages = [decode_any(row[3][DIGEST_BYTES + HEADER_SIZE :]) for row in rows]
    return [row.sequence for row in messages if isinstance(row, StrategyQuarantined) and row.sequence]


class Replay:
    """One engine without a world. `take` runs one record; `differs` compares what the log says was sent before it."""

    def __init__(
        self,
        config: Config,
        instruments: Sequence[Instrument],
        mailboxes: Mailboxes | None = None,
        *,
        first_offset: int = 0,
        restored: Sequence[ActorState] = (),
        placement: Placement = ALONE,
        broken_off: Collection[int] = (),
        before: Callable[[list[Actor[Any]]], object] = lambda actors: None,
    ) -> None:
        """placement: of the host whose log it is, in a topology of several. broken_off: as `broken_off` finds them."""
        self.config, self.instruments = config, instruments
        self.clock = VirtualClock()
        self.actors: list[Actor[Any]] = build_actors(config, list(instruments), placement.host.actors)
        by_name = {saved.name: saved for saved in restored}
        for actor in self.actors if restored else ():
            actor.restore(state_of(by_name[actor.name], actor.State))
        before(self.actors)
        self.journal = Facts()
        self.supervision = Supervision(
            self.actors,
            lambda names: build_actors(config, list(self.instruments), names),
            config.strategy.owner,
            Intensity(config.supervision),
            None,
            live=False,
        )
        silent = [Silent(name) for name in DOORS if name != self.supervision.name]
        receivers: list[Receiver] = [*self.actors, *silent, self.supervision]
        carrier = mailboxes or LoopbackMailboxes()
        self.host = Host(
            receivers,
            routing((*placement.host.actors, *DOORS)),
            carrier,
            self.clock.now_ns,
            journal=self.journal,
            number=placement.number,
            first_offset=first_offset,
        )
        self.supervision.attach(self.host)
        if broken_off:
            self._break_off(frozenset(broken_off))

    def _break_off(self, sequences: frozenset[int]) -> None:
        """At these messages the strategy did not come back, and would not now."""
        cell, actor = self.host._cells["strategy"], next(row for row in self.actors if isinstance(row, StrategyActor))
        receive = cell.receive

        def look() -> bytes:
            raw = receive()
            if read_header(raw).sequence in sequences:
                actor.user.strategy = Interrupting()
            return raw

        cell.receive = look

    def differs(self, row: Row) -> bool:
        return self.host.digest != int.from_bytes(row[3][:DIGEST_BYTES], "little")

    def take(self, row: Row) -> None:
        self.clock.set(row[2])
        raw = row[3][DIGEST_BYTES:]
        message = decode_any(raw[HEADER_SIZE:])
        header = read_header(raw)
        if header.host == self.host.number and header.hop == 0:
            self.host.take(message)
        else:  # what another host said, even where our own input was its cause
            self.host.take_arrived(type(message), raw)

    def first_difference(self, rows: Iterable[Row]) -> int:
        """Run all; the offset of the last input before the outputs differed, or -1."""
        for row in rows:
            if self.differs(row):
                return row[1] - 1
            self.take(row)
        return -1

    def restarted(self) -> "Replay":
        """What a new process would be: every actor's state through bytes into a fresh one, in a fresh host."""
        again = Replay(self.config, self.instruments, first_offset=self.host.offset, restored=collect(self.actors))
        again.clock.set(self.clock.now_ns())
        again.host.sequence, again.host.digest = self.host.sequence, self.host.digest
        return again
