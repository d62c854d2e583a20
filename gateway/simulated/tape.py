"""The venue's public trades, kept for whoever missed some. Pure."""

from collections import deque

from .core.orders import PublicTrade

TRADES_MAX = 20_000  # of one symbol; chosen: minutes of a busy one


class Tape:
    """The last trades of each symbol, by id."""

    def __init__(self) -> None:
        self._trades: dict[str, deque[PublicTrade]] = {}

    def add(self, trade: PublicTrade) -> None:
        self._trades.setdefault(trade.symbol, deque(maxlen=TRADES_MAX)).append(trade)

    def trades(self, symbol: str, from_id: int | None, limit: int) -> list[PublicTrade]:
        """Oldest first: from an id on, or the latest."""
        kept = list(self._trades.get(symbol, ()))
        if from_id is None:
            return kept[-limit:]
        return [trade for trade in kept if trade.trade_id >= from_id][:limit]
