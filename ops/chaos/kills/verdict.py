"""What our journal and ledger prove against the venue's log. Pure: evidence in, figures out. The words are in ops/chaos/kills."""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import msgspec

from ops.chaos.judge import Placement
from ops.chaos.kills.ours import OurJournal, Sent
from ops.chaos.kills.theirs import VenueOrder

NAMED_MAX = 5
"""Ids named in one finding; chosen."""
NEVER = 1 << 62
"""In place of the number of a record that there is not."""


class Limits(NamedTuple):
    """Of one symbol, as configured; base asset, 10^-8. lot: what positions are counted in, so that less is no violation."""

    base_asset: str
    order_max: int
    position_max: int
    position_min: int
    open_orders_max: int
    lot: int


class End(NamedTuple):
    """The engine's own last report, and the venue's balances at that time. positions by symbol, 10^-8.

    held: the venue's own rows of positions; None: it has none, and they are what our orders bought and sold.
    """

    ledger: Mapping[str, int]
    positions: Mapping[str, int]
    venue: Mapping[str, int]
    held: Mapping[str, int] | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """position_difference: 10^-8, absolute, over all symbols. ledger_equal None: there was no report to compare.

    found: one line each for a person, with ids.
    """

    orders: int
    fills: int
    lost_fills: int
    duplicate_fills: int
    invented_fills: int
    orphaned_orders: int
    duplicate_orders: int
    unknown_orders: int
    position_difference: int
    limit_violations: int
    ledger_equal: bool | None
    found: tuple[str, ...]


def judge(
    orders: Sequence[VenueOrder],
    ours: OurJournal,
    limits: Mapping[str, Limits],
    end: End | None,
    denied: Container[str] = (),
    requests: Sequence[Placement] = (),
) -> Verdict:
    """`orders`: the venue's, of ours, oldest first, after the last run has ended. denied: see `violations`.

    requests: every new order that the venue was asked for on the account, which is nobody else's: also what it refused, and what
    bore an id that is none of ours.
    """
    traded = [(order.client_order_id, trade.trade_id) for order in orders for trade in order.trades]
    booked = Counter(ours.fills)
    lost = [key for key in traded if not booked[key]]
    twice = [key for key, count in booked.items() if count > 1]
    known = set(traded)
    invented = [key for key in booked if key not in known]
    orphans = [order.client_order_id for order in orders if order.is_open]
    made = [order.client_order_id for order in orders] + [asked.client_order_id for asked in requests if asked.accepted]
    unknown = list(dict.fromkeys(key for key in made if key not in ours.sent))
    again = [key for key, count in Counter(asked.client_order_id for asked in requests).items() if count > 1]
    duplicates = list(dict.fromkeys([*duplicate_orders(orders, ours), *again]))
    beyond = [text for symbol, limit in limits.items() for text in violations(orders, ours, symbol, limit, denied)]
    difference, equal = _compare(orders, limits, ours.adjusted, end)
    return Verdict(
        orders=len(orders),
        fills=len(traded),
        lost_fills=len(lost),
        duplicate_fills=sum(booked[key] - 1 for key in twice),
        invented_fills=len(invented),
        orphaned_orders=len(orphans),
        duplicate_orders=len(duplicates),
        unknown_orders=len(unknown),
        position_difference=difference,
        limit_violations=len(beyond),
        ledger_equal=equal,
        found=tuple(
            f"{what}: {', '.join(map(str, rows[:NAMED_MAX]))}"
            for what, rows in (
                ("fills lost", lost), ("fills booked twice", twice), ("fills that the venue has not", invented),
                ("orders at work at the end", orphans), ("orders not in the journal", unknown),
                ("duplicate orders", duplicates), ("beyond the limits", beyond),
            )
            if rows
        ),
    )  # fmt: skip


def duplicate_orders(orders: Sequence[VenueOrder], ours: OurJournal) -> list[str]:
    """Client order ids of second orders: one id twice, one command twice, or one side while the first lived uncanceled.

    Which is the second of two is by our journal: a request that was held up on its way may be the venue's second one.
    """
    found = {key: None for key, count in Counter(order.client_order_id for order in orders).items() if count > 1}
    known = [(ours.sent[order.client_order_id], order) for order in orders if order.client_order_id in ours.sent]
    commands: set[tuple[int, str, int]] = set()
    before: dict[tuple[str, int, int], list[VenueOrder]] = {}
    for sent, order in sorted(known, key=lambda pair: pair[0].number):
        command = (sent.epoch, sent.owner, sent.command)
        place = (sent.owner, sent.instrument, sent.side)
        living = [other for other in before.get(place, []) if other.is_open or other.last > order.first]
        met = [other for other in living if order.is_open or other.first < order.last]
        if command in commands or any(not _canceled_before(ours, other.client_order_id, sent) for other in met):
            found[order.client_order_id] = None
        commands.add(command)
        before[place] = [*living, order]
    return list(found)


