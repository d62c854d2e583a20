"""Who may import whom: the table of docs/ARCHITECTURE.md, read off the source with `ast`."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bus", "actors", "gateway", "ops")

# What an actor's purity forbids of the standard library: clocks, I/O, randomness, logging, concurrency, the process.
PURE_STDLIB = {
    "__future__", "abc", "array", "bisect", "collections", "contextlib", "copy", "dataclasses", "decimal", "enum",
    "fractions", "functools", "heapq", "itertools", "math", "operator", "re", "statistics", "string", "struct",
    "types", "typing", "zlib",
}  # fmt: skip
CODEC_STDLIB = PURE_STDLIB | {"base64", "binascii", "hashlib", "hmac", "urllib", "difflib", "json"}
DOORS = {
    "gateway.doors.websocket": {"websockets"},
    "gateway.doors.session": {"tenacity"},
    "gateway.doors.http": {"aiohttp", "yarl"},
    "gateway.doors.store": set(),
    "gateway.doors.coordination.etcd": {"etcd3", "grpc", "tenacity"},
}
"""One door a library. sqlite3, the store's, is in the standard library."""
SHARED = ("gateway.text", "gateway.market")
"""What every venue's folder may import besides its own: decimals, and the shape of a venue."""

SAME_COMPANY = {"gateway.binance_usdm": ("gateway.binance_spot",)}
"""A venue that signs, frames and answers as another one does imports that; never the other way round."""


def modules(room: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / room).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, path


def imports(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file; relative ones resolved."""
    package = path.relative_to(ROOT).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            found.add(".".join((*above, *filter(None, [node.module]))))
    return found


def within(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def is_stdlib(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def allowed(importer: str, imported: str) -> bool:
    """The table, a row a branch."""
    top = imported.split(".")[0]
    if within(importer, "bus.messages"):
        return within(imported, "bus.messages") or top == "msgspec" or top in PURE_STDLIB
    if within(importer, "bus"):
        if top == "zmq":
            return within(importer, "bus.mailbox")
        return within(imported, "bus") or top in ("msgspec", "uvloop", "sortedcontainers") or is_stdlib(imported)
    if within(importer, "actors"):
        own = ".".join(importer.split(".")[:2])
        return (
            within(imported, "bus.messages", "bus.actor", own)
            or top in ("msgspec", "sortedcontainers")
            or top in PURE_STDLIB
        )
    if within(importer, "gateway.simulated.core", "gateway.simulated.crowd"):
        is_crowd = within(importer, "gateway.simulated.crowd")
        own = ("gateway.simulated.core", "gateway.simulated.crowd") if is_crowd else ("gateway.simulated.core",)
        drawn = PURE_STDLIB | {"random"} if is_crowd else PURE_STDLIB  # the crowd draws, from the seed it is given
        return within(imported, *own) or top in ("msgspec", "sortedcontainers") or top in drawn
    if within(importer, "gateway.simulated"):
        return (
            within(imported, "gateway.simulated")
            or top in ("msgspec", "aiohttp", "sortedcontainers", "cryptography")
            or is_stdlib(imported)
        )
    if within(importer, "gateway.doors"):
        return (
            within(
                imported,
                "bus.messages",
                "bus.log",
                "bus.codec",
                "bus.actor",
                "bus.latency",
                "gateway.doors",
                "gateway.market",
            )
            or (imported == "bus.clock" and within(importer, "gateway.doors.coordination"))  # leases end by boottime
            or top == "msgspec"
            or any(top in libraries for door, libraries in DOORS.items() if within(importer, door))
            or is_stdlib(imported)
        )
    if within(importer, "gateway"):  # a venue's folder: pure, and its own
        own = ".".join(importer.split(".")[:2])
        if top == "cryptography":
            return importer.endswith(".signing")
        shared = (() if own in SHARED else SHARED) + SAME_COMPANY.get(own, ())
        return within(imported, "bus.messages", own, *shared) or top == "msgspec" or top in CODEC_STDLIB
    if within(importer, "ops"):
        if top == "zmq":
            return importer == "ops.bench.naive"  # the naive way is there to be measured
        return top != "npyscreen" or within(importer, "ops.console")
    raise AssertionError(importer)


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_is_in_the_table(room: str) -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules(room)
        for imported in sorted(imports(path))
        if not allowed(name, imported)
    ]
    assert wrong == []


def test_the_table_can_say_no() -> None:
    refused = [
        ("actors.risk.actor", "time"), ("actors.risk.actor", "actors.orders"), ("actors.risk.actor", "gateway.doors"),
        ("actors.risk.actor", "random"), ("bus.host", "zmq"), ("bus.host", "actors.risk"), ("bus.messages.base", "bus.host"),
        ("gateway.binance_spot.orders", "gateway.binance_usdm.orders"), ("gateway.kraken.codec", "gateway.binance_spot.codec"),
        ("gateway.binance_spot.codec", "actors.market_data"), ("gateway.binance_spot.codec", "aiohttp"),
        ("gateway.doors.rest", "websockets"), ("gateway.doors.rest", "bus.clock"), ("gateway.doors.coordination.local", "grpc"),
        ("ops.cli", "zmq"), ("ops.cli", "npyscreen"), ("gateway.simulated.core.matching", "gateway.simulated.desk"),
        ("gateway.simulated.core.book", "random"), ("gateway.simulated.core.matching", "gateway.simulated.crowd.flow"),
        ("gateway.simulated.crowd.flow", "time"), ("gateway.simulated.desk", "bus.messages"),
    ]  # fmt: skip
    assert [row for row in refused if allowed(*row)] == []


FORBIDDEN_CALLS = {"open", "print", "input", "id", "hash", "eval", "exec", "globals", "__import__", "breakpoint"}
"""`id` and `hash` differ between processes: an order by them replays differently."""


def impurities(path: Path) -> list[str]:
    """What in a file an actor must not do."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            found.append(f"{where} awaits")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            found.append(f"{where} calls {node.func.id}")
        elif isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter):
            found.append(f"{where} iterates a set")
        elif isinstance(node, ast.Global):
            found.append(f"{where} has global state")
    return found


def _is_set(node: ast.expr) -> bool:
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return named or isinstance(node, ast.Set | ast.SetComp)


def test_actors_never_await_or_touch_clock_io_randomness() -> None:
    assert [line for _, path in modules("actors") for line in impurities(path)] == []


@pytest.mark.parametrize("folder", ["core", "crowd"])
def test_the_venue_s_core_is_as_pure_as_an_actor(folder: str) -> None:
    """Simulations run it: the same commands and times must give the same history in any process."""
    assert [line for _, path in modules(f"gateway/simulated/{folder}") for line in impurities(path)] == []


def test_impurities_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bad.py"
    path.write_text("async def f():\n    await g()\n    print(id(3))\n    for x in {1, 2}:\n        open(x)\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    assert len(impurities(path)) == 6


@pytest.mark.parametrize("room", ROOMS)
def test_every_package_ships_its_types(room: str) -> None:
    assert (ROOT / room / "py.typed").exists()


def test_no_test_folder_is_a_package() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
