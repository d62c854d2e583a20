"""The log for people: one line an event, a stable name and key=value pairs. Written by a thread, never by the host's.

No secret and no whole payload ever goes in. On the hot path nothing is logged; what is counted there is logged here
later.
"""

import logging
import logging.handlers
import queue
import sys
from collections import deque
from typing import TextIO

QUEUE_MAX = 10_000
"""Lines that may wait for a slow terminal or disk; more are dropped and counted."""

RECENT_MAX = 200
"""Lines kept for who looks in later (the console); chosen: more than a screen, about 20 kB."""
RECENT_CHARACTERS_MAX = 200

_log = logging.getLogger("touchline")


class EventLog:
    """Owns the process's log output between making and `close`."""

    def __init__(self, stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
        self.dropped = 0
        self._queue: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE_MAX)
        self._handler = _Bounded(self._queue, self)
        target = logging.StreamHandler(stream)
        target.setFormatter(
            logging.Formatter("%(asctime)s.%(msecs)03d %(levelname)-8s %(message)s", "%Y-%m-%dT%H:%M:%S")
        )
        self._listener = logging.handlers.QueueListener(self._queue, target)
        _log.addHandler(self._handler)
        _log.setLevel(level)
        _log.propagate = False
        self._listener.start()

    def close(self) -> None:
        _log.removeHandler(self._handler)
        self._listener.stop()


class _Bounded(logging.handlers.QueueHandler):
    def __init__(self, waiting: "queue.Queue[logging.LogRecord]", owner: EventLog) -> None:
        super().__init__(waiting)
        self._owner = owner

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._owner.dropped += 1


class Recent(logging.Handler):
    """The last lines in memory, between making and `close`, as (number from 1, Unix time, level, text)."""

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._lines: deque[tuple[int, float, int, str]] = deque(maxlen=RECENT_MAX)
        _log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._count += 1
        text = record.getMessage()[:RECENT_CHARACTERS_MAX]
        self._lines.append((self._count, record.created, record.levelno, text))

    def tail(self, count: int) -> list[tuple[int, float, int, str]]:
        """The last `count` lines, oldest first. Other threads may write meanwhile."""
        lines = self._lines.copy()  # one step of the interpreter: nothing is appended while it runs
        return list(lines)[-count:]

    def close(self) -> None:
        _log.removeHandler(self)
        super().close()


def info(event: str, **fields: object) -> None:
    _log.info("%s", _line(event, fields))


def warning(event: str, **fields: object) -> None:
    _log.warning("%s", _line(event, fields))


def critical(event: str, **fields: object) -> None:
    _log.critical("%s", _line(event, fields))


def _line(event: str, fields: dict[str, object]) -> str:
    return " ".join([event, *(f"{name}={_value(value)}" for name, value in fields.items())])


def _value(value: object) -> str:
    """One word or one quoted text; what a venue or a peer wrote cannot begin a line of its own."""
    text = str(value)
    if not text.isprintable():
        text = text.encode("unicode_escape").decode("ascii")
    return f'"{text}"' if " " in text else text
