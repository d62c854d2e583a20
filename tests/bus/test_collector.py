import gc
import weakref
from collections.abc import Iterator

import pytest

from bus import collector as module
from bus.collector import (
    DEEP_INTERVAL_NS,
    DEEP_OVERDUE_NS,
    FULL_INTERVAL_NS,
    YOUNG_COUNT,
    YOUNG_COUNT_MAX,
    Collector,
)

LONG_NS = 1_000_000_000


class Node:
    """Garbage that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    made.warm_up_done()
    yield made
    made.restore()


def start_ns(collector: Collector) -> int:
    return collector._deep_ns


def allocate(count: int) -> list[list[int]]:
    return [[i] for i in range(count)]


def test_nothing_runs_by_itself_after_warm_up(collector: Collector) -> None:
    kept = allocate(20_000)
    assert not gc.isenabled()
    assert gc.get_freeze_count() > 0
    assert (collector.pauses.count, len(kept)) == (0, 20_000)


def test_an_idle_host_with_little_new_collects_nothing(collector: Collector) -> None:
    assert collector.idle(start_ns(collector), LONG_NS) is None


def test_idle_frees_young_cycles_and_records_the_pause(collector: Collector) -> None:
    node = weakref.ref(Node())
    kept = allocate(YOUNG_COUNT)
    assert collector.idle(start_ns(collector), LONG_NS) == "young"
    assert (node(), len(kept)) == (None, YOUNG_COUNT)
    assert collector.pauses.count == 1
    assert 0 < collector.pause_max_us * 1_000 <= collector.pauses.max_ns


def test_a_slot_too_short_for_the_pass_is_left_alone(collector: Collector) -> None:
    kept = allocate(YOUNG_COUNT)
    assert collector.idle(start_ns(collector), 1_000) is None
    assert (collector.pauses.count, len(kept)) == (0, YOUNG_COUNT)


def test_a_host_that_never_idles_is_bounded_and_it_is_counted(collector: Collector) -> None:
    assert collector.between_inputs(0) is None
    kept = []
    for _ in range(20):
        kept.append(allocate(YOUNG_COUNT_MAX // 10))
        collector.between_inputs(0)
        assert gc.get_count()[0] < YOUNG_COUNT_MAX
    assert collector.forced == collector.passes["young"] >= 1


def test_full_passes_are_rare_and_freeze_what_survived(collector: Collector) -> None:
    now_ns = start_ns(collector)
    kept = []
    for _ in range(40):
        kept.append(allocate(YOUNG_COUNT))
        collector.idle(now_ns, LONG_NS)
    assert collector.passes["full"] == 0
    frozen = gc.get_freeze_count()
    assert collector.idle(now_ns + FULL_INTERVAL_NS, LONG_NS) == "full"
    assert gc.get_freeze_count() >= frozen + 30 * YOUNG_COUNT
    assert collector.passes["middle"] >= module.FULL_AFTER_MIDDLE


def test_a_frozen_object_that_dies_in_a_cycle_goes_with_the_deep_pass(collector: Collector) -> None:
    """Else every reconnect would leave its connection behind for ever."""
    node = Node()
    dead = weakref.ref(node)
    gc.freeze()
    del node
    gc.collect()
    assert dead() is not None
    now_ns = start_ns(collector) + DEEP_INTERVAL_NS
    assert collector.idle(now_ns, 1_000) is None
    assert collector.idle(now_ns, LONG_NS) == "deep"
    assert dead() is None


def test_an_overdue_deep_pass_takes_any_slot(collector: Collector) -> None:
    assert collector.idle(start_ns(collector) + DEEP_OVERDUE_NS, 1_000) == "deep"


def test_memory_stays_level_over_many_rounds_of_cyclic_garbage(collector: Collector) -> None:
    now_ns = start_ns(collector)
    nodes: list[weakref.ref[Node]] = []
    for _ in range(100):
        nodes = [node for node in nodes if node() is not None]
        assert len(nodes) <= YOUNG_COUNT_MAX
        nodes.extend(weakref.ref(Node()) for _ in range(600))
        now_ns += 1_000_000
        collector.idle(now_ns, LONG_NS)


def test_restore_puts_the_collector_back() -> None:
    enabled, callbacks = gc.isenabled(), list(gc.callbacks)
    collector = Collector()
    collector.warm_up_done()
    collector.restore()
    collector.restore()
    assert (gc.isenabled(), gc.callbacks, gc.get_freeze_count()) == (enabled, callbacks, 0)
