"""A world whose engine is killed at any record it journals, and comes back as a new process would: the newest checkpoint
file and the order journal on disk, through the real recovery, under a new epoch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bus.actor import Actor
from bus.checkpoint import FORMAT, KEPT, Checkpoint, collect, to_bytes
from bus.log import RecordLog
from bus.vocabulary_lock import vocabulary_hash
from ops.assembly import build_actors
from ops.config import parse
from ops.recovery import Recovered, recover
from ops.state import StateDirectory
from tests.support.house import House, Journal
from tests.support.world import CONFIG, Faults, World, WorldWire


class Killed(BaseException):
    """SIGKILL. No handler of the engine catches it."""


class MortalJournal(Journal):
    """Dies at the record that is counted out: before it is written, or right behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.left = -1
        self.behind = False

    def append(self, kind: int, offset: int, now_ns: int, body: bytes) -> int:
        self.left -= 1
        if self.left == 0 and not self.behind:
            raise Killed
        number = super().append(kind, offset, now_ns, body)
        if self.left == 0:
            raise Killed
        return number


class MortalWorld(World):
    """`kills_max` times while it trades, never during the stop."""

    def __init__(self, seed: int, faults: Faults, folder: Path, kills_max: int, config: str = CONFIG) -> None:
        super().__init__(seed, faults, config=config)
        self._folder, self._config = folder, config
        self._kills_max, self.kills, self.failures = kills_max, 0, 0
        self.journal = self.house.journal = self.house.door._journal = self.house.host.journal = MortalJournal()
        self._on_disk = RecordLog(folder / "journal", segment_bytes=1 << 20, prepare_ahead=False)
        self._count_out()

    def close(self) -> None:
        self._on_disk.close()

    def start(self) -> None:
        try:
            super().start()
        except Killed:
            self._restart()

    def _count_out(self) -> None:
        self.journal.left = self.random.randint(1, 60) if self.kills < self._kills_max else -1
        self.journal.behind = self.random.random() < 0.5

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end_ns = self.now_ns + int(seconds * 1e9)
        while True:
            try:
                return super().run(max(end_ns - self.now_ns, 0) / 1e9, until)
            except Killed:
                self._restart()

    def stop(self, reason: str = "the test is over") -> None:
        """A stop that comes while the process is down waits for the next one's start, as a supervisor's does."""
        self.journal.left = -1
        self.run(5.0, lambda: self.begun)
        super().stop(reason)

    def _checkpoint(self, house: House) -> None:
        """Really written, so that the recovery really reads it."""
        data = Checkpoint(
            FORMAT, vocabulary_hash(), 0, house.epoch, house.host.offset, self.now_ns, house.host.digest,
            len(house.journal.records), collect(house.actors),
        )  # fmt: skip
        folder = self._folder / "checkpoints"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{house.host.offset:020d}.checkpoint").write_bytes(to_bytes(data))
        for old in sorted(folder.glob("*.checkpoint"))[:-KEPT]:
            old.unlink()
        super()._checkpoint(house)

    def _restart(self) -> None:
        """The process is gone, its kernel still sends what was written; a new one starts."""
        self.kills += 1
        self.begun = False
        self.failures += self.house.host.failures
        for line in (getattr(self, "orders", None), getattr(self, "feed", None)):
            if line is not None:
                line.up = False
        for client in (getattr(self, "client", None), getattr(self, "reader", None)):
            if client is not None:
                client.leave()
        first, *more = self.house.instruments
        for row in self.journal.records[self._on_disk.next_number :]:
            self._on_disk.append(*row)
        recovered = self._recover(build_actors(parse(self._config), self.house.instruments))
        self.house = House(
            self._config, None, first, more=more, tapped=False, clock=self.clock, journal=self.journal,
            epoch=max(recovered.epoch, self.house.epoch) + 1, first_offset=max(recovered.offset, self.house.host.offset),
            before=self._recover,
        )  # fmt: skip
        self.house.wire = self.wire = WorldWire(self)
        self.house.door._socket, self.house.door._subscribed = None, False
        self._count_out()
        self._in_this_life(self.random.uniform(1, 1_500), self.begin)

    def _recover(self, actors: list[Actor[Any]]) -> Recovered:
        state = StateDirectory(self._folder)
        try:
            return recover(state, actors)
        finally:
            state.close()
