"""The feed edge: how market inputs are taken, one by one while the host keeps up, several at once when it is behind.

Nothing is dropped here. A FrameBatch is one input with its own offset, so that a replay meets the same boundary; market
data applies every delta in it and shows the last view of each instrument. Execution reports, control and timers go
between two batches, as between two frames.
"""

from collections import deque

from bus.latency import Histogram
from bus.messages import Frame, FrameBatch, Message

BEHIND_NS = 2_000_000
"""A frame that waited longer is taken together with those behind it: some fifteen ticks' work; chosen."""
BATCH_MAX = 32
"""Frames of one batch: an execution report waits for at most one (about 1 ms of decoding and books); chosen."""
BATCH_BYTES = 262_144
"""Payload of one batch, or a single frame. Chosen: a hundred times a usual diff; of snapshots (Coinbase: 5 MB, 22 ms each) none
waits for another, and of prints (100 bytes and four receivers each) half a cascade's messages fit."""


class Edge:
    """Ages of frames when they were taken, and what was taken together. worst_ns: since it was last set to 0.

    together: False where nobody takes a FrameBatch (a reduced host): then frames are taken one by one, always.
    """

    def __init__(self, together: bool) -> None:
        self._together = together
        self.ages = Histogram()
        self.worst_ns = 0
        self.batches = 0
        self.batched = 0

    def take(self, queue: deque[Message], now_ns: int) -> tuple[Message, int]:
        """The next market input, and how many messages it was; `queue` is not empty. HOT PATH."""
        message = queue.popleft()
        if type(message) is not Frame:
            return message, 1
        age_ns = now_ns - message.received_ns
        if age_ns < BEHIND_NS or not queue or not self._together:
            self._count(age_ns)
            return message, 1
        frames = [message]
        size = len(message.payload)
        while queue and type(following := queue[0]) is Frame and len(frames) < BATCH_MAX:
            size += len(following.payload)
            if size > BATCH_BYTES:
                break
            frames.append(following)
            queue.popleft()
        for frame in frames:
            self._count(now_ns - frame.received_ns)
        if len(frames) == 1:
            return message, 1
        self.batches += 1
        self.batched += len(frames)
        return FrameBatch(tuple(frames)), len(frames)

    def _count(self, age_ns: int) -> None:
        if age_ns < 0:
            age_ns = 0  # a recorded time
        exponent = age_ns.bit_length() - 5  # Histogram.record, inlined
        self.ages.counts[(exponent << 4) + (age_ns >> exponent) if exponent > 0 else age_ns] += 1
        if age_ns > self.worst_ns:
            self.worst_ns = age_ns
