"""What a strategy may see and ask for. Pure. It collects messages; the actor around it returns them."""

import msgspec

from actors.strategy.prices import unit_of
from actors.strategy.state import Line, StrategySettings, TimerKey
from bus.messages import (
    Alert,
    AlertLevel,
    CancelTimer,
    FundingRate,
    Instrument,
    Liquidity,
    MarkPrice,
    Message,
    OrderUpdate,
    QuoteIntent,
    SetTimer,
    Side,
    Signals,
    TradingState,
)

TIMERS_MAX = 64  # chosen; a further key is refused with an alert
ALERTS_MAX = 8  # a hook; chosen: more than a person reads at once. The rest is dropped and counted.


class Context:
    """Valid during a hook. `now_ns` is the input's time, the same for everything that follows from it."""

    def __init__(self, settings: StrategySettings) -> None:
        self.settings = settings
        self.now_ns = 0
        self.stopping = False
        self.lines = {number: Line(number) for number in (*settings.instruments, *settings.watched)}
        self.timers: dict[str, TimerKey] = {}
        self.first_generation = 0
        self.out: list[Message] = []
        self.received_ns = 0
        self.cause = -1
        self.alerts = 0
        self.alerts_dropped = 0
        self._renew_ns = settings.intent_life_ns // 2

    @property
    def instruments(self) -> tuple[int, ...]:
        """Those that may be quoted."""
        return self.settings.instruments

    @property
    def watched(self) -> tuple[int, ...]:
        """Those of [[feed]]: they have signals and trades as any other, and nobody can quote them."""
        return self.settings.watched

    def instrument(self, instrument: int) -> Instrument:
        """Metadata: tick, lot, filters. Raises KeyError for an instrument that is not configured."""
        known = self.lines[instrument].instrument
        assert known is not None, "hooks run only when every instrument is known"
        return known

    def signals(self, instrument: int) -> Signals | None:
        """The last signals; None unless the book is LIVE."""
        line = self.lines[instrument]
        return line.signals if line.live else None

    def liquidity(self, instrument: int) -> Liquidity | None:
        """The last word on the book's shape; None unless the book is LIVE and has been looked at."""
        line = self.lines[instrument]
        return line.liquidity if line.live else None

    def mark(self, instrument: int) -> MarkPrice | None:
        """The venue's last mark price in this run, whatever the book's state; None for what is no perpetual. Its age is
        `now_ns - mark.received_ns`.
        """
        return self.lines[instrument].mark

    def funding(self, instrument: int) -> FundingRate | None:
        """The last funding rate in this run; None for what is no perpetual."""
        return self.lines[instrument].funding

    def position_lots(self, instrument: int) -> int:
        """The account's position, whole lots."""
        return self.lines[instrument].position_lots

    def position_base(self, instrument: int) -> int:
        """The account's position, in the base asset's smallest unit, since the baseline, fees included."""
        return self.lines[instrument].position

    def orders(self, instrument: int) -> tuple[OrderUpdate, ...]:
        """Own orders that are not done, oldest first."""
        return tuple(self.lines[instrument].orders)

    def working_lots(self, instrument: int, side: Side) -> int:
        """Open remainder of the own orders on one side, those being canceled included; in lots of today, rounded up."""
        line = self.lines[instrument]
        orders = [order for order in line.orders if order.side == side]
        unit = unit_of(line.instrument) if orders and line.instrument is not None else 0
        return sum(-(-o.leaves_lots * o.unit // unit) if unit and o.unit else o.leaves_lots for o in orders)

    def trading_state(self, instrument: int) -> TradingState:
        """The strictest of the engine's, the instrument's and this strategy's."""
        return self.lines[instrument].state

    def quote(
        self, instrument: int, bid_ticks: int, bid_lots: int, ask_ticks: int, ask_lots: int, *, cross: bool = False
    ) -> bool:
        """Wish this to rest, in place of the last wish; 0 lots: nothing on that side.

        cross: an order may take what rests at its price or better; without it, it is post-only and held off the other side.
        False: nothing may rest now (stopping, book not LIVE, trading state not ACTIVE) and the last wish is pulled.
        A wish equal to the last one is sent again only when half of the last one's life is over.
        """
        line = self.lines[instrument]
        if line.state or not line.live or self.stopping:
            self.pull(instrument)
            return False
        last = line.intent
        if (
            last is not None
            and last.bid_ticks == bid_ticks
            and last.bid_lots == bid_lots
            and last.ask_ticks == ask_ticks
            and last.ask_lots == ask_lots
            and last.cross == cross
            and self.now_ns - line.quoted_ns < self._renew_ns
        ):
            return True
        if bid_lots or ask_lots:
            self._wish(line, bid_ticks, bid_lots, ask_ticks, ask_lots, cross=cross)
            return True
        self.pull(instrument)
        return True

    def pull(self, instrument: int) -> None:
        """Wish nothing to rest. Sent once; in every state."""
        line = self.lines[instrument]
        if line.resting:
            self._wish(line, 0, 0, 0, 0)

    def _wish(
        self, line: Line, bid_ticks: int, bid_lots: int, ask_ticks: int, ask_lots: int, *, cross: bool = False
    ) -> None:
        instrument, settings, signals = line.instrument, self.settings, line.signals
        if not (type(bid_ticks) is type(bid_lots) is type(ask_ticks) is type(ask_lots) is int):
            raise TypeError(
                f"quote takes whole ticks and lots as int: bid {bid_ticks!r} x {bid_lots!r}, ask {ask_ticks!r} x {ask_lots!r}"
            )
        assert instrument is not None, "a line quotes only after its instrument came"
        intent = QuoteIntent(
            settings.account,
            instrument.venue,
            line.number,
            instrument.version,
            settings.owner,
            False,
            signals.update_id if signals is not None else 0,
            self.received_ns if self.cause == line.number else 0,
            self.now_ns + settings.intent_life_ns,
            bid_ticks,
            bid_lots,
            ask_ticks,
            ask_lots,
            cross,
        )
        line.intent = intent
        line.quoted_ns = self.now_ns
        line.resting = bid_lots > 0 or ask_lots > 0
        self.out.append(intent)

    def set_timer(self, key: str, after_ns: int) -> None:
        """on_timer(key) after this long; a timer of the same key is replaced."""
        timer = self.timers.get(key)
        if timer is None:
            if len(self.timers) >= TIMERS_MAX:
                self.alert("strategy_timer_limit", AlertLevel.WARNING, detail=f"key={key} limit={TIMERS_MAX}")
                return
            timer = self.timers[key] = TimerKey(key, len(self.timers), self.first_generation, False)
        timer.generation += 1
        timer.armed = True
        self.out.append(SetTimer("strategy", timer.counter, timer.generation, self.now_ns + after_ns))

    def cancel_timer(self, key: str) -> None:
        """Forget it; not an error when it has fired or was never set."""
        timer = self.timers.get(key)
        if timer is not None and timer.armed:
            timer.armed = False
            timer.generation += 1
            self.out.append(CancelTimer("strategy", timer.counter))

    def forget_timers(self, now_ns: int) -> None:
        """None is set any more. Those that are on their way find no generation of their own: new ones count from now_ns."""
        self.timers.clear()
        self.first_generation = now_ns

    def alert(self, event: str, level: AlertLevel = AlertLevel.INFO, *, instrument: int = -1, detail: str = "") -> None:
        """A word for the log and for people; at most ALERTS_MAX a hook."""
        self.alerts += 1
        if self.alerts > ALERTS_MAX:
            self.alerts_dropped += 1
            return
        self.out.append(Alert(level, "strategy", event, instrument, detail))

    def saved_lines(self) -> list[Line]:
        return [msgspec.structs.replace(line, orders=list(line.orders)) for line in self.lines.values()]
