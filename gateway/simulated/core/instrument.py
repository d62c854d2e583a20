"""One listed symbol: its rules, its book, the stops that wait beside it, its counters. Pure."""

from .average import AveragePrice
from .filters import SymbolRules
from .orders import Liquidity, Order
from .stops import StopBook


class Instrument:
    """`last_price`: of the last trade, 0 before the first."""

    def __init__(self, rules: SymbolRules, book: Liquidity) -> None:
        self.rules = rules
        self.book = book
        self.stops = StopBook()
        self.average = AveragePrice(rules.average_minutes)
        self.last_price = 0
        self.last_trade_id = 0

    def reference_price(self, now_ns: int) -> int | None:
        """What orders without a limit are measured by."""
        average = self.average.value(now_ns)
        return self.book.middle() if average is None else average

    def trigger_price(self) -> int | None:
        """What stop prices are held against: the last trade's price, or before the first trade the middle of the book."""
        return self.last_price or self.book.middle()

    def traded(self, price: int, quantity: int, now_ns: int) -> list[Order]:
        """Note a public trade; remove and return the stops it triggers."""
        self.last_price = price
        self.average.add(price, quantity, now_ns)
        stops = self.stops
        return stops.take(price) if price >= stops.rise_at or price <= stops.fall_at else []
