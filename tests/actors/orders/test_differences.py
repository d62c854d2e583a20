"""What a comparison says: one row for each thing the venue taught us, nothing twice, and who asked for it hears its end."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.orders.differences import ROWS_MAX
from bus.messages import (
    AnswerKind,
    BalancesJudged,
    BalancesReported,
    CommandAnswered,
    Control,
    Difference,
    DifferenceKind,
    Fill,
    Message,
    OperatorCommand,
    OrderUpdate,
    PrivateStreamDown,
    PrivateStreamUp,
    QueryKind,
    Reconciled,
    VenueQuery,
    VenueState,
)
from tests.actors.orders.build import (
    LOT,
    SECOND,
    SETTINGS,
    UNIT,
    Bench,
    answer,
    every,
    history,
    new,
    only,
    snapshot,
    traded,
)
from tests.actors.orders.toy_venue import Toy
from tests.support.ids import id_of

ASKED = OperatorCommand(Control.RECONCILE, -1, "", asker="me")


def judge(bench: Bench, again: bool = False, differences: int = 0) -> tuple[Message, ...]:
    return bench.feed(BalancesJudged(1, differences, again))


def compared(bench: Bench, **rows: tuple[object, ...]) -> list[Message]:
    """A whole comparison at a person's word; `rows` answer by query kind."""
    said = list(bench.feed(ASKED))
    queue = every(said, VenueQuery)
    while queue:
        query = queue.pop(0)
        bench.now_ns += 1_000_000
        out = bench.feed(answer(query, bench.now_ns, *rows.get(query.kind.name, ())))  # type: ignore[arg-type]
        said += out
        queue += every(out, VenueQuery)
        if every(out, BalancesReported):
            said += judge(bench)
    return said


def test_equal_is_one_word() -> None:
    bench = Bench().ready()
    key = bench.working()
    said = compared(bench, OPEN_ORDERS=(snapshot(key, VenueState.WORKING),))
    done = only(said, Reconciled)
    assert (done.trigger, done.orders, done.fills, done.differences) == ("operator", 1, 0, 0)
    assert every(said, Difference) == every(said, OrderUpdate) == []
    assert [(told.kind, told.text) for told in every(said, CommandAnswered)] == [
        (AnswerKind.FOLLOWS, "under way: operator, READY"),
        (AnswerKind.DONE, "equal"),
    ]


def test_a_fill_that_the_stream_never_told_is_a_row() -> None:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    key = bench.order(command=2)
    bench.feed(new(key, venue_order_id=901))
    rows = (history(10, 10), history(11, 4, venue_order_id=901))
    open_now = (snapshot(key, VenueState.WORKING, 4, venue_order_id=901),)
    said = compared(bench, TRADES=rows, OPEN_ORDERS=open_now)
    row = only(said, Difference)
    assert (row.kind, row.subject, row.venues, row.action) == (DifferenceKind.FILL_MISSING, key, 4 * UNIT, "booked")
    assert only(said, Reconciled).fills == 1


def test_an_order_that_is_gone_at_the_venue_is_a_row() -> None:
    bench = Bench().ready()
    key = bench.working()
    said = list(bench.feed(ASKED))
    for query in every(said, VenueQuery):
        bench.now_ns += 1_000_000
        said += bench.feed(answer(query, bench.now_ns))
    question = next(query for query in every(said, VenueQuery) if query.kind is QueryKind.ORDER)
    bench.now_ns += 1_000_000
    out = bench.feed(answer(question, bench.now_ns, snapshot(key, VenueState.DONE_EXPIRED)))
    row = only(out, Difference)
    assert (row.kind, row.subject, row.ours, row.venues) == (DifferenceKind.ORDER_STATE, key, 10, 0)
    assert "EXPIRED" in row.action


def test_an_order_of_ours_that_nobody_knew_is_a_row() -> None:
    bench = Bench().ready()
    key = id_of(0)
    said = compared(bench, OPEN_ORDERS=(snapshot(key, VenueState.WORKING, venue_order_id=955),))
    row = only(said, Difference)
    assert (row.kind, row.subject, row.venues) == (DifferenceKind.ORDER_NOT_KNOWN, key, 10)
    assert "canceled" in row.action


def test_rows_are_bounded_and_counted_on() -> None:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    key = bench.order(lots=500)
    bench.feed(new(key, venue_order_id=950, quantity=500 * LOT))
    rows = [history(11 + n, 1, venue_order_id=950) for n in range(ROWS_MAX + 5)]
    working = snapshot(key, VenueState.WORKING, 105, venue_order_id=950, quantity=500 * LOT)
    said = compared(bench, TRADES=tuple(rows), OPEN_ORDERS=(working,))
    assert len(every(said, Difference)) == ROWS_MAX
    assert only(said, Reconciled).differences == len(every(said, Fill)) == ROWS_MAX + 5


def test_a_gap_of_the_ledger_is_looked_at_again_after_the_venues_lag() -> None:
    bench = Bench().ready()
    bench.feed(traded(bench.working(), 10, 10, 10))
    said = list(bench.feed(ASKED))
    queue = every(said, VenueQuery)
    while not every(said, BalancesReported):
        said += (out := bench.feed(answer(queue.pop(0), bench.now_ns)))
        queue += every(out, VenueQuery)
    out = judge(bench, again=True)
    assert every(out, VenueQuery) == every(out, Reconciled) == []
    assert every(bench.wait(SETTINGS.read_lag_ns - 1), VenueQuery) == []
    trades = only(bench.wait(1), VenueQuery)
    assert trades.kind is QueryKind.TRADES
    balances = only(bench.feed(answer(trades, bench.now_ns, history(10, 10))), VenueQuery)
    assert balances.kind is QueryKind.BALANCES
    assert only(bench.feed(answer(balances, bench.now_ns)), BalancesReported).steady
    assert only(judge(bench, differences=2), Reconciled).differences == 2


