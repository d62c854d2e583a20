"""The runbook against the source: whoever is told a name in the middle of the night finds it there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "runbook.md").read_text(encoding="utf-8")
ROOMS = ("actors", "bus", "gateway/doors", "ops")
NAME = re.compile(r"[a-z]+(_[a-z]+)*")
SAYING = {"alert", "alert_every", "_alert", "keep_aside", "leave", "contest"}
"""Functions that make an alert of a name they are handed, beside `Alert` itself, whose third field is the name."""
LOGGED = {"warning", "critical"}
"""Of ops.events; `write` stands for either where the level is decided first."""
FOR_MACHINES = {"ops/bench", "ops/chaos", "ops/capture", "ops/market_study", "ops/fault_conformance"}
"""Rooms that run no engine for anybody."""


def said() -> Iterator[tuple[str, str]]:
    """(name, where) of each word that an engine, a sentinel or a command may say at WARNING or worse, and of each alert."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(tuple(FOR_MACHINES)):
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if isinstance(node, ast.Call):
                        yield from ((name, f"{place}:{node.lineno}") for name in names(node))


def names(call: ast.Call) -> list[str]:
    function = call.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    by_level = called in LOGGED and isinstance(function, ast.Attribute) and ast.unparse(function.value) == "events"
    if called == "Alert":
        candidates = call.args[2:3]
    elif by_level or (called == "write" and isinstance(function, ast.Name)):
        candidates = call.args[:1]
    else:
        candidates = call.args if called in SAYING else []
    texts = [node.value for node in candidates if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [text for text in texts if NAME.fullmatch(text)]


FOUND = list(said())
ALL = sorted({name for name, _ in FOUND})


def test_names_are_found_in_the_source() -> None:
    """The collector itself: it would be blind if the house changed how it says things."""
    assert {"ledger_differs", "cancel_unanswered", "journal_failed", "orphan_order", "engine_silent"} <= set(ALL)
    assert len(ALL) > 90


@pytest.mark.parametrize("name", ALL)
def test_each_name_has_its_line_in_the_runbook(name: str) -> None:
    where = [place for found, place in FOUND if found == name]
    assert f"`{name}`" in PAGE, (
        f"{name} is said at {where}: write what it means and what to type into docs/howto/runbook.md"
    )


def test_the_runbook_names_nothing_that_nobody_says() -> None:
    rows = re.findall(r"^\| `([a-z_]+)`", PAGE, re.MULTILINE)
    other = {"stopped", "operator_answered"}  # INFO, and named for what they look like
    assert [name for name in rows if name not in ALL and name not in other] == []
    assert len(rows) == len(set(rows))
