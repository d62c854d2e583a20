"""One event of the level2 channel as a diff or a whole book, and several of one frame as one. Pure."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from bus.messages.feed import DepthBody, DepthDiff, DepthReset, Finer, Garbage, Scales
from gateway.text import DETAIL_MAX, BadDecimal, TooFine, best_first, finer_scales, read_side, stamp_ns

Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Product = Annotated[str, msgspec.Meta(min_length=1)]


class Update(msgspec.Struct, gc=False):
    """new_quantity is the level's, not a change; "0" deletes. An unknown side is refused: it may be either."""

    side: Literal["bid", "offer"]
    price_level: str
    new_quantity: str
    event_time: str = ""


class BookEvent(msgspec.Struct, gc=False):
    type: Literal["update", "snapshot"]
    product_id: Product
    updates: list[Update]


BookOutcome = DepthDiff | DepthReset | Finer | Garbage


def book_event(event: BookEvent, sequence: int, timestamp: str, scales: Scales) -> BookOutcome:
    """What one event says; sequence and timestamp are its frame's.

    An update is stamped by its last level's own time, which is the matching engine's: a frame that waited on its way
    out says so. A snapshot's levels bear no time worth having (docs show 1970), an empty update none.
    """
    bids: list[str] = []
    offers: list[str] = []
    for update in event.updates:
        texts = bids if update.side == "bid" else offers
        texts.append(update.price_level)
        texts.append(update.new_quantity)
    try:
        bid, offer = read_side(bids, scales), read_side(offers, scales)
        if event.type == "snapshot":
            body = DepthBody(sequence, *best_first(bid, descending=True), *best_first(offer, descending=False))
            return DepthReset(event.product_id, stamp_ns(timestamp), body)
        last = event.updates[-1].event_time if event.updates else ""
        venue_ns = (stamp_ns(last) if last else 0) or stamp_ns(timestamp)
    except TooFine:
        return finer("l2_data", event.product_id, bids + offers, scales)
    except ValueError as error:
        return Garbage(f"l2_data: {type(error).__name__}: {error}"[:DETAIL_MAX], event.product_id)
    return DepthDiff(event.product_id, sequence, sequence, venue_ns, *bid, *offer)


def finer(channel: str, product: str, texts: list[str], scales: Scales) -> Finer | Garbage:
    """What is said instead of figures that are too fine for `scales`."""
    try:
        return Finer(product, finer_scales(texts, scales))
    except BadDecimal as error:
        return Garbage(f"{channel}: BadDecimal {str(error)!r}", product if channel == "l2_data" else "")


def merged(outcomes: Iterable[BookOutcome]) -> tuple[BookOutcome, ...]:
    """One outcome for each product: a number of the connection stands for a frame, so a frame is one step of a book."""
    products: dict[str, BookOutcome] = {}
    for outcome in outcomes:
        before = products.get(outcome.venue_symbol)
        products[outcome.venue_symbol] = outcome if before is None else _after(before, outcome)
    return tuple(products.values())


def _after(before: BookOutcome, outcome: BookOutcome) -> BookOutcome:
    """What two events of one product say together. A snapshot stands for itself; what was lost before a diff stays lost."""
    if not isinstance(outcome, DepthDiff):
        return outcome
    if isinstance(before, DepthReset):
        body = before.body
        bids = body.bid_prices + outcome.bid_prices, body.bid_quantities + outcome.bid_quantities
        asks = body.ask_prices + outcome.ask_prices, body.ask_quantities + outcome.ask_quantities
        together = DepthBody(body.last, *best_first(bids, descending=True), *best_first(asks, descending=False))
        return msgspec.structs.replace(before, body=together)
    if isinstance(before, DepthDiff):
        return msgspec.structs.replace(
            outcome,
            bid_prices=before.bid_prices + outcome.bid_prices,
            bid_quantities=before.bid_quantities + outcome.bid_quantities,
            ask_prices=before.ask_prices + outcome.ask_prices,
            ask_quantities=before.ask_quantities + outcome.ask_quantities,
        )
    return before
