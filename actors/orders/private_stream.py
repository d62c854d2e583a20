"""Whether the private stream tells everything. A socket that answers pings proves nothing about what is sent on it. Pure.

What the venue told us otherwise the stream must tell too: that a request was done (its answer), that an order ended or was
executed (a query, of what happened since the stream began). Each such fact is expected within a bound that is learnt from
how far events lag behind answers. One that does not come makes the stream SUSPECT, as does silence while orders work: what
works is unproven and the venue is looked at. If the stream has not told it when the look is answered, it is given up for
another one. If it has, it was only slow: the bound is raised, so that a lazy stream is not suspected at each order.

    fact told otherwise -> expected --event--> learnt          TRUSTED --overdue, silent--> SUSPECT --told, nothing missed--> TRUSTED
                                    --bound passed--> overdue                               SUSPECT --look answered--> CONDEMNED
"""

import msgspec

from actors.orders.desk import NAME, STREAM_TIMER, Desk
from actors.orders.order import Order
from actors.orders.state import TRUST, Sign, Trust
from bus.messages import AlertLevel, ExecutionReport, Message, PrivateStreamSuspected, SetTimer, VenueState

EXISTS, ENDED = -1, -2
"""What is expected of an order, in place of the trade id of an execution."""
TOLD_NOTHING, TOLD_EXISTS, TOLD_END = 0, 1, 2
WORKING, DONE_FILLED = VenueState.WORKING, VenueState.DONE_FILLED
WINDOW = 128  # chosen: delays kept; some minutes of quoting
LEARNT_MIN = 16  # chosen: fewer delays than this say nothing about a high quantile
SLOWEST_LEFT_OUT = 6  # chosen: of the window, 5 %: a quantile of 95 %
FACTOR = 4  # chosen: room above that quantile, as the market data's own watch leaves
LATE_NS = 100_000_000
"""Chosen: a timer that comes so much too late says that we stood still; what waits unread may be what we miss."""
EXPECTED_MAX = 10_000  # chosen: as many as orders may be open; beyond it the oldest is no longer expected, counted


class StreamState(msgspec.Struct, array_like=True):
    """expected: (client order id, EXISTS, ENDED or trade id) -> when it was told otherwise (0: by a query), until when it is due.

    since_ns: when the stream began. heard_ns: its last word, or when the venue was last asked and had nothing more.
    delays: of events behind answers, in a ring at `cursor`. patience_ns: at least so much time, because less was too little,
    or did not help. bound_ns: what follows from both.
    """

    trust: Trust = Trust.TRUSTED
    generation: int = 0
    since_ns: int = 0
    heard_ns: int = 0
    armed_ns: int = 0
    delays: list[int] = []
    cursor: int = 0
    patience_ns: int = 0
    bound_ns: int = 0
    expected: list[tuple[str, int, int, int]] = []


