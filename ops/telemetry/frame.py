"""A telemetry frame: what changes with every tick (ladders, own orders), and a few sections of what changes slowly.

Sections take turns, a round in about a second, so that no frame costs the engine more than another; each says its whole
noun, so a lost frame (the newest wins) costs a watcher nothing but the turn. Prices, quantities and amounts are
integers in the instrument's scales, as everywhere; `Listing` has the scales. Not a message of the bus: nothing decides
on it and no log keeps it, so its only promise is FORMAT.
"""

import msgspec

FORMAT = b"TT4"
"""Before each frame; another number means another touchline. Raised with every change of a struct below."""
TELEMETRY_MAILBOX = "telemetry"
HZ_MAX = 100
"""Frames a second at most: a person sees no more, and a tick may wait for each. Chosen."""
WISH_INTERVAL_S = 0.25
"""How often a watcher repeats its wish; see publisher.LEASE_NS."""
LADDER_LEVELS = 25
"""Levels a side of a ladder: what a terminal of 60 lines can show. Chosen."""


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of everything in a frame."""


class Wish(_Row, frozen=True):
    """A watcher's word: how often, and which instrument's ladder and trades (-1: the first)."""

    hz: int
    instrument: int


class Ladder(_Row, frozen=True):
    """One book, best first. state: a BookState; the levels of a book that is not LIVE are not sent.

    received_ns: of its last update, engine time. A host that trades and has no books sends the touch, as risk knows it.
    lag_ns: of the venue's stamps, as FeedAge last told, true within +-uncertainty_ns; -1: not known, or the book is not LIVE.
    """

    instrument: int
    state: int
    sequence: int
    received_ns: int
    bid_prices: tuple[int, ...] = ()
    bid_quantities: tuple[int, ...] = ()
    ask_prices: tuple[int, ...] = ()
    ask_quantities: tuple[int, ...] = ()
    lag_ns: int = -1
    uncertainty_ns: int = 0


class OwnOrder(_Row, frozen=True):
    """side: a bus Side. since_ns: engine time of its last step.

    ahead, behind: lots before and after it in the queue at its price, as execution estimates them; -1: not known.
    """

    instrument: int
    owner: str
    side: int
    price_ticks: int
    leaves_lots: int
    phase: str
    client_order_id: str
    since_ns: int
    ahead: int = -1
    behind: int = -1


class Listing(_Row, frozen=True):
    """What is needed to read an instrument's integers: see bus.messages.Instrument."""

    instrument: int
    symbol: str
    base_asset: str
    quote_asset: str
    price_scale: int
    quantity_scale: int
    base_scale: int
    quote_scale: int
    tick: int
    lot: int


class About(_Row, frozen=True, tag="about"):
    """Who is watched. state: trading state of the whole engine, or STANDING_BY, or of a host that does not trade
    BOOKS_ONLY or STRATEGY_ONLY; phase: of its orders. started_ns: engine time. leader: the instance that may trade on the account, as far as this one knows. host: its part of a split engine.
    """

    pid: int
    host: str
    leader: str
    venue: str
    account: str
    strategy: str
    epoch: int
    started_ns: int
    state: str
    phase: str
    instruments: tuple[Listing, ...]


class BoardRow(_Row, frozen=True):
    """One instrument in a line. state: a BookState; reason: of a book that is not LIVE, a BookReason's name.

    average_price: quote per base, as a number; 0.0: flat, or less is held than the venue takes as an order, whose fees
    would stand out as a price that never was. Cost and results in quote units.
    """

    instrument: int
    state: int
    bid: int
    ask: int
    position: int
    average_price: float
    realized: int
    unrealized: int
    reason: str = ""


class Board(_Row, frozen=True, tag="board"):
    """All instruments. fees: (asset, its smallest units; negative: paid).

    books_at, trades_at: of a split engine, the host that has the books, and the one that has orders and positions; empty:
    this one.
    """

    rows: tuple[BoardRow, ...]
    fees: tuple[tuple[str, int], ...] = ()
    books_at: str = ""
    trades_at: str = ""


class Print(_Row, frozen=True):
    """A public trade, by the venue's clock. aggressor: a Side."""

    venue_ns: int
    price: int
    quantity: int
    aggressor: int


class Tape(_Row, frozen=True, tag="tape"):
    """The last public trades of one instrument, newest first."""

    instrument: int
    prints: tuple[Print, ...]


class Side(_Row, frozen=True):
    """Microstructure's word on one side of a book. depth: quantity to move its touch. clusters: (price, quantity, since_ns)."""

    thin: bool = False
    depth: int = 0
    clusters: tuple[tuple[int, int, int], ...] = ()
    flickering: tuple[int, ...] = ()


