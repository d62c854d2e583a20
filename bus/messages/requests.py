"""Requests, their answers, timers, and what the host and the doors report. Tags 1-29.

A request names its asker (actor, counter), a deadline and a generation. A door answers each exactly once: RESULT,
REFUSED or AMBIGUOUS; the host supplies AMBIGUOUS when the door cannot. An answer goes back to `actor`, by name.
An asker raises its generation to disown what it asked before; it drops and counts answers of an older one.
"""

from bus.messages.base import Message
from bus.messages.enums import AlertLevel, Control, Outcome, QueryKind, StopPolicy, Stream
from bus.messages.ledger import Balance, VenuePosition
from bus.messages.orders import ExecutionReport


class Frame(Message, frozen=True, tag=1):
    """One WebSocket frame of a market data connection, untouched. received_ns: engine time at receipt.

    generation: of the opening it came in by: two of one connection overlap while it is rolled over.
    """

    connection: int
    received_ns: int
    payload: bytes
    generation: int = 0


class ConnectionUp(Message, frozen=True, tag=2):
    """A market data connection is open and has asked for its streams; its generation counts its openings.

    overlaps: the generation before is open still and goes on delivering, until ReleaseConnection.
    """

    connection: int
    generation: int
    received_ns: int
    overlaps: bool = False


class ConnectionDown(Message, frozen=True, tag=3):
    """A market data connection is gone: every book it fed is no longer LIVE."""

    connection: int
    generation: int
    reason: str


class PrivateStreamUp(Message, frozen=True, tag=4):
    """Order entry is connected and the private stream is subscribed: reports flow from here on."""

    account: int
    generation: int
    received_ns: int


class PrivateStreamDown(Message, frozen=True, tag=5):
    """Reports may be missing from here on: every working order is unproven until queried."""

    account: int
    generation: int
    reason: str


class ClockEstimate(Message, frozen=True, tag=6):
    """Venue time minus engine time, estimated from one request; true within +-uncertainty_ns."""

    venue: int
    offset_ns: int
    uncertainty_ns: int


class SetTimer(Message, frozen=True, tag=7):
    """Ask for a TimerFired at `fires_ns` (engine time). A second one with the same (actor, counter) replaces the first."""

    actor: str
    counter: int
    generation: int
    fires_ns: int


class CancelTimer(Message, frozen=True, tag=8):
    """Forget the timer (actor, counter); not an error when it has fired."""

    actor: str
    counter: int


class TimerFired(Message, frozen=True, tag=9):
    """The answer to SetTimer; the cascade's time is at or after fires_ns."""

    actor: str
    counter: int
    generation: int
    fires_ns: int


class SnapshotRequest(Message, frozen=True, tag=10):
    """Ask for the REST depth snapshot of one instrument."""

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    venue: int
    instrument: int
    venue_symbol: str
    levels: int


class SnapshotAnswer(Message, frozen=True, tag=11):
    """The body as the venue sent it (the actor's codec reads it); empty unless RESULT."""

    actor: str
    counter: int
    generation: int
    outcome: Outcome
    instrument: int
    received_ns: int
    reason: str
    payload: bytes


class VenueQuery(Message, frozen=True, tag=12):
    """Ask the venue about the account. ORDER: by client id. TRADES: from trade id `from_id` on, oldest first.

    from_id -1: TRADES answers with the last one alone. venue_order_id: TRADES of that order alone, 0 of all orders;
    ORDER without a client id: that order. since_ns: TRADES of that time of the venue's and later, whatever `from_id`: the history
    by ids does not reach back so far; 0: by id.
    """

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    account: int
    venue: int
    kind: QueryKind
    instrument: int
    client_order_id: str = ""
    from_id: int = 0
    venue_order_id: int = 0
    since_ns: int = 0


class QueryAnswer(Message, frozen=True, tag=13):
    """`reports` for OPEN_ORDERS, ORDER and TRADES, `balances` for BALANCES; both empty unless RESULT.

    found: False when the venue itself said that the order does not exist (outcome RESULT, no report).
    complete: False when the venue's page was full and more follow behind the last report.
    asked_ns: engine time when the request was written; the answer proves nothing later than it.
    until_ns: of TRADES since a time, that are not complete: the time from which the others are to be asked for.
    """

    actor: str
    counter: int
    generation: int
    outcome: Outcome
    kind: QueryKind
    instrument: int
    client_order_id: str
    asked_ns: int
    received_ns: int
    reason: str
    found: bool
    complete: bool
    reports: tuple[ExecutionReport, ...]
    balances: tuple[Balance, ...]
    positions: tuple[VenuePosition, ...] = ()
    until_ns: int = 0


