"""Which processor core a process keeps to. For the demo and the benchmarks, which put two busy processes on one machine."""

import os

_ALL = sorted(os.sched_getaffinity(0))
"""As this process was started."""


def keep_to_core(index: int) -> None:
    """Keep this process, and what it starts, to one core, by its place among those it may use; with a single one: nothing.

    A send wakes the peer, and a kernel that runs the peer at once on the sender's core lets the sender wait for the peer's
    whole answer (write_us p50 750 instead of 82 on a 2-core machine).
    """
    if len(_ALL) > 1:
        os.sched_setaffinity(0, {_ALL[index % len(_ALL)]})
