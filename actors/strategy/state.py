"""What a strategy's host keeps, typed, so that a checkpoint is simply this."""

import msgspec

from bus.messages import FundingRate, Instrument, Liquidity, MarkPrice, OrderUpdate, QuoteIntent, Signals, TradingState


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True):
    """owner: the strategy's name on its orders. instruments: the numbers it trades. watched: those it only looks at, on venues where nothing is
    traded; a wish on one is refused (UNKNOWN_INSTRUMENT). Others are not shown to it.

    intent_life_ns: an intent that is not renewed for this long is taken back by execution: a strategy that says
    nothing counts as dead. Chosen: long against any update interval, short against a person's reaction.
    """

    owner: str
    account: int
    instruments: tuple[int, ...]
    intent_life_ns: int = 5_000_000_000
    watched: tuple[int, ...] = ()


class Line(msgspec.Struct):
    """One instrument as the strategy sees it.

    resting: something of ours may rest there (the last intent was not empty, or is unknown because a hook raised).
    lost: the last word on the book took it away; signals that come behind it in the same cascade are of before.
    quoted_ns: when `intent` was made. orders: own orders that are not done, oldest first.
    """

    number: int
    instrument: Instrument | None = None
    signals: Signals | None = None
    intent: QuoteIntent | None = None
    quoted_ns: int = 0
    resting: bool = False
    live: bool = False
    state: TradingState = TradingState.CANCEL_ONLY
    position: int = 0
    position_lots: int = 0
    orders: list[OrderUpdate] = []
    liquidity: Liquidity | None = None
    mark: MarkPrice | None = None
    funding: FundingRate | None = None
    lost: bool = False


class TimerKey(msgspec.Struct):
    """A strategy's timer by its own key; `counter` is what the host's timers know it by."""

    key: str
    counter: int
    generation: int
    armed: bool


class StrategyState(msgspec.Struct):
    """Everything. strategy: what the user's `save()` gave last. open: a hook is running (True in a checkpoint: it raised).
    quarantined: it is called no more. first_generation: of a timer with a new key.
    """

    lines: list[Line]
    scopes: list[tuple[str, TradingState]]
    timers: list[TimerKey]
    started: bool
    engine_started: bool
    stopping: bool
    open: bool
    last_update: int
    repeated_updates: int
    alerts_dropped: int
    strategy: bytes
    quarantined: bool = False
    first_generation: int = 0
