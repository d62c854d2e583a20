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
from ops.hosts import Placement
from ops.telemetry.books import UNKNOWN_LAG, ladder, touch_alone, within_level
from ops.telemetry.frame import (
    About,
    Board,
    BoardRow,
    Coordination,
    Exits,
    Frame,
    Health,
    Ladder,
    Latency,
    Log,
    LogLine,
    OwnOrder,
    Section,
    Trading,
)
from ops.telemetry.health import health
from ops.telemetry.rows import average, exit_row, listing, own_order, shape, tape
from ops.telemetry.upkeep import upkeep

if TYPE_CHECKING:
    from ops.node import Node

TURNS_PER_S = 50
"""Sections a second, whatever the frame rate. Results and trades come ten times a second, the rest in under a second."""
QUICK_EVERY = 3
"""Other turns between those of results and trades."""
ORDERS_MAX, BOARD_MAX, REASONS_MAX, LOG_MAX = 200, 100, 20, 40
"""Rows of each kind in a frame: more than any terminal shows. Chosen."""
TEXT_MAX = 120
"""Characters of one text of a view."""
Turn = Callable[[list[int]], tuple[Section, ...]]
"""Sections of one turn; the argument: instruments whose trades are wanted."""


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
            tuple(found for wish in wanted if (found := self._ladder(wish)) is not None),
            self._orders(),
            tuple(section for turn in islice(self._turns, turns) for section in turn(wanted)),
        )

    # -- every frame ----------------------------------------------------------------------------------------------

    def _ladder(self, number: int) -> Ladder | None:
        """None: nobody knows the book yet. Frames begin with the host; its first inputs name the instruments."""
        if self._book is None:
            return self._touch(number)
        if (entry := self._book.entries.get(number)) is None:
            return None
        return ladder(number, entry, self._lag(number))

    def _lag(self, number: int) -> tuple[int, int]:
        """With its uncertainty. Market data may be elsewhere, and know the instrument later than the orderbook does."""
        market_data: Any = self._actors.get("market_data")
        sync = market_data.synchronizers.get(number) if market_data is not None else None
        return (sync.age.said_lag_ns, sync.age.said_uncertainty_ns) if sync is not None else UNKNOWN_LAG

    def _touch(self, number: int) -> Ladder | None:
        risk: Any = self._actors.get("risk")
        change = self._node.supervisor.books.get(number)
        if risk is None or change is None:
            return None
        book = risk.books.get(number)
        return touch_alone(number, change, book and book.touch, book and book.age)

    def _orders(self) -> tuple[OwnOrder, ...]:
        if (execution := self._actors.get("execution")) is None:
            return ()
        orders = [own_order(row) for row in execution.view()["orders"][:ORDERS_MAX]]
        if self._book is None:
            return tuple(orders)
        entries, instruments = self._book.entries, self._node.instruments
        return tuple(
            within_level(order, entries[order.instrument], instruments[order.instrument])
            if order.instrument in entries
            else order
            for order in orders
        )

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
        turns: list[Turn] = []
        for place, turn in enumerate(slow):
            if place % QUICK_EVERY == 0:
                turns += (self._board, self._signals) if "microstructure" in self._actors else (self._board,)
            turns.append(turn)
        return turns

    def _signals(self, wanted: list[int]) -> tuple[Section, ...]:
        """Signals and trades, which one view has."""
        views = self._actors["microstructure"].view()["instruments"]
        rows = [(number, views[number]) for number in wanted if number in views]
        return tuple(section for number, view in rows for section in (shape(number, view), tape(number, view)))

    def _board(self, _wanted: list[int]) -> tuple[Section, ...]:
        """On every host: who has no positions has states of books."""
        portfolio, placement = self._actors.get("portfolio"), self._node.placement
        view = portfolio.view() if portfolio is not None else {"positions": {}, "pnl": {}, "fees": {}}
        rows = [self._board_row(row, view) for row in islice(self._node.instruments.values(), BOARD_MAX)]
        where = (_elsewhere(placement, "orderbook"), _elsewhere(placement, "portfolio"))
        return (Board(tuple(rows), tuple(view["fees"].items()), *where),)

    def _board_row(self, instrument: Instrument, view: Mapping[str, Any]) -> BoardRow:
        number = instrument.instrument
        entry = self._book.entries.get(number) if self._book else None
        book = live(entry) if entry else None
        bid, _, ask, _ = book.touch() if book else (0, 0, 0, 0)
        change = self._node.supervisor.books.get(number)
        state = entry.state if entry else change.state if change else BookState.SYNCING
        said = change is not None and change.state == state != BookState.LIVE
        position = view["positions"].get(number, {})
        pnl = view["pnl"].get(instrument.venue_symbol, {}) if number in view["positions"] else {}
        return BoardRow(
            number,
            state,
            bid,
            ask,
            position.get("position", 0),
            average(position, bid or ask, instrument),
            pnl.get("realized", 0),
            pnl.get("unrealized", 0),
            change.reason.name if said and change is not None else "",
        )

    def _about(self, _wanted: list[int]) -> tuple[Section, ...]:
        node = self._node
        orders, coordination = self._actors.get("orders"), self._actors.get("coordination")
        leader, epoch = "", 0
        if coordination is not None:
            view = coordination.view()
            leader, epoch = view.get("holder", ""), view.get("epoch", 0)
        alone = "BOOKS_ONLY" if self._book else "STRATEGY_ONLY"
        state = node.supervisor.trading["engine"].name if "risk" in self._actors else alone
        phase = orders.view()["phase"] if orders is not None else ""
        return (_about(node, self._started_ns, leader, epoch, state, phase),)

    def _trading(self, _wanted: list[int]) -> tuple[Section, ...]:
        view = self._actors["risk"].view()
        reasons = [(scope, name, state, text[:TEXT_MAX]) for scope, name, state, text in view["reasons"][:REASONS_MAX]]
        states, ladder = tuple(islice(view["states"].items(), BOARD_MAX)), view["ladder"]
        late = tuple((name, ladder[name]) for name in ("feed", "acknowledgement", "loop", "clock"))
        step, why = ladder["step"], ladder["reason"][:TEXT_MAX]
        return (Trading(states, tuple(reasons), step, why, late, len(view["held_back"])),)

    def _health(self, _wanted: list[int]) -> tuple[Section, ...]:
        """In one turn: a round is to last a second."""
        return (Health(tuple(health(self._node).items())), upkeep(self._node, self._actors))

    def _exits(self, _wanted: list[int]) -> tuple[Section, ...]:
        view = self._actors["exits"].view()
        rows = [exit_row(number, row) for number, row in islice(view.get("exits", {}).items(), BOARD_MAX)]
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
    symbols = node.supervisor.symbols
    listings = tuple(
        listing(row, symbols.get(number, row.venue_symbol))
        for number, row in islice(node.instruments.items(), BOARD_MAX)
    )
    who = (node.placement.host.name, leader, config.venue.kind, config.coordination.account, config.strategy.owner)
    return About(getpid(), *who, epoch, started_ns, state, phase, listings)


def _elsewhere(placement: Placement, actor: str) -> str:
    """The other host that has this actor; empty: this one has it."""
    return next((row.name for row in placement.others.values() if actor in row.actors), "")


def _log(node: "Node") -> Log:
    return Log(tuple(LogLine(*line) for line in node.recent.tail(LOG_MAX)))


def _door_histograms(node: Any) -> dict[str, Histogram]:
    """Only the host that trades has an order door."""
    door = getattr(node, "order_door", None)
    if door is None:
        return {}
    return {"tick_to_order": door.tick_to_order, "journal": door.journal_time, "write": door.write_time}
