"""A world whose actors raise, at any message, again and again: what is made anew alone is, and where a run is over the next
one recovers in the same process, as ops.runs does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bus.actor import Actor, Handler
from bus.messages import Message
from ops.sections import SupervisionSection
from ops.supervision import FEED, Intensity
from ops.topology import ACTORS
from tests.support.house import House
from tests.support.mortal import MortalWorld
from tests.support.world import CONFIG, Faults

OFTEN = dict.fromkeys(FEED, 400) | {"portfolio": 10, "coordination": 10, "persistence": 10}
"""Messages up to a failure, by how many an actor hears in a day of the world's."""
FAILING = tuple(name for name in ACTORS if name not in ("strategy", "exits"))


class Bomb(Exception):
    """What an actor of this world raises."""


class FailingWorld(MortalWorld):
    """failures_max: bombs, each at a message that the seed draws, in an actor that it draws (or in `actor`)."""

    def __init__(
        self, seed: int, faults: Faults, folder: Path, failures_max: int, actor: str = "", config: str = CONFIG
    ) -> None:
        self.left, self.countdown, self.only = failures_max, 0, actor
        self.went_off: list[tuple[str, str]] = []
        self.intensity = Intensity(SupervisionSection(restarts_max=1_000))
        super().__init__(seed, faults, folder, 0, config)
        self._arm(self.house)

    def close(self) -> None:
        """Nothing is left to go off."""
        self.left = 0
        super().close()

    def stop(self, reason: str = "the test is over") -> None:
        self.left = 0
        super().stop(reason)

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end_ns = self.now_ns + int(seconds * 1e9)
        while True:
            held = super().run(max(end_ns - self.now_ns, 0) / 1e9, lambda: self._is_over() or until())
            if not self._is_over():
                return held
            self._restart()
            self._arm(self.house)

    def _is_over(self) -> bool:
        return self.house.supervision.crash is not None

    def _arm(self, house: House) -> None:
        """The bomb lies in one actor's handlers; of actors that are made anew too."""
        house.supervision.intensity = self.intensity
        house.supervision.reopen = lambda reason: self._in_this_life(0, lambda: self.cut_feed(reason))
        make = house.supervision._make
        house.supervision._make = lambda names: [self._plant(actor) for actor in make(names)]
        for actor in house.actors:
            if actor.handlers:  # else it is switched off
                house.host.renew([self._plant(actor)])
        self._light()

    def cut_feed(self, reason: str = "cut") -> None:
        if hasattr(self, "feed"):  # else a run was over before it dialed
            super().cut_feed(reason)

    def cut_orders(self, reason: str = "cut") -> None:
        if hasattr(self, "orders"):
            super().cut_orders(reason)

    def _light(self) -> None:
        self.target = self.only or self.random.choice(FAILING)
        self.countdown = self.random.randint(1, OFTEN.get(self.target, 60))

    def _plant(self, actor: Actor[Any]) -> Actor[Any]:
        actor.handlers = {kind: self._mined(actor.name, handler) for kind, handler in actor.handlers.items()}
        return actor

    def _mined(self, name: str, handler: Handler) -> Handler:
        """Raises before or after the real one has run: a fold that is half done is not done."""

        def mined(message: Message, now_ns: int) -> tuple[Message, ...]:
            if name != self.target or not self.left:
                return handler(message, now_ns)
            self.countdown -= 1
            if self.countdown > 0:
                return handler(message, now_ns)
            self.left -= 1
            self.went_off.append((name, type(message).__name__))
            self._light()
            if self.random.random() < 0.5:
                handler(message, now_ns)
            raise Bomb(name)

        return mined
