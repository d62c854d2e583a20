"""After another instance led: what its ledger holds is not booked again, and what the venue shows beyond it is, once."""

from random import Random
from typing import Any

import msgspec
import pytest

from actors.orders import Orders
from actors.orders.desk import FOREIGN_MAX
from actors.orders.recovery import OrdersState
from actors.orders.takeover import STRANGERS_MAX, remember_foreign
from bus.messages import (
    AccountHandedOver,
    AccountState,
    Alert,
    BalancesReported,
    CancelOrder,
    EngineStarted,
    ExecutionReport,
    Fill,
    Message,
    OrdersReady,
    PrivateStreamUp,
    QueryKind,
    SubmitOrder,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    INSTRUMENT,
    MILLISECOND,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    approved,
    canceled,
    every,
    history,
    only,
    snapshot,
)
from tests.support.ids import id_of


def predecessors(count: int) -> list[str]:
    """Ids that an engine of epoch 4 made."""
    return [id_of(4, counter) for counter in range(count)]


class Venue:
    """Orders and trades as another engine left them; answers whatever is asked, and confirms cancels."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, VenueState, int]] = {}
        self.trades: list[tuple[int, int, int]] = []
        self.traded_ns = 0

    def trade(self, trade_id: int, venue_order_id: int, lots: int, key: str, state: VenueState) -> None:
        total = self.orders.get(venue_order_id, ("", state, 0))[2] + lots
        self.orders[venue_order_id] = (key, state, total)
        self.trades.append((trade_id, venue_order_id, lots))

    def tell(self, number: int) -> ExecutionReport:
        key, state, total = self.orders[number]
        return snapshot(key, state, total, venue_order_id=number)

    def answer(self, query: VenueQuery) -> tuple[ExecutionReport, ...]:
        if query.kind is QueryKind.OPEN_ORDERS:
            return tuple(self.tell(n) for n, row in self.orders.items() if row[1] is VenueState.WORKING)
        if query.kind is QueryKind.ORDER:
            wanted = [
                number
                for number, row in self.orders.items()
                if (row[0] == query.client_order_id if query.client_order_id else number == query.venue_order_id)
            ]
            return tuple(self.tell(number) for number in wanted)
        if query.kind is QueryKind.TRADES:
            rows = [row for row in self.trades if query.venue_order_id in (0, row[1])]
            rows = rows[-1:] if query.from_id < 0 else [row for row in rows if row[0] >= query.from_id]
            return tuple(
                history(trade_id, lots, venue_order_id=number, venue_ns=self.traded_ns)
                for trade_id, number, lots in rows
            )
        return ()

    def play(self, bench: Bench, said: list[Message], seconds: float = 20.0) -> None:
        """Answer everything until nothing more is asked for a while."""
        until_ns = bench.now_ns + int(seconds * SECOND)
        queue = list(said)
        while bench.now_ns < until_ns:
            while queue:
                message = queue.pop(0)
                bench.now_ns += MILLISECOND
                if isinstance(message, VenueQuery):
                    rows = self.answer(message)
                    found = bool(rows) or message.kind is not QueryKind.ORDER
                    queue += bench.feed(answer(message, bench.now_ns, *rows, found=found))
                elif isinstance(message, CancelOrder):
                    number = next((n for n, row in self.orders.items() if row[0] == message.client_order_id), 0)
                    if not number:
                        continue
                    key, _, total = self.orders[number]
                    self.orders[number] = (key, VenueState.DONE_CANCELED, total)
                    queue += bench.feed(canceled(key, total, venue_order_id=number))
            queue = bench.wait(50 * MILLISECOND)


def left(recent: tuple[int, ...], symbol: str = "BTCUSDT") -> AccountHandedOver:
    state = AccountState(1, 9, ("BTC",), (5,), (symbol,), (5,), (1,), (0,), (recent[-1],), (recent,), (0,), (0,))
    return AccountHandedOver(1, 4, state)


def take_over(venue: Venue, recent: tuple[int, ...], bench: Bench | None = None) -> Bench:
    bench = bench or Bench()
    bench.feed(INSTRUMENT)
    bench.feed(left(recent))
    bench.feed(EngineStarted(1, 5))
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 1, bench.now_ns))))
    return bench


def booked(bench: Bench) -> list[tuple[int, int]]:
    return [(fill.trade_id, fill.quantity // UNIT) for fill in every(bench.said, Fill)]


def test_fills_of_the_predecessors_done_orders_that_he_did_not_leave_are_booked() -> None:
    venue, (first, second) = Venue(), predecessors(2)
    venue.trade(41, 901, 10, first, VenueState.DONE_FILLED)
    venue.trade(42, 902, 4, second, VenueState.DONE_CANCELED)
    bench = take_over(venue, (40, 41))
    assert booked(bench) == [(42, 4)]
    [fill] = every(bench.said, Fill)
    assert (fill.client_order_id, fill.owner) == (second, "orphan")
    assert only(bench.said, OrdersReady).fills == 1
    assert bench.status(second) == "CANCELED"
    assert bench.orders.view()["shortfalls"] == {}


def test_a_working_order_of_his_is_canceled_and_only_its_fills_beyond_the_ledger_are_booked() -> None:
    venue, (key,) = Venue(), predecessors(1)
    venue.trade(41, 901, 3, key, VenueState.WORKING)
    venue.trade(42, 901, 2, key, VenueState.WORKING)
    bench = take_over(venue, (40, 41))
    assert booked(bench) == [(42, 2)]
    assert (only(bench.said, OrdersReady).canceled, bench.status(key)) == (1, "CANCELED")


def test_it_does_not_wait_for_what_lies_in_the_ledger() -> None:
    """Fills of an order before and within the named trades are counted without a fill, at once."""
    venue, (key,) = Venue(), predecessors(1)
    for trade_id in (12, 40, 41):
        venue.trade(trade_id, 901, 3, key, VenueState.WORKING)
    bench = Bench()
    bench.feed(INSTRUMENT)
    bench.feed(left((40, 41)))
    bench.feed(EngineStarted(1, 5))
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 1, bench.now_ns))), seconds=1.0)
    assert only(bench.said, OrdersReady).fills == 0
    assert booked(bench) == []
    assert bench.orders.view()["counts"]["execution_inside_ledger"] == 3


def test_a_trade_that_came_out_of_order_and_was_not_left_is_found() -> None:
    venue, (key,) = Venue(), predecessors(1)
    for trade_id in (40, 41, 42):
        venue.trade(trade_id, 901, 3, key, VenueState.DONE_CANCELED)
    assert booked(take_over(venue, (40, 42))) == [(41, 3)]


def test_an_account_that_had_not_traded_is_read_from_its_beginning() -> None:
    venue, (key,) = Venue(), predecessors(1)
    venue.trade(3, 901, 10, key, VenueState.DONE_FILLED)
    assert booked(take_over(venue, (-1,))) == [(3, 10)]


def test_our_own_order_of_before_is_booked_up_to_the_takeover_by_the_other_and_after_it_by_us() -> None:
    """We led, were cut off with an order working, the other booked 3 lots of it, 2 more came after what he left."""
    before = Bench().ready()
    key = before.working()
    venue = Venue()
    venue.trade(41, 900, 3, key, VenueState.WORKING)
    venue.trade(42, 900, 2, key, VenueState.WORKING)
    bench = Bench(now_ns=before.now_ns)
    bench.orders.restore(saved(before.orders))
    take_over(venue, (40, 41), bench)
    assert booked(bench) == [(42, 2)]
    assert bench.status(key) == "CANCELED"


def saved(orders: Orders) -> OrdersState:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(orders.checkpoint()), type=OrdersState)


def test_a_persons_own_trades_are_not_booked_and_asked_for_once() -> None:
    venue = Venue()
    venue.trade(41, 901, 5, "web_1", VenueState.DONE_FILLED)
    venue.trade(42, 901, 1, "web_1", VenueState.DONE_FILLED)
    bench = take_over(venue, (40,))
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 2, bench.now_ns))), seconds=100.0)
    asked = [q for q in every(bench.said, VenueQuery) if q.kind is QueryKind.ORDER]
    assert [query.venue_order_id for query in asked] == [901]
    assert booked(bench) == []
    assert len(every(bench.said, OrdersReady)) == 2
    restored = Orders(SETTINGS)
    restored.restore(saved(bench.orders))
    assert restored.desk.foreign == {(7, 901): None}


def test_the_orders_asked_for_at_once_and_remembered_are_bounded() -> None:
    venue = Venue()
    for number in range(STRANGERS_MAX + 1):
        venue.trade(41 + number, 2_000 + number, 1, "web_1", VenueState.DONE_FILLED)
    bench = take_over(venue, (40,))
    assert "too_many_unknown_orders" in [alert.event for alert in every(bench.said, Alert)]
    for number in range(FOREIGN_MAX):
        remember_foreign(bench.orders.desk, 7, 10_000 + number)
    assert len(bench.orders.desk.foreign) == FOREIGN_MAX


def test_what_was_traded_before_the_first_start_lies_in_the_baseline_for_ever() -> None:
    """By another directory's engine on this account: the last of it is shown at every look, and never booked."""
    venue, (key,) = Venue(), predecessors(1)
    venue.trade(41, 901, 3, key, VenueState.DONE_CANCELED)
    bench = Bench()
    bench.feed(INSTRUMENT)
    bench.feed(EngineStarted(1, 5))
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 1, bench.now_ns))), seconds=100.0)
    again = Bench(now_ns=bench.now_ns)
    for fact in bench.said:
        if type(fact) in again.orders.recovers():
            again.orders.recovers()[type(fact)](fact, 0)
    again.feed(INSTRUMENT)
    again.feed(EngineStarted(1, 6))
    venue.play(again, list(again.feed(PrivateStreamUp(1, 1, again.now_ns))), seconds=100.0)
    for run in (bench, again):
        assert booked(run) == []
        assert len(every(run.said, OrdersReady)) == 1
        assert [query for query in every(run.said, VenueQuery) if query.kind is QueryKind.ORDER] == []


