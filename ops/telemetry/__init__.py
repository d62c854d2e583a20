"""What a running engine shows of itself to another process: typed frames over STATE/telemetry.ipc, built only on demand.

`frame` is what goes over the wire, `reader` takes it from the engine between cascades, `publisher` decides when.
"""

from ops.telemetry.frame import (
    FORMAT,
    HZ_MAX,
    LADDER_LEVELS,
    TELEMETRY_MAILBOX,
    WISH_INTERVAL_S,
    About,
    Board,
    BoardRow,
    Facts,
    FormatDiffers,
    Frame,
    Health,
    Ladder,
    Latency,
    Listing,
    Log,
    LogLine,
    OwnOrder,
    Print,
    Section,
    Tape,
    Trading,
    Wish,
    decode_frame,
    encode_frame,
)
from ops.telemetry.publisher import Telemetry
from ops.telemetry.reader import Reader

__all__ = [
    "FORMAT",
    "HZ_MAX",
    "LADDER_LEVELS",
    "TELEMETRY_MAILBOX",
    "WISH_INTERVAL_S",
    "About",
    "Board",
    "BoardRow",
    "Facts",
    "FormatDiffers",
    "Frame",
    "Health",
    "Ladder",
    "Latency",
    "Listing",
    "Log",
    "LogLine",
    "OwnOrder",
    "Print",
    "Reader",
    "Section",
    "Tape",
    "Telemetry",
    "Trading",
    "Wish",
    "decode_frame",
    "encode_frame",
]
