"""Kraken's checksum: the documented example, live vectors, and every message that was recorded."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from bus.messages.feed import DepthDiff, DepthReset, Finer, Garbage, Levels, Scales, SubscriptionRefused, Verdict
from gateway.kraken.checksum import book_checksum
from gateway.kraken.market import Kraken

DATA = Path(__file__).parents[4] / "shared" / "data"
VECTORS = DATA / "checksums" / "kraken_v2_vectors.json"


def test_the_documented_example() -> None:
    """docs, "Book checksum (v2)": ten levels a side of BTC/USD."""
    asks = "45285.2 45286.4 45286.6 45289.6 45290.2 45291.8 45294.7 45296.1 45297.5 45299.5"
    ask_sizes = "0.00100000 1.54571953 1.54571109 1.54560911 0.15890660 1.54553491 0.04454749 0.35380000 0.09945542"
    bids = "45283.5 45283.4 45282.1 45281.0 45280.3 45279.0 45277.6 45277.5 45277.3 45276.6"
    bid_sizes = "0.10000000 1.54582015 0.10000000 0.10000000 1.54592586 0.07990000 0.03310103 0.30000000 1.54602737"
    sides = [
        levels(list(zip(prices.split(), sizes.split(), strict=True)), Scales(1, 8))
        for prices, sizes in ((bids, bid_sizes + " 0.15445238"), (asks, ask_sizes + " 0.18772827"))
    ]
    assert book_checksum(sides[0], sides[1], Scales(1, 8)) == 3_310_070_434


def test_live_vectors() -> None:
    if not VECTORS.exists():
        pytest.skip("recorded checksums are not beside the repository")
    vectors = json.loads(VECTORS.read_text())
    assert len(vectors) == 3
    for vector in vectors:
        places = [len(text.partition(".")[2]) for text in vector["asks"][0]]
        scales = Scales(*places)
        told = book_checksum(levels(vector["bids"], scales), levels(vector["asks"], scales), scales)
        assert told == vector["checksum"], vector["name"]


@pytest.mark.parametrize(
    ("name", "depth", "count"),
    [("kraken-v2-btc-2026", 10, 4), ("kraken-v2-btcusd-d10", 10, 301), ("kraken-v2-ethusd-d25", 25, 1_129)],
)
def test_every_recorded_message_bears_the_checksum_of_the_book_after_it(name: str, depth: int, count: int) -> None:
    """Scales are learnt from the first snapshot; books are dictionaries, cut to the depth after each message."""
    venue, scales, matched, last = Kraken(), Scales(0, 0), 0, 0
    codec, checksum = venue.codec(), venue.shape(depth).checksum
    assert checksum is not None
    bids: dict[int, int] = {}
    asks: dict[int, int] = {}
    for payload in frames(name):
        event = codec.decode_frame(payload)
        if isinstance(event, Finer):
            scales = event.scales
            codec.set_scales(event.venue_symbol, scales)
            event = codec.decode_frame(payload)
        assert not isinstance(event, Garbage | SubscriptionRefused | Finer), payload
        if isinstance(event, DepthReset):
            last = event.body.last
            bids = dict(zip(event.body.bid_prices, event.body.bid_quantities, strict=True))
            asks = dict(zip(event.body.ask_prices, event.body.ask_quantities, strict=True))
        elif isinstance(event, DepthDiff):
            assert venue.rule.follow(event, last) is Verdict.NEXT
            last = event.last
            bids = kept(bids, event.bid_prices, event.bid_quantities, -1, depth)
            asks = kept(asks, event.ask_prices, event.ask_quantities, 1, depth)
        else:
            continue
        assert event.checksum == checksum(best(bids, -1), best(asks, 1), scales), payload
        matched += 1
    assert matched == count


def frames(name: str) -> list[bytes]:
    path = DATA / "captures" / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip("recorded captures are not beside the repository")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [record[3].encode() for record in map(json.loads, list(lines)[1:]) if record[1] == "recv"]


def levels(texts: list[tuple[str, str]], scales: Scales) -> Levels:
    prices = tuple(int(Decimal(price).scaleb(scales.price)) for price, _ in texts)
    return prices, tuple(int(Decimal(quantity).scaleb(scales.quantity)) for _, quantity in texts)


def kept(
    side: dict[int, int], prices: tuple[int, ...], quantities: tuple[int, ...], sign: int, depth: int
) -> dict[int, int]:
    after = {**side, **dict(zip(prices, quantities, strict=True))}
    prices_left = sorted((price for price, quantity in after.items() if quantity), key=lambda price: sign * price)
    return {price: after[price] for price in prices_left[:depth]}


def best(side: dict[int, int], sign: int) -> Levels:
    prices = tuple(sorted(side, key=lambda price: sign * price))
    return prices, tuple(side[price] for price in prices)
