"""How many in a window: an exact sliding count, O(1), integers only. Pure."""

LONG_AGO = -(1 << 62)


class Window:
    """Holds the times of the last `limit` events. There is room when the oldest of them has left the window.

    limit 0: nothing is counted, and whoever made it does not ask.

    Exact for every position of the window, where a token bucket would let nearly twice the limit pass in one.
    """

    def __init__(self, limit: int, window_ns: int) -> None:
        self.limit = limit
        self.window_ns = window_ns
        self.times = [LONG_AGO] * limit
        self.place = 0

    def has_room(self, now_ns: int) -> bool:
        return now_ns - self.times[self.place] >= self.window_ns

    def count(self, now_ns: int) -> None:
        """One more, also when there is no room: then the next one waits longer."""
        self.times[self.place] = now_ns
        self.place = (self.place + 1) % self.limit

    def bound(self, now_ns: int) -> None:
        """Nothing counted lies in the future: an earlier run's clock may have been ahead, and would close the window."""
        self.times = [min(time, now_ns) for time in self.times]

    def saved(self) -> list[int]:
        """Oldest first."""
        return self.times[self.place :] + self.times[: self.place]

    def restore(self, times: list[int]) -> None:
        """Take the newest that fit: the limit may have been configured anew."""
        kept = times[-self.limit :] if self.limit else []
        self.times = [LONG_AGO] * (self.limit - len(kept)) + kept
        self.place = 0
