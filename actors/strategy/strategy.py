"""What a user subclasses: one strategy. Pure: its whole world is the context, and what it wants it asks of the context.

A strategy reads no clock and no file, draws no random number without a seed of its own, and keeps what it must
remember in `save()`: then it can be replayed, simulated and restarted. A strategy whose hook raises, or takes too long, is
quarantined: its quotes are pulled, and it is called no more.
"""

from actors.strategy.context import Context
from bus.messages import (
    BookStateChanged,
    Fill,
    FundingRate,
    Instrument,
    Liquidity,
    MarkPrice,
    OrderRefused,
    OrderUpdate,
    PositionUpdate,
    Signals,
    TradePrint,
    TradesMissed,
)


class Strategy:
    """Every hook may be left out. Hooks run in the order in which the facts happened, never two at a time."""

    def on_start(self, context: Context) -> None:
        """Once a run, and again after a quarantine: the engine has started and the metadata of every instrument is known."""

    def on_signals(self, context: Context, signals: Signals) -> None:
        """The book of one instrument changed and is LIVE. Hot path: tick to order runs through here."""

    def on_liquidity(self, context: Context, liquidity: Liquidity) -> None:
        """The shape of a LIVE book changed: clusters, thin ice, flickering levels. A few times a second at most."""

    def on_trade(self, context: Context, print_: TradePrint) -> None:
        """A public trade."""

    def on_trades_missed(self, context: Context, missed: TradesMissed) -> None:
        """Trades are missing before the next one, or come now though they are older (`missed.backfilled` of them): what
        was summed over the last ones is not of one stretch of market any more.
        """

    def on_mark(self, context: Context, mark: MarkPrice) -> None:
        """The venue's mark price of a perpetual, every second or so; `context.mark` has the last one."""

    def on_funding(self, context: Context, funding: FundingRate) -> None:
        """The funding rate of a perpetual; `context.funding` has the last one."""

    def on_book_lost(self, context: Context, change: BookStateChanged) -> None:
        """The book is not LIVE any more; the quotes are already pulled."""

    def on_fill(self, context: Context, fill: Fill) -> None:
        """One execution of an order of this strategy; `fill.late` when the order had already ended."""

    def on_order(self, context: Context, update: OrderUpdate) -> None:
        """An order of this strategy changed."""

    def on_position(self, context: Context, position: PositionUpdate) -> None:
        """The account's position in one of our instruments changed (by whoever traded)."""

    def on_refused(self, context: Context, refused: OrderRefused) -> None:
        """A wish did not become an order. Execution backs off by itself; nothing needs to be done."""

    def on_timer(self, context: Context, key: str) -> None:
        """The timer set by `context.set_timer(key, ...)`."""

    def on_instrument(self, context: Context, instrument: Instrument, before: Instrument) -> None:
        """The venue changed what it says of an instrument while we run; the quotes are already pulled. Whatever the strategy
        keeps in ticks or lots counts those of `before`: `prices.recounted` counts it in the new ones.
        """

    def on_stop(self, context: Context) -> None:
        """The engine stops; the quotes are already pulled and no new ones pass."""

    def save(self) -> bytes:
        """The strategy's own memory, for a checkpoint; read back by `load`."""
        return b""

    def load(self, saved: bytes) -> None:
        """Become what `save` saw."""
