"""The tape: each public trade once, in order of its id, or told as missed."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.market_data.backfill import ASK_INTERVAL_NS, ASKED_MAX, PAGE, PAGES_MAX, WAIT_MAX_NS, Backfill, Line
from actors.market_data.trades import (
    HELD_MAX,
    NO_ID,
    RECENT_MAX,
    RESTART_LATER,
    RESTART_RUN,
    TRANSITIONS,
    Tape,
    TapeEvent,
    TapeState,
)
from bus.messages import Instrument, Message, Outcome, Side, TradePrint, TradesAnswer, TradesMissed, TradesRequest
from bus.messages.feed import UNNUMBERED, Garbage, TradeEvent, TradeIds

SECOND_NS = 1_000_000_000
BTC_REST = (3, 0, 0, "BTCUSDT", "BTC", "USDT", 8, 8, 8, 8, 1, 1, 1, 0, 1, 0, 0, 0, 0)
BTC = Instrument(1, *BTC_REST)


def trade(number: int) -> TradeEvent:
    return TradeEvent("BTCUSDT", number, 100 * SECOND_NS + number * 10, 100 + number % 7, 1, Side.BUY)


class Venue:
    """Reads what `payload` wrote: ids, separated by commas. Answers by id, as historicalTrades does."""

    @staticmethod
    def payload(numbers: Sequence[int]) -> bytes:
        return ",".join(map(str, numbers)).encode()

    def decode_trades(self, payload: bytes, venue_symbol: str) -> tuple[TradeEvent, ...] | Garbage:
        if payload == b"garbage":
            return Garbage("not a list")
        return tuple(trade(int(number)) for number in payload.split(b",") if number)


class Feed:
    """One instrument's tape with its backfill, driven as the actor drives it. out: all that was said, in order."""

    def __init__(self, ids: TradeIds = TradeIds.CONSECUTIVE, offered: bool = True) -> None:
        self.tape = Tape(ids)
        self.backfill = Backfill()
        self.lines = {1: Line(self.tape, BTC, offered, Venue())}
        self.now_ns = 100 * SECOND_NS
        self.out: list[Message] = []

    def live(self, *numbers: int) -> list[Message]:
        return self.prints(*map(trade, numbers))

    def prints(self, *events: TradeEvent) -> list[Message]:
        told: list[Message] = []
        for event in events:
            self.now_ns += 1_000
            told += self.backfill.trade(self.lines[1], event, self.now_ns, self.now_ns)
            told += self.backfill.turns("market_data", self.lines, self.now_ns)
        return self._told(told)

    def answer(self, numbers: Sequence[int] | bytes, outcome: Outcome = Outcome.RESULT) -> list[Message]:
        """To the last request."""
        self.now_ns += 50_000_000
        request = [message for message in self.out if type(message) is TradesRequest][-1]
        payload = numbers if isinstance(numbers, bytes) else Venue.payload(numbers)
        message = TradesAnswer(
            "market_data", 1, request.generation, outcome, 1, self.now_ns, "", b"" if outcome else payload
        )
        told = self.backfill.answer("market_data", self.lines, message, self.now_ns)
        return self._told(told + self.backfill.turns("market_data", self.lines, self.now_ns))

    def wait(self, span_ns: int) -> list[Message]:
        self.now_ns += span_ns
        return self._told(self.backfill.expire("market_data", self.lines, self.now_ns))

    def _told(self, told: list[Message]) -> list[Message]:
        self.out += told
        return told


def short(messages: Sequence[Message]) -> list[object]:
    """Prints as their ids, missed ones as (from, to, backfilled), requests as (from, limit) after "ask"."""
    said: list[object] = []
    for message in messages:
        if isinstance(message, TradePrint):
            said.append(message.trade_id)
        elif isinstance(message, TradesMissed):
            said.append((message.from_id, message.to_id, message.backfilled))
        elif isinstance(message, TradesRequest):
            said.append(("ask", message.from_id, message.limit))
    return said


def test_the_first_print_has_no_hole_before_it():
    feed = Feed()
    assert short(feed.live(500, 501, 501, 500, 502)) == [500, 501, 502]
    assert (feed.tape.repeated, feed.tape.holes) == (2, 0)
    assert feed.tape.next_id == 503


