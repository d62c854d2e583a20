"""An order that worked and that the venue later knows nothing of: what must be seen before it is over."""

from typing import Any

import msgspec
import pytest

from actors.orders import Orders
from actors.orders.forgotten import DENIALS_MIN
from actors.orders.recovery import OrdersState
from bus.messages import (
    Alert,
    AlertLevel,
    CancelOrder,
    Fill,
    OrdersQuiet,
    OrdersReady,
    Outcome,
    PrivateStreamUp,
    QueryKind,
    ReportKind,
    StopRequested,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    MILLISECOND,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    every,
    history,
    new,
    only,
    report,
    snapshot,
    traded,
)

DENIED = (QueryKind.ORDER,) * DENIALS_MIN


class Forgetful:
    """A venue that knows nothing of our orders; what it says otherwise is given by kind of question."""

    def __init__(self, bench: Bench, **says: Any) -> None:
        self.bench = bench
        self.says = says
        self.asked: list[tuple[int, QueryKind]] = []

    def run(self, wait_ns: int) -> None:
        """Answer whatever is asked, a millisecond after it was."""
        bench = self.bench
        end_ns = bench.now_ns + wait_ns
        while bench.now_ns < end_ns:
            queries = every(bench.said[:], VenueQuery)
            bench.said[:] = [message for message in bench.said if not isinstance(message, VenueQuery)]
            for query in queries:
                self.asked.append((bench.now_ns, query.kind))
                bench.feed(self.answer_to(query))
            bench.wait(10 * MILLISECOND)

    def answer_to(self, query: VenueQuery) -> Any:
        given = self.says.get(query.kind.name, ())
        if isinstance(given, Outcome):
            return answer(query, self.bench.now_ns, outcome=given)
        return answer(query, self.bench.now_ns, *given, found=bool(given) or query.kind is not QueryKind.ORDER)


def doubted(bench: Bench | None = None) -> tuple[Bench, str]:
    """One order works; then the private stream comes anew, and its questions are not answered yet."""
    bench = bench or Bench().ready()
    key = bench.working()
    bench.said.clear()
    bench.wait(MILLISECOND)
    bench.feed(PrivateStreamUp(1, 2, bench.now_ns))
    return bench, key


def alerts(bench: Bench, event: str) -> list[Alert]:
    return [alert for alert in every(bench.said, Alert) if alert.event == event]


def test_it_ends_canceled_with_a_critical_alert_and_ready_goes_on() -> None:
    bench, key = doubted()
    Forgetful(bench).run(30 * SECOND)
    assert bench.status(key) == "CANCELED"
    [alert] = alerts(bench, "order_forgotten_by_venue")
    assert alert.level is AlertLevel.CRITICAL
    assert f"client_order_id={key}" in alert.detail
    assert "reason=the venue no longer knows it" in alert.detail
    assert len(every(bench.said, OrdersReady)) == 1


def test_it_is_denied_often_and_long_enough_then_not_listed_then_not_traded() -> None:
    bench, key = doubted()
    venue = Forgetful(bench)
    while bench.status(key) != "CANCELED":
        venue.run(10 * MILLISECOND)
    kinds = [kind for _, kind in venue.asked]
    denials = [at_ns for at_ns, kind in venue.asked if kind is QueryKind.ORDER]
    end = len(kinds) - 1 - kinds[::-1].index(QueryKind.ORDER)
    assert kinds[end + 1 : end + 3] == [QueryKind.OPEN_ORDERS, QueryKind.TRADES]
    assert len(denials) >= DENIALS_MIN
    assert denials[-1] - denials[0] >= SETTINGS.processing_bound_ns


def test_its_trades_are_asked_for_by_the_venues_own_id_and_a_list_in_nobodys_name() -> None:
    bench, _ = doubted()
    said: list[VenueQuery] = []
    venue = Forgetful(bench)
    while not (own := [query for query in said if query.kind is QueryKind.TRADES and query.client_order_id]):
        said += every(bench.said, VenueQuery)
        venue.run(10 * MILLISECOND)
    assert {query.venue_order_id for query in own} == {900}
    assert {query.client_order_id for query in said if query.kind is QueryKind.OPEN_ORDERS} == {""}


@pytest.mark.parametrize("kind", [QueryKind.ORDER, QueryKind.OPEN_ORDERS, QueryKind.TRADES])
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.AMBIGUOUS])
def test_a_failed_question_of_any_kind_ends_nothing(kind: QueryKind, outcome: Outcome) -> None:
    bench, key = doubted()
    bench.empty(tuple(bench.said))  # The looks of the start are answered; what follows is the order's own.
    Forgetful(bench, **{kind.name: outcome}).run(120 * SECOND)
    assert bench.status(key) == "SUSPECT"
    assert bench.orders.desk.register.open[key].leaves_lots == 10


