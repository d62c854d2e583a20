"""The strategy's host: hooks in, intents out, and when nothing may go out."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from actors.strategy import Context, Strategy, StrategyActor, StrategyFailed, StrategyState
from actors.strategy.context import ALERTS_MAX, TIMERS_MAX
from bus.messages import (
    Alert,
    BookReason,
    BookState,
    BookStateChanged,
    CancelTimer,
    EngineStarted,
    FundingRate,
    Instrument,
    MarkPrice,
    Message,
    OrderRefused,
    OrderStatus,
    QuoteIntent,
    Refusal,
    SetTimer,
    Side,
    Signals,
    StopRequested,
    StrategyQuarantined,
    TimerFired,
    TradePrint,
    TradesMissed,
    TradingState,
    TradingStateChanged,
)
from tests.actors.strategy.builders import (
    LIFE,
    NOW,
    SECOND,
    Scripted,
    fill,
    instrument,
    liquidity,
    position,
    running,
    settings,
    signals,
    state,
    update,
)

LIVE = BookStateChanged(0, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 4)
LOST = BookStateChanged(0, BookState.STALE, BookReason.CONNECTION_LOST, 3)
WISH = QuoteIntent(0, 5, 0, 1, "me", False, 7, NOW - 50, NOW + LIFE, 999, 10, 1_001, 10)
EMPTY = (0, 0, 0, 0)


def wishes(messages: tuple[Message, ...]) -> list[tuple[int, int, int, int]]:
    return [(m.bid_ticks, m.bid_lots, m.ask_ticks, m.ask_lots) for m in messages if isinstance(m, QuoteIntent)]


def test_an_intent_carries_all_that_names_it() -> None:
    assert running(Scripted()).receive(signals(), NOW) == (WISH,)


def test_an_equal_wish_is_sent_again_when_half_its_life_is_over() -> None:
    actor = running(Scripted())
    actor.receive(signals(), NOW)
    assert actor.receive(signals(), NOW + LIFE // 2 - 1) == ()
    (again,) = actor.receive(signals(), NOW + LIFE // 2)
    assert isinstance(again, QuoteIntent)
    assert again.expires_ns == NOW + LIFE // 2 + LIFE


@pytest.mark.parametrize("place", range(4))
def test_a_wish_that_differs_in_one_figure_is_sent(place: int) -> None:
    strategy = Scripted()
    actor = running(strategy)
    actor.receive(signals(), NOW)
    wish = [*strategy.wish]
    wish[place] -= 1
    strategy.wish = (wish[0], wish[1], wish[2], wish[3])
    assert wishes(actor.receive(signals(), NOW)) == [strategy.wish]


class Crossing(Strategy):
    """Wishes to take on every second update."""

    def __init__(self) -> None:
        self.updates = 0

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.updates += 1
        context.quote(signals.instrument, 1_001, 10, 0, 0, cross=self.updates % 2 == 0)


def test_a_wish_that_may_take_says_so_and_differs_from_one_that_may_not() -> None:
    actor = running(Crossing())
    sent = [actor.receive(signals(), NOW) for _ in range(3)]
    assert [[m.cross for m in messages if isinstance(m, QuoteIntent)] for messages in sent] == [
        [False],
        [True],
        [False],
    ]


def test_after_a_fill_the_same_wish_is_sent_again() -> None:
    actor = running(Scripted())
    actor.receive(signals(), NOW)
    actor.receive(fill(owner="other"), NOW)
    assert actor.receive(signals(), NOW) == ()
    actor.receive(fill(), NOW)
    assert wishes(actor.receive(signals(), NOW)) == [(999, 10, 1_001, 10)]


def test_an_empty_wish_is_sent_once_and_never_renewed() -> None:
    strategy = Scripted()
    actor = running(strategy)
    actor.receive(signals(), NOW)
    strategy.wish = (999, 0, 1_001, 0)
    assert wishes(actor.receive(signals(), NOW)) == [EMPTY]
    assert actor.receive(signals(), NOW + LIFE) == ()
    assert strategy.quoted == [True, True, True]


@pytest.mark.parametrize(
    "stop",
    [
        LOST,
        state(TradingState.REDUCING),
        state(TradingState.HALTED, "instrument:0"),
        StopRequested("x", NOW),
        state(TradingState.CANCEL_ONLY, "owner:me"),
    ],
    ids=["book", "engine", "instrument", "stop", "owner"],
)
def test_what_stops_quoting_pulls_once_and_only_once(stop: Message) -> None:
    strategy = Scripted()
    actor = running(strategy)
    actor.receive(signals(), NOW)
    assert wishes(actor.receive(stop, NOW)) == [EMPTY]
    assert actor.receive(stop, NOW) == ()
    if stop is not LOST:  # signals are the word that the book is LIVE again
        assert actor.receive(signals(), NOW) == ()
        assert strategy.quoted == [True, False]


def test_it_quotes_again_when_the_state_is_active_and_the_book_is_live() -> None:
    actor = running(Scripted())
    actor.receive(signals(), NOW)
    for stop, start in [(LOST, LIVE), (state(TradingState.HALTED), state(TradingState.ACTIVE))]:
        actor.receive(stop, NOW)
        actor.receive(start, NOW)
        actor.receive(signals(), NOW)
        assert actor.context.lines[0].resting


def test_other_scopes_and_other_instruments_do_not_concern_it() -> None:
    actor = running(Scripted())
    actor.receive(signals(), NOW)
    others = [state(TradingState.HALTED, "owner:you"), state(TradingState.HALTED, "instrument:1")]
    others += [msgspec.structs.replace(LOST, instrument=1)]
    for other in others:
        assert actor.receive(other, NOW) == ()
    assert actor.receive(signals(instrument=1), NOW) == ()


def test_signals_of_another_version_are_not_shown() -> None:
    strategy = Scripted()
    actor = running(strategy)
    assert actor.receive(signals(version=2), NOW) == ()
    actor.receive(signals(), NOW)
    assert wishes(actor.receive(instrument(version=2), NOW)) == [EMPTY]
    (wish,) = actor.receive(signals(version=2), NOW)
    assert isinstance(wish, QuoteIntent)
    assert wish.version == 2


def test_every_fact_reaches_its_hook_and_only_our_own() -> None:
    strategy = Scripted()
    actor = running(strategy)
    for owner in ("you", "me"):
        actor.receive(fill(owner=owner), NOW)
        actor.receive(update(owner=owner), NOW)
        actor.receive(OrderRefused(0, owner, 0, Side.BUY, Refusal.POSITION), NOW)
    actor.receive(position(3), NOW)
    actor.receive(position(4, account=1), NOW)
    actor.receive(TradePrint(0, 1, 1, NOW, NOW, 10_000, 1, Side.BUY), NOW)
    actor.receive(LOST, NOW)
    actor.receive(StopRequested("x", NOW), NOW)
    assert strategy.calls == ["start", "fill", "order", "refused", "position", "trade", "book_lost", "stop"]
    assert actor.context.position_lots(0) == 3
    assert actor.context.position_base(0) == 9


def test_it_starts_once_when_engine_and_instruments_are_there_in_either_order() -> None:
    for order in ([instrument(), EngineStarted(0, 1)], [EngineStarted(0, 1), instrument()]):
        strategy = Scripted()
        actor = StrategyActor(strategy, settings())
        assert actor.receive(signals(), NOW) == ()
        for message in order:
            assert strategy.calls == []
            actor.receive(message, NOW)
        assert strategy.calls == ["start"]


def test_the_shape_of_a_book_is_known_while_it_is_live() -> None:
    strategy = Scripted()
    actor = running(strategy)
    actor.receive(liquidity(), NOW)
    assert (strategy.calls, actor.context.liquidity(0)) == (["start"], None)  # no signals yet: not a book to speak of
    actor.receive(signals(), NOW)
    actor.receive(liquidity(instrument=1), NOW)
    actor.receive(liquidity(), NOW)
    assert (strategy.calls, actor.context.liquidity(0)) == (["start", "signals", "liquidity"], liquidity())
    actor.receive(LOST, NOW)
    actor.receive(signals(), NOW)
    assert actor.context.liquidity(0) is None


def test_own_orders_are_summed_up_until_they_are_done() -> None:
    actor = running(Scripted())
    context = actor.context
    actor.receive(update(number=1), NOW)
    actor.receive(update(number=2, client_order_id="x1", side=Side.SELL, leaves_lots=4), NOW)
    actor.receive(update(number=3, leaves_lots=6, status=OrderStatus.PARTIALLY_FILLED), NOW)
    actor.receive(update(number=3, leaves_lots=1), NOW)  # a repeat
    assert [order.client_order_id for order in context.orders(0)] == ["x0", "x1"]
    assert (context.working_lots(0, Side.BUY), context.working_lots(0, Side.SELL)) == (6, 4)
    actor.receive(update(number=4, leaves_lots=0, status=OrderStatus.CANCELED), NOW)
    assert [order.client_order_id for order in context.orders(0)] == ["x1"]
    assert actor.repeated_updates == 1


class Timers(Strategy):
    def __init__(self) -> None:
        self.fired: list[str] = []

    def on_signals(self, context: Context, signals: Signals) -> None:
        if signals.update_id == 1:
            context.set_timer("a", 5)
            context.set_timer("b", 6)
            context.set_timer("a", 7)
        else:
            context.cancel_timer("a")
            context.cancel_timer("nobody")

    def on_timer(self, context: Context, key: str) -> None:
        self.fired.append(key)
        context.quote(0, 999, 1, 0, 0)


def test_timers_are_known_by_key_and_an_old_one_is_not_heard() -> None:
    strategy = Timers()
    actor = running(strategy)
    assert actor.receive(signals(update_id=1), NOW) == (
        SetTimer("strategy", 0, 1, NOW + 5),
        SetTimer("strategy", 1, 1, NOW + 6),
        SetTimer("strategy", 0, 2, NOW + 7),
    )
    actor.receive(TimerFired("strategy", 0, 1, NOW), NOW + 5)
    assert strategy.fired == []
    (wish,) = actor.receive(TimerFired("strategy", 1, 1, NOW), NOW + 6)
    assert strategy.fired == ["b"]
    assert isinstance(wish, QuoteIntent)
    assert (wish.update_id, wish.received_ns) == (1, 0)  # of that book, but not caused by its frame
    assert actor.receive(signals(update_id=2), NOW) == (CancelTimer("strategy", 0),)
    actor.receive(TimerFired("strategy", 0, 2, NOW), NOW + 7)
    assert strategy.fired == ["b"]


class Loud(Strategy):
    def on_signals(self, context: Context, signals: Signals) -> None:
        for n in range(TIMERS_MAX + 1):
            context.set_timer(str(n), 1)
        for _ in range(ALERTS_MAX + 2):
            context.alert("said", instrument=0, detail="k=v")


def test_timers_and_alerts_have_a_limit() -> None:
    actor = running(Loud())
    out = actor.receive(signals(), NOW)
    assert sum(isinstance(m, SetTimer) for m in out) == TIMERS_MAX
    alerts = [m.event for m in out if isinstance(m, Alert)]
    assert alerts == ["strategy_timer_limit"] + ["said"] * (ALERTS_MAX - 1)
    assert actor.view()["alerts_dropped"] == 3


class Raising(Strategy):
    def on_signals(self, context: Context, signals: Signals) -> None:
        context.quote(0, 999, 10, 1_001, 10)
        if signals.update_id == 13:
            raise ZeroDivisionError


def test_after_a_hook_raised_nothing_of_it_is_sent_and_the_pull_is() -> None:
    actor = running(Raising())
    with pytest.raises(ZeroDivisionError):
        actor.receive(signals(update_id=13), NOW)
    assert wishes(actor.receive(state(TradingState.HALTED), NOW)) == [EMPTY]


QUARANTINED = StrategyQuarantined("me", "it raised")
RELEASED = TradingStateChanged("owner:me", TradingState.ACTIVE, "a person's word")


def test_a_strategy_that_raised_is_called_no_more_and_its_quotes_are_pulled() -> None:
    actor = running(Raising())
    actor.receive(signals(), NOW)
    with pytest.raises(ZeroDivisionError):
        actor.receive(signals(update_id=13), NOW)
    assert wishes(actor.receive(signals(update_id=14), NOW)) == []
    assert wishes(actor.receive(QUARANTINED, NOW)) == [EMPTY]
    assert wishes(actor.receive(signals(update_id=15), NOW)) == []


def test_quarantine_of_another_owner_changes_nothing() -> None:
    actor = running(Raising())
    assert actor.receive(StrategyQuarantined("another", ""), NOW) == ()
    assert wishes(actor.receive(signals(), NOW)) == [(999, 10, 1_001, 10)]


def test_facts_are_folded_in_quarantine() -> None:
    actor = running(Raising())
    actor.receive(QUARANTINED, NOW)
    actor.receive(position(7), NOW)
    assert actor.context.position_lots(0) == 7


class Counting(Strategy):
    """Raises at update 13; remembers what it has seen."""

    def __init__(self) -> None:
        self.seen = self.starts = 0

    def on_start(self, context: Context) -> None:
        self.starts += 1
        context.set_timer("a", 1_000)

    def on_signals(self, context: Context, signals: Signals) -> None:
        self.seen += 1
        if signals.update_id == 13:
            raise ZeroDivisionError

    def save(self) -> bytes:
        return str(self.seen).encode()

    def load(self, saved: bytes) -> None:
        self.seen = int(saved or b"0")


def test_a_persons_word_begins_another_one_with_what_was_saved() -> None:
    """What raised was in the middle of something: it is not called again, its timers are nobody's."""
    actor = StrategyActor(Counting(), settings(), Counting)
    actor.receive(instrument(), NOW)
    [early] = actor.receive(EngineStarted(0, 1), NOW)
    actor.receive(state(TradingState.ACTIVE), NOW)
    first = actor.user.strategy
    actor.receive(signals(), NOW)
    actor.checkpoint()
    with pytest.raises(ZeroDivisionError):
        actor.receive(signals(update_id=13), NOW)
    actor.receive(QUARANTINED, NOW)
    assert actor.checkpoint().strategy == b"1", "a strategy in quarantine is not asked to save"
    [timer] = actor.receive(RELEASED, NOW)
    second = actor.user.strategy
    assert isinstance(second, Counting)
    assert (second is first, second.seen, second.starts) == (False, 1, 1)
    assert isinstance(early, SetTimer)
    assert isinstance(timer, SetTimer)
    assert actor.receive(TimerFired("strategy", early.counter, early.generation, NOW), NOW) == ()
    assert actor.context.timers["a"].armed, "the old timer fired into nothing"


