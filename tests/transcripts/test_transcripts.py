"""Each transcript beside this file, played again: nothing more and nothing less comes of each line."""

from pathlib import Path

import pytest

from tests.support.transcript import perform

ALL = sorted(Path(__file__).parent.glob("*/*.txt"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_goes_as_it_is_written(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert perform(text) == text


def test_there_are_some() -> None:
    assert ALL
