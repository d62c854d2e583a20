"""Silent streams, holes in the tape and the feed's lag, through the actor."""

import itertools
from typing import Any

import msgspec
import pytest

from actors.market_data import FeedConnection, MarketData
from actors.market_data.silence import (
    LATE_NS,
    RELEASE_NS,
    RENEW_DELAYS_NS,
    RENEW_SLOW_NS,
    RENEWALS_AT_ONCE,
    SLICE,
    SWEEP,
)
from actors.market_data.watch import LEARNT, LOOK_NS, SILENCE_MAX_NS, SILENCE_MIN_NS, Vigil
from bus.messages import (
    Alert,
    BookReason,
    BookState,
    BookStateChanged,
    ClockEstimate,
    ConnectionDown,
    ConnectionUp,
    EngineStarted,
    FeedAge,
    Frame,
    FrameBatch,
    Message,
    Outcome,
    ReleaseConnection,
    Resubscribe,
    SetTimer,
    Side,
    Stream,
    StreamChanged,
    TimerFired,
    TradePrint,
    TradesAnswer,
    TradesMissed,
    TradesRequest,
)
from bus.messages.feed import (
    DepthDiff,
    MarkEvent,
    Numbering,
    QuoteEvent,
    SnapshotSource,
    TradeEvent,
    TradeIds,
)
from tests.actors.market_data.feeds import NUMBER, SYMBOL, VENUE, Desk, Rule, body, copy_of, diff, instrument, reset

S = 1_000_000_000
DIFF_NS = S // 10
ON_STREAM = Rule(SnapshotSource.STREAM, Numbering.SYMBOL)


