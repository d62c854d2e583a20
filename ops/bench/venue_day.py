"""The generated market at full speed on a virtual clock, a process of its own: events a second, and memory by the hour.

It says one JSON object a line: after an hour of the crowd's time, and at the end. Seconds are those the processor gave us.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.simulated.crowd.profiles import profile
from gateway.simulated.virtual import START_NS, VirtualMarket
from ops.bench import venue_process

SYMBOL = "BTCUSDT"
FIRST_HOURS = 1.0
HOUR_S = 3_600.0
MB = 1 << 20


def run(hours: float) -> dict[str, Any]:
    """A crowd of one symbol for so many hours of its time. Memory is resident, of the process with nothing else in it."""
    words = (str(hours),)
    with venue_process.running("ops.bench.venue_day", *words) as (first, process):
        rows = [first, *(json.loads(line) for line in process.stdout)]
    last = rows[-1]
    return {
        "events_per_s": round(last["events"] / last["seconds"]),
        "times_real_time": round(last["hours"] * HOUR_S / last["seconds"]),
        "events": last["events"],
        "memory_mb": {f"{row['hours']:g} h": row["rss_mb"] for row in rows},
    }


def _hours(hours: float) -> Iterator[dict[str, Any]]:
    listed = profile(SYMBOL)
    assert listed is not None
    market = VirtualMarket([listed], seed=1)
    events, spent = 0, 0.0
    for until in dict.fromkeys((min(FIRST_HOURS, hours), hours)):
        start = time.process_time()
        events += market.run(until * HOUR_S - (market.now_ns - START_NS) / 1e9)
        spent += time.process_time() - start
        yield {"hours": until, "events": events, "seconds": spent, "rss_mb": _resident_mb()}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / MB, 1)


if __name__ == "__main__":
    for row in _hours(float(sys.argv[1])):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