def test_an_order_that_is_still_listed_is_not_over() -> None:
    """The query by its id fails, as it does on an ill replica; the list has it."""
    bench, key = doubted()
    Forgetful(bench, OPEN_ORDERS=(report(key, ReportKind.OTHER, VenueState.NONE, status="FROZEN"),)).run(60 * SECOND)
    assert bench.status(key) == "SUSPECT"


def test_a_list_with_a_record_nobody_can_read_proves_nothing() -> None:
    bench, key = doubted()
    strange = report("", ReportKind.OTHER, VenueState.NONE, venue_order_id=0, instrument=-1)
    Forgetful(bench, OPEN_ORDERS=(strange,)).run(60 * SECOND)
    assert bench.status(key) == "SUSPECT"


def test_executions_nobody_saw_are_booked_before_it_ends() -> None:
    bench, key = doubted()
    Forgetful(bench, TRADES=(history(5, 4),)).run(30 * SECOND)
    [fill] = every(bench.said, Fill)
    assert (fill.trade_id, fill.quantity, fill.late) == (5, 4 * UNIT, False)
    order = bench.orders.desk.register.find(key)
    assert order is not None
    assert (order.status.name, order.cumulative_lots, order.leaves_lots) == ("CANCELED", 4, 0)


def test_an_execution_of_it_that_cannot_be_read_keeps_it_open() -> None:
    bench, key = doubted()
    Forgetful(bench, TRADES=(history(5, 0),)).run(60 * SECOND)
    assert bench.status(key) == "SUSPECT"
    assert alerts(bench, "forgotten_order_unexplained")[0].level is AlertLevel.CRITICAL


def test_executions_the_venue_proved_and_cannot_show_keep_it_open() -> None:
    bench, key = doubted()
    bench.feed(snapshot(key, VenueState.WORKING, 3, received_ns=1))
    Forgetful(bench).run(60 * SECOND)
    assert bench.status(key) == "SUSPECT"
    assert bench.orders.view()["shortfalls"] == {key: 3 * UNIT}


def test_a_word_of_the_venue_begins_the_count_anew() -> None:
    bench, key = doubted()
    venue = Forgetful(bench)
    venue.run(9 * SECOND)
    assert bench.orders.desk.register.open[key].lost > 0
    bench.feed(new(key))
    assert bench.orders.desk.register.open[key].lost == 0


def test_a_late_fill_of_it_is_booked_late() -> None:
    bench, key = doubted()
    Forgetful(bench).run(30 * SECOND)
    look = next(q for q in every(bench.wait(SETTINGS.reconcile_interval_ns), VenueQuery))
    fill = only(bench.feed(answer(look, bench.now_ns, history(5, 4))), Fill)
    assert (fill.late, fill.client_order_id, bench.status(key)) == (True, key, "CANCELED")


def test_if_it_works_again_it_is_ours_again_and_is_canceled() -> None:
    """The venue's memory came back: an order that nobody watches would be the worst end."""
    bench, key = doubted()
    Forgetful(bench).run(30 * SECOND)
    bench.said.clear()
    bench.feed(traded(key, 5, 4, 4))
    assert only(bench.said, Fill).late
    assert only(bench.said, CancelOrder).client_order_id == key
    assert bench.orders.desk.register.open[key].leaves_lots == 6


@pytest.mark.parametrize("seconds", [1, 6, 11, 13])
@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_restart_in_the_middle_comes_to_the_same_end(checkpoint: bool, seconds: int) -> None:
    before = Bench().ready()
    key = before.working()
    facts = [*before.said]
    before.said.clear()
    before.wait(MILLISECOND)
    before.feed(PrivateStreamUp(1, 2, before.now_ns))
    Forgetful(before).run(seconds * SECOND)
    bench = Bench(now_ns=before.now_ns)
    if checkpoint:
        bench.orders = Orders(SETTINGS)
        saved = msgspec.msgpack.encode(before.orders.checkpoint())
        bench.orders.restore(msgspec.msgpack.decode(saved, type=OrdersState))
    else:
        for fact in [*facts, *before.said]:
            if type(fact) in bench.orders.recovers():
                bench.orders.recovers()[type(fact)](fact, before.now_ns)
    bench.start(epoch=2)
    Forgetful(bench).run(40 * SECOND)
    assert bench.status(key) == "CANCELED"
    assert len(every(bench.said, OrdersReady)) == 1


def test_a_stop_with_time_enough_ends_it_too() -> None:
    bench, key = doubted()
    bench.feed(StopRequested("end", bench.now_ns + 60 * SECOND))
    Forgetful(bench).run(61 * SECOND)
    assert bench.status(key) == "CANCELED"
    assert only(bench.said, OrdersQuiet).unresolved == 0