def _canceled_before(ours: OurJournal, client_order_id: str, sent: Sent) -> bool:
    """Whether its cancel was wanted when the other order was sent, or in the same step."""
    number, offset = ours.cancels.get(client_order_id, (sent.number + 1, sent.offset + 1))
    return number < sent.number or offset == sent.offset


def violations(
    orders: Sequence[VenueOrder], ours: OurJournal, symbol: str, limits: Limits, denied: Container[str] = ()
) -> list[str]:
    """Orders that were too large, too many, or could have led beyond the position's bounds; each once, with the reason.

    denied: client order ids of orders of which the venue said, by its own log, that they were canceled without what they had
    executed. Until such a fill is booked, the position is also read without it: more was never said.
    """
    found: dict[str, str] = {}
    leaves: dict[str, tuple[int, int]] = {}  # side, open remainder
    unsaid: list[tuple[int, int]] = []  # record that booked it, signed quantity
    position = 0
    for _, rank, order, trade in sorted(_events(orders, symbol, limits.base_asset)):
        key = orders[order].client_order_id
        side = orders[order].side
        if rank == _BEGINS:
            leaves[key] = (side, orders[order].quantity)
            reason = _beyond(position, leaves, orders[order].quantity, limits)
            if reason and unsaid and (sent := ours.sent.get(key)) is not None:
                said = position - sum(quantity for number, quantity in unsaid if number > sent.number)
                reason = _beyond(said, leaves, orders[order].quantity, limits)
            if reason:
                found[key] = f"{key} ({reason})"
        elif rank == _TRADES:
            done = orders[order].trades[trade]
            change = side * done.quantity - (done.fee if done.fee_asset == limits.base_asset else 0)
            position += change
            if key in denied:
                unsaid.append((ours.booked.get((key, done.trade_id), NEVER), change))
            if key in leaves:
                leaves[key] = (side, leaves[key][1] - done.quantity)
        else:
            leaves.pop(key, None)
    return list(found.values())


_BEGINS, _TRADES, _ENDS = range(3)


def _events(orders: Sequence[VenueOrder], symbol: str, base_asset: str) -> list[tuple[int, int, int, int]]:
    """(execution id, what, index of the order, index of its trade)."""
    events = []
    for index, order in enumerate(orders):
        if order.symbol != symbol:
            continue
        events.append((order.first, _BEGINS, index, 0))
        events += [(trade.execution_id, _TRADES, index, number) for number, trade in enumerate(order.trades)]
        if not order.is_open:
            events.append((order.last, _ENDS, index, 0))
    return events


def _beyond(position: int, leaves: Mapping[str, tuple[int, int]], quantity: int, limits: Limits) -> str:
    """Which limit the order that came last breaks at worst; "" when none."""
    longest = position + sum(left for side, left in leaves.values() if side > 0)
    shortest = position - sum(left for side, left in leaves.values() if side < 0)
    if quantity > limits.order_max:
        return f"quantity {quantity}"
    if len(leaves) > limits.open_orders_max:
        return f"{len(leaves)} open orders"
    if longest > max(limits.position_max, position) + limits.lot:
        return f"position up to {longest}"
    if shortest < min(limits.position_min, position) - limits.lot:
        return f"position down to {shortest}"
    return ""


def _compare(
    orders: Sequence[VenueOrder], limits: Mapping[str, Limits], adjusted: Mapping[str, int], end: End | None
) -> tuple[int, bool | None]:
    """Sum of absolute differences of positions; whether the ledger is the venue's in every asset, without what was only adjusted."""
    if end is None:
        return sum(abs(position_of(orders, symbol, limit.base_asset)) for symbol, limit in limits.items()), None
    difference = 0
    for symbol, limit in limits.items():
        words = [position_of(orders, symbol, limit.base_asset)]
        if end.held is not None:
            words.append(end.held.get(symbol, 0))
        difference += max(abs(end.positions.get(symbol, 0) - word) for word in words)
    assets = end.ledger.keys() | end.venue.keys()
    equal = bool(end.ledger) and all(
        end.ledger.get(asset, 0) - adjusted.get(asset, 0) == end.venue.get(asset, 0) for asset in assets
    )
    return difference, equal


def position_of(orders: Sequence[VenueOrder], symbol: str, base_asset: str) -> int:
    """What our orders bought less what they sold, fees in the base asset taken off."""
    return sum(
        order.side * trade.quantity - (trade.fee if trade.fee_asset == base_asset else 0)
        for order in orders
        if order.symbol == symbol
        for trade in order.trades
    )