class Swallowing(Strategy):
    def on_signals(self, context: Context, signals: Signals) -> None:
        raise KeyboardInterrupt

    def save(self) -> bytes:
        raise ZeroDivisionError("save")


def test_whatever_comes_out_of_a_hook_is_an_exception_to_the_host() -> None:
    with pytest.raises(StrategyFailed) as raised:
        running(Swallowing()).receive(signals(), NOW)
    assert isinstance(raised.value.__cause__, KeyboardInterrupt)


def test_a_save_that_raises_is_told_once_and_the_checkpoint_after_it_is_whole() -> None:
    actor = running(Swallowing())
    with pytest.raises(StrategyFailed, match="save: ZeroDivisionError"):
        actor.checkpoint()
    assert actor.checkpoint().quarantined


def test_the_next_run_begins_without_the_quarantine_and_with_another_one() -> None:
    actor = StrategyActor(Counting(), settings(), Counting)
    for message in (instrument(), EngineStarted(0, 1), QUARANTINED):
        actor.receive(message, NOW)
    before = actor.user.strategy
    actor.receive(EngineStarted(0, 2), NOW)
    assert (actor.user.quarantined, actor.user.strategy is before) == (False, False)


class Forgetful(Strategy):
    def load(self, saved: bytes) -> None:
        raise ValueError("not mine")