def test_a_start_is_not_ready_while_a_gap_is_looked_at_again() -> None:
    """Nor before the portfolio has said what it makes of the second look: its rows are the start's."""
    bench = Bench(judges=False)
    queue = every(bench.start(), VenueQuery)
    while bench.orders.view()["phase"] != "VERIFY":
        queue += every(bench.feed(answer(queue.pop(0), bench.now_ns)), VenueQuery)
    judge(bench, again=True)
    bench.feed(answer(queue.pop(0), bench.now_ns))
    assert bench.orders.view()["phase"] == "VERIFY"
    bench.empty(tuple(bench.wait(SECOND)))
    assert bench.orders.view()["phase"] == "VERIFY"
    assert only(judge(bench, differences=1), Reconciled).differences == 1
    assert bench.orders.view()["phase"] == "READY"


def test_balances_that_fills_come_into_are_asked_again_and_in_the_end_reported_for_what_they_are() -> None:
    bench = Bench().ready()
    key = bench.working(lots=100)
    queue = every(bench.feed(ASKED), VenueQuery)
    number, said = 10, []
    for _ in range(20):
        for query in queue:
            if query.kind is QueryKind.BALANCES:
                number += 1
                fill = traded(key, number, 1, number - 10, quantity=100 * LOT)
                bench.feed(replace(fill, state=VenueState.WORKING))
            rows = (
                [snapshot(key, VenueState.WORKING, quantity=100 * LOT)] if query.kind is QueryKind.OPEN_ORDERS else []
            )
            said += bench.feed(answer(query, bench.now_ns, *rows))
        if reported := every(said, BalancesReported):
            assert not reported[0].steady
            return
        queue = every(said, VenueQuery)
        said = bench.wait(SECOND)
        queue += every(said, VenueQuery)
    raise AssertionError("asked for ever")


def test_who_asks_while_the_stream_is_down_is_told_so() -> None:
    bench = Bench().ready()
    bench.feed(PrivateStreamDown(1, 1, "cut"))
    assert only(bench.feed(ASKED), CommandAnswered).kind is AnswerKind.FAILED


def test_who_asks_during_a_start_hears_of_its_end() -> None:
    bench = Bench().ready()
    looks = bench.feed(PrivateStreamUp(1, 2, bench.now_ns))
    assert only(bench.feed(ASKED), CommandAnswered).kind is AnswerKind.FOLLOWS
    said = bench.empty(looks)
    assert only(said, CommandAnswered).kind is AnswerKind.DONE
    assert only(said, Reconciled).trigger == "reconnect"


def test_the_interval_compares_balances_too() -> None:
    bench = Bench().ready()
    bench.working()
    asked = bench.empty(tuple(bench.wait(SETTINGS.reconcile_interval_ns)))
    assert [report.steady for report in every(asked, BalancesReported)] == [True]


def test_a_verdict_on_the_look_before_ends_no_comparison() -> None:
    """A person asks between the interval's balances and the verdict on them: he hears of a look of his own, not of that one."""
    bench = Bench().ready()
    assert every(bench.empty(tuple(bench.wait(SETTINGS.reconcile_interval_ns))), BalancesReported) != []
    looks = bench.feed(ASKED)
    assert every(judge(bench, differences=3), Reconciled) == []
    assert every(bench.empty(looks), BalancesReported) != []
    said = judge(bench)
    assert only(said, Reconciled).differences == 0
    assert only(said, CommandAnswered).kind is AnswerKind.DONE


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
@example(226)
def test_reconciling_twice_says_nothing_the_second_time(seed: int) -> None:
    """A storm over the real actor, calm, then two comparisons: the first may teach something, the second cannot."""
    toy = Toy(seed)
    toy.run(150)
    toy.faults = False
    if toy.stream == 0:
        toy.stream_up()
    quiet_down(toy)
    first = reconcile(toy)
    second = reconcile(toy)
    assert len(every(first, Reconciled)) == len(every(second, Reconciled)) == 1
    facts = [said for said in second if isinstance(said, OrderUpdate | Fill | Difference)]
    assert facts == []
    assert only(second, Reconciled).differences == 0


def quiet_down(toy: Toy) -> None:
    """Until the actor is ready, nothing is ambiguous and the stream owes no word: what it owes is a suspicion, so facts."""
    for _ in range(20_000):
        view = toy.actor.view()
        unproven = {"UNKNOWN_NEW", "UNKNOWN_CANCEL", "SUSPECT", "PENDING_CANCEL", "PENDING_NEW"} & set(view["open"])
        owed = unproven or view["private_stream"]["expected"]
        if view["phase"] == "READY" and not owed and not toy.actor.startup.looks.outstanding:
            return
        assert toy.step()
    raise AssertionError(toy.actor.view())


def reconcile(toy: Toy) -> list[Message]:
    """What is said until the comparison is complete."""
    said: list[Message] = []
    receive = toy.actor.receive

    def heard(message: Message, now_ns: int) -> tuple[Message, ...]:
        out = receive(message, now_ns)
        said.extend(out)
        return out

    toy.actor.receive = heard  # type: ignore[method-assign]  # an ear on the one real actor
    toy.give(ASKED)
    while not every(said, Reconciled):
        assert toy.step()
    toy.actor.receive = receive  # type: ignore[method-assign]  # as above
    return said
