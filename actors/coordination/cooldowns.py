"""Pauses of one instrument, for every instance of the group. Pure. Held here at once, then where the others see it.

A cooldown ends at its time and never sooner: not with the lease of who asked for it, not with his process. An earlier
end never replaces a later one.
"""

import msgspec

from actors.coordination.desk import COOLDOWN_TIMER, PUBLISH_TIMER, Desk
from bus.messages import (
    CooldownHeld,
    CooldownObserved,
    CooldownPublished,
    CooldownRequested,
    Message,
    Outcome,
    PublishCooldown,
)


class Row(msgspec.Struct):
    """One instrument's. until_ns: engine time. published: the group has it. asked: the request under way, 0 none."""

    instrument: int
    until_ns: int
    reason: str
    published: bool
    asked: int = 0


class Cooldowns:
    """At most one row an instrument."""

    __slots__ = ("desk", "rows")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.rows: dict[int, Row] = {}

    def on_requested(self, wanted: CooldownRequested, now_ns: int, out: list[Message]) -> None:
        if self.hold(wanted.instrument, wanted.until_ns, wanted.reason, False, now_ns, out):
            self.publish(self.rows[wanted.instrument], now_ns, out)

    def on_observed(self, seen: CooldownObserved, now_ns: int, out: list[Message]) -> None:
        self.hold(seen.instrument, seen.until_ns, seen.reason, True, now_ns, out)

    def hold(
        self, instrument: int, until_ns: int, reason: str, published: bool, now_ns: int, out: list[Message]
    ) -> bool:
        """Hold it if it ends later than what is held. False: nothing changed."""
        row = self.rows.get(instrument)
        if until_ns <= (now_ns if row is None else max(row.until_ns, now_ns)):
            return False
        self.rows[instrument] = row = Row(instrument, until_ns, reason, published)
        self.say(row, out)
        return True

    def say(self, row: Row, out: list[Message]) -> None:
        out.append(CooldownHeld(row.instrument, row.until_ns, row.reason))
        self.desk.wake(COOLDOWN_TIMER, row.instrument, row.until_ns, out)

    def begin_run(self, now_ns: int, out: list[Message]) -> None:
        """What was held before the restart still holds, or is over: risk hears of either."""
        for row in list(self.rows.values()):
            row.asked = 0
            self.say(row, out)
            if not row.published:
                self.publish(row, now_ns, out)

    def publish(self, row: Row, now_ns: int, out: list[Message]) -> None:
        if row.until_ns <= now_ns:
            return
        head = self.desk.head(now_ns)
        row.asked = self.desk.counter
        out.append(PublishCooldown(*head, row.instrument, row.until_ns, row.reason))

    def on_published(self, answer: CooldownPublished, now_ns: int, out: list[Message]) -> None:
        row = self.rows.get(answer.instrument)
        if row is None or row.asked != answer.counter:
            return
        row.asked = 0
        if answer.outcome is Outcome.RESULT:
            row.published = True
            self.hold(answer.instrument, answer.until_ns, answer.reason, True, now_ns, out)
        else:
            self.desk.wake(PUBLISH_TIMER, row.instrument, now_ns + self.desk.settings.retry_ns, out)

    def on_retry(self, instrument: int, now_ns: int, out: list[Message]) -> None:
        row = self.rows.get(instrument)
        if row is not None and not row.published and not row.asked:
            self.publish(row, now_ns, out)

    def on_end(self, instrument: int, now_ns: int, out: list[Message]) -> None:
        """Said once more at its end, which is how risk lets go of it."""
        row = self.rows.get(instrument)
        if row is not None and row.until_ns <= now_ns:
            del self.rows[instrument]
            out.append(CooldownHeld(row.instrument, row.until_ns, row.reason))

    def recover(self, held: CooldownHeld, now_ns: int) -> None:
        """A journaled fact. Whether the group heard of it is not known: it is told again, which changes nothing."""
        row = self.rows.get(held.instrument)
        if row is None or held.until_ns > row.until_ns:
            self.rows[held.instrument] = Row(held.instrument, held.until_ns, held.reason, False)
