"""The sections of the configuration file as strict types, each key with its default. ops/config reads a file into them.

[venue]        where to connect, and which environment variables or files hold the credentials
[[instrument]] what to trade, with its limits
[[feed]]       market data of other venues, or of symbols that are not traded: to look at
[strategy]     the class, and its own parameters
[execution] [risk] [persistence] [portfolio] [exits] [microstructure] [coordination] [supervision]
[stop] [sentinel]   each with a default for everything
"""

from typing import Any, Literal

import msgspec

from actors.microstructure import MicrostructureSettings

MS = 1_000_000
S = 1_000_000_000


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all sections: an unknown key is an error."""


class VenueSection(Section, frozen=True):
    """kind: the adapter. rest, streams, websocket_api: the venue's own unless written, all three or none: orders must not go
    to one place by the prices of another. key: credentials by reference; private_key_file (PEM) means Ed25519, secret HMAC.
    metadata_interval_s: between readings of every venue's instruments while the engine runs; 0: only the start reads them.
    testnet: the venue's own test network in place of its addresses, with keys of that one; no money moves there.
    order_entry: where new orders go, the WebSocket API or REST; cancels take whichever is up, and the private stream stays.
    dead_man_ms: of futures alone: so long after the last sign of our life the venue cancels all our orders by itself; 0: never.
    """

    kind: Literal["binance-spot", "binance-us", "binance-usdm"]
    rest: str = ""
    streams: str = ""
    websocket_api: str = ""
    api_key_env: str = "TOUCHLINE_API_KEY"
    api_secret_env: str = "TOUCHLINE_API_SECRET"
    private_key_file: str = ""
    recv_window_ms: int = 1_000
    clock_offset_max_ms: int = 500
    snapshot_levels: int = 1_000
    self_trade_prevention: Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"] = "EXPIRE_TAKER"
    metadata_interval_s: int = 600
    testnet: bool = False
    order_entry: Literal["websocket", "rest"] = "websocket"
    dead_man_ms: int = 30_000


class InstrumentSection(Section, frozen=True):
    """symbol: as the venue writes it. Limits are in base asset, decimal text; position_min below 0 needs a margin account."""

    symbol: str
    order_max: str
    position_max: str
    position_min: str = "0"
    open_orders_max: int = 10
    collar_bps: int = 100


class FeedSection(Section, frozen=True):
    """Market data to look at: signals and the strategy get them, nothing is traded on them. One row a venue.

    venue: see ops/venues.py. symbols: as that venue writes them. levels: a side of a book, 0: a usual number of that venue.
    rest, streams: the venue's own addresses unless written, both or neither.
    """

    venue: Literal["binance-spot", "binance-us", "binance-usdm", "kraken", "okx", "bybit", "bybit-linear", "coinbase"]
    symbols: tuple[str, ...]
    levels: int = 0
    rest: str = ""
    streams: str = ""


class StrategySection(Section, frozen=True):
    """use: module:Class of a Strategy. parameters: handed to the class's own Parameters type, strictly.

    budget_us: of one call of a hook; ten calls beyond it within ten seconds, and the strategy is quarantined. Chosen: a tenth
    of the interval of a 100 ms feed. hang_ms: after so long a call is broken off, and the strategy quarantined at once: nothing
    is canceled meanwhile. Chosen: a fifth of the default term, which ends if nothing turns for half of it.
    """

    use: str = "actors.strategy.examples.join_touch:JoinTouch"
    owner: str = "main"
    intent_life_ms: int = 2_000
    parameters: dict[str, Any] = {}
    budget_us: int = 10_000
    hang_ms: int = 1_000


class ExecutionSection(Section, frozen=True):
    """How target quotes become orders; see actors/execution for each.

    keep_place: an order whose wish moves one tick toward the other side stays, while at most keep_ahead_pct of the others
    at its price are ahead of it. avoid_flicker: no quote joins a level that comes and goes. step_back_on_thin_ice: quotes
    leave a side that stands on thin ice by one tick, and until thin_ice_hold_ms after. book_lag_ms: the longest way of a public
    update; a book received this much later than an acceptance contains the order.
    """

    reprice_ticks: int = 1
    quantity_change_pct: int = 20
    order_life_min_ms: int = 50
    replace: Literal["together", "after_cancel"] = "together"
    stale_ticks: int = 10
    keep_place: bool = True
    keep_ahead_pct: int = 25
    avoid_flicker: bool = True
    step_back_on_thin_ice: bool = True
    thin_ice_hold_ms: int = 1_000
    book_lag_ms: int = 100


class RiskSection(Section, frozen=True):
    """Limits of the account, and what stops trading by itself (actors/risk/causes.py). Decimal texts are in the quote asset;
    "0": no such limit: no amount fits every account.

    book_age_max_ms: of the last touch; intent_age_max_ms: of the frame a command was made from. order_rate_max: new orders
    in any order_rate_window_ms (Binance spot allows 50 in 10 s). dust: difference of ledger and venue that is booked as an
    adjustment and not worth a stop; of each asset, all that was booked so since a person last accepted one.
    feed_lag_max_ms: how far the book's stream may be behind the venue before orders that increase the position wait; 0: not
    looked at. clock_error_max_ms: venue clock's offset and uncertainty.

    daily_loss_max: what the UTC day has lost, realized, or realized and unrealized at the mid, whichever is more; drawdown_max:
    from the day's highest result. Beyond them REDUCING; beyond twice drawdown_max drawdown_twice, where stricter states keep
    exits from closing too. rejects_max: the venue's refusals of one instrument in rejects_window_ms before it is CANCEL_ONLY.
    fills_max: fills of one instrument in fills_window_ms before it is REDUCING; 0: not counted. stale_position_ms: a position
    is held and nothing is heard of its book: CANCEL_ONLY until it is; 0: not looked at. disconnects_max: times that order
    entry was lost in disconnects_window_ms before all is CANCEL_ONLY for disconnects_quiet_ms without one; 0: not counted.
    repeats_max: refusals of one and the same request before it waits; 0: it never does.

    *_steps_ms: from where on lateness stands on each of the four steps of the ladder (actors/risk/ladder.py), [] is not looked
    at: of the feed, of acknowledgements, of this engine's loop, of the venue's clock. A step of width is widen_ticks or
    widen_bps of the price, the larger; in_flight_max: unanswered orders of one instrument from step 2 on; calm_ms: how long
    all is below half of a step's bound before it is left.
    The loop's first step is what a crowded machine does not reach often: a demo on two cores with twelve programs that want
    them waited 4 to 8 ms at worst in half of all seconds, 190 ms in 80 s: on step 1 for a tenth of the time, never higher.
    """

    book_age_max_ms: int = 5_000
    intent_age_max_ms: int = 2_000
    order_rate_max: int = 40
    order_rate_window_ms: int = 10_000
    open_orders_max: int = 50
    open_notional_max: str = "0"
    order_notional_max: str = "0"
    daily_loss_max: str = "0"
    drawdown_max: str = "0"
    drawdown_twice: Literal["reducing", "cancel_only", "halted"] = "reducing"
    dust: str = "0"
    clock_error_max_ms: int = 1_000
    feed_lag_max_ms: int = 2_000
    rejects_max: int = 20
    rejects_window_ms: int = 10_000
    fills_max: int = 200
    fills_window_ms: int = 10_000
    stale_position_ms: int = 10_000
    disconnects_max: int = 10
    disconnects_window_ms: int = 60_000
    disconnects_quiet_ms: int = 30_000
    repeats_max: int = 3
    feed_steps_ms: tuple[int, ...] = (250, 500, 5_000, 10_000)
    acknowledgement_steps_ms: tuple[int, ...] = (200, 500, 1_500, 4_000)
    loop_steps_ms: tuple[int, ...] = (100, 300, 1_000, 3_000)
    clock_steps_ms: tuple[int, ...] = (100, 200, 400, 800)
    widen_ticks: int = 1
    widen_bps: int = 1
    in_flight_max: int = 1
    calm_ms: int = 1_000


class PersistenceSection(Section, frozen=True):
    """sync_interval_ms: group commit of the journal for power loss; 0 leaves it to the kernel. SIGKILL never loses.

    journal_keep_hours, journal_keep_mb: the journal's oldest parts go when they are older, or it is larger, and no kept
    checkpoint needs them. index_keep_days: of done orders in store.sqlite, with their fills; 0: for ever.
    """

    checkpoint_interval_ms: int = 5_000
    sync_interval_ms: int = 100
    journal_keep_hours: int = 24
    journal_keep_mb: int = 1_024
    index_keep_days: int = 90
    input_log: bool = True
    input_log_segments: int = 8


class PortfolioSection(Section, frozen=True):
    """baseline: where the ledger starts, at the first start. "accept": with the venue's balances; "ask": the same, once a person
    says so (`touchline reconcile --accept`), and nothing trades before; "stated": with `balances`, decimal text by asset,
    what is traded and not named there at 0. A later change of either changes nothing.
    """

    baseline: Literal["accept", "ask", "stated"] = "accept"
    balances: dict[str, str] = {}


class OrdersSection(Section, frozen=True):
    """prefix: of every client order id. What becomes of orders that this run did not send, see docs/howto/orders-of-others.md:
    leftovers: our own that still work at a start; orphans: ours by their id, and our journal has none of them; external: of a
    person or another program. stream_silence_ms: while orders work, how long the private stream may say nothing before it is
    suspected (a look that finds nothing untold counts as a word); 0: not judged.
    """

    prefix: str = "tl"
    leftovers: Literal["cancel", "adopt"] = "cancel"
    orphans: Literal["cancel", "adopt", "leave"] = "cancel"
    external: Literal["leave", "claim", "cancel"] = "leave"
    reconcile_interval_ms: int = 30_000
    stream_silence_ms: int = 45_000


class ExitsSection(Section, frozen=True):
    """When and how a position is closed by itself; see docs/howto/exits.md. Off unless enabled; 0 switches one part off.

    Distances are basis points of the average price. profit_target_bps and break_even_trigger_bps are net of both fees,
    stop_loss_bps, pressure_stop_bps and run_away_bps are not. profit_release_bps: so far short of the target again, the exit
    is taken back. passive_ms: at the touch, before it crosses. cross_ticks_max: beyond the opposite touch. pressure_threshold:
    0 to 1, of depth_imbalance and of pressure, both against the position for pressure_ms; 0.0: not looked at. *_fee_ppm:
    what the venue takes of an amount, in millionths (Binance spot without discount: 0.1 %). cooldown_ms: after a loss.
    """

    enabled: bool = False
    profit_target_bps: int = 10
    profit_release_bps: int = 2
    break_even_trigger_bps: int = 5
    stop_loss_bps: int = 20
    run_away_bps: int = 10
    passive_ms: int = 2_000
    cross_ticks_max: int = 10
    pressure_threshold: float = 0.0
    pressure_ms: int = 500
    pressure_stop_bps: int = 0
    maker_fee_ppm: int = 1_000
    taker_fee_ppm: int = 1_000
    cooldown_ms: int = 30_000


class MicrostructureSection(MicrostructureSettings, Section, frozen=True):
    """Windows and thresholds of the signals: the actor's own settings, which check their bounds themselves."""


