"""Coordination in memory: several engines of one process, or a single one, with no store. For benches and tests.

The door answers the same requests with the same answers as the real one, each as an input after the cascade that asked.
"""

from collections.abc import Callable, Mapping

from bus.actor import NOTHING, Handler
from bus.messages import (
    AccountHandedOver,
    AccountPublished,
    BandPublished,
    CooldownObserved,
    CooldownPublished,
    Instrument,
    LeadershipWon,
    Message,
    Outcome,
    PeersObserved,
    PublishAccount,
    PublishBand,
    PublishCooldown,
)
from gateway.doors.coordination.contract import Band, judge_band


class LoopbackStore:
    """What the scopes agree on. outage: requests have no answer (AMBIGUOUS), and nobody sees a change."""

    def __init__(self) -> None:
        self.bands: dict[tuple[str, str], Band] = {}
        self.cooldowns: dict[str, tuple[int, str]] = {}
        self.accounts: dict[str, AccountHandedOver] = {}
        self.doors: list[LoopbackDoor] = []
        self.outage = False

    def put_band(self, band: Band) -> tuple[bool, int, int]:
        """Granted, and the extremes of the other scopes; everybody sees what was granted."""
        answer = judge_band(band, tuple(self.bands.values()))
        if answer.granted:
            self.bands[band.symbol, band.scope] = band
            self.show()
        return answer

    def show(self) -> None:
        if not self.outage:
            for door in self.doors:
                door.look()


class LoopbackDoor:
    """One engine's door. Without a store of others it is alone."""

    name = "coordination_door"

    def __init__(
        self, instruments: Mapping[int, Instrument], store: LoopbackStore | None = None, scope: str = "main"
    ) -> None:
        self.handlers: dict[type[Message], Handler] = {
            PublishBand: self._publish_band,
            PublishCooldown: self._publish_cooldown,
            PublishAccount: self._publish_account,
        }
        self._symbols = {number: row.venue_symbol for number, row in instruments.items()}
        self.store, self.scope = store or LoopbackStore(), scope
        self.epoch = 0
        self.asked: list[Message] = []
        self._shown: dict[int, tuple[PeersObserved, CooldownObserved | None]] = {}
        self._post: Callable[[Message], None] = lambda message: None

    def attach(self, post: Callable[[Message], None]) -> None:
        self._post = post

    def begin(self, account: int, epoch: int) -> tuple[Message, ...]:
        """The first inputs of a run that leads: its term with what was left, then cooldowns and peers."""
        self.epoch = epoch
        left = self.store.accounts.get(self.scope)
        left_epoch, state = (0, None) if left is None else (left.epoch, left.state)
        self._shown.clear()
        if self not in self.store.doors:
            self.store.doors.append(self)
        return (LeadershipWon(account, epoch, self.scope, left_epoch, state), *self._news())

    def leave(self) -> None:
        """Nothing of ours rests any more."""
        if self in self.store.doors:
            self.store.doors.remove(self)
        for symbol in self._symbols.values():
            self.store.bands.pop((symbol, self.scope), None)
        self.store.show()

    def look(self) -> None:
        """Post what is new of peers and cooldowns."""
        for message in self._news():
            self._post(message)

    def _news(self) -> list[Message]:
        news: list[Message] = []
        for number, symbol in self._symbols.items():
            others = [
                band for (name, scope), band in self.store.bands.items() if name == symbol and scope != self.scope
            ]
            answer = judge_band(Band(symbol, self.scope, 0, 0), tuple(others))
            peers = PeersObserved(number, len(others), answer.theirs_bid_max, answer.theirs_ask_min)
            held = self.store.cooldowns.get(symbol)
            cooldown = None if held is None else CooldownObserved(number, *held)
            before = self._shown.get(number)
            self._shown[number] = peers, cooldown
            if cooldown is not None and (before is None or before[1] != cooldown):
                news.append(cooldown)
            if before is None or before[0] != peers:
                news.append(peers)
        return news

    def _publish_band(self, asked: PublishBand, now_ns: int) -> tuple[Message, ...]:
        self.asked.append(asked)
        outcome, theirs = Outcome.AMBIGUOUS, (0, 0)
        if not self.store.outage:
            band = Band(self._symbols[asked.instrument], self.scope, asked.bid_max, asked.ask_min)
            granted, *rest = self.store.put_band(band)
            outcome, theirs = (Outcome.RESULT if granted else Outcome.REFUSED), (rest[0], rest[1])
        head = (asked.actor, asked.counter, asked.generation, outcome, asked.instrument)
        self._post(BandPublished(*head, asked.bid_max, asked.ask_min, *theirs, ""))
        return NOTHING

    def _publish_cooldown(self, asked: PublishCooldown, now_ns: int) -> tuple[Message, ...]:
        self.asked.append(asked)
        outcome, held = Outcome.AMBIGUOUS, (asked.until_ns, asked.reason)
        if not self.store.outage:
            symbol = self._symbols[asked.instrument]
            held = max(held, self.store.cooldowns.get(symbol, held))
            self.store.cooldowns[symbol] = held
            outcome = Outcome.RESULT
            self.store.show()
        self._post(CooldownPublished(asked.actor, asked.counter, asked.generation, outcome, asked.instrument, *held))
        return NOTHING

    def _publish_account(self, asked: PublishAccount, now_ns: int) -> tuple[Message, ...]:
        self.asked.append(asked)
        outcome = Outcome.AMBIGUOUS
        if not self.store.outage:
            self.store.accounts[self.scope] = AccountHandedOver(asked.state.account, self.epoch, asked.state)
            outcome = Outcome.RESULT
        head = (asked.actor, asked.counter, asked.generation, outcome)
        self._post(AccountPublished(*head, asked.state.number, ""))
        return NOTHING
