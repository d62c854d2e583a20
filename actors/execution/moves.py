"""What the market's moves mean for quotes that rest: touch, levels, prints, thin ice. Pure. HOT PATH: Touch in."""

from actors.execution.phases import CANCELING, DOOMED
from actors.execution.planner import Planner
from actors.execution.pricing import left_alone
from actors.execution.register import Register
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Desk, Market, Slot
from actors.execution.steady import see_liquidity
from bus.actor import NOTHING
from bus.messages import Instrument, LevelQuantities, Liquidity, Message, Touch, TradePrint, TradesMissed


class Moves:
    """counters: the actor's own, shared."""

    def __init__(
        self, settings: ExecutionSettings, register: Register, planner: Planner, counters: dict[str, int]
    ) -> None:
        self.settings = settings
        self.register = register
        self.queues = register.queues
        self.planner = planner
        self.counters = counters

    def on_touch(self, touch: Touch, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(touch.instrument)
        if market is None or market.lost:
            return NOTHING
        market.touch = touch
        instrument = market.instrument
        if instrument is None or instrument.version != touch.version:
            return NOTHING
        line = self.queues.lines.get(touch.instrument)
        if line is not None:
            self.queues.on_touch(line, touch, instrument)
        planner = self.planner
        planner.begin(now_ns, touch.received_ns)
        for desk in market.desks:
            if desk.target is not None:
                self._touched(market, desk, desk.buy, touch, instrument)
                self._touched(market, desk, desk.sell, touch, instrument)
        return planner.end()

    def _touched(self, market: Market, desk: Desk, slot: Slot, touch: Touch, instrument: Instrument) -> None:
        """Quotes that were left alone go. An order of an owner of rank does not: to be filled is what it is there for."""
        opposite = desk.reference_ask if slot.side > 0 else desk.reference_bid
        for order in slot.orders if not desk.rank else ():
            if order.phase is CANCELING or order.phase is DOOMED:
                continue
            if left_alone(order, touch, opposite, instrument.tick, instrument.lot, self.settings.stale_ticks):
                self.planner.cancel(market, desk, order)
                slot.muted = True
                self.counters["stale_cancels"] += 1
                return
        if slot.waiting:
            self.planner.plan(market, desk, slot)

    def on_levels(self, levels: LevelQuantities, now_ns: int) -> tuple[Message, ...]:
        """Where orders rest. Nothing follows at once: what waits for its place in a queue looks with each touch."""
        market = self.register.markets.get(levels.instrument)
        instrument = market.instrument if market is not None else None
        if instrument is not None and instrument.version == levels.version:
            self.queues.on_levels(levels, instrument)
        return NOTHING

    def on_trade(self, trade: TradePrint, now_ns: int) -> tuple[Message, ...]:
        market = self.register.markets.get(trade.instrument)
        if market is None or trade.received_ns <= market.late_ns:
            return NOTHING
        instrument = market.instrument
        if instrument is not None and instrument.version == trade.version:
            self.queues.on_trade(trade, instrument)
        return NOTHING

    def on_trades_missed(self, missed: TradesMissed, now_ns: int) -> tuple[Message, ...]:
        """A trade that is not told leaves a queue's upper bound too high, which a bound may be. One that is told late would
        lower it twice, the level having shown it since, or for an order that came after it: late prints are not taken off.
        """
        market = self.register.markets.get(missed.instrument)
        if market is not None:
            market.late_ns = missed.received_ns
        return NOTHING

    def on_liquidity(self, found: Liquidity, now_ns: int) -> tuple[Message, ...]:
        """Quotes step back at once from ice that has just been found thin; a flicker only concerns new ones."""
        market = self.register.markets.get(found.instrument)
        if market is None or market.touch is None or found.version != market.touch.version:
            return NOTHING
        settings, planner = self.settings, self.planner
        broke = see_liquidity(market, found, settings.step_back_on_thin_ice, settings.thin_ice_hold_ns, now_ns)
        if broke == (False, False):
            return NOTHING
        planner.begin(now_ns, found.received_ns)
        for desk in market.desks:
            if desk.target is not None and not desk.rank:
                for slot, side_broke in zip((desk.buy, desk.sell), broke, strict=True):
                    if side_broke:
                        planner.plan(market, desk, slot)
        return planner.end()
