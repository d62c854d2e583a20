"""What a book went through, by the engine's own log lines `book_state`, and what of it must not be. Pure."""

import re
import time
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

RETURN_MS_MAX = 5_000
"""From the harm, or its end, to a book that is LIVE: dialing, a snapshot, the bridge, on a busy machine; chosen."""

_LINE = re.compile(r"^(\S+)\.(\d{3}) \S+\s+book_state instrument=(\S+) state=(\w+) reason=(\w+)")


class Change(NamedTuple):
    """One line `book_state`. at_s: Unix time."""

    at_s: float
    instrument: str
    state: str
    reason: str


class Books(msgspec.Struct):
    """What became of one book in all rounds. planned: the venue announced it, so that nothing of it may be seen.

    returned_ms: from the harm, or its end, to LIVE. resyncs: LIVE by a snapshot; resumed: without one. connections: that
    the venue ever had; frames_lost: that it did not send. trades_backfilled: asked for after a hole; trades_missed: for good.
    """

    planned: bool
    faults: int = 0
    returned_ms: list[float] = []
    invalid: int = 0
    stale: int = 0
    resyncs: int = 0
    resumed: int = 0
    connections: int = 0
    frames_lost: int = 0
    trades_backfilled: int = 0
    trades_missed: int = 0

    def take(self, since: Iterable[Change], from_s: float) -> None:
        """One round: what was said since it began; `from_s`: from when on the book could return."""
        self.faults += 1
        live_s = 0.0
        for change in since:
            is_live = change.state == "LIVE"
            self.invalid += change.state == "INVALID"
            self.stale += change.state == "STALE"
            self.resyncs += is_live and change.reason == "SNAPSHOT_BRIDGED"
            self.resumed += is_live and change.reason in ("RESUMED", "REORDERED")
            live_s = change.at_s if is_live else live_s
        if live_s:
            self.returned_ms.append(round(max(live_s - from_s, 0.0) * 1e3, 1))

    def problems(self) -> list[str]:
        """What must not be; empty: it held."""
        slowest = max(self.returned_ms, default=0.0)
        if self.planned:
            rules = [
                (not self.invalid, f"a planned roll made the book INVALID {self.invalid} times"),
                (not self.stale, f"a planned roll made the book STALE {self.stale} times"),
                (not self.resyncs, f"a planned roll cost {self.resyncs} snapshots"),
                (self.connections > self.faults, f"{self.connections} connections in {self.faults} rolls"),
            ]
        else:
            rules = [
                (self.invalid + self.stale >= self.faults, "the book was believed through a fault"),
                (
                    len(self.returned_ms) >= self.faults,
                    f"of {self.faults} faults the book returned from {len(self.returned_ms)}",
                ),
                (slowest <= RETURN_MS_MAX, f"a book took {slowest:.0f} ms to return, more than {RETURN_MS_MAX}"),
            ]
        rules.append((not self.trades_missed, f"{self.trades_missed} trades were missed for good"))
        return [text for held, text in rules if not held]


def changes(log: str) -> list[Change]:
    """Every `book_state` of an engine's log, in order."""
    found = []
    for line in log.splitlines():
        match = _LINE.match(line)
        if match:
            at_s = time.mktime(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S")) + int(match[2]) / 1e3
            found.append(Change(at_s, match[3], match[4], match[5]))
    return found


def told(since: list[Change]) -> str:
    """One round in a line, for a person."""
    return ", ".join(f"{change.state} {change.reason}" for change in since) or "the book stayed LIVE"
