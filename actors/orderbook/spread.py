"""Spread over time: now, and the lowest, highest and time-weighted mean of the last minute.

Time is cut into buckets: memory is bounded, and the window moves in steps of one bucket.
"""

import msgspec

BUCKET_NS = 1_000_000_000
BUCKETS = 60
WINDOW_NS = BUCKETS * BUCKET_NS
NO_SPREAD = -1
"""The book is not LIVE or a side is empty; that time counts for nothing."""


class Bucket(msgspec.Struct):
    """weighted: price units times nanoseconds, a float because a wide spread's would pass 64 bits; duration_ns: how
    long of the bucket a spread was known."""

    start_ns: int = -1
    low: int = 0
    high: int = 0
    weighted: float = 0.0
    duration_ns: int = 0


class SpreadWindow(msgspec.Struct):
    """Fed at each update of a book; does nothing while the spread stays, but once a bucket. Own checkpoint."""

    current: int = NO_SPREAD
    since_ns: int = 0
    settle_ns: int = 0
    buckets: list[Bucket] = []

    def observe(self, now_ns: int, spread: int) -> None:
        if spread == self.current and now_ns < self.settle_ns:
            return
        self._settle(now_ns)
        self.current = spread
        self.settle_ns = now_ns - now_ns % BUCKET_NS + BUCKET_NS

    def summary(self) -> dict[str, float]:
        """As of the last settling, at most a bucket ago; empty when no spread was known in the window."""
        oldest = self.since_ns - WINDOW_NS
        known = [bucket for bucket in self.buckets if bucket.start_ns > oldest and bucket.duration_ns]
        if not known:
            return {}
        duration_ns = sum(bucket.duration_ns for bucket in known)
        return {
            "now": self.current,
            "min": min(bucket.low for bucket in known),
            "max": max(bucket.high for bucket in known),
            "mean": sum(bucket.weighted for bucket in known) / duration_ns,
        }

    def _settle(self, now_ns: int) -> None:
        """Book the time since the last settling under the current spread."""
        at = max(self.since_ns, now_ns - WINDOW_NS)
        self.since_ns = now_ns
        if self.current == NO_SPREAD:
            return
        while at < now_ns:
            bucket = self._bucket(at)
            end = min(now_ns, bucket.start_ns + BUCKET_NS)
            bucket.low = min(bucket.low, self.current) if bucket.duration_ns else self.current
            bucket.high = max(bucket.high, self.current) if bucket.duration_ns else self.current
            bucket.weighted += self.current * (end - at)
            bucket.duration_ns += end - at
            at = end

    def _bucket(self, at: int) -> Bucket:
        if not self.buckets:
            self.buckets = [Bucket() for _ in range(BUCKETS)]
        slot, start_ns = at // BUCKET_NS % BUCKETS, at - at % BUCKET_NS
        if self.buckets[slot].start_ns != start_ns:
            self.buckets[slot] = Bucket(start_ns)
        return self.buckets[slot]
