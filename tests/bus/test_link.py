"""Two ends of a link over a network that loses, doubles and reorders frames, freezes, and restarts either host."""

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.codec import decode_any, encode
from bus.link import HEARTBEAT_NS, LOST_NS, Arrived, Event, Happening, Link, Own, unpack
from bus.link.outbound import DATA_WINDOW, FACTS_MAX
from bus.messages import (
    HEADER,
    HEADER_SIZE,
    HEADER_VERSION,
    ActorFailed,
    ActorsRestarted,
    Alert,
    AlertLevel,
    BookReason,
    BookState,
    BookStateChanged,
    EngineStarted,
    Instrument,
    LevelQuantities,
    Message,
    QuoteIntent,
    Side,
    Touch,
    TradePrint,
    WatchLevels,
)
from tests.support.house import BTC

MS = 1_000_000
VOCABULARY = b"12345678"


def touch(update_id: int, instrument: int = 0) -> Touch:
    return Touch(instrument, 1, update_id, 0, 100, 1, 101, 1)


def book(state: BookState, sequence: int = 0, instrument: int = 0) -> BookStateChanged:
    return BookStateChanged(instrument, state, BookReason.START, sequence)


def watch(price: int) -> WatchLevels:
    return WatchLevels(0, (price,), ())


def alert(number: int) -> Alert:
    return Alert(AlertLevel.INFO, "orderbook", "numbered", number)


class Host:
    """One end: what it was told, in order, taken as soon as it came unless `takes` is off."""

    def __init__(self, number: int, peer: int, now_ns: int, run: int = 1, vocabulary: bytes = VOCABULARY) -> None:
        self.link = Link(Own(number, run, vocabulary), peer, now_ns)
        self.run = run
        self.heard: list[Message] = []
        self.untaken: deque[Arrived] = deque()
        self.takes = True
        self.events: list[Event] = []

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.link.offer(message, HEADER.pack(3, HEADER_VERSION, self.link.own.number, 7, 9) + encode(message))

    def hear(self, frame: bytes, now_ns: int) -> None:
        self.untaken.extend(self.link.receive(*unpack(frame), now_ns))
        self.events += self.link.events
        self.link.events.clear()
        if self.takes:
            self.take()

    def take(self) -> None:
        while self.untaken:
            message = self.untaken.popleft()
            self.heard.append(decode_any(message.raw[HEADER_SIZE:]))
            self.link.taken(message)

    def resume(self) -> None:
        self.takes = True
        self.take()

    def told(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.heard if type(message) is kind]


