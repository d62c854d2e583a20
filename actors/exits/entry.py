"""What the entry of a position cost in fees, folded from fills. Pure; integers.

A fee in the base asset made the position smaller and its average price higher already (portfolio); it is kept to know at
what price was traded. A fee in the quote asset is counted as it is. A fee in a third asset (a venue's own coin) has no price here: the configured
rate on the quote amount stands in for it. All three are kept until the instrument says which asset is which, so that a
journal can be folded before any instrument is known.
"""

import msgspec

from bus.messages import Fill, Instrument

PPM = 1_000_000


class Paid(msgspec.Struct, gc=False):
    """Fees in one asset. units: of the entry. estimate: the same in quote units, by the configured rate. taken: of the
    entry and of what closed a part of it: all that a position in this asset misses.
    """

    asset: str
    units: int = 0
    estimate: int = 0
    taken: int = 0


class Entry(msgspec.Struct):
    """held: base units by the fills folded here. unsettled: fills whose PositionUpdate, the truth, has not come yet."""

    held: int = 0
    unsettled: int = 0
    paid: list[Paid] = []


def fold(entry: Entry, fill: Fill, fee_ppm: int) -> None:
    """The part of a fill that closes takes its share of the fees with it; the part that opens brings its own. Rounded up."""
    held, quantity = abs(entry.held), fill.quantity
    closing = min(quantity, held) if entry.held * fill.side < 0 else 0
    for paid in entry.paid if closing else ():
        paid.units = _share(paid.units, held - closing, held)
        paid.estimate = _share(paid.estimate, held - closing, held)
        paid.taken = _share(paid.taken, held - closing, held)
    entry.held += fill.side * quantity
    entry.unsettled += 1
    if fill.fee:
        paid = _row(entry, fill.fee_asset)
        paid.units += _share(fill.fee, quantity - closing, quantity)
        paid.estimate += _share(fill.quote * fee_ppm, quantity - closing, quantity * PPM)
        paid.taken += fill.fee


def settle(entry: Entry, position: int) -> None:
    """The position by the ledger, base units: once every fill has met its own, it replaces what was counted here."""
    entry.unsettled = max(entry.unsettled - 1, 0)
    if not entry.unsettled:
        entry.held = position
        if not position:
            entry.paid.clear()


def fees_in_quote(entry: Entry, instrument: Instrument) -> int:
    """Quote units still to be earned back, beside what is in the average price already."""
    base, quote = instrument.base_asset, instrument.quote_asset
    return sum(paid.units if paid.asset == quote else paid.estimate for paid in entry.paid if paid.asset != base)


def traded(entry: Entry, position: int, instrument: Instrument) -> int:
    """Base units that were traded for what is held: the position without the fees that were taken out of it."""
    return position + sum(paid.taken for paid in entry.paid if paid.asset == instrument.base_asset)


def _row(entry: Entry, asset: str) -> Paid:
    for paid in entry.paid:
        if paid.asset == asset:
            return paid
    entry.paid.append(Paid(asset))
    return entry.paid[-1]


def _share(amount: int, part: int, whole: int) -> int:
    return -(-amount * part // whole)
