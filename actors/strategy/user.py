"""The user's code, called in one place. What it raises ends its calls: quarantine, until a person's word or another run.

Whoever watches its time (ops.strategy_guard) knows a running call by the frame of `UserCode.call`.
"""

from collections.abc import Callable
from typing import Any

from actors.strategy.context import Context
from actors.strategy.strategy import Strategy


class StrategyFailed(Exception):
    """The user's code let something through that is no Exception, or failed outside of a message. The cause says what."""


class UserCode:
    """saved: what its `save` gave last. unread: why its `load` could not read that; "" when it could.

    make: another one of the same kind, for after a quarantine; without it the same object is called again.
    """

    def __init__(self, context: Context, strategy: Strategy, make: Callable[[], Strategy] | None) -> None:
        self.context, self.strategy, self._make = context, strategy, make
        self.quarantined = False
        self.saved, self.unread = b"", ""

    def call(self, hook: Callable[[Context, Any], None], argument: Any) -> None:
        """One hook; in quarantine none. Raises what it raises, always as an Exception. HOT PATH."""
        if self.quarantined:
            return
        try:
            hook(self.context, argument)
        except Exception:
            self.quarantined = True
            raise
        except BaseException as error:
            self.quarantined = True
            raise StrategyFailed(f"{type(error).__name__}: {error}") from error

    def call_bare(self, hook: Callable[[Context], None]) -> None:
        """One that takes nothing but the context."""
        self.call(_bare, hook)

    def begin(self) -> None:
        """A run begins: a quarantine ends with the run it was of, unless what was saved could not be read."""
        if self.quarantined and not self.unread:
            self.release()

    def release(self) -> None:
        """A person's word: whatever it was in the middle of, another one begins with what the old one saved."""
        self.quarantined, self.unread = False, ""
        self.call_bare(self._renew)

    def save(self) -> bytes:
        """For a checkpoint. Raises StrategyFailed; the next one then has what was saved before."""
        try:
            self.call_bare(self._save)
        except Exception as error:
            raise StrategyFailed(f"save: {type(error).__name__}: {error}") from error
        return self.saved

    def load(self, saved: bytes, *, quarantined: bool) -> None:
        """From a checkpoint. If it raises, `unread` says so: the orders that it left must be looked after all the same."""
        self.saved = saved
        try:
            self.call_bare(self._load)
            self.quarantined = quarantined
        except Exception as error:  # noqa: BLE001 - whatever a user's code raises
            self.unread = f"load: {type(error).__name__}: {error}"

    def _renew(self, _context: Context) -> None:
        if self._make is not None:
            strategy = self._make()
            strategy.load(self.saved)
            self.strategy = strategy

    def _save(self, _context: Context) -> None:
        self.saved = self.strategy.save()

    def _load(self, _context: Context) -> None:
        self.strategy.load(self.saved)


def _bare(context: Context, hook: Callable[[Context], None]) -> None:
    hook(context)
