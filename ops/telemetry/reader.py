"""From a running engine to a frame. Reads views between cascades, and never decides.

What every frame has costs tens of microseconds; everything else is a section that takes its turn.
"""

from collections.abc import Callable, Mapping
from itertools import cycle, islice
from os import getpid
from typing import TYPE_CHECKING, Any

from actors.orderbook import Orderbook, live
from bus.clock import boottime_ns
from bus.latency import Histogram
from bus.messages import BookState, Instrument
from bus.messages import Side as OrderSide
from ops.telemetry.frame import (
    LADDER_LEVELS,
    About,
    Board,
    BoardRow,
    Coordination,
    ExitRow,
    Exits,
    Frame,
    Health,
    Ladder,
    Latency,
    Listing,
    Log,
    LogLine,
    OwnOrder,
    Print,
    Section,
    Shape,
    Tape,
    Trading,
)
from ops.telemetry.frame import Side as BookSide
from ops.telemetry.health import health

if TYPE_CHECKING:
    from ops.node import Node

TURNS_PER_S = 50
"""Sections a second, whatever the frame rate. Results and trades come ten times a second, the rest in under a second."""
QUICK_EVERY = 3
"""Other turns between those of results and trades."""
ORDERS_MAX, BOARD_MAX, PRINTS_MAX, REASONS_MAX, LOG_MAX = 200, 100, 40, 20, 40
"""Rows of each kind in a frame: more than any terminal shows. Chosen."""
ROWS_MAX = 20
"""Clusters of one side."""
FAR = 1 << 62
"""A threshold beyond any price stands for none."""
TEXT_MAX = 120
"""Characters of one text of a view."""
Turn = Callable[[list[int]], tuple[Section, ...]]
"""Sections of one turn; the argument: instruments whose trades are wanted."""
_SIDES = {side.name: int(side) for side in OrderSide}


class StandbyReader:
    """Of a process that may not trade yet: who it is, whom it waits for, and its log."""

    def __init__(self, node: "Node") -> None:
        self._node, self._number, self._started_ns = node, 0, node.clock.now_ns()
        self.built = Histogram()

    def frame(self, foci: tuple[int, ...], hz: int) -> Frame:
        node = self._node
        self._number += 1
        leader = node.standby.leader if hasattr(node, "standby") else None
        name, epoch = (leader.holder, leader.epoch) if leader is not None else ("", 0)
        about = _about(node, self._started_ns, name, epoch, "STANDING_BY", "")
        return Frame(self._number, node.clock.now_ns(), boottime_ns(), (), (), (about, _log(node)))


