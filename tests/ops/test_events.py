"""The log's lines: a value can never begin a line of its own."""

import io
import logging

from ops import events


def test_a_line_is_one_line_whatever_the_venue_wrote() -> None:
    out = io.StringIO()
    log = events.EventLog(out, logging.INFO)
    events.warning("order_door", detail="bye\n2026-01-01 CRITICAL forged\x1b[2J", code=-1)
    log.close()
    [line] = out.getvalue().splitlines()
    assert line.endswith('WARNING  order_door detail="bye\\n2026-01-01 CRITICAL forged\\x1b[2J" code=-1')


def test_a_slow_terminal_loses_lines_not_time() -> None:
    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            return 0

    log = events.EventLog(Stuck(), logging.INFO)
    log._listener.stop()  # as if it never came round
    for n in range(events.QUEUE_MAX + 5):
        events.info("tick", n=n)
    assert log.dropped >= 5
    log._listener.start()
    log.close()
