"""Balances of a look: judged in time or asked for again, and what becomes of a comparison that executions come into each time."""

from msgspec.structs import replace

from actors.orders.looks import JUDGED_NS, MOVED_MAX
from bus.messages import (
    Alert,
    AnswerKind,
    BalancesJudged,
    BalancesReported,
    CommandAnswered,
    Message,
    OrdersReady,
    QueryKind,
    Reconciled,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    LOT,
    SECOND,
    SETTINGS,
    Bench,
    answer,
    every,
    history,
    only,
    snapshot,
    traded,
)
from tests.actors.orders.test_differences import ASKED

JUDGED = BalancesJudged(1, 0, again=False)
UNCOMPARED = BalancesJudged(1, 0, again=False, compared=False)


def unjudged() -> Bench:
    """A start whose balances are reported and listings agree; only the ledger's owner has said nothing."""
    bench = Bench(judges=False)
    bench.empty(bench.start())
    assert bench.orders.view()["phase"] == "VERIFY"
    assert len(every(bench.said, BalancesReported)) == 1
    return bench


def test_a_start_whose_verdict_was_lost_asks_for_the_balances_again() -> None:
    """The portfolio was made anew between the report and its word on it."""
    bench = unjudged()
    assert every(bench.wait(JUDGED_NS - 10_000_000), VenueQuery) == []
    said = bench.wait(20_000_000)
    assert [alert.event for alert in every(said, Alert)] == ["balances_not_judged"]
    assert only(said, VenueQuery).kind is QueryKind.BALANCES
    bench.empty(tuple(said))
    assert every(bench.feed(JUDGED), OrdersReady) != []
    assert bench.orders.view()["counts"]["balances_not_judged"] == 1


def test_a_verdict_that_never_comes_is_asked_for_ever_more_slowly() -> None:
    bench = unjudged()
    asked = 0
    for _ in range(60):
        said = bench.wait(SECOND)
        asked += len(every(said, VenueQuery))
        bench.empty(tuple(said))
    assert bench.orders.view()["phase"] == "VERIFY"
    assert asked == 4, "after 2, 4, 8, 16 and then 32 seconds"


def test_a_comparison_whose_verdict_was_lost_ends_all_the_same() -> None:
    bench = Bench().ready()
    bench.empty(bench.feed(ASKED))
    said = bench.wait(2 * JUDGED_NS)
    assert every(said, Reconciled) == []
    assert len(every(bench.empty(tuple(said)), BalancesReported)) == 1
    done = bench.feed(JUDGED)
    assert only(done, Reconciled).compared
    assert only(done, CommandAnswered).kind is AnswerKind.DONE
    assert every(bench.wait(20 * SECOND), VenueQuery) == []


def test_a_checkpoint_between_report_and_verdict_waits_for_it_no_longer_than_a_new_start() -> None:
    """Another process: the look begins anew, and with it the wait."""
    bench = unjudged()
    again = Bench(now_ns=bench.now_ns)
    again.orders.restore(bench.orders.checkpoint())
    again.ready(epoch=2)
    assert again.orders.view()["phase"] == "READY"


class Filling:
    """An account on which something is executed whenever its balances are asked for."""

    def __init__(self) -> None:
        self.bench = Bench().ready()
        self.key = self.bench.working(lots=1_000)
        self.trades = 0
        self.trade()

    def trade(self) -> None:
        self.trades += 1
        fill = traded(self.key, self.trades, 1, self.trades, quantity=1_000 * LOT, venue_ns=self.bench.now_ns)
        self.bench.feed(replace(fill, state=VenueState.WORKING))

    def rows(self, query: VenueQuery) -> tuple[object, ...]:
        if query.kind is QueryKind.TRADES:
            return tuple(history(number, 1) for number in range(max(query.from_id, 1), self.trades + 1))
        working = snapshot(self.key, VenueState.WORKING, self.trades, quantity=1_000 * LOT)
        return () if query.kind is QueryKind.BALANCES else (working,)

    def compare(self, said: tuple[Message, ...], verdict: BalancesJudged) -> list[Message]:
        """Answer everything truly until the comparison is over, judged so."""
        queue, heard = every(said, VenueQuery), list(said)
        while not every(heard, Reconciled):
            if not queue:
                heard += (out := self.bench.wait(10_000_000))
                queue += every(out, VenueQuery)
                continue
            query = queue.pop(0)
            if query.kind is QueryKind.BALANCES:
                self.trade()
            self.bench.now_ns += 1_000_000
            out = self.bench.feed(answer(query, self.bench.now_ns, *self.rows(query)))  # type: ignore[arg-type]
            if every(out, BalancesReported):
                out += self.bench.feed(verdict)
            heard += out
            queue += every(out, VenueQuery)
        return heard


def test_balances_that_executions_come_into_are_reported_with_how_many_when_those_are_booked() -> None:
    """After MOVED_MAX times, and a reading of the trades behind the venue's lag: so nothing that they hold is still on its way."""
    filling = Filling()
    heard = filling.compare(filling.bench.feed(ASKED), JUDGED)
    asked = [query.kind.name for query in every(heard, VenueQuery)]
    assert asked == ["OPEN_ORDERS", "TRADES", *["BALANCES"] * (MOVED_MAX + 1), "TRADES"]
    [report] = every(heard, BalancesReported)
    assert (report.moved, report.steady, report.quiet) == (1, False, False)
    assert only(heard, Reconciled).compared


def test_a_comparison_without_the_ledger_is_not_equal_and_comes_again_soon() -> None:
    filling = Filling()
    heard = filling.compare(filling.bench.feed(ASKED), UNCOMPARED)
    done, told = only(heard, Reconciled), every(heard, CommandAnswered)[-1]
    assert (done.compared, done.differences) == (False, 0)
    assert told.kind is AnswerKind.FAILED
    assert "executions came between" in told.text
    assert every(heard, Alert)[-1].event == "ledger_not_compared"
    waits = []
    for _ in range(3):
        began_ns = filling.bench.now_ns
        while not every(said := filling.bench.wait(SECOND), VenueQuery):
            pass
        waits.append((filling.bench.now_ns - began_ns) // SECOND)
        filling.compare(tuple(said), UNCOMPARED)
    assert waits == [5, 10, 20], "SETTINGS.backoff_max_ns, doubled up to the interval"


def test_one_that_is_compared_ends_the_haste() -> None:
    filling = Filling()
    filling.compare(filling.bench.feed(ASKED), UNCOMPARED)
    filling.compare(tuple(filling.bench.wait(SETTINGS.backoff_max_ns)), JUDGED)
    assert every(filling.bench.wait(SETTINGS.reconcile_interval_ns - SECOND), VenueQuery) == []
    assert every(filling.bench.wait(SECOND), VenueQuery) != []
