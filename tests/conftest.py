"""The order of the suite: files whose tests wait for processes come first, so that at its end no worker waits for another's.
And no clock in a property: how long an example takes is the machine's affair.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
FIRST = ("scenarios", "ops", "faults", "docs", "clients", "simulation")
"""Folders, the longest files first; the rest takes a moment a file."""

settings.register_profile("untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files stay together. (xdist hands files out in this order where it is told not to count their tests.)"""
    items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return FIRST.index(folder) if folder in FIRST else len(FIRST)
