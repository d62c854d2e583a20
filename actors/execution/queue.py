"""How much lies ahead of an order at its price: two estimates, one an upper bound. Pure functions, integers. HOT PATH.

An L2 feed says how much lies at a price, not whose turn it is. Quantities leave a level by trades, which take from the
front, and by cancels, of which nobody says where they stood. So there are two answers, in the book's quantity units:

- risk-averse: every cancel was behind us. trade: V = V - traded; level: V = min(V, others). What lies ahead is never
  more than this (hftbacktest, `RiskAdverseQueueModel`).
- proportional: cancels came evenly from the whole level (hftbacktest, `ProbQueueModel` with the power function, n = 1;
  after Rigtorp 2013). Of a decrease, what was traded is taken off first, so that it does not count twice; of the R that
  the trades left, `others` are still there, and so V = V * others / R. Never more than the risk-averse one.

`others` is the level without what is certainly ours and not ahead: this order, and own orders of any owner that came
after it. An own order that came first is ahead of it like anybody's.
"""

import msgspec

UNKNOWN = -1


class Queue(msgspec.Struct, gc=False):
    """Where one accepted order stands. Quantity units; -1: not known (its price is beyond the book's horizon).

    ahead: risk-averse. proportional: the other estimate. displayed: the whole level as last seen, ours included.
    traded: at this price since then. settled: the book seen contains the order. Before that the level may lack it, and
    who came before it may still have to appear: everything displayed counts as ahead, and trades are not taken off.
    """

    ahead: int = UNKNOWN
    proportional: int = UNKNOWN
    displayed: int = UNKNOWN
    traded: int = 0
    settled: bool = False


def averse_after_level(ahead: int, others: int) -> int:
    return others if others < ahead else ahead


def proportional_after_level(ahead: int, before: int, traded: int, others: int) -> int:
    """before: `others` of the level seen last. traded: since then. Rounded up, toward more ahead."""
    left = before - traded
    if others < left:
        ahead = -(-ahead * others // left)
    return others if others < ahead else ahead


def after_trade(ahead: int, traded: int) -> int:
    return ahead - traded if ahead > traded else 0


def see_level(queue: Queue, displayed: int, own: int) -> None:
    """The level holds `displayed`, of which `own` is this order's remainder and what of ours came after it."""
    if queue.settled:
        others = displayed - own if displayed > own else 0
        before = queue.displayed - own
        queue.proportional = proportional_after_level(queue.proportional, before, queue.traded, others)
        queue.ahead = averse_after_level(queue.ahead, others)
    else:
        queue.ahead = queue.proportional = displayed
    queue.displayed = displayed
    queue.traded = 0


def see_trade(queue: Queue, quantity: int) -> None:
    """Of this much at the order's price, by an aggressor of the other side."""
    if queue.settled:
        queue.ahead = after_trade(queue.ahead, quantity)
        queue.proportional = after_trade(queue.proportional, quantity)
        queue.traded += quantity


def settle(queue: Queue, own: int) -> None:
    """From here on the level is known to contain the order; what it holds beside `own` is ahead, until it leaves."""
    others = queue.displayed - own
    queue.ahead = queue.proportional = others if others > 0 else 0
    queue.settled = True


def reach_head(queue: Queue) -> None:
    """An execution of the order itself: nobody is ahead any more."""
    queue.ahead = queue.proportional = 0
    queue.settled = True


def see_trade_beyond(queue: Queue) -> None:
    """At a price that comes after the order's: all that was displayed at its own is traded."""
    if queue.settled:  # before that it may be of the time before the order was there
        queue.ahead = queue.proportional = 0
        queue.traded = queue.displayed


def behind(queue: Queue, own: int) -> int:
    """What came after the order, by the proportional estimate; 0 before it is settled."""
    if not queue.settled or queue.displayed == UNKNOWN:
        return 0
    return max(queue.displayed - queue.traded - own - queue.proportional, 0)
