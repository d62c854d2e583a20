"""A console on the rig's engine: the reader and the tap of a real one, and a watcher that takes what it is sent."""

from pathlib import Path
from time import perf_counter_ns
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bus.collector import Collector
from bus.mailbox import Tap, Watcher, ZmqMailboxes, ipc_endpoint
from ops import events
from ops.bench.setup import config
from ops.bench.stand_in import INSTRUMENT
from ops.hosts import ALONE
from ops.telemetry import TELEMETRY_MAILBOX, Reader, encode_frame

if TYPE_CHECKING:
    from ops.bench.rig import Rig

HZ = 50
"""What `touchline monitor` wishes for. Here a frame goes out right before each tick, however fast ticks come: the worst case."""


class Watched:
    """Frames go out when `look` is called: between two ticks, as the publisher of an engine does it."""

    def __init__(self, rig: "Rig", folder: Path) -> None:
        self._mailboxes = ZmqMailboxes()
        endpoint = ipc_endpoint(folder, TELEMETRY_MAILBOX)
        self._tap = Tap(self._mailboxes, TELEMETRY_MAILBOX, endpoint)
        self._watcher = Watcher(endpoint)
        self._recent = events.Recent()
        self._reader = Reader(_node(rig, self._recent))
        self._frames = self._bytes = 0
        self.built_ns: list[int] = []

    def look(self) -> None:
        """Build one frame and publish it. The watcher's own work is another process's in life, and is not counted."""
        start = perf_counter_ns()
        raw = encode_frame(self._reader.frame((0,), HZ))
        self._tap.publish(raw)
        self.built_ns.append(perf_counter_ns() - start)
        self._bytes += len(raw)
        self._tap.drain()
        self._frames += len(self._watcher.take())

    @property
    def counts(self) -> dict[str, int]:
        """Of a frame, and of frames that arrived: a watcher that had none would cost nothing."""
        return {"frame_bytes": self._bytes // max(len(self.built_ns), 1), "frames": self._frames}

    def close(self) -> None:
        self._recent.close()
        self._watcher.close()
        self._mailboxes.close()


def _node(rig: "Rig", recent: events.Recent) -> Any:
    """As much of an engine as a reader looks at: its actors, host, door and counters are the rig's own."""
    return SimpleNamespace(
        actors=rig.actors, host=rig.host, instruments={INSTRUMENT.instrument: INSTRUMENT}, clock=rig.clock,
        config=config(), placement=ALONE, supervisor=rig.ear, collector=Collector(), recent=recent,
        order_door=rig.door, rest=SimpleNamespace(budgets={}),
        records=SimpleNamespace(index=SimpleNamespace(behind=0)), stalls=0, stall_max_s=0.0,
    )  # fmt: skip