class Shape(_Row, frozen=True, tag="shape"):
    """The signals of one instrument; each as in bus.messages.Signals and Liquidity."""

    instrument: int
    warm: bool
    order_flow_imbalance: int
    spread_mean: float
    pressure: float
    sweeps: int
    bids: Side
    asks: Side


class ExitRow(_Row, frozen=True):
    """What exits watch on one instrument. Prices in price units, 0: none. opened_ns: engine time, 0: flat."""

    instrument: int
    phase: str
    opened_ns: int
    target: int
    even: int
    stop: int


class Exits(_Row, frozen=True, tag="exits"):
    enabled: bool
    rows: tuple[ExitRow, ...]


class Coordination(_Row, frozen=True, tag="coordination"):
    """Between instances. bands: (instrument, peers, bid_max, ask_min) in price units; cooldowns: (instrument, until_ns in
    engine time, reason).
    """

    phase: str
    bands: tuple[tuple[int, int, int, int], ...]
    cooldowns: tuple[tuple[int, int, str], ...]


class Latency(_Row, frozen=True, tag="latency"):
    """One histogram's counts since the start, as bus.latency has them: the watcher does the sums."""

    name: str
    counts: list[int]


class Trading(_Row, frozen=True, tag="trading"):
    """States by scope, and the reasons why one is not ACTIVE: (scope, name, state, text).

    step: of the ladder of lateness, and why; late: its measures, ns, -1: not known. held_back: requests that the venue has
    refused too often.
    """

    states: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str, str, str], ...]
    step: int = 0
    why: str = ""
    late: tuple[tuple[str, int], ...] = ()
    held_back: int = 0


class Health(_Row, frozen=True, tag="health"):
    """Counters since the start, by name."""

    counts: tuple[tuple[str, int | float], ...]


class Upkeep(_Row, frozen=True, tag="upkeep"):
    """What an operator asks first. working: (status, how many open orders). doubtful: (client order id, instrument, status) of
    those whose state is not proven. strange: contradictions and what was kept aside, in words, youngest first; quarantined: how many were.

    order_entry: "up" or "down", and private_stream how far it is believed. feeds: (venue, symbols, open lines). budgets: (venue,
    kind, seconds, used, limit). reconciled: (trigger, engine time of its end, differences), empty: none is complete yet.
    ledger_compared_ns: engine time at which the ledger was held against the venue's balances last; 0: not in this run.
    flattening: instruments that are being closed. shortfalls: (client order id, base units that no execution explains yet).
    """

    working: tuple[tuple[str, int], ...] = ()
    doubtful: tuple[tuple[str, int, str], ...] = ()
    shortfalls: tuple[tuple[str, int], ...] = ()
    quarantined: int = 0
    strange: tuple[str, ...] = ()
    order_entry: str = ""
    private_stream: str = ""
    feeds: tuple[tuple[str, int, int], ...] = ()
    budgets: tuple[tuple[str, str, int, int, int], ...] = ()
    reconciled: tuple[tuple[str, int, int], ...] = ()
    flattening: tuple[int, ...] = ()
    ledger_compared_ns: int = 0


class LogLine(_Row, frozen=True):
    """number: of the line in this process, from 1. wall_s: Unix time. level: as in `logging`."""

    number: int
    wall_s: float
    level: int
    text: str


class Log(_Row, frozen=True, tag="log"):
    """The last lines of the event log, oldest first."""

    lines: tuple[LogLine, ...]


Section = About | Board | Tape | Shape | Exits | Coordination | Latency | Trading | Health | Upkeep | Log


class Frame(_Row, frozen=True):
    """number: counts up while the engine lives. now_ns: engine time; boottime_ns: of this machine, when it was built."""

    number: int
    now_ns: int
    boottime_ns: int
    ladders: tuple[Ladder, ...]
    orders: tuple[OwnOrder, ...]
    sections: tuple[Section, ...]


class FormatDiffers(Exception):
    """The frame is of another version of touchline. The text says what to do."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def encode_frame(frame: Frame) -> bytes:
    """FORMAT and MessagePack."""
    return FORMAT + _encode(frame)


def decode_frame(raw: bytes) -> Frame:
    """Raises FormatDiffers."""
    if not raw.startswith(FORMAT):
        raise FormatDiffers("the engine is of another version of touchline; watch it with its own")
    try:
        return _decode(memoryview(raw)[len(FORMAT) :])
    except ValueError as error:  # a DecodeError is one, and text that is no UTF-8
        raise FormatDiffers(f"a frame cannot be read ({error}); watch the engine with its own touchline") from error
