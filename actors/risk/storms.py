"""Too many of one thing in a window, instrument by instrument: the venue's refusals, fills, the same request refused. Pure.

Counting starts with the fact itself, at recovery too: a storm that ended in a crash is still one. But fills that a start only
learns of, of what was left behind, are told all at once and are none.
"""

from actors.risk.holds import Hold
from actors.risk.limits import RiskLimits
from actors.risk.people import alert
from actors.risk.repeats import Fingerprint, Repeats, Row
from actors.risk.switch import Switch
from actors.risk.window import Window
from bus.actor import NOTHING
from bus.messages import AlertLevel, Message, OrderCommand, OrderUpdate

Times = list[tuple[int, list[int]]]
"""(instrument, times counted)"""


class Storms:
    def __init__(self, switch: Switch, repeats_max: int) -> None:
        self.switch = switch
        self.repeats = Repeats(repeats_max)
        self.rejects: dict[int, Window] = {}
        self.fills: dict[int, Window] = {}

    def configure(self, instrument: int, limits: RiskLimits) -> None:
        """Counting begins anew."""
        self.rejects[instrument] = Window(limits.rejects_max, limits.rejects_window_ns)
        self.fills[instrument] = Window(limits.fills_max, limits.fills_window_ns)

    def on_rejected(self, update: OrderUpdate, hold: Hold | None, now_ns: int) -> tuple[Message, ...]:
        """By the venue. hold: None for an order that nothing was held for."""
        instrument = update.instrument
        changes: tuple[Message, ...] = ()
        row = self.repeats.refused(of_hold(instrument, hold), update.code, now_ns) if hold is not None else None
        if row is not None:
            wait_ms = (row.until_ns - now_ns) // 1_000_000
            text = f"owner={update.owner} code={row.code} refusals={row.count} wait_ms={wait_ms}"
            changes = (alert(AlertLevel.WARNING, "request_repeated", text, instrument),)
        rejects = self.rejects[instrument]
        rejects.count(now_ns)
        if rejects.has_room(now_ns):
            return changes
        return (*changes, *self.switch.on_rejects(instrument, rejects.limit))

    def on_fill(self, instrument: int, now_ns: int) -> tuple[Message, ...]:
        fills = self.fills[instrument]
        if not fills.limit:
            return NOTHING
        fills.count(now_ns)
        return NOTHING if fills.has_room(now_ns) else self.switch.on_fills(instrument, fills.limit)

    def bound(self, now_ns: int) -> None:
        """A new run, whose clock may be behind an earlier one's."""
        for window in (*self.rejects.values(), *self.fills.values()):
            window.bound(now_ns)
        self.repeats.bound(now_ns)

    def saved(self) -> tuple[Times, Times, list[Row]]:
        """(rejects, fills, repeats)"""
        rejects = [(number, window.saved()) for number, window in self.rejects.items()]
        return rejects, [(number, window.saved()) for number, window in self.fills.items()], self.repeats.saved()

    def restore(self, rejects: Times, fills: Times, repeats: list[Row]) -> None:
        for number, times in rejects:
            self.rejects[number].restore(times)
        for number, times in fills:
            self.fills[number].restore(times)
        self.repeats.restore(repeats)


def of_command(command: OrderCommand) -> Fingerprint:
    return (
        command.instrument,
        command.owner,
        int(command.side),
        command.price_ticks,
        command.quantity_lots,
        command.post_only,
        command.reduce_only,
    )


def of_hold(instrument: int, hold: Hold) -> Fingerprint:
    """Its command's. Ticks and lots are the same: a new version of the instrument forgets all its fingerprints."""
    return (instrument, hold.owner, hold.side, hold.price_ticks, hold.quantity, hold.post_only, hold.reduce_only)
