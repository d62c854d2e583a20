"""Things that go out in order, one lane a stream or account: some late, some swapped with the next, most at once. Pure."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .active import Stage

SWAPPED = "changed places with a neighbour"
WAITING_MAX = 10_000  # of one lane; chosen: at more the first goes out before its time

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class _Lane(Generic[Item]):
    __slots__ = ("held", "waiting")

    def __init__(self) -> None:
        self.held: tuple[Item, int] | None = None
        self.waiting: deque[tuple[int, Item, int]] = deque()  # due_ns, item, copies


class Lanes(Generic[Key, Item]):
    """`send` is where things go when it is their time; `on_idle` is told when nothing waits any more."""

    def __init__(self, stage: Stage, send: Callable[[Key, Item], None], on_idle: Callable[[], None]) -> None:
        self._stage = stage
        self._send = send
        self._on_idle = on_idle
        self._lanes: dict[Key, _Lane[Item]] = {}

    @property
    def are_busy(self) -> bool:
        return bool(self._lanes)

    def pass_on(self, key: Key, item: Item, copies: int = 1, delay_ns: int = 0, *, swaps: bool = False) -> None:
        """Send `copies` of it behind whatever waits, `delay_ns` from now at the soonest; if it `swaps`, after the next one."""
        lane = self._lanes.get(key)
        if lane is None:
            if not delay_ns and not swaps:
                self._send_all(key, item, copies)
                return
            lane = self._lanes[key] = _Lane()
        if swaps and lane.held is None:
            lane.held = item, copies
            return
        held, lane.held = lane.held, None
        self._queue(key, lane, item, copies, delay_ns)
        if held is not None:
            self._queue(key, lane, *held, 0)
        self._settle(key, lane)

    def _queue(self, key: Key, lane: _Lane[Item], item: Item, copies: int, delay_ns: int) -> None:
        now_ns = self._stage.clock.base()
        if not lane.waiting and not delay_ns:
            self._send_all(key, item, copies)
            return
        due_ns = max(now_ns + delay_ns, lane.waiting[-1][0] if lane.waiting else 0)
        lane.waiting.append((due_ns, item, copies))
        if len(lane.waiting) == 1:
            self._stage.call_later(due_ns - now_ns, lambda: self._drain(key, lane))
        elif len(lane.waiting) > WAITING_MAX:
            self._send_all(key, *lane.waiting.popleft()[1:])

    def release(self) -> None:
        """Send at once all that waits, each lane in its order."""
        lanes, self._lanes = self._lanes, {}
        for key, lane in lanes.items():
            for _, item, copies in lane.waiting:
                self._send_all(key, item, copies)
            if lane.held is not None:
                self._send_all(key, *lane.held)
        self._on_idle()

    def _drain(self, key: Key, lane: _Lane[Item]) -> None:
        if self._lanes.get(key) is not lane:
            return  # all of it was released
        now_ns = self._stage.clock.base()
        while lane.waiting and lane.waiting[0][0] <= now_ns:
            self._send_all(key, *lane.waiting.popleft()[1:])
        if lane.waiting:
            self._stage.call_later(lane.waiting[0][0] - now_ns, lambda: self._drain(key, lane))
        self._settle(key, lane)

    def _settle(self, key: Key, lane: _Lane[Item]) -> None:
        if not lane.waiting and lane.held is None:
            self._lanes.pop(key, None)
            if not self._lanes:
                self._on_idle()

    def _send_all(self, key: Key, item: Item, copies: int) -> None:
        for _ in range(copies):
            self._send(key, item)
