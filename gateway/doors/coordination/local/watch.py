"""A picture of the local store, kept fresh by a thread of its own: the engine's loop hears of changes only."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

from bus.clock import boottime_ns
from gateway.doors.coordination.contract import CoordinationError, Picture
from gateway.doors.coordination.local.store import LocalStore

POLL_S = 0.05
"""How late news may be. Chosen: a look without news takes about 10 us of a thread."""
CLOSE_S_MAX = 3.0
"""A thread that is still in a read then is left to end by itself."""


class LocalWatching:
    """See the contract's Watching."""

    def __init__(
        self, make: Callable[[], LocalStore], group: str, scope: str, look_s: float, changed: Callable[[Picture], None]
    ) -> None:
        """make: a store for the thread alone. look_s: a term may end without a write, so it is read that often in any case."""
        self.seen_ns, self.trouble = 0, ""
        self._make, self._names, self._look_s, self._changed = make, (group, scope), look_s, changed
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordination-watch", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._stop.is_set()

    async def close(self) -> None:
        self._stop.set()
        await asyncio.to_thread(self._thread.join, CLOSE_S_MAX)

    def _run(self) -> None:
        last: Picture | None = None
        while not self._stop.is_set():
            with closing(self._make()) as store:
                try:
                    store.open()
                    last = self._follow(store, last)
                except (CoordinationError, sqlite3.Error, OSError) as error:
                    self.trouble = f"{type(error).__name__}: {error}"
            self._stop.wait(self._look_s)

    def _follow(self, store: LocalStore, last: Picture | None) -> Picture | None:
        version, read_ns = -1, 0
        while not self._stop.is_set():
            now_ns = boottime_ns()
            newest = store.version()
            if newest != version or now_ns - read_ns > self._look_s * 1e9:
                picture = store.picture(*self._names)
                version, read_ns = newest, now_ns
                if picture != last:
                    last = picture
                    self._loop.call_soon_threadsafe(self._tell, picture)
            self.seen_ns, self.trouble = now_ns, ""
            self._stop.wait(POLL_S)
        return last

    def _tell(self, picture: Picture) -> None:
        if not self._stop.is_set():
            self._changed(picture)
