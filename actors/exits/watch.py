"""What is kept of one instrument. Plain data; saved as it is."""

import msgspec

from actors.exits.entry import Entry
from actors.exits.phases import Phase
from actors.exits.thresholds import Thresholds
from bus.messages import Instrument, Refusal, Signals, TradingState


class Wish(msgspec.Struct, frozen=True, gc=False):
    """What closes the position: one order, on the side that `thresholds.side` is against. ticks 0: it cannot be priced."""

    ticks: int
    lots: int
    cross: bool


def unit_of(instrument: Instrument) -> int:
    """Base units of one of its lots."""
    return instrument.lot * int(10 ** (instrument.base_scale - instrument.quantity_scale))


def lots_of(position: int, instrument: Instrument) -> int:
    """Whole lots of a position in base units, toward zero."""
    if not position:
        return 0  # of one that is only looked at no lot need be a whole number of base units
    lots = abs(position) // unit_of(instrument)
    return lots if position > 0 else -lots


class Watch(msgspec.Struct):
    """One instrument, and the position in it.

    position, cost, realized: as PositionUpdate has them. lots: of the present version, signed, toward zero.
    may_act: the trading states let reducing orders pass, and nobody stops. signals None: the book is not LIVE.
    lost: the last word on the book took it away; signals that come behind it in the same cascade are of before.
    best: the best price at which one could have closed since the position opened or grew; 0: none seen.
    against_ns: since when the book leans against the position; 0: it does not. deadline_ns: of the passive stage; 0: none.
    realized_before: when the exit began. wish: what is in force; None: nothing. wished_ns: when it was sent.
    remainder_ns: since when what is left is too small to be ordered anew. told: refusals of this exit that were said;
    told_dust: the lots last said to be left over; -1: none. timer_ns: when the timer fires; 0: it is not set.
    pause_until_ns: end of the last pause asked for.
    """

    number: int
    instrument: Instrument | None = None
    phase: Phase = Phase.FLAT
    position: int = 0
    cost: int = 0
    realized: int = 0
    lots: int = 0
    opened_ns: int = 0
    entry: Entry = msgspec.field(default_factory=Entry)
    thresholds: Thresholds = msgspec.field(default_factory=Thresholds)
    may_act: bool = False
    signals: Signals | None = None
    best: int = 0
    against_ns: int = 0
    deadline_ns: int = 0
    realized_before: int = 0
    wish: Wish | None = None
    wished_ns: int = 0
    remainder_ns: int = 0
    told: list[Refusal] = []
    told_dust: int = -1
    timer_ns: int = 0
    timer_generation: int = 0
    pause_until_ns: int = 0
    lost: bool = False


class Place(msgspec.Struct):
    """What is held of one instrument. position: base units; lots: of its present version. bid, ask: as last told of a LIVE
    book, price units; 0 and 0: not known. held_before: the position when the present flatten began. remainder_ns: since
    when what is left is too small to be ordered anew; refusal: the last one of our orders.
    """

    number: int
    instrument: Instrument | None = None
    position: int = 0
    lots: int = 0
    bid: int = 0
    ask: int = 0
    update_id: int = 0
    wish: Wish | None = None
    wished_ns: int = 0
    held_before: int = 0
    remainder_ns: int = 0
    refusal: Refusal = Refusal.NONE


class Flattening(msgspec.Struct):
    """One that lasts. numbers: instruments that are not closed yet. closed: words on those that are. news_ns: of the next word.
    least_ns: not done before. ordered: by a person, and not by a stop. resumed: a run before this one began it.
    """

    asker: str
    instrument: int
    until_ns: int
    numbers: list[int]
    closed: list[str]
    news_ns: int = 0
    least_ns: int = 0
    ordered: bool = False
    resumed: bool = False


class FlattenState(msgspec.Struct):
    places: list[Place] = []
    lasting: Flattening | None = None
    last_position: int = -1
    generation: int = 0


class ExitsState(msgspec.Struct):
    """scopes: trading states as last said. counts: exits begun, by reason."""

    watches: list[Watch] = []
    scopes: list[tuple[str, TradingState]] = []
    stopping: bool = False
    last_fill: int = -1
    last_position: int = -1
    counts: list[tuple[str, int]] = []
    flatten: FlattenState = msgspec.field(default_factory=FlattenState)
