"""What a successor must know of the account, left for him after each change; and what we take over of our predecessor.

The latest state alone counts: while one is on its way to the store, newer ones replace each other. What was not left in
time the successor reads off the venue's trades. Nothing is left before he has read them: what he leaves replaces the
ledger of a predecessor who leads again, and must contain whatever that one had booked.
"""

from actors.coordination.desk import ACCOUNT_TIMER, Desk
from actors.coordination.phases import Phase
from bus.messages import (
    AccountHandedOver,
    AccountPublished,
    AccountState,
    LeadershipWon,
    Message,
    Outcome,
    PublishAccount,
)


class Account:
    """led: the epoch of the last term of ours that is known. left: number of the state that the store has of this term.

    complete: the looks of this term have agreed, so that nothing of before is missing.
    """

    __slots__ = ("asked", "complete", "desk", "due_ns", "latest", "led", "left")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.led = 0
        self.latest: AccountState | None = None
        self.left = -1
        self.asked = 0
        self.due_ns = 0
        self.complete = False

    def on_won(self, won: LeadershipWon, out: list[Message]) -> None:
        """Who led after us knows more of the account than our own journal does."""
        if won.left is not None and won.left_epoch > self.led:
            out.append(AccountHandedOver(won.account, won.left_epoch, won.left))
        self.led = max(self.led, won.epoch)
        self.latest, self.left, self.asked, self.due_ns = None, -1, 0, 0
        self.complete = False

    def on_ready(self, now_ns: int, out: list[Message]) -> None:
        self.complete = True
        self.publish(now_ns, out)

    def on_state(self, state: AccountState, now_ns: int, out: list[Message]) -> None:
        self.latest = state
        self.publish(now_ns, out)

    def publish(self, now_ns: int, out: list[Message]) -> None:
        """At once when it was quiet before, else when the time has come."""
        desk, latest = self.desk, self.latest
        if latest is None or latest.number == self.left or self.asked or not (desk.leads and self.complete):
            return
        if now_ns < self.due_ns and desk.phase is not Phase.LEAVING:
            desk.wake(ACCOUNT_TIMER, 0, self.due_ns, out)
            return
        self.due_ns = now_ns + desk.settings.account_ns
        head = desk.head(now_ns)
        self.asked = desk.counter
        out.append(PublishAccount(*head, latest))

    def on_published(self, answer: AccountPublished, now_ns: int, out: list[Message]) -> None:
        if answer.counter != self.asked:
            return
        self.asked = 0
        if answer.outcome is Outcome.RESULT:
            self.left = answer.number
        else:
            self.due_ns = now_ns + self.desk.settings.retry_ns
            self.desk.wake(ACCOUNT_TIMER, 0, self.due_ns, out)
            return
        self.publish(now_ns, out)
