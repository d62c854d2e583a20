"""THE page: who gets what. Routes by message type; actors and doors by name.

Inputs (what a door or the host hands in) and messages between actors are routed by the same table. A message's
receivers get it in the order written here, so the order is a decision: what lies on the way from frame to order
comes first. An answer to a request (`ANSWERS`) goes to the actor that its `actor` field names, and nowhere else.
"""

from collections.abc import Collection, Mapping

from bus.host import Routing
from bus.messages import (
    AccountHandedOver,
    AccountPublished,
    AccountState,
    ActorFailed,
    ActorsRestarted,
    Alert,
    ApprovedOrder,
    BalancesJudged,
    BalancesReported,
    BandHeld,
    BandPublished,
    BandWanted,
    BaselineAwaited,
    BaselineTaken,
    BestQuote,
    BookStateChanged,
    BookView,
    CancelCommand,
    CancelOrder,
    CancelTimer,
    CheckpointTaken,
    ClockEstimate,
    CommandAnswered,
    CommandDropped,
    ConnectionDown,
    ConnectionUp,
    CooldownHeld,
    CooldownObserved,
    CooldownPublished,
    CooldownRequested,
    DepthSnapshot,
    DepthUpdate,
    Difference,
    EngineStarted,
    ExecutionReport,
    FeedAge,
    Fill,
    ForeignTraded,
    Frame,
    FrameBatch,
    FundingRate,
    IdsReserved,
    Instrument,
    LeadershipLost,
    LeadershipWon,
    LedgerAdjusted,
    LedgerCompared,
    LevelQuantities,
    LimitsTightened,
    Liquidity,
    LoopLag,
    Mark,
    MarkPrice,
    Message,
    OperatorCommand,
    OrderCommand,
    OrderRefused,
    OrdersQuiet,
    OrdersReady,
    OrdersUnready,
    OrderUpdate,
    PeersObserved,
    PositionUpdate,
    PrivateStreamDown,
    PrivateStreamSuspected,
    PrivateStreamUp,
    PublishAccount,
    PublishBand,
    PublishCooldown,
    QueryAnswer,
    QuoteIntent,
    Reconciled,
    ReleaseConnection,
    RequestAnswered,
    RequestSent,
    Resubscribe,
    RollConnection,
    SetTimer,
    Signals,
    SnapshotAnswer,
    SnapshotRequest,
    StopRequested,
    StoreAnswer,
    StoreQuery,
    StrategyQuarantined,
    StreamChanged,
    SubmitOrder,
    TakeCheckpoint,
    TimerFired,
    Touch,
    TradePrint,
    TradesAnswer,
    TradesMissed,
    TradesRequest,
    TradingStateChanged,
    VenueQuery,
    WallAdjusted,
    WalletChanged,
    WatchLevels,
)

ACTORS = (
    "market_data",
    "orderbook",
    "microstructure",
    "exits",
    "strategy",
    "execution",
    "risk",
    "orders",
    "portfolio",
    "coordination",
    "persistence",
)
DOORS = (
    "order_door",
    "rest_door",
    "feed_door",
    "coordination_door",
    "store_door",
    "timers",
    "checkpoints",
    "supervision",
    "supervisor",
)
"""Receivers that touch the world. `timers` and `checkpoints` are the host's own, as is `supervision`, which makes failed
actors anew; `supervisor` is ops' ear."""

