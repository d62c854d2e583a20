"""Many decimal texts as integers at once, in C: what `levels` and `sides` have in common. Pure. HOT PATH.

Texts joined to one JSON array `[2683.8e8,3.02e8,0e8]` are read by msgspec to integers. Exact: a text of at most n decimals
times 10^n is an integer, a decimal literal is read to the nearest double, and an integer below 2^53 is a double itself;
values of 2^53 and more are refused. Sound: one decimal too many is looked for (a double could round it away), and JSON
refuses a missing digit, a second dot, a leading zero and a quote. Signs, exponents and commas are the callers' to exclude.
"""

import re
from typing import Annotated

import msgspec

DIGITS = b"0123456789."
SCALE_MAX = 18  # 10^18 is what 64 bits hold

_Unit = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
read_array = msgspec.json.Decoder(tuple[_Unit, ...], strict=False).decode


class Scale:
    """What one scale needs. between: joins two texts; finer: finds a decimal too many."""

    __slots__ = ("between", "between_texts", "end", "finer")

    def __init__(self, decimals: int) -> None:
        self.between, self.between_texts, self.end = b"e%d," % decimals, f"e{decimals},", b"e%d]" % decimals
        self.finer = re.compile(rb"\.[0-9]{%d}" % (decimals + 1)).search


SCALES = {decimals: Scale(decimals) for decimals in range(SCALE_MAX + 1)}


def read_joined(joined: bytes, scale: Scale) -> tuple[int, ...] | None:
    """Return the integers of texts that `scale.between` joins; None: not exactly as expected."""
    if scale.finer(joined):
        return None
    try:
        return read_array(b"[" + joined + scale.end)
    except ValueError:
        return None
