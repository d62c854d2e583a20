"""The conformance table is whole: every fault and kill point has a row, every row a test that shows it."""

import ast
from pathlib import Path

from gateway.simulated.faults.kinds import KINDS, POINTS
from ops.fault_conformance import ROWS, SECTIONS

HERE = Path(__file__).parent


def shown() -> dict[str, str]:
    """Row name -> file::function of the test that claims it, read off the source."""
    found: dict[str, str] = {}
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "shows":
                    for name in mark.args:
                        assert isinstance(name, ast.Constant)
                        assert isinstance(name.value, str)
                        assert name.value not in found, f"{name.value} is shown twice"
                        found[name.value] = f"{path.name}::{node.name}"
    return found


def test_every_row_has_its_test_and_every_test_its_row() -> None:
    assert shown() == {name: row.test for name, row in ROWS.items()}


def test_every_kind_of_fault_and_every_kill_point_has_a_row() -> None:
    assert {row.fault for row in ROWS.values()} == KINDS.keys() | POINTS.keys()


def test_names_are_unique() -> None:
    assert len(ROWS) == sum(len(rows) for rows in SECTIONS.values())
