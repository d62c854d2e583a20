"""One account's positions, open orders and leverage, and the margin they need. Pure.

Cross margin, one asset. Of a symbol in one-way mode, the exposure is what its position would be if all bids filled or all
offers did, whichever is larger (docs, "Account Information V3": openOrderInitialMargin; support page "How to calculate cost
required to open a position"); in hedge mode each side has its own. Initial margin is exposure by leverage, rounded up.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ..core.decimals import SCALE
from ..core.orders import OPPOSITE, PositionSide, Side
from .positions import Position, PositionKey, signed_amount

LEVERAGE_DEFAULT = 20  # the venue's own for a new account
LEVERAGE_MAX = 125  # BTCUSDT's, of every symbol here
MAINTENANCE_PPM = 4_000  # BTCUSDT's first bracket, of every symbol here: the brackets above it are not simulated
NOTIONAL_MAX = 300_000_000 * SCALE  # chosen: the one bracket's cap
PPM = 1_000_000
OPENING = {PositionSide.LONG: Side.BUY, PositionSide.SHORT: Side.SELL}


class MarginFigures(NamedTuple):
    """The margin of a position, or of an account."""

    unrealized: int
    position_initial: int
    order_initial: int
    maintenance: int

    @property
    def initial(self) -> int:
        return self.position_initial + self.order_initial

    def plus(self, other: "MarginFigures") -> "MarginFigures":
        return MarginFigures(*(a + b for a, b in zip(self, other, strict=True)))


NO_FIGURES = MarginFigures(0, 0, 0, 0)


class MarginAccount:
    """`bids` and `offers`: the notional of open orders that may open something, by position."""

    def __init__(self) -> None:
        self.hedges = False
        self.positions: dict[PositionKey, Position] = {}
        self.bids: dict[PositionKey, int] = {}
        self.offers: dict[PositionKey, int] = {}
        self._leverage: dict[str, int] = {}

    def position(self, symbol: str, side: PositionSide) -> Position:
        """Return it, flat if there never was one."""
        key = (symbol, side)
        found = self.positions.get(key)
        if found is None:
            found = self.positions[key] = Position()
        return found

    def sides(self) -> tuple[PositionSide, ...]:
        return (PositionSide.LONG, PositionSide.SHORT) if self.hedges else (PositionSide.BOTH,)

    def leverage(self, symbol: str) -> int:
        return self._leverage.get(symbol, LEVERAGE_DEFAULT)

    def set_leverage(self, symbol: str, leverage: int) -> None:
        self._leverage[symbol] = leverage

    def order_notionals(self, side: Side) -> dict[PositionKey, int]:
        return self.bids if side is Side.BUY else self.offers

    def reducible(self, symbol: str, position_side: PositionSide, side: Side) -> int:
        """How much an order of `side` could take off the position: 0 where it would add to it."""
        held = self.positions.get((symbol, position_side))
        quantity = 0 if held is None else held.quantity
        reduces = quantity < 0 if side is Side.BUY else quantity > 0
        return abs(quantity) if reduces else 0

    def exposure(self, key: PositionKey, mark: int, bids: int, offers: int) -> int:
        """The notional that margin is asked for, with so much in bids and offers."""
        held = self.positions.get(key)
        value = 0 if held is None else held.value(mark)
        if key[1] is PositionSide.LONG:
            return value + bids
        if key[1] is PositionSide.SHORT:
            return -value + offers
        return max(abs(value + bids), abs(value - offers))

    def figures(self, key: PositionKey, mark: int) -> MarginFigures:
        leverage = self.leverage(key[0])
        held = self.positions.get(key)
        value = 0 if held is None else abs(held.value(mark))
        position_initial = -(-value // leverage)
        exposure = self.exposure(key, mark, self.bids.get(key, 0), self.offers.get(key, 0))
        unrealized = 0 if held is None else held.unrealized(mark)
        maintenance = value * MAINTENANCE_PPM // PPM
        return MarginFigures(
            unrealized, position_initial, max(0, -(-exposure // leverage) - position_initial), maintenance
        )

    def total(self, marks: Mapping[str, int]) -> MarginFigures:
        total = NO_FIGURES
        for key in {**self.positions, **self.bids, **self.offers}:
            total = total.plus(self.figures(key, marks[key[0]]))
        return total

    def liquidation_price(self, symbol: str, wallet: int, marks: Mapping[str, int]) -> int:
        """The mark price at which the whole margin balance falls to what must be maintained; 0: none above it.

        In hedge mode both sides have the same one: the same price moves them.
        """
        own = {key: held for key, held in self.positions.items() if key[0] == symbol}
        others = self.total(marks)
        for key in own:
            others = others.plus(MarginFigures(*(-x for x in self.figures(key, marks[symbol]))))
        cushion = wallet + others.unrealized - others.maintenance - sum(held.cost for held in own.values())
        # wallet + others + quantities * price - costs = maintenance of |quantities| * price
        quantities = [held.quantity for held in own.values()]
        slope = sum(map(abs, quantities)) * MAINTENANCE_PPM - sum(quantities) * PPM
        return max(0, cushion * SCALE * PPM // slope) if slope else 0


def closes(position_side: PositionSide, side: Side) -> bool:
    """Whether, in hedge mode, such an order can only close."""
    opening = OPENING.get(position_side)
    return opening is not None and side is OPPOSITE[opening]


def open_loss(side: Side, price: int, mark: int, quantity: int) -> int:
    """What a fill at `price` would have lost at once, against the mark price."""
    worse = price - mark if side is Side.BUY else mark - price
    return signed_amount(max(0, worse), quantity)
