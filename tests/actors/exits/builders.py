"""Exits with the real portfolio behind them. One tick is 1, one lot is 1, prices and quote units count cents: 100 lots
bought at 10,000 cost 1,000,000. Unless a test says so nothing costs a fee."""

from typing import Any

import msgspec

from actors.exits import Exits, ExitsSettings, OrderMax
from actors.exits.phases import Phase
from actors.exits.watch import ExitsState, Watch
from actors.portfolio import Portfolio, PortfolioSettings
from bus.messages import (
    BookReason,
    BookState,
    BookStateChanged,
    EngineStarted,
    Fill,
    Instrument,
    Message,
    PositionUpdate,
    QuoteIntent,
    SetTimer,
    Side,
    Signals,
    TimerFired,
    TradingState,
    TradingStateChanged,
)

NOW = 1_000_000_000_000
MS = 1_000_000
SECOND = 1_000 * MS
BUY, SELL = Side
SETTINGS: dict[str, Any] = {
    "profit_target_bps": 100,
    "profit_release_bps": 20,
    "break_even_trigger_bps": 50,
    "stop_loss_bps": 100,
    "run_away_bps": 50,
    "passive_ns": 2 * SECOND,
    "cross_ticks_max": 3,
    "cooldown_ns": 30 * SECOND,
}
"""An average of 10,000 makes: target 10,100, taken back below 10,080, armed at 10,050, stop 9,900, run away 9,850."""


def instrument(**given: Any) -> Instrument:
    fields: dict[str, Any] = {
        "instrument": 0, "version": 1, "account": 0, "venue": 0, "venue_symbol": "AAABBB", "base_asset": "AAA",
        "quote_asset": "BBB", "price_scale": 2, "quantity_scale": 0, "base_scale": 0, "quote_scale": 2, "tick": 1,
        "lot": 1, "min_price_ticks": 1, "max_price_ticks": 0, "min_lots": 1, "max_lots": 0, "min_notional": 0,
        "max_notional": 0, "max_orders": 0,
    }  # fmt: skip
    return Instrument(**(fields | given))


def state(to: TradingState, scope: str = "engine") -> TradingStateChanged:
    return TradingStateChanged(scope, to, "test")


BOOK_LOST = BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 0)
BOOK_BACK = BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 1)


class Trader:
    """`fill` is the venue, `market` the book; each returns what exits said to it."""

    def __init__(
        self,
        *,
        started: bool = True,
        filters: Instrument | None = None,
        lots_max: int = 1_000,
        notional_max: int = 0,
        **given: Any,
    ) -> None:
        self.settings = ExitsSettings(**(SETTINGS | given))
        self.order_max = {0: OrderMax(lots_max, notional_max)}
        self.exits = Exits(self.settings, self.order_max)
        self.portfolio = Portfolio(PortfolioSettings(0, 0))
        self.now, self.number, self.update_id = NOW, 0, 0
        self.timers: dict[int, SetTimer] = {}
        self.restarts = False  # True: the actor is replaced by one restored from its bytes before each message
        self.filters = filters or instrument()
        self.portfolio.receive(self.filters, self.now)
        if started:
            self.tell(self.filters)
            self.tell(EngineStarted(0, 1))
            self.tell(state(TradingState.ACTIVE))

    def tell(self, message: Message, after_ns: int = 0) -> list[Message]:
        self.now += after_ns
        if self.restarts:
            self.restart()
        out = list(self.exits.receive(message, self.now))
        for said in out:
            if isinstance(said, SetTimer):
                self.timers[said.counter] = said
        return out

    def restart(self) -> None:
        saved = msgspec.msgpack.encode(self.exits.checkpoint())
        self.exits = Exits(self.settings, self.order_max)
        self.exits.restore(msgspec.msgpack.decode(saved, type=ExitsState))

    def fill(
        self, side: Side, lots: int, price: int = 10_000, *, fee: int = 0, asset: str = "BBB", maker: bool = True
    ) -> list[Message]:
        return self.fills([(side, lots, price, fee, asset, maker)])

    def fills(self, rows: list[tuple[Side, int, int, int, str, bool]]) -> list[Message]:
        """Executions of one cascade: all fills are heard before the first position."""
        said: list[Message] = []
        updates: list[Message] = []
        for side, lots, price, fee, asset, maker in rows:
            self.number += 1
            fill = Fill(
                self.number, 0, 0, 0, 1, "maker", f"id{self.number}", 1, self.number, side, price, lots, lots,
                lots * price, fee, asset, maker, False, self.now,
            )  # fmt: skip
            updates += self.portfolio.receive(fill, self.now)
            said += self.tell(fill)
        for update in updates:
            said += self.tell(update)
        return said

    def position(self, position: int, cost: int, realized: int = 0) -> list[Message]:
        self.number += 1
        return self.tell(PositionUpdate(self.number, 0, 0, 0, 1, position, position, cost, realized, 0.0))

    def market(self, bid: int, ask: int, after_ns: int = 0, **given: Any) -> list[Message]:
        """A LIVE book's signals; of one that was lost, LIVE is said first."""
        self.update_id += 1
        if (watch := self.exits.watches.get(0)) is not None and watch.lost:
            assert self.tell(BOOK_BACK) == []
        fields: dict[str, Any] = {
            "instrument": 0, "version": 1, "update_id": self.update_id, "received_ns": self.now + after_ns, "bid": bid,
            "bid_quantity": 50, "ask": ask, "ask_quantity": 50, "imbalance": 0.0, "depth_imbalance": 0.0,
            "weighted_mid": 0.0, "order_flow_imbalance": 0.0, "spread_mean": 0.0, "spread_deviation": 0.0, "warm": True,
        }  # fmt: skip
        return self.tell(Signals(**(fields | given)), after_ns)

    def wait(self, ns: int) -> list[Message]:
        """Let time pass, timer by timer."""
        until, said = self.now + ns, list[Message]()
        while due := [timer for timer in self.timers.values() if timer.fires_ns <= until]:
            timer = min(due, key=lambda timer: timer.fires_ns)
            del self.timers[timer.counter]
            self.now = max(self.now, timer.fires_ns)
            said += self.tell(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))
        self.now = until
        return said

    @property
    def watch(self) -> Watch:
        return self.exits.watches[0]

    @property
    def phase(self) -> Phase:
        return self.watch.phase


def wishes(said: list[Message]) -> list[tuple[str, int, int]]:
    """(what, ticks, lots) of each intent: "sell" or "buy" passive, "sell!" or "buy!" crossing, "nothing"."""
    rows = []
    for intent in said:
        if isinstance(intent, QuoteIntent):
            assert intent.owner == "exits"
            assert intent.reduce_only
            assert not (intent.bid_lots and intent.ask_lots)
            side, ticks, lots = (
                ("buy", intent.bid_ticks, intent.bid_lots)
                if intent.bid_lots
                else ("sell", intent.ask_ticks, intent.ask_lots)
                if intent.ask_lots
                else ("nothing", 0, 0)
            )
            rows.append((side + "!" * intent.cross, ticks, lots))
    return rows


def long(lots: int = 100, **given: Any) -> Trader:
    """100 lots bought at 10,000, in a market of 9,999 to 10,001."""
    trader = Trader(**given)
    trader.fill(BUY, lots)
    trader.market(9_999, 10_001)
    return trader


def short(lots: int = 100, **given: Any) -> Trader:
    trader = Trader(**given)
    trader.fill(SELL, lots)
    trader.market(9_999, 10_001)
    return trader
