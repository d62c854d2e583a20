"""Kraken's checksum of a book: CRC32 of its best ten levels' digits. Pure. HOT PATH: once a message."""

from zlib import crc32

from bus.messages.feed import Levels, Scales

CHECKSUM_LEVELS = 10  # a side, whatever depth is subscribed (docs, "Book checksum (v2)")


def book_checksum(bids: Levels, asks: Levels, scales: Scales) -> int:
    """Unsigned. Asks from the lowest, then bids from the highest; of each its price and quantity, one behind the other.

    The venue strips the dot and leading zeros of its texts, which have all the instrument's decimals: what is left is our
    integer, provided that `scales` are the venue's own precision.
    """
    ask_prices, ask_quantities = asks
    bid_prices, bid_quantities = bids
    digits = [
        f"{price}{quantity}"
        for price, quantity in zip(ask_prices[:CHECKSUM_LEVELS], ask_quantities[:CHECKSUM_LEVELS], strict=True)
    ]
    digits += [
        f"{price}{quantity}"
        for price, quantity in zip(bid_prices[:CHECKSUM_LEVELS], bid_quantities[:CHECKSUM_LEVELS], strict=True)
    ]
    return crc32("".join(digits).encode())
