"""Venues' decimal texts as exact integers, shared by all venue folders. Pure.

Reading order: decimals (one text, any scale), levels (a book side's texts at once, in C), figures
(one frame's texts in one instrument's scales), stamps (RFC 3339).
"""

from gateway.text.decimals import BadDecimal, TooFine, decimal_text, decimals_of, units
from gateway.text.errors import SymbolError
from gateway.text.figures import Figures
from gateway.text.levels import FAST_SCALE, read_levels
from gateway.text.stamps import BadStamp, stamp_ns

__all__ = [
    "FAST_SCALE",
    "BadDecimal",
    "BadStamp",
    "Figures",
    "SymbolError",
    "TooFine",
    "decimal_text",
    "decimals_of",
    "read_levels",
    "stamp_ns",
    "units",
]
