"""One view's row to one row of a frame. Pure."""

from collections.abc import Mapping
from typing import Any

from actors.execution.pricing import too_small
from bus.messages import Instrument
from bus.messages import Side as OrderSide
from ops.telemetry.frame import ExitRow, Listing, OwnOrder, Print, Shape, Tape
from ops.telemetry.frame import Side as BookSide

PRINTS_MAX = 40
"""Public trades in a frame: more than any terminal shows. Chosen."""
ROWS_MAX = 20
"""Clusters of one side."""
FAR = 1 << 62
"""A threshold beyond any price stands for none."""
_SIDES = {side.name: int(side) for side in OrderSide}


def average(position: Mapping[str, Any], price: int, instrument: Instrument) -> float:
    """See BoardRow. price: one of the touch, 0 when there is none: then the average itself judges the notional."""
    average: float = position.get("average_price", 0.0)
    unit: int = instrument.lot * 10**instrument.base_scale
    lots = abs(position.get("position", 0)) * 10**instrument.quantity_scale // unit
    return 0.0 if too_small((price or round(average)) // instrument.tick, lots, instrument) else average


def own_order(row: tuple[Any, ...]) -> OwnOrder:
    """Of execution's view. Its estimate of the place is two: the cautious one is shown."""
    number, owner, side, price, leaves, phase, client_order_id, since_ns, ahead, _, behind, *_ = row
    lots = (-1 if known is None else known for known in (ahead, behind))
    return OwnOrder(number, owner, _SIDES[side], price, leaves, phase, client_order_id, since_ns, *lots)


def tape(number: int, view: Mapping[str, Any]) -> Tape:
    prints = view.get("trades", ())[-PRINTS_MAX:]
    return Tape(number, tuple(Print(at, price, quantity, side) for price, quantity, side, at, *_ in reversed(prints)))


def shape(number: int, view: Mapping[str, Any]) -> Shape:
    return Shape(
        number,
        view["warm"],
        view["order_flow_imbalance"],
        view["spread_mean"],
        view.get("pressure", 0.0),
        view.get("sweeps", 0),
        _book_side(view.get("bids", {})),
        _book_side(view.get("asks", {})),
    )


def _book_side(view: Mapping[str, Any]) -> BookSide:
    clusters, flickering = view.get("clusters", ())[:ROWS_MAX], view.get("flickering", ())[:ROWS_MAX]
    return BookSide(view.get("thin", False), view.get("depth", 0), tuple(clusters), tuple(flickering))


def exit_row(number: int, view: Mapping[str, Any]) -> ExitRow:
    thresholds = view["thresholds"]
    prices = (thresholds.target, thresholds.even, thresholds.stop) if thresholds else (0, 0, 0)
    shown = [price if abs(price) < FAR else 0 for price in prices]
    return ExitRow(number, view["phase"], view["opened_ns"], *shown)


def listing(row: Instrument, symbol: str) -> Listing:
    """symbol: as people are told of it, with its venue's name unless it is traded."""
    return Listing(
        row.instrument,
        symbol,
        row.base_asset,
        row.quote_asset,
        row.price_scale,
        row.quantity_scale,
        row.base_scale,
        row.quote_scale,
        row.tick,
        row.lot,
    )
