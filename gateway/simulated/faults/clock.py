"""The venue's one clock, and the one place to set it wrong."""

from collections.abc import Callable


class VenueClock:
    """Shows `base` and `offset_ns` more; nanoseconds since the epoch."""

    __slots__ = ("base", "offset_ns")

    def __init__(self, base: Callable[[], int], offset_ns: int = 0) -> None:
        self.base = base
        self.offset_ns = offset_ns

    def __call__(self) -> int:
        return self.base() + self.offset_ns