def test_an_order_of_ours_that_may_have_traded_is_not_taken_for_the_past() -> None:
    """Sent, perhaps filled, and killed before a word on it: nobody knows of a trade, so nothing is a baseline."""
    before = Bench().ready()
    key = before.working()
    facts = [fact for fact in before.said if not isinstance(fact, BalancesReported)]
    venue = Venue()
    venue.trade(41, 900, 3, key, VenueState.WORKING)
    bench = Bench(now_ns=before.now_ns)
    for fact in facts:
        if type(fact) in bench.orders.recovers():
            bench.orders.recovers()[type(fact)](fact, 0)
    bench.feed(INSTRUMENT)
    bench.feed(EngineStarted(1, 5))
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 1, bench.now_ns))))
    assert booked(bench) == [(41, 3)]


@pytest.mark.parametrize("whose", ["another instance's", "a person's"])
def test_trades_of_others_keep_no_order_of_ours_unproven(whose: str) -> None:
    """Ours never left; meanwhile others bought as it would have. Whose those trades are the venue is asked, and then it is over."""
    before = Bench().ready()
    key = only(before.feed(approved()), SubmitOrder).client_order_id
    facts = [fact for fact in before.said if type(fact) in before.orders.recovers()]
    venue, (other,) = Venue(), predecessors(1)
    venue.traded_ns = before.now_ns
    venue.trade(41, 901, 3, other if whose == "another instance's" else "web_1", VenueState.DONE_FILLED)
    bench = Bench(now_ns=before.now_ns)
    for fact in facts:
        bench.orders.recovers()[type(fact)](fact, before.now_ns)
    take_over(venue, (40, 41), bench)
    venue.play(bench, [], seconds=20.0)
    assert bench.status(key) == "NEVER_SENT"
    assert booked(bench) == []
    assert bench.orders.view()["working"] == 0


