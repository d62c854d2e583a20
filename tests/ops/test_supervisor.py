"""What the supervisor writes for people."""

import io
import logging

from bus.messages import LeadershipWon, LedgerCompared, TradingState, TradingStateChanged
from ops import events
from ops.supervisor import Supervisor


def lines_of(supervisor: Supervisor, *messages: LedgerCompared | LeadershipWon | TradingStateChanged) -> list[str]:
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
