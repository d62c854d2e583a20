"""Venues' decimal texts as exact integers, shared by all venue folders. Pure.

Reading order: decimals (one text, any scale), arrays (many texts at once, in C), levels (a book side's, as bytes of a
frame), sides (the same, as texts), figures (one frame's in one instrument's scales), stamps (RFC 3339, and counts of units),
excerpt (of a frame, for people).
"""

from gateway.text.decimals import BadDecimal, TooFine, decimal_text, decimals_of, units
from gateway.text.errors import NotListed, NotTrading, SymbolError, look_again
from gateway.text.excerpt import DETAIL_MAX, excerpt
from gateway.text.figures import Figures
from gateway.text.levels import FAST_SCALE, read_levels
from gateway.text.sides import best_first, fast_units, finer_scales, read_exactly, read_side
from gateway.text.stamps import BadStamp, count_ns, stamp_ns

__all__ = [
    "DETAIL_MAX",
    "FAST_SCALE",
    "BadDecimal",
    "BadStamp",
    "Figures",
    "NotListed",
    "NotTrading",
    "SymbolError",
    "TooFine",
    "best_first",
    "count_ns",
    "decimal_text",
    "decimals_of",
    "excerpt",
    "fast_units",
    "finer_scales",
    "look_again",
    "read_exactly",
    "read_levels",
    "read_side",
    "stamp_ns",
    "units",
]
