"""The venue's public trades: kept one by one, put together by taker order, and as candles. Pure, bounded.

Binance's aggregate trade: what one taker order traded at one price (rest-api.md, "Compressed/Aggregate trades list").
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from .candles import Candles
from .core.orders import PublicTrade

TRADES_MAX = 20_000  # of one symbol; chosen: minutes of a busy one


class AggregateTrade(msgspec.Struct, frozen=True, gc=False):
    symbol: str
    aggregate_id: int
    price: int
    quantity: int
    first_id: int
    last_id: int
    time_ns: int
    buyer_is_maker: bool


class SymbolTape:
    """One symbol's: the last trades and aggregates, oldest first."""

    def __init__(self) -> None:
        self.trades: deque[PublicTrade] = deque(maxlen=TRADES_MAX)
        self.aggregates: deque[AggregateTrade] = deque(maxlen=TRADES_MAX)
        self.candles = Candles()
        self._last_aggregate_id = 0

    def add(self, trade: PublicTrade) -> None:
        self.trades.append(trade)
        self.candles.add(trade)

    def aggregate(self, trades: list[PublicTrade]) -> AggregateTrade:
        """Put consecutive trades of one taker order at one price together."""
        first, last = trades[0], trades[-1]
        self._last_aggregate_id += 1
        aggregate = AggregateTrade(
            symbol=first.symbol,
            aggregate_id=self._last_aggregate_id,
            price=first.price,
            quantity=sum(trade.quantity for trade in trades),
            first_id=first.trade_id,
            last_id=last.trade_id,
            time_ns=last.time_ns,
            buyer_is_maker=first.buyer_is_maker,
        )
        self.aggregates.append(aggregate)
        return aggregate


class Tape:
    """The trades of every symbol."""

    def __init__(self) -> None:
        self._symbols: dict[str, SymbolTape] = {}

    def of(self, symbol: str) -> SymbolTape:
        found = self._symbols.get(symbol)
        if found is None:
            found = self._symbols[symbol] = SymbolTape()
        return found

    def add(self, trades: Iterable[PublicTrade]) -> list[AggregateTrade]:
        """Keep what a drain of the matching engine brought, in its order; return the aggregates it makes.

        An order matches within one drain, so no aggregate goes on in the next.
        """
        runs: list[list[PublicTrade]] = []
        for trade in trades:
            self.of(trade.symbol).add(trade)
            if runs and _is_same_taker(runs[-1][-1], trade):
                runs[-1].append(trade)
            else:
                runs.append([trade])
        return [self.of(run[0].symbol).aggregate(run) for run in runs]

    def trades(self, symbol: str, from_id: int | None, limit: int) -> list[PublicTrade]:
        """Oldest first: from an id on, or the latest."""
        kept = list(self.of(symbol).trades)
        if from_id is None:
            return kept[-limit:]
        return [trade for trade in kept if trade.trade_id >= from_id][:limit]


def _is_same_taker(one: PublicTrade, other: PublicTrade) -> bool:
    return (one.symbol, one.taker_order_id, one.price) == (other.symbol, other.taker_order_id, other.price)
