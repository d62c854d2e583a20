"""What is judged of an account's balances, what is only said, and where each asset's ledger starts."""

from typing import Any

import msgspec
import pytest

from actors.portfolio import BaselinePolicy, Portfolio, PortfolioSettings
from actors.portfolio.state import PortfolioState
from bus.messages import (
    Alert,
    AlertLevel,
    Balance,
    BalancesReported,
    BaselineTaken,
    Control,
    EngineStarted,
    Fill,
    Instrument,
    LedgerCompared,
    Message,
    OperatorCommand,
    Side,
)

BTC = Instrument(7, 1, 1, 2, "BTCUSDT", "BTC", "USDT", 2, 6, 8, 8, 1, 100, 1, 10**9, 1, 10**9, 0, 0, 200)
SOL = msgspec.structs.replace(BTC, instrument=8, venue_symbol="SOLUSDT", base_asset="SOL")
SETTINGS = PortfolioSettings(account=1, venue=2)
START = {"BTC": 500, "USDT": 900_000}


def quiet(**totals: int) -> BalancesReported:
    """Judged at once: nobody will look again."""
    rows = tuple(Balance(asset, units, 0) for asset, units in totals.items())
    return BalancesReported(1, 2, True, rows, final=True)


def bought(number: int, instrument: int = 7, fee: int = 0, asset: str = "") -> Fill:
    head = (number, 1, 2, instrument, 1, "maker", "id", 900, number, Side.BUY, 2_000_000)
    return Fill(*head, 10_000, 1, 1_000, fee, asset, True, False, 0)


def started(*instruments: Instrument, settings: PortfolioSettings = SETTINGS, epoch: int = 1) -> Portfolio:
    actor = Portfolio(settings)
    begin(actor, *instruments, epoch=epoch)
    return actor


def begin(actor: Portfolio, *instruments: Instrument, epoch: int) -> None:
    for instrument in instruments:
        actor.receive(instrument, 0)
    actor.receive(EngineStarted(1, epoch), 0)


def restored(actor: Portfolio) -> Portfolio:
    fresh = Portfolio(SETTINGS)
    fresh.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(actor.checkpoint()), type=PortfolioState))
    return fresh


def of(kind: type[Any], out: tuple[Message, ...]) -> list[Any]:
    return [message for message in out if type(message) is kind]


def judged(out: tuple[Message, ...]) -> list[str]:
    return [told.asset for told in of(LedgerCompared, out) if not told.baseline]


def test_the_baseline_is_one_fact() -> None:
    out = started(BTC).receive(quiet(**START, BNB=50), 0)
    assert of(BaselineTaken, out) == [BaselineTaken(1, ("BTC", "USDT", "BNB"), (500, 900_000, 50), ("BTC", "USDT"))]


@pytest.mark.parametrize("moved", [1, -50, 1_000])
def test_an_asset_that_we_do_not_trade_is_said_and_never_judged(moved: int) -> None:
    """Interest, an airdrop, a deposit: one alert when it moves, and it is the ledger from then on."""
    actor = started(BTC)
    actor.receive(quiet(**START, XRP=50), 0)
    out = actor.receive(quiet(**START, XRP=50 + moved), 0)
    assert judged(out) == ["BTC", "USDT"]
    alert = of(Alert, out)[0]
    assert (alert.level, alert.event) == (AlertLevel.INFO, "balance_of_other_asset")
    assert of(Alert, actor.receive(quiet(**START, XRP=50 + moved), 0)) == []
    assert actor.view()["ledger"]["XRP"] == 50 + moved


def test_an_asset_first_seen_later_gets_its_own_baseline() -> None:
    actor = started(BTC)
    actor.receive(quiet(**START), 0)
    out = actor.receive(quiet(**START, XRP=1), 0)
    assert of(BaselineTaken, out) == [BaselineTaken(1, ("XRP",), (1,), ("BTC", "USDT"))]
    assert judged(out) == ["BTC", "USDT"]


def test_what_we_trade_is_judged() -> None:
    actor = started(BTC)
    actor.receive(quiet(**START), 0)
    assert of(LedgerCompared, actor.receive(quiet(BTC=500, USDT=899_999), 0)) == [
        LedgerCompared(1, "BTC", 500, 500, False),
        LedgerCompared(1, "USDT", 900_000, 899_999, False),
    ]


def test_what_we_trade_is_compared_at_zero_too() -> None:
    """Else a difference that came and went would never be heard to have ended."""
    actor = started(BTC)
    actor.receive(quiet(BTC=0, USDT=5), 0)
    actor.receive(quiet(BTC=1, USDT=5), 0)
    assert LedgerCompared(1, "BTC", 0, 0, False) in actor.receive(quiet(BTC=0, USDT=5), 0)


def test_an_asset_that_fees_are_paid_in_is_judged() -> None:
    actor = started(BTC)
    actor.receive(quiet(**START, BNB=50), 0)
    actor.receive(bought(1, fee=3, asset="BNB"), 0)
    out = actor.receive(quiet(BTC=10_500, USDT=899_000, BNB=46), 0)
    assert LedgerCompared(1, "BNB", 47, 46, False) in out


