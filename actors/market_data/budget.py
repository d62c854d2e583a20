"""Request weight for REST snapshots: a token bucket for each venue, and the queue of those who wait for it. Pure.

Cancels and queries use the same weight. What snapshots may use of it is ops' to say (`FeedConnection.weight_a_minute`).
"""

import msgspec

MINUTE_NS = 60_000_000_000
BURST_NS = (
    12_000_000_000  # chosen: the bucket holds 1/6 of a minute's weight and refills with the other 5/6 in a minute,
)
REFILL_NS = MINUTE_NS * 6 // 5  # so that no 60 s ever see more than the minute's weight, however they are cut


class Budget(msgspec.Struct):
    """One venue's. weight: of one snapshot. a_minute: all snapshots together, 0: no limit. Also its own checkpoint.

    free_ns: when the bucket would be full again. waiting: instruments, in the order in which they came.
    timer: its generation; timer_set: one is running.
    """

    venue: int
    weight: int
    a_minute: int
    free_ns: int = -(1 << 62)
    waiting: list[int] = []
    timer: int = 0
    timer_set: bool = False
    spent: int = 0

    def take(self, now_ns: int) -> bool:
        """Use the weight of one snapshot, if it is there."""
        if self.a_minute and self.ready_ns() > now_ns:
            return False
        self.spent += self.weight
        self.free_ns = max(self.free_ns, now_ns) + self._cost_ns
        return True

    def ready_ns(self) -> int:
        """When there is weight for one snapshot. One that weighs more than the bucket holds needs it full."""
        return self.free_ns + min(self._cost_ns - BURST_NS, 0)

    def resume(self, before: "Budget") -> None:
        """Go on as another run left off, with what ops allows today."""
        self.free_ns, self.waiting, self.spent = before.free_ns, before.waiting, before.spent
        self.timer, self.timer_set = before.timer, before.timer_set

    @property
    def _cost_ns(self) -> int:
        return self.weight * REFILL_NS // self.a_minute if self.a_minute else 0