def test_a_hole_is_asked_for_and_told_in_order_before_what_was_held():
    feed = Feed()
    feed.live(10)
    assert short(feed.live(14, 15)) == [("ask", 11, 4)]
    assert short(feed.answer([11, 12, 13, 14])) == [(11, 13, 3), 11, 12, 13, 14, 15]
    assert short(feed.live(16)) == [16]
    assert (feed.tape.missed, feed.tape.backfilled) == (0, 3)


def test_backfilled_prints_were_received_with_the_answer_and_held_ones_when_they_came():
    feed = Feed()
    feed.live(10, 12)
    held_ns = feed.now_ns
    missed, late, held = feed.answer([11])
    assert isinstance(missed, TradesMissed)
    assert isinstance(late, TradePrint)
    assert isinstance(held, TradePrint)
    assert (missed.received_ns, late.received_ns, late.venue_ns) == (feed.now_ns, feed.now_ns, trade(11).venue_ns)
    assert (held.received_ns, held.version) == (held_ns, 3)
    assert late.received_ns <= missed.received_ns
    assert held.received_ns <= missed.received_ns


@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        ([11, 13], Outcome.RESULT, [(11, 13, 2), 11, 13, 14]),  # one is gone for good
        ([], Outcome.RESULT, [(11, 13, 0), 14]),
        ([1, 2, 10], Outcome.RESULT, [(11, 13, 0), 14]),  # only what we have
        (b"garbage", Outcome.RESULT, [(11, 13, 0), 14]),
        ([11, 12, 13], Outcome.REFUSED, [(11, 13, 0), 14]),
        ([11, 12, 13], Outcome.AMBIGUOUS, [(11, 13, 0), 14]),
        ([13, 12, 11, 12], Outcome.RESULT, [(11, 13, 3), 11, 12, 13, 14]),  # newest first, and one twice
        ([11, 12, 13, 14, 15, 16], Outcome.RESULT, [(11, 13, 3), 11, 12, 13, 14]),  # 15 and 16 come live
    ],
)
def test_what_remains_missing_is_told(answer, outcome, said):
    feed = Feed()
    feed.live(10, 14)
    assert short(feed.answer(answer, outcome)) == said
    assert short(feed.live(15)) == [15]


def test_a_venue_that_offers_no_old_trades_is_not_asked():
    feed = Feed(offered=False)
    assert short(feed.live(10, 14, 15)) == [10, (11, 13, 0), 14, 15]
    assert feed.tape.missed == 3


def test_a_late_print_closes_the_hole_without_a_word_and_disowns_the_answer():
    feed = Feed()
    feed.live(10)
    assert short(feed.live(13, 12)) == [("ask", 11, 3)]
    assert short(feed.live(11)) == [11, 12, 13]
    assert short(feed.answer([11, 12])) == []
    assert (feed.backfill.late, feed.tape.missed) == (1, 0)


def test_holes_between_held_prints_are_told_each_in_its_place():
    feed = Feed()
    feed.live(10, 13, 16)
    assert short(feed.answer([11, 12, 13, 14])) == [(11, 12, 2), 11, 12, 13, (14, 15, 1), 14, 16]


def test_a_long_hole_is_asked_for_page_by_page_and_the_rest_is_told():
    feed = Feed()
    feed.live(1)
    end = PAGES_MAX * PAGE + 100
    assert short(feed.live(end)) == [("ask", 2, PAGE)]
    for page in range(PAGES_MAX):
        first = 2 + page * PAGE
        said = short(feed.answer(range(first, first + PAGE)))
        assert said[:2] == [(first, first + PAGE - 1 if page < PAGES_MAX - 1 else end - 1, PAGE), first]
        if page < PAGES_MAX - 1:
            assert said[-1] == ("ask", first + PAGE, min(PAGE, end - (first + PAGE - 1)))
    assert said[-1] == end
    assert feed.tape.missed == end - 2 - PAGES_MAX * PAGE


def test_an_answer_that_never_comes_is_given_up():
    feed = Feed()
    feed.live(10, 12)
    assert short(feed.wait(WAIT_MAX_NS - 1)) == []
    assert short(feed.wait(1)) == [(11, 11, 0), 12]
    assert short(feed.answer([11])) == []
    assert short(feed.live(13)) == [13]