def test_whose_trades_they_are_is_not_guessed_when_the_venue_does_not_say() -> None:
    """A replica that has the trade and not yet its order: it stays a question at every look, and no proof ends ours."""
    before = Bench().ready()
    key = only(before.feed(approved()), SubmitOrder).client_order_id
    venue = Venue()
    venue.trades.append((41, 901, 3))
    venue.traded_ns = before.now_ns
    bench = Bench(now_ns=before.now_ns)
    for fact in before.said:
        if type(fact) in bench.orders.recovers():
            bench.orders.recovers()[type(fact)](fact, before.now_ns)
    take_over(venue, (40,), bench)
    venue.play(bench, [], seconds=40.0)
    assert bench.orders.view()["working"] == 1
    assert bench.orders.desk.foreign == {}
    venue.orders[901] = (key, VenueState.DONE_FILLED, 3)
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 2, bench.now_ns))), seconds=20.0)
    assert booked(bench) == [(41, 3)]


def test_a_symbol_that_we_do_not_trade_is_named() -> None:
    bench = Bench()
    bench.feed(INSTRUMENT)
    alert = only(bench.feed(left((40,), "ETHUSDT")), Alert)
    assert alert.event == "unconfigured_symbol_taken_over"
    assert "symbol=ETHUSDT" in alert.detail


