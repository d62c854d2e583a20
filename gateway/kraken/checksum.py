"""Kraken's checksum of a book: CRC32 of its best ten levels' digits. Pure. HOT PATH: once a message."""

from zlib import crc32

from msgspec.json import encode

from bus.messages.feed import Levels, Scales

CHECKSUM_LEVELS = 10  # a side, whatever depth is subscribed (docs, "Book checksum (v2)")


def book_checksum(bids: Levels, asks: Levels, scales: Scales) -> int:
    """Unsigned. Asks from the lowest, then bids from the highest; of each its price and quantity, one behind the other.

    The venue strips the dot and leading zeros of its texts, which have all the instrument's decimals: what is left is our
    integer, provided that `scales` are the venue's own precision.
    """
    ask_prices, ask_quantities = asks
    bid_prices, bid_quantities = bids
    middle = 2 * min(len(ask_prices), CHECKSUM_LEVELS)
    figures = [0] * (middle + 2 * min(len(bid_prices), CHECKSUM_LEVELS))
    figures[0:middle:2] = ask_prices[:CHECKSUM_LEVELS]
    figures[1:middle:2] = ask_quantities[:CHECKSUM_LEVELS]
    figures[middle::2] = bid_prices[:CHECKSUM_LEVELS]
    figures[middle + 1 :: 2] = bid_quantities[:CHECKSUM_LEVELS]
    return crc32(encode(figures).translate(None, b"[,]"))  # 1.3 us; a text a level, joined, takes 5.6
