"""The ledger against the venue's totals: when a gap counts, what is booked, and what a person's word does."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.portfolio import BaselinePolicy, Portfolio, PortfolioSettings
from actors.portfolio.comparison import LOOKS_MAX
from actors.portfolio.state import PortfolioState
from bus.messages import (
    AccountState,
    Alert,
    AnswerKind,
    Balance,
    BalancesJudged,
    BalancesReported,
    BaselineAwaited,
    BaselineTaken,
    CommandAnswered,
    Control,
    Difference,
    DifferenceKind,
    EngineStarted,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    OperatorCommand,
)
from tests.actors.portfolio.test_baseline import BTC, bought, of

START = {"BTC": 500, "USDT": 900_000}
DUSTY = PortfolioSettings(1, 2, dust=(("BTC", 5), ("USDT", 100)))
ASKED = PortfolioSettings(1, 2, BaselinePolicy.ASK)


def looked(steady: bool = True, quiet: bool = False, **totals: int) -> BalancesReported:
    """While orders work, unless `quiet`: half of each total is locked."""
    rows = tuple(Balance(asset, units - units // 2, units // 2) for asset, units in totals.items())
    return BalancesReported(1, 2, quiet, rows, steady=steady)


def based(settings: PortfolioSettings = DUSTY) -> Portfolio:
    actor = Portfolio(settings)
    actor.receive(BTC, 0)
    actor.receive(EngineStarted(1, 1), 0)
    actor.receive(looked(quiet=True, **START), 0)
    return actor


def judged(out: tuple[Message, ...]) -> tuple[int, bool]:
    [verdict] = of(BalancesJudged, out)
    assert out[-1] is verdict
    return verdict.differences, verdict.again


def twice(actor: Portfolio, report: BalancesReported) -> tuple[Message, ...]:
    assert actor.receive(report, 0) == (BalancesJudged(1, 0, True),)
    return actor.receive(report, 0)


def accept(actor: Portfolio, reason: str = "counted by hand") -> tuple[Message, ...]:
    return actor.receive(OperatorCommand(Control.ACCEPT, -1, reason, asker="me"), 0)


def test_totals_are_compared_while_orders_work() -> None:
    """What is locked by an order is ours all the same."""
    actor = based()
    actor.receive(bought(1), 0)
    assert judged(actor.receive(looked(BTC=10_500, USDT=899_000), 0)) == (0, False)


def test_what_a_fill_came_into_says_nothing() -> None:
    actor = based()
    assert actor.receive(looked(steady=False, BTC=1, USDT=1), 0) == (BalancesJudged(1, 0, False, compared=False),)


def test_a_gap_that_the_next_look_does_not_show_never_was() -> None:
    """A fill that is not booked yet is not a difference for a person."""
    actor = based()
    assert judged(actor.receive(looked(BTC=10_500, USDT=899_000), 0)) == (0, True)
    actor.receive(bought(1), 0)
    assert actor.receive(looked(BTC=10_500, USDT=899_000), 0) == (BalancesJudged(1, 0, False),)


def test_a_gap_that_two_looks_show_is_said_once() -> None:
    actor = based()
    out = twice(actor, looked(BTC=400, USDT=900_000))
    assert of(LedgerCompared, out) == [LedgerCompared(1, "BTC", 500, 400, False)]
    [row] = of(Difference, out)
    assert (row.kind, row.subject, row.ours, row.venues) == (DifferenceKind.BALANCE, "BTC", 500, 400)
    assert "--accept" in row.action
    assert judged(out) == (1, False)
    assert actor.receive(looked(BTC=400, USDT=900_000), 0) == (BalancesJudged(1, 0, False),)
    assert actor.view()["gaps"] == {"BTC": -100}


def test_a_gap_that_is_gone_is_said() -> None:
    actor = based()
    twice(actor, looked(BTC=400, USDT=900_000))
    assert actor.receive(looked(**START), 0) == (
        LedgerCompared(1, "BTC", 500, 500, False),
        BalancesJudged(1, 0, False),
    )


def test_a_gap_that_never_stands_still_is_said_in_the_end() -> None:
    """Somebody else trades on the account."""
    actor = based()
    for number in range(LOOKS_MAX):
        assert judged(actor.receive(looked(BTC=400 - number * 10, USDT=900_000), 0)) == (0, True)
    assert judged(actor.receive(looked(BTC=300, USDT=900_000), 0)) == (1, False)


def test_dust_is_booked_and_shown() -> None:
    actor = based()
    out = twice(actor, looked(BTC=503, USDT=900_000))
    assert of(LedgerAdjusted, out) == [LedgerAdjusted(1, "BTC", 3, "within the dust")]
    assert [row.action for row in of(Difference, out)] == ["booked as an adjustment: within the dust"]
    assert of(AccountState, out) != [], "a successor starts with the adjusted ledger"
    assert (actor.view()["ledger"]["BTC"], actor.view()["adjusted"]) == (503, {"BTC": 3})


def test_dust_bounds_all_that_was_booked_so() -> None:
    """A leak of many small gaps ends at a person, and his word begins it anew."""
    actor = based()
    twice(actor, looked(BTC=497, USDT=900_000))
    out = twice(actor, looked(BTC=494, USDT=900_000))
    assert of(LedgerAdjusted, out) == []
    assert actor.view()["gaps"] == {"BTC": -3}
    accept(actor)
    assert len(of(LedgerAdjusted, twice(actor, looked(BTC=490, USDT=900_000)))) == 1


def test_a_person_accepts_what_was_said() -> None:
    actor = based()
    twice(actor, looked(BTC=400, USDT=900_000))
    actor.receive(bought(1), 0)
    out = accept(actor)
    assert of(LedgerAdjusted, out) == [LedgerAdjusted(1, "BTC", -100, "accepted: counted by hand")]
    assert of(LedgerCompared, out) == [LedgerCompared(1, "BTC", 10_400, 10_400, False)]
    assert out[-1] == CommandAnswered("me", Control.ACCEPT, -1, AnswerKind.DONE, "booked: 1 differences")
    assert actor.receive(looked(BTC=10_400, USDT=899_000), 0) == (BalancesJudged(1, 0, False),)


@pytest.mark.parametrize(("reason", "kind"), [("", AnswerKind.FAILED), ("why not", AnswerKind.DONE)])
def test_nothing_is_accepted_without_a_reason_or_a_difference(reason: str, kind: AnswerKind) -> None:
    actor = based()
    if not reason:
        twice(actor, looked(BTC=400, USDT=900_000))
    [answer] = accept(actor, reason)
    assert isinstance(answer, CommandAnswered)
    assert answer.kind is kind
    assert actor.view()["adjusted"] == {}


def test_what_stands_is_said_again_to_a_person_who_asks() -> None:
    actor = based()
    twice(actor, looked(BTC=400, USDT=900_000))
    assert actor.receive(OperatorCommand(Control.RECONCILE, -1, ""), 0) == ()
    assert judged(actor.receive(looked(BTC=400, USDT=900_000), 0)) == (1, False)


def test_a_ledger_that_may_not_start_by_itself_waits_for_a_person() -> None:
    actor = Portfolio(ASKED)
    actor.receive(BTC, 0)
    actor.receive(EngineStarted(1, 1), 0)
    out = actor.receive(looked(quiet=True, **START, XRP=4), 0)
    assert of(BaselineAwaited, out) == [BaselineAwaited(1, ("BTC", "USDT"))]
    assert [alert.event for alert in of(Alert, out)] == ["baseline_not_accepted"]
    assert judged(out) == (2, False)
    assert actor.receive(looked(quiet=True, **START, XRP=4), 0) == (BalancesJudged(1, 0, False),)
    out = accept(actor)
    traded = ("BTC", "USDT")
    assert of(BaselineTaken, out) == [BaselineTaken(1, ("BTC", "USDT", "XRP"), (500, 900_000, 4), traded)]
    assert judged(actor.receive(looked(**START, XRP=4), 0)) == (0, False)


def test_an_empty_account_waits_for_a_person_too() -> None:
    actor = Portfolio(ASKED)
    actor.receive(BTC, 0)
    assert len(of(BaselineAwaited, actor.receive(looked(quiet=True), 0))) == 1
    assert len(of(BaselineTaken, accept(actor))) == 1
    assert actor.view()["baselined"]


def test_what_the_venue_no_longer_has_is_offered_as_nothing() -> None:
    """An orphan's fill moved the ledger before it had a start, and the money is gone."""
    actor = Portfolio(ASKED)
    actor.receive(BTC, 0)
    actor.receive(bought(1), 0)
    out = actor.receive(looked(quiet=True, USDT=899_000), 0)
    assert [(row.subject, row.venues) for row in of(Difference, out)] == [("BTC", 0), ("USDT", 899_000)]