def test_what_is_held_has_a_limit():
    feed = Feed()
    feed.live(10)
    said = short(feed.live(*range(12, 12 + HELD_MAX)))
    assert said == [("ask", 11, 2), (11, 11, 0), *range(12, 12 + HELD_MAX)]
    assert feed.tape.held == []
    assert feed.tape.state is TapeState.LIVE


def test_an_instrument_of_many_holes_is_asked_about_once_a_second():
    feed = Feed()
    feed.live(10, 12)
    feed.answer([11])
    assert short(feed.live(14)) == [(13, 13, 0), 14]
    feed.now_ns += ASK_INTERVAL_NS
    assert short(feed.live(16)) == [("ask", 15, 2)]


def test_a_few_are_asked_about_at_once_and_the_others_in_their_turn():
    backfill = Backfill()
    many = ASKED_MAX + 2
    lines = {number: Line(Tape(), Instrument(number, *BTC_REST), True, Venue()) for number in range(many)}
    out: list[Message] = []
    for number in range(many):
        for trade_id in (1, 3):
            out += backfill.trade(lines[number], trade(trade_id), 1, 1)
            out += backfill.turns("market_data", lines, 1)
    requests = [message for message in out if type(message) is TradesRequest]
    assert [request.instrument for request in requests] == list(range(ASKED_MAX))
    first = requests[0]
    answer = TradesAnswer("market_data", 0, first.generation, Outcome.RESULT, 0, 2, "", b"2")
    told = backfill.answer("market_data", lines, answer, 2) + backfill.turns("market_data", lines, 2)
    assert short(told) == [(2, 2, 1), 2, 3, ("ask", 2, 2)]
    given_up = backfill.expire("market_data", lines, 1 + WAIT_MAX_NS)
    assert short(given_up) == [(2, 2, 0), 3] * (many - 1)
    assert not backfill.turns("market_data", lines, 2 + WAIT_MAX_NS)
    assert not backfill.asked
    assert not backfill.waiting


def test_a_venue_that_counts_anew_is_followed_after_a_while():
    feed = Feed()
    feed.live(1_000_000)
    said = short(feed.live(*range(1, RESTART_RUN + 3)))
    assert said == [(0, 0, 0), RESTART_RUN, RESTART_RUN + 1, RESTART_RUN + 2]


def stamped(number: int, venue_ns: int) -> TradeEvent:
    return msgspec.structs.replace(trade(number), venue_ns=venue_ns)


NEW_COUNT_NS = trade(1_000_000).venue_ns + 30 * SECOND_NS


@pytest.mark.parametrize("ids", [TradeIds.CONSECUTIVE, TradeIds.INCREASING])
def test_older_ids_with_later_stamps_are_a_new_count(ids):
    """A venue's program that is started anew numbers its trades from 1. INCREASING: some of the numbers are still known."""
    feed = Feed(ids)
    feed.live(*range(1, RESTART_LATER + 5))
    feed.tape.sever()
    new = [stamped(number, NEW_COUNT_NS + number) for number in range(1, RESTART_LATER + 3)]
    said = short(feed.prints(*new))
    assert said == [(0, 0, 0), RESTART_LATER, RESTART_LATER + 1, RESTART_LATER + 2]
    tape = feed.tape
    assert (tape.restarted, tape.missed, tape.repeated) == (1, RESTART_LATER - 1, 0)


def test_prints_repeated_after_a_break_are_no_new_count():
    """Older ids and older stamps; the last one told has the tape's own stamp."""
    feed = Feed()
    feed.live(*range(900, 1_001))
    for _ in range(3):
        assert short(feed.live(*range(990, 1_001))) == []
    assert short(feed.live(1_001)) == [1_001]
    assert (feed.tape.restarted, feed.tape.repeated, feed.tape.missed) == (0, 33, 0)


@pytest.mark.parametrize(
    "between",
    [trade(999_999), trade(1_000_001)],  # a repeated one; the old count goes on
)
def test_later_stamps_that_do_not_follow_each_other_are_no_new_count(between: TradeEvent):
    feed = Feed()
    feed.live(1_000_000)
    odd = [stamped(number, NEW_COUNT_NS + number) for number in range(1, RESTART_LATER)]
    feed.prints(*odd, between, *odd)
    assert (feed.tape.restarted, feed.tape.last_id) == (0, max(1_000_000, between.trade_id))


