"""The venue's orders as its control door tells them (`/control/orders`), in integers. Pure.

Everything is ordered by the venue's execution ids, because a fault may move its clock. Quantities, fees: 10^-8 of the asset.
"""

from collections.abc import Container, Iterable
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


def order_of(client_order_id: str) -> str:
    """The id of the order, where it may be one of its cancels'."""
    known = recognize(PREFIX, client_order_id)
    return client_order_id if known is None else known.root


def venue_orders(rows: Iterable[dict[str, Any]], trades: Iterable[dict[str, Any]], account: str) -> list[VenueOrder]:
    """All orders of ours on the account that ever were in the book or traded, oldest first. Raises EvidenceLost.

    rows, trades: of `/control/orders` and `/control/trades`. An order keeps its first thousand executions; the log of trades
    has the others, which take the place of the last one that is kept.
    """
    mine = [row for row in rows if row["account"] == account and is_ours(row["client_order_id"])]
    cut = {row["client_order_id"] for row in mine if row["executions_dropped"]}
    told = _told(trades, cut) if cut else {}
    found = [_order(row, told.get(row["client_order_id"], [])) for row in mine]
    return sorted((order for order in found if order is not None), key=lambda order: order.first)


def _told(trades: Iterable[dict[str, Any]], orders: Container[str]) -> dict[str, list[Trade]]:
    """Of these orders, every trade that the log has."""
    told: dict[str, list[Trade]] = {}
    for row in trades:
        for side in ("maker", "taker"):
            key = row[f"{side}_client_order_id"]
            if key in orders:
                told.setdefault(key, []).append(
                    _trade(0, row, row[f"{side}_commission"], row[f"{side}_commission_asset"])
                )
    return told


def _order(row: dict[str, Any], told: list[Trade]) -> VenueOrder | None:
    """None: it was rejected, and never anything but a number."""
    executions = row["executions"]
    if not executions or executions[0]["kind"] == "REJECTED":
        return None
    first, last = executions[0]["execution_id"], executions[-1]["execution_id"]
    trades = [
        _trade(one["execution_id"], one, one["fee"], one["fee_asset"]) for one in executions if one["kind"] == TRADE
    ]
    if row["executions_dropped"]:
        kept = {trade.trade_id for trade in trades}
        trades += [trade._replace(execution_id=last) for trade in told if trade.trade_id not in kept]
    quantity = decimal_units(row["quantity"], SCALE, "quantity")
    if sum(trade.quantity for trade in trades) != decimal_units(row["executed"], SCALE, "executed"):
        raise EvidenceLost(f"/control/orders: executions of {row['client_order_id']} are gone")
    side = 1 if row["side"] == "BUY" else -1
    return VenueOrder(row["client_order_id"], row["symbol"], side, quantity, first, last, row["is_open"], tuple(trades))


def _trade(execution_id: int, row: dict[str, Any], fee: str, fee_asset: str) -> Trade:
    quantity = decimal_units(row["quantity"], SCALE, "quantity")
    return Trade(execution_id, row["trade_id"], quantity, decimal_units(fee, SCALE, "fee"), fee_asset)


def balances(ledger: dict[str, Any], account: str) -> dict[str, int]:
    """Asset -> total in 10^-8, of `/control/ledger`."""
    return {
        asset: decimal_units(row["free"], SCALE, asset) + decimal_units(row["locked"], SCALE, asset)
        for asset, row in ledger["accounts"][account].items()
    }


def positions(ledger: dict[str, Any], account: str) -> dict[str, int]:
    """Symbol -> contracts in 10^-8, short ones negative, of the same; what is flat is not there."""
    return {row["symbol"]: decimal_units(row["quantity"], SCALE, row["symbol"]) for row in ledger["positions"][account]}