class Reader:
    """Of one node whose host is made; an actor that another host has is left out. `built`: how long frames took, counted
    by whoever asks for them.
    """

    def __init__(self, node: "Node") -> None:
        self._node = node
        self._actors = {actor.name: actor for actor in node.actors}
        self._book = next((actor for actor in node.actors if isinstance(actor, Orderbook)), None)
        self._number = 0
        self.built = Histogram()
        self._started_ns = node.clock.now_ns()
        self._histograms: dict[str, Histogram] = {
            **_door_histograms(node),
            **node.host.histograms(),
            "frame": self.built,
        }
        self._turns = cycle(self._round())

    def frame(self, foci: tuple[int, ...], hz: int) -> Frame:
        """foci: instruments whose ladders and trades are wanted; -1 stands for the first. hz: how often we are called."""
        node = self._node
        numbers = list(node.instruments)
        wanted = list(dict.fromkeys(n if n in node.instruments else numbers[0] for n in foci)) if numbers else []
        self._number = number = self._number + 1
        turns = number * TURNS_PER_S // hz - (number - 1) * TURNS_PER_S // hz
        return Frame(
            number,
            node.clock.now_ns(),
            boottime_ns(),
            tuple(self._ladder(self._book, wish) for wish in wanted) if self._book else (),
            self._orders(),
            tuple(section for turn in islice(self._turns, turns) for section in turn(wanted)),
        )

    # -- every frame ----------------------------------------------------------------------------------------------

    def _ladder(self, books: Orderbook, number: int) -> Ladder:
        entry = books.entries[number]
        book = live(entry)
        if book is None:
            return Ladder(number, entry.state, entry.sequence, entry.received_ns)
        bids, asks = book.levels(LADDER_LEVELS)
        return Ladder(number, entry.state, entry.sequence, entry.received_ns, *bids, *asks)

    def _orders(self) -> tuple[OwnOrder, ...]:
        if (execution := self._actors.get("execution")) is None:
            return ()
        return tuple(_own_order(row) for row in execution.view()["orders"][:ORDERS_MAX])

    # -- in turns -------------------------------------------------------------------------------------------------

    def _round(self) -> list[Turn]:
        """Every turn once, and results and trades between them. A histogram takes microseconds, so it has its own."""

        def latency(name: str, histogram: Histogram) -> Turn:
            return lambda wanted: (Latency(name, histogram.counts),)

        by_actor = {"risk": self._trading, "exits": self._exits, "coordination": self._coordination}
        slow = [
            *(self._about, self._health, lambda wanted: (_log(self._node),)),
            *(turn for actor, turn in by_actor.items() if actor in self._actors),
            *(latency(name, histogram) for name, histogram in self._histograms.items()),
        ]
        quick = {"portfolio": self._board, "microstructure": self._signals}
        turns: list[Turn] = []
        for place, turn in enumerate(slow):
            if place % QUICK_EVERY == 0:
                turns += (turn for actor, turn in quick.items() if actor in self._actors)
            turns.append(turn)
        return turns

    def _signals(self, wanted: list[int]) -> tuple[Section, ...]:
        """Signals and trades, which one view has."""
        views = self._actors["microstructure"].view()["instruments"]
        rows = [(number, views[number]) for number in wanted if number in views]
        return tuple(section for number, view in rows for section in (_shape(number, view), _tape(number, view)))

    def _board(self, _wanted: list[int]) -> tuple[Section, ...]:
        view = self._actors["portfolio"].view()
        rows = [self._board_row(row, view) for row in islice(self._node.instruments.values(), BOARD_MAX)]
        return (Board(tuple(rows), tuple(view["fees"].items())),)

    def _board_row(self, instrument: Instrument, view: Mapping[str, Any]) -> BoardRow:
        number = instrument.instrument
        entry = self._book.entries.get(number) if self._book else None
        book = live(entry) if entry else None
        bid, _, ask, _ = book.touch() if book else (0, 0, 0, 0)
        state = entry.state if entry else self._node.supervisor.books.get(number, BookState.SYNCING)
        position = view["positions"].get(number, {})
        pnl = view["pnl"].get(instrument.venue_symbol, {})
        return BoardRow(
            number,
            state,
            bid,
            ask,
            position.get("position", 0),
            position.get("average_price", 0.0),
            pnl.get("realized", 0),
            pnl.get("unrealized", 0),
        )

    def _about(self, _wanted: list[int]) -> tuple[Section, ...]:
        node = self._node
        orders, coordination = self._actors.get("orders"), self._actors.get("coordination")
        leader, epoch = "", 0
        if coordination is not None:
            view = coordination.view()
            leader, epoch = view.get("holder", ""), view.get("epoch", 0)
        state = node.supervisor.trading["engine"].name
        phase = orders.view()["phase"] if orders is not None else ""
        return (_about(node, self._started_ns, leader, epoch, state, phase),)

    def _trading(self, _wanted: list[int]) -> tuple[Section, ...]:
        view = self._actors["risk"].view()
        reasons = [(scope, name, state, text[:TEXT_MAX]) for scope, name, state, text in view["reasons"][:REASONS_MAX]]
        return (Trading(tuple(islice(view["states"].items(), BOARD_MAX)), tuple(reasons)),)

    def _health(self, _wanted: list[int]) -> tuple[Section, ...]:
        return (Health(tuple(health(self._node).items())),)

    def _exits(self, _wanted: list[int]) -> tuple[Section, ...]:
        view = self._actors["exits"].view()
        rows = [_exit_row(number, row) for number, row in islice(view.get("exits", {}).items(), BOARD_MAX)]
        return (Exits(view.get("enabled", False), tuple(rows)),)

    def _coordination(self, _wanted: list[int]) -> tuple[Section, ...]:
        view = self._actors["coordination"].view()
        bands = islice(view.get("bands", {}).items(), BOARD_MAX)
        cooldowns = islice(view.get("cooldowns", {}).items(), BOARD_MAX)
        said = Coordination(
            view.get("phase", ""),
            tuple((number, row["peers"], row["bid_max"], row["ask_min"]) for number, row in bands),
            tuple((number, until_ns, reason[:TEXT_MAX]) for number, (until_ns, reason) in cooldowns),
        )
        return (said,)


