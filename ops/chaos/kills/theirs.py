"""The venue's orders as its control door tells them (`/control/orders`), in integers. Pure.

Everything is ordered by the venue's execution ids, because a fault may move its clock. Quantities, fees: 10^-8 of the asset.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from actors.orders.ids import recognize
from ops.chaos.judge import PREFIX
from ops.chaos.venue_log import EvidenceLost
from ops.config import decimal_units

SCALE = 8
TRADE = "TRADE"


class Trade(NamedTuple):
    """One execution of one order. fee: in fee_asset."""

    execution_id: int
    trade_id: int
    quantity: int
    fee: int
    fee_asset: str


class VenueOrder(NamedTuple):
    """One order of ours. side: +1 buys, -1 sells. first, last: execution ids of its beginning and its last word."""

    client_order_id: str
    symbol: str
    side: int
    quantity: int
    first: int
    last: int
    is_open: bool
    trades: tuple[Trade, ...]


def is_ours(client_order_id: str) -> bool:
    return recognize(PREFIX, client_order_id) is not None


def venue_orders(rows: Iterable[dict[str, Any]], account: str) -> list[VenueOrder]:
    """All orders of ours on the account that ever were in the book or traded, oldest first. Raises EvidenceLost."""
    found = [_order(row) for row in rows if row["account"] == account and is_ours(row["client_order_id"])]
    return sorted((order for order in found if order is not None), key=lambda order: order.first)


def _order(row: dict[str, Any]) -> VenueOrder | None:
    """None: it was rejected, and never anything but a number."""
    if row["executions_dropped"]:
        raise EvidenceLost(f"/control/orders: executions of {row['client_order_id']} are gone")
    executions = row["executions"]
    if not executions or executions[0]["kind"] == "REJECTED":
        return None
    trades = tuple(
        Trade(
            one["execution_id"],
            one["trade_id"],
            decimal_units(one["quantity"], SCALE, "quantity"),
            decimal_units(one["fee"], SCALE, "fee"),
            one["fee_asset"],
        )
        for one in executions
        if one["kind"] == TRADE
    )
    return VenueOrder(
        row["client_order_id"],
        row["symbol"],
        1 if row["side"] == "BUY" else -1,
        decimal_units(row["quantity"], SCALE, "quantity"),
        executions[0]["execution_id"],
        executions[-1]["execution_id"],
        row["is_open"],
        trades,
    )


def balances(ledger: dict[str, Any], account: str) -> dict[str, int]:
    """Asset -> total in 10^-8, of `/control/ledger`."""
    return {
        asset: decimal_units(row["free"], SCALE, asset) + decimal_units(row["locked"], SCALE, asset)
        for asset, row in ledger["accounts"][account].items()
    }
