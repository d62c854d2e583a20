"""Kill points: hooks that run at the very point where the venue stands, and to their end, before it goes on.

A hook is a signal to a process, a command, or a callable of this process. While it runs the whole venue waits.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..operations import Ask, Kind
from .active import Stage
from .face import FaultedFace
from .schedule import Schedule
from .spec import PointSpec
from .whom import client_order_id, fits_ask

RUN_S_MAX = 5.0  # chosen: a command that takes longer is killed
PID_MIN, PID_MAX = 2, 2**31 - 1  # what a file may name: no process group (0 and below), not the first process of all

Hook = Callable[["Reached"], None]

FILLING = (Kind.PLACE, Kind.REPLACE, Kind.AMEND)
"""Requests whose order may fill at once."""


class Reached:
    """What a callable is told: where, and about which request."""

    def __init__(self, point: str, face: str, ask: Ask) -> None:
        self.point = point
        self.face = face
        self.operation = ask.name
        self.params = ask.params

    @property
    def symbol(self) -> str:
        return self.params.get("symbol", "")

    @property
    def client_order_id(self) -> str:
        return client_order_id(self.params)


class Point:
    """One that is set."""

    def __init__(self, number: int, spec: PointSpec, stage: Stage, key: str, hook: Hook | None = None) -> None:
        self.number = number
        self.spec = spec
        self.schedule = Schedule(spec.schedule, f"{stage.seed}:{key}")
        self._stage = stage
        self._origin_ns = stage.clock.base()
        self._hook = hook

    @property
    def elapsed_s(self) -> float:
        return (self._stage.clock.base() - self._origin_ns) / 1e9

    @property
    def is_over(self) -> bool:
        return self.schedule.is_over(self.elapsed_s)

    def waits_for(self, face: FaultedFace, ask: Ask) -> bool:
        elapsed_s = self.elapsed_s
        return (
            self.schedule.is_open(elapsed_s)
            and not self.schedule.is_over(elapsed_s)
            and fits_ask(self.spec.whom, face, ask)
        )

    def reach(self, face: FaultedFace, ask: Ask) -> None:
        if not fits_ask(self.spec.whom, face, ask) or not self.schedule.hit(self.elapsed_s):
            return
        spec, reached = self.spec, Reached(self.spec.at, face.name, ask)
        if self._hook is not None:
            self._hook(reached)
            done = "called"
        else:
            done = _run(spec.run, reached) if spec.run else _signal(spec)
        now_ns = self._stage.clock()
        self._stage.log.note(
            now_ns, spec.name, spec.at, done, face.name, ask.name, reached.symbol, reached.client_order_id
        )


def _signal(spec: PointSpec) -> str:
    try:
        pid = spec.pid if spec.pid is not None else _read_pid(spec.pid_file)
        os.kill(pid, getattr(signal, f"SIG{spec.signal}"))
    except (OSError, ValueError) as error:
        return f"SIG{spec.signal} not sent: {error}"[:200]
    return f"SIG{spec.signal} to {pid}"


def _read_pid(path: str) -> int:
    """Raises OSError or ValueError."""
    if not Path(path).is_file():  # a pipe would keep the venue waiting for its writer
        raise ValueError(f"{path} is no file")
    text = Path(path).read_text().strip()
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not PID_MIN <= int(text) <= PID_MAX:
        raise ValueError(f"{path} says no process id")
    return int(text)


def _run(command: tuple[str, ...], reached: Reached) -> str:
    told = {
        "TOUCHLINE_POINT": reached.point,
        "TOUCHLINE_SYMBOL": reached.symbol,
        "TOUCHLINE_CLIENT_ORDER_ID": reached.client_order_id,
    }
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=RUN_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} killed after {RUN_S_MAX:g} s"
    except (OSError, ValueError) as error:  # no such command; or a NUL in what a client wrote
        return f"{command[0]} not run: {error}"[:200]
    return f"{command[0]} ended with {ended.returncode}"
