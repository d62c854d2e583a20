"""The console's end of the tap: it repeats the wish, takes frames into the model, and says why none come."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from bus.clock import boottime_ns
from bus.mailbox import Watcher, ipc_endpoint
from ops.console.model import Model
from ops.control import NoEngine, check_engine
from ops.telemetry import TELEMETRY_MAILBOX, FormatDiffers, Wish, decode_frame

LOOK_NS = 500_000_000
"""Between looks at the state directory's lock while no frames come; chosen."""

_encode = msgspec.msgpack.encode


class SymbolUnknown(Exception):
    """The engine does not trade what was asked for. The text says what it does trade."""


class Link:
    """One engine's state directory. It need not run yet, and may end and come back."""

    def __init__(self, state: Path, model: Model, hz: int) -> None:
        self.model, self.hz = model, hz
        self.instrument = -1
        """Whose ladder is wished for; -1: the first."""
        self._state = state
        self._watcher = Watcher(ipc_endpoint(state, TELEMETRY_MAILBOX))
        self.descriptor = self._watcher.descriptor
        self._looked_ns = 0

    def wish(self) -> None:
        """To be repeated every WISH_INTERVAL_S, and at each change of the instrument. `take` after it."""
        self._watcher.wish(_encode(Wish(self.hz, self.instrument)))

    def take(self, now_ns: Callable[[], int] = boottime_ns) -> bool:
        """Everything that came; whether it was anything."""
        raws = self._watcher.take()
        for raw in raws:
            try:
                self.model.take(decode_frame(raw), now_ns())
            except FormatDiffers as error:
                self.model.trouble = str(error)
        return bool(raws)

    def place_of(self, symbol: str) -> int:
        """Where the symbol stands in the engine's list (0 if none is given, or not known yet), and wish for it.

        Raises SymbolUnknown.
        """
        listings = self.model.listings
        if not symbol or not listings:
            return 0
        for place, row in enumerate(listings):
            if row.symbol == symbol:
                self.instrument = row.instrument
                return place
        traded = ", ".join(row.symbol for row in listings)
        raise SymbolUnknown(f"--symbol {symbol}: this engine trades {traded}")

    def look(self, now_ns: int) -> None:
        """While no frames come: why? An engine holds the lock of its directory for as long as it lives."""
        if not self.model.silent(now_ns) or now_ns - self._looked_ns < LOOK_NS:
            return
        self._looked_ns = now_ns
        try:
            check_engine(self._state)
        except NoEngine as error:
            self.model.trouble = str(error).removeprefix(f"{self._state}: ")
        else:
            self.model.trouble = "the engine lives but sends nothing" if self.model.frame else "connecting"

    def close(self) -> None:
        self._watcher.close()
