"""What it would cost about to close positions now, by the levels that a running engine shows. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from ops.config import decimal_text
from ops.telemetry import BoardRow, Ladder, Listing


class Closing(NamedTuple):
    """One position and its way out; decimal text. average: over the levels that it would take, "": they are not shown.

    below: quote units lost against the mid, without fees. beyond: more is held than the shown levels have.
    """

    symbol: str
    position: str
    average: str
    below: str
    quote_asset: str
    beyond: bool

    @property
    def line(self) -> str:
        side = "buy back" if self.position.startswith("-") else "sell"
        words = f"{side} {self.symbol} {self.position.lstrip('-')}"
        if not self.average:
            return f"{words}: its book is not shown, the price is not known"
        more = ", and more than the levels shown" if self.beyond else ""
        return f"{words} at about {self.average}{more}: {self.below} {self.quote_asset} worse than the mid, and the venue's fee"


def closings(rows: Iterable[BoardRow], listings: dict[int, Listing], ladders: dict[int, Ladder]) -> list[Closing]:
    """Of everything that is held."""
    return [
        _closing(row, listings[row.instrument], ladders.get(row.instrument))
        for row in rows
        if row.position and row.instrument in listings
    ]


def _closing(row: BoardRow, listing: Listing, ladder: Ladder | None) -> Closing:
    held = decimal_text(row.position, listing.base_scale)
    unknown = Closing(listing.symbol, held, "", "", listing.quote_asset, False)
    if ladder is None or not (ladder.bid_prices and ladder.ask_prices):
        return unknown
    long = row.position > 0
    prices, quantities = (
        (ladder.bid_prices, ladder.bid_quantities) if long else (ladder.ask_prices, ladder.ask_quantities)
    )
    wanted = abs(row.position) * 10**listing.quantity_scale // 10**listing.base_scale
    left, taken = wanted, 0
    for price, quantity in zip(prices, quantities, strict=True):
        part = min(left, quantity)
        taken += part * price
        left -= part
        if not left:
            break
    done = wanted - left
    if not done:
        return unknown
    mid_twice = ladder.bid_prices[0] + ladder.ask_prices[0]
    lost_twice = abs(2 * taken - done * mid_twice)
    scale = listing.price_scale + listing.quantity_scale
    below = lost_twice * 10**listing.quote_scale // (2 * 10**scale)
    average = decimal_text(taken // done, listing.price_scale)
    return Closing(
        listing.symbol, held, average, decimal_text(below, listing.quote_scale), listing.quote_asset, left > 0
    )
