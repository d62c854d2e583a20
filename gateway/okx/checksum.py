"""OKX's checksum of a book: CRC32 of its best 25 levels' texts. Pure. Zero, so none, since 2026-06-23."""

from zlib import crc32

from bus.messages.feed import Levels, Scales
from gateway.text import decimal_text

CHECKSUM_LEVELS = 25  # a side (docs of 2022, "Checksum")


def book_checksum(bids: Levels, asks: Levels, scales: Scales) -> int:
    """Unsigned. The best bid and the best ask, then the second ones, and so on; of each its price and quantity.

    The venue takes its own texts, which are the shortest decimals: so are ours, whatever the scales.
    """
    texts: list[str] = []
    for rank in range(min(CHECKSUM_LEVELS, max(len(bids[0]), len(asks[0])))):
        for prices, quantities in (bids, asks):
            if rank < len(prices):
                texts.append(decimal_text(prices[rank], scales.price))
                texts.append(decimal_text(quantities[rank], scales.quantity))
    return crc32(":".join(texts).encode())
