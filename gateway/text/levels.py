"""A book side's texts as integers of 10^-8, all at once and in C. Pure. HOT PATH.

The rows `["2683.8","3.02"],["2679","0"]` become one JSON array `[2683.8e8,3.02e8,2679e8,0e8]`, which msgspec reads to
integers. Exact: a text of at most eight decimals times 10^8 is an integer, a decimal literal is read to the nearest
double, and an integer below 2^53 is a double itself; values of 2^51 and more are refused. Sound: without digits and
dots the rows must be exactly rows of empty texts; a digit outside its quotes leaves a blank between two numbers, which
JSON refuses, as it does a second dot, a missing digit, or a leading zero; a ninth decimal is looked for. Whatever is
not exactly so gives None, and the caller's slow route reads it, decides, and names what is wrong.
"""

import re
from typing import Annotated

import msgspec

FAST_SCALE = 8
ROWS_MAX = 10_000  # of one call; more: the slow route

_Unit = Annotated[int, msgspec.Meta(ge=0, lt=1 << 51)]
_read = msgspec.json.Decoder(tuple[_Unit, ...], strict=False).decode
_BLANKS = bytes(0x20 if byte == 0x22 else byte for byte in range(256))
_ninth_decimal = re.compile(rb"\.[0-9]{9}").search
_ROWS = {width: (b"[" + b",".join([b'""'] * width) + b"],") * ROWS_MAX for width in (2, 3, 4)}


def read_levels(rows: bytes, width: int) -> tuple[int, ...] | None:
    """Return every text of `rows` (what stands inside the outer brackets), row after row; None: not exactly as expected."""
    if not rows:
        return ()
    shape = rows.translate(None, b"0123456789.")
    row = 3 * width + 2
    if (len(shape) + 1) % row or not _ROWS[width].startswith(shape):
        return None
    flat = rows.translate(_BLANKS, b"[]")
    if _ninth_decimal(flat) or flat[:1] != b" " or flat[-1:] != b" ":
        return None
    try:
        return _read(b"[" + flat[1:-1].replace(b" , ", b"e8,") + b"e8]")
    except ValueError:
        return None