class PrivateStream:
    __slots__ = ("desk", "expected", "state")

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.state = StreamState(bound_ns=desk.settings.stream_lag_first_ns)
        self.expected: dict[tuple[str, int], tuple[int, int]] = {}

    # -- the stream's life ----------------------------------------------------------------------------------------

    def opened(self, generation: int, now_ns: int) -> None:
        """A new one, or a proof of the old one: nothing of before is expected on it. The first request arms the timer."""
        state = self.state
        state.trust = TRUST[state.trust, Sign.OPENED]
        state.generation, state.since_ns, state.heard_ns = generation, now_ns, now_ns
        self.desk.blind = False
        self.expected.clear()

    def closed(self) -> None:
        self.expected.clear()
        self.state.generation = 0

    def begin_run(self, stream_up: bool) -> None:
        """Timers of the last run do not fire, and its stream is gone."""
        self.state.armed_ns = 0
        if not stream_up:
            self.closed()

    # -- facts ----------------------------------------------------------------------------------------------------

    def answered(self, order: Order, what: int, now_ns: int, out: list[Message]) -> None:
        """A request of ours was done: EXISTS of a submit, ENDED of a cancel."""
        if order.told >= (TOLD_END if what == ENDED else TOLD_EXISTS):
            self.learn(0)  # the event was first
        elif self.state.generation:
            self.expect(order.client_order_id, what, now_ns, now_ns + self.state.bound_ns, out)

    def found(self, order: Order, what: int, venue_ns: int, now_ns: int, out: list[Message]) -> None:
        """A query told it. The stream had to, if it happened since that began; it may be due already."""
        if what < 0 and order.told >= (TOLD_END if what == ENDED else TOLD_EXISTS):
            return
        desk = self.desk
        happened_ns = venue_ns - desk.offset_ns
        if self.state.generation and happened_ns - desk.uncertainty_ns > self.state.since_ns:
            due_ns = max(happened_ns + desk.uncertainty_ns + self.state.bound_ns, now_ns + 1)
            self.expect(order.client_order_id, what, 0, due_ns, out)

    def expect(self, key: str, what: int, told_ns: int, due_ns: int, out: list[Message]) -> None:
        if (key, what) in self.expected or self.state.trust is Trust.CONDEMNED:
            return
        if len(self.expected) >= EXPECTED_MAX:
            del self.expected[next(iter(self.expected))]
            self.desk.count("stream_word_not_awaited")
        self.expected[key, what] = (told_ns, due_ns)
        self.arm_at(due_ns, out)

    def heard(self, order: Order, report: ExecutionReport, now_ns: int) -> None:
        """The stream's own word. Hot: two comparisons while nothing is expected."""
        self.state.heard_ns = now_ns
        told = TOLD_END if report.state >= DONE_FILLED else TOLD_EXISTS
        if told > order.told:
            order.told = told
        if self.expected:
            key = order.client_order_id
            self.came(key, EXISTS, now_ns)
            if told == TOLD_END:
                self.came(key, ENDED, now_ns)
            if report.trade_id >= 0:
                self.came(key, report.trade_id, now_ns)

    def came(self, key: str, what: int, now_ns: int) -> None:
        told_ns, due_ns = self.expected.pop((key, what), (0, 0))
        if not told_ns:
            return
        self.learn(now_ns - told_ns)
        if due_ns <= now_ns:
            self.be_patient(now_ns - told_ns)

    def learn(self, delay_ns: int) -> None:
        """Keep it; each LEARNT_MIN of them the bound is made anew, and at the window's end half of the patience is gone."""
        state = self.state
        if len(state.delays) < WINDOW:
            state.delays.append(delay_ns)
        else:
            state.delays[state.cursor] = delay_ns
        state.cursor = (state.cursor + 1) % WINDOW
        if state.cursor == 0:
            state.patience_ns //= 2
        if state.cursor % LEARNT_MIN == 0:
            self.set_bound()

    def be_patient(self, delay_ns: int) -> None:
        self.state.patience_ns = max(self.state.patience_ns, 2 * delay_ns)
        self.set_bound()

    def set_bound(self) -> None:
        """How long an event may lag behind the venue's other word: the learnt lag with room above it, within the settings."""
        settings, delays = self.desk.settings, self.state.delays
        if len(delays) < LEARNT_MIN:
            usual = settings.stream_lag_first_ns
        else:
            usual = FACTOR * sorted(delays)[-1 - SLOWEST_LEFT_OUT * len(delays) // WINDOW]
        usual = max(usual, self.state.patience_ns, settings.stream_lag_min_ns)
        self.state.bound_ns = min(usual, settings.stream_lag_max_ns)

    # -- suspicion ------------------------------------------------------------------------------------------------

    def why(self, now_ns: int) -> str:
        """Why the stream is not to be trusted now; "" if nothing speaks against it."""
        for (key, what), (_, due_ns) in self.expected.items():
            if due_ns <= now_ns:
                word = {EXISTS: "existence", ENDED: "end"}.get(what, f"trade {what}")
                return f"untold={word} client_order_id={key} bound_ms={self.state.bound_ns // 1_000_000}"
        silence_ns = self.desk.settings.stream_silence_ns
        if silence_ns and self.desk.register.open and now_ns - self.state.heard_ns >= silence_ns:
            return f"silent_ms={(now_ns - self.state.heard_ns) // 1_000_000}"
        return ""

    def on_timer(self, fires_ns: int, now_ns: int, out: list[Message]) -> bool:
        """True: it is SUSPECT from now on, and the venue has to be looked at."""
        state = self.state
        state.armed_ns = 0
        if not state.generation or state.trust is not Trust.TRUSTED:
            return False
        if now_ns - fires_ns > LATE_NS:
            self.excuse(now_ns)
        reason = self.why(now_ns)
        if not reason:
            self.arm(now_ns, out)
            return False
        state.trust = TRUST[state.trust, Sign.OVERDUE]
        self.desk.alert(AlertLevel.WARNING, "private_stream_suspect", -1, reason, out)
        out.append(PrivateStreamSuspected(self.desk.settings.account, state.generation, reason, False))
        return True

    def excuse(self, now_ns: int) -> None:
        """It was we who stood still: everything gets its time once more."""
        self.desk.count("stream_not_judged")
        self.state.heard_ns = now_ns
        due_ns = now_ns + self.state.bound_ns
        self.expected = {key: (told_ns, max(until, due_ns)) for key, (told_ns, until) in self.expected.items()}

    def looked(self, now_ns: int, out: list[Message]) -> None:
        """The venue was asked and has answered: what it told and the stream did not is in `expected`."""
        state = self.state
        state.heard_ns = now_ns
        if state.trust is not Trust.SUSPECT:
            self.arm(now_ns, out)
            return
        reason = self.why(now_ns)
        state.trust = TRUST[state.trust, Sign.MISSED if reason else Sign.CLEARED]
        if not reason:
            self.desk.count("private_stream_cleared")
            self.arm(now_ns, out)
            return
        self.expected.clear()
        self.desk.blind = True
        self.be_patient(state.bound_ns)  # the next one gets more time: a slow venue is not made faster by another
        self.desk.alert(AlertLevel.WARNING, "private_stream_given_up", -1, reason, out)
        out.append(PrivateStreamSuspected(self.desk.settings.account, state.generation, reason, True))

    def arm(self, now_ns: int, out: list[Message]) -> None:
        """For the earliest of all deadlines that lie ahead."""
        silence_ns = self.desk.settings.stream_silence_ns
        due = [due_ns for _, due_ns in self.expected.values()]
        if silence_ns:
            quiet_ns = self.state.heard_ns + silence_ns
            due.append(quiet_ns if quiet_ns > now_ns else now_ns + silence_ns)
        if due:
            self.arm_at(max(min(due), now_ns + 1), out)

    def arm_at(self, due_ns: int, out: list[Message]) -> None:
        """One host timer. While requests flow it is armed already for something earlier: no message for each."""
        state = self.state
        if state.generation and state.trust is Trust.TRUSTED and (state.armed_ns == 0 or due_ns < state.armed_ns):
            state.armed_ns = due_ns
            out.append(SetTimer(NAME, STREAM_TIMER, 0, due_ns))

    # -- checkpoint -----------------------------------------------------------------------------------------------

    def checkpoint(self) -> StreamState:
        rows = [(key, what, told_ns, due_ns) for (key, what), (told_ns, due_ns) in self.expected.items()]
        return msgspec.structs.replace(self.state, delays=list(self.state.delays), expected=rows)

    def restore(self, state: StreamState) -> None:
        self.state = msgspec.structs.replace(state, delays=list(state.delays), expected=[])
        self.expected = {(key, what): (told_ns, due_ns) for key, what, told_ns, due_ns in state.expected}
        self.desk.blind = state.trust is Trust.CONDEMNED
        if not self.state.bound_ns:
            self.set_bound()

    def view(self) -> dict[str, object]:
        return {
            "trust": self.state.trust.name,
            "bound_ms": self.state.bound_ns // 1_000_000,
            "expected": len(self.expected),
        }
