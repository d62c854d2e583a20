"""The crowd's time against the venue's: as fast, faster, or as fast as it can. Pure arithmetic.

Only the background runs faster. The venue's own clock, and with it event times, recvWindow and the cadence of the depth
streams, stays what it is: clients live in real time.
"""

import math

AS_FAST_AS_POSSIBLE = math.inf


class FlowClock:
    """`speed`: seconds of flow a second of the venue's clock. Flow time begins at `now_ns`, as the venue's.

    As fast as possible it is for the caller to `resume` after what was done: the clock then says where the flow is now.
    """

    def __init__(self, speed: float, now_ns: int) -> None:
        self.is_unbounded = speed == AS_FAST_AS_POSSIBLE
        self._speed = 1.0 if self.is_unbounded else speed
        self._venue_ns = self._flow_ns = now_ns

    def flow_ns(self, venue_ns: int) -> int:
        """Return up to what flow time the background should have come by `venue_ns`."""
        if self._speed == 1.0:
            return venue_ns - self._venue_ns + self._flow_ns
        return self._flow_ns + int((venue_ns - self._venue_ns) * self._speed)

    def venue_ns(self, flow_ns: int) -> int:
        """Return when, by the venue's clock, something at `flow_ns` is due."""
        if self._speed == 1.0:
            return flow_ns - self._flow_ns + self._venue_ns
        return self._venue_ns + math.ceil((flow_ns - self._flow_ns) / self._speed)

    def resume(self, venue_ns: int, flow_ns: int) -> None:
        """From now on `venue_ns` is `flow_ns`: what was not done while the flow stood still is not caught up with."""
        self._venue_ns, self._flow_ns = venue_ns, flow_ns