class Pair:
    """Two hosts and the frames under way. `pass_` delivers everything; `lose` drops what is under way."""

    def __init__(self, **theirs: bytes) -> None:
        self.now_ns = 1_000_000_000
        self.a, self.b = Host(0, 1, self.now_ns), Host(1, 0, self.now_ns, **theirs)
        self.wires: dict[int, deque[bytes]] = {0: deque(), 1: deque()}
        self.deaf: set[int] = set()
        """Hosts whose frames vanish."""

    def put(self, host: Host, frames: Sequence[bytes]) -> None:
        if host.link.own.number not in self.deaf:
            self.wires[host.link.own.number].extend(frames)

    def flush(self) -> None:
        for host in (self.a, self.b):
            self.put(host, host.link.flush(self.now_ns))

    def deliver(self, sender: int) -> None:
        receiver = self.b if sender == 0 else self.a
        receiver.hear(self.wires[sender].popleft(), self.now_ns)
        self.flush()

    def pass_(self, ms: int = 0) -> None:
        """Time goes by in steps of half a heartbeat; whatever is sent arrives."""
        for _ in range(max(ms // 100, 1)):
            self.now_ns += 100 * MS if ms else 0
            for host in (self.a, self.b):
                self.put(host, host.link.tick(self.now_ns))
                host.events += host.link.events
                host.link.events.clear()
            while any(self.wires.values()):
                for sender, wire in self.wires.items():
                    if wire:
                        self.deliver(sender)

    def lose(self) -> None:
        for wire in self.wires.values():
            wire.clear()

    def restart_b(self) -> None:
        self.b = Host(1, 0, self.now_ns, run=self.b.run + 1)
        self.wires[1].clear()

    def restart_a(self) -> None:
        self.a = Host(0, 1, self.now_ns, run=self.a.run + 1)
        self.wires[0].clear()


@pytest.fixture
def pair() -> Pair:
    """Two hosts that know each other."""
    made = Pair()
    made.pass_(400)
    return made


# -- a link as it should be -------------------------------------------------------------------------------------------


def test_two_hosts_find_each_other_whoever_speaks_first(pair: Pair) -> None:
    assert (pair.a.link.inbound.up, pair.b.link.inbound.up) == (True, True)
    assert [event.happening for event in pair.a.events] == [Happening.UP]


def test_what_is_said_arrives_in_order_with_its_own_header(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1), alert(1), touch(2))
    pair.b.takes = False
    pair.pass_()
    first = pair.b.untaken[0]
    assert first.raw[:HEADER_SIZE] == HEADER.pack(3, HEADER_VERSION, 0, 7, 9)
    pair.b.take()
    assert pair.b.heard == [book(BookState.LIVE), touch(1), alert(1), touch(2)]


def test_a_fact_is_kept_until_it_was_taken_and_then_forgotten(pair: Pair) -> None:
    pair.b.takes = False
    pair.a.say(alert(1), alert(2))
    pair.pass_(200)
    assert len(pair.a.link.outbound.facts) == 2, "it arrived, and nobody has taken it"
    pair.b.take()
    pair.pass_(200)
    assert len(pair.a.link.outbound.facts) == 0


def test_facts_before_the_first_contact_are_told_in_order() -> None:
    pair = Pair()
    pair.a.say(BTC, EngineStarted(0, 5), alert(1))
    pair.pass_(400)
    assert pair.b.heard == [BTC, EngineStarted(0, 5), alert(1)]


def test_a_host_of_other_messages_is_refused_once_and_told_why() -> None:
    pair = Pair(vocabulary=b"87654321")
    pair.a.say(alert(1))
    pair.pass_(2_000)
    assert pair.b.heard == []
    assert [event.happening for event in pair.a.events] == [Happening.REFUSED]
    assert "run the same version on both hosts" in pair.a.events[0].detail


def test_clocks_that_differ_are_told(pair: Pair) -> None:
    for _ in range(60):
        pair.now_ns += HEARTBEAT_NS
        for frame in pair.a.link.tick(pair.now_ns + 150 * MS):
            pair.b.hear(frame, pair.now_ns)
    assert Event(Happening.CLOCK_DIFFERS, "-150") in pair.b.events


# -- loss -------------------------------------------------------------------------------------------------------------


def test_a_lost_frame_is_found_by_the_next_one_and_everything_is_told_again(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1), alert(1))
    pair.flush()
    pair.lose()
    pair.a.say(alert(2))
    pair.pass_(400)
    assert [m for m in pair.b.heard if isinstance(m, Alert)] == [alert(1), alert(2)]
    assert pair.b.heard[-1] == touch(1), "and the newest data, behind the book's state"
    assert pair.b.link.inbound.gaps == 1
    assert Happening.LOST not in [event.happening for event in pair.b.events], "it was never silent"


def test_the_last_frame_of_a_burst_is_missed_too(pair: Pair) -> None:
    pair.a.say(alert(1))
    pair.flush()
    pair.lose()
    pair.pass_(600)
    assert pair.b.heard == [alert(1)]


def test_silence_is_a_loss_and_a_return_begins_with_every_books_state(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1))
    pair.pass_()
    pair.deaf.add(0)
    pair.pass_(700)
    assert pair.b.events[-1] == Event(Happening.LOST, "nothing was heard of it for 600 ms")
    pair.b.heard.clear()
    pair.a.say(touch(2))
    pair.deaf.clear()
    pair.pass_(800)
    assert pair.b.heard == [book(BookState.LIVE), touch(2)]
    assert pair.b.events[-1].happening is Happening.UP


def test_what_a_frozen_host_had_under_way_is_not_believed_when_it_wakes(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1))
    pair.pass_()
    pair.a.say(touch(2))
    pair.flush()
    stale = list(pair.wires[0])
    pair.lose()
    pair.deaf.add(0)
    pair.pass_(3_000)
    pair.b.heard.clear()
    for frame in stale:
        pair.b.hear(frame, pair.now_ns)
    assert pair.b.heard == []