@pytest.mark.parametrize(("told_ns", "new_ns"), [(0, NEW_COUNT_NS), (NEW_COUNT_NS, 0)])
def test_without_stamps_only_a_long_run_is_a_new_count(told_ns: int, new_ns: int):
    feed = Feed()
    feed.prints(stamped(1_000_000, told_ns))
    said = short(feed.prints(*(stamped(number, new_ns) for number in range(1, RESTART_RUN + 2))))
    assert said == [(0, 0, 0), RESTART_RUN, RESTART_RUN + 1]


# Ids that do not follow from each other


@pytest.mark.parametrize("ids", [TradeIds.INCREASING, TradeIds.OPAQUE])
def test_ids_with_holes_of_their_own_miss_nothing_but_after_a_break(ids):
    feed = Feed(ids)
    assert short(feed.live(5, 90, 90, 200)) == [5, 90, 200]
    feed.tape.sever()
    assert short(feed.live(400)) == [("ask", 201 if ids is TradeIds.INCREASING else UNNUMBERED, PAGE)]
    assert short(feed.live(500)) == []
    said = short(feed.answer([90, 200, 300, 400]))
    assert said == [(300, 300, 1) if ids is TradeIds.INCREASING else (0, 0, 1), 300, 400, 500]
    assert short(feed.live(600)) == [600]


def test_a_break_during_which_nothing_traded_is_none():
    feed = Feed(TradeIds.INCREASING)
    feed.live(5)
    feed.tape.sever()
    feed.live(9)
    assert short(feed.answer([])) == [9]


@pytest.mark.parametrize("ids", [TradeIds.INCREASING, TradeIds.OPAQUE])
def test_a_break_that_cannot_be_asked_about_is_told_with_the_next_print(ids):
    feed = Feed(ids, offered=False)
    feed.tape.sever()
    feed.live(5)
    feed.tape.sever()
    assert short(feed.live(9, 10)) == [(0, 0, 0), 9, 10]


def test_prints_without_ids_are_sent_on_and_a_break_is_told():
    feed = Feed(TradeIds.OPAQUE)
    assert short(feed.live(UNNUMBERED, UNNUMBERED)) == [UNNUMBERED, UNNUMBERED]
    feed.tape.sever()
    feed.live(UNNUMBERED)
    assert short(feed.answer([], Outcome.REFUSED)) == [(0, 0, 0), UNNUMBERED]


def test_opaque_ids_are_remembered_up_to_a_limit():
    feed = Feed(TradeIds.OPAQUE)
    feed.live(*range(2 * RECENT_MAX))
    assert len(feed.tape.recent) == len(feed.tape.known) <= RECENT_MAX
    assert short(feed.live(2 * RECENT_MAX - 1)) == []


def test_the_slower_of_two_connections_brings_what_the_faster_one_did_not():
    feed = Feed(TradeIds.INCREASING)
    assert short(feed.live(10, 20, 30, 25)) == [10, 20, 30, (25, 25, 1), 25]
    assert short(feed.live(25, 20, 5, 40)) == [40]


# The table, and any interleaving


def test_the_table_leaves_live_only_by_a_hole():
    for state in TapeState:
        for event in TapeEvent:
            if (state, event) not in TRANSITIONS:
                with pytest.raises(KeyError):
                    Tape(state=state).advance(event)
    assert [event for state, event in TRANSITIONS if state is TapeState.LIVE] == [TapeEvent.HOLE]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("live"), st.integers(1, 6)),
        st.tuples(st.just("lost"), st.integers(1, 6)),
        st.tuples(st.just("again"), st.integers(1, 20)),
        st.tuples(st.just("swap"), st.just(0)),
        st.tuples(st.just("answer"), st.integers(0, 12)),
        st.tuples(st.just("part"), st.integers(0, 6)),
        st.tuples(st.just("refused"), st.just(0)),
        st.tuples(st.just("time"), st.integers(1, 6)),
    ),
    max_size=60,
)


