"""The fault log: every hit, bounded and numbered as the venue's other logs are. Pure."""

import msgspec

from ..core.bounded_log import BoundedLog

ROWS_MAX = 20_000  # chosen: about 8 MB


class FaultRow(msgspec.Struct, frozen=True, gc=False):
    """One hit. `time_ns`: the venue's clock; `about`: the operation or topic; `done`: what was done."""

    number: int
    time_ns: int
    fault: str
    kind: str
    face: str
    about: str
    symbol: str
    client_order_id: str
    done: str


class FaultLog:
    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self.rows: BoundedLog[FaultRow] = BoundedLog(rows_max)

    def note(
        self,
        time_ns: int,
        fault: str,
        kind: str,
        done: str,
        face: str = "",
        about: str = "",
        symbol: str = "",
        client_order_id: str = "",
    ) -> None:
        number = self.rows.next_number
        self.rows.append(FaultRow(number, time_ns, fault, kind, face, about, symbol, client_order_id, done))