def test_an_asset_of_an_instrument_that_is_not_configured_any_more_is_not_judged() -> None:
    actor = started(BTC, SOL)
    actor.receive(quiet(**START, SOL=5), 0)
    actor.receive(bought(1, instrument=8, fee=10, asset="SOL"), 0)
    again = restored(actor)
    begin(again, BTC, epoch=2)
    out = again.receive(quiet(BTC=500, USDT=899_000, SOL=0), 0)
    assert judged(out) == ["BTC", "USDT"]
    assert [alert.level for alert in of(Alert, out)] == [AlertLevel.INFO]


def test_an_asset_that_comes_to_be_traded_starts_with_what_is_there() -> None:
    """It was moved by hand while nobody judged it: its ledger starts when we do."""
    actor = started(BTC)
    actor.receive(quiet(**START, SOL=5), 0)
    again = restored(actor)
    begin(again, BTC, SOL, epoch=2)
    assert judged(again.receive(quiet(**START, SOL=70), 0)) == ["BTC", "USDT"]
    assert judged(again.receive(quiet(**START, SOL=71), 0)) == ["BTC", "USDT", "SOL"]


def test_a_stated_ledger_starts_as_stated_and_what_is_not_traded_follows_the_venue() -> None:
    settings = PortfolioSettings(1, 2, BaselinePolicy.STATED, (("BTC", 500),))
    out = started(BTC, settings=settings).receive(quiet(BTC=500, USDT=7, XRP=1), 0)
    assert of(BaselineTaken, out) == [BaselineTaken(1, ("BTC", "USDT", "XRP"), (500, 0, 1), ("BTC", "USDT"))]
    assert LedgerCompared(1, "USDT", 0, 7, False) in out
    assert "XRP" not in judged(out)


def test_a_later_baseline_covers_fills_of_its_own_asset_alone() -> None:
    """Recovery: a fill waits for its instrument; a later baseline of another asset must not swallow it."""
    live, facts = started(BTC), []
    for message in (quiet(**START), bought(1), quiet(BTC=10_500, USDT=899_000, XRP=4), bought(2, fee=1, asset="XRP")):
        facts += [message, *of(BaselineTaken, live.receive(message, 0))]
    back = Portfolio(SETTINGS)
    for fact in facts:
        back.recovers()[type(fact)](fact, 0)
    back.receive(BTC, 0)
    assert back.view()["ledger"] == live.view()["ledger"] == {"BTC": 20_500, "USDT": 898_000, "XRP": 3}


def test_what_moved_while_nobody_traded_it_is_recovered_too() -> None:
    live, facts = started(BTC), []
    for message in (quiet(**START, XRP=4), quiet(**START, XRP=9)):
        facts += [message, *of(BaselineTaken, live.receive(message, 0))]
    back = Portfolio(SETTINGS)
    for fact in facts:
        back.recovers()[type(fact)](fact, 0)
    assert back.view()["ledger"] == live.view()["ledger"]


def test_a_journal_without_a_checkpoint_hides_no_difference() -> None:
    """What was traded in the run before is not said in it: nothing is taken for newly traded."""
    live, facts = started(BTC), []
    for message in (quiet(**START), bought(1)):
        facts += [message, *of(BaselineTaken, live.receive(message, 0))]
    back = Portfolio(SETTINGS)
    for fact in facts:
        back.recovers()[type(fact)](fact, 0)
    begin(back, BTC, epoch=2)
    assert LedgerCompared(1, "BTC", 10_500, 500, False) in back.receive(quiet(BTC=500, USDT=899_000), 0)


def test_a_start_that_was_taken_is_not_taken_again_by_a_run_that_was_killed_before_its_checkpoint() -> None:
    """SOL comes to be traded; killed behind each record, the next run has the start from the journal, and what is missing
    since then is a gap. Before the record there is no start yet."""
    first = started(BTC)
    first.receive(quiet(**START), 0)
    second = restored(first)
    begin(second, BTC, SOL, epoch=2)
    report, fill = quiet(**START, SOL=40), bought(1, instrument=8)
    records: list[Message] = [report, *second.receive(report, 0), fill, *second.receive(fill, 0)]
    folded = [fact for fact in records if type(fact) in second.recovers()]
    taken = next(place for place, fact in enumerate(folded) if type(fact) is BaselineTaken)
    for killed in range(len(folded) + 1):
        third = restored(first)
        for fact in folded[:killed]:
            third.recovers()[type(fact)](fact, 0)
        begin(third, BTC, SOL, epoch=3)
        filled = killed > folded.index(fill)
        now = quiet(BTC=500, USDT=899_000 if filled else 900_000, SOL=40 - 7 + 10_000 * filled)
        third.receive(now, 0)
        assert third.view()["gaps"] == ({"SOL": -7} if killed > taken else {}), f"killed behind {killed}"


def test_a_start_that_a_person_accepted_is_not_taken_again_either() -> None:
    settings = PortfolioSettings(1, 2, BaselinePolicy.ASK)
    live = started(BTC, settings=settings)
    live.receive(quiet(**START), 0)
    [fact] = of(BaselineTaken, live.receive(OperatorCommand(Control.ACCEPT, -1, "counted"), 0))
    back = Portfolio(settings)
    back.recovers()[BaselineTaken](fact, 0)
    assert back.checkpoint().compared == live.checkpoint().compared == ["BTC", "USDT"]