class CoordinationSection(Section, frozen=True):
    """Who may trade, of several instances. backend "local": one machine, a SQLite file at `path`, absolute and the same in all
    instances that shall see each other; "": private to --state. "etcd": `endpoints`, tried in turn. Where backend is written,
    what only the other one reads may stand beside it and is not looked at: one word changes over.

    group: scopes of one owner, whose orders must never meet. account: label of the account at the venue; who leads it may
    trade on it. ttl_ms: how long a silent leader is believed; etcd counts whole seconds. ca_file, cert_file, key_file (PEM):
    TLS to etcd, without which endpoints off this machine are refused; the latter two if its members ask for a certificate.
    """

    backend: Literal["local", "etcd"] = "local"
    path: str = ""
    endpoints: tuple[str, ...] = ("127.0.0.1:2379",)
    group: str = "main"
    account: str = "main"
    ttl_ms: int = 5_000
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class SupervisionSection(Section, frozen=True):
    """How often what failed is made anew: restarts_max times in any window_s; then the engine only cancels, or ends.

    Chosen: a resync or a recovery is done in about three seconds, so what fails at every start has used three of them before
    a minute is over, and what fails once an hour never does. 0: nothing is made anew.
    """

    restarts_max: int = 3
    window_s: int = 60


class StopSection(Section, frozen=True):
    """What becomes of orders and positions when a run is told to end; `touchline run --stop-policy` outranks it.

    policy: "cancel" sees every order gone; "keep" leaves them working at the venue for the next start (which cancels or adopts
    them, [orders] leftovers); "flatten" cancels, closes every position, and ends. deadline_s: for the venue to say that
    orders are gone. flatten_s: for positions to be closed, before that. flatten_collar_bps: how far from the mid an order that
    closes may be priced, never beyond the instrument's collar_bps. These two are of `touchline flatten` as well; of it alone
    flatten_goes_on: if the process dies while it closes, the next start goes on with it, until its flatten_s are over.
    """

    policy: Literal["cancel", "keep", "flatten"] = "cancel"
    deadline_s: int = 5
    flatten_s: int = 30
    flatten_collar_bps: int = 50
    flatten_goes_on: bool = True