def test_a_start_while_orders_work_needs_two_looks_with_no_fill_between() -> None:
    """An order of ours that was adopted may be filled while the venue is asked: the fill is on one side for sure only then."""
    actor = Portfolio(DUSTY)
    actor.receive(BTC, 0)
    assert judged(actor.receive(looked(**START), 0)) == (0, True)
    actor.receive(bought(1), 0)
    after = looked(BTC=10_500, USDT=899_000)
    assert judged(actor.receive(after, 0)) == (0, True)
    assert of(BaselineTaken, actor.receive(after, 0)) == [
        BaselineTaken(1, ("BTC", "USDT"), (10_500, 899_000), ("BTC", "USDT"))
    ]


def test_a_start_that_never_stands_still_is_given_up_until_the_next_interval() -> None:
    actor = Portfolio(DUSTY)
    actor.receive(BTC, 0)
    out = [actor.receive(looked(BTC=number, USDT=0), 0) for number in range(1, LOOKS_MAX + 2)]
    assert [judged(said)[1] for said in out] == [*[True] * (LOOKS_MAX - 1), False, True]
    assert of(BalancesJudged, out[-2]) == [BalancesJudged(1, 0, False, compared=False)], "it is nothing like equal"
    assert not actor.view()["baselined"]


def test_stated_balances_that_are_not_the_venues_are_a_difference() -> None:
    settings = PortfolioSettings(1, 2, BaselinePolicy.STATED, (("BTC", 450), ("USDT", 900_000)))
    actor = Portfolio(settings)
    actor.receive(BTC, 0)
    assert judged(actor.receive(looked(quiet=True, **START), 0)) == (0, True)
    actor.receive(looked(quiet=True, **START), 0)
    assert actor.view()["gaps"] == {"BTC": 50}


