"""JSON of the venue's answers and events, and its times."""

from collections.abc import Mapping, Sequence

import msgspec

NS_PER_MS = 1_000_000

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]
Payload = dict[str, Json]
Levels = Sequence[tuple[int, int]]
"""(price, quantity) in units of 10^-8, best first."""


def encode(payload: Json) -> bytes:
    return msgspec.json.encode(payload)
