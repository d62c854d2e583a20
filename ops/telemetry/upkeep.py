"""From the views of a node to what an operator asks first (`touchline status`). Reads, never decides."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from actors.orders import Orders
from bus.messages import OrderStatus
from ops.telemetry.frame import Upkeep

if TYPE_CHECKING:
    from ops.node import Node

ROWS_MAX = 50
"""Rows of one kind: more than a person reads. Chosen."""
TEXT_MAX = 160
DOUBTFUL = (OrderStatus.UNKNOWN_NEW, OrderStatus.UNKNOWN_CANCEL, OrderStatus.SUSPECT)


def upkeep(node: "Node", actors: Mapping[str, Any]) -> Upkeep:
    """actors: by name, those of this host; what another host has is left out."""
    orders, exits = actors.get("orders"), actors.get("exits")
    view: dict[str, Any] = orders.view() if orders is not None else {}
    done = node.supervisor.reconciled
    return Upkeep(
        working=tuple(view.get("open", {}).items()),
        doubtful=_doubtful(orders),
        shortfalls=tuple(islice(view.get("shortfalls", {}).items(), ROWS_MAX)),
        quarantined=view.get("quarantined", 0),
        strange=tuple(_told(row) for row in view.get("strange", ())[:ROWS_MAX]),
        order_entry=_order_entry(node),
        private_stream=str(view["private_stream"]["trust"]) if view else "",
        feeds=tuple((row["venue"], row["symbols"], row["open"]) for row in _feeds(node)),
        budgets=tuple(_budgets(node)),
        reconciled=(done,) if done is not None else (),
        ledger_compared_ns=node.supervisor.ledger_compared_ns,
        flattening=tuple(exits.view()["flattening"]) if exits is not None else (),
    )


def _doubtful(orders: Orders | None) -> tuple[tuple[str, int, str], ...]:
    if orders is None:
        return ()
    rows = (
        (order.client_order_id, order.instrument, order.status.name)
        for order in orders.desk.register.open.values()
        if order.status in DOUBTFUL
    )
    return tuple(islice(rows, ROWS_MAX))


def _told(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if value not in ("", -1))[:TEXT_MAX]


def _order_entry(node: Any) -> str:
    """Only the host that trades has an order door."""
    door = getattr(node, "order_door", None)
    return "" if door is None else "up" if door.subscribed else "down"


def _feeds(node: "Node") -> list[dict[str, Any]]:
    return node.feed.view()[:ROWS_MAX] if hasattr(node, "feed") else []


def _budgets(node: "Node") -> list[tuple[str, str, int, int, int]]:
    return [(address, *row) for address, budget in node.rest.budgets.items() for row in budget.view()][:ROWS_MAX]
