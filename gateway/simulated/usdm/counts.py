"""An account's orders on the futures face: a batch counts five in ten seconds and one in a minute. Pure."""

from ..limits import OrderCounts

BATCH = (5, 1)  # docs, "Place Multiple Orders": "5 on 10s order rate limit; 1 on 1min order rate limit"


class PerpetualCounts(OrderCounts):
    def add_batch(self, now_ms: int) -> None:
        """Count one batch, however many orders are in it."""
        for window, weight in zip(self._windows, BATCH, strict=True):
            window.at(now_ms)
            window.count += weight