class EngineStarted(Message, frozen=True, tag=14):
    """First input of a run, after recovery. epoch: of every client order id this run makes."""

    account: int
    epoch: int


class StopRequested(Message, frozen=True, tag=15):
    """Quote nothing more, cancel what works, then OrdersQuiet. deadline_ns: after it the host stops regardless."""

    reason: str
    deadline_ns: int
    policy: StopPolicy = StopPolicy.CANCEL


class OperatorCommand(Message, frozen=True, tag=16):
    """A person's word; instrument -1 means all. It outranks strategies."""

    control: Control
    instrument: int
    reason: str
    owner: str = ""
    """A strategy's name, for its scope alone; "": not asked about."""
    asker: str = ""
    """Who is told what came of it (CommandAnswered); "": nobody."""
    venue: int = -1
    """One venue's scope alone, where no instrument is named; -1: all."""
    until_ns: int = 0
    """Later than this it is not done any more; 0: however late. By boottime, which every process of the machine shares and nobody
    sets: it is compared once, where the command comes in (ops.commanded)."""
    left: str = ""
    """The name under which it also lies in the state directory, so that it is heard once (ops.halts); "": nowhere."""


class ActorFailed(Message, frozen=True, tag=17):
    """A handler raised. Its message had no effect; nothing was emitted for it. Risk halts on it."""

    actor: str
    message_tag: int
    error: str


class CommandDropped(Message, frozen=True, tag=18):
    """A command was lost in a cascade that raised or was cut: release what was reserved for it.

    command: as in OrderCommand, or -1; client_order_id: of a submit or cancel that never reached the door, or "".
    """

    instrument: int
    owner: str
    command: int
    client_order_id: str


class Alert(Message, frozen=True, tag=19):
    """An actor's word for the log and for people. event: stable, greppable name. detail: `key=value` pairs."""

    level: AlertLevel
    actor: str
    event: str
    instrument: int = -1
    detail: str = ""


class TakeCheckpoint(Message, frozen=True, tag=20):
    """Persistence asks the host for a checkpoint of all actors at the end of this input."""

    reason: str


class CheckpointTaken(Message, frozen=True, tag=21):
    """The writer thread's answer. bytes_written 0 means that it failed, for `reason`."""

    offset: int
    bytes_written: int
    took_ns: int
    reason: str


class WallAdjusted(Message, frozen=True, tag=22):
    """The wall clock has moved by this much against engine time since the start. Engine time itself never steps."""

    offset_ns: int


class FrameBatch(Message, frozen=True, tag=23):
    """Frames that waited, in order of arrival, taken as one input because the host is behind: a conflation's boundary.

    Every delta in it is applied; of each instrument only the last one is shown (`DepthUpdate.more`).
    """

    frames: tuple[Frame, ...]


class Resubscribe(Message, frozen=True, tag=24):
    """Ask the feed door to end and renew one subscription of a connection. Its fruit comes as frames, or does not."""

    connection: int
    venue_symbol: str
    stream: Stream
    reason: str


class RollConnection(Message, frozen=True, tag=25):
    """Ask the feed door to open the next generation beside this one, which stays until ReleaseConnection."""

    connection: int
    generation: int
    reason: str


class ReleaseConnection(Message, frozen=True, tag=26):
    """Ask the feed door to close this generation. If no later one is open, it dials anew at once."""

    connection: int
    generation: int
    reason: str


class TradesRequest(Message, frozen=True, tag=27):
    """Ask for public trades over REST, from `from_id` on, oldest first, at most `limit` (the venue may give fewer)."""

    actor: str
    counter: int
    generation: int
    deadline_ns: int
    venue: int
    instrument: int
    venue_symbol: str
    from_id: int
    limit: int


class TradesAnswer(Message, frozen=True, tag=28):
    """The body as the venue sent it (the actor's codec reads it); empty unless RESULT."""

    actor: str
    counter: int
    generation: int
    outcome: Outcome
    instrument: int
    received_ns: int
    reason: str
    payload: bytes


class LoopLag(Message, frozen=True, tag=29):
    """How far the host is behind: the longest that an input waited for its turn in the last interval."""

    lag_ns: int