def test_a_receiver_that_was_frozen_itself_does_not_believe_what_waited_for_it(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1))
    pair.pass_()
    pair.a.say(touch(2))
    pair.flush()
    pair.now_ns += LOST_NS + 1
    pair.b.hear(pair.wires[0].popleft(), pair.now_ns)
    assert touch(2) not in pair.b.heard
    assert pair.b.events[-1].happening is Happening.LOST


def test_a_fact_that_arrived_and_waits_is_not_heard_again_when_it_is_told_again(pair: Pair) -> None:
    pair.b.takes = False
    pair.a.say(alert(1))
    pair.pass_()
    pair.a.say(alert(2))
    pair.flush()
    pair.lose()
    pair.pass_(400)
    pair.b.resume()
    assert pair.b.heard == [alert(1), alert(2)]
    assert pair.b.link.inbound.repeated == 1


def test_data_of_a_book_that_is_no_longer_live_is_not_told_again(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1), book(BookState.INVALID))
    pair.pass_()
    pair.b.heard.clear()
    pair.b.link.cut(pair.now_ns)
    pair.pass_(400)
    assert pair.b.heard == [book(BookState.INVALID)]


def test_a_goodbye_is_a_loss_at_once(pair: Pair) -> None:
    pair.b.hear(pair.a.link.farewell(pair.now_ns), pair.now_ns)
    assert pair.b.events[-1] == Event(Happening.LOST, "it said goodbye")


def test_a_connection_that_ends_is_a_loss_at_once(pair: Pair) -> None:
    pair.b.link.cut(pair.now_ns)
    assert pair.b.link.events == [Event(Happening.LOST, "its connection has ended")]
    pair.pass_(400)
    assert pair.b.link.inbound.up


# -- restarts ---------------------------------------------------------------------------------------------------------


def test_a_new_run_of_the_receiver_hears_that_what_failed_was_made_anew(pair: Pair) -> None:
    """In this order: else it would wait for ever for a restart that was."""
    pair.a.say(ActorFailed("x", 1, ""), ActorsRestarted(("x", "y"), 1, ""))
    pair.pass_()
    pair.restart_b()
    pair.pass_(400)
    assert [type(row) for row in pair.b.heard if isinstance(row, ActorFailed | ActorsRestarted)] == [
        ActorFailed,
        ActorsRestarted,
    ]


def test_a_new_run_of_the_receiver_is_told_what_is_kept_and_not_what_its_predecessor_missed(pair: Pair) -> None:
    pair.a.say(BTC, EngineStarted(0, 5), alert(1), watch(10), watch(11), ActorFailed("x", 1, ""))
    pair.a.say(book(BookState.LIVE), touch(1))
    pair.pass_()
    pair.restart_b()
    pair.pass_(400)
    assert pair.b.told(Instrument) == [BTC]
    assert pair.b.told(WatchLevels) == [watch(11)]
    assert pair.b.told(ActorFailed), "whoever starts anew must know that somebody's state is spoilt"
    assert pair.b.told(Alert) == []
    assert pair.b.heard[-2:] == [book(BookState.LIVE), touch(1)]


def test_what_is_kept_is_told_until_it_was_taken(pair: Pair) -> None:
    pair.a.say(BTC, EngineStarted(0, 5))
    pair.pass_()
    pair.restart_b()
    pair.now_ns += 100 * MS
    for _ in range(3):  # each first frame of a session is lost
        pair.put(pair.b, pair.b.link.tick(pair.now_ns))
        while pair.wires[1]:
            pair.deliver(1)
        pair.wires[0].clear()
        pair.now_ns += HEARTBEAT_NS
    pair.pass_(800)
    assert pair.b.heard == [BTC, EngineStarted(0, 5)]


def test_a_new_run_of_the_sender_is_a_loss_of_the_old_one(pair: Pair) -> None:
    pair.a.say(book(BookState.LIVE), touch(1))
    pair.pass_()
    late = pair.a.link.tick(pair.now_ns + HEARTBEAT_NS)
    pair.restart_a()
    pair.pass_(400)
    happened = [event.happening for event in pair.b.events]
    assert happened == [Happening.UP, Happening.LOST, Happening.UP]
    pair.b.hear(late[0], pair.now_ns)
    assert pair.b.link.inbound.run == pair.a.run, "a late frame of the old run changes nothing"