def _about(node: "Node", started_ns: int, leader: str, epoch: int, state: str, phase: str) -> About:
    config = node.config
    listings = tuple(_listing(row) for row in islice(node.instruments.values(), BOARD_MAX))
    who = (node.placement.host.name, leader, config.venue.kind, config.coordination.account, config.strategy.owner)
    return About(getpid(), *who, epoch, started_ns, state, phase, listings)


def _log(node: "Node") -> Log:
    return Log(tuple(LogLine(*line) for line in node.recent.tail(LOG_MAX)))


def _door_histograms(node: Any) -> dict[str, Histogram]:
    """Only the host that trades has an order door."""
    door = getattr(node, "order_door", None)
    return {} if door is None else {"tick_to_order": door.tick_to_order, "write": door.write_time}


def _own_order(row: tuple[Any, ...]) -> OwnOrder:
    """Of execution's view. Its estimate of the place is two: the cautious one is shown."""
    number, owner, side, price, leaves, phase, client_order_id, since_ns, ahead, _, behind, *_ = row
    lots = (-1 if known is None else known for known in (ahead, behind))
    return OwnOrder(number, owner, _SIDES[side], price, leaves, phase, client_order_id, since_ns, *lots)


def _tape(number: int, view: Mapping[str, Any]) -> Tape:
    prints = view.get("trades", ())[-PRINTS_MAX:]
    return Tape(number, tuple(Print(at, price, quantity, side) for price, quantity, side, at, *_ in reversed(prints)))


def _shape(number: int, view: Mapping[str, Any]) -> Shape:
    return Shape(
        number,
        view["warm"],
        view["order_flow_imbalance"],
        view["spread_mean"],
        view.get("pressure", 0.0),
        view.get("sweeps", 0),
        _book_side(view.get("bids", {})),
        _book_side(view.get("asks", {})),
    )


def _book_side(view: Mapping[str, Any]) -> BookSide:
    clusters, flickering = view.get("clusters", ())[:ROWS_MAX], view.get("flickering", ())[:ROWS_MAX]
    return BookSide(view.get("thin", False), view.get("depth", 0), tuple(clusters), tuple(flickering))


def _exit_row(number: int, view: Mapping[str, Any]) -> ExitRow:
    thresholds = view["thresholds"]
    prices = (thresholds.target, thresholds.even, thresholds.stop) if thresholds else (0, 0, 0)
    shown = [price if abs(price) < FAR else 0 for price in prices]
    return ExitRow(number, view["phase"], view["opened_ns"], *shown)


def _listing(row: Instrument) -> Listing:
    return Listing(
        row.instrument,
        row.venue_symbol,
        row.base_asset,
        row.quote_asset,
        row.price_scale,
        row.quantity_scale,
        row.base_scale,
        row.quote_scale,
        row.tick,
        row.lot,
    )
