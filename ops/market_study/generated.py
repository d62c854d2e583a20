"""The generated market as a capture would have it: the frames of its streams, decoded, with their time."""

from collections.abc import Iterator

import msgspec

from gateway.simulated.core.decimals import decimal_text
from gateway.simulated.crowd.parameters import AS_CAPTURED
from gateway.simulated.crowd.profiles import profile
from gateway.simulated.payload import Levels
from gateway.simulated.recorded.capture import RecordedSnapshot, Timed, read_frame
from gateway.simulated.virtual import VirtualMarket

CHUNK_S = 1.0
SNAPSHOT_LEVELS = 1_000  # as the captured snapshot
WARM_UP_S = 20.0
"""The book is filled at random; the crowd has made it its own by then. Measured: occupied prices near the touch settle in about 10 s."""


def generated(symbol: str, seed: int, seconds: float) -> Iterator[Timed]:
    """Yield what a subscriber of `symbol` sees in so many seconds of a calm market as busy as the capture."""
    found = profile(symbol)
    assert found is not None, symbol
    world = VirtualMarket([msgspec.structs.replace(found, flow=AS_CAPTURED)], seed)
    world.run(WARM_UP_S)
    heard: list[tuple[int, bytes]] = []
    update_id, bids, asks = world.market.depth(symbol, SNAPSHOT_LEVELS)
    yield Timed(world.now_ns, RecordedSnapshot(update_id, _texts(bids), _texts(asks), symbol))
    name = symbol.lower()
    topics = [f"{name}@{channel}" for channel in ("depth@100ms", "bookTicker", "trade")]
    world.listen(topics, lambda payload: heard.append((world.now_ns, payload)), is_combined=False)
    for _ in range(int(seconds / CHUNK_S)):
        world.run(CHUNK_S)
        for at_ns, payload in heard:
            event = read_frame(payload.decode())
            assert event is not None, payload
            yield Timed(at_ns, event)
        heard.clear()


def _texts(levels: Levels) -> list[tuple[str, str]]:
    return [(decimal_text(price), decimal_text(quantity)) for price, quantity in levels]
