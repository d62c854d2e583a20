"""The order of the suite: files whose tests wait for processes come first, so that at its end no worker waits for another's."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FIRST = ("scenarios", "ops", "faults", "docs", "clients", "simulation")
"""Folders, the longest files first; the rest takes a moment a file."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files stay together. (xdist hands files out in this order where it is told not to count their tests.)"""
    items.sort(key=rank)


def rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return FIRST.index(folder) if folder in FIRST else len(FIRST)