def test_after_a_kill_behind_the_takeover_the_journal_books_nothing_twice() -> None:
    """The tail is folded with no Instrument known; then the same trades are shown again."""
    venue, (key,) = Venue(), predecessors(1)
    venue.trade(41, 901, 3, key, VenueState.DONE_CANCELED)
    venue.trade(42, 901, 2, key, VenueState.DONE_CANCELED)
    killed = take_over(venue, (40, 41))
    bench = Bench(now_ns=killed.now_ns)
    folders = bench.orders.recovers()
    for fact in (left((40, 41)), *killed.said):
        if type(fact) in folders:
            folders[type(fact)](fact, 0)
    bench.feed(INSTRUMENT)
    bench.feed(EngineStarted(1, 6))
    venue.play(bench, list(bench.feed(PrivateStreamUp(1, 1, bench.now_ns))))
    assert booked(bench) == []
    assert len(every(bench.said, OrdersReady)) == 1


@pytest.mark.parametrize("seed", range(25))
def test_what_was_left_and_what_is_booked_make_the_venues_whole(seed: int) -> None:
    """Goal: each trade of ours is in the handed ledger or booked here, once. Method: a random history of orders; the
    predecessor folded all but some of the last ones, out of order; killed and restarted at a random moment after."""
    random = Random(seed)
    venue, keys = Venue(), predecessors(12)
    ends = [VenueState.DONE_FILLED, VenueState.DONE_CANCELED, VenueState.WORKING]
    fates = {number: random.choice(ends) for number in range(12)}
    for trade_id in range(1, 60):
        number = random.randrange(12)
        if random.random() < 0.2:
            venue.trade(trade_id, 500 + trade_id, 1, f"web_{trade_id}", VenueState.DONE_FILLED)
        elif venue.orders.get(900 + number, ("", ends[0], 0))[2] < 9:
            venue.trade(trade_id, 900 + number, 1, keys[number], fates[number])
    for number, (key, state, total) in list(venue.orders.items()):  # an order is filled when all ten lots are
        if state is VenueState.DONE_FILLED and total < 10 and number >= 900:
            venue.orders[number] = (key, VenueState.DONE_CANCELED, total)
    ours = [trade_id for trade_id, number, _ in venue.trades if number >= 900]
    lost = set(random.sample(ours[-8:], random.randint(0, 8)))
    folded = [trade_id for trade_id in ours if trade_id not in lost]
    bench = take_over(venue, tuple(folded[-20:]))
    assert sorted(trade_id for trade_id, _ in booked(bench)) == sorted(lost)
    assert len(every(bench.said, OrdersReady)) == 1
    assert all(row[1] is not VenueState.WORKING for row in venue.orders.values())
    again: Any = Bench(now_ns=bench.now_ns)
    again.orders.restore(saved(bench.orders))
    again.feed(INSTRUMENT)
    again.feed(EngineStarted(1, 6))
    venue.play(again, list(again.feed(PrivateStreamUp(1, 2, again.now_ns))))
    assert booked(again) == []
