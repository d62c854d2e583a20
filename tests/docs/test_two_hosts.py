"""docs/howto/two-hosts.md: its files are usable, and its figures are the program's."""

import re
from pathlib import Path

import pytest

from bus.link import LOST_NS
from bus.link.link import SKEW_NS_MAX
from bus.link.outbound import DATA_WINDOW
from bus.standstill import STANDSTILL_NS
from ops.hosts import place

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "two-hosts.md").read_text(encoding="utf-8")
FILES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", FILES, ids=["one machine", "two machines"])
@pytest.mark.parametrize("name", ["data", "trade"])
def test_the_topologies_are_taken_as_written(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "topology.toml").write_text(text)
    placement = place(tmp_path / "topology.toml", name)
    assert placement.trades is (name == "trade")
    assert (placement.keys is None) is ("[keys]" not in text)


@pytest.mark.parametrize(
    "told",
    [
        f"after {LOST_NS // 1_000_000} ms of",
        f"for {STANDSTILL_NS // 1_000_000} ms or more",
        f"more than\n{SKEW_NS_MAX // 1_000_000} ms",
        f"at most {DATA_WINDOW} are",
    ],
)
def test_its_figures_are_the_programs(told: str) -> None:
    assert told in PAGE
