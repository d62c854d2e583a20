"""What differs between the venue's faces that an engine is killed on. One table; everything else of a run is the same."""

from collections.abc import Callable
from typing import Any, NamedTuple

from ops.chaos.kills.theirs import balances, positions
from ops.chaos.kills.verdict import Limits

SYMBOLS = ("BTCUSDT", "ETHUSDT")


class Burst(NamedTuple):
    """More executions than a page holds, of one resting order: its symbol, and how much each of them takes, in 10^-8."""

    symbol: str
    take: int


class Face(NamedTuple):
    """name: as the venue's control door calls it. told: how the names of its addresses begin where the venue prints them.

    options: of `touchline venue`. table: what [venue] has beside the addresses. lots: of each resting order, by symbol; limits: of
    the configuration, in 10^-8, with the venue's lots; order_rate_max: of [risk]. sweep: of each symbol, what the crowd takes of
    either side now and then: some of its orders and what rests between them. trades: the venue's name of the history of trades.
    holds: what an account has, from the venue's ledger, by the names of the engine's. position_rows: the venue's own rows of
    positions, where it has such. phase_ms: so often each instrument moves both its orders. dead_man_s: after which the venue
    cancels what a silent engine left; 0: never. paid: what comes into the wallet now and then, asset and amount, where the
    venue's history tells of it. patience_s: for an order of a process that comes up; beyond every wait of its own, such as for the
    next minute's weight.
    """

    name: str
    told: str
    options: tuple[str, ...]
    table: str
    lots: tuple[int, ...]
    limits: dict[str, Limits]
    order_rate_max: int
    sweep: tuple[str, ...]
    burst: Burst
    trades: str
    holds: Callable[[dict[str, Any], str], dict[str, int]]
    position_rows: Callable[[dict[str, Any], str], dict[str, int]] | None
    phase_ms: int
    dead_man_s: float
    paid: tuple[str, str] | None
    patience_s: float


def _holds_contracts(ledger: dict[str, Any], account: str) -> dict[str, int]:
    """The wallet, and each contract's position by its symbol."""
    return balances(ledger, account) | positions(ledger, account)


SPOT = Face(
    name="spot",
    told="",
    options=(),
    table='kind = "binance-spot"',
    lots=(2_000, 4_000),
    limits={
        "BTCUSDT": Limits("BTC", 2_000_000, 20_000_000, -20_000_000, 10, 1_000),
        "ETHUSDT": Limits("ETH", 40_000_000, 400_000_000, -400_000_000, 10, 10_000),
    },
    order_rate_max=95,
    sweep=("0.2", "3"),
    burst=Burst("BTCUSDT", 1_000),
    trades="myTrades",
    holds=balances,
    position_rows=None,
    phase_ms=300,
    dead_man_s=0.0,
    paid=None,
    patience_s=45.0,
)
"""0.02 BTC and 0.4 ETH, so that a crowd order (0.05, 1) takes one or more; ten orders lead to a bound: those of which nobody knows
whether they exist count, and shall leave room for others. phase_ms: some 12 new orders a second while it trades. Chosen."""

USDM = Face(
    name="usdm",
    told="futures_",
    options=("--futures-port", "0"),
    table='kind = "binance-usdm"\ndead_man_ms = 30000',
    lots=(20, 9_000),
    limits={
        "BTCUSDT": Limits("BTC", 2_000_000, 20_000_000, -20_000_000, 10, 100_000),
        "ETHUSDT": Limits("ETH", 900_000_000, 9_000_000_000, -9_000_000_000, 10, 100_000),
    },
    order_rate_max=195,
    sweep=("0.2", "15"),
    burst=Burst("ETHUSDT", 800_000),
    trades="userTrades",
    holds=_holds_contracts,
    position_rows=positions,
    phase_ms=500,
    dead_man_s=30.0,
    paid=("USDT", "0.37"),
    patience_s=120.0,
)
"""0.02 BTC, and 9 ETH: a market order is worth 20 USDT at least, and one resting order shall have a page of such executions.
dead_man_ms, phase_ms: a start weighs some 150 of the venue's 2,400 a minute, the switch 20 each quarter of its time, a cancel 1.
order_rate_max: 1,200 a minute is the venue's narrower limit. Chosen."""

FACES = {face.name: face for face in (SPOT, USDM)}