# -- a receiver that is slow ------------------------------------------------------------------------------------------


def test_data_beyond_the_window_conflates_and_prints_are_dropped(pair: Pair) -> None:
    pair.b.takes = False
    pair.a.say(book(BookState.LIVE), *(touch(n) for n in range(10_000)), TradePrint(0, 1, 1, 0, 0, 100, 1, Side.BUY))
    pair.pass_()
    outbound = pair.a.link.outbound
    assert len(pair.b.untaken) == 1 + DATA_WINDOW
    assert outbound.waiting == 1
    assert (outbound.conflated, outbound.dropped) == (10_000 - DATA_WINDOW - 1, 1)
    pair.b.resume()
    pair.pass_(200)
    assert pair.b.heard[-1] == touch(9_999)


def test_validity_overtakes_the_data_that_waits(pair: Pair) -> None:
    pair.b.takes = False
    pair.a.say(book(BookState.LIVE), *(touch(n) for n in range(DATA_WINDOW + 5)))
    pair.pass_()
    pair.a.say(book(BookState.INVALID))
    pair.b.resume()
    pair.pass_(400)
    assert pair.b.heard[-1] == book(BookState.INVALID)
    assert touch(DATA_WINDOW + 4) not in pair.b.heard


def test_newer_data_never_overtakes_what_waits_of_its_kind(pair: Pair) -> None:
    """Room comes back with a frame, and the host's cascade runs before the link sends what waits."""
    pair.b.takes = False
    pair.a.say(*(touch(n) for n in range(DATA_WINDOW + 1)))
    pair.pass_()
    pair.b.resume()
    for frame in pair.b.link.flush(pair.now_ns):
        pair.a.hear(frame, pair.now_ns)
    pair.a.say(touch(DATA_WINDOW + 1))
    pair.pass_(200)
    assert [m.update_id for m in pair.b.told(Touch)][-2:] == [DATA_WINDOW - 1, DATA_WINDOW + 1]


def test_watched_levels_that_wait_are_merged_and_none_is_forgotten(pair: Pair) -> None:
    def levels(update_id: int, **bids: int) -> LevelQuantities:
        prices = tuple(int(name[1:]) for name in bids)
        return LevelQuantities(0, 1, update_id, 0, prices, tuple(bids.values()), (), ())

    pair.b.takes = False
    pair.a.say(*(touch(n) for n in range(DATA_WINDOW)), levels(1, p10=5, p11=6), levels(2, p11=7), levels(3, p12=8))
    pair.pass_()
    pair.b.resume()
    pair.pass_(200)
    assert pair.b.told(LevelQuantities) == [levels(3, p10=5, p11=7, p12=8)]


def intent(expires_ns: int) -> QuoteIntent:
    return QuoteIntent(0, 0, 0, 1, "main", False, 1, 0, expires_ns, 10, 1, 0, 0)


def test_a_stale_intent_is_not_sent_again(pair: Pair) -> None:
    pair.deaf.add(0)
    living = intent(pair.now_ns + 60_000 * MS)
    pair.a.say(intent(pair.now_ns + 100 * MS), living)
    pair.pass_(700)
    pair.deaf.clear()
    pair.pass_(800)
    assert pair.b.told(QuoteIntent) == [living]
    assert pair.a.link.outbound.expired == 1


def test_more_facts_than_may_wait_are_a_loss_that_is_told(pair: Pair) -> None:
    pair.deaf.add(0)
    pair.a.say(*(watch(n) for n in range(FACTS_MAX + 3)))
    pair.pass_(700)
    pair.deaf.clear()
    pair.pass_(800)
    assert len(pair.b.told(WatchLevels)) == FACTS_MAX
    assert Happening.FACTS_LOST in [event.happening for event in pair.b.events]


