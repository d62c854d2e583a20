"""What the engine does when the venue fails: one row a fault and way of it, each with the test that shows it.

docs/reference/fault-conformance.md is made of this table, and the tests in tests/faults take their marks from it: a row
that a later part will satisfy names that part in `later`, its test is expected to fail, and the day it passes the suite
says that the mark must go. Every kind of fault and every kill point of the simulated venue has a row.
"""

from .futures import FUTURES
from .market import CONNECTIONS, MARKET
from .orders import ANSWERS, PRIVATE_STREAM, REQUESTS
from .row import Row as Row
from .venue import KILLS, VENUE

SECTIONS: dict[str, tuple[Row, ...]] = {
    "Market data": MARKET,
    "Connections": CONNECTIONS,
    "Requests": REQUESTS,
    "Answers and queries": ANSWERS,
    "The private stream": PRIVATE_STREAM,
    "The venue itself": VENUE,
    "Killed at a point": KILLS,
    "On the futures face": FUTURES,
}
ROWS: dict[str, Row] = {row.name: row for rows in SECTIONS.values() for row in rows}