def test_the_journal_brings_adjustments_and_their_sum_back() -> None:
    live, facts = Portfolio(DUSTY), []
    live.receive(BTC, 0)
    inputs: list[Message] = [looked(quiet=True, **START), *[looked(BTC=503, USDT=900_000)] * 2, bought(1)]
    for message in inputs:
        facts += [message, *[fact for fact in live.receive(message, 0) if type(fact) in live.recovers()]]
    back = Portfolio(DUSTY)
    for fact in facts:
        if type(fact) in back.recovers():
            back.recovers()[type(fact)](fact, 0)
    back.receive(BTC, 0)
    assert back.view()["ledger"] == live.view()["ledger"]
    assert back.holdings.ledger.entry("BTC").dust == 3


REPORTS = st.lists(
    st.tuples(st.integers(495, 505), st.booleans(), st.sampled_from(["look", "fill", "accept", "ask"])), max_size=12
)


@settings(deadline=None)
@given(REPORTS)
def test_a_restart_at_every_step_changes_nothing_that_follows(steps: list[tuple[int, bool, str]]) -> None:
    """Every prefix as a checkpoint, and the rest given to both."""
    inputs: list[Message] = []
    for number, (units, quiet, kind) in enumerate(steps, 1):
        if kind == "fill":
            inputs.append(bought(number))
        elif kind == "look":
            inputs.append(looked(quiet=quiet, BTC=units, USDT=900_000))
        else:
            control = Control.ACCEPT if kind == "accept" else Control.RECONCILE
            inputs.append(OperatorCommand(control, -1, "because"))
    whole = based()
    saved, told = [], []
    for message in inputs:
        saved.append(msgspec.msgpack.encode(whole.checkpoint()))
        told.append(whole.receive(message, 0))
    for place, state in enumerate(saved):
        copy = Portfolio(DUSTY)
        copy.restore(msgspec.msgpack.decode(state, type=PortfolioState))
        assert [copy.receive(later, 0) for later in inputs[place:]] == told[place:]


@settings(deadline=None)
@given(st.integers(400, 600), st.integers(899_000, 901_000))
def test_comparing_twice_more_says_nothing(btc: int, usdt: int) -> None:
    """Whatever the venue has: once it is said or booked, a comparison of the same is only its verdict."""
    actor = based()
    report = looked(BTC=btc, USDT=usdt)
    actor.receive(report, 0)
    actor.receive(report, 0)
    assert actor.receive(report, 0) == (BalancesJudged(1, 0, False),)