@pytest.mark.parametrize(("life_ms", "lost"), [(100, False), (60_000, True)])
def test_intents_that_would_be_stale_by_now_are_no_loss(pair: Pair, life_ms: int, lost: bool) -> None:
    """A strategy goes on wishing while the host that trades is cut off: minutes of it must not end that host."""
    pair.deaf.add(0)
    pair.a.say(*[intent(pair.now_ns + life_ms * MS)] * (FACTS_MAX + 3))
    pair.pass_(700)
    pair.deaf.clear()
    pair.pass_(800)
    assert (Happening.FACTS_LOST in [event.happening for event in pair.b.events]) is lost
    assert len(pair.b.told(QuoteIntent)) == (FACTS_MAX if lost else 0)


def test_alerts_and_book_states_beyond_that_are_no_loss(pair: Pair) -> None:
    pair.deaf.add(0)
    pair.a.say(*(alert(n) for n in range(FACTS_MAX + 3)))
    assert not pair.a.link.outbound.lossy


# -- whatever happens -------------------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("fact"), st.just(0)),
        st.tuples(st.just("data"), st.integers(0, 1)),
        st.tuples(st.sampled_from(("invalid", "live")), st.integers(0, 1)),
        st.tuples(st.just("deliver"), st.integers(0, 1)),
        st.tuples(st.sampled_from(("lose", "lose all")), st.integers(0, 1)),
        st.tuples(st.just("double"), st.integers(0, 1)),
        st.tuples(st.just("swap"), st.integers(0, 1)),
        st.tuples(st.just("time"), st.integers(1, 900)),
        st.tuples(st.just("take"), st.integers(0, 1)),
    ),
    max_size=120,
)


class Rough:
    """Runs actions, and remembers what was said to b."""

    def __init__(self) -> None:
        self.pair = Pair()
        self.pair.pass_(400)
        self.facts: list[Message] = []
        self.said = 0
        self.live: dict[int, bool] = {}

    def run(self, action: str, value: int) -> None:
        pair, wire = self.pair, self.pair.wires[value % 2]
        self.said += 1
        if action == "fact":
            self.facts.append(alert(self.said))
            pair.a.say(self.facts[-1])
        elif action == "data" and self.live.get(value):
            pair.a.say(touch(self.said, value))
        elif action in ("invalid", "live"):
            self.live[value] = action == "live"
            pair.a.say(book(BookState.LIVE if self.live[value] else BookState.INVALID, self.said, value))
        elif action == "deliver" and wire:
            pair.deliver(value)
        elif action == "lose" and wire:
            wire.popleft()
        elif action == "lose all":
            wire.clear()
        elif action == "double" and wire:
            wire.appendleft(wire[0])
        elif action == "swap" and len(wire) > 1:
            wire.append(wire.popleft())
        elif action == "take":
            pair.b.takes = bool(value)
            pair.b.take()
        elif action == "time":
            pair.now_ns += value * MS
            for host in (pair.a, pair.b):
                pair.put(host, host.link.tick(pair.now_ns))
        pair.flush()

    def settle(self) -> None:
        self.pair.b.takes = True
        self.pair.b.resume()
        self.pair.pass_(3_000)


@settings(deadline=None, max_examples=300)
@given(ACTIONS)
def test_facts_arrive_once_and_in_order_whatever_the_network_does(actions: list[tuple[str, int]]) -> None:
    rough = Rough()
    for action, value in actions:
        rough.run(action, value)
    rough.settle()
    assert rough.pair.b.told(Alert) == rough.facts
    assert len(rough.pair.a.link.outbound.facts) == 0


@settings(deadline=None, max_examples=300)
@given(ACTIONS)
def test_no_price_of_a_book_that_is_not_live_ever_arrives(actions: list[tuple[str, int]]) -> None:
    """In b's ears: a touch comes only while the last state it heard of that book is LIVE; in the end it knows them all."""
    rough = Rough()
    for action, value in actions:
        rough.run(action, value)
    rough.settle()
    state: dict[int, BookState] = {}
    last: dict[int, Message] = {}
    for message in rough.pair.b.heard:
        if isinstance(message, BookStateChanged):
            state[message.instrument] = message.state
        elif isinstance(message, Touch):
            assert state[message.instrument] is BookState.LIVE
            last[message.instrument] = message
    assert {number: held is BookState.LIVE for number, held in state.items()} == rough.live
    kept = rough.pair.a.link.outbound._data.values()
    newest = [decode_any(raw[HEADER_SIZE:]) for raw in kept]
    assert all(last[message.instrument] == message for message in newest if isinstance(message, Touch))
