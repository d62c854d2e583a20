"""Recordings for tests: the real ones beside the repository, and small ones written line by line."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "captures"
NAMES = (
    "binance-spot-ethusdt-20240808",
    "binance-spot-many-30s",
    "binance-us-btcusdt-2026",
    "binance-us-many-30s",
)
HEADER = {"capture": 1, "venue": "binance-spot", "source": "test"}


def recording(name: str) -> Path:
    path = CAPTURES / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip("recorded captures are not beside the repository")
    return path


def lines_of(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """The header, and the records as lists."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        header, *records = map(json.loads, file)
    return header, records


def write(path: Path, lines: list[Any]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    return path


def depth(first: int, last: int, bids=(), asks=(), symbol: str = "ETHUSDT", at: int = 0) -> list[Any]:
    event = {"e": "depthUpdate", "E": 1, "s": symbol, "U": first, "u": last, "b": bids, "a": asks}
    return [at or last, "recv", "ws", json.dumps(event, separators=(",", ":"))]


def ticker(last: int, bid: str, ask: str, quantity: str = "1.00000000") -> list[Any]:
    event = {"u": last, "s": "ETHUSDT", "b": bid, "B": quantity, "a": ask, "A": quantity}
    return [last, "recv", "ws", json.dumps(event, separators=(",", ":"))]


def snapshot(last: int, bid: str = "10.00000000", ask: str = "11.00000000") -> list[Any]:
    body = {"lastUpdateId": last, "bids": [[bid, "1.00000000"]], "asks": [[ask, "1.00000000"]]}
    return [last, "rest", "/api/v3/depth?symbol=ETHUSDT&limit=1000", json.dumps(body, separators=(",", ":"))]
