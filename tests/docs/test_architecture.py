"""The page that a newcomer reads first names what there is, and every link of every page leads somewhere."""

import ast
import re
from pathlib import Path

import pytest

from bus import messages
from ops.topology import ACTORS, DOORS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
PAGES = sorted(
    path
    for folder in (ROOT, ROOT / "docs", ROOT / "notes")
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", [*ACTORS, *DOORS])
def test_every_receiver_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def folders() -> list[str]:
    """Packages, one level deep; those of actors have rows of their own."""
    found = [
        path.parent.relative_to(ROOT)
        for room in ("bus", "ops", "gateway")
        for path in (ROOT / room).glob("*/__init__.py")
    ]
    return sorted(str(path) for path in found)


@pytest.mark.parametrize("folder", folders())
def test_every_package_is_named(folder: str) -> None:
    assert f"`{folder}`" in PAGE or f"`{Path(folder).name}`" in PAGE


@pytest.mark.parametrize("room", ["gateway/doors", *(f"actors/{name}" for name in ACTORS)])
def test_a_rooms_first_page_names_its_modules(room: str) -> None:
    """All but the actor's own, and settings and state, which are what they are called."""
    page = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = sorted(path.stem for path in (ROOT / room).glob("*.py"))
    named = re.findall(r"\w+", page)
    assert [name for name in modules if name not in (*named, "__init__", "actor", "settings", "state")] == []


def test_every_source_it_names_is_there() -> None:
    named = re.findall(r"`((?:bus|ops|gateway|actors|tests)/[a-z0-9_./]+)`", PAGE)
    assert [name for name in named if not ((ROOT / name).exists() or (ROOT / f"{name}.py").exists())] == []


def test_every_message_that_an_actor_is_said_to_say_is_one() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    said = [name for row in rows if row[1].strip(" `") in ACTORS for name in re.findall(r"`([A-Z]\w+)`", row[3])]
    assert len(said) > len(ACTORS)
    assert [name for name in said if not hasattr(messages, name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Within the tree: a file or folder that exists, and a heading of it where one is named."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    lost = []
    for target in ("".join(found) for found in LINK.findall(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, heading = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (heading and heading not in anchors(path)):
            lost.append(target)
    assert lost == []


def anchors(page: Path) -> list[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return [re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain]
