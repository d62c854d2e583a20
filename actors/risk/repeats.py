"""The same request, refused for the same reason: it is not sent again and again. Pure.

A request's fingerprint is all that the venue sees of it beside its id. When the venue has refused one `times` times for
one reason, it is closed for PAUSE_NS; refused again after that, for twice as long, up to PAUSE_NS_MAX. Another price, size,
side or kind is another fingerprint, and an acceptance forgets it. Krypto#987: 300,000 orders without funds in five hours.

Only the venue's word counts. What risk or our door refuses costs the venue nothing and is about the moment (a state, a
band, a connection), not about the request; execution pauses after it by itself.
"""

import msgspec

Fingerprint = tuple[int, str, int, int, int, bool, bool]
"""(instrument, owner, side, price_ticks, quantity_lots, post_only, reduce_only)"""

PAUSE_NS = 1_000_000_000  # chosen: ten times execution's own first pause
PAUSE_NS_MAX = 60_000_000_000  # chosen: a balance that a person mends is found within a minute
FORGET_NS = 120_000_000_000  # chosen: twice the longest pause; what was refused before that was another market
ROWS_MAX = 256  # chosen: what is refused often comes again soon; the longest untouched goes first


class Row(msgspec.Struct):
    """code: the venue's. count: refusals in a row for it, the last at last_ns. until_ns: not sent before."""

    fingerprint: Fingerprint
    code: int
    count: int
    until_ns: int = 0
    last_ns: int = 0


class Repeats:
    """times: refusals that close; 0: never. `closed` is what the hot path looks at: empty almost always."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.rows: dict[Fingerprint, Row] = {}
        self.closed: dict[Fingerprint, Row] = {}

    def holds(self, fingerprint: Fingerprint, now_ns: int) -> bool:
        """Whether the request must wait. Looked up only while `closed` is not empty."""
        row = self.closed.get(fingerprint)
        if row is None:
            return False
        if now_ns < row.until_ns:
            return True
        del self.closed[fingerprint]
        return False

    def refused(self, fingerprint: Fingerprint, code: int, now_ns: int) -> Row | None:
        """Count one refusal of the venue. The row, if the request is closed by it."""
        if not self.times:
            return None
        row = self.rows.pop(fingerprint, None)
        if row is None or row.code != code or now_ns - row.last_ns > FORGET_NS:
            row = Row(fingerprint, code, 0)
            self.closed.pop(fingerprint, None)
        row.last_ns = now_ns
        self.rows[fingerprint] = row  # the newest last
        row.count += 1
        if len(self.rows) > ROWS_MAX:
            oldest = next(iter(self.rows))
            del self.rows[oldest]
            self.closed.pop(oldest, None)
        if row.count < self.times:
            return None
        row.until_ns = now_ns + min(PAUSE_NS << min(row.count - self.times, 16), PAUSE_NS_MAX)
        self.closed[fingerprint] = row
        return row

    def accepted(self, fingerprint: Fingerprint) -> None:
        self.rows.pop(fingerprint, None)
        self.closed.pop(fingerprint, None)

    def forget(self, instrument: int) -> None:
        """Its ticks and lots mean something else now."""
        for fingerprint in [key for key in self.rows if key[0] == instrument]:
            self.accepted(fingerprint)

    def bound(self, now_ns: int) -> None:
        """A clock that was ahead closes nothing for longer than a pause."""
        for row in self.rows.values():
            row.until_ns, row.last_ns = min(row.until_ns, now_ns + PAUSE_NS_MAX), min(row.last_ns, now_ns)

    def saved(self) -> list[Row]:
        return list(self.rows.values())

    def restore(self, rows: list[Row]) -> None:
        self.rows = {row.fingerprint: row for row in rows[-ROWS_MAX:]}
        self.closed = {key: row for key, row in self.rows.items() if row.until_ns}

    def view(self) -> list[tuple[Fingerprint, int, int, int]]:
        """(fingerprint, code, refusals, not before) of what is closed, for people."""
        return [(row.fingerprint, row.code, row.count, row.until_ns) for row in self.closed.values()]