@settings(max_examples=500, deadline=None)
@given(STEPS, st.booleans(), st.sampled_from(TradeIds))
def test_every_id_once_in_order_or_told_as_missed(steps, offered, ids):
    """A true tape counts up; a feed loses, repeats and reorders it; answers come when they come, whole, in part or not.

    INCREASING and OPAQUE ids are the same numbers: a loss without a break is then nobody's to know, so each is a break.
    """
    feed = Feed(ids, offered)
    true = 1
    feed.live(true)
    for kind, count in steps:
        if kind == "live":
            feed.live(*range(true + 1, true + count + 1))
            true += count
        elif kind == "lost":
            true += count
            feed.tape.sever()
        elif kind == "again":
            feed.live(max(1, true - count))
        elif kind == "swap":
            feed.live(true + 2, true + 1)
            true += 2
        elif kind == "time":
            feed.wait(count * SECOND_NS)
        elif any(type(message) is TradesRequest for message in feed.out):
            start = next(m for m in reversed(feed.out) if type(m) is TradesRequest).from_id
            numbers = range(max(start, true - 30, 1), true + 1)
            drop = {number for number in numbers if number % 7 == count} if kind == "part" else set()
            feed.answer([n for n in numbers if n not in drop], Outcome.REFUSED if kind == "refused" else Outcome.RESULT)
    feed.wait(WAIT_MAX_NS)
    feed.live(true + 1)
    feed.wait(WAIT_MAX_NS)
    judge(feed, ids)


def judge(feed: Feed, ids: TradeIds) -> None:
    printed = [message.trade_id for message in feed.out if isinstance(message, TradePrint)]
    assert len(printed) == len(set(printed)), "each once"
    assert feed.tape.state is TapeState.LIVE
    assert not feed.tape.held
    missed = [message for message in feed.out if isinstance(message, TradesMissed)]
    assert sum(message.backfilled for message in missed) == feed.tape.backfilled
    if ids is not TradeIds.CONSECUTIVE:
        return
    assert printed == sorted(printed), "in order"
    told = {number for message in missed for number in range(message.from_id, message.to_id + 1)}
    assert set(range(1, printed[-1] + 1)) <= set(printed) | told, "or told"
    assert feed.tape.missed == printed[-1] - len(printed)
    for place, message in enumerate(feed.out):
        if isinstance(message, TradesMissed):
            after = [late.trade_id for late in feed.out[place + 1 : place + 1 + message.backfilled]]
            assert all(message.from_id <= number <= message.to_id for number in after)


def test_a_tape_is_its_own_checkpoint():
    feed = Feed(TradeIds.OPAQUE)
    feed.live(1, 2, 3)
    feed.tape.sever()
    feed.live(5)
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(feed.tape), type=Tape)
    assert copy == feed.tape
    assert copy.known == feed.tape.known
    assert copy.holding == {5: None}
    assert copy.next_id == NO_ID


# What a list of steps seldom meets


def test_a_print_that_is_held_is_not_held_twice():
    feed = Feed()
    feed.live(10, 13, 14, 13, 14)
    assert feed.tape.repeated == 2
    assert short(feed.answer([11, 12])) == [(11, 12, 2), 11, 12, 13, 14]


def test_what_two_connections_brought_in_the_wrong_order_is_told_in_the_right_one():
    feed = Feed(TradeIds.INCREASING)
    feed.live(10)
    feed.tape.sever()
    feed.live(40, 30)
    assert short(feed.answer([20, 35])) == [(20, 35, 2), 20, 30, 35, 40]


def test_an_answer_to_an_earlier_question_is_nobodys():
    feed = Feed()
    feed.live(10, 12)
    (first,) = [message for message in feed.out if type(message) is TradesRequest]
    feed.live(11)
    feed.now_ns += ASK_INTERVAL_NS
    assert short(feed.live(15)) == [("ask", 13, 3)]
    late = TradesAnswer("market_data", 1, first.generation, Outcome.RESULT, 1, feed.now_ns, "", b"13")
    assert feed.backfill.answer("market_data", feed.lines, late, feed.now_ns) == []
    assert feed.backfill.late == 1
    assert short(feed.answer([13, 14])) == [(13, 14, 2), 13, 14, 15]


def test_older_ids_between_new_ones_are_no_new_count():
    feed = Feed()
    feed.live(1_000)
    for number in range(1_001, 1_001 + 2 * RESTART_RUN):
        assert short(feed.live(number, 5)) == [number]
        feed.tape.next_id = NO_ID  # whichever path the next one takes