class Life(Desk):
    """Time passes, and the sweep's timer fires when it is due. symbols: instruments NUMBER, NUMBER + 1, ..."""

    def __init__(self, symbols: int = 1, rule: Any = None, **plan: Any) -> None:
        super().__init__(**({"rule": rule} if rule else {}), trades_offered=True, **plan)
        self.names = [SYMBOL, *(f"S{place}" for place in range(1, symbols))]
        self.ids = dict.fromkeys(self.names, 10)
        self.sweep: SetTimer | None = None
        self.now_ns = 10_000 * S
        for place, name in enumerate(self.names):
            self.send(instrument(NUMBER + place, name))
        self.send(ConnectionUp(1, 1, self.now_ns))
        for name in self.names:
            self.send(Frame(1, self.now_ns, self.codec.put(reset(10, symbol=name))))

    def send(self, message: Message) -> tuple[Message, ...]:
        emitted = super().send(message)
        for item in emitted:
            if isinstance(item, SetTimer) and item.counter == SWEEP:
                self.sweep = item
        return emitted

    def pass_time(self, span_ns: int) -> list[Message]:
        """The sweeps that fall into it, and all that they say."""
        end_ns, told = self.now_ns + span_ns, []
        while self.sweep is not None and self.sweep.fires_ns <= end_ns:
            timer, self.sweep = self.sweep, None
            self.now_ns = timer.fires_ns
            told += self.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))
        self.now_ns = max(self.now_ns, end_ns)
        return [message for message in told if not isinstance(message, SetTimer)]

    def depth(self, *names: str, stamp_ns: int = 0) -> tuple[Message, ...]:
        """The next diff of each."""
        told: tuple[Message, ...] = ()
        for name in names or self.names:
            self.ids[name] += 1
            event = msgspec.structs.replace(diff(self.ids[name], self.ids[name], symbol=name), venue_ns=stamp_ns)
            told += self.frame(event)
        return told

    def chatter(self, span_ns: int, *names: str) -> list[Message]:
        """Diffs each 100 ms."""
        told: list[Message] = []
        for _ in range(span_ns // DIFF_NS):
            self.depth(*names)
            told += self.pass_time(DIFF_NS)
        return told

    def trade(self, number: int, stamp_ns: int = 0) -> tuple[Message, ...]:
        """Stamped now, unless it is told when."""
        return self.frame(TradeEvent(SYMBOL, number, stamp_ns or self.now_ns, 100, 1, Side.BUY))

    @property
    def state(self) -> str:
        return self.actor.view()["instruments"][NUMBER]["state"]


def of(messages: Any, *kinds: type[Message]) -> list[Any]:
    return [message for message in messages if isinstance(message, kinds)]


def brief(messages: Any) -> list[Any]:
    """What a silence looks like from outside."""
    said: list[Any] = []
    for message in messages:
        if isinstance(message, BookStateChanged):
            said.append((message.state.name, message.reason.name))
        elif isinstance(message, StreamChanged):
            said.append((message.stream.name, message.live))
        elif isinstance(message, Resubscribe):
            said.append(("renew", message.venue_symbol, message.stream.name))
        elif isinstance(message, ReleaseConnection):
            said.append(("release", message.connection, message.generation))
    return said


STALE = [("STALE", "SILENT"), ("DEPTH", False)]
RENEW = ("renew", SYMBOL, "DEPTH")


def learnt(**given: Any) -> Life:
    """A LIVE book whose stream speaks each 100 ms and is known for it."""
    life = Life(rule=given.pop("rule", ON_STREAM), **given)
    assert life.state == "LIVE"
    assert brief(life.chatter((LEARNT + 2) * LOOK_NS)) == []
    return life


# A silent depth stream


def test_a_silent_depth_stream_makes_its_book_stale_and_is_renewed():
    life = learnt()
    told = life.pass_time(SILENCE_MIN_NS + 2 * LOOK_NS)
    assert brief(told) == [*STALE, RENEW]
    (changed,) = of(told, StreamChanged)
    assert SILENCE_MIN_NS < changed.silent_ns <= SILENCE_MIN_NS + LOOK_NS
    assert 0 < changed.usual_ns <= DIFF_NS
    assert changed.detail == "limit_ms=1500 beside=0"
    assert [alert.event for alert in of(told, Alert)] == ["stream_silent"]
    assert life.state == "STALE"


def test_a_stream_that_goes_on_resumes_without_a_snapshot_and_is_known_for_its_silence():
    life = learnt()
    life.pass_time(4 * S)
    assert brief(life.depth()) == [("SYNCING", "RESUMED"), ("LIVE", "RESUMED")]
    assert brief(life.pass_time(LOOK_NS)) == [("DEPTH", True)]
    view = life.actor.view()
    assert (view["resyncs"], view["silences"], view["renewals"]) == (0, 1, 1)
    life.chatter(S)
    assert brief(life.pass_time(10 * S)) == [], "four seconds are usual now: 32 are borne"


def test_a_stream_that_goes_on_behind_a_hole_is_built_anew():
    life = learnt()
    life.pass_time(4 * S)
    life.ids[SYMBOL] += 5
    told = life.depth()
    assert brief(told)[0] == ("INVALID", "SEQUENCE_GAP")
    assert brief(life.pass_time(LOOK_NS))[0] == ("DEPTH", True)


def test_a_renewal_that_brings_the_whole_book_makes_the_next_silence_be_borne_twice_as_long():
    life = learnt()
    life.pass_time(4 * S)
    life.ids[SYMBOL] = 5_000
    assert brief(life.frame(reset(5_000)))[-1] == ("LIVE", "SNAPSHOT_BRIDGED")
    (spoke,) = of(life.pass_time(LOOK_NS), StreamChanged)
    assert (spoke.live, spoke.detail) == (True, "renewed")
    life.chatter(S)
    assert brief(life.pass_time(2 * SILENCE_MIN_NS - LOOK_NS)) == []
    assert brief(life.pass_time(2 * LOOK_NS)) == [*STALE, RENEW]


def test_renewals_come_with_growing_delays_and_at_last_the_connection_is_dialed_anew():
    life = learnt(symbols=2)
    _first, second = life.names
    told: list[Any] = []
    at: list[int] = []
    for _ in range((sum(RENEW_DELAYS_NS) + RENEW_SLOW_NS) // S + 10):
        found = brief(life.chatter(S, second))
        at += [life.now_ns] * len(found)
        told += found
    assert told[:2] == STALE
    assert told[2:] == [RENEW, RENEW, RENEW, ("release", 1, 1), *told[6:]]
    gaps = [later - earlier for earlier, later in itertools.pairwise(at[2:6])]
    assert [gap // S for gap in gaps] == pytest.approx([delay // S for delay in RENEW_DELAYS_NS], abs=1)
    assert all(what in (RENEW, ("release", 1, 1)) for what in told[6:])
    assert len(told[6:]) <= 2, "slowly from then on"


def test_a_connection_that_falls_silent_as_a_whole_is_dialed_anew_once():
    life = learnt(symbols=40)
    told = brief(life.pass_time(10 * S))
    assert [what for what in told if what[0] in ("renew", "release")] == [("release", 1, 1)]
    assert told.count(("STALE", "SILENT")) == 40
    life.send(ConnectionDown(1, 1, "released"))
    life.send(ConnectionUp(1, 2, life.now_ns))
    for name in life.names:
        life.frame(reset(10_000, symbol=name), 2)
        life.ids[name] = 10_000
    assert brief(life.pass_time(LOOK_NS)).count(("DEPTH", True)) == 40
    life.chatter(2 * S)
    again = brief(life.pass_time(30 * S))
    assert [what for what in again if what[0] in ("renew", "release")] == [], "not twice in a minute"
    assert [what[0] for what in brief(life.pass_time(RELEASE_NS)) if what[0] in ("renew", "release")] == ["release"]


def test_a_look_at_a_connection_that_is_silent_as_a_whole_costs_no_more_for_each_of_its_books(monkeypatch):
    """Also while it may not be dialed anew: 1,000 books that each looked at all others took 176 ms a look, now 2 ms."""
    life = learnt(symbols=SLICE)
    life.pass_time(10 * S)
    life.send(ConnectionDown(1, 1, "released"))
    life.send(ConnectionUp(1, 2, life.now_ns))
    for name in life.names:
        life.frame(reset(10_000, symbol=name), 2)
        life.ids[name] = 10_000
    life.chatter(2 * S)
    life.pass_time(5 * S)
    assert life.state == "STALE"
    looks, words = [], Vigil.words
    monkeypatch.setattr(Vigil, "words", lambda self, depth_ns: looks.append(depth_ns) or words(self, depth_ns))
    life.pass_time(LOOK_NS)
    assert SLICE <= len(looks) <= 4 * SLICE


def test_many_that_fall_silent_beside_others_are_renewed_a_few_at_a_time():
    life = learnt(symbols=3 * RENEWALS_AT_ONCE)
    loud = life.names[-1]
    told = [brief(life.chatter(LOOK_NS, loud)) for _ in range(12)]
    renewed = [sum(what[0] == "renew" for what in found) for found in told]
    assert max(renewed) == RENEWALS_AT_ONCE
    assert sum(renewed) == 3 * RENEWALS_AT_ONCE - 1
    assert not any(what[0] == "release" for found in told for what in found)


def test_depth_is_judged_sooner_beside_trades_and_quotes():
    life = learnt()
    life.actor.synchronizers[NUMBER].vigil.watches[Stream.DEPTH].usual_ns = S  # else 8 s
    told: list[Any] = []
    for number in range(8):
        life.trade(number)
        told += life.pass_time(LOOK_NS)
        if of(told, StreamChanged):
            break
    (changed,) = of(told, StreamChanged)
    assert (changed.stream, changed.live) == (Stream.DEPTH, False)
    assert changed.silent_ns <= 2 * S + LOOK_NS
    assert "beside=" in changed.detail


def test_a_book_that_the_orderbook_finds_contradicted_is_renewed_too():
    life = learnt()
    life.send(BookStateChanged(NUMBER, BookState.STALE, BookReason.CONTRADICTED, life.ids[SYMBOL]))
    told = life.pass_time(LOOK_NS)
    assert brief(told) == [("DEPTH", False), RENEW]
    assert of(told, StreamChanged)[0].detail == "contradicted"
    assert brief(life.depth()) == [("SYNCING", "RESUMED"), ("LIVE", "RESUMED")]


def test_a_stream_that_has_not_been_learnt_is_borne_a_minute():
    life = Life(rule=ON_STREAM)
    assert brief(life.pass_time(SILENCE_MAX_NS)) == []
    assert brief(life.pass_time(2 * LOOK_NS)) == [*STALE, RENEW]


# Other streams


def test_trades_and_quotes_are_judged_only_while_depth_speaks_and_make_no_book_stale():
    life = Life(rule=ON_STREAM)
    for number in range(LEARNT + 2):
        life.trade(number)
        life.frame(QuoteEvent(SYMBOL, life.ids[SYMBOL], 100, 5, 101, 5))
        life.chatter(LOOK_NS)
    told = brief(life.chatter(18 * S))
    assert told == [("QUOTE", False), ("renew", SYMBOL, "QUOTE"), ("TRADE", False), ("renew", SYMBOL, "TRADE")]
    rest = brief(life.chatter(300 * S))
    assert rest.count(("renew", SYMBOL, "TRADE")) == len(RENEW_DELAYS_NS) - 1, "then it is left alone"
    assert life.state == "LIVE"
    life.trade(LEARNT + 2)
    assert brief(life.chatter(S)) == [("TRADE", True)]


def test_marks_that_stop_are_renewed():
    life = Life(rule=ON_STREAM)
    for _ in range(LEARNT + 2):
        life.frame(MarkEvent(SYMBOL, 0, 100))
        life.chatter(S)
    assert brief(life.chatter(18 * S)) == [("MARK", False), ("renew", SYMBOL, "MARK")]


# What is not a silence


def test_a_sweep_that_comes_late_judges_nobody():
    life = learnt()
    timer = life.sweep
    assert timer is not None
    life.now_ns = timer.fires_ns + 20 * S
    told = life.send(TimerFired("market_data", SWEEP, timer.generation, timer.fires_ns))
    assert brief(told) == []
    assert [type(message) for message in told if isinstance(message, SetTimer)] == [SetTimer]
    life.depth()
    assert LATE_NS < 20 * S


@pytest.mark.parametrize(("waited_ns", "judged"), [(9 * S, False), (LATE_NS + 1, False), (2_000_000, True)])
def test_frames_that_waited_for_us_long_prove_no_silence(waited_ns: int, judged: bool):
    """Two instruments; frames of the second one come, taken together, and the first one's are behind them in the queue."""
    life = learnt(symbols=2)
    told: list[Message] = []
    for _ in range(6):
        told += life.pass_time(LOOK_NS)
        life.ids["S1"] += 1
        event = life.codec.put(diff(life.ids["S1"], life.ids["S1"], symbol="S1"))
        life.send(FrameBatch((Frame(1, life.now_ns - waited_ns, event),)))
    assert [what for what in brief(told) if what[0] == "renew"] == ([RENEW] if judged else [])


def test_nothing_is_expected_of_a_connection_that_is_down():
    life = learnt()
    life.send(ConnectionDown(1, 1, "gone"))
    assert brief(life.pass_time(200 * S)) == []
    assert life.sweep is None, "no sweep without a connection"
    life.send(ConnectionUp(1, 2, life.now_ns))
    assert life.sweep is not None


def test_many_instruments_are_looked_at_in_slices():
    life = Life(symbols=2 * SLICE + 1, rule=ON_STREAM)
    start_ns = life.now_ns
    assert life.sweep is not None
    assert life.sweep.fires_ns - start_ns <= LOOK_NS
    life.pass_time(LOOK_NS)
    first = life.sweep.fires_ns
    life.pass_time(first - life.now_ns)
    assert life.sweep.fires_ns - first == pytest.approx(LOOK_NS // 3, abs=10)
    life.chatter(3 * S)
    heard = {sync.vigil.watches[Stream.DEPTH].heard for sync in life.actor.synchronizers.values()}
    assert min(heard) >= 5, "each in its turn"


def test_an_old_sweep_timer_is_disowned():
    life = learnt()
    assert life.sweep is not None
    assert life.send(TimerFired("market_data", SWEEP, life.sweep.generation - 1, life.now_ns)) == ()


# The tape


def test_a_hole_is_asked_for_and_told_before_the_prints_that_were_held():
    life = learnt()
    life.trade(1)
    (request,) = of(life.trade(5), TradesRequest)
    assert (request.actor, request.venue, request.instrument, request.venue_symbol) == (
        "market_data",
        VENUE,
        NUMBER,
        SYMBOL,
    )
    assert (request.from_id, request.limit) == (2, 4)
    payload = life.codec.put(tuple(TradeEvent(SYMBOL, number, 0, 100, 1, Side.SELL) for number in (2, 3, 4)))  # type: ignore[arg-type]
    answer = TradesAnswer("market_data", NUMBER, request.generation, Outcome.RESULT, NUMBER, life.now_ns, "", payload)
    told = life.send(answer)
    assert [type(message) for message in told] == [TradesMissed, *[TradePrint] * 4]
    assert [message.trade_id for message in of(told, TradePrint)] == [2, 3, 4, 5]
    assert (told[0].from_id, told[0].to_id, told[0].backfilled) == (2, 4, 3)
    assert life.actor.view()["trades_backfilled"] == 3


def test_an_answer_that_does_not_come_is_given_up_by_the_sweep():
    life = learnt()
    life.trade(1)
    life.trade(5)
    told = [message for message in life.chatter(6 * S) if isinstance(message, TradesMissed | TradePrint)]
    assert [type(message) for message in told] == [TradesMissed, TradePrint]
    assert life.actor.view()["trades_failed"] == 1


def test_a_first_connection_has_no_hole_and_a_rolled_one_none_either():
    life = learnt()
    assert [type(message) for message in life.trade(900)] == [TradePrint]
    life.send(ConnectionUp(1, 2, life.now_ns, overlaps=True))
    assert [type(message) for message in life.trade(901)] == [TradePrint]


def test_a_venue_that_counts_its_trades_anew_is_followed_within_three_prints_and_told_once():
    """Its program was killed and started again; the tape's last prints came the fast way."""
    life = learnt()
    began_ns = life.now_ns
    for number in range(5_000, 5_010):
        life.trade(number, began_ns + number)
    life.send(ConnectionDown(1, 1, "gone"))
    life.send(ConnectionUp(1, 2, life.now_ns))
    for number in range(5_005, 5_010):  # told again after the subscription
        assert of(life.trade(number, began_ns + number), TradesMissed, TradePrint, Alert) == []
    life.now_ns += S
    told: list[Message] = []
    for number in range(1, 6):
        life.now_ns += S
        told += of(life.trade(number), TradesMissed, TradePrint, Alert)
    assert [type(message) for message in told] == [TradesMissed, TradePrint, Alert, TradePrint, TradePrint]
    assert [message.trade_id for message in of(told, TradePrint)] == [3, 4, 5]
    (alert,) = of(told, Alert)
    assert (alert.event, alert.instrument, alert.detail) == ("trades_restarted", NUMBER, "last_id=5009 trade_id=3")
    view = life.actor.view()
    assert (view["trades_restarted"], view["trades_repeated"], view["trades_missed"]) == (1, 5, 2)


def test_trades_of_another_connection_than_the_book_are_missed_when_it_breaks():
    """A venue that splits its routes: the book stays LIVE, and nobody else says that prints are missing."""
    codec = Life().codec
    plans = {
        1: FeedConnection(codec, VENUE, ON_STREAM, (), (Stream.DEPTH,)),
        2: FeedConnection(codec, VENUE, ON_STREAM, (), (Stream.TRADE,)),
    }
    actor = MarketData(plans)
    now_ns = 100 * S
    actor.receive(instrument(), now_ns)
    for connection in (1, 2):
        actor.receive(ConnectionUp(connection, 1, now_ns), now_ns)
    event = TradeEvent(SYMBOL, 5, 0, 100, 1, Side.BUY)
    actor.receive(Frame(2, now_ns, codec.put(event)), now_ns)
    assert actor.receive(ConnectionDown(2, 1, "gone"), now_ns) == (TradesMissed(NUMBER, now_ns, 0, 0, 0),)
    assert not of(actor.receive(ConnectionDown(1, 1, "gone"), now_ns), TradesMissed)


# The feed's lag


def ages(messages: Any) -> list[tuple[int, int]]:
    return [(message.lag_ns, message.uncertainty_ns) for message in of(messages, FeedAge)]


def test_the_lag_is_the_worst_since_it_was_said_with_the_clock_taken_into_account():
    life = learnt()
    life.send(ClockEstimate(VENUE, -2 * S, 3_000_000))  # the venue's clock is two seconds behind ours
    life.pass_time(S)
    life.depth(stamp_ns=life.now_ns - 2 * S - 40_000_000)
    life.depth(stamp_ns=life.now_ns - 2 * S - 90_000_000)
    life.depth(stamp_ns=life.now_ns - 2 * S - 10_000_000)
    (said,) = ages(life.pass_time(LOOK_NS))
    assert said == (pytest.approx(90_000_000, abs=10), 3_000_000)


def test_it_is_said_when_it_moved_and_every_five_seconds():
    life = learnt()
    life.send(ClockEstimate(VENUE, 0, 1))

    def speak(lag_ns: int, span_ns: int = LOOK_NS) -> list[int]:
        found: list[Message] = []
        for _ in range(span_ns // DIFF_NS):
            life.depth(stamp_ns=life.now_ns - lag_ns)
            found += life.pass_time(DIFF_NS)
        return [round(lag / 1e6) for lag, _ in ages(found)]

    while speak(50_000_000) != [50]:
        pass
    assert speak(54_000_000, 4 * S) == []  # 4 ms
    assert speak(100_000_000) == [100]
    assert speak(110_000_000, 2 * S) == []  # a tenth
    assert speak(200_000_000) == [200]
    assert len(speak(200_000_000, 11 * S)) == 2


def test_without_a_clock_or_a_stamp_the_lag_is_not_known():
    life = learnt()
    life.pass_time(0)
    assert {lag for lag, _ in ages(life.chatter(12 * S))} == {-1}
    life.send(ClockEstimate(VENUE, 0, 1))
    assert {lag for lag, _ in ages(life.chatter(12 * S))} == {-1}, "a stamp of 0 is none"


def test_only_a_live_book_has_an_age():
    life = learnt()
    life.send(ClockEstimate(VENUE, 0, 1))
    life.pass_time(3 * S)
    assert life.state == "STALE"
    assert ages(life.pass_time(10 * S)) == []


# State


def test_silences_and_tapes_come_back_from_a_checkpoint():
    life = learnt()
    life.trade(1)
    life.trade(5)
    life.pass_time(4 * S)
    again = copy_of(life.actor, MarketData(life.plans))
    assert again.checkpoint() == life.actor.checkpoint()
    assert again.liveness.lines[NUMBER].tape is again.synchronizers[NUMBER].tape
    told = life.depth()
    event = diff(life.ids[SYMBOL], life.ids[SYMBOL])
    assert again.receive(Frame(1, life.now_ns - 1, life.codec.put(event)), life.now_ns)[0] == told[0]


def test_a_run_that_begins_expects_nothing_of_the_connections_of_another():
    life = learnt()
    life.send(EngineStarted(0, 2))
    life.send(ConnectionUp(1, 3, life.now_ns))
    assert life.sweep is not None
    assert brief(life.pass_time(10 * S)) == []


def test_one_store_and_two_compares_are_all_that_the_fast_path_does():
    """It passes a diff without a look at any watch: last word and worst lag alone have moved."""
    life = learnt()
    sync = life.actor.synchronizers[NUMBER]
    before = msgspec.msgpack.encode(sync.vigil)
    event: DepthDiff = msgspec.structs.replace(diff(sync.sequence + 1, sync.sequence + 1), venue_ns=life.now_ns - 77)
    life.send(Frame(1, life.now_ns, life.codec.put(event)))
    assert msgspec.msgpack.encode(sync.vigil) == before
    assert (sync.depth_ns, sync.worst_ns >= 77) == (life.now_ns - 1, True)


def test_a_planned_roll_severs_no_tape_and_renews_nothing_meanwhile():
    rule = Rule(SnapshotSource.STREAM, Numbering.SYMBOL, TradeIds.INCREASING)
    life = learnt(rule=rule)
    life.trade(5)
    life.send(ConnectionUp(1, 2, life.now_ns, overlaps=True))
    assert [type(message) for message in life.trade(9)] == [TradePrint]
    assert [what for what in brief(life.pass_time(2 * S)) if what[0] == "renew"] == []
    life.send(ConnectionUp(1, 3, life.now_ns))
    assert of(life.trade(12), TradesRequest), "an unplanned one does"


def test_a_book_that_is_live_by_a_snapshot_alone_is_silent_since_then_and_not_for_ever() -> None:
    desk = Desk()
    desk.send(instrument())
    desk.send(ConnectionUp(1, 1, desk.now_ns))
    timers = [message for message in desk.answer(body(10)) if isinstance(message, SetTimer)]
    for timer in timers:
        desk.now_ns = timer.fires_ns
        desk.send(TimerFired(timer.actor, timer.counter, timer.generation, timer.fires_ns))
    live_ns = desk.now_ns
    desk.now_ns += 10 * S
    sweep = next(m for m in reversed(desk.heard) if isinstance(m, SetTimer) and m.counter == SWEEP)
    [age] = of(desk.send(TimerFired(sweep.actor, sweep.counter, sweep.generation, desk.now_ns)), FeedAge)
    assert 10 * S <= age.silent_ns <= desk.now_ns - live_ns + 1
