"""What the venue's log proves. Pure: rows in, figures and problems out. The words are defined in ops/chaos."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from actors.orders.ids import recognize
from ops.config import decimal_units

NS_PER_MS = 1_000_000
TAKEOVER_MS_MAX = 4_000
"""Beyond the time to live, so 6 s at a TTL of 2 s: for the campaign and three start-up queries on a busy machine. Chosen."""
PREFIX = "tl"
"""Of client order ids, in the configurations that chaos writes (ops/config.py's own default)."""


class Placement(NamedTuple):
    """One order request as the venue took it. epoch 0: the id is none of ours.

    change: what its execution would do to the position, in 10^-8 of the base asset; 0: it was not accepted.
    """

    account: str
    received_ns: int
    epoch: int
    client_order_id: str
    change: int
    accepted: bool


class Fault(NamedTuple):
    """What was done to a leader. epoch: the one it led in; at_ns: wall time of the signal, the venue's clock."""

    instance: str
    epoch: int
    at_ns: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's word in numbers; milliseconds. takeovers_ms: one a fault that was survived."""

    stale_received: int
    stale_accepted: int
    stale_fills: int
    foreign_accepted: int
    overlap_ms: float
    self_trades: int
    takeovers_ms: tuple[float, ...]


def placements(rows: Iterable[dict[str, Any]]) -> list[Placement]:
    """New orders among the rows of /control/requests whose sender was proven, in the order of their receipt."""
    return [
        Placement(
            account=row["account"],
            received_ns=row["received_ns"],
            epoch=epoch_of(row["client_order_id"]),
            client_order_id=row["client_order_id"],
            change=_signed(row["quantity"], row["side"]) if row["code"] == 0 else 0,
            accepted=row["code"] == 0,
        )
        for row in rows
        if row["kind"] == "place" and row["account"]
    ]


def _signed(quantity: str, side: str) -> int:
    return decimal_units(quantity, 8, "quantity") * (1 if side == "BUY" else -1)


def epoch_of(client_order_id: str) -> int:
    """0: none of ours."""
    known = recognize(PREFIX, client_order_id)
    return 0 if known is None else known.epoch


def figures(orders: Sequence[Placement], trades: Sequence[dict[str, Any]], ours: Sequence[str], faults: Sequence[Fault]) -> Figures:  # fmt: skip
    """`orders` and `trades` in the order in which they came; `ours`: all accounts of ours."""
    stale = stale_orders(orders)
    return Figures(
        stale_received=len(stale),
        stale_accepted=sum(order.accepted for order in stale),
        stale_fills=stale_fills(orders, trades),
        foreign_accepted=sum(order.accepted and not order.epoch for order in orders),
        overlap_ms=max((overlap_ns(orders, account) for account in ours), default=0) / NS_PER_MS,
        self_trades=sum(trade["maker_account"] in ours and trade["taker_account"] in ours for trade in trades),
        takeovers_ms=tuple(
            (first.received_ns - fault.at_ns) / NS_PER_MS
            for fault in faults
            if (first := successor(orders, fault)) is not None
        ),
    )


def stale_orders(orders: Iterable[Placement]) -> list[Placement]:
    """Those of an epoch below the highest that the venue had received on their account."""
    highest: dict[str, int] = {}
    stale = []
    for order in orders:
        if not order.epoch:
            continue
        if order.epoch < highest.get(order.account, 0):
            stale.append(order)
        highest[order.account] = max(highest.get(order.account, 0), order.epoch)
    return stale


def stale_fills(orders: Iterable[Placement], trades: Iterable[dict[str, Any]]) -> int:
    """Executions of orders of an epoch after the first accepted order of a later one: somebody left them at work."""
    first: dict[tuple[str, int], int] = {}
    for order in orders:
        if order.accepted:
            first.setdefault((order.account, order.epoch), order.received_ns)
    found = 0
    for trade in trades:
        for side in ("maker", "taker"):
            whose, epoch = trade[f"{side}_account"], epoch_of(trade[f"{side}_client_order_id"])
            since = [at_ns for (account, later), at_ns in first.items() if account == whose and later > epoch > 0]
            found += min(since, default=trade["time_ns"]) < trade["time_ns"]
    return found


def overlap_ns(orders: Sequence[Placement], account: str) -> int:
    """The longest time for which two epochs of one account had orders accepted; 0: each ended before the next began."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for order in orders:
        if order.account == account and order.accepted and order.epoch:
            first.setdefault(order.epoch, order.received_ns)
            last[order.epoch] = order.received_ns
    longest, older_ns = 0, 0
    for epoch in sorted(first):
        if older_ns:
            longest = max(longest, older_ns - first[epoch])
        older_ns = max(older_ns, last[epoch])
    return longest


def successor(orders: Iterable[Placement], fault: Fault) -> Placement | None:
    """The first accepted order of a later epoch than the one that was hit."""
    return next((order for order in orders if order.accepted and order.epoch > fault.epoch), None)


def increasing(
    orders: Iterable[Placement], trades: Sequence[dict[str, Any]], account: str, from_ns: int, until_ns: int
) -> list[Placement]:
    """Accepted orders of the account between the two whose execution would leave a greater position than there was."""
    found = []
    for order in orders:
        if order.account == account and order.accepted and from_ns <= order.received_ns < until_ns:
            held = position(trades, account, order.received_ns)
            if abs(held + order.change) > abs(held):
                found.append(order)
    return found


def position(trades: Iterable[dict[str, Any]], account: str, before_ns: int) -> int:
    """What the account bought less what it sold before that time, in 10^-8 of the base asset; fees are not looked at."""
    held = 0
    for trade in trades:
        if trade["time_ns"] < before_ns:
            taken = _signed(trade["quantity"], trade["taker_side"])
            held += taken * ((trade["taker_account"] == account) - (trade["maker_account"] == account))
    return held


def percentile(values: Sequence[float], share: float) -> float | None:
    """Nearest rank: the smallest value that at least `share` of them do not exceed; None of no values."""
    ranked = sorted(values)
    return ranked[max(-(-len(ranked) * round(share * 100) // 100), 1) - 1] if ranked else None


def problems(found: Figures, ledger_equal: bool | None, ttl_ms: int, increasing_in_cooldown: int | None) -> list[str]:
    """What must not be; empty: it held. ledger_equal None: it could not be asked; increasing...: there was no cooldown."""
    takeover_ms_max = ttl_ms + TAKEOVER_MS_MAX
    late = percentile(found.takeovers_ms, 0.95) or 0.0
    rules = [
        (found.stale_accepted == 0, f"{found.stale_accepted} orders of an old epoch were accepted"),
        (
            found.stale_fills == 0,
            f"{found.stale_fills} fills are of orders that should have been canceled by a later epoch",
        ),
        (found.foreign_accepted == 0, f"{found.foreign_accepted} accepted orders bear ids that are none of ours"),
        (found.overlap_ms == 0, f"two epochs of one account traded at the same time for {found.overlap_ms:.1f} ms"),
        (found.self_trades == 0, f"{found.self_trades} trades have accounts of ours on both sides"),
        (ledger_equal is not False, "the ledger differs from the venue's balances, or an order still works"),
        (ledger_equal is not None, "no ledger could be compared"),
        (late <= takeover_ms_max, f"takeover p95 is {late:.0f} ms, above {takeover_ms_max}"),
        (not increasing_in_cooldown, f"{increasing_in_cooldown} orders increased a position during a cooldown"),
    ]
    return [text for held, text in rules if not held]