def test_a_load_that_raises_leaves_it_quarantined_and_says_why() -> None:
    saved = running(Counting()).checkpoint()
    actor = StrategyActor(Forgetful(), settings())
    actor.restore(saved)
    actor.receive(EngineStarted(0, 2), NOW)
    assert (actor.user.quarantined, actor.user.unread) == (True, "load: ValueError: not mine")


@hypothesis_settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_restored_at_any_step_it_answers_the_rest_alike(seed: int) -> None:
    random = Random(seed)
    inputs: list[tuple[Message, int]] = [(instrument(), NOW), (EngineStarted(0, 1), NOW)]
    for n in range(25):
        message = random.choice(
            [
                signals(update_id=n),
                signals(update_id=n),
                state(random.choice([TradingState.ACTIVE, TradingState.ACTIVE, TradingState.HALTED])),
                LOST,
                fill(number=n),
                update(number=n, client_order_id=f"x{n % 3}", status=random.choice(list(OrderStatus))),
                position(n),
                liquidity(update_id=n),
                instrument(version=1 + n // 20),
            ]
        )
        inputs.append((message, NOW + n * SECOND))
    actor = StrategyActor(Scripted(), settings())
    outputs = [actor.receive(*each) for each in inputs]
    actor = StrategyActor(Scripted(), settings())
    for k, (message, now_ns) in enumerate(inputs):
        saved = msgspec.msgpack.encode(actor.checkpoint())
        fresh = StrategyActor(Scripted((0, 0, 0, 0)), settings())
        fresh.restore(msgspec.msgpack.decode(saved, type=StrategyState))
        assert [fresh.receive(*rest) for rest in inputs[k:]] == outputs[k:]
        actor.receive(message, now_ns)


def test_facts_are_folded_at_recovery_without_a_hook() -> None:
    strategy = Scripted()
    actor = StrategyActor(strategy, settings())
    for message in (update(number=1), position(5)):
        actor.recovers()[type(message)](message, NOW)
    assert strategy.calls == []
    assert actor.context.position_lots(0) == 5
    assert actor.context.working_lots(0, Side.BUY) == 10


# Perpetuals, and trades that are missing

MARK = MarkPrice(0, 1, NOW, NOW - 9, 10_003, 10_001)
FUNDING = FundingRate(0, 1, NOW, NOW - 9, 100_000_000, NOW + SECOND)


class Listener(Strategy):
    """Writes down what it hears and what the context knows meanwhile."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def on_mark(self, context: Context, mark: MarkPrice) -> None:
        self.heard.append((mark, context.mark(0), context.funding(0)))

    def on_funding(self, context: Context, funding: FundingRate) -> None:
        self.heard.append((funding, context.funding(0)))

    def on_trades_missed(self, context: Context, missed: TradesMissed) -> None:
        self.heard.append(missed)
        context.pull(missed.instrument)


def test_mark_and_funding_reach_the_hook_and_stay_in_the_context() -> None:
    listener = Listener()
    actor = running(listener)
    actor.receive(FUNDING, NOW)
    actor.receive(MARK, NOW)
    actor.receive(msgspec.structs.replace(MARK, instrument=99), NOW)
    actor.receive(msgspec.structs.replace(MARK, version=2), NOW)
    assert listener.heard == [(FUNDING, FUNDING), (MARK, MARK, FUNDING)]
    actor.receive(LOST, NOW)
    assert actor.context.mark(0) == MARK  # it is the venue's word, not the book's


@pytest.mark.parametrize("message", [EngineStarted(0, 2), instrument(version=2)])
def test_a_mark_of_another_run_or_scale_is_forgotten(message: Message) -> None:
    actor = running(Listener())
    actor.receive(MARK, NOW)
    actor.receive(message, NOW)
    assert actor.context.mark(0) is None


def test_missed_trades_are_told_and_a_hook_may_answer() -> None:
    listener = Listener()
    actor = running(listener)
    actor.context.lines[0].resting = True
    missed = TradesMissed(0, NOW, 5, 9, 2)
    assert wishes(actor.receive(missed, NOW)) == [EMPTY]
    assert actor.receive(msgspec.structs.replace(missed, instrument=99), NOW) == ()
    assert listener.heard == [missed]


def test_another_version_is_told_and_everything_counted_in_lots_is_counted_anew() -> None:
    class Told(Strategy):
        def __init__(self) -> None:
            self.versions: list[tuple[int, int]] = []

        def on_instrument(self, context: Context, instrument: Instrument, before: Instrument) -> None:
            self.versions.append((before.version, instrument.version))

    strategy = Told()
    actor = running(strategy)
    actor.receive(position(25, position=25), NOW)
    actor.receive(update(leaves_lots=15, unit=1), NOW)
    actor.receive(instrument(version=2, lot=10), NOW)
    assert strategy.versions == [(1, 2)]
    assert (actor.context.position_lots(0), actor.context.working_lots(0, Side.BUY)) == (2, 2)
    actor.receive(instrument(version=3), NOW)
    assert (actor.context.position_lots(0), actor.context.working_lots(0, Side.BUY)) == (25, 15)
