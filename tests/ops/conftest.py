"""One simulated venue for all tests of the command line."""

from collections.abc import Iterator

import pytest

from tests.ops.command_line import Venue


@pytest.fixture(scope="session")
def venue() -> Iterator[Venue]:
    started = Venue()
    yield started
    started.stop()
