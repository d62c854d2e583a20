"""The page about recovery shows the phases' table as it is."""

from pathlib import Path

from actors.orders.phases import PHASES, Phase
from ops.docs import diagram

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "recovery.md"


def test_the_diagram_is_the_tables() -> None:
    assert diagram(PHASES) in PAGE.read_text(encoding="utf-8")


def test_each_phase_between_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    explained = [phase.name for phase in Phase if f"| {phase.name} |" in text]
    assert explained == ["LOOK", "SETTLE", "BALANCES", "VERIFY", "READY"]
