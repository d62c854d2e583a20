"""When the garbage collector may run: in idle slots, over few objects, and every pause on record.

After warm-up everything alive is frozen (no pass looks at it again) and automatic collection is off. From then on a
young pass runs when the host idles and enough was allocated; now and then a full pass of what is not frozen, whose
survivors are frozen in turn; rarely a deep pass over everything, because a frozen object that later dies in a cycle
(a closed connection) is freed by nothing else. What dies without a cycle never needs us.

Measured (Python 3.11, shared 2-core machine in its slow state, 205,000 container objects frozen, half of the new ones
garbage in cycles), pause in us at a generation-0 count of 500 / 1,000 / 2,500 / 5,000 / 10,000 / 25,000: median 51 / 109 /
299 / 772 / 2,188 / 8,976. A full pass of 2,000 unfrozen 59, of 20,000 908, once they are frozen 0; a deep one of 305,000
28,900. The count is net: a pass also sees what replaced older objects, so its cost follows the turnover of the live heap.
With these limits, the same frozen heap, 5,000 live orders turning over, a two-object cycle every fifth input and an
idle slot every 50 inputs at 740,000 inputs a second (the 10 s interval compressed 300 times): idle slots p99 0.85 ms,
p99.9 1.2, max 1.5; passes p50 young 0.26, middle 0.86, full 1.12 ms; memory level over 3.7 million inputs. At a
YOUNG_COUNT of 1,000 with a middle pass every fifth: passes p99 1.44 ms, max 1.97.
"""

import gc
from typing import Final, Literal

from bus.clock import perf_ns
from bus.latency import Histogram

YOUNG_COUNT: Final = 500  # net allocations worth a pass: 0.05 to 0.3 ms by the figures above
YOUNG_COUNT_MAX: Final = 5_000  # never idle: collect between two inputs rather than grow; about 0.8 ms
MIDDLE_AFTER_YOUNG: Final = 2  # young passes between middle ones: a middle one costs three young ones
FULL_AFTER_MIDDLE: Final = 4  # middle passes between full ones, at least
FULL_AFTER_MIDDLE_MAX: Final = 400  # never idle: a full pass between two inputs
FULL_INTERVAL_NS: Final = 10_000_000_000  # chosen: short enough that few survivors wait, too long to matter in sum
DEEP_INTERVAL_NS: Final = 3_600_000_000_000  # chosen: an hour of reconnects is some thousand objects
DEEP_OVERDUE_NS: Final = 24 * DEEP_INTERVAL_NS  # then any idle slot will do

Pass = Literal["young", "middle", "full", "deep"]
# What a pass is expected to take before the first one was seen; from the table above.
FIRST_EXPECTED_NS: Final[dict[Pass, int]] = {"young": 200_000, "middle": 500_000, "full": 2_000_000, "deep": 50_000_000}
_GENERATION: Final[dict[Pass, int]] = {"young": 0, "middle": 1, "full": 2, "deep": 2}


class Collector:
    """Owns the process's garbage collector between `warm_up_done` and `restore`. One a process, on the host's thread.

    `pauses` counts every collection of the process in ns, whoever started it; `pause_max_us` is exact.
    `forced` counts passes run between inputs because the host was never idle.
    """

    def __init__(self) -> None:
        self.pauses = Histogram()
        self.pause_max_us = 0.0
        self.passes: dict[Pass, int] = {"young": 0, "middle": 0, "full": 0, "deep": 0}
        self.forced = 0
        self._expected_ns: dict[Pass, int] = dict(FIRST_EXPECTED_NS)
        self._was_enabled = gc.isenabled()
        self._running = False
        self._started_ns = 0
        self._full_ns = 0
        self._deep_ns = 0

    def warm_up_done(self) -> None:
        """Collect everything, freeze the survivors, switch automatic collection off. Once; takes tens of ms."""
        assert not self._running
        self._was_enabled = gc.isenabled()
        self._running = True
        gc.disable()
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self._on_pass)  # after: the warm-up's own pass is no pause of the running engine
        self._full_ns = self._deep_ns = perf_ns()

    def idle(self, now_perf_ns: int, until_next_ns: int) -> Pass | None:
        """Run at most one pass, and say which. Call only when no input waits; `until_next_ns` is the time to the next timer.

        A pass that by its last pause would not be over by then is left for a longer slot, unless long overdue.
        """
        young, middle, full = gc.get_count()
        since_deep_ns = now_perf_ns - self._deep_ns
        expected_ns = self._expected_ns
        if since_deep_ns >= DEEP_INTERVAL_NS and (
            expected_ns["deep"] <= until_next_ns or since_deep_ns >= DEEP_OVERDUE_NS
        ):
            return self._run("deep", now_perf_ns)
        full_due = full >= FULL_AFTER_MIDDLE and now_perf_ns - self._full_ns >= FULL_INTERVAL_NS
        if full_due and (expected_ns["full"] <= until_next_ns or full >= FULL_AFTER_MIDDLE_MAX):
            return self._run("full", now_perf_ns)
        if young < YOUNG_COUNT:
            return None
        wanted: Pass = "middle" if middle >= MIDDLE_AFTER_YOUNG else "young"
        return self._run(wanted, now_perf_ns) if expected_ns[wanted] <= until_next_ns else None

    def between_inputs(self, now_perf_ns: int) -> Pass | None:
        """The bound for a host that never idles; cheap enough to call after each input. Says which pass it ran."""
        young, middle, full = gc.get_count()
        if young < YOUNG_COUNT_MAX:
            return None
        self.forced += 1
        if full >= FULL_AFTER_MIDDLE_MAX:
            return self._run("full", now_perf_ns)
        return self._run("middle" if middle >= MIDDLE_AFTER_YOUNG else "young", now_perf_ns)

    def deep(self, now_perf_ns: int) -> None:
        """Look at everything, frozen or not: tens of ms. For an owner that knows a quiet hour; else `idle` finds one."""
        self._run("deep", now_perf_ns)

    def restore(self) -> None:
        """Unfreeze, and automatic collection as it was before `warm_up_done`. What others had frozen is unfrozen too."""
        if not self._running:
            return
        self._running = False
        gc.callbacks.remove(self._on_pass)
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    def _run(self, wanted: Pass, now_perf_ns: int) -> Pass:
        started_ns = perf_ns()
        if wanted == "deep":
            gc.unfreeze()
            self._deep_ns = now_perf_ns
        gc.collect(_GENERATION[wanted])
        if wanted in ("full", "deep"):
            gc.freeze()
            self._full_ns = now_perf_ns
        self.passes[wanted] += 1
        self._expected_ns[wanted] = perf_ns() - started_ns
        return wanted

    def _on_pass(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._started_ns = perf_ns()
            return
        pause_ns = perf_ns() - self._started_ns
        self.pauses.record(pause_ns)
        self.pause_max_us = max(self.pause_max_us, pause_ns / 1_000)
