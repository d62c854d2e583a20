"""One frame's texts in one instrument's scales: what cannot be read is named, what is too fine says what would hold it. Pure."""

from collections.abc import Sequence

from bus.messages.feed import Finer, Scales
from gateway.text.decimals import BadDecimal, TooFine, units


class Figures:
    """What is too fine for its scale is read as 0 and remembered: then `finer` speaks for the frame, and nothing of it is used.

    decimals_max: the most that the venue ever writes; a text with more is damaged, and no reason to rescale an
    instrument. Methods raise BadDecimal naming the field when a text is no decimal of that many places, or too large.
    """

    def __init__(self, scales: Scales, decimals_max: int) -> None:
        self.scales = scales
        self.needed = scales
        self.too_fine = ""
        self._decimals_max = decimals_max

    def price(self, field: str, text: str) -> int:
        try:
            return units(text, self.scales.price)
        except BadDecimal as error:
            decimals = self._decimals(field, text, error)
        self.needed = self.needed._replace(price=max(self.needed.price, decimals))
        return 0

    def quantity(self, field: str, text: str) -> int:
        try:
            return units(text, self.scales.quantity)
        except BadDecimal as error:
            decimals = self._decimals(field, text, error)
        self.needed = self.needed._replace(quantity=max(self.needed.quantity, decimals))
        return 0

    def levels(self, side: str, levels: Sequence[tuple[str, str]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return prices and quantities; an error names side, level and which of the two."""
        price_scale, quantity_scale = self.scales
        try:
            return (
                tuple([units(price, price_scale) for price, _ in levels]),
                tuple([units(quantity, quantity_scale) for _, quantity in levels]),
            )
        except BadDecimal:
            for rank, (price, quantity) in enumerate(levels):
                self.price(f"{side}[{rank}].price", price)
                self.quantity(f"{side}[{rank}].quantity", quantity)
            return (), ()

    def finer(self, venue_symbol: str) -> Finer | None:
        return Finer(venue_symbol, self.needed) if self.needed != self.scales else None

    def _decimals(self, field: str, text: str, error: BadDecimal) -> int:
        """Return how many the text needs, if that is what is wrong with it."""
        if isinstance(error, TooFine) and error.decimals <= self._decimals_max:
            self.too_fine = f"{field}: {text} needs {error.decimals} decimals"
            return error.decimals
        limit = f"at most {self._decimals_max} places below 2^63"
        raise BadDecimal(f"{field}: {text[:64]!r} is no decimal of {limit}") from None
