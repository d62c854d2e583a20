"""Alerts at a bounded rate: a venue that sends garbage a thousand times a second must not do so to the log."""

import msgspec

from bus.messages import Alert, AlertLevel

ALERT_INTERVAL_NS = 10_000_000_000  # chosen: one line of a kind in 10 s; what lies between is counted in the next


class AlertLine(msgspec.Struct):
    """One event name at one level: when it may be said again, and how often it was not said. connection: see `alert`."""

    event: str
    level: AlertLevel
    next_ns: int
    suppressed: int
    connection: int = -1


class AlertGate(msgspec.Struct):
    """One Alert per event name, level and connection in ALERT_INTERVAL_NS. Own checkpoint.

    Event names are ours and connections are numbered by the configuration, so the list stays short.
    """

    actor: str
    lines: list[AlertLine] = []

    def alert(
        self, now_ns: int, level: AlertLevel, event: str, instrument: int = -1, detail: str = "", connection: int = -1
    ) -> tuple[Alert, ...]:
        """The alert, or () when one of that name and level was sent less than ALERT_INTERVAL_NS ago.

        connection: of a word that is about one and must not hush the same word about another.
        """
        line = self._line(event, level, connection, now_ns)
        if now_ns < line.next_ns:
            line.suppressed += 1
            return ()
        line.next_ns = now_ns + ALERT_INTERVAL_NS
        if line.suppressed:
            detail = f"{detail} suppressed={line.suppressed}".strip()
            line.suppressed = 0
        return (Alert(level, self.actor, event, instrument, detail),)

    def _line(self, event: str, level: AlertLevel, connection: int, now_ns: int) -> AlertLine:
        for line in self.lines:
            if line.event == event and line.level == level and line.connection == connection:
                return line
        line = AlertLine(event, level, now_ns, 0, connection)
        self.lines.append(line)
        return line
