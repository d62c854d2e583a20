"""What the supervisor writes for people."""

import io
import logging

from bus.messages import (
    Difference,
    DifferenceKind,
    LeadershipWon,
    LedgerCompared,
    Message,
    OrderRefused,
    Refusal,
    Side,
    TradingState,
    TradingStateChanged,
)
from ops import events
from ops.supervisor import Supervisor


def lines_of(supervisor: Supervisor, *messages: Message) -> list[str]:
    out = io.StringIO()
    log = events.EventLog(out, logging.INFO)
    for message in messages:
        supervisor.handlers[type(message)](message, 0)
    log.close()
    return [line.split(maxsplit=2)[2] for line in out.getvalue().splitlines()]


def test_money_is_written_in_decimals_of_its_asset() -> None:
    supervisor = Supervisor()
    supervisor.scales = {"BTC": 8, "JPY": 2}
    assert lines_of(
        supervisor,
        LedgerCompared(0, "BTC", 0, 1_001_897_400, True),
        LedgerCompared(0, "JPY", -150, 5, False),
        LedgerCompared(0, "BNB", 0, 1, False),
    ) == [
        "ledger_baseline asset=BTC amount=10.018974",
        "ledger_difference asset=JPY ours=-1.5 venue=0.05",
        "ledger_difference asset=BNB ours=0 venue=0.00000001",
    ]


def test_who_leads_says_where_the_store_is() -> None:
    supervisor = Supervisor()
    supervisor.store = "private /state/coordination.sqlite"
    [line] = lines_of(supervisor, LeadershipWon(0, 7, "me:1", 0, None))
    assert line == 'leadership_won epoch=7 holder=me:1 left_by_epoch=0 store="private /state/coordination.sqlite"'


def test_trading_states_name_the_symbol() -> None:
    supervisor = Supervisor()
    supervisor.symbols = {3: "ETHUSDT"}
    scopes = ("instrument:3", "instrument:4", "owner:main", "engine")
    assert [
        line.split()[1]
        for line in lines_of(
            supervisor, *(TradingStateChanged(scope=scope, state=TradingState.HALTED, reason="x") for scope in scopes)
        )
    ] == ["scope=ETHUSDT", "scope=4", "scope=owner:main", "scope=engine"]


def test_a_difference_says_what_it_is_counted_in() -> None:
    supervisor = Supervisor()
    supervisor.scales, supervisor.held_in = {"JPY": 2}, {0: ("BTC", 8)}
    rows = (
        (DifferenceKind.BALANCE, -1, "JPY", 'ours="-1.5 JPY" venue="0.05 JPY"'),
        (DifferenceKind.FILL_MISSING, 0, "x1", 'ours="-0.0000015 BTC" venue="0.00000005 BTC"'),
        (DifferenceKind.ORDER_STATE, 0, "x1", 'ours="-150 lots" venue="5 lots"'),
        (DifferenceKind.POSITION, 9, "?", 'ours="-150 base units" venue="5 base units"'),
    )
    for kind, number, subject, told in rows:
        [line] = lines_of(supervisor, Difference(0, kind, number, subject, -150, 5, "done"))
        assert told in line


def test_an_order_outside_of_its_band_is_no_trouble() -> None:
    """It is made wider, and the order goes: the first words of a flatten should be about what is in its way."""
    out = io.StringIO()
    log = events.EventLog(out, logging.WARNING)
    supervisor = Supervisor()
    for reason in (Refusal.BAND, Refusal.NOTIONAL):
        supervisor.handlers[OrderRefused](OrderRefused(0, "operator", 1, Side.SELL, reason), 0)
    log.close()
    assert [line.split()[-1] for line in out.getvalue().splitlines()] == ["reason=NOTIONAL"]
