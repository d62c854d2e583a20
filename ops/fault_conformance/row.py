"""One row of the table."""

from typing import NamedTuple


class Row(NamedTuple):
    """fault: kind or kill point of the simulated venue. how: its parameters, in a file's words. test: file::function."""

    name: str
    fault: str
    how: str
    venue: str
    engine: str
    test: str
    later: str = ""