ROUTES: dict[type[Message], tuple[str, ...]] = {
    # from the feed door, down to the strategy
    Frame: ("market_data",),
    FrameBatch: ("market_data",),
    ConnectionUp: ("market_data",),
    ConnectionDown: ("market_data",),
    DepthSnapshot: ("orderbook",),
    DepthUpdate: ("orderbook",),
    BestQuote: ("orderbook",),
    TradePrint: ("microstructure", "strategy", "execution", "orderbook"),  # a witness only: it delays nobody
    BookView: ("microstructure",),
    Touch: ("execution", "risk"),
    BookStateChanged: (
        "orderbook",
        "microstructure",
        "execution",
        "risk",
        "exits",
        "strategy",
        "market_data",
        "supervisor",
    ),
    Mark: ("portfolio", "exits", "risk"),
    Signals: ("exits", "strategy"),  # exits outrank the strategy: their wish is in force before its own comes
    Liquidity: ("execution", "strategy"),
    WatchLevels: ("orderbook",),
    LevelQuantities: ("execution",),
    StreamChanged: ("microstructure",),
    TradesMissed: ("microstructure", "strategy", "execution"),
    MarkPrice: ("strategy",),
    FundingRate: ("strategy",),
    FeedAge: ("risk",),
    # from the strategy, down to the order door
    QuoteIntent: ("execution",),
    OrderCommand: ("risk",),
    CancelCommand: ("orders",),
    ApprovedOrder: ("orders",),
    SubmitOrder: ("order_door",),
    CancelOrder: ("order_door",),
    OrderRefused: ("execution", "risk", "exits", "strategy", "supervisor"),
    CommandDropped: ("orders", "execution", "risk"),
    # from the order door, back up
    RequestSent: ("orders",),
    RequestAnswered: ("orders",),
    ExecutionReport: ("orders",),
    OrderUpdate: ("execution", "risk", "exits", "strategy", "coordination", "persistence"),
    ForeignTraded: ("portfolio",),
    Fill: ("portfolio", "risk", "execution", "exits", "strategy", "persistence"),
    PositionUpdate: ("exits", "strategy", "risk", "execution"),
    BalancesReported: ("portfolio",),
    BalancesJudged: ("orders",),
    BaselineAwaited: ("risk",),
    BaselineTaken: ("risk",),
    LedgerCompared: ("risk", "supervisor"),
    IdsReserved: ("persistence",),
    WalletChanged: ("portfolio",),
    Difference: ("supervisor",),
    Reconciled: ("supervisor",),
    LedgerAdjusted: ("supervisor",),
    # start, stop, states
    Instrument: (
        "market_data",
        "orderbook",
        "microstructure",
        "exits",
        "strategy",
        "execution",
        "risk",
        "orders",
        "portfolio",
        "coordination",
        "order_door",
        "supervision",
    ),
    EngineStarted: (
        "orders",
        "portfolio",
        "persistence",
        "risk",
        "execution",
        "exits",
        "strategy",
        "market_data",
        "coordination",
    ),
    StopRequested: ("exits", "strategy", "execution", "risk", "orders", "coordination", "persistence"),
    OperatorCommand: ("risk", "execution", "orders", "portfolio", "exits", "supervisor"),
    CommandAnswered: ("supervisor",),
    PrivateStreamUp: ("orders",),
    PrivateStreamDown: ("orders", "risk"),
    PrivateStreamSuspected: ("order_door", "supervisor"),
    OrdersReady: ("risk", "coordination", "supervisor"),
    OrdersUnready: ("risk",),
    OrdersQuiet: ("supervisor",),
    TradingStateChanged: ("execution", "exits", "strategy", "supervisor"),
    LimitsTightened: ("execution", "supervisor"),
    ActorFailed: ("risk", "supervisor"),
    ActorsRestarted: ("supervision", "risk", "supervisor"),
    StrategyQuarantined: ("strategy", "risk", "supervisor"),
    LoopLag: ("risk",),
    ClockEstimate: ("orders", "risk", "market_data", "order_door", "supervision"),
    WallAdjusted: ("persistence",),
    # between instances
    LeadershipWon: ("coordination", "supervisor"),
    LeadershipLost: ("risk", "coordination", "portfolio", "supervisor"),
    AccountHandedOver: ("portfolio", "orders"),
    AccountState: ("coordination",),
    PeersObserved: ("coordination",),
    BandWanted: ("coordination",),
    BandHeld: ("risk", "execution"),
    CooldownRequested: ("coordination",),
    CooldownObserved: ("coordination",),
    CooldownHeld: ("risk", "supervisor"),
    PublishBand: ("coordination_door",),
    PublishCooldown: ("coordination_door",),
    PublishAccount: ("coordination_door",),
    # requests to doors
    SnapshotRequest: ("rest_door",),
    TradesRequest: ("rest_door",),
    Resubscribe: ("feed_door",),
    RollConnection: ("feed_door",),
    ReleaseConnection: ("feed_door",),
    VenueQuery: ("rest_door",),
    StoreQuery: ("store_door",),
    SetTimer: ("timers",),
    CancelTimer: ("timers",),
    TakeCheckpoint: ("checkpoints",),
    CheckpointTaken: ("persistence",),
    Alert: ("supervisor",),
}

