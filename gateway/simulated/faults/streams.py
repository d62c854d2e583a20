"""How the venue's market streams misbehave on demand: frames that are lost, and streams that fall silent. Pure.

A stream is named as clients do without its speed: `depth`, `bookTicker`, `trade`, `aggTrade`; `all` is every one.
"""

from ..core.errors import BadRequest

STREAMS = ("depth", "bookTicker", "trade", "aggTrade")
ALL = "all"
FRAMES_MAX = 100_000  # of one order to drop; chosen
STALL_S_MAX = 3_600.0  # chosen

Key = tuple[str, str]
"""Symbol in lower case and stream; "all" for the symbol is every one."""


class StreamFaults:
    """What is lost at present. dropped, stalled: frames lost so far to either."""

    def __init__(self) -> None:
        self.dropped = 0
        self.stalled = 0
        self._drops: dict[Key, int] = {}
        self._stalls: dict[Key, int] = {}

    def drop(self, symbol: str, stream: str, frames: int) -> None:
        """Lose the next `frames` frames of the stream, each topic's frame counting as one."""
        for key in _keys(symbol, stream):
            self._drops[key] = frames

    def stall(self, symbol: str, stream: str) -> list[Key]:
        """Lose every frame until each of the returned keys is lifted; stalls of one stream add up."""
        keys = _keys(symbol, stream)
        for key in keys:
            self._stalls[key] = self._stalls.get(key, 0) + 1
        return keys

    def lift(self, keys: list[Key]) -> None:
        for key in keys:
            self._stalls[key] -= 1
            if not self._stalls[key]:
                del self._stalls[key]

    def loses(self, topic: str) -> bool:
        """Whether this frame, which somebody listens for, is lost. Counts it."""
        if not self._drops and not self._stalls:
            return False
        symbol, _, channel = topic.partition("@")
        stream = channel.partition("@")[0]
        if (symbol, stream) in self._stalls or (ALL, stream) in self._stalls:
            self.stalled += 1
            return True
        for key in ((symbol, stream), (ALL, stream)):
            left = self._drops.get(key, 0)
            if left:
                self._drops[key] = left - 1
                if left == 1:
                    del self._drops[key]
                self.dropped += 1
                return True
        return False


def _keys(symbol: str, stream: str) -> list[Key]:
    if stream != ALL and stream not in STREAMS:
        raise BadRequest(-1130, f"Data sent for parameter 'stream' is not valid; one of {', '.join((*STREAMS, ALL))}.")
    return [(symbol.lower(), name) for name in (STREAMS if stream == ALL else (stream,))]
