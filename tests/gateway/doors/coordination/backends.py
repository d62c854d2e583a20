"""The same test on every backend: `Backend.start` opens an instance of the one that the test's turn is."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from gateway.doors.coordination.contract import Coordinator
from gateway.doors.coordination.term import Term
from tests.support.holder import EPOCH, coordinator

ROOT = Path(__file__).parents[4]
LIMIT_S = 30.0
"""A test that waits this long has failed; nothing is asserted about how soon things happen."""
SECOND_NS = 1_000_000_000
LONG_NS = 600 * SECOND_NS
"""A time to live that no test outlives: what happens under it did not wait for its end."""

T = TypeVar("T")


def above() -> int:
    return EPOCH


async def soon(work: Coroutine[Any, Any, T] | asyncio.Task[T]) -> T:
    return await asyncio.wait_for(work, LIMIT_S)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


class Holder:
    """A process that leads `scope`, or wants to."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.support.holder", *arguments]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.communicate()

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    async def hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await soon(asyncio.to_thread(self._process.stdout.readline))
        assert line, self._process.stderr and self._process.stderr.read()
        said: dict[str, Any] = json.loads(line)
        return said


class Backend:
    """name: local or etcd. address: what its instances meet at. unique: for names that no other test uses."""

    def __init__(self, name: str, address: str, unique: str) -> None:
        self.name, self.address = name, address
        self.scope, self.group = f"scope-{unique}", f"group-{unique}"
        self._open: list[Coordinator] = []

    async def start(self, holder: str, ttl_ns: int = LONG_NS) -> Coordinator:
        """An open instance; closed at the test's end."""
        one = coordinator(self.name, self.address, holder, ttl_ns)
        await one.open()
        self._open.append(one)
        return one

    async def leader(self, scope: str = "", holder: str = "a", ttl_ns: int = LONG_NS) -> tuple[Coordinator, Term]:
        """An instance and the term it has won."""
        one = await self.start(holder, ttl_ns)
        return one, await soon(one.campaign(scope or self.scope, above))

    def process(self, holder: str, ttl_ns: int) -> Holder:
        return Holder(self.name, self.address, self.scope, holder, str(ttl_ns))

    async def close(self) -> None:
        for one in self._open:
            await one.close()


@asynccontextmanager
async def campaigning(one: Coordinator, scope: str) -> AsyncIterator[asyncio.Task[Term]]:
    """A campaign that is under way, and waits: another leads."""
    waits = asyncio.Event()
    task = asyncio.create_task(one.campaign(scope, above, lambda waiting: waits.set()))
    await soon(waits.wait())
    yield task
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
