"""A test that shows rows of the conformance table (ops/fault_conformance), and takes its mark from them."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from ops.fault_conformance import ROWS

Test = TypeVar("Test", bound=Callable[..., object])


def shows(*names: str) -> Callable[[Test], Test]:
    """Rows of one test are held together: all of them today, or all by one later part, whose name is the mark's reason."""
    rows = [ROWS[name] for name in names]
    (later,) = {row.later for row in rows}

    def mark(test: Test) -> Test:
        assert all(row.test.endswith(f"::{test.__name__}") for row in rows), f"{test.__name__} is not these rows' test"
        return pytest.mark.xfail(strict=True, raises=AssertionError, reason=later)(test) if later else test

    return mark
