"""What the scripts of this folder share: where the venue is, and steps that say what failed."""

import argparse
import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

STEP_S_MAX = 15.0  # chosen: the longest wait of a step is a stream's first event


def arguments() -> argparse.Namespace:
    """Read where the venue answers, as `touchline venue` prints it."""
    parser = argparse.ArgumentParser()
    for name in ("rest", "streams", "api", "key", "secret"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def expect(holds: bool, what: object) -> None:
    if not holds:
        raise AssertionError(what)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Steps:
    """Runs what it is given, one after the other; a step that fails does not stop the next one."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def step(self, name: str, run: Callable[[], Any]) -> Any:
        try:
            result = run()
        except Exception as error:  # noqa: BLE001  # a client may raise anything: it is reported and counted
            self._note(name, error)
            return None
        say(f"ok    {name}")
        return result

    async def wait(self, name: str, run: Callable[[], Awaitable[Any]]) -> Any:
        try:
            result = await asyncio.wait_for(run(), STEP_S_MAX)
        except Exception as error:  # noqa: BLE001  # the same
            self._note(name, error)
            return None
        say(f"ok    {name}")
        return result

    def _note(self, name: str, error: Exception) -> None:
        where = traceback.extract_tb(error.__traceback__)[-1]
        self.failed.append(name)
        say(f"FAIL  {name}: {type(error).__name__}: {error} ({where.name}, line {where.lineno})")

    def end(self) -> None:
        """Exit 0 if every step was fine, 1 if not."""
        say(f"{len(self.failed)} failed" + (": " + ", ".join(self.failed) if self.failed else ""))
        raise SystemExit(1 if self.failed else 0)
