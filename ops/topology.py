"""THE page: who gets what. Routes by message type; actors and doors by name.

Inputs (what a door or the host hands in) and messages between actors are routed by the same table. A message's
receivers get it in the order written here, so the order is a decision: what lies on the way from frame to order
comes first. An answer to a request (`ANSWERS`) goes to the actor that its `actor` field names, and nowhere else.
"""

from collections.abc import Collection

from bus.host import Routing
from bus.messages import (
    ActorFailed,
    Alert,
    ApprovedOrder,
    BalancesReported,
    BaselineTaken,
    BestQuote,
    BookStateChanged,
    BookView,
    CancelCommand,
    CancelOrder,
    CancelTimer,
    CheckpointTaken,
    ClockEstimate,
    CommandDropped,
    ConnectionDown,
    ConnectionUp,
    DepthSnapshot,
    DepthUpdate,
    EngineStarted,
    ExecutionReport,
    Fill,
    Frame,
    IdsReserved,
    Instrument,
    LedgerCompared,
    Mark,
    Message,
    OperatorCommand,
    OrderCommand,
    OrderRefused,
    OrdersQuiet,
    OrdersReady,
    OrdersUnready,
    OrderUpdate,
    PositionUpdate,
    PrivateStreamDown,
    PrivateStreamUp,
    QueryAnswer,
    QuoteIntent,
    RequestAnswered,
    RequestSent,
    SetTimer,
    Signals,
    SnapshotAnswer,
    SnapshotRequest,
    StopRequested,
    SubmitOrder,
    TakeCheckpoint,
    TimerFired,
    Touch,
    TradePrint,
    TradingStateChanged,
    VenueQuery,
    WallAdjusted,
)

ACTORS = (
    "market_data",
    "orderbook",
    "microstructure",
    "strategy",
    "execution",
    "risk",
    "orders",
    "portfolio",
    "persistence",
)
DOORS = ("order_door", "rest_door", "timers", "checkpoints", "supervisor")
"""Receivers that touch the world. `timers` and `checkpoints` are the host's own; `supervisor` is ops' ear."""

ROUTES: dict[type[Message], tuple[str, ...]] = {
    # from the feed door, down to the strategy
    Frame: ("market_data",),
    ConnectionUp: ("market_data",),
    ConnectionDown: ("market_data",),
    DepthSnapshot: ("orderbook",),
    DepthUpdate: ("orderbook",),
    BestQuote: ("orderbook",),
    TradePrint: ("microstructure", "strategy"),
    BookView: ("microstructure",),
    Touch: ("execution", "risk"),
    BookStateChanged: ("orderbook", "microstructure", "execution", "risk", "strategy", "market_data", "supervisor"),
    Mark: ("portfolio",),
    Signals: ("strategy",),
    # from the strategy, down to the order door
    QuoteIntent: ("execution",),
    OrderCommand: ("risk",),
    CancelCommand: ("orders",),
    ApprovedOrder: ("orders",),
    SubmitOrder: ("order_door",),
    CancelOrder: ("order_door",),
    OrderRefused: ("execution", "risk", "strategy", "supervisor"),
    CommandDropped: ("orders", "execution", "risk"),
    # from the order door, back up
    RequestSent: ("orders",),
    RequestAnswered: ("orders",),
    ExecutionReport: ("orders",),
    OrderUpdate: ("execution", "risk", "strategy", "persistence"),
    Fill: ("portfolio", "risk", "execution", "strategy", "persistence"),
    PositionUpdate: ("strategy", "risk", "execution"),
    BalancesReported: ("portfolio",),
    BaselineTaken: ("risk",),
    LedgerCompared: ("risk", "supervisor"),
    IdsReserved: ("persistence",),
    # start, stop, states
    Instrument: ("market_data", "orderbook", "microstructure", "strategy", "execution", "risk", "orders", "portfolio"),
    EngineStarted: ("orders", "portfolio", "persistence", "risk", "execution", "strategy", "market_data"),
    StopRequested: ("strategy", "execution", "risk", "orders", "persistence"),
    OperatorCommand: ("risk", "execution", "orders"),
    PrivateStreamUp: ("orders",),
    PrivateStreamDown: ("orders",),
    OrdersReady: ("risk", "supervisor"),
    OrdersUnready: ("risk",),
    OrdersQuiet: ("supervisor",),
    TradingStateChanged: ("execution", "strategy", "supervisor"),
    ActorFailed: ("risk", "supervisor"),
    ClockEstimate: ("orders", "risk", "order_door"),
    WallAdjusted: ("persistence",),
    # requests to doors
    SnapshotRequest: ("rest_door",),
    VenueQuery: ("rest_door",),
    SetTimer: ("timers",),
    CancelTimer: ("timers",),
    TakeCheckpoint: ("checkpoints",),
    CheckpointTaken: ("persistence",),
    Alert: ("supervisor",),
}

ANSWERS: tuple[type[Message], ...] = (TimerFired, SnapshotAnswer, QueryAnswer)
"""Routed to the actor that the answer's `actor` field names."""

JOURNALED: tuple[type[Message], ...] = (
    OrderUpdate,
    Fill,
    IdsReserved,
    PositionUpdate,
    BalancesReported,
    BaselineTaken,
    LedgerCompared,
)
"""Facts that the host appends to the order journal when they are sent, before any receiver acts on them.
The door itself appends SubmitOrder and CancelOrder, in the step that writes the socket."""

COMMANDS: tuple[type[Message], ...] = (OrderCommand, ApprovedOrder, SubmitOrder, CancelCommand, CancelOrder)
"""Lost in a cascade that raised, each of these is answered with CommandDropped."""

CONTROL: tuple[type[Message], ...] = (
    EngineStarted,
    StopRequested,
    OperatorCommand,
    ActorFailed,
    Instrument,
    PrivateStreamUp,
    PrivateStreamDown,
    ConnectionUp,
    ConnectionDown,
    ClockEstimate,
    CommandDropped,
)
EXECUTION: tuple[type[Message], ...] = (RequestSent, RequestAnswered, ExecutionReport, QueryAnswer)
TIMERS: tuple[type[Message], ...] = (TimerFired, CheckpointTaken, WallAdjusted)
MARKET: tuple[type[Message], ...] = (Frame, SnapshotAnswer)
INPUT_CLASSES = (CONTROL, EXECUTION, TIMERS, MARKET)
"""Inputs are taken by class in this order, within a class in order of arrival."""


def routing(names: Collection[str] = (*ACTORS, *DOORS)) -> Routing:
    """The page as the host takes it; `names` leaves out receivers that a reduced host (a bench, a test) does not have."""
    routes = {kind: tuple(name for name in receivers if name in names) for kind, receivers in ROUTES.items()}
    return Routing(routes, ANSWERS, JOURNALED, COMMANDS, INPUT_CLASSES)
