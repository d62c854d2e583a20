"""What a user may set for the orders actor, with the reason of each default."""

from enum import IntEnum

import msgspec


class Leftovers(IntEnum):
    """What becomes of orders that still work when a run starts or the private stream comes back."""

    CANCEL = 0
    ADOPT = 1


class Orphans(IntEnum):
    """What becomes of an order that is ours by its id and of which our journal knows nothing."""

    CANCEL = 0
    ADOPT = 1
    LEAVE = 2


class External(IntEnum):
    """What becomes of an order whose id is none of ours: a person's, or another program's."""

    LEAVE = 0
    CLAIM = 1
    CANCEL = 2


class OrdersSettings(msgspec.Struct, frozen=True):
    """One account at one venue. Times in nanoseconds of engine time."""

    account: int
    venue: int
    prefix: str = "tl"
    """1 to 3 characters of [0-9a-z]; what the venue's open orders are recognized by."""
    leftovers: Leftovers = Leftovers.CANCEL
    answer_timeout_ns: int = 2_000_000_000
    """Chosen: a healthy venue answers within 100 ms; after this a request counts as ambiguous."""
    recv_window_ns: int = 5_000_000_000
    """The deadline every request carries; the door must write the same (Binance's default recvWindow, docs 2026-11)."""
    processing_bound_ns: int = 10_000_000_000
    """How long a venue may work on a request it took in time (Binance -1007: timeout of 10 s, docs 2026-11)."""
    query_timeout_ns: int = 5_000_000_000
    backoff_min_ns: int = 50_000_000
    backoff_max_ns: int = 5_000_000_000
    reconcile_interval_ns: int = 30_000_000_000
    """Chosen. An instrument's open orders weigh 6 at Binance and its trades since the last look 20: 52 a minute and
    instrument, out of 6000 (docs, rest-api, 2026-11)."""
    read_lag_ns: int = 500_000_000
    """Chosen: how far an answer about balances may lag behind fills; a gap of the ledger is looked at again after it."""
    trades_window_ns: int = 0
    """When the last look at trades is longer ago, they are asked for by time: the venue's history by ids reaches no further back.
    0: it has no end."""
    positions: bool = False
    """Whether the venue keeps positions beside balances (futures)."""
    ids_block: int = 1_000
    """Counters reserved at a time: ids lost at a crash, against journal records."""
    open_orders_max: int = 10_000
    """Backstop behind risk's own limit; at it new orders are refused with OPEN_ORDERS."""
    done_orders_max: int = 50_000
    """Done orders kept findable in memory; beyond it the oldest is in the journal's index only."""
    orphans: Orphans = Orphans.CANCEL
    external: External = External.LEAVE
    """CLAIM, CANCEL: it gets a record, reserves risk, and its fills are ours. LEAVE: the ledger follows it, no position does."""
    venue_prefixes: tuple[str, ...] = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
    """Begin the ids of the venue's own orders on our account (Binance USDⓈ-M: liquidation, auto-deleveraging, delivery; docs,
    derivatives, "Event: Order Update", 2026-11). Their fills are always ours."""
    stream_lag_first_ns: int = 2_000_000_000
    """Chosen: how long a request that was done may lack its event on the private stream while nothing is learnt of it."""
    stream_lag_min_ns: int = 1_000_000_000
    """Chosen: not less, however fast it usually is. Answer and event come within milliseconds on a healthy venue; a false
    alarm pulls all quotes, and a fill that is seen a second late is rarer than a venue that pauses for half of one."""
    stream_lag_max_ns: int = 5_000_000_000
    """Chosen: not more, however lazy it is: whoever learns of fills that late should know it."""
    stream_silence_ns: int = 45_000_000_000
    """Chosen: more than `reconcile_interval_ns`, because a look that finds nothing untold is a proof. 0: not judged."""
    duplicate_reasons: tuple[str, ...] = ("Duplicate order sent.",)
    """Refusals that mean an earlier attempt under this id lives (Binance -2010 has this text for it)."""