class SentinelSection(Section, frozen=True):
    """`touchline sentinel`: it cancels the orders of an engine that does not live any more. Its key is its own, and should be
    allowed to do nothing but that; credentials as in [venue].

    silence_ms: without a beat of the engine's loop, before it cancels. look_ms: between two looks.
    """

    api_key_env: str = "TOUCHLINE_SENTINEL_API_KEY"
    api_secret_env: str = "TOUCHLINE_SENTINEL_API_SECRET"
    private_key_file: str = ""
    silence_ms: int = 3_000
    look_ms: int = 250


class Config(Section, frozen=True):
    """The whole file."""

    venue: VenueSection
    instrument: list[InstrumentSection]
    feed: list[FeedSection] = []
    strategy: StrategySection = StrategySection()
    execution: ExecutionSection = ExecutionSection()
    risk: RiskSection = RiskSection()
    orders: OrdersSection = OrdersSection()
    persistence: PersistenceSection = PersistenceSection()
    portfolio: PortfolioSection = PortfolioSection()
    exits: ExitsSection = ExitsSection()
    microstructure: MicrostructureSection = MicrostructureSection()
    coordination: CoordinationSection = CoordinationSection()
    stop: StopSection = StopSection()
    sentinel: SentinelSection = SentinelSection()
    supervision: SupervisionSection = SupervisionSection()


SECTIONS: dict[str, type[Section]] = {
    "venue": VenueSection,
    "instrument": InstrumentSection,
    "feed": FeedSection,
    "strategy": StrategySection,
    "execution": ExecutionSection,
    "risk": RiskSection,
    "orders": OrdersSection,
    "persistence": PersistenceSection,
    "portfolio": PortfolioSection,
    "exits": ExitsSection,
    "microstructure": MicrostructureSection,
    "coordination": CoordinationSection,
    "stop": StopSection,
    "sentinel": SentinelSection,
    "supervision": SupervisionSection,
}
