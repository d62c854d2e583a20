"""The queues that our accepted orders stand in: who is told what of the book and the tape. Pure. HOT PATH: touch, trade.

`lines` holds the accepted orders of a market and side in the order of their acceptance, of every owner: whatever came
later at the same price is behind. The book is asked for the levels at which orders stand (WatchLevels) whenever one is
accepted and when one ends (an order is on its way out then: with the next sweep). Touch says what is at the touch, and
that nothing is before it.
"""

from actors.execution.phases import WORKING
from actors.execution.queue import UNKNOWN, Queue, behind, see_level, see_trade, see_trade_beyond, settle
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import Market, Order
from bus.messages import Instrument, LevelQuantities, Side, Touch, TradePrint, WatchLevels


class Line:
    """Accepted orders of one market. joined: one of them is new, so the book is to be asked at once."""

    __slots__ = ("asks", "bids", "joined")

    def __init__(self) -> None:
        self.bids: list[Order] = []
        self.asks: list[Order] = []
        self.joined = False


class Queues:
    def __init__(self, settings: ExecutionSettings) -> None:
        self.settings = settings
        self.lines: dict[int, Line] = {}

    # Who stands where

    def line(self, number: int) -> Line:
        line = self.lines.get(number)
        if line is None:
            line = self.lines[number] = Line()
        return line

    def join(self, number: int, order: Order, now_ns: int) -> None:
        """It was accepted. Nothing is known of its place before the book answers."""
        line = self.line(number)
        order.queue, order.accepted_ns = Queue(), now_ns
        orders = line.bids if order.side > 0 else line.asks
        orders.append(order)
        orders.sort(key=_arrival)  # of one input the lower command first, as a restored line has them
        line.joined = True

    def leave(self, number: int, order: Order) -> None:
        line = self.line(number)
        orders = line.bids if order.side > 0 else line.asks
        orders[:] = [other for other in orders if other is not order]

    def forget(self, market: Market) -> None:
        """Ticks and lots are other ones now: the orders that still stand are on their way out."""
        line = self.lines.pop(market.number, None)
        for order in [*line.bids, *line.asks] if line is not None else []:
            order.queue = None

    def index(self, markets: list[Market]) -> None:
        """Build the lines of restored markets: as they were, because what is accepted is never accepted again."""
        self.lines = {}
        for market in markets:
            slots = [slot for desk in market.desks for slot in (desk.buy, desk.sell)]
            orders = [order for slot in slots for order in slot.orders if order.queue is not None]
            for order in sorted(orders, key=_arrival):
                line = self.line(market.number)
                (line.bids if order.side > 0 else line.asks).append(order)

    # What the book is asked

    def watch(self, market: Market) -> WatchLevels:
        """The levels of all accepted orders, the oldest order's first."""
        self.line(market.number).joined = False
        market.watched_bids, market.watched_asks = self._levels(market)
        return WatchLevels(market.number, market.watched_bids, market.watched_asks)

    def outdated(self, market: Market) -> bool:
        """Whether the book still tells of a level at which no order stands any more, or lacks one. For the sweep."""
        bids, asks = self._levels(market)
        return set(bids) != set(market.watched_bids) or set(asks) != set(market.watched_asks)

    def _levels(self, market: Market) -> tuple[tuple[int, ...], tuple[int, ...]]:
        line, instrument = self.lines.get(market.number), market.instrument
        if line is None or instrument is None:
            return (), ()
        tick = instrument.tick
        bids, asks = [[order.price_ticks * tick for order in orders] for orders in (line.bids, line.asks)]
        return tuple(dict.fromkeys(bids)), tuple(dict.fromkeys(asks))

    # What the market says

    def on_touch(self, line: Line, touch: Touch, instrument: Instrument) -> None:
        """The touch says its own level, and that nothing is displayed before it."""
        tick, lot, received_ns = instrument.tick, instrument.lot, touch.received_ns
        best = touch.bid
        for order in line.bids:
            price = order.price_ticks * tick
            if price >= best:
                displayed = touch.bid_quantity if price == best else 0
                self._see(line.bids, order.price_ticks, displayed, lot, received_ns)
        best = touch.ask
        for order in line.asks:
            price = order.price_ticks * tick
            if price <= best or not best:
                displayed = touch.ask_quantity if price == best else 0
                self._see(line.asks, order.price_ticks, displayed, lot, received_ns)

    def on_levels(self, levels: LevelQuantities, instrument: Instrument) -> None:
        line = self.lines.get(levels.instrument)
        if line is None or not levels.known:
            return  # beyond the horizon: what was known of the queue stays an upper bound
        tick, lot = instrument.tick, instrument.lot
        for price, quantity in zip(levels.bid_prices, levels.bid_quantities, strict=True):
            self._see(line.bids, price // tick, quantity, lot, levels.received_ns)
        for price, quantity in zip(levels.ask_prices, levels.ask_quantities, strict=True):
            self._see(line.asks, price // tick, quantity, lot, levels.received_ns)

    def _see(self, orders: list[Order], price_ticks: int, displayed: int, lot: int, received_ns: int) -> None:
        """Last come first, so that what is ours behind an order is known when its turn comes."""
        own_behind = 0
        for order in reversed(orders):
            queue = order.queue
            if order.price_ticks != price_ticks or queue is None:
                continue
            own = own_behind + order.leaves_lots * lot
            if displayed != queue.displayed or queue.traded:
                see_level(queue, displayed, own)
            if not queue.settled and received_ns - order.accepted_ns >= self.settings.book_lag_ns:
                settle(queue, own)
            if queue.settled and order.phase is WORKING:
                own_behind = own  # one being canceled may be gone already: not counted as ours

    def on_trade(self, trade: TradePrint, instrument: Instrument) -> None:
        """At an order's price it takes from the front of its queue; beyond it, nothing is ahead any more."""
        line = self.lines.get(trade.instrument)
        if line is None:
            return
        tick, price, quantity = instrument.tick, trade.price, trade.quantity
        side = 1 if trade.aggressor is Side.SELL else -1
        for order in line.bids if side > 0 else line.asks:
            queue = order.queue
            beyond = (order.price_ticks * tick - price) * side
            if beyond < 0 or queue is None:
                continue
            if beyond == 0:
                see_trade(queue, quantity)
            else:
                see_trade_beyond(queue)

    # What time and people want

    def settle(self, market: Market) -> None:
        """Levels that did not change since the acceptance contain their orders by now as well. For the sweep."""
        line, touch, instrument = self.lines.get(market.number), market.touch, market.instrument
        if line is None or touch is None or instrument is None:
            return
        for orders in (line.bids, line.asks):
            for order in orders:
                queue = order.queue
                if queue is not None and not queue.settled and queue.displayed != UNKNOWN:
                    self._see(orders, order.price_ticks, queue.displayed, instrument.lot, touch.received_ns)

    def _own(self, orders: list[Order], order: Order, lot: int) -> int:
        """Quantity units: the order's remainder and that of settled orders behind it at its price."""
        lots = order.leaves_lots
        for other in orders[orders.index(order) + 1 :]:
            settled = other.queue is not None and other.queue.settled
            if other.price_ticks == order.price_ticks and settled and other.phase is WORKING:
                lots += other.leaves_lots
        return lots * lot

    def place(self, market: Market, order: Order) -> tuple[int | None, int | None, int | None]:
        """Ahead (risk-averse), ahead (proportional), behind, in lots; None: not known. Parts of a lot count as ahead."""
        queue, instrument = order.queue, market.instrument
        if queue is None or queue.ahead == UNKNOWN or instrument is None:
            return None, None, None
        line, lot = self.line(market.number), instrument.lot
        rest = behind(queue, self._own(line.bids if order.side > 0 else line.asks, order, lot))
        return -(-queue.ahead // lot), -(-queue.proportional // lot), rest // lot


def _arrival(order: Order) -> tuple[int, int]:
    return order.accepted_ns, order.command