ANSWERS: tuple[type[Message], ...] = (
    TimerFired,
    SnapshotAnswer,
    TradesAnswer,
    QueryAnswer,
    StoreAnswer,
    BandPublished,
    CooldownPublished,
    AccountPublished,
)
"""Routed to the actor that the answer's `actor` field names."""

JOURNALED: tuple[type[Message], ...] = (
    OrderUpdate,
    Fill,
    ForeignTraded,
    IdsReserved,
    PositionUpdate,
    BalancesReported,
    BaselineTaken,
    LedgerCompared,
    LedgerAdjusted,
    WalletChanged,
    AccountHandedOver,
    CooldownHeld,
    OperatorCommand,  # an input, journaled when it is taken: what a person ordered outlives SIGKILL
    CommandAnswered,  # and what came of it: a flatten that was not answered goes on
)
"""Facts that the host appends to the order journal when they are sent or taken, before any receiver acts on them.
The door itself appends SubmitOrder and CancelOrder, in the step that writes the socket."""

COMMANDS: tuple[type[Message], ...] = (OrderCommand, ApprovedOrder, SubmitOrder, CancelCommand, CancelOrder)
"""Lost in a cascade that raised, each of these is answered with CommandDropped."""

CONTROL: tuple[type[Message], ...] = (
    EngineStarted,
    StopRequested,
    OperatorCommand,
    ActorFailed,
    ActorsRestarted,
    StrategyQuarantined,
    Instrument,
    PrivateStreamUp,
    PrivateStreamDown,
    ConnectionUp,
    ConnectionDown,
    ClockEstimate,
    CommandDropped,
    LeadershipWon,
    LeadershipLost,
    PeersObserved,
    CooldownObserved,
    BandPublished,
    CooldownPublished,
    AccountPublished,
)
EXECUTION: tuple[type[Message], ...] = (
    RequestSent,
    RequestAnswered,
    ExecutionReport,
    WalletChanged,
    QueryAnswer,
    StoreAnswer,
)
TIMERS: tuple[type[Message], ...] = (TimerFired, CheckpointTaken, WallAdjusted, LoopLag)
MARKET: tuple[type[Message], ...] = (Frame, FrameBatch, SnapshotAnswer, TradesAnswer)
INPUT_CLASSES = (CONTROL, EXECUTION, TIMERS, MARKET)
"""Inputs are taken by class in this order, within a class in order of arrival."""


def routing(names: Collection[str] = (*ACTORS, *DOORS)) -> Routing:
    """The page as the host takes it; `names` leaves out receivers that a reduced host (a bench, a test) does not have."""
    routes = {kind: tuple(name for name in receivers if name in names) for kind, receivers in ROUTES.items()}
    return Routing(routes, ANSWERS, JOURNALED, COMMANDS, INPUT_CLASSES)


NOT_ACROSS: dict[type[Message], tuple[str, ...]] = {
    EngineStarted: ("market_data",),
    ClockEstimate: ("market_data",),
}
"""What a receiver hears from its own host alone: a run of the host that trades ends no connection of a feed elsewhere, and a
venue's clock is estimated against the time of the process that receives its frames."""


def elsewhere(number: int, others: Mapping[int, Collection[str]]) -> dict[type[Message], tuple[int, ...]]:
    """By type, the other hosts where somebody gets it: an actor of theirs, or the ear of the host that trades.

    number: of this host. others: by number, the actors that are placed there. Doors are each host's own.
    """
    found: dict[type[Message], tuple[int, ...]] = {}
    for kind, receivers in ROUTES.items():
        wanted = [name for name in receivers if name not in NOT_ACROSS.get(kind, ())]
        hosts = tuple(
            other
            for other, actors in others.items()
            if any(name in actors for name in wanted) or ("supervisor" in wanted and "orders" in actors)
        )
        if hosts:
            found[kind] = hosts
    return found
