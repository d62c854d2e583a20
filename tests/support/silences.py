"""When each stream of a recording spoke: (received_ns, symbol, Stream), without reading prices."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bus.messages import Stream

D, Q, T, M = Stream
BINANCE = {"depthUpdate": D, "trade": T, "aggTrade": T, "bookTicker": Q, "markPriceUpdate": M}
OKX = {"books": D, "trades": T, "tickers": Q}
KRAKEN_V1 = {"book-1000": D, "trade": T, "ticker": Q}

Word = tuple[int, str, Stream]


def words(path: Path) -> list[Word]:
    """Oldest first. Frames without market data say nothing."""
    found: list[Word] = []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        venue = json.loads(next(file))["venue"]
        for line in file:
            received_ns, kind, _, text = json.loads(line)
            if kind == "recv":
                found += ((received_ns, symbol, stream) for symbol, stream in _said(venue, json.loads(text)))
    return found


def _said(venue: str, frame: Any) -> Iterator[tuple[str, Stream]]:
    if venue == "kraken-v1":
        if isinstance(frame, list) and frame[-2] in KRAKEN_V1:
            yield frame[-1], KRAKEN_V1[frame[-2]]
    elif venue == "kraken-v2":
        if frame.get("channel") == "book":
            yield frame["data"][0]["symbol"], D
    elif venue == "okx":
        if "data" in frame and frame["arg"]["channel"] in OKX:
            yield frame["arg"]["instId"], OKX[frame["arg"]["channel"]]
    elif venue == "bybit":
        if "topic" in frame:
            yield frame["topic"].rpartition(".")[2], D
    elif venue == "coinbase":
        yield "BTC-USD", D
    else:
        event = frame.get("data", frame)
        name = event.get("e", "bookTicker" if "u" in event else "")
        if name in BINANCE:
            yield event["s"], BINANCE[name]
